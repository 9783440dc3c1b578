// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: entries of user page tables as they come, change and go.
 *
 * Implements the source's set and clear hooks for entries of 4 KiB, 2 MiB and
 * 1 GiB, and closes what it leaves open: a change of permission in place is one of
 * the operations, and all pages of a mapping are counted. The caller holds the
 * lock of the page table; words of pages are shared with other tables and change
 * by atomic operations only.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/swap.h>
#include <linux/swapops.h>

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

static noinline __cold void kernel_page(struct mm_struct *mm, unsigned long addr,
					unsigned long pfn, unsigned long ip)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = PTCHECK_KERNEL_PAGE, .mm = mm, .addr = addr, .pfn = pfn,
		.op = PTCHECK_NR_OPS, .ip = ip,
	});
}

static __always_inline bool is_mapping(enum ptcheck_op op)
{
	return op == PTCHECK_MAP_READ || op == PTCHECK_MAP_WRITE;
}

/* A page whose mapcount is a type belongs to the kernel, unless to HugeTLB. */
static __always_inline bool is_kernel_page(struct page *page)
{
	return unlikely(page_has_type(page)) && !PageHuge(page);
}

/* Hold what an operation has left against the entries of the whole block. */
static noinline void compare(struct mm_struct *mm, unsigned long addr,
			     unsigned long pfn, u64 new, enum ptcheck_op op,
			     bool anon, unsigned long ip)
{
	struct ptcheck_block *block = ptcheck_block(pfn);

	if (unlikely(!ptcheck_sound(new + atomic64_read(&block->large), anon)))
		ptcheck_suspect(mm, addr, pfn, new - ptcheck_delta(op, anon), op,
				anon, ip);
}

/* The long way: other entries map the page, or one changes. */
static noinline void settle(struct mm_struct *mm, unsigned long addr,
			    unsigned long pfn, u64 new, enum ptcheck_op op,
			    bool anon, unsigned long ip)
{
	u64 presence = ptcheck_presence_delta(new, op, anon);

	if (presence)
		atomic64_add(presence, &ptcheck_block(pfn)->pages);
	compare(mm, addr, pfn, new, op, anon, ip);
}

/* Of an operation known to the compiler, one of two constants. */
#define constant(of, op, anon)	((anon) ? of(op, true) : of(op, false))

/*
 * On one page. Whoever maps the block as a whole sees it, or is seen here. Entries
 * that are alone, and those that share as they may, take the short way.
 */
static __always_inline void apply_small(struct mm_struct *mm, unsigned long addr,
					unsigned long pfn,
					struct ptcheck_block *block,
					atomic64_t *word, enum ptcheck_op op,
					bool anon, unsigned long ip)
{
	u64 new = atomic64_add_return(constant(ptcheck_delta, op, anon), word);

	if (new == constant(ptcheck_alone, op, anon)) {
		atomic64_add(constant(ptcheck_alone_presence, op, anon),
			     &block->pages);
	} else if (!ptcheck_shared(new, op, anon)) {
		settle(mm, addr, pfn, new, op, anon, ip);
		return;
	}
	if (unlikely(atomic64_read(&block->large)))
		compare(mm, addr, pfn, new, op, anon, ip);
}

/* On a block, by an entry for all of it. */
static void apply_large(struct mm_struct *mm, unsigned long addr,
			unsigned long pfn, struct ptcheck_block *block,
			enum ptcheck_op op, bool anon, unsigned long ip)
{
	u64 delta = ptcheck_delta(op, anon);
	u64 new = atomic64_add_return(delta, &block->large);
	u64 pages = ptcheck_any(atomic64_read(&block->pages));

	if (unlikely(!ptcheck_sound(new + pages, anon)))
		ptcheck_suspect_large(mm, addr, pfn, new - delta, op, anon, ip);
}

/* One operation; @nr is 1, or a multiple of a block for a large entry. */
static __always_inline void apply(struct mm_struct *mm, unsigned long addr,
				  unsigned long pfn, unsigned long nr,
				  enum ptcheck_op op, unsigned long ip)
{
	struct ptcheck_block *block = ptcheck_block(pfn);
	atomic64_t *word;
	struct page *page;
	bool anon;

