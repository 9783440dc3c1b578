// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: the short ways, which nearly all entries and page frames take.
 *
 * What is found here to be beyond doubt is beyond doubt; all else is left to pte.c and
 * frames.c, before it has been counted or after. This file is compiled so that it
 * changes few registers, see asm/ptcheck.h: it calls nothing but what is
 * __ptcheck_callee and keeps them all.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include "internal.h"

/* An entry of users that maps memory, with nothing special about it. */
static __always_inline bool is_plain(pteval_t pte)
{
	const pteval_t mask = _PAGE_PRESENT | _PAGE_USER | _PAGE_SPECIAL |
			      _PAGE_DEVMAP | _PAGE_UFFD_WP;

	return likely((pte & mask) == (_PAGE_PRESENT | _PAGE_USER));
}

/* The frame of such an entry: it is present, and not inverted. */
static __always_inline unsigned long plain_pfn(pteval_t pte)
{
	return (pte & PTE_PFN_MASK) >> PAGE_SHIFT;
}

static __always_inline bool is_typed(const struct page *page)
{
	/* Of a page that is mapped it is a count, which others change. */
	return unlikely(page_type_has_type(data_race(page->page_type)));
}

/*
 * PageAnon() without a look at whether HugeTLB has freed the struct page: where one
 * is another's, it has the mapping of that as well.
 */
static __always_inline bool is_anon(const struct page *page)
{
	unsigned long head = READ_ONCE(page->compound_head);

	if (unlikely(head & 1)) {
		page = (const struct page *)(head - 1);
		OPTIMIZER_HIDE_VAR(page);	/* a branch, not a conditional move */
	}
	/* What the lowest bit says stays as long as the page is mapped. */
	return (unsigned long)data_race(page->mapping) & PAGE_MAPPING_ANON;
}

/* Where a page frame is counted. False: nowhere. */
static __always_inline bool find(unsigned long pfn, struct ptcheck_block **block)
{
	unsigned long index = pfn >> PTCHECK_BLOCK_ORDER;

	*block = &ptcheck_blocks[index];
	/* Once there are words there always are. */
	return likely(index < ptcheck_nr_blocks && data_race((*block)->words));
}

/*
 * Whoever maps the block as a whole sees it, or is seen here. @pte only tells the slow
 * half which of the two operations it was.
 */
static __always_inline void count(struct mm_struct *mm, unsigned long addr,
				  struct ptcheck_block *block, pteval_t pte,
				  enum ptcheck_op op, enum ptcheck_op write, bool anon)
{
	unsigned long pfn = plain_pfn(pte);
	u64 old = atomic64_fetch_add(ptcheck_delta(op, anon), ptcheck_word(block, pfn));

	if (unlikely(!ptcheck_common(old, op, anon) ||
		     (!ptcheck_is_removal(op) && atomic64_read(&block->large))))
		ptcheck_judge_small(mm, addr,
				    ptcheck_deed(pfn, pte & _PAGE_RW ? write : op, anon),
				    old, _RET_IP_);
}

/*
 * Count a plain entry: @read or @write. False if that is to be found out yet: what is
 * dirty and cannot be written may be a shadow stack. Of a file's page it does not matter.
 */
static __always_inline bool count_plain(struct mm_struct *mm, unsigned long addr,
					struct ptcheck_block *block, pteval_t pte,
					enum ptcheck_op read, enum ptcheck_op write)
{
	if (!is_anon(pfn_to_page(plain_pfn(pte))))
		count(mm, addr, block, pte, read, write, false);
	else if (pte & _PAGE_RW)
		count(mm, addr, block, pte, write, write, true);
	else if (likely(!(pte & _PAGE_DIRTY)))
		count(mm, addr, block, pte, read, read, true);
	else
		return false;
	return true;
}

static __always_inline void set(struct mm_struct *mm, unsigned long addr,
				pte_t *ptep, pteval_t pte)
{
	unsigned long pfn = plain_pfn(pte);
	struct ptcheck_block *block;

	if (!is_plain(pte) || unlikely(!pte_none(ptep_get(ptep)))) {
		ptcheck_set_slowly(mm, addr, ptep, pte, _RET_IP_);
		return;
	}
	if (!find(pfn, &block))
		return;
	if (is_typed(pfn_to_page(pfn)) ||
	    !count_plain(mm, addr, block, pte, PTCHECK_MAP_READ, PTCHECK_MAP_WRITE))
		ptcheck_map_slowly(mm, addr, pte, _RET_IP_);
}

