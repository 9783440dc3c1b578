// SPDX-License-Identifier: GPL-2.0-only
/* The oracle of the page table fuzzer. */
#include <stdlib.h>
#include <linux/errno.h>

#include "flat.h"

static unsigned long first_of(unsigned long va, int level)
{
	return va - va % asi_pt_size(level);
}

static unsigned long last_of(const struct flat_mapping *m)
{
	return m->va + (asi_pt_size(m->level) - 1);
}

static bool is_shared(const struct flat_mapping *m)
{
	return !asi_pte_leaf(m->entry, m->level);
}

const struct flat_mapping *flat_find(const struct flat *f, unsigned long va)
{
	unsigned int i;

	for (i = 0; i < f->nr_mappings; i++)
		if (va >= f->mappings[i].va && va <= last_of(&f->mappings[i]))
			return &f->mappings[i];
	return NULL;
}

static bool has_table(const struct flat *f, unsigned long va, int level)
{
	unsigned int i;

	for (i = 0; i < f->nr_tables; i++)
		if (f->tables[i].level == level &&
		    f->tables[i].va == first_of(va, level))
			return true;
	return false;
}

static void add(struct flat_mapping *to, unsigned int *nr, unsigned long va,
		int level, u64 entry)
{
	if (*nr == FLAT_MAX)
		abort();
	to[(*nr)++] = (struct flat_mapping) { va, level, entry };
}

int flat_set(struct flat *f, unsigned long va, int level, u64 entry,
	     unsigned int *pages)
{
	const struct flat_mapping *there = flat_find(f, va);
	int l;

	if (there && (there->level != level || there->entry != entry))
		return -EEXIST;
	if (there)
		return 0;
	if (has_table(f, va, level))
		return -EEXIST;

	for (l = f->levels; l > level; l--) {
		if (has_table(f, va, l))
			continue;
		if (!*pages)
			return -EAGAIN;
		--*pages;
		add(f->tables, &f->nr_tables, first_of(va, l), l, 0);
	}
	add(f->mappings, &f->nr_mappings, va, level, entry);
	return 0;
}

unsigned long flat_clear(struct flat *f, unsigned long va, unsigned long end,
			 bool shared)
{
	unsigned long removed = 0;
	unsigned int i = 0;

	while ((va < end || !end) && i < f->nr_mappings) {
		struct flat_mapping *m = &f->mappings[i];

		if ((end && m->va >= end) || last_of(m) < va || is_shared(m) != shared) {
			i++;
			continue;
		}
		*m = f->mappings[--f->nr_mappings];
		removed++;
	}
	return removed;
}

int flat_depth(const struct flat *f, unsigned long va)
{
	int l = f->levels;

	while (l > ASI_PT_4K && has_table(f, va, l))
		l--;
	return l;
}