	guard(rcu)();
	word = likely(block) ? ptcheck_word(pfn) : NULL;
	if (unlikely(!word))
		return;
	page = pfn_to_page(pfn);
	if (is_mapping(op) && is_kernel_page(page))
		kernel_page(mm, addr, pfn, ip);
	anon = PageAnon(page);
	if (op >= PTCHECK_UPGRADE && !anon)
		return;
	if (nr == 1) {
		apply_small(mm, addr, pfn, block, word, op, anon, ip);
		return;
	}
	for (; nr && ptcheck_block(pfn); nr -= PTCHECK_BLOCK_PAGES) {
		apply_large(mm, addr, pfn, block++, op, anon, ip);
		pfn += PTCHECK_BLOCK_PAGES;
		addr += PMD_SIZE;
	}
}

static __always_inline void map(struct mm_struct *mm, unsigned long addr,
				struct ptcheck_leaf leaf, unsigned long nr,
				unsigned long ip)
{
	if (leaf.write)
		apply(mm, addr, leaf.pfn, nr, PTCHECK_MAP_WRITE, ip);
	else
		apply(mm, addr, leaf.pfn, nr, PTCHECK_MAP_READ, ip);
}

static __always_inline void unmap(struct mm_struct *mm, unsigned long addr,
				  struct ptcheck_leaf leaf, unsigned long nr,
				  unsigned long ip)
{
	if (leaf.write)
		apply(mm, addr, leaf.pfn, nr, PTCHECK_UNMAP_WRITE, ip);
	else
		apply(mm, addr, leaf.pfn, nr, PTCHECK_UNMAP_READ, ip);
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

static noinline __cold void uffd_wp_write(struct mm_struct *mm,
					  unsigned long addr, unsigned long ip)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = PTCHECK_UFFD_WP_WRITE, .mm = mm, .addr = addr,
		.op = PTCHECK_NR_OPS, .ip = ip,
	});
}

/* Whether an entry that is not present will come back writable. */
static bool returns_writable(swp_entry_t entry)
{
	return is_writable_device_exclusive_entry(entry) ||
	       is_writable_device_private_entry(entry) ||
	       is_writable_migration_entry(entry);
}

static __always_inline bool pte_uffd_sound(pte_t pte)
{
	if (likely(pte_present(pte)))
		return !pte_uffd_wp(pte) || !pte_write(pte);
	return pte_none(pte) || !pte_swp_uffd_wp(pte) ||
	       !returns_writable(pte_to_swp_entry(pte));
}

static __always_inline bool pmd_uffd_sound(pmd_t pmd)
{
	if (likely(pmd_present(pmd)))
		return !pmd_uffd_wp(pmd) || !pmd_write(pmd);
	return pmd_none(pmd) || !pmd_swp_uffd_wp(pmd) ||
	       !returns_writable(pmd_to_swp_entry(pmd));
}

/* An entry of users that maps memory, with nothing special about it. */
static __always_inline bool is_plain(pte_t pte)
{
	const pteval_t mask = _PAGE_PRESENT | _PAGE_USER | _PAGE_SPECIAL |
			      _PAGE_DEVMAP | _PAGE_UFFD_WP;

	return (pte_val(pte) & mask) == (_PAGE_PRESENT | _PAGE_USER);
}

/* Several at once, or what is not plain, or comes where something is. */
static noinline void ptes_replace(struct mm_struct *mm, unsigned long addr,
				  pte_t *ptep, pte_t pte, unsigned int nr,
				  unsigned long ip)
{
	struct ptcheck_leaf leaf = ptcheck_pte_leaf(pte);
	unsigned int i;

	if (mm == &init_mm)
		return;
	if (unlikely(!pte_uffd_sound(pte)))
		uffd_wp_write(mm, addr, ip);
	for (i = 0; i < nr; i++) {
		ptcheck_replace(mm, addr, ptcheck_pte_leaf(ptep_get(ptep + i)),
				leaf, 1, ip);
		addr += PAGE_SIZE;
		leaf.pfn++;
	}
}

