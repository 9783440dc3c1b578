// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a guest that fails: the guest stops where it touches it, nobody is
 * killed, the rest of the file stays what it is, and a hole makes the place
 * usable again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "restricted.h"
#include "vm_test.h"

#define PAGE		4096UL
#define SIZE		(16UL << 20)
#define FRESH		((SIZE - GUEST_FRESH) / PAGE)
#define FRAMES		(1UL << 19)	/* looked at: 2 GiB */

#define HWPOISON	"/sys/kernel/debug/hwpoison/"
#define SOFT_OFFLINE	"/sys/devices/system/memory/soft_offline_page"

/* Bits of /proc/kpageflags. */
#define LRU		(1ULL << 5)
#define UNEVICTABLE	(1ULL << 18)

static uint64_t before[FRAMES], after[FRAMES];

static size_t snapshot(uint64_t *flags)
{
	int fd = open("/proc/kpageflags", O_RDONLY);
	ssize_t len, all = 0;

	while ((len = read(fd, (char *)flags + all,
			   FRAMES * sizeof(*flags) - all)) > 0)
		all += len;
	close(fd);
	return all / sizeof(*flags);
}

static int write_number(const char *path, uint64_t number)
{
	char text[32];
	int fd = open(path, O_WRONLY), err = 0;

	snprintf(text, sizeof(text), "%#lx", number);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static uint32_t told(struct guest_vcpu *vcpu, const char *payload,
		     uint64_t rounds)
{
	run_payload(vcpu, payload, rounds);
	return guest_vcpu_told(vcpu);
}

/* A page frame that became the guest's between the two looks, or 0. */
static uint64_t find_frame(size_t nr)
{
	const uint64_t ours = LRU | UNEVICTABLE;
	size_t i, found = 0;

	for (i = 0; i < nr; i++) {
		if ((after[i] & ours) != ours || (before[i] & UNEVICTABLE))
			continue;
		/* Not the first: those may be somebody else's. */
		if (++found == 700)
			return i;
	}
	return 0;
}

static uint64_t fill(struct guest_vm *vm)
{
	snapshot(before);
	told(&vm->vcpu[0], "fill", FRESH);
	return find_frame(snapshot(after));
}

/* Where the guest stopped, as KVM tells it. */
static uint64_t stopped_at(struct guest_vcpu *vcpu, const char *what)
{
	uint64_t *fault = (uint64_t *)&vcpu->run->hw;
	int err = guest_vcpu_do(vcpu, guest_payload("sum"), FRESH);

	check(err == -EHWPOISON, "%s: the guest stops: %s", what,
	      strerror(-err));
	check(vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT,
	      "%s: exit %u", what, vcpu->run->exit_reason);
	check(fault[1] >= GUEST_FRESH && fault[1] < SIZE && fault[2] == PAGE,
	      "%s: at %#lx, %lu bytes", what, fault[1], fault[2]);
	return fault[1];
}

static void hard(unsigned int flags, const char *what)
{
	const uint32_t all = FRESH * (FRESH + 1) / 2;
	uint64_t frame, where;
	struct guest_vm vm;
	long pages;
	int err;

	if (guest_vm_create_restricted(&vm, 1, SIZE, flags))
		die("create a VM");
	frame = fill(&vm);
	if (!check(frame, "%s: a frame of the guest's", what))
		goto out;
	pages = restricted_pages(vm.mem_fd);
	err = write_number(HWPOISON "corrupt-pfn", frame);
	check(!err, "%s: frame %#lx fails: %s", what, frame, strerror(-err));
	check(restricted_pages(vm.mem_fd) == pages - 1,
	      "%s: one page left the file", what);
	where = stopped_at(&vm.vcpu[0], what);
	check(!restricted_punch(vm.mem_fd, where, PAGE), "%s: a hole", what);
	check(told(&vm.vcpu[0], "sum", FRESH) ==
	      all - ((where - GUEST_FRESH) / PAGE + 1),
	      "%s: it goes on, with zeroes there", what);
	write_number(HWPOISON "unpoison-pfn", frame);
out:
	guest_vm_destroy(&vm);
}

/* The page cannot move, so it stays in use, and nothing is lost. */
static void soft(void)
{
	const uint32_t all = FRESH * (FRESH + 1) / 2;
	struct guest_vm vm;
	uint64_t frame;
	int err;

	if (guest_vm_create_restricted(&vm, 1, SIZE, 0))
		die("create a VM");
	frame = fill(&vm);
	err = write_number(SOFT_OFFLINE, frame * PAGE);
	check(frame && err, "soft offline is refused: %s", strerror(-err));
	check(told(&vm.vcpu[0], "sum", FRESH) == all, "nothing is lost");
	guest_vm_destroy(&vm);
}

int main(void)
{
	if (!restricted_supported())
		skip("no memfd_restricted");
	if (access(HWPOISON "corrupt-pfn", W_OK))
		skip("memory cannot be made to fail");
	vm_test_begin();
	hard(0, "4K");
	hard(RMFD_HUGEPAGE, "2M");
	soft();
	return vm_test_end();
}
