// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: entries of user page tables as they come, change and go.
 *
 * Implements the source's set and clear hooks, and closes what it leaves open: a
 * change of permission in place is one of the operations, and all pages of a
 * mapping are counted. The caller holds the lock of the page table; words of pages
 * are shared with other tables and change by atomic operations only.
 *
 * The fast paths call nothing but what is __ptcheck_callee, or each would have to
 * save all registers on entry.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include "internal.h"
#include "report.h"

/* Report a page that no user may have. */
noinline void __ptcheck_callee ptcheck_kernel_page(struct mm_struct *mm,
						   unsigned long addr,
						   unsigned long pfn,
						   unsigned long ip)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = PTCHECK_KERNEL_PAGE, .mm = mm, .addr = addr, .pfn = pfn,
		.op = PTCHECK_NR_OPS, .ip = ip,
	});
}

/*
 * What a slow path is told besides the address and the word, in one argument: with
 * each more there is a register that the fast one has to save.
 */
static __always_inline unsigned long deed(unsigned long pfn, enum ptcheck_op op,
					  bool anon)
{
	return pfn << PAGE_SHIFT | op << 1 | anon;
}

/* Hold what an operation has left against the entries of the whole block. */
static void judge(struct mm_struct *mm, unsigned long addr, unsigned long deed,
		  u64 new, unsigned long ip)
{
	struct ptcheck_block *block = ptcheck_block(deed >> PAGE_SHIFT);
	enum ptcheck_op op = deed >> 1 & 7;
	bool anon = deed & 1;
	u64 large = atomic64_read(&block->large);

	/* Others must not make up for an entry that was never counted. */
	if (unlikely(!ptcheck_sound(new, anon) || !ptcheck_sound(new + large, anon)))
		ptcheck_suspect(mm, addr, deed >> PAGE_SHIFT, new - ptcheck_delta(op, anon),
				op, anon, ip);
}

static noinline void __ptcheck_callee compare(struct mm_struct *mm,
					      unsigned long addr,
					      unsigned long deed, u64 new,
					      unsigned long ip)
{
	judge(mm, addr, deed, new, ip);
}

/* The long way: other entries map the page, or one changes. */
static noinline void __ptcheck_callee settle(struct mm_struct *mm,
					     unsigned long addr,
					     unsigned long deed, u64 new,
					     unsigned long ip)
{
	u64 presence = ptcheck_presence_delta(new, deed >> 1 & 7, deed & 1);

	if (presence)
		atomic64_add(presence, &ptcheck_block(deed >> PAGE_SHIFT)->pages);
	judge(mm, addr, deed, new, ip);
}

/*
 * On one page. Whoever maps the block as a whole sees it, or is seen here. Entries
 * that are alone, and those that share as they may, take the short way.
 */
static __always_inline void count(struct mm_struct *mm, unsigned long addr,
				  unsigned long pfn, struct ptcheck_block *block,
				  enum ptcheck_op op, bool anon, unsigned long ip)
{
	u64 new = atomic64_add_return(ptcheck_delta(op, anon),
				      ptcheck_word(block, pfn));

	if (new == ptcheck_alone(op, anon)) {
		atomic64_add(ptcheck_alone_presence(op, anon), &block->pages);
	} else if (!ptcheck_shared(new, op, anon)) {
		settle(mm, addr, deed(pfn, op, anon), new, ip);
		return;
	}
	if (unlikely(atomic64_read(&block->large)))
		compare(mm, addr, deed(pfn, op, anon), new, ip);
}

/* Where @op is known to the compiler everything that it adds is a constant. */
static __always_inline void apply(struct mm_struct *mm, unsigned long addr,
				  unsigned long pfn, enum ptcheck_op op,
				  unsigned long ip)
{
	struct page *page = pfn_to_page(pfn);
	struct ptcheck_block *block;

	if (unlikely(!ptcheck_has_words(pfn)))
		return;
	block = &ptcheck_blocks[pfn >> PTCHECK_BLOCK_ORDER];
	if (ptcheck_is_mapping(op) && ptcheck_is_kernel_page(page))
		ptcheck_kernel_page(mm, addr, pfn, ip);
	if (PageAnon(page))
		count(mm, addr, pfn, block, op, true, ip);
	else if (op < PTCHECK_UPGRADE)
		count(mm, addr, pfn, block, op, false, ip);
}

/* One operation on one page, for those who are in no hurry. */
void ptcheck_apply_small(struct mm_struct *mm, unsigned long addr,
			 unsigned long pfn, enum ptcheck_op op, unsigned long ip)
{
	apply(mm, addr, pfn, op, ip);
}

static __always_inline bool pte_uffd_sound(pte_t pte)
{
	if (likely(pte_present(pte)))
		return !pte_uffd_wp(pte) || !pte_write(pte);
	return pte_none(pte) || !pte_swp_uffd_wp(pte) ||
	       !ptcheck_returns_writable(pte_to_swp_entry(pte));
}

/* An entry of users that maps memory, with nothing special about it. */
static __always_inline bool is_plain(pte_t pte)
{
	const pteval_t mask = _PAGE_PRESENT | _PAGE_USER | _PAGE_SPECIAL |
			      _PAGE_DEVMAP | _PAGE_UFFD_WP;

	return (pte_val(pte) & mask) == (_PAGE_PRESENT | _PAGE_USER);
}