/* Out of line half of ptcheck_ptes_set(). */
void __ptcheck_ptes_set(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			pte_t pte, unsigned int nr)
{
	if (likely(nr == 1 && is_plain(pte) && pte_none(ptep_get(ptep))))
		map(mm, addr, ptcheck_pte_leaf(pte), 1, _RET_IP_);
	else
		ptes_replace(mm, addr, ptep, pte, nr, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_ptes_set);

/* Out of line half of ptcheck_pmd_set(). */
void __ptcheck_pmd_set(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp,
		       pmd_t pmd)
{
	if (mm == &init_mm)
		return;
	if (unlikely(!pmd_uffd_sound(pmd)))
		uffd_wp_write(mm, addr, _RET_IP_);
	ptcheck_replace(mm, addr, pmd_leaf_of(READ_ONCE(*pmdp)), pmd_leaf_of(pmd),
			PMD_SIZE >> PAGE_SHIFT, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pmd_set);

/* Out of line half of ptcheck_pud_set(). */
void __ptcheck_pud_set(struct mm_struct *mm, unsigned long addr, pud_t *pudp,
		       pud_t pud)
{
	if (mm == &init_mm)
		return;
	ptcheck_replace(mm, addr, pud_leaf_of(READ_ONCE(*pudp)), pud_leaf_of(pud),
			PUD_SIZE >> PAGE_SHIFT, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pud_set);

/* Out of line half of ptcheck_pte_change(). */
void __ptcheck_pte_change(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			  pte_t pte)
{
	if (unlikely(!pte_uffd_sound(pte)))
		uffd_wp_write(mm, addr, _RET_IP_);
	ptcheck_replace(mm, addr, ptcheck_pte_leaf(ptep_get(ptep)),
			ptcheck_pte_leaf(pte), 1, _RET_IP_);
}
EXPORT_SYMBOL_GPL(__ptcheck_pte_change);

/* Out of line half of ptcheck_pmd_change(). */
void __ptcheck_pmd_change(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp,
			  pmd_t pmd)
{
	__ptcheck_pmd_set(mm, addr, pmdp, pmd);
}

/* Out of line half of ptcheck_pud_change(). */
void __ptcheck_pud_change(struct mm_struct *mm, unsigned long addr, pud_t *pudp,
			  pud_t pud)
{
	__ptcheck_pud_set(mm, addr, pudp, pud);
}

/* Out of line half of ptcheck_pte_clear(). */
void __ptcheck_pte_clear(struct mm_struct *mm, unsigned long addr, pte_t pte)
{
	if (pte_user_accessible_page(pte) && !pte_special(pte) &&
	    !pte_devmap(pte) && likely(mm != &init_mm))
		unmap(mm, addr, ptcheck_pte_leaf(pte), 1, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pte_clear);

/* Out of line half of ptcheck_pmd_clear(). */
void __ptcheck_pmd_clear(struct mm_struct *mm, unsigned long addr, pmd_t pmd)
{
	struct ptcheck_leaf leaf = pmd_leaf_of(pmd);

	if (leaf.counted && likely(mm != &init_mm))
		unmap(mm, addr, leaf, PMD_SIZE >> PAGE_SHIFT, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pmd_clear);

/* Out of line half of ptcheck_pud_clear(). */
void __ptcheck_pud_clear(struct mm_struct *mm, unsigned long addr, pud_t pud)
{
	struct ptcheck_leaf leaf = pud_leaf_of(pud);

	if (leaf.counted && likely(mm != &init_mm))
		unmap(mm, addr, leaf, PUD_SIZE >> PAGE_SHIFT, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pud_clear);

/* Out of line half of ptcheck_pte_wrprotect(). */
void __ptcheck_pte_wrprotect(struct mm_struct *mm, unsigned long addr, pte_t old)
{
	struct ptcheck_leaf leaf = ptcheck_pte_leaf(old);

	if (leaf.counted && leaf.write)
		apply(mm, addr, leaf.pfn, 1, PTCHECK_DOWNGRADE, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pte_wrprotect);

/* Out of line half of ptcheck_pmd_wrprotect(). */
void __ptcheck_pmd_wrprotect(struct mm_struct *mm, unsigned long addr, pmd_t old)
{
	struct ptcheck_leaf leaf = pmd_leaf_of(old);

	if (leaf.counted && leaf.write)
		apply(mm, addr, leaf.pfn, PMD_SIZE >> PAGE_SHIFT, PTCHECK_DOWNGRADE,
		      _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pmd_wrprotect);

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

	if (mm == &init_mm || pmd_none(pmd) || pmd_bad(pmd) || pmd_leaf(pmd))
		return;
	addr &= PMD_MASK;
	table = pte_offset_map(&pmd, addr);
	if (WARN_ON_ONCE(!table))
		return;
	for (ptep = table; ptep < table + PTRS_PER_PTE; ptep++) {
		__ptcheck_pte_clear(mm, addr, ptep_get(ptep));
		addr += PAGE_SIZE;
	}
	pte_unmap(table);
}
