/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a page table is, said without a tree: a set of mappings and a set of
 * places where a table hangs. Slow and simple, to hold asi_pt_*() against.
 */
#ifndef _FUZZ_FLAT_H
#define _FUZZ_FLAT_H

#include "pgtable.h"

#define FLAT_MAX	512

/* Covers the size of @level from @va on; a shared table is a mapping, too. */
struct flat_mapping {
	unsigned long va;
	int level;
	u64 entry;
};

struct flat {
	int levels;
	struct flat_mapping mappings[FLAT_MAX];
	unsigned int nr_mappings;
	struct flat_mapping tables[FLAT_MAX];	/* by the entry that points there */
	unsigned int nr_tables;
};

/* The errors of asi_pt_set(), with *@pages spare ones. */
int flat_set(struct flat *f, unsigned long va, int level, u64 entry,
	     unsigned int *pages);
unsigned long flat_clear(struct flat *f, unsigned long va, unsigned long end,
			 bool shared);
const struct flat_mapping *flat_find(const struct flat *f, unsigned long va);

/* Where a lookup of @va ends that finds nothing. */
int flat_depth(const struct flat *f, unsigned long va);

#endif /* _FUZZ_FLAT_H */
