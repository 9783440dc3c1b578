// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: entries of 2 MiB and 1 GiB, and the general way for all.
 *
 * An entry that maps blocks is counted once for each of them. What comes in the
 * place of something else, of whatever size, is taken apart here.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include "internal.h"
#include "report.h"

static __always_inline struct ptcheck_leaf pmd_leaf_of(pmd_t pmd)
{
	return (struct ptcheck_leaf) {
		.pfn = pmd_pfn(pmd),
		.counted = pmd_user_accessible_page(pmd) && !pmd_special(pmd) &&
			   !pmd_devmap(pmd) && !is_huge_zero_pmd(pmd),
		.write = pmd_write(pmd),
	};
}

static __always_inline struct ptcheck_leaf pud_leaf_of(pud_t pud)
{
	return (struct ptcheck_leaf) {
		.pfn = pud_pfn(pud),
		.counted = pud_user_accessible_page(pud) && !pud_special(pud) &&
			   !pud_devmap(pud),
		.write = pud_write(pud),
	};
}

/* On a block, by an entry for all of it. */
static void apply_large(struct mm_struct *mm, unsigned long addr,
			unsigned long pfn, struct ptcheck_block *block,
			enum ptcheck_op op, bool anon, unsigned long ip)
{
	u64 delta = ptcheck_delta(op, anon);
	u64 new = atomic64_add_return(delta, &block->large);
	u64 pages = 0;

	if (!ptcheck_is_removal(op))
		pages = ptcheck_any(ptcheck_seen(block, pfn, PTCHECK_BLOCK_PAGES));
	/* Others must not make up for an entry that was never counted. */
	if (unlikely(!ptcheck_sound(new, anon) || !ptcheck_sound(new + pages, anon)))
		ptcheck_suspect_large(mm, addr, pfn, new - delta, op, anon, ip);
}

/* One operation; @nr is 1, or a multiple of a block for a large entry. */
static void apply(struct mm_struct *mm, unsigned long addr, unsigned long pfn,
		  unsigned long nr, enum ptcheck_op op, unsigned long ip)
{
	struct ptcheck_block *block;
	struct page *page;
	bool anon;

	if (nr == 1) {
		ptcheck_apply_small(mm, addr, pfn, op, ip);
		return;
	}
	block = ptcheck_block(pfn);
	if (!block)
		return;
	page = pfn_to_page(pfn);
	if (ptcheck_is_mapping(op) && ptcheck_is_kernel_page(page))
		ptcheck_kernel_page(mm, addr, pfn, ip);
	anon = PageAnon(page);
	if (op >= PTCHECK_UPGRADE && !anon)
		return;
	for (; nr && block; nr -= PTCHECK_BLOCK_PAGES) {
		apply_large(mm, addr, pfn, block, op, anon, ip);
		pfn += PTCHECK_BLOCK_PAGES;
		addr += PMD_SIZE;
		block = ptcheck_block(pfn);
	}
}

static void map(struct mm_struct *mm, unsigned long addr,
		struct ptcheck_leaf leaf, unsigned long nr, unsigned long ip)
{
	apply(mm, addr, leaf.pfn, nr,
	      leaf.write ? PTCHECK_MAP_WRITE : PTCHECK_MAP_READ, ip);
}

static void unmap(struct mm_struct *mm, unsigned long addr,
		  struct ptcheck_leaf leaf, unsigned long nr, unsigned long ip)
{
	apply(mm, addr, leaf.pfn, nr,
	      leaf.write ? PTCHECK_UNMAP_WRITE : PTCHECK_UNMAP_READ, ip);
}

/**
 * ptcheck_replace - one entry takes the place of another
 * @mm: whose page table
 * @addr: what the entry maps
 * @old: what was there
 * @new: what will be
 * @nr: pages that either maps: 1 or a multiple of a block
 * @ip: who does it
 *
 * The source accounts a removal and an addition. For the same page that would be
 * a moment in which it is not mapped, and a change of permission is an operation
 * of its own.
 */
void ptcheck_replace(struct mm_struct *mm, unsigned long addr,
		     struct ptcheck_leaf old, struct ptcheck_leaf new,
		     unsigned long nr, unsigned long ip)
{
	if (!old.counted || !new.counted || old.pfn != new.pfn) {
		if (old.counted)
			unmap(mm, addr, old, nr, ip);
		if (new.counted)
			map(mm, addr, new, nr, ip);
		return;
	}
	if (!old.write && new.write)
		apply(mm, addr, new.pfn, nr, PTCHECK_UPGRADE, ip);
	if (old.write && !new.write)
		apply(mm, addr, new.pfn, nr, PTCHECK_DOWNGRADE, ip);
}

