// SPDX-License-Identifier: GPL-2.0
/*
 * VMs with private memory in a restricted file: code, stack and page tables of
 * the guest are private, pages are converted back and forth, also while it runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "restricted.h"
#include "vm_test.h"

#define PAGE		4096UL
#define SIZE		(16UL << 20)
#define FRESH		((SIZE - GUEST_FRESH) / PAGE)
#define SECONDS		5
#define MANY		20	/* a slow machine takes longer */

static void create(struct guest_vm *vm, unsigned int flags)
{
	int err = guest_vm_create_private(vm, 2, SIZE, flags);

	if (!err)
		return;
	errno = -err;
	if (err == -EINVAL)
		skip("no VMs with private memory");
	die("create a VM");
}

static uint32_t told(struct guest_vcpu *vcpu, const char *payload,
		     uint64_t rounds)
{
	run_payload(vcpu, payload, rounds);
	return guest_vcpu_told(vcpu);
}

static uint32_t sum_to(uint64_t n)
{
	return n * (n + 1) / 2;
}

static void runs(unsigned int flags, const char *what)
{
	static const char * const all[] = {
		"cpuid", "pio", "mix", "hypercall", "hlt", "mmio_user",
	};
	struct guest_vm vm;
	uint32_t version;
	size_t i;

	create(&vm, flags);
	/* What user space has there is not what the guest has. */
	memset(vm.mem, 0, SIZE);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		run_payload(&vm.vcpu[0], all[i], 20);
	version = told(&vm.vcpu[0], "clock", 10);
	check(version && version % 2 == 0, "%s: clock, version %u", what,
	      version);
	told(&vm.vcpu[0], "fill", FRESH);
	check(told(&vm.vcpu[1], "sum", FRESH) == sum_to(FRESH), "%s: sum", what);
	for (i = 0; i < SIZE && !vm.mem[i]; i++)
		;
	check(i == SIZE, "%s: nothing of it in user memory", what);
	guest_vm_destroy(&vm);
}

static bool share(struct guest_vm *vm, size_t first, size_t count, int private)
{
	int err = restricted_convert(vm->fd, GUEST_FRESH + first * PAGE,
				     count * PAGE, private);

	return check(!err, "%zu pages from %zu become %s: %s", count, first,
		     private ? "private" : "shared", strerror(-err));
}

/* Each page has two sides, and what is on one does not show on the other. */
static void conversions(unsigned int flags, const char *what)
{
	const size_t first = 100, count = 700;
	uint32_t rest, kept;
	struct guest_vm vm;
	size_t i;

	create(&vm, flags);
	told(&vm.vcpu[0], "fill", FRESH);
	kept = sum_to(first + count) - sum_to(first);
	rest = sum_to(FRESH) - kept;
	share(&vm, first, count, 0);
	for (i = 0; i < count; i++)
		vm.mem[GUEST_FRESH + (first + i) * PAGE] = 7;
	check(told(&vm.vcpu[0], "sum", FRESH) == rest + 7 * count,
	      "%s: shared pages are user memory", what);
	told(&vm.vcpu[0], "fill", FRESH);
	check(vm.mem[GUEST_FRESH + first * PAGE] == (uint8_t)(first + 1),
	      "%s: and the guest writes there", what);
	share(&vm, first, count, 1);
	check(told(&vm.vcpu[0], "sum", FRESH) == sum_to(FRESH),
	      "%s: the private side is as it was", what);
	share(&vm, first, count, 0);
	restricted_punch(vm.mem_fd, GUEST_FRESH + first * PAGE, count * PAGE);
	check(told(&vm.vcpu[0], "sum", FRESH) == sum_to(FRESH),
	      "%s: a hole there is none in user memory", what);
	share(&vm, first, count, 1);
	check(told(&vm.vcpu[0], "sum", FRESH) == rest,
	      "%s: but in the private side", what);
	guest_vm_destroy(&vm);
}

/* A private page in a slot that has no file: user space is told. */
static void fault_is_reported(void)
{
	struct kvm_userspace_memory_region region = {
		.slot = 5, .guest_phys_addr = 2 * SIZE, .memory_size = SIZE,
	};
	const struct guest_payload *sum = guest_payload("sum");
	struct guest_vcpu *vcpu;
	struct kvm_regs regs;
	struct guest_vm vm;
	uint64_t *fault;
	int err;

	create(&vm, 0);
	vcpu = &vm.vcpu[0];
	fault = (uint64_t *)&vcpu->run->hw;
	region.userspace_addr = (uintptr_t)vm.mem;
	if (ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &region) ||
	    restricted_convert(vm.fd, 2 * SIZE, PAGE, 1) ||
	    guest_vcpu_load(vcpu, sum, 1) ||
	    ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		die("a second slot");
	regs.r8 = 2 * SIZE;
	ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	err = guest_vcpu_run(vcpu);
	check(err == -EFAULT, "private, and no file: %s", strerror(-err));
	check(vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT &&
	      fault[0] == 8 && fault[1] == 2 * SIZE && fault[2] == PAGE,
	      "exit %u, flags %#lx, at %#lx, %lu bytes",
	      vcpu->run->exit_reason, fault[0], fault[1], fault[2]);
	restricted_convert(vm.fd, 2 * SIZE, PAGE, 0);
	err = guest_vcpu_run(vcpu);
	check(!err, "shared, and it goes on: %s", strerror(-err));
	guest_vm_destroy(&vm);
}

static void storm(unsigned int flags, const char *what)
{
	time_t end = time(NULL) + SECONDS;
	struct guest_worker worker[2];
	unsigned long rounds = 0;
	struct guest_vm vm;
	size_t at, len;
	int i, err = 0;

	create(&vm, flags);
	/* A fault that is under way when its page is converted ends there. */
	vm.retry_faults = true;
	for (i = 0; i < 2; i++)
		if (guest_worker_start(&worker[i], &vm.vcpu[i], "churn", 2))
			die("start a virtual CPU");
	while ((time(NULL) < end || rounds < MANY) && !err) {
		at = rand() % FRESH;
		len = 1 + rand() % 600;
		if (at + len > FRESH)
			continue;
		err = restricted_convert(vm.fd, GUEST_FRESH + at * PAGE,
					 len * PAGE, rand() % 2);
		restricted_punch(vm.mem_fd, GUEST_FRESH + at * PAGE,
				 len / 2 * PAGE);
		rounds++;
		usleep(500);
	}
	check(!err && rounds >= MANY, "%s: %lu conversions", what, rounds);
	for (i = 0; i < 2; i++)
		check(guest_worker_progress(&worker[i], 2, 60),
		      "%s: virtual CPU %d gets on", what, i);
	for (i = 0; i < 2; i++)
		stops_well(&worker[i], what);
	guest_vm_destroy(&vm);
}

int main(void)
{
	if (!restricted_supported())
		skip("no memfd_restricted");
	vm_test_begin();
	runs(0, "4K");
	runs(RMFD_HUGEPAGE, "2M");
	conversions(0, "4K");
	conversions(RMFD_HUGEPAGE, "2M");
	fault_is_reported();
	storm(0, "4K");
	storm(RMFD_HUGEPAGE, "2M");
	return vm_test_end();
}
