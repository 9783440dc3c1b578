/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check: what those who change page tables call.
 *
 * Behind these calls is the engine in mm/ptcheck, or that of Linux, which is told what
 * it has always been told. The page allocator calls what linux/page_table_check.h
 * declares, whoever defines it. See Documentation/mm/ptcheck.rst.
 */
#ifndef _LINUX_PTCHECK_H
#define _LINUX_PTCHECK_H

#include <asm/pgtable_types.h>

struct mm_struct;
struct page;

#ifdef CONFIG_PTCHECK
#include <asm/ptcheck.h>

/* Beside the order: the pages are being allocated. */
#define PTCHECK_ALLOCATED	0x100UL

void __ptcheck_quick __ptcheck_zero(struct page *page, unsigned long what);

/* Pages change hands, and the check is on: nothing may map them. */
static __always_inline void ptcheck_allocated(struct page *page,
					      unsigned long order)
{
	ptcheck_call2(__ptcheck_zero, page, order | PTCHECK_ALLOCATED);
}

static __always_inline void ptcheck_freed(struct page *page, unsigned long order)
{
	ptcheck_call2(__ptcheck_zero, page, order);
}

/* Knows the types above from whoever includes it. */
#include <linux/page_table_check.h>

/* Out of line halves of the hooks below. Entries as words: see ptcheck_call3(). */
void __ptcheck_ptes_move(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			 unsigned long nr);
void __ptcheck_callee __ptcheck_pmd_set(struct mm_struct *mm,
					unsigned long addr, pmd_t *pmdp, pmdval_t pmd);
void __ptcheck_callee __ptcheck_pud_set(struct mm_struct *mm,
					unsigned long addr, pud_t *pudp, pudval_t pud);
void __ptcheck_callee __ptcheck_pmd_clear(struct mm_struct *mm,
					  unsigned long addr, pmdval_t pmd);
void __ptcheck_callee __ptcheck_pud_clear(struct mm_struct *mm,
					  unsigned long addr, pudval_t pud);
void __ptcheck_quick __ptcheck_pte_wrprotect(pte_t *ptep, pteval_t old);
void __ptcheck_callee __ptcheck_pmd_wrprotect(struct mm_struct *mm,
					      unsigned long addr, pmdval_t old);

/* Whether the check is off: a branch that is patched out. */
static __always_inline bool ptcheck_off(void)
{
	return static_branch_likely(&page_table_check_disabled);
}

static __always_inline void ptcheck_pmd_set(struct mm_struct *mm,
					    unsigned long addr, pmd_t *pmdp,
					    pmd_t pmd)
{
	if (!ptcheck_off())
		ptcheck_call4(__ptcheck_pmd_set, mm, addr, pmdp, native_pmd_val(pmd));
}

static __always_inline void ptcheck_pud_set(struct mm_struct *mm,
					    unsigned long addr, pud_t *pudp,
					    pud_t pud)
{
	if (!ptcheck_off())
		ptcheck_call4(__ptcheck_pud_set, mm, addr, pudp, native_pud_val(pud));
}

/* An entry is about to change in place, as a rule to become writable. */
#define ptcheck_pmd_change ptcheck_pmd_set
#define ptcheck_pud_change ptcheck_pud_set

/* An entry has been taken out. */
static __always_inline void ptcheck_pmd_clear(struct mm_struct *mm,
					      unsigned long addr, pmd_t pmd)
{
	if (!ptcheck_off())
		ptcheck_call3(__ptcheck_pmd_clear, mm, addr, native_pmd_val(pmd));
}

static __always_inline void ptcheck_pud_clear(struct mm_struct *mm,
					      unsigned long addr, pud_t pud)
{
	if (!ptcheck_off())
		ptcheck_call3(__ptcheck_pud_clear, mm, addr, native_pud_val(pud));
}

/* The entry that was @old has been made read-only. */
static __always_inline void ptcheck_pte_wrprotect(pte_t *ptep, pte_t old)
{
	if (!ptcheck_off())
		ptcheck_call2(__ptcheck_pte_wrprotect, ptep, native_pte_val(old));
}

static __always_inline void ptcheck_pmd_wrprotect(struct mm_struct *mm,
						  unsigned long addr, pmd_t old)
{
	if (!ptcheck_off())
		ptcheck_call3(__ptcheck_pmd_wrprotect, mm, addr, native_pmd_val(old));
}

#else /* !CONFIG_PTCHECK */

#define ptcheck_allocated(page, order) __page_table_check_zero(page, order)
#define ptcheck_freed(page, order) __page_table_check_zero(page, order)

#include <linux/page_table_check.h>

#define ptcheck_set_pte(ptep, pte) set_pte(ptep, pte)
#define ptcheck_take(mm, ptep) ({					\
	pte_t __pte = native_ptep_get_and_clear(ptep);			\
	page_table_check_pte_clear(mm, __pte);				\
	__pte; })
#define ptcheck_take_local(mm, ptep) ({					\
	pte_t __pte = native_local_ptep_get_and_clear(ptep);		\
	page_table_check_pte_clear(mm, __pte);				\
	__pte; })
#define ptcheck_pmd_set(mm, addr, pmdp, pmd) page_table_check_pmd_set(mm, pmdp, pmd)
#define ptcheck_pud_set(mm, addr, pudp, pud) page_table_check_pud_set(mm, pudp, pud)
#define ptcheck_pmd_clear(mm, addr, pmd) page_table_check_pmd_clear(mm, pmd)
#define ptcheck_pud_clear(mm, addr, pud) page_table_check_pud_clear(mm, pud)

/* What Linux does not look at. */
static inline void ptcheck_pmd_change(struct mm_struct *mm, unsigned long addr,
				      pmd_t *pmdp, pmd_t pmd) { }
static inline void ptcheck_pud_change(struct mm_struct *mm, unsigned long addr,
				      pud_t *pudp, pud_t pud) { }
static inline void ptcheck_pte_wrprotect(pte_t *ptep, pte_t old) { }
static inline void ptcheck_pmd_wrprotect(struct mm_struct *mm,
					 unsigned long addr, pmd_t old) { }

#endif /* CONFIG_PTCHECK */
#endif /* _LINUX_PTCHECK_H */
