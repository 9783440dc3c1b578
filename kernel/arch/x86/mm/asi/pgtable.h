/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restricted page tables as plain data: 512 entries of 64 bits per table.
 *
 * Nothing here knows about struct page, locks or TLBs, so that the same source
 * is built in user space and tested there. The caller serialises writers; one
 * reader, the hardware walker, is always running: entries change by one 64-bit
 * store, and a table is complete before an entry points at it.
 */
#ifndef _ARCH_X86_MM_ASI_PGTABLE_H
#define _ARCH_X86_MM_ASI_PGTABLE_H

#include <linux/bits.h>
#include <linux/types.h>

/* Levels count from the leaf: 1 is a 4 KiB entry, 4 or 5 is the root. */
enum asi_pt_level {
	ASI_PT_4K = 1,
	ASI_PT_2M = 2,
	ASI_PT_1G = 3,
	ASI_PT_512G = 4,
	ASI_PT_256T = 5,
};

#define ASI_PTE_PRESENT		BIT_ULL(0)
#define ASI_PTE_WRITE		BIT_ULL(1)
#define ASI_PTE_USER		BIT_ULL(2)
#define ASI_PTE_ACCESSED	BIT_ULL(5)
#define ASI_PTE_DIRTY		BIT_ULL(6)
#define ASI_PTE_LEAF		BIT_ULL(7)	/* levels 2 and 3 */
#define ASI_PTE_PAT_4K		BIT_ULL(7)	/* level 1 */
#define ASI_PTE_GLOBAL		BIT_ULL(8)
/* Software bit: the table below belongs to the full tables, not to this tree. */
#define ASI_PTE_SHARED		BIT_ULL(9)
#define ASI_PTE_PAT_LARGE	BIT_ULL(12)	/* levels 2 and 3 */
#define ASI_PTE_NX		BIT_ULL(63)
#define ASI_PTE_ADDR		0x000ffffffffff000ULL

/* What every entry that points at a table of this tree carries. */
#define ASI_PT_TABLE_FLAGS	(ASI_PTE_PRESENT | ASI_PTE_WRITE | \
				 ASI_PTE_ACCESSED | ASI_PTE_DIRTY)

struct asi_pt {
	u64 *root;
	int levels;			/* 4 or 5 */
	unsigned long nr_tables;	/* owned tables below the root */
};

/* A leaf, or the absence of one, as found by a walk. */
struct asi_pt_leaf {
	u64 entry;			/* 0 when nothing is mapped */
	int level;			/* where the walk ended */
	bool write;			/* effective over all levels */
	bool exec;
};

static inline unsigned long asi_pt_size(int level)
{
	return 1UL << (12 + 9 * (level - 1));
}

static inline unsigned int asi_pt_index(unsigned long va, int level)
{
	return (va >> (12 + 9 * (level - 1))) & 511;
}

static inline bool asi_pte_present(u64 entry)
{
	return entry & ASI_PTE_PRESENT;
}

static inline bool asi_pte_leaf(u64 entry, int level)
{
	return level == ASI_PT_4K ||
	       (level <= ASI_PT_1G && (entry & ASI_PTE_LEAF));
}

/* Whether two entries lead to the same table, with the same permissions. */
static inline bool asi_pte_same_table(u64 a, u64 b)
{
	return !((a ^ b) & ~(ASI_PTE_ACCESSED | ASI_PTE_DIRTY | ASI_PTE_SHARED));
}

/* In a leaf, the bit is a software bit of the full tables. */
static inline bool asi_pte_shared(u64 entry, int level)
{
	return !asi_pte_leaf(entry, level) && (entry & ASI_PTE_SHARED);
}

u64 asi_pte_phys(u64 entry, int level);
u64 asi_pte_narrow(u64 entry, int level, int to, unsigned long va);

struct asi_pt_leaf asi_pt_lookup(const u64 *root, int levels, unsigned long va);
u64 asi_pt_entry(const u64 *root, int levels, unsigned long va, int level);
u64 asi_pt_shared_entry(const struct asi_pt *pt, unsigned long va, int *level);

int asi_pt_set(struct asi_pt *pt, unsigned long va, int level, u64 entry,
	       void **spare);
bool asi_pt_update(struct asi_pt *pt, unsigned long va, int level, u64 entry);
unsigned long asi_pt_clear(struct asi_pt *pt, unsigned long va,
			   unsigned long end);
void asi_pt_unshare(struct asi_pt *pt, unsigned long va, unsigned long end);
void asi_pt_free(struct asi_pt *pt, void (*free_table)(void *table));

/**
 * struct asi_pt_visitor - what a full walk calls
 * @leaf: called for every present leaf, in address order
 * @enter: asked before a table is entered; false skips it. May be NULL.
 */
struct asi_pt_visitor {
	void (*leaf)(struct asi_pt_visitor *v, unsigned long va,
		     const struct asi_pt_leaf *leaf);
	bool (*enter)(struct asi_pt_visitor *v, unsigned long va, u64 entry,
		      int level);
};

void asi_pt_walk(const u64 *root, int levels, struct asi_pt_visitor *v);

#endif /* _ARCH_X86_MM_ASI_PGTABLE_H */
