// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restricted page tables: look up, set, clear, walk and free.
 *
 * Also compiled in user space by the unit tests, over a shim for __va(),
 * __pa(), READ_ONCE() and WRITE_ONCE(). Implements "ASI page table allocation
 * and free functions" and "Functions to map/unmap a memory range into ASI page
 * tables" of the RFC.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/page.h>

#include "pgtable.h"

static u64 *table_of(u64 entry)
{
	return __va(entry & ASI_PTE_ADDR);
}

/**
 * asi_pte_phys - physical address of the first byte a leaf maps
 * @entry: a present leaf
 * @level: its level
 */
u64 asi_pte_phys(u64 entry, int level)
{
	return entry & ASI_PTE_ADDR & ~(u64)(asi_pt_size(level) - 1);
}

/**
 * asi_pte_narrow - the leaf of a smaller size that maps @va as @entry does
 * @entry: a present leaf at @level
 * @level: its level
 * @to: level of the result, at most @level
 * @va: an address that @entry maps
 *
 * The PAT bit lives elsewhere in a 4 KiB leaf than in a large one: carrying it
 * over wrongly would change the cache type and alias the page.
 */
u64 asi_pte_narrow(u64 entry, int level, int to, unsigned long va)
{
	unsigned long offset = va & (asi_pt_size(level) - 1) &
			       ~(asi_pt_size(to) - 1);
	u64 flags = entry & ~ASI_PTE_ADDR;
	u64 phys = asi_pte_phys(entry, level) + offset;

	if (level == to)
		return entry;
	if (to > ASI_PT_4K)
		return flags | phys | (entry & ASI_PTE_PAT_LARGE);

	flags &= ~ASI_PTE_LEAF;
	if (entry & ASI_PTE_PAT_LARGE)
		flags |= ASI_PTE_PAT_4K;
	return flags | phys;
}

/**
 * asi_pt_lookup - find what maps @va, and with which permissions
 * @root: any x86-64 root table, restricted or not
 * @levels: 4 or 5
 * @va: address
 *
 * Return: the leaf with the permissions of all levels combined; .entry is 0 if
 * @va is not mapped, .level then says where the walk ended.
 */
struct asi_pt_leaf asi_pt_lookup(const u64 *root, int levels, unsigned long va)
{
	struct asi_pt_leaf leaf = { .level = levels, .write = true, .exec = true };
	const u64 *table = root;

	for (;; leaf.level--) {
		u64 entry = READ_ONCE(table[asi_pt_index(va, leaf.level)]);

		if (!asi_pte_present(entry))
			return leaf;
		leaf.write &= !!(entry & ASI_PTE_WRITE);
		leaf.exec &= !(entry & ASI_PTE_NX);
		if (asi_pte_leaf(entry, leaf.level)) {
			leaf.entry = entry;
			return leaf;
		}
		table = table_of(entry);
	}
}

/**
 * asi_pt_entry - the raw entry for @va at @level
 * @root: any x86-64 root table
 * @levels: 4 or 5
 * @va: address
 * @level: which level's entry is wanted
 *
 * Return: the entry, present or not; 0 if no table exists there.
 */
u64 asi_pt_entry(const u64 *root, int levels, unsigned long va, int level)
{
	const u64 *table = root;
	u64 entry;
	int l;

	for (l = levels; ; l--) {
		entry = READ_ONCE(table[asi_pt_index(va, l)]);
		if (l == level)
			return entry;
		if (!asi_pte_present(entry) || asi_pte_leaf(entry, l))
			return 0;
		table = table_of(entry);
	}
}

/* Hang the zeroed page *@spare below @slot; the hardware may walk it at once. */
static void hang_table(struct asi_pt *pt, u64 *slot, void **spare)
{
	WRITE_ONCE(*slot, __pa(*spare) | ASI_PT_TABLE_FLAGS);
	*spare = NULL;
	pt->nr_tables++;
}

/**
 * asi_pt_set - install @entry for @va at @level
 * @pt: tree
 * @va: address, aligned to the size of @level
 * @level: level of the entry
 * @entry: a leaf, or a table of the full tables with ASI_PTE_SHARED
 * @spare: a zeroed page for a missing table, consumed and set to NULL if used
 *
 * Return: 0; -EAGAIN if a table is missing and *@spare is NULL: call again with
 * another page; -EEXIST if a different mapping is in the way.
 */
int asi_pt_set(struct asi_pt *pt, unsigned long va, int level, u64 entry,
	       void **spare)
{
	u64 *table = pt->root;
	u64 *slot;
	int l;

	for (l = pt->levels; l > level; l--) {
		slot = &table[asi_pt_index(va, l)];
		if (!asi_pte_present(*slot) && !*spare)
			return -EAGAIN;
		if (!asi_pte_present(*slot))
			hang_table(pt, slot, spare);
		else if (asi_pte_leaf(*slot, l) || (*slot & ASI_PTE_SHARED))
			return -EEXIST;
		table = table_of(*slot);
	}

	slot = &table[asi_pt_index(va, level)];
	if (asi_pte_present(*slot) && *slot != entry)
		return -EEXIST;
	WRITE_ONCE(*slot, entry);
	return 0;
}

/* Where the present entry for @va is, or NULL; *@level is where that was. */
static u64 *find_slot(const struct asi_pt *pt, unsigned long va, int *level)
{
	u64 *table = pt->root;
	u64 *slot;

	for (*level = pt->levels; ; (*level)--) {
		slot = &table[asi_pt_index(va, *level)];
		if (!asi_pte_present(*slot))
			return NULL;
		if (asi_pte_leaf(*slot, *level) || (*slot & ASI_PTE_SHARED))
			return slot;
		table = table_of(*slot);
	}
}

