// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: entries of user page tables as they come, change and go.
 *
 * Implements the source's set and clear hooks, and closes what it leaves open: a
 * change of permission in place is one of the operations, and all pages of a
 * mapping are counted. The caller holds the lock of the page table; words of pages
 * are shared with other tables and change by atomic operations only.
 *
 * Here is what quick.c leaves: entries with something special about them, those that
 * come where another is, and whatever may break a rule.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include "internal.h"
#include "report.h"

/* Report a page that no user may have. */
void ptcheck_kernel_page(struct mm_struct *mm, unsigned long addr,
			 unsigned long pfn, unsigned long ip)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = PTCHECK_KERNEL_PAGE, .mm = mm, .addr = addr, .pfn = pfn,
		.op = PTCHECK_NR_OPS, .ip = ip,
	});
}

/* Hold what an operation has left against the entries of the whole block. */
static noinline void judge(struct mm_struct *mm, unsigned long addr,
			   unsigned long deed, u64 old, unsigned long ip)
{
	unsigned long pfn = deed >> PAGE_SHIFT;
	enum ptcheck_op op = deed >> 1 & 7;
	bool anon = deed & 1;
	u64 new = old + ptcheck_delta(op, anon);
	u64 large = atomic64_read(&ptcheck_block(pfn)->large);

	/* Others must not make up for an entry that was never counted. */
	if (unlikely(!ptcheck_sound(new, anon) || !ptcheck_sound(new + large, anon)))
		ptcheck_suspect(mm, addr, pfn, old, op, anon, ip);
}

/* Other entries map the page, or its block. */
void __ptcheck_callee ptcheck_judge_small(struct mm_struct *mm,
					  unsigned long addr, unsigned long deed,
					  u64 old, unsigned long ip)
{
	judge(mm, addr, deed, old, ip);
}

/* One operation on one page, for those who are in no hurry. */
void ptcheck_apply_small(struct mm_struct *mm, unsigned long addr,
			 unsigned long pfn, enum ptcheck_op op, unsigned long ip)
{
	struct ptcheck_block *block = ptcheck_block(pfn);
	struct page *page = pfn_to_page(pfn);
	bool anon;
	u64 old;

	if (!block)
		return;
	if (ptcheck_is_mapping(op) && ptcheck_is_kernel_page(page))
		ptcheck_kernel_page(mm, addr, pfn, ip);
	anon = PageAnon(page);
	if (op >= PTCHECK_UPGRADE && !anon)
		return;
	old = atomic64_fetch_add(ptcheck_delta(op, anon), ptcheck_word(block, pfn));
	judge(mm, addr, ptcheck_deed(pfn, op, anon), old, ip);
}

static __always_inline bool pte_uffd_sound(pte_t pte)
{
	if (likely(pte_present(pte)))
		return !pte_uffd_wp(pte) || !pte_write(pte);
	return pte_none(pte) || !pte_swp_uffd_wp(pte) ||
	       !ptcheck_returns_writable(pte_to_swp_entry(pte));
}

static noinline void replace(struct mm_struct *mm, unsigned long addr,
			     pte_t *ptep, pteval_t pte, unsigned long ip)
{
	if (unlikely(!pte_uffd_sound(__pte(pte))))
		ptcheck_uffd_wp_write(mm, addr, ip);
	ptcheck_replace(mm, addr, ptcheck_pte_leaf(ptep_get(ptep)),
			ptcheck_pte_leaf(__pte(pte)), 1, ip);
}

/* What is not plain, or comes where something is. */
void __ptcheck_callee ptcheck_set_slowly(struct mm_struct *mm, unsigned long addr,
					 pte_t *ptep, pteval_t pte,
					 unsigned long ip)
{
	replace(mm, addr, ptep, pte, ip);
}

/* Out of line half of ptcheck_pte_change(). */
void __ptcheck_callee __ptcheck_pte_change(struct mm_struct *mm,
					   unsigned long addr, pte_t *ptep,
					   pteval_t pte)
{
	replace(mm, addr, ptep, pte, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__ptcheck_pte_change);

static noinline void map(struct mm_struct *mm, unsigned long addr, pteval_t pte,
			 unsigned long ip)
{
	ptcheck_replace(mm, addr, (struct ptcheck_leaf) { },
			ptcheck_pte_leaf(__pte(pte)), 1, ip);
}

/* What is plain, but may not be writable, or ought not to be there. */
void __ptcheck_callee ptcheck_map_slowly(struct mm_struct *mm, unsigned long addr,
					 pteval_t pte, unsigned long ip)
{
	map(mm, addr, pte, ip);
}

static noinline void clear(struct mm_struct *mm, unsigned long addr, pteval_t pte,
			   unsigned long ip)
{
	ptcheck_replace(mm, addr, ptcheck_pte_leaf(__pte(pte)),
			(struct ptcheck_leaf) { }, 1, ip);
}

/* What is not plain has been taken out. */
void __ptcheck_callee ptcheck_clear_slowly(struct mm_struct *mm,
					   unsigned long addr, pteval_t pte,
					   unsigned long ip)
{
	clear(mm, addr, pte, ip);
}

static noinline void protect(struct mm_struct *mm, unsigned long addr,
			     pteval_t old, unsigned long ip)
{
	struct ptcheck_leaf leaf = ptcheck_pte_leaf(__pte(old));

	if (leaf.counted && leaf.write)
		ptcheck_apply_small(mm, addr, leaf.pfn, PTCHECK_DOWNGRADE, ip);
}

/* An entry that is not plain has been made read-only. */
void __ptcheck_callee ptcheck_protect_slowly(struct mm_struct *mm,
					     unsigned long addr, pteval_t old,
					     unsigned long ip)
{
	protect(mm, addr, old, ip);
}

/* Out of line half of ptcheck_ptes_move(): nothing ought to be there. */
void __ptcheck_ptes_move(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			 unsigned long nr)
{
	for (; nr; nr--, ptep++) {
		pte_t pte = ptep_get(ptep);

		if (unlikely(!pte_none(pte)))
			clear(mm, addr, pte_val(pte), _RET_IP_);
		addr += PAGE_SIZE;
	}
}
EXPORT_SYMBOL_GPL(__ptcheck_ptes_move);

/**
 * __page_table_check_pte_clear_range - a whole table of entries has been taken out
 * @mm: whose it was
 * @addr: any address below @pmd
 * @pmd: what led to it
 *
 * Context: khugepaged, with the table unhooked and its lock held.
 */
void __page_table_check_pte_clear_range(struct mm_struct *mm, unsigned long addr,
					pmd_t pmd)
{
	pte_t *table, *ptep;

	if (pmd_none(pmd) || pmd_bad(pmd) || pmd_leaf(pmd))
		return;
	addr &= PMD_MASK;
	table = pte_offset_map(&pmd, addr);
	if (WARN_ON_ONCE(!table))
		return;
	for (ptep = table; ptep < table + PTRS_PER_PTE; ptep++) {
		clear(mm, addr, pte_val(ptep_get(ptep)), _RET_IP_);
		addr += PAGE_SIZE;
	}
	pte_unmap(table);
}
