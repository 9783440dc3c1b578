/* SPDX-License-Identifier: GPL-2.0-only */
/* Page table check: whose a table of entries is, for who is told of an entry only. */
#ifndef _LINUX_PTCHECK_TABLE_H
#define _LINUX_PTCHECK_TABLE_H

#include <linux/mm_types.h>

#ifdef CONFIG_PTCHECK

/* A table has been allocated for @mm, or NULL. With the check off, too: it stays. */
static inline pgtable_t ptcheck_own_table(pgtable_t table, struct mm_struct *mm)
{
	if (table)
		page_ptdesc(table)->pt_mm = mm;
	return table;
}

#else

#define ptcheck_own_table(table, mm) (table)

#endif /* CONFIG_PTCHECK */
#endif /* _LINUX_PTCHECK_TABLE_H */