/**
 * asi_pt_shared_entry - the entry that leads from a tree to a shared table
 * @pt: tree
 * @va: address
 * @level: where that entry is, on success
 *
 * Return: the entry, or 0 if no shared table maps @va.
 */
u64 asi_pt_shared_entry(const struct asi_pt *pt, unsigned long va, int *level)
{
	const u64 *slot = find_slot(pt, va, level);

	return slot && asi_pte_shared(*slot, *level) ? *slot : 0;
}

/**
 * asi_pt_update - replace what maps @va
 * @pt: tree
 * @va: address, aligned to the size of @level
 * @level: level of the entry
 * @entry: as for asi_pt_set(), or 0
 *
 * What is not mapped stays so. At no time is there neither entry, so that who
 * needs the mapping to handle a fault may use it meanwhile.
 *
 * Return: false if a table of this tree is there, with smaller leaves.
 */
bool asi_pt_update(struct asi_pt *pt, unsigned long va, int level, u64 entry)
{
	u64 *slot;
	int at;

	slot = find_slot(pt, va, &at);
	if (at < level)
		return false;
	if (slot && at == level)
		WRITE_ONCE(*slot, entry);
	return true;
}

/* Take away what touches [@va, @end): leaves, or shared entries, never both. */
static unsigned long clear_slots(struct asi_pt *pt, unsigned long va,
				 unsigned long end, bool shared)
{
	unsigned long removed = 0;
	unsigned long next;
	u64 *slot;
	int level;

	for (; va < end || !end; va = next) {
		slot = find_slot(pt, va, &level);
		next = (va & ~(asi_pt_size(level) - 1)) + asi_pt_size(level);
		if (slot && asi_pte_shared(*slot, level) == shared) {
			WRITE_ONCE(*slot, 0);
			removed++;
		}
		if (!next)
			break;
	}
	return removed;
}

/**
 * asi_pt_clear - remove every leaf that touches [@va, @end)
 * @pt: tree
 * @va: first address
 * @end: one past the last address; 0 for the end of the address space
 *
 * A leaf that straddles an edge goes as a whole: to map too little costs an
 * exit, and clearing must not need memory. Tables stay until asi_pt_free(), so
 * the caller has only translations to flush, and shared entries are left alone.
 *
 * Return: number of leaves removed.
 */
unsigned long asi_pt_clear(struct asi_pt *pt, unsigned long va,
			   unsigned long end)
{
	return clear_slots(pt, va, end, false);
}

/**
 * asi_pt_unshare - remove every shared entry that touches [@va, @end)
 * @pt: tree
 * @va: first address
 * @end: one past the last address; 0 for the end of the address space
 *
 * For when the full tables are about to free what is below.
 */
void asi_pt_unshare(struct asi_pt *pt, unsigned long va, unsigned long end)
{
	clear_slots(pt, va, end, true);
}

static void free_below(u64 *table, int level, void (*free_table)(void *table))
{
	int i;

	for (i = 0; i < 512; i++) {
		u64 entry = table[i];

		if (!asi_pte_present(entry) || asi_pte_leaf(entry, level) ||
		    (entry & ASI_PTE_SHARED))
			continue;
		if (level > ASI_PT_2M)
			free_below(table_of(entry), level - 1, free_table);
		free_table(table_of(entry));
	}
}

/**
 * asi_pt_free - free every table this tree owns, except the root
 * @pt: tree that no CPU walks any more, not even speculatively
 * @free_table: takes one table
 */
void asi_pt_free(struct asi_pt *pt, void (*free_table)(void *table))
{
	free_below(pt->root, pt->levels, free_table);
	memset(pt->root, 0, PAGE_SIZE);
	pt->nr_tables = 0;
}

/* Sign-extend what the indices of the walk add up to. */
static unsigned long canonical(unsigned long va, int levels)
{
	int shift = 64 - (12 + 9 * levels);

	return (unsigned long)((long)(va << shift) >> shift);
}

struct walk {
	struct asi_pt_visitor *v;
	int levels;
};

static void walk_table(const struct walk *w, const u64 *table,
		       unsigned long base, struct asi_pt_leaf at)
{
	int i;

	for (i = 0; i < 512; i++) {
		u64 entry = READ_ONCE(table[i]);
		unsigned long va = base + i * asi_pt_size(at.level);
		struct asi_pt_leaf l = at;

		if (!asi_pte_present(entry))
			continue;
		l.write &= !!(entry & ASI_PTE_WRITE);
		l.exec &= !(entry & ASI_PTE_NX);
		l.entry = entry;
		if (asi_pte_leaf(entry, l.level)) {
			w->v->leaf(w->v, canonical(va, w->levels), &l);
			continue;
		}
		if (w->v->enter &&
		    !w->v->enter(w->v, canonical(va, w->levels), entry, l.level))
			continue;
		l.level--;
		walk_table(w, table_of(entry), va, l);
	}
}

/**
 * asi_pt_walk - visit every present leaf below @root
 * @root: any x86-64 root table; may change underneath, entries are read once
 * @levels: 4 or 5
 * @v: callbacks
 */
void asi_pt_walk(const u64 *root, int levels, struct asi_pt_visitor *v)
{
	const struct walk w = { .v = v, .levels = levels };
	const struct asi_pt_leaf top = {
		.level = levels, .write = true, .exec = true,
	};

	walk_table(&w, root, 0, top);
}
