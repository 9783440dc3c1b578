// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check by the engine of Linux, behind the same calls: it is told
 * what it has always been told, and nothing of changes in place. For those who
 * want to compare. Each call costs it two instructions more than without us.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/ptcheck.h>

void __ptcheck_ptes_set(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			pteval_t pte, unsigned long nr)
{
	__page_table_check_ptes_set(mm, ptep, __pte(pte), nr);
}
EXPORT_SYMBOL(__ptcheck_ptes_set);

void __ptcheck_pte_set(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
		       pteval_t pte)
{
	__page_table_check_ptes_set(mm, ptep, __pte(pte), 1);
}
EXPORT_SYMBOL(__ptcheck_pte_set);

void __ptcheck_pmd_set(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp,
		       pmdval_t pmd)
{
	__page_table_check_pmd_set(mm, pmdp, __pmd(pmd));
}
EXPORT_SYMBOL(__ptcheck_pmd_set);

void __ptcheck_pud_set(struct mm_struct *mm, unsigned long addr, pud_t *pudp,
		       pudval_t pud)
{
	__page_table_check_pud_set(mm, pudp, __pud(pud));
}
EXPORT_SYMBOL(__ptcheck_pud_set);

void __ptcheck_pte_clear(struct mm_struct *mm, unsigned long addr, pteval_t pte)
{
	__page_table_check_pte_clear(mm, __pte(pte));
}
EXPORT_SYMBOL(__ptcheck_pte_clear);

void __ptcheck_pmd_clear(struct mm_struct *mm, unsigned long addr, pmdval_t pmd)
{
	__page_table_check_pmd_clear(mm, __pmd(pmd));
}
EXPORT_SYMBOL(__ptcheck_pmd_clear);

void __ptcheck_pud_clear(struct mm_struct *mm, unsigned long addr, pudval_t pud)
{
	__page_table_check_pud_clear(mm, __pud(pud));
}
EXPORT_SYMBOL(__ptcheck_pud_clear);

void __ptcheck_zero(struct page *page, unsigned long what)
{
	__page_table_check_zero(page, what & ~PTCHECK_ALLOCATED);
}

/* What it does not look at. */
void __ptcheck_pte_change(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			  pteval_t pte)
{
}
EXPORT_SYMBOL_GPL(__ptcheck_pte_change);

void __ptcheck_pte_wrprotect(struct mm_struct *mm, unsigned long addr,
			     pteval_t old)
{
}
EXPORT_SYMBOL(__ptcheck_pte_wrprotect);

void __ptcheck_pmd_wrprotect(struct mm_struct *mm, unsigned long addr,
			     pmdval_t old)
{
}
EXPORT_SYMBOL(__ptcheck_pmd_wrprotect);
