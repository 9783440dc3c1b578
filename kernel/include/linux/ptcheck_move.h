/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check of entries that move: what mremap() calls in the place of
 * taking each out and setting it elsewhere. The same page is mapped as before, as
 * often, with the same permission: no count changes, and none need be looked at.
 */
#ifndef _LINUX_PTCHECK_MOVE_H
#define _LINUX_PTCHECK_MOVE_H

#include <linux/pgtable.h>
#include <linux/ptcheck.h>

#ifdef CONFIG_PTCHECK

/*
 * @nr entries from @ptep on, for @addr, get those from @from on: what is there goes.
 * Where execve() moves a stack down the two overlap; from @from on it is what moves
 * itself, and has gone by the time that something arrives there.
 */
static inline void ptcheck_ptes_move(struct mm_struct *mm, unsigned long addr,
				     pte_t *ptep, unsigned long nr,
				     unsigned long from)
{
	if (ptcheck_off())
		return;
	if (from > addr)
		nr = min(nr, (from - addr) >> PAGE_SHIFT);
	__ptcheck_ptes_move(mm, addr, ptep, nr);
}

static inline pte_t ptcheck_move_from(struct mm_struct *mm, unsigned long addr,
				      pte_t *ptep)
{
	return native_ptep_get_and_clear(ptep);
}

static inline void ptcheck_move_to(struct mm_struct *mm, unsigned long addr,
				   pte_t *ptep, pte_t pte)
{
	set_pte(ptep, pte);
}

#else

static inline void ptcheck_ptes_move(struct mm_struct *mm, unsigned long addr,
				     pte_t *ptep, unsigned long nr,
				     unsigned long from) { }

#define ptcheck_move_from(mm, addr, ptep) ptep_get_and_clear(mm, addr, ptep)
#define ptcheck_move_to(mm, addr, ptep, pte) set_pte_at(mm, addr, ptep, pte)

#endif /* CONFIG_PTCHECK */
#endif /* _LINUX_PTCHECK_MOVE_H */