/* Out of line half of ptcheck_ptes_set() for one entry. */
void __ptcheck_quick __ptcheck_pte_set(struct mm_struct *mm, unsigned long addr,
				       pte_t *ptep, pteval_t pte)
{
	set(mm, addr, ptep, pte);
}
EXPORT_SYMBOL(__ptcheck_pte_set);

static noinline void __ptcheck_quick set_many(struct mm_struct *mm,
					      unsigned long addr, pte_t *ptep,
					      pteval_t pte, unsigned long nr)
{
	for (; nr; nr--) {
		set(mm, addr, ptep++, pte);
		addr += PAGE_SIZE;
		pte = pte_val(pte_next_pfn(__pte(pte)));
	}
}

/* Out of line half of ptcheck_ptes_set() for any number; as a rule it is one. */
void __ptcheck_quick __ptcheck_ptes_set(struct mm_struct *mm, unsigned long addr,
					pte_t *ptep, pteval_t pte, unsigned long nr)
{
	if (likely(nr == 1))
		set(mm, addr, ptep, pte);
	else
		set_many(mm, addr, ptep, pte, nr);
}
EXPORT_SYMBOL(__ptcheck_ptes_set);

static __always_inline void clear(struct mm_struct *mm, unsigned long addr,
				  pteval_t pte)
{
	struct ptcheck_block *block;

	if (!is_plain(pte)) {
		ptcheck_clear_slowly(mm, addr, pte, _RET_IP_);
		return;
	}
	if (find(plain_pfn(pte), &block) &&
	    !count_plain(mm, addr, block, pte, PTCHECK_UNMAP_READ, PTCHECK_UNMAP_WRITE))
		ptcheck_clear_slowly(mm, addr, pte, _RET_IP_);
}

/* Out of line half of ptcheck_pte_clear(). */
void __ptcheck_quick __ptcheck_pte_clear(struct mm_struct *mm, unsigned long addr,
					 pteval_t pte)
{
	clear(mm, addr, pte);
}
EXPORT_SYMBOL(__ptcheck_pte_clear);

static noinline void __ptcheck_quick clear_many(struct mm_struct *mm,
						unsigned long addr, pte_t *ptep,
						unsigned long nr)
{
	for (; nr; nr--) {
		clear(mm, addr, pte_val(ptep_get(ptep++)));
		addr += PAGE_SIZE;
	}
}

/* Out of line half of ptcheck_ptes_clear(); as a rule it is one. */
void __ptcheck_quick __ptcheck_ptes_clear(struct mm_struct *mm, unsigned long addr,
					  pte_t *ptep, unsigned long nr)
{
	if (likely(nr == 1))
		clear(mm, addr, pte_val(ptep_get(ptep)));
	else
		clear_many(mm, addr, ptep, nr);
}

/* Out of line half of ptcheck_pte_wrprotect(). */
void __ptcheck_quick __ptcheck_pte_wrprotect(struct mm_struct *mm,
					     unsigned long addr, pteval_t old)
{
	struct ptcheck_block *block;

	if (!is_plain(old) || unlikely(!(old & _PAGE_RW))) {
		ptcheck_protect_slowly(mm, addr, old, _RET_IP_);
		return;
	}
	if (find(plain_pfn(old), &block) && is_anon(pfn_to_page(plain_pfn(old))))
		count(mm, addr, block, old, PTCHECK_DOWNGRADE, PTCHECK_DOWNGRADE, true);
}
EXPORT_SYMBOL(__ptcheck_pte_wrprotect);

/**
 * __ptcheck_zero - pages that are allocated or freed are mapped nowhere
 * @page: first page
 * @what: 2^@what of them, and PTCHECK_ALLOCATED or not
 *
 * Context: any; by ptcheck_call2().
 */
void __ptcheck_quick __ptcheck_zero(struct page *page, unsigned long what)
{
	unsigned long pfn = page_to_pfn(page);
	struct ptcheck_block *block;

	if (!find(pfn, &block))
		return;
	if (unlikely(what & ~PTCHECK_ALLOCATED) || is_typed(page) ||
	    unlikely(atomic64_read(&block->large)) ||
	    unlikely(atomic64_read(ptcheck_word(block, pfn))))
		ptcheck_zero_slowly(page, what, _RET_IP_);
}
