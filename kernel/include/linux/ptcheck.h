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

#ifdef CONFIG_PTCHECK
#include <asm/ptcheck.h>
#else
#define __ptcheck_callee
#define __ptcheck_quick
#define ptcheck_call2(fn, ...) fn(__VA_ARGS__)
#define ptcheck_call3(fn, ...) fn(__VA_ARGS__)
#define ptcheck_call4(fn, ...) fn(__VA_ARGS__)
#define ptcheck_call5(fn, ...) fn(__VA_ARGS__)
#endif

#ifdef CONFIG_PAGE_TABLE_CHECK

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

#endif

/* Knows the types above from whoever includes it. */
#include <linux/page_table_check.h>

#ifdef CONFIG_PAGE_TABLE_CHECK

/* Out of line halves of the hooks below. Entries as words: see ptcheck_call3(). */
void __ptcheck_ptes_move(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			 unsigned long nr);
void __ptcheck_quick __ptcheck_ptes_set(struct mm_struct *mm,
					unsigned long addr, pte_t *ptep, pteval_t pte,
					unsigned long nr);
void __ptcheck_quick __ptcheck_pte_set(struct mm_struct *mm, unsigned long addr,
				       pte_t *ptep, pteval_t pte);
void __ptcheck_callee __ptcheck_pmd_set(struct mm_struct *mm,
					unsigned long addr, pmd_t *pmdp, pmdval_t pmd);
void __ptcheck_callee __ptcheck_pud_set(struct mm_struct *mm,
					unsigned long addr, pud_t *pudp, pudval_t pud);
void __ptcheck_quick __ptcheck_ptes_clear(struct mm_struct *mm,
					  unsigned long addr, pte_t *ptep,
					  unsigned long nr);
void __ptcheck_quick __ptcheck_pte_clear(struct mm_struct *mm,
					 unsigned long addr, pteval_t pte);
void __ptcheck_callee __ptcheck_pmd_clear(struct mm_struct *mm,
					  unsigned long addr, pmdval_t pmd);
void __ptcheck_callee __ptcheck_pud_clear(struct mm_struct *mm,
					  unsigned long addr, pudval_t pud);
void __ptcheck_callee __ptcheck_pte_change(struct mm_struct *mm,
					   unsigned long addr, pte_t *ptep, pteval_t pte);
void __ptcheck_quick __ptcheck_pte_wrprotect(struct mm_struct *mm,
					     unsigned long addr, pteval_t old);
void __ptcheck_callee __ptcheck_pmd_wrprotect(struct mm_struct *mm,
					      unsigned long addr, pmdval_t old);

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
	if (ptcheck_off())
		return;
	if (__builtin_constant_p(nr) && nr == 1)
		ptcheck_call4(__ptcheck_pte_set, mm, addr, ptep, native_pte_val(pte));
	else
		ptcheck_call5(__ptcheck_ptes_set, mm, addr, ptep, native_pte_val(pte), nr);
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
static __always_inline void ptcheck_pte_change(struct mm_struct *mm,
					       unsigned long addr, pte_t *ptep,
					       pte_t pte)
{
	if (!ptcheck_off())
		ptcheck_call4(__ptcheck_pte_change, mm, addr, ptep, native_pte_val(pte));
}

static __always_inline void ptcheck_pmd_change(struct mm_struct *mm,
					       unsigned long addr, pmd_t *pmdp,
					       pmd_t pmd)
{
	if (IS_ENABLED(CONFIG_PTCHECK))
		ptcheck_pmd_set(mm, addr, pmdp, pmd);
}

static __always_inline void ptcheck_pud_change(struct mm_struct *mm,
					       unsigned long addr, pud_t *pudp,
					       pud_t pud)
{
	if (IS_ENABLED(CONFIG_PTCHECK))
		ptcheck_pud_set(mm, addr, pudp, pud);
}

/* Present entries are about to be taken out: those for @nr pages of a folio. */
static __always_inline void ptcheck_ptes_clear(struct mm_struct *mm,
					       unsigned long addr, pte_t *ptep,
					       unsigned int nr)
{
	if (!ptcheck_off())
		ptcheck_call4(__ptcheck_ptes_clear, mm, addr, ptep, nr);
}

/* An entry has been taken out. */
static __always_inline void ptcheck_pte_clear(struct mm_struct *mm,
					      unsigned long addr, pte_t pte)
{
	if (!ptcheck_off())
		ptcheck_call3(__ptcheck_pte_clear, mm, addr, native_pte_val(pte));
}

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
static __always_inline void ptcheck_pte_wrprotect(struct mm_struct *mm,
						  unsigned long addr, pte_t old)
{
	if (!ptcheck_off())
		ptcheck_call3(__ptcheck_pte_wrprotect, mm, addr, native_pte_val(old));
}

static __always_inline void ptcheck_pmd_wrprotect(struct mm_struct *mm,
						  unsigned long addr, pmd_t old)
{
	if (!ptcheck_off())
		ptcheck_call3(__ptcheck_pmd_wrprotect, mm, addr, native_pmd_val(old));
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
