// SPDX-License-Identifier: GPL-2.0
/*
 * Slots of restricted memory that come and go: under a clock page that KVM keeps
 * writing to, under holes in their file, and with their VM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

struct puncher {
	pthread_t thread;
	int fd;
	size_t offset, size;
	volatile bool stop;
	volatile unsigned long holes;
	int err;
};

static void *punch(void *arg)
{
	struct puncher *p = arg;

	while (!p->stop && !p->err) {
		p->err = restricted_punch(p->fd, p->offset, p->size);
		p->holes++;
	}
	return NULL;
}

/* Returns once holes are under way: a busy machine may take its time. */
static void start(struct puncher *p, int fd, size_t offset, size_t size)
{
	*p = (struct puncher){ .fd = dup(fd), .offset = offset, .size = size };
	if (p->fd < 0 || pthread_create(&p->thread, NULL, punch, p))
		die("start a thread");
	while (!p->holes)
		usleep(100);
}

static void stop(struct puncher *p, const char *what)
{
	p->stop = true;
	pthread_join(p->thread, NULL);
	check(!p->err && p->holes, "%s: %lu holes", what, p->holes);
	close(p->fd);
}

/*
 * A hole comes when a slot is bound, but has nothing yet that KVM keeps for it:
 * the larger the slot, the longer KVM takes to make that. Not a hole from the
 * first page on: an array that is not there yet is empty for KVM, seen from
 * there, but not seen from its second element.
 */
static void young_slots(unsigned int rounds)
{
	int fd = restricted_open_sized(RMFD_HUGEPAGE, HUGE_SIZE);
	struct guest_vm vm;
	struct puncher p;
	unsigned int i;
	int err = 0;

	create(&vm, 0);
	run_payload(&vm.vcpu[0], "cpuid", 1);
	start(&p, fd, LARGE, HUGE_SIZE - LARGE);
	for (i = 0; i < rounds && !err; i++) {
		err = restricted_slot(vm.fd, SLOT, WHERE, HUGE_SIZE, fd, 0,
				      NULL);
		if (!err)
			err = restricted_slot_remove(vm.fd, SLOT);
	}
	check(!err, "%u slots under holes: %s", i, strerror(-err));
	stop(&p, "young slots");
	check(run_payload(&vm.vcpu[0], "cpuid", 1), "the guest runs");
	guest_vm_destroy(&vm);
	close(fd);
}

/* Holes are under way while the VM goes: they end, and so does it. */
static void dying_vms(unsigned int rounds)
{
	struct puncher p = { };
	struct guest_vm vm;
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		create(&vm, i % 2 ? RMFD_HUGEPAGE : 0);
		run_payload(&vm.vcpu[0], "cpuid", 1);
		start(&p, vm.mem_fd, 0, SIZE);
		guest_vm_destroy(&vm);
		stop(&p, "dying VM");
	}
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
	dying_vms(rounds);
	return vm_test_end();
}
