// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check of HugeTLB mappings: every page of them.
 *
 * Who else counts the entry of a huge page counts its first 4 KiB; a mapping of
 * the rest by somebody else would go unseen.
 */
#include <linux/export.h>
#include <linux/hugetlb.h>
#include <asm/tlbflush.h>

#include "internal.h"
#include "report.h"

static struct ptcheck_leaf huge_leaf(pte_t pte, unsigned long size)
{
	struct ptcheck_leaf leaf = ptcheck_pte_leaf(pte);

	/* The lowest bit of the address of a large page is a cache type. */
	leaf.pfn &= ~((size >> PAGE_SHIFT) - 1);
	return leaf;
}

/* Out of line half of ptcheck_huge_set(). */
void __ptcheck_huge_set(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			pte_t pte, unsigned long size)
{
	const struct ptcheck_place at = { .mm = mm, .addr = addr, .ip = _RET_IP_ };

	ptcheck_replace(&at, huge_leaf(ptep_get(ptep), size), huge_leaf(pte, size),
			size >> PAGE_SHIFT);
}
EXPORT_SYMBOL(__ptcheck_huge_set);

static pte_t get_and_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			   unsigned long size, unsigned long ip)
{
	const struct ptcheck_place at = { .mm = mm, .addr = addr, .ip = ip };
	pte_t pte = native_ptep_get_and_clear(ptep);

	ptcheck_replace(&at, huge_leaf(pte, size), (struct ptcheck_leaf) { },
			size >> PAGE_SHIFT);
	return pte;
}

/* Out of line half of ptcheck_huge_get_and_clear(). */
pte_t __ptcheck_huge_get_and_clear(struct mm_struct *mm, unsigned long addr,
				   pte_t *ptep, unsigned long size)
{
	return get_and_clear(mm, addr, ptep, size, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_huge_get_and_clear);

/* ptep_clear_flush() for an entry of a huge page. */
pte_t __ptcheck_huge_clear_flush(struct vm_area_struct *vma, unsigned long addr,
				 pte_t *ptep)
{
	unsigned long size = huge_page_size(hstate_vma(vma));
	pte_t pte = get_and_clear(vma->vm_mm, addr, ptep, size, _RET_IP_);

	if (pte_accessible(vma->vm_mm, pte))
		flush_tlb_page(vma, addr);
	return pte;
}

/* The level an entry is on says how large its page is, and cannot be wrong. */
static unsigned long entry_size(struct mm_struct *mm, unsigned long addr,
				pte_t *ptep)
{
	pud_t *pud = pud_offset(p4d_offset(pgd_offset(mm, addr), addr), addr);

	return ptep == (pte_t *)pud ? PUD_SIZE : PMD_SIZE;
}

/* ptep_set_wrprotect() for an entry of a huge page. */
void __ptcheck_huge_set_wrprotect(struct mm_struct *mm, unsigned long addr,
				  pte_t *ptep)
{
	const struct ptcheck_place at = { .mm = mm, .addr = addr, .ip = _RET_IP_ };
	unsigned long size = entry_size(mm, addr, ptep);
	pte_t old = ptep_get(ptep), new;

	do {
		new = pte_wrprotect(old);
	} while (!try_cmpxchg(&ptep->pte, &old.pte, new.pte));
	ptcheck_replace(&at, huge_leaf(old, size), huge_leaf(new, size),
			size >> PAGE_SHIFT);
}

/* ptep_set_access_flags() for an entry of a huge page. */
int __ptcheck_huge_set_access_flags(struct vm_area_struct *vma,
				    unsigned long addr, pte_t *ptep, pte_t pte,
				    int dirty)
{
	const struct ptcheck_place at = {
		.mm = vma->vm_mm, .addr = addr, .ip = _RET_IP_,
	};
	unsigned long size = huge_page_size(hstate_vma(vma));
	int changed = !pte_same(ptep_get(ptep), pte);

	if (changed && dirty) {
		ptcheck_replace(&at, huge_leaf(ptep_get(ptep), size),
				huge_leaf(pte, size), size >> PAGE_SHIFT);
		set_pte(ptep, pte);
	}
	return changed;
}
