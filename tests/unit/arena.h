/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical memory of the tests: a few pages, each of which knows what it is.
 *
 * Physical addresses have high bits set, so that a mask which cuts them shows.
 * A free page is poisoned: under AddressSanitizer any access to it is an error.
 */
#ifndef _UNIT_ARENA_H
#define _UNIT_ARENA_H

#include <linux/types.h>

#define ARENA_PAGES	96
#define ARENA_PHYS	0x000a500000000000ULL

enum arena_kind {
	ARENA_FREE,
	ARENA_OWNED,	/* by the tree under test, or on its way there */
	ARENA_FOREIGN,	/* a table of the full tables */
};

void arena_reset(void);
void *arena_alloc(enum arena_kind kind);
void arena_free(void *page);

enum arena_kind arena_kind(u64 phys);
unsigned int arena_count(enum arena_kind kind);
unsigned int arena_index(const volatile void *where);
void *arena_page(unsigned int index);

/* The next @n allocations succeed, the others do not. */
void arena_limit(unsigned int n);

#endif /* _UNIT_ARENA_H */