/* Report an entry that userfaultfd protects, and that can be written. */
void ptcheck_uffd_wp_write(struct mm_struct *mm, unsigned long addr,
			   unsigned long ip)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = PTCHECK_UFFD_WP_WRITE, .mm = mm, .addr = addr,
		.op = PTCHECK_NR_OPS, .ip = ip,
	});
}

static __always_inline bool pmd_uffd_sound(pmd_t pmd)
{
	if (likely(pmd_present(pmd)))
		return !pmd_uffd_wp(pmd) || !pmd_write(pmd);
	return pmd_none(pmd) || !pmd_swp_uffd_wp(pmd) ||
	       !ptcheck_returns_writable(pmd_to_swp_entry(pmd));
}

static noinline void replace_pmd(struct mm_struct *mm, unsigned long addr,
				 pmd_t *pmdp, pmdval_t pmd, unsigned long ip)
{
	if (unlikely(!pmd_uffd_sound(__pmd(pmd))))
		ptcheck_uffd_wp_write(mm, addr, ip);
	ptcheck_replace(mm, addr, pmd_leaf_of(READ_ONCE(*pmdp)),
			pmd_leaf_of(__pmd(pmd)), PMD_SIZE >> PAGE_SHIFT, ip);
}

/* Out of line half of ptcheck_pmd_set(). */
void __ptcheck_callee __ptcheck_pmd_set(struct mm_struct *mm, unsigned long addr,
					pmd_t *pmdp, pmdval_t pmd)
{
	replace_pmd(mm, addr, pmdp, pmd, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pmd_set);

static noinline void replace_pud(struct mm_struct *mm, unsigned long addr,
				 pud_t *pudp, pudval_t pud, unsigned long ip)
{
	ptcheck_replace(mm, addr, pud_leaf_of(READ_ONCE(*pudp)),
			pud_leaf_of(__pud(pud)), PUD_SIZE >> PAGE_SHIFT, ip);
}

/* Out of line half of ptcheck_pud_set(). */
void __ptcheck_callee __ptcheck_pud_set(struct mm_struct *mm, unsigned long addr,
					pud_t *pudp, pudval_t pud)
{
	replace_pud(mm, addr, pudp, pud, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pud_set);

static noinline void clear_pmd(struct mm_struct *mm, unsigned long addr,
			       pmdval_t pmd, unsigned long ip)
{
	struct ptcheck_leaf leaf = pmd_leaf_of(__pmd(pmd));

	if (leaf.counted)
		unmap(mm, addr, leaf, PMD_SIZE >> PAGE_SHIFT, ip);
}

/* Out of line half of ptcheck_pmd_clear(). */
void __ptcheck_callee __ptcheck_pmd_clear(struct mm_struct *mm,
					  unsigned long addr, pmdval_t pmd)
{
	clear_pmd(mm, addr, pmd, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pmd_clear);

static noinline void clear_pud(struct mm_struct *mm, unsigned long addr,
			       pudval_t pud, unsigned long ip)
{
	struct ptcheck_leaf leaf = pud_leaf_of(__pud(pud));

	if (leaf.counted)
		unmap(mm, addr, leaf, PUD_SIZE >> PAGE_SHIFT, ip);
}

/* Out of line half of ptcheck_pud_clear(). */
void __ptcheck_callee __ptcheck_pud_clear(struct mm_struct *mm,
					  unsigned long addr, pudval_t pud)
{
	clear_pud(mm, addr, pud, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pud_clear);

static noinline void protect_pmd(struct mm_struct *mm, unsigned long addr,
				 pmdval_t old, unsigned long ip)
{
	struct ptcheck_leaf leaf = pmd_leaf_of(__pmd(old));

	if (leaf.counted && leaf.write)
		apply(mm, addr, leaf.pfn, PMD_SIZE >> PAGE_SHIFT,
		      PTCHECK_DOWNGRADE, ip);
}

/* Out of line half of ptcheck_pmd_wrprotect(). */
void __ptcheck_callee __ptcheck_pmd_wrprotect(struct mm_struct *mm,
					      unsigned long addr, pmdval_t old)
{
	protect_pmd(mm, addr, old, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pmd_wrprotect);
