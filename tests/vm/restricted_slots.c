// SPDX-License-Identifier: GPL-2.0
/*
 * Slots of restricted memory that come and go: under a clock page that KVM keeps
 * writing to, under holes in their file, while KVM begins to shadow page tables,
 * and with their VM or its process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_payload.h"
#include "guest_vmcb.h"
#include "restricted.h"
#include "vm_test.h"

#define PAGE		4096UL
#define LARGE		(2UL << 20)
#define SIZE		(4 * LARGE)
#define HUGE_SIZE	(128UL << 20)	/* of a file that stays empty */
#define SLOT		5
#define WHERE		(64UL << 20)	/* in the guest */

static void create(struct guest_vm *vm, unsigned int flags)
{
	int err = guest_vm_create_restricted(vm, 1, SIZE, flags);

	if (!err)
		return;
	errno = -err;
	die("create a VM");
}

/* What is in the first word of the page at WHERE, as the guest sees it. */
static uint32_t word_there(struct guest_vcpu *vcpu)
{
	struct kvm_regs regs;

	if (guest_vcpu_load(vcpu, guest_payload("sum"), 1) ||
	    ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		die("registers");
	regs.r8 = WHERE;
	ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	check(!guest_vcpu_run(vcpu), "the guest looks");
	return guest_vcpu_told(vcpu);
}

/* Has KVM write the guest's clock to WHERE, or nowhere. */
static void set_clock(struct guest_vcpu *vcpu, bool on)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head.nmsrs = 1,
		.entry.index = MSR_KVM_SYSTEM_TIME_NEW,
		.entry.data = on ? WHERE | 1 : 0,
	};

	check(ioctl(vcpu->fd, KVM_SET_MSRS, &msrs) == 1, "the clock is %s",
	      on ? "on" : "off");
}

static void put_slot(struct guest_vm *vm, int fd, uint64_t offset)
{
	int err = restricted_slot(vm->fd, SLOT, WHERE, PAGE, fd, offset, NULL);

	check(!err, "a slot on page %lu: %s", offset / PAGE, strerror(-err));
}

/* KVM caches the page of the clock by an address that all these slots share. */
static void clock_page(unsigned int flags, const char *what)
{
	int fd = restricted_open_sized(flags, LARGE);
	struct guest_vm vm;
	uint32_t before, after;

	create(&vm, flags);
	put_slot(&vm, fd, 0);
	set_clock(&vm.vcpu[0], true);
	before = word_there(&vm.vcpu[0]);
	check(before && before % 2 == 0, "%s: version %u", what, before);
	restricted_slot_remove(vm.fd, SLOT);
	put_slot(&vm, fd, PAGE);
	set_clock(&vm.vcpu[0], true);
	after = word_there(&vm.vcpu[0]);
	check(after && after % 2 == 0, "%s: in the next page, version %u", what,
	      after);
	/* A hole under the clock: it goes on in the page that follows. */
	check(!restricted_punch(fd, PAGE, PAGE), "%s: a hole", what);
	set_clock(&vm.vcpu[0], true);
	after = word_there(&vm.vcpu[0]);
	check(after && after % 2 == 0, "%s: after a hole, version %u", what,
	      after);
	set_clock(&vm.vcpu[0], false);
	check(!restricted_punch(fd, PAGE, PAGE), "%s: another", what);
	check(!word_there(&vm.vcpu[0]), "%s: switched off, it is zero", what);
	guest_vm_destroy(&vm);
	close(fd);
}

/* A thread that does one thing over and over, until it goes wrong. */
struct storm {
	int (*act)(struct storm *s);
	int fd;			/* of the file; a copy, so that it stays open */
	size_t offset, size;
	int vm_fd;
	void *memory;
	pthread_t thread;
	volatile bool stop;
	volatile unsigned long times;
	int err;
};

static int punch(struct storm *s)
{
	return restricted_punch(s->fd, s->offset, s->size);
}

/* With time for slots to come and go in between: they wait for holes to end. */
static int punch_and_pause(struct storm *s)
{
	int i, err = punch(s);

	for (i = 0; i < 6; i++)
		sched_yield();
	return err;
}

static int bind_and_remove(struct storm *s)
{
	int err = restricted_slot(s->vm_fd, SLOT, WHERE, s->size, s->fd, 0,
				  NULL);

	return err ?: restricted_slot_remove(s->vm_fd, SLOT);
}

/* KVM is told of both, as of a hole, but by the notifier of user memory. */
static int protect(struct storm *s)
{
	if (mprotect(s->memory, s->size, PROT_READ) ||
	    mprotect(s->memory, s->size, PROT_READ | PROT_WRITE))
		return -errno;
	return 0;
}

static void *repeat(void *arg)
{
	struct storm *s = arg;

	while (!s->stop && !s->err) {
		s->err = s->act(s);
		s->times++;
	}
	return NULL;
}

/* Returns once it is under way: a busy machine may take its time. */
static void start(struct storm *s)
{
	s->stop = false;
	s->times = 0;
	s->fd = dup(s->fd);
	if (s->fd < 0 || pthread_create(&s->thread, NULL, repeat, s))
		die("start a thread");
	while (!s->times)
		usleep(100);
}

static void stop(struct storm *s, const char *what)
{
	s->stop = true;
	pthread_join(s->thread, NULL);
	check(!s->err && s->times, "%s, %lu times: %s", what, s->times,
	      strerror(-s->err));
	close(s->fd);
}

