/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check: set_ptes(), as an architecture may have its own. The first entry, as
 * a rule the only one, is not part of a loop: that would cost it two instructions.
 */
#ifndef _ASM_X86_PTCHECK_SET_H
#define _ASM_X86_PTCHECK_SET_H

#ifdef CONFIG_PTCHECK

#define set_ptes set_ptes
static inline void set_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			    pte_t pte, unsigned int nr)
{
	ptcheck_set_pte(ptep, pte);
	while (unlikely(--nr)) {
		pte = pte_advance_pfn(pte, 1);
		ptcheck_set_pte(++ptep, pte);
	}
}

#endif /* CONFIG_PTCHECK */
#endif /* _ASM_X86_PTCHECK_SET_H */
