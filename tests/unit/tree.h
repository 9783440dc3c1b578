/* SPDX-License-Identifier: GPL-2.0-only */
/* A restricted tree in the arena, under the eyes of the walker. */
#ifndef _UNIT_TREE_H
#define _UNIT_TREE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <asm/page.h>
#include <linux/bug.h>
#include <linux/errno.h>

#include "arena.h"
#include "walker.h"

/* The last address of all. */
#define TOP	(~0UL)

/* Like kernel memory: readable and writable data. */
#define DATA	(ASI_PTE_PRESENT | ASI_PTE_WRITE | ASI_PTE_ACCESSED | \
		 ASI_PTE_DIRTY | ASI_PTE_NX)

struct tree {
	struct asi_pt pt;
	unsigned int spares;	/* pages consumed by tree_set() */
};

/* Each test runs on a tree of 4 levels and on one of 5. */
#define TREE_TEST(test) \
	{ #test "/4", test, tree_setup, tree_teardown, (void *)4L }, \
	{ #test "/5", test, tree_setup, tree_teardown, (void *)5L }

int tree_setup(void **state);
int tree_teardown(void **state);

/* asi_pt_set() as the kernel calls it; -ENOMEM when the arena has no page. */
int tree_set(struct tree *t, unsigned long va, int level, u64 entry);

/* An empty tree again; every page that the old one had must have come back. */
void tree_restart(struct tree *t);

/* Fails the test unless the walker is content and no table is lost. */
void tree_check(struct tree *t);

/* Sum over every entry of the tree: equal when nothing has changed. */
u64 tree_sum(struct tree *t);

/* A leaf at @level for frame number @n of that size. */
u64 tree_leaf(int level, unsigned long n);

/* An entry that shares a table of the full tables. */
u64 tree_shared(void);

/* One or the other; @level and @n are for a leaf. */
u64 tree_mapping(bool shared, int level, unsigned long n);

/* Start of the kernel's half. */
unsigned long tree_kernel(const struct tree *t);

#endif /* _UNIT_TREE_H */
