/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check of HugeTLB entries. They look like those of 4 KiB to the rest
 * of the kernel: only here is it known how many pages one of them maps.
 */
#ifndef _LINUX_PTCHECK_HUGETLB_H
#define _LINUX_PTCHECK_HUGETLB_H

#include <linux/pgtable.h>
#include <linux/ptcheck.h>

#ifdef CONFIG_PTCHECK

void __ptcheck_huge_set(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			pte_t pte, unsigned long size);
pte_t __ptcheck_huge_get_and_clear(struct mm_struct *mm, unsigned long addr,
				   pte_t *ptep, unsigned long size);
pte_t __ptcheck_huge_clear_flush(struct vm_area_struct *vma, unsigned long addr,
				 pte_t *ptep);
void __ptcheck_huge_set_wrprotect(struct mm_struct *mm, unsigned long addr,
				  pte_t *ptep);
int __ptcheck_huge_set_access_flags(struct vm_area_struct *vma,
				    unsigned long addr, pte_t *ptep, pte_t pte,
				    int dirty);

static inline void ptcheck_huge_set(struct mm_struct *mm, unsigned long addr,
				    pte_t *ptep, pte_t pte, unsigned long size)
{
	if (!ptcheck_off())
		__ptcheck_huge_set(mm, addr, ptep, pte, size);
	set_pte(ptep, pte);
}

static inline pte_t ptcheck_huge_get_and_clear(struct mm_struct *mm,
					       unsigned long addr, pte_t *ptep,
					       unsigned long size)
{
	if (!ptcheck_off())
		return __ptcheck_huge_get_and_clear(mm, addr, ptep, size);
	return native_ptep_get_and_clear(ptep);
}

static inline pte_t ptcheck_huge_clear_flush(struct vm_area_struct *vma,
					     unsigned long addr, pte_t *ptep)
{
	if (!ptcheck_off())
		return __ptcheck_huge_clear_flush(vma, addr, ptep);
	return ptep_clear_flush(vma, addr, ptep);
}

static inline void ptcheck_huge_set_wrprotect(struct mm_struct *mm,
					      unsigned long addr, pte_t *ptep)
{
	if (!ptcheck_off())
		__ptcheck_huge_set_wrprotect(mm, addr, ptep);
	else
		ptep_set_wrprotect(mm, addr, ptep);
}

static inline int ptcheck_huge_set_access_flags(struct vm_area_struct *vma,
						unsigned long addr, pte_t *ptep,
						pte_t pte, int dirty)
{
	if (!ptcheck_off())
		return __ptcheck_huge_set_access_flags(vma, addr, ptep, pte, dirty);
	return ptep_set_access_flags(vma, addr, ptep, pte, dirty);
}

#else /* !CONFIG_PTCHECK */

#define ptcheck_huge_set(mm, addr, ptep, pte, size) set_pte_at(mm, addr, ptep, pte)
#define ptcheck_huge_get_and_clear(mm, addr, ptep, size) \
	ptep_get_and_clear(mm, addr, ptep)
#define ptcheck_huge_clear_flush ptep_clear_flush
#define ptcheck_huge_set_wrprotect ptep_set_wrprotect
#define ptcheck_huge_set_access_flags ptep_set_access_flags

#endif /* CONFIG_PTCHECK */
#endif /* _LINUX_PTCHECK_HUGETLB_H */
