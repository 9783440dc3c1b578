/* SPDX-License-Identifier: GPL-2.0-only */
/* Page table check: what its own files share. */
#ifndef _MM_PTCHECK_INTERNAL_H
#define _MM_PTCHECK_INTERNAL_H

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/ptcheck.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "word.h"

/* The asm calls in asm/ptcheck.h rely on it; without it, it is empty. */
#if !__has_attribute(__no_caller_saved_registers__)
#error "page table check: this compiler cannot keep all registers of a caller"
#endif

struct ptcheck_violation;

/* One entry of a page table, of whatever level. */
struct ptcheck_leaf {
	unsigned long pfn;
	bool counted;		/* users can reach the page, and it has a word */
	bool write;
};

#define PTCHECK_BLOCK_ORDER	9
#define PTCHECK_BLOCK_PAGES	BIT(PTCHECK_BLOCK_ORDER)

/**
 * struct ptcheck_block - 2 MiB of memory
 * @large: word of the entries that map it as a whole
 * @words: of its pages, indexed by page frame; NULL if there is no memory
 *
 * Who maps something adds to its word and then reads those of the other kind, with a
 * full barrier between, so that of a large entry and a small one for the same page
 * the second is seen. A small one reads one word for that and a large one 512.
 */
struct ptcheck_block {
	atomic64_t large;
	atomic64_t *words;
};

extern struct ptcheck_block *ptcheck_blocks;
extern unsigned long ptcheck_nr_blocks;

int ptcheck_make_blocks(void);

/* NULL: there is none, no memory of the page allocator. */
static __always_inline struct ptcheck_block *ptcheck_block(unsigned long pfn)
{
	unsigned long index = pfn >> PTCHECK_BLOCK_ORDER;

	if (unlikely(index >= ptcheck_nr_blocks || !READ_ONCE(ptcheck_blocks[index].words)))
		return NULL;
	return &ptcheck_blocks[index];
}

/* The word of a page frame of @block; those of its other pages are around it. */
static __always_inline atomic64_t *ptcheck_word(const struct ptcheck_block *block,
						unsigned long pfn)
{
	return &READ_ONCE(block->words)[pfn];
}

/* How many of @nr pages from @pfn on are in the block of the first. */
static __always_inline unsigned long ptcheck_span(unsigned long pfn,
						  unsigned long nr)
{
	return min(nr, PTCHECK_BLOCK_PAGES - (pfn & (PTCHECK_BLOCK_PAGES - 1)));
}

/*
 * Special entries map the zero page, which everybody shares, or what has no
 * struct page. Pages of devices never pass the page allocator: there is no word
 * for them, and no time at which it would have to be zero.
 */
static __always_inline struct ptcheck_leaf ptcheck_pte_leaf(pte_t pte)
{
	return (struct ptcheck_leaf) {
		.pfn = pte_pfn(pte),
		.counted = pte_user_accessible_page(pte) && !pte_special(pte) &&
			   !pte_devmap(pte),
		.write = pte_write(pte),
	};
}

static __always_inline bool ptcheck_is_mapping(enum ptcheck_op op)
{
	return op == PTCHECK_MAP_READ || op == PTCHECK_MAP_WRITE;
}

/*
 * A page whose mapcount is a type belongs to the kernel, unless to HugeTLB. The type
 * is that of this struct page, not of its folio: where HugeTLB has given vmemmap back
 * each 64th is left with the type of a head, whoever has the page.
 */
static __always_inline bool ptcheck_is_kernel_page(struct page *page)
{
	if (likely(!page_has_type(page)))
		return false;
	/* A type stays as long as the page is whoever's has given it. */
	return data_race(page->page_type) >> 24 != PGTY_hugetlb;
}

/* Whether an entry that is not present will come back writable. */
static inline bool ptcheck_returns_writable(swp_entry_t entry)
{
	return is_writable_device_exclusive_entry(entry) ||
	       is_writable_device_private_entry(entry) ||
	       is_writable_migration_entry(entry);
}

/*
 * What a slow path is told besides the address and the word, in one argument: each
 * more is a register that the quick one has to save.
 */
static __always_inline unsigned long ptcheck_deed(unsigned long pfn,
						  enum ptcheck_op op, bool anon)
{
	return pfn << PAGE_SHIFT | op << 1 | anon;
}

/* Slow halves of the quick ways. */
void __ptcheck_callee ptcheck_judge_small(struct mm_struct *mm,
					  unsigned long addr, unsigned long deed,
					  u64 old, unsigned long ip);
void __ptcheck_callee ptcheck_set_slowly(struct mm_struct *mm, unsigned long addr,
					 pte_t *ptep, pteval_t pte,
					 unsigned long ip);
void __ptcheck_callee ptcheck_map_slowly(struct mm_struct *mm, unsigned long addr,
					 pteval_t pte, unsigned long ip);
void __ptcheck_callee ptcheck_clear_slowly(struct mm_struct *mm,
					   unsigned long addr, pteval_t pte,
					   unsigned long ip);
void __ptcheck_callee ptcheck_protect_slowly(struct mm_struct *mm,
					     unsigned long addr, pteval_t old,
					     unsigned long ip);
void __ptcheck_callee ptcheck_zero_slowly(struct page *page, unsigned long what,
					  unsigned long ip);

void ptcheck_kernel_page(struct mm_struct *mm, unsigned long addr,
			 unsigned long pfn, unsigned long ip);
void ptcheck_apply_small(struct mm_struct *mm, unsigned long addr,
			 unsigned long pfn, enum ptcheck_op op, unsigned long ip);
void ptcheck_uffd_wp_write(struct mm_struct *mm, unsigned long addr,
			   unsigned long ip);
void ptcheck_replace(struct mm_struct *mm, unsigned long addr,
		     struct ptcheck_leaf old, struct ptcheck_leaf new,
		     unsigned long nr, unsigned long ip);
void ptcheck_suspect(struct mm_struct *mm, unsigned long addr,
		     unsigned long pfn, u64 old, enum ptcheck_op op, bool anon,
		     unsigned long ip);
u64 ptcheck_seen(const struct ptcheck_block *block, unsigned long pfn,
		 unsigned long nr);
void ptcheck_suspect_large(struct mm_struct *mm, unsigned long addr,
			   unsigned long pfn, u64 old, enum ptcheck_op op,
			   bool anon, unsigned long ip);

#endif /* _MM_PTCHECK_INTERNAL_H */
