// SPDX-License-Identifier: GPL-2.0
/*
 * page_moves [ROUNDS]: memory of running guests is moved from node to node and
 * back, page by page and with all of the VMM, and compacted in between. What a
 * guest counts must not suffer. Needs a second node: numa=fake=2.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm_test.h"

#define ROUNDS		20
#define PAGE_SIZE	4096
#define NR_PAGES	(GUEST_MEM_SIZE / PAGE_SIZE)
#define MOVE		2	/* MPOL_MF_MOVE */

static struct busy_vm busy;
static struct guest_vm vm;

/* Returns how many pages of the guest are on @node afterwards. */
static unsigned int move_to(struct guest_vm *moved, int node)
{
	static void *pages[NR_PAGES];
	static int nodes[NR_PAGES], status[NR_PAGES];
	unsigned int i, there = 0;

	for (i = 0; i < NR_PAGES; i++) {
		pages[i] = moved->mem + i * PAGE_SIZE;
		nodes[i] = node;
		status[i] = -EINVAL;
	}
	syscall(SYS_move_pages, 0, NR_PAGES, pages, nodes, status, MOVE);
	for (i = 0; i < NR_PAGES; i++)
		there += status[i] == node;
	return there;
}

/* Everything of this process that is on the other node, stacks included. */
static void all_to(int node)
{
	unsigned long from = 1UL << !node, to = 1UL << node;
	long left = syscall(SYS_migrate_pages, 0, 8 * sizeof(from), &from, &to);

	check(left >= 0, "the VMM moved to node %d, %ld pages could not", node,
	      left);
}

static unsigned int one_round(int node)
{
	unsigned int moved = move_to(&busy.vm, node) + move_to(&vm, node);

	counts_right(&vm.vcpu[0], 1000);
	write_text("/proc/sys/vm/compact_memory", "1");
	all_to(!node);
	counts_right(&vm.vcpu[0], 1000);
	busy_vm_runs(&busy, "while its pages move");
	return moved;
}

int main(int argc, char **argv)
{
	int i, rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
	unsigned int moved = 0;

	if (access("/sys/devices/system/node/node1", F_OK))
		skip("there is but one node of memory");
	vm_test_begin();
	must_create(&vm, 1);
	guest_vm_touch_memory(&vm);
	busy_vm_start(&busy, 2, "mix");
	for (i = 0; i < rounds; i++)
		moved += one_round(i % 2);
	check(moved >= rounds * NR_PAGES / 2, "%u pages moved in %d rounds", moved,
	      rounds);
	busy_vm_stop(&busy);
	guest_vm_destroy(&vm);
	return vm_test_end();
}
