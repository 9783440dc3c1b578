// SPDX-License-Identifier: GPL-2.0
/*
 * Where the pages of a restricted file come from: the memory policy that its
 * maker had, or without one, that of whoever has them allocated. Needs a second
 * node: numa=fake=2.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asi_stats.h"
#include "restricted.h"
#include "vm_test.h"

#define LARGE		(2UL << 20)
#define SIZE		(8 * LARGE)
#define PAGES		((long)(SIZE / 4096))
#define SLACK		64	/* pages of others that come or go */

static void set_policy(int mode, unsigned long nodes)
{
	if (syscall(SYS_set_mempolicy, mode, &nodes, 8 * sizeof(nodes)))
		die("set_mempolicy");
}

/* Pages on @node that cannot be reclaimed: ours, and few others. */
static long pages_on(int node)
{
	char path[64], text[8192];
	const char *at;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/vmstat",
		 node);
	if (!read_text(path, text, sizeof(text)))
		return -1;
	at = strstr(text, "nr_unevictable ");
	return at ? atol(at + strlen("nr_unevictable ")) : -1;
}

static bool near(long pages, long expected)
{
	return labs(pages - expected) <= SLACK;
}

/* Allocates all of @fd and tells how many pages came from nodes 0 and 1. */
static void allocate(int fd, long expected[2], const char *what)
{
	long before[2] = { pages_on(0), pages_on(1) }, got[2];
	int err = restricted_allocate(fd, 0, SIZE);

	got[0] = pages_on(0) - before[0];
	got[1] = pages_on(1) - before[1];
	check(!err && near(got[0], expected[0]) && near(got[1], expected[1]),
	      "%s: %ld pages of node 0, %ld of node 1", what, got[0], got[1]);
	close(fd);
}

static int sized(unsigned int flags)
{
	int fd = restricted_open_sized(flags, SIZE);

	if (fd < 0)
		die("memfd_restricted");
	return fd;
}

/* The policy of the file counts, whatever the allocating thread's is. */
static void of_the_maker(unsigned int flags)
{
	int zero, one, both;

	set_policy(MPOL_BIND, 1);
	zero = sized(flags);
	set_policy(MPOL_BIND, 2);
	one = sized(flags);
	set_policy(MPOL_INTERLEAVE, 3);
	both = sized(flags);
	set_policy(MPOL_BIND, 2);
	allocate(zero, (long [2]){ PAGES, 0 }, "bound to node 0");
	set_policy(MPOL_BIND, 1);
	allocate(one, (long [2]){ 0, PAGES }, "bound to node 1");
	allocate(both, (long [2]){ PAGES / 2, PAGES / 2 }, "in turns");
	set_policy(MPOL_DEFAULT, 0);
}

static void of_the_allocator(unsigned int flags)
{
	int a = sized(flags), b = sized(flags);

	set_policy(MPOL_BIND, 1);
	allocate(a, (long [2]){ PAGES, 0 }, "no policy, thread on node 0");
	set_policy(MPOL_BIND, 2);
	allocate(b, (long [2]){ 0, PAGES }, "no policy, thread on node 1");
	set_policy(MPOL_DEFAULT, 0);
}

/* The same for pages that a guest touches first, on a thread with another policy. */
static void of_the_guest(unsigned int flags)
{
	long before[2] = { pages_on(0), pages_on(1) }, got[2], pages;
	struct guest_vm vm;

	set_policy(MPOL_BIND, 2);
	if (guest_vm_create_restricted(&vm, 1, SIZE, flags))
		die("create a VM");
	set_policy(MPOL_BIND, 1);
	run_payload(&vm.vcpu[0], "fill", (SIZE - GUEST_FRESH) / 4096);
	pages = restricted_pages(vm.mem_fd);
	got[0] = pages_on(0) - before[0];
	got[1] = pages_on(1) - before[1];
	check(pages > PAGES / 2 && near(got[0], 0) && near(got[1], pages),
	      "a guest's, bound to node 1: %ld pages of node 0, %ld of node 1",
	      got[0], got[1]);
	set_policy(MPOL_DEFAULT, 0);
	guest_vm_destroy(&vm);
}

int main(void)
{
	if (!restricted_supported())
		skip("no memfd_restricted");
	if (pages_on(1) < 0)
		skip("one node only");
	vm_test_begin();
	of_the_maker(0);
	of_the_maker(RMFD_HUGEPAGE);
	of_the_allocator(0);
	of_the_allocator(RMFD_HUGEPAGE);
	of_the_guest(0);
	of_the_guest(RMFD_HUGEPAGE);
	return vm_test_end();
}