/*
 * A hole comes when a slot is bound, but has nothing yet that KVM keeps for it:
 * the larger the slot, the longer KVM takes to make that. Not a hole from the
 * first page on: an array that is not there yet is empty for KVM, seen from
 * there, but not seen from its second element.
 */
static void young_slots(unsigned int rounds)
{
	struct storm holes = { .act = punch, .offset = LARGE,
			       .size = HUGE_SIZE - LARGE };
	int fd = restricted_open_sized(RMFD_HUGEPAGE, HUGE_SIZE);
	struct storm slots = { .fd = fd, .size = HUGE_SIZE };
	struct guest_vm vm;
	unsigned int i;
	int err = 0;

	create(&vm, 0);
	run_payload(&vm.vcpu[0], "cpuid", 1);
	slots.vm_fd = vm.fd;
	holes.fd = fd;
	start(&holes);
	for (i = 0; i < rounds && !err; i++)
		err = bind_and_remove(&slots);
	check(!err, "%u slots under holes: %s", i, strerror(-err));
	stop(&holes, "holes in young slots");
	check(run_payload(&vm.vcpu[0], "cpuid", 1), "the guest runs");
	guest_vm_destroy(&vm);
	close(fd);
}

/*
 * A VM gets its first shadowed page tables while a slot is being deleted: what KVM
 * then keeps for that slot belongs to the copy that has its place meanwhile. A hole
 * must look there.
 */
static void first_shadows(unsigned int rounds)
{
	int fd = restricted_open_sized(RMFD_HUGEPAGE, SIZE);
	struct storm holes = { .act = punch_and_pause, .fd = fd, .offset = LARGE,
			       .size = SIZE - LARGE };
	struct guest_vm vm;
	unsigned int i;

	start(&holes);
	for (i = 0; i < rounds; i++) {
		struct storm slots = { .act = bind_and_remove, .fd = fd,
				       .size = SIZE };

		must_create(&vm, 1);
		guest_build_vmcb(vm.mem + GUEST_VMCB,
				 guest_code_address(guest_of_guest),
				 guest_build_nested_tables(vm.mem));
		slots.vm_fd = vm.fd;
		start(&slots);
		run_payload(&vm.vcpu[0], "vmrun", 1);
		stop(&slots, "slots under the first shadows");
		guest_vm_destroy(&vm);
	}
	stop(&holes, "holes under the first shadows");
	close(fd);
}

/* Memory of our own for the VM, beside what is restricted. */
static void *user_slot(struct guest_vm *vm)
{
	struct kvm_userspace_memory_region region = { .slot = SLOT,
		.guest_phys_addr = WHERE, .memory_size = LARGE };
	void *memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	region.userspace_addr = (uintptr_t)memory;
	if (memory == MAP_FAILED ||
	    ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		die("a slot of user memory");
	return memory;
}

/*
 * Holes are under way while the VM goes, and in every other round changes of user
 * memory that it has, too: they end, and so does it.
 */
static void dying_vms(unsigned int rounds)
{
	struct guest_vm vm;
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		struct storm holes = { .act = punch, .size = SIZE };
		struct storm changes = { .act = protect, .size = LARGE };
		bool both = i % 4 >= 2;

		create(&vm, i % 2 ? RMFD_HUGEPAGE : 0);
		run_payload(&vm.vcpu[0], "cpuid", 1);
		changes.memory = user_slot(&vm);
		holes.fd = vm.mem_fd;
		changes.fd = vm.mem_fd;
		start(&holes);
		if (both)
			start(&changes);
		guest_vm_destroy(&vm);
		if (both)
			stop(&changes, "changes while the VM goes");
		stop(&holes, "holes while the VM goes");
		munmap(changes.memory, LARGE);
	}
}

static void live_and_wait(int fd, int ready)
{
	struct guest_vm vm;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	must_create(&vm, 1);
	if (restricted_slot(vm.fd, SLOT, WHERE, SIZE, fd, 0, NULL))
		die("a slot");
	word_there(&vm.vcpu[0]);
	if (write(ready, "", 1) != 1)
		die("tell");
	for (;;)
		pause();
}

/* Returns when the child has a VM on the file. */
static pid_t vm_in_child(int fd)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		live_and_wait(fd, ready[1]);
	close(ready[1]);
	check(read(ready[0], &byte, 1) == 1, "a VM on the file");
	close(ready[0]);
	return pid;
}

/* The VM goes with its process, which has no memory any more by then. */
static void killed_vms(unsigned int rounds)
{
	int fd = restricted_open_sized(RMFD_HUGEPAGE, SIZE), status;
	unsigned int i;
	pid_t pid;

	for (i = 0; i < rounds; i++) {
		struct storm holes = { .act = punch, .fd = fd, .size = SIZE };

		pid = vm_in_child(fd);
		start(&holes);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		check(WIFSIGNALED(status), "killed, round %u", i);
		stop(&holes, "holes while it is killed");
		check(!restricted_punch(fd, 0, SIZE), "all of it goes");
	}
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 20;

	if (!restricted_supported())
		skip("no memfd_restricted");
	vm_test_begin();
	clock_page(0, "4K");
	clock_page(RMFD_HUGEPAGE, "2M");
	young_slots(10 * rounds);
	if (guest_can_nest_tables())
		first_shadows(rounds);
	else
		note("no nested page tables");
	dying_vms(rounds);
	killed_vms(rounds / 8 + 1);
	return vm_test_end();
}
