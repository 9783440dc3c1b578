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

/**
 * ptcheck_word - the word of a page frame
 * @pfn: any number
 *
 * The words of a section follow each other, page_ext_size bytes apart.
 *
 * Context: RCU read side. Return: NULL for what is no memory of the page
 * allocator.
 */
static __always_inline atomic64_t *ptcheck_word(unsigned long pfn)
{
	struct mem_section *section = __pfn_to_section(pfn);
	unsigned long ext;

	if (unlikely(!section))
		return NULL;
	ext = (unsigned long)READ_ONCE(section->page_ext);
	if (unlikely(!ext || (ext & PTCHECK_EXT_INVALID)))
		return NULL;
	return (void *)ext + page_ext_size * pfn + page_table_check_ops.offset;
}

static __always_inline atomic64_t *ptcheck_next(atomic64_t *word)
{
	return (void *)word + page_ext_size;
}

/* How many of @nr pages from @pfn on are in the section of the first. */
static __always_inline unsigned long ptcheck_span(unsigned long pfn,
						  unsigned long nr)
{
	return min(nr, PAGES_PER_SECTION - (pfn & ~PAGE_SECTION_MASK));
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

void ptcheck_replace(struct mm_struct *mm, unsigned long addr,
		     struct ptcheck_leaf old, struct ptcheck_leaf new,
		     unsigned long nr, unsigned long ip);
void ptcheck_apply(struct mm_struct *mm, unsigned long addr, unsigned long pfn,
		   unsigned long nr, enum ptcheck_op op, unsigned long ip);
void ptcheck_suspect(struct mm_struct *mm, unsigned long addr,
		     unsigned long pfn, u64 old, enum ptcheck_op op, bool anon,
		     unsigned long ip);

#endif /* _MM_PTCHECK_INTERNAL_H */
