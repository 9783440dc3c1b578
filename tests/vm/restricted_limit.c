// SPDX-License-Identifier: GPL-2.0
/*
 * RLIMIT_MEMLOCK bounds what somebody without CAP_IPC_LOCK has in restricted
 * files, all files of a user together; what leaves them can be had again. And a
 * memory cgroup is charged for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asi_stats.h"
#include "restricted.h"
#include "vm_test.h"

#define PAGE		4096UL
#define LARGE		(2UL << 20)
#define GUEST		(16UL << 20)
#define FRESH		((GUEST - GUEST_FRESH) / PAGE)
#define LIMIT		64		/* pages */
#define CGROUP		"/sys/fs/cgroup"
#define GROUP		CGROUP "/restricted"
#define CHARGED		(8L << 20)
#define SLACK		(1L << 20)	/* what CPUs have in stock, and others */

/* Root without the one capability: the rest of the test needs the others. */
static void set_ipc_lock(bool on)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		die("capget");
	data[0].effective &= ~(1U << CAP_IPC_LOCK);
	data[0].effective |= (unsigned int)on << CAP_IPC_LOCK;
	if (syscall(SYS_capset, &head, data))
		die("capset");
}

static void set_limit(size_t size)
{
	struct rlimit limit = { .rlim_cur = size, .rlim_max = RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		die("setrlimit");
}

static void allocates(int fd, size_t offset, size_t pages, int expected,
		      const char *what)
{
	int err = restricted_allocate(fd, offset, pages * PAGE);

	check(err == expected, "%s: %s", what, strerror(-err));
}

static void small_pages(void)
{
	int a = restricted_open_sized(0, LARGE);
	int b = restricted_open_sized(0, LARGE);

	allocates(a, 0, LIMIT, 0, "up to the limit");
	allocates(a, 0, LIMIT, 0, "the same again");
	allocates(a, LIMIT * PAGE, 1, -ENOMEM, "one more");
	check(restricted_pages(a) == LIMIT, "%ld pages", restricted_pages(a));
	allocates(b, 0, 1, -ENOMEM, "one in another file");
	check(!restricted_punch(a, 0, 3 * PAGE), "three leave");
	allocates(b, 0, 3, 0, "three in the other file");
	allocates(a, 0, 1, -ENOMEM, "and no more");
	/* The limit is the one that was in force when the file was made. */
	set_limit(LARGE);
	allocates(a, 0, 1, -ENOMEM, "a higher limit comes too late");
	close(b);
	allocates(a, 0, 3, 0, "a file goes, and three come back");
	set_limit(LIMIT * PAGE);
	close(a);
	a = restricted_open_sized(0, LARGE);
	allocates(a, 0, LIMIT + 1, -ENOMEM, "as before, one more");
	check(restricted_pages(a) == LIMIT, "nothing is left of what went");
	close(a);
}

/* Where a large page is too much, small ones may do. */
static void large_pages(void)
{
	int fd = restricted_open_sized(RMFD_HUGEPAGE, 2 * LARGE);

	allocates(fd, 0, 1, 0, "a small page for a large one");
	check(restricted_pages(fd) == 1, "%ld pages", restricted_pages(fd));
	close(fd);
	set_limit(LARGE + 8 * PAGE);
	fd = restricted_open_sized(RMFD_HUGEPAGE, 2 * LARGE);
	allocates(fd, 0, LARGE / PAGE + 9, -ENOMEM, "a large page and nine");
	check(restricted_pages(fd) == LARGE / PAGE + 8, "eight: %ld pages",
	      restricted_pages(fd));
	/* A page of a large one counts for itself when that is split. */
	restricted_punch(fd, PAGE, PAGE);
	allocates(fd, LARGE, 9, 0, "one leaves the large page");
	close(fd);
}

/* A guest that goes past it stops there; more memory lets it go on. */
static void guest(void)
{
	const uint32_t all = FRESH * (FRESH + 1) / 2;
	struct guest_vm vm;
	long held;
	int err;

	set_limit(GUEST / 2);
	if (guest_vm_create_restricted(&vm, 1, GUEST, 0))
		die("create a VM");
	err = guest_vcpu_do(&vm.vcpu[0], guest_payload("fill"), FRESH);
	held = restricted_pages(vm.mem_fd);
	check(err == -ENOMEM, "the guest stops: %s", strerror(-err));
	check(vm.vcpu[0].run->exit_reason == KVM_EXIT_MEMORY_FAULT, "exit %u",
	      vm.vcpu[0].run->exit_reason);
	check(held == (long)(GUEST / 2 / PAGE), "with %ld pages", held);
	guest_vm_destroy(&vm);

	set_ipc_lock(true);
	if (guest_vm_create_restricted(&vm, 1, GUEST, 0))
		die("create a VM");
	set_ipc_lock(false);
	run_payload(&vm.vcpu[0], "fill", FRESH);
	run_payload(&vm.vcpu[0], "sum", FRESH);
	check(guest_vcpu_told(&vm.vcpu[0]) == all,
	      "a file made with CAP_IPC_LOCK has no limit");
	guest_vm_destroy(&vm);
}

static long charged(void)
{
	char text[32];

	return read_text(GROUP "/memory.current", text, sizeof(text)) ?
	       atol(text) : -1;
}

static bool join(const char *group)
{
	char path[64], pid[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(pid, sizeof(pid), "%d", getpid());
	return !write_text(path, pid);
}

static void cgroup(unsigned int flags, const char *what)
{
	int fd = restricted_open_sized(flags, CHARGED);
	long before, with, after;

	write_text(CGROUP "/cgroup.subtree_control", "+memory");
	mkdir(GROUP, 0755);
	if (charged() < 0 || !join(GROUP)) {
		note("no memory cgroups here");
		close(fd);
		return;
	}
	before = charged();
	allocates(fd, 0, CHARGED / PAGE, 0, what);
	with = charged();
	restricted_punch(fd, 0, CHARGED);
	after = charged();
	check(with - before >= CHARGED - SLACK && with - before < CHARGED + SLACK,
	      "%s: the cgroup has %ld KiB more", what, (with - before) >> 10);
	check(labs(after - before) < SLACK, "%s: and gets them back: %ld KiB",
	      what, (after - before) >> 10);
	join(CGROUP);
	rmdir(GROUP);
	close(fd);
}

int main(void)
{
	if (!restricted_supported())
		skip("no memfd_restricted");
	vm_test_begin();
	cgroup(0, "4K");
	cgroup(RMFD_HUGEPAGE, "2M");
	set_limit(LIMIT * PAGE);
	set_ipc_lock(false);
	small_pages();
	large_pages();
	guest();
	set_ipc_lock(true);
	return vm_test_end();
}
