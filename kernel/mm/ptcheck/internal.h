/* SPDX-License-Identifier: GPL-2.0-only */
/* Page table check: what its own files share. */
#ifndef _MM_PTCHECK_INTERNAL_H
#define _MM_PTCHECK_INTERNAL_H

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page_ext.h>
#include <linux/ptcheck.h>

#include "word.h"

struct ptcheck_violation;

/* As in mm/page_ext.c: the memory of a section is going. */
#define PTCHECK_EXT_INVALID	1UL

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
 * @pages: what its pages have in their own words, see ptcheck_presence()
 *
 * Who maps something adds to one and then reads the other, with a full barrier
 * between, so that of a large entry and a small one for the same page the second
 * is seen.
 */
struct ptcheck_block {
	atomic64_t large;
	atomic64_t pages;
};

extern struct ptcheck_block *ptcheck_blocks;
extern unsigned long ptcheck_nr_blocks;

/* NULL: no memory there, nor will there be. */
static __always_inline struct ptcheck_block *ptcheck_block(unsigned long pfn)
{
	unsigned long index = pfn >> PTCHECK_BLOCK_ORDER;

	return likely(index < ptcheck_nr_blocks) ? &ptcheck_blocks[index] : NULL;
}

/**
 * ptcheck_word - the word of a page frame
 * @pfn: page frame of a block that there is
 *
 * The words of a section follow each other, page_ext_size bytes apart.
 *
 * Context: RCU read side. Return: NULL for what is no memory of the page
 * allocator.
 */
static __always_inline atomic64_t *ptcheck_word(unsigned long pfn)
{
	struct mem_section *root = mem_section[SECTION_NR_TO_ROOT(pfn_to_section_nr(pfn))];
	unsigned long ext;

	if (unlikely(!root))
		return NULL;
	root += pfn_to_section_nr(pfn) & SECTION_ROOT_MASK;
	ext = (unsigned long)READ_ONCE(root->page_ext);
	if (unlikely(!ext || (ext & PTCHECK_EXT_INVALID)))
		return NULL;
	return (void *)ext + page_ext_size * pfn + page_table_check_ops.offset;
}

static __always_inline atomic64_t *ptcheck_next(atomic64_t *word)
{
	return (void *)word + page_ext_size;
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

/* Change the word of a page, and what its block knows of it. */
static __always_inline u64 ptcheck_add(struct ptcheck_block *block,
				       atomic64_t *word, u64 delta)
{
	u64 new = atomic64_add_return(delta, word);
	u64 had = ptcheck_presence(new - delta);
	u64 has = ptcheck_presence(new);

	if (has != had)
		atomic64_add(has - had, &block->pages);
	return new;
}

void ptcheck_replace(struct mm_struct *mm, unsigned long addr,
		     struct ptcheck_leaf old, struct ptcheck_leaf new,
		     unsigned long nr, unsigned long ip);
void ptcheck_suspect(struct mm_struct *mm, unsigned long addr,
		     unsigned long pfn, u64 old, enum ptcheck_op op, bool anon,
		     unsigned long ip);
void ptcheck_suspect_large(struct mm_struct *mm, unsigned long addr,
			   unsigned long pfn, u64 old, enum ptcheck_op op,
			   bool anon, unsigned long ip);

#endif /* _MM_PTCHECK_INTERNAL_H */