/* For these pte_write() need not ask whether there are shadow stacks. */
static __always_inline bool is_writable(pte_t pte)
{
	return pte_val(pte) & _PAGE_RW;
}

static __always_inline bool is_readonly(pte_t pte)
{
	return !(pte_val(pte) & (_PAGE_RW | _PAGE_DIRTY));
}

/* The frame of such an entry: it is present, and not inverted. */
static __always_inline unsigned long plain_pfn(pte_t pte)
{
	return (pte_val(pte) & PTE_PFN_MASK) >> PAGE_SHIFT;
}

static noinline void replace_slowly(struct mm_struct *mm, unsigned long addr,
				    pte_t *ptep, pteval_t pte, unsigned long ip)
{
	if (unlikely(!pte_uffd_sound(__pte(pte))))
		ptcheck_uffd_wp_write(mm, addr, ip);
	ptcheck_replace(mm, addr, ptcheck_pte_leaf(ptep_get(ptep)),
			ptcheck_pte_leaf(__pte(pte)), 1, ip);
}

/* What is not plain, or comes where something is. */
static noinline void __ptcheck_callee replace(struct mm_struct *mm,
					      unsigned long addr, pte_t *ptep,
					      pteval_t pte, unsigned long ip)
{
	replace_slowly(mm, addr, ptep, pte, ip);
}

static __always_inline void set(struct mm_struct *mm, unsigned long addr,
				pte_t *ptep, pte_t pte, unsigned long ip)
{
	if (unlikely(!is_plain(pte) || !pte_none(ptep_get(ptep))))
		replace(mm, addr, ptep, pte_val(pte), ip);
	else if (is_writable(pte))
		apply(mm, addr, plain_pfn(pte), PTCHECK_MAP_WRITE, ip);
	else if (likely(is_readonly(pte)))
		apply(mm, addr, plain_pfn(pte), PTCHECK_MAP_READ, ip);
	else
		replace(mm, addr, ptep, pte_val(pte), ip);
}

/* Out of line half of ptcheck_ptes_set() for one entry. */
void __ptcheck_callee __ptcheck_pte_set(struct mm_struct *mm, unsigned long addr,
					pte_t *ptep, pteval_t pte)
{
	set(mm, addr, ptep, __pte(pte), _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pte_set);

static noinline void set_many(struct mm_struct *mm, unsigned long addr,
			      pte_t *ptep, pte_t pte, unsigned int nr,
			      unsigned long ip)
{
	for (; nr; nr--) {
		set(mm, addr, ptep++, pte, ip);
		addr += PAGE_SIZE;
		pte = pte_next_pfn(pte);
	}
}

/* Out of line half of ptcheck_ptes_set() for any number; as a rule it is one. */
void __ptcheck_ptes_set(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			pte_t pte, unsigned int nr)
{
	if (likely(nr == 1))
		set(mm, addr, ptep, pte, _RET_IP_);
	else
		set_many(mm, addr, ptep, pte, nr, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_ptes_set);

/* Out of line half of ptcheck_pte_change(). */
void __ptcheck_callee __ptcheck_pte_change(struct mm_struct *mm,
					   unsigned long addr, pte_t *ptep,
					   pteval_t pte)
{
	replace(mm, addr, ptep, pte, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__ptcheck_pte_change);

static noinline void clear_slowly(struct mm_struct *mm, unsigned long addr,
				  pteval_t pte, unsigned long ip)
{
	ptcheck_replace(mm, addr, ptcheck_pte_leaf(__pte(pte)),
			(struct ptcheck_leaf) { }, 1, ip);
}

static noinline void __ptcheck_callee clear(struct mm_struct *mm,
					    unsigned long addr, pteval_t pte,
					    unsigned long ip)
{
	clear_slowly(mm, addr, pte, ip);
}

/* Out of line half of ptcheck_pte_clear(). */
void __ptcheck_callee __ptcheck_pte_clear(struct mm_struct *mm,
					  unsigned long addr, pteval_t val)
{
	pte_t pte = __pte(val);

	if (unlikely(!is_plain(pte)))
		clear(mm, addr, val, _RET_IP_);
	else if (is_writable(pte))
		apply(mm, addr, plain_pfn(pte), PTCHECK_UNMAP_WRITE, _RET_IP_);
	else if (likely(is_readonly(pte)))
		apply(mm, addr, plain_pfn(pte), PTCHECK_UNMAP_READ, _RET_IP_);
	else
		clear(mm, addr, val, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pte_clear);

/* Out of line half of ptcheck_pte_wrprotect(). */
void __ptcheck_callee __ptcheck_pte_wrprotect(struct mm_struct *mm,
					      unsigned long addr, pteval_t old)
{
	pte_t pte = __pte(old);

	if (pte_write(pte) && ptcheck_pte_leaf(pte).counted)
		apply(mm, addr, plain_pfn(pte), PTCHECK_DOWNGRADE, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pte_wrprotect);

/* Out of line half of ptcheck_ptes_move(): nothing ought to be there. */
void __ptcheck_ptes_move(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			 unsigned long nr)
{
	for (; nr; nr--, ptep++) {
		pte_t pte = ptep_get(ptep);

		if (unlikely(!pte_none(pte)))
			__ptcheck_pte_clear(mm, addr, pte_val(pte));
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
		__ptcheck_pte_clear(mm, addr, pte_val(ptep_get(ptep)));
		addr += PAGE_SIZE;
	}
	pte_unmap(table);
}
