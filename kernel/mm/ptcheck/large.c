// SPDX-License-Identifier: GPL-2.0-only
/* Page table check: entries of 2 MiB and 1 GiB. */
#include <linux/export.h>
#include <linux/mm.h>

#include "internal.h"
#include "report.h"

#define PMD_PAGES	(PMD_SIZE >> PAGE_SHIFT)
#define PUD_PAGES	(PUD_SIZE >> PAGE_SHIFT)

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
	const struct ptcheck_place at = { .mm = mm, .addr = addr, .ip = ip };

	if (unlikely(!pmd_uffd_sound(__pmd(pmd))))
		ptcheck_uffd_wp_write(&at);
	ptcheck_replace(&at, pmd_leaf_of(READ_ONCE(*pmdp)), pmd_leaf_of(__pmd(pmd)),
			PMD_PAGES);
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
	const struct ptcheck_place at = { .mm = mm, .addr = addr, .ip = ip };

	ptcheck_replace(&at, pud_leaf_of(READ_ONCE(*pudp)), pud_leaf_of(__pud(pud)),
			PUD_PAGES);
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
	const struct ptcheck_place at = { .mm = mm, .addr = addr, .ip = ip };

	ptcheck_replace(&at, pmd_leaf_of(__pmd(pmd)), (struct ptcheck_leaf) { },
			PMD_PAGES);
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
	const struct ptcheck_place at = { .mm = mm, .addr = addr, .ip = ip };

	ptcheck_replace(&at, pud_leaf_of(__pud(pud)), (struct ptcheck_leaf) { },
			PUD_PAGES);
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
	const struct ptcheck_place at = { .mm = mm, .addr = addr, .ip = ip };
	struct ptcheck_leaf leaf = pmd_leaf_of(__pmd(old));

	if (leaf.counted && leaf.write)
		ptcheck_apply(&at, leaf.pfn, PMD_PAGES, PTCHECK_DOWNGRADE);
}

/* Out of line half of ptcheck_pmd_wrprotect(). */
void __ptcheck_callee __ptcheck_pmd_wrprotect(struct mm_struct *mm,
					      unsigned long addr, pmdval_t old)
{
	protect_pmd(mm, addr, old, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pmd_wrprotect);
