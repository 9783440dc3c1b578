// SPDX-License-Identifier: GPL-2.0
/* Two VMs in one process: side by side, in turns, destroyed in either order. */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vm_test.h"

static void in_turns(struct guest_vm *a, struct guest_vm *b)
{
	int i;

	for (i = 1; i <= 20; i++) {
		guest_vcpu_do(&a->vcpu[0], guest_payload("count"), 3);
		guest_vcpu_do(&b->vcpu[0], guest_payload("count"), 5);
		guest_vcpu_do(&b->vcpu[0], guest_payload("cpuid"), 5);
	}
	check(guest_vcpu_result(&a->vcpu[0])->counter == 60 &&
	      guest_vcpu_result(&b->vcpu[0])->counter == 100,
	      "each guest saw its own memory only");
}

static void destroy_in_order(bool first_made_first)
{
	struct guest_vm vm[2];
	struct guest_vm *gone = &vm[!first_made_first];
	struct guest_vm *left = &vm[first_made_first];

	must_create(&vm[0], 1);
	must_create(&vm[1], 1);
	in_turns(&vm[0], &vm[1]);
	guest_vm_destroy(gone);
	counts_right(&left->vcpu[0], 100);
	run_payload(&left->vcpu[0], "mix", 50);
	guest_vm_destroy(left);
}

static void side_by_side(void)
{
	static struct busy_vm a, b;

	busy_vm_start(&a, 1, "mix");
	busy_vm_start(&b, 2, "mix");
	busy_vm_runs(&a, "beside another VM");
	busy_vm_runs(&b, "beside another VM");
	busy_vm_stop(&a);
	busy_vm_runs(&b, "after the other VM is gone");
	busy_vm_stop(&b);
}

/* KVM keeps a VM while one of its virtual CPUs is open. */
static void vcpu_outlives_vm_fd(void)
{
	struct guest_vm vm;

	must_create(&vm, 1);
	close(vm.fd);
	vm.fd = -1;
	counts_right(&vm.vcpu[0], 100);
	guest_vm_destroy(&vm);
}

/* The other way round: what is gone must not run. */
static void gone_is_gone(void)
{
	struct guest_vm vm;
	int fd;

	must_create(&vm, 1);
	fd = vm.vcpu[0].fd;
	guest_vm_destroy(&vm);
	check(ioctl(fd, KVM_RUN, 0) < 0 && errno == EBADF,
	      "a destroyed virtual CPU does not run");
}

int main(void)
{
	vm_test_begin();
	destroy_in_order(true);
	destroy_in_order(false);
	side_by_side();
	vcpu_outlives_vm_fd();
	gone_is_gone();
	return vm_test_end();
}
