// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of page table operations, held against the oracle after each
 * one and against the processor's view after each store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <asm/page.h>
#include <linux/errno.h>

#include "arena.h"
#include "flat.h"
#include "walker.h"

#define NR_FOREIGN	3
#define FOREIGN_INDEX	1	/* where a foreign table has its only entry */

#define REQUIRE(condition)						\
do {									\
	if (!(condition))						\
		give_up(__LINE__, #condition);				\
} while (0)

struct input {
	const u8 *data;
	size_t left;
};

struct fuzz {
	struct input in;
	struct asi_pt pt;
	struct flat flat;
	u64 *foreign[NR_FOREIGN];
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void give_up(int line, const char *condition)
{
	fprintf(stderr, "fuzz_pgtable: line %d: %s\n", line, condition);
	abort();
}

static unsigned int take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

/* One of four entries in each table: few enough that operations meet. */
static unsigned long take_address(struct fuzz *f, int level)
{
	static const unsigned long index[] = { 0, 1, 2, 511 };
	unsigned int bits = take(&f->in) | take(&f->in) << 8;
	unsigned long va = 0;
	int l;

	for (l = f->pt.levels; l >= level; l--, bits >>= 2)
		va |= index[bits & 3] << (12 + 9 * (l - 1));
	l = 64 - (12 + 9 * f->pt.levels);
	return (long)(va << l) >> l;
}

static u64 foreign_leaf(unsigned int n)
{
	return ASI_PTE_PRESENT | ASI_PTE_LEAF | (n & 1 ? ASI_PTE_WRITE : 0) |
	       (n & 2 ? ASI_PTE_NX : 0) | (u64)n << 30;
}

static u64 take_entry(struct fuzz *f, int level, bool shared)
{
	unsigned int bits = take(&f->in);
	u64 entry = ASI_PTE_PRESENT;

	if (shared)
		return __pa(f->foreign[bits % NR_FOREIGN]) |
		       ASI_PT_TABLE_FLAGS | ASI_PTE_SHARED;
	if (level > ASI_PT_4K)
		entry |= ASI_PTE_LEAF | (bits & 1 ? ASI_PTE_PAT_LARGE : 0);
	else if (bits & 1)
		entry |= ASI_PTE_PAT_4K;
	if (bits & 2)
		entry |= ASI_PTE_WRITE;
	if (bits & 4)
		entry |= ASI_PTE_NX;
	/* In a leaf this bit means nothing to us. */
	if (bits & 8)
		entry |= ASI_PTE_SHARED;
	return entry | (u64)(bits >> 4) << (12 + 9 * (level - 1));
}

static void set(struct fuzz *f, bool shared)
{
	unsigned int what = take(&f->in);
	/* The entry in a foreign table is none that level 4 could have. */
	int level = shared ? ASI_PT_2M + what % 3 : ASI_PT_4K + what % 3;
	unsigned long va = take_address(f, level);
	u64 entry = take_entry(f, level, shared);
	unsigned int pages = what & 0x80 ? (what >> 4) & 7 : 8;
	unsigned int left = pages;
	void *spare = NULL;
	int err;

	for (;;) {
		err = asi_pt_set(&f->pt, va, level, entry, &spare);
		if (err != -EAGAIN || !left)
			break;
		REQUIRE(!spare);
		spare = arena_alloc(ARENA_OWNED);
		REQUIRE(spare);
		left--;
		walker_resync();
	}
	REQUIRE(!spare);
	REQUIRE(flat_set(&f->flat, va, level, entry, &pages) == err);
	REQUIRE(pages == left);
}

static void clear(struct fuzz *f, bool shared)
{
	unsigned int what = take(&f->in);
	unsigned long from = take_address(f, ASI_PT_4K);
	unsigned long to = from + (asi_pt_size(1 + what % 4) << (what >> 6));
	unsigned long half = 1UL << (12 + 9 * f->pt.levels - 1);
	unsigned long removed;

	if (what & 4)
		from += 0x234;
	if (what & 8)
		to -= 0xabc;
	if (what & 16)
		to = take_address(f, ASI_PT_4K);
	/* A range stays in its half; an end of 0 is that of everything. */
	if ((long)from < 0)
		to = (long)to < 0 ? to : 0;
	else if (to > half || !to)
		to = half;

	if (shared) {
		asi_pt_unshare(&f->pt, from, to);
		flat_clear(&f->flat, from, to, true);
		return;
	}
	removed = asi_pt_clear(&f->pt, from, to);
	REQUIRE(removed == flat_clear(&f->flat, from, to, false));
}

/* What a foreign table says about @va; .entry is 0 for nothing. */
static struct asi_pt_leaf below_shared(const struct flat_mapping *m,
				       unsigned long va)
{
	const u64 *table = __va(m->entry & ASI_PTE_ADDR);
	struct asi_pt_leaf leaf = { .level = m->level - 1 };

	leaf.entry = table[asi_pt_index(va, leaf.level)];
	leaf.write = leaf.entry & ASI_PTE_WRITE;
	leaf.exec = !(leaf.entry & ASI_PTE_NX);
	return leaf;
}

/* A smaller leaf maps the same memory with the same cache type. */
static void narrow(struct fuzz *f, const struct flat_mapping *m,
		   unsigned long va)
{
	int to = ASI_PT_4K + take(&f->in) % m->level;
	u64 narrow = asi_pte_narrow(m->entry, m->level, to, va);
	u64 pat = m->level == ASI_PT_4K ? ASI_PTE_PAT_4K : ASI_PTE_PAT_LARGE;
	u64 small = to == ASI_PT_4K ? ASI_PTE_PAT_4K : ASI_PTE_PAT_LARGE;
	unsigned long offset = va - m->va;

	REQUIRE(asi_pte_leaf(narrow, to));
	REQUIRE(asi_pte_phys(narrow, to) == asi_pte_phys(m->entry, m->level) +
		offset - offset % asi_pt_size(to));
	REQUIRE(!(narrow & small) == !(m->entry & pat));
	REQUIRE(!((narrow ^ m->entry) & ~(ASI_PTE_ADDR | ASI_PTE_LEAF)));
}

static void lookup(struct fuzz *f)
{
	unsigned long va = take_address(f, ASI_PT_4K) + take(&f->in) * 16;
	const struct flat_mapping *m = flat_find(&f->flat, va);
	struct asi_pt_leaf expected = { .level = flat_depth(&f->flat, va) };
	struct asi_pt_leaf leaf = asi_pt_lookup(f->pt.root, f->pt.levels, va);

	if (m && asi_pte_leaf(m->entry, m->level))
		expected = (struct asi_pt_leaf) {
			m->entry, m->level, m->entry & ASI_PTE_WRITE,
			!(m->entry & ASI_PTE_NX) };
	else if (m)
		expected = below_shared(m, va);

	REQUIRE(leaf.entry == expected.entry);
	REQUIRE(leaf.level == expected.level);
	if (leaf.entry) {
		REQUIRE(leaf.write == expected.write);
		REQUIRE(leaf.exec == expected.exec);
	}
	if (m)
		REQUIRE(asi_pt_entry(f->pt.root, f->pt.levels, va, m->level) ==
			m->entry);
	if (m && asi_pte_leaf(m->entry, m->level))
		narrow(f, m, va);
}

struct check {
	struct asi_pt_visitor v;
	struct fuzz *f;
	unsigned int seen;
	unsigned long next;	/* nothing below may come any more */
};

static void check_mapping(struct check *c, unsigned long va, u64 entry,
			  int level)
{
	const struct flat_mapping *m = flat_find(&c->f->flat, va);

	REQUIRE(m && m->va == va && m->level == level && m->entry == entry);
	REQUIRE(!c->seen || va >= c->next);
	c->next = va + asi_pt_size(level);
	c->seen++;
}

static void check_leaf(struct asi_pt_visitor *v, unsigned long va,
		       const struct asi_pt_leaf *leaf)
{
	check_mapping((struct check *)v, va, leaf->entry, leaf->level);
	REQUIRE(leaf->write == !!(leaf->entry & ASI_PTE_WRITE));
	REQUIRE(leaf->exec == !(leaf->entry & ASI_PTE_NX));
}

static bool check_enter(struct asi_pt_visitor *v, unsigned long va, u64 entry,
			int level)
{
	if (!(entry & ASI_PTE_SHARED))
		return true;
	check_mapping((struct check *)v, va, entry, level);
	return false;
}

static void check_all(struct fuzz *f)
{
	struct check c = { .v = { check_leaf, check_enter }, .f = f };

	asi_pt_walk(f->pt.root, f->pt.levels, &c.v);
	REQUIRE(c.seen == f->flat.nr_mappings);
	REQUIRE(f->pt.nr_tables == f->flat.nr_tables);
	REQUIRE(f->pt.nr_tables == walker_tables());
	REQUIRE(arena_count(ARENA_OWNED) == f->pt.nr_tables + 1);
	if (walker_error())
		give_up(__LINE__, walker_error());
}

static void free_all(struct fuzz *f)
{
	walker_ignore();
	asi_pt_free(&f->pt, arena_free);
	REQUIRE(!f->pt.nr_tables && arena_count(ARENA_OWNED) == 1);
	REQUIRE(arena_count(ARENA_FOREIGN) == NR_FOREIGN);
	f->flat.nr_tables = 0;
	f->flat.nr_mappings = 0;
	walker_watch(&f->pt);
}

static void step(struct fuzz *f)
{
	unsigned int op = take(&f->in);

	if (arena_count(ARENA_OWNED) > ARENA_PAGES - 16)
		free_all(f);
	switch (op % 8) {
	case 0:
	case 1:
	case 2:
		set(f, false);
		break;
	case 3:
		set(f, true);
		break;
	case 4:
		clear(f, false);
		break;
	case 5:
		clear(f, true);
		break;
	case 6:
		lookup(f);
		break;
	default:
		if (op == 255)
			free_all(f);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct fuzz f;
	unsigned int i;

	f = (struct fuzz) { .in = { data, size } };
	arena_reset();
	f.pt.levels = 4 + (take(&f.in) & 1);
	f.flat.levels = f.pt.levels;
	f.pt.root = arena_alloc(ARENA_OWNED);
	for (i = 0; i < NR_FOREIGN; i++) {
		f.foreign[i] = arena_alloc(ARENA_FOREIGN);
		f.foreign[i][FOREIGN_INDEX] = foreign_leaf(i);
	}
	walker_watch(&f.pt);
	while (f.in.left) {
		step(&f);
		check_all(&f);
	}
	for (i = 0; i < NR_FOREIGN; i++)
		REQUIRE(f.foreign[i][FOREIGN_INDEX] == foreign_leaf(i));
	free_all(&f);
	walker_ignore();
	return 0;
}
