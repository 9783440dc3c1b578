// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: from an entry to the address that it maps.
 *
 * Who changes entries of 4 KiB does not tell, so that nobody has to keep address and
 * process at hand for a report that never comes. A table knows whose it is; where it
 * belongs is looked for.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "internal.h"

/* Where the last table was found: who breaks one rule breaks the next close by. */
static unsigned long hint;

/* Whether @table is what maps @addr. Return: how far it is to the next one. */
static unsigned long step(struct mm_struct *mm, unsigned long addr,
			  const struct page *table, bool *found)
{
	pgd_t *pgdp = pgd_offset(mm, addr);
	pgd_t pgd = READ_ONCE(*pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t pmd;

	*found = false;
	if (!pgd_present(pgd))
		return PGDIR_SIZE;
	p4dp = p4d_offset_lockless(pgdp, pgd, addr);
	p4d = READ_ONCE(*p4dp);
	if (!p4d_present(p4d))
		return P4D_SIZE;
	pudp = pud_offset_lockless(p4dp, p4d, addr);
	pud = READ_ONCE(*pudp);
	if (!pud_present(pud) || pud_leaf(pud))
		return PUD_SIZE;
	pmd = READ_ONCE(*pmd_offset_lockless(pudp, pud, addr));
	*found = pmd_present(pmd) && !pmd_leaf(pmd) && pmd_page(pmd) == table;
	return PMD_SIZE;
}

/* The first address from @addr to @end that @table is for; 0: none of them. */
static unsigned long search(struct mm_struct *mm, const struct page *table,
			    unsigned long addr, unsigned long end)
{
	unsigned long size, flags;
	bool found;

	while (addr < end) {
		/* Tables are not freed meanwhile, as for get_user_pages_fast(). */
		local_irq_save(flags);
		size = step(mm, addr, table, &found);
		local_irq_restore(flags);
		if (found)
			return addr;
		addr = ALIGN_DOWN(addr, size) + size;
	}
	return 0;
}

/**
 * ptcheck_find_entry - which address of which process an entry maps
 * @ptep: an entry of 4 KiB
 * @mm: whose it is; NULL if it is in no table of a process
 * @addr: the address; 0 if the table is not in its place, as it may be while a large
 *	page is split or collapsed
 *
 * A table for the first 2 MiB is not found, where as a rule nothing can be mapped.
 *
 * Context: lock of the table held, by whoever changes the entry. Takes some ns for each
 * 2 MiB that the process has mapped.
 */
void ptcheck_find_entry(const pte_t *ptep, struct mm_struct **mm,
			unsigned long *addr)
{
	unsigned long first, from = READ_ONCE(hint);
	struct page *table;

	*mm = NULL;
	*addr = 0;
	if (!virt_addr_valid(ptep))
		return;
	table = virt_to_page(ptep);
	if (!PageTable(table))
		return;
	*mm = page_ptdesc(table)->pt_mm;
	first = search(*mm, table, from, TASK_SIZE_MAX) ?:
		search(*mm, table, 0, from);
	if (!first)
		return;
	WRITE_ONCE(hint, first);
	*addr = first + offset_in_page(ptep) / sizeof(*ptep) * PAGE_SIZE;
}
