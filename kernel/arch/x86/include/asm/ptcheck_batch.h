/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check of entries that go together, while they are there: under the lock
 * nobody but the processor changes them, and not what counts. The caller holds their
 * pages; a wrong mapping made before they are gone is seen when it changes or goes.
 */
#ifndef _ASM_X86_PTCHECK_BATCH_H
#define _ASM_X86_PTCHECK_BATCH_H

#ifdef CONFIG_PTCHECK

static __always_inline pte_t ptcheck_take(pte_t *ptep, int full)
{
	return full ? native_local_ptep_get_and_clear(ptep) :
		      native_ptep_get_and_clear(ptep);
}

#define get_and_clear_full_ptes get_and_clear_full_ptes
static inline pte_t get_and_clear_full_ptes(struct mm_struct *mm,
					    unsigned long addr, pte_t *ptep,
					    unsigned int nr, int full)
{
	pte_t pte, next;

	ptcheck_ptes_clear(mm, addr, ptep, nr);
	pte = ptcheck_take(ptep, full);
	while (--nr) {
		next = ptcheck_take(++ptep, full);
		pte = pte_dirty(next) ? pte_mkdirty(pte) : pte;
		pte = pte_young(next) ? pte_mkyoung(pte) : pte;
	}
	return pte;
}

#define clear_full_ptes clear_full_ptes
static inline void clear_full_ptes(struct mm_struct *mm, unsigned long addr,
				   pte_t *ptep, unsigned int nr, int full)
{
	ptcheck_ptes_clear(mm, addr, ptep, nr);
	for (; nr; nr--)
		ptcheck_take(ptep++, full);
}

#endif /* CONFIG_PTCHECK */
#endif /* _ASM_X86_PTCHECK_BATCH_H */
