/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check: what those who change page tables call.
 *
 * They tell the address, and of entries that change in place. Behind these calls
 * is the engine in mm/ptcheck or, through mm/ptcheck/linux.c, that of Linux. The
 * page allocator calls what linux/page_table_check.h declares, whoever defines it.
 * See Documentation/mm/ptcheck.rst.
 */
#ifndef _LINUX_PTCHECK_H
#define _LINUX_PTCHECK_H

#include <asm/pgtable_types.h>

struct mm_struct;
struct page;

/* Knows the types above from whoever includes it. */
#include <linux/page_table_check.h>

#ifdef CONFIG_PAGE_TABLE_CHECK

void __ptcheck_ptes_set(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			pte_t pte, unsigned int nr);
void __ptcheck_pmd_set(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp,
		       pmd_t pmd);
void __ptcheck_pud_set(struct mm_struct *mm, unsigned long addr, pud_t *pudp,
		       pud_t pud);
void __ptcheck_pte_clear(struct mm_struct *mm, unsigned long addr, pte_t pte);
void __ptcheck_pmd_clear(struct mm_struct *mm, unsigned long addr, pmd_t pmd);
void __ptcheck_pud_clear(struct mm_struct *mm, unsigned long addr, pud_t pud);
void __ptcheck_pte_change(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			  pte_t pte);
void __ptcheck_pmd_change(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp,
			  pmd_t pmd);
void __ptcheck_pud_change(struct mm_struct *mm, unsigned long addr, pud_t *pudp,
			  pud_t pud);
void __ptcheck_pte_wrprotect(struct mm_struct *mm, unsigned long addr, pte_t old);
void __ptcheck_pmd_wrprotect(struct mm_struct *mm, unsigned long addr, pmd_t old);

/* Whether the check is off: a branch that is patched out. */
static __always_inline bool ptcheck_off(void)
{
	return static_branch_likely(&page_table_check_disabled);
}

/* Entries are about to be overwritten: those for @nr pages from @addr on. */
static __always_inline void ptcheck_ptes_set(struct mm_struct *mm,
					     unsigned long addr, pte_t *ptep,
					     pte_t pte, unsigned int nr)
{
	if (!ptcheck_off())
		__ptcheck_ptes_set(mm, addr, ptep, pte, nr);
}

static __always_inline void ptcheck_pmd_set(struct mm_struct *mm,
					    unsigned long addr, pmd_t *pmdp,
					    pmd_t pmd)
{
	if (!ptcheck_off())
		__ptcheck_pmd_set(mm, addr, pmdp, pmd);
}

static __always_inline void ptcheck_pud_set(struct mm_struct *mm,
					    unsigned long addr, pud_t *pudp,
					    pud_t pud)
{
	if (!ptcheck_off())
		__ptcheck_pud_set(mm, addr, pudp, pud);
}

/* An entry is about to change in place, as a rule to become writable. */
static __always_inline void ptcheck_pte_change(struct mm_struct *mm,
					       unsigned long addr, pte_t *ptep,
					       pte_t pte)
{
	if (!ptcheck_off())
		__ptcheck_pte_change(mm, addr, ptep, pte);
}

static __always_inline void ptcheck_pmd_change(struct mm_struct *mm,
					       unsigned long addr, pmd_t *pmdp,
					       pmd_t pmd)
{
	if (!ptcheck_off())
		__ptcheck_pmd_change(mm, addr, pmdp, pmd);
}

static __always_inline void ptcheck_pud_change(struct mm_struct *mm,
					       unsigned long addr, pud_t *pudp,
					       pud_t pud)
{
	if (!ptcheck_off())
		__ptcheck_pud_change(mm, addr, pudp, pud);
}

/* An entry has been taken out. */
static __always_inline void ptcheck_pte_clear(struct mm_struct *mm,
					      unsigned long addr, pte_t pte)
{
	if (!ptcheck_off())
		__ptcheck_pte_clear(mm, addr, pte);
}

static __always_inline void ptcheck_pmd_clear(struct mm_struct *mm,
					      unsigned long addr, pmd_t pmd)
{
	if (!ptcheck_off())
		__ptcheck_pmd_clear(mm, addr, pmd);
}

static __always_inline void ptcheck_pud_clear(struct mm_struct *mm,
					      unsigned long addr, pud_t pud)
{
	if (!ptcheck_off())
		__ptcheck_pud_clear(mm, addr, pud);
}

/* The entry that was @old has been made read-only. */
static __always_inline void ptcheck_pte_wrprotect(struct mm_struct *mm,
						  unsigned long addr, pte_t old)
{
	if (!ptcheck_off())
		__ptcheck_pte_wrprotect(mm, addr, old);
}

static __always_inline void ptcheck_pmd_wrprotect(struct mm_struct *mm,
						  unsigned long addr, pmd_t old)
{
	if (!ptcheck_off())
		__ptcheck_pmd_wrprotect(mm, addr, old);
}

#else /* !CONFIG_PAGE_TABLE_CHECK */

static inline void ptcheck_ptes_set(struct mm_struct *mm, unsigned long addr,
				    pte_t *ptep, pte_t pte, unsigned int nr) { }
static inline void ptcheck_pmd_set(struct mm_struct *mm, unsigned long addr,
				   pmd_t *pmdp, pmd_t pmd) { }
static inline void ptcheck_pud_set(struct mm_struct *mm, unsigned long addr,
				   pud_t *pudp, pud_t pud) { }
static inline void ptcheck_pte_change(struct mm_struct *mm, unsigned long addr,
				      pte_t *ptep, pte_t pte) { }
static inline void ptcheck_pmd_change(struct mm_struct *mm, unsigned long addr,
				      pmd_t *pmdp, pmd_t pmd) { }
static inline void ptcheck_pud_change(struct mm_struct *mm, unsigned long addr,
				      pud_t *pudp, pud_t pud) { }
static inline void ptcheck_pte_clear(struct mm_struct *mm, unsigned long addr,
				     pte_t pte) { }
static inline void ptcheck_pmd_clear(struct mm_struct *mm, unsigned long addr,
				     pmd_t pmd) { }
static inline void ptcheck_pud_clear(struct mm_struct *mm, unsigned long addr,
				     pud_t pud) { }
static inline void ptcheck_pte_wrprotect(struct mm_struct *mm,
					 unsigned long addr, pte_t old) { }
static inline void ptcheck_pmd_wrprotect(struct mm_struct *mm,
					 unsigned long addr, pmd_t old) { }

#endif /* CONFIG_PAGE_TABLE_CHECK */
#endif /* _LINUX_PTCHECK_H */
