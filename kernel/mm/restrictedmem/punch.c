// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holes: consumers are told, then the pages go. Of a large page of which only
 * some goes the rest must stay what and where it is, so it is split first.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/swap.h>

#include <trace/events/restrictedmem.h>

#include "internal.h"

#define SPLIT_TRIES	10

/* References that keep a folio in one piece are short: per-CPU lists, copies. */
static int split(struct folio *folio)
{
	int err = -EAGAIN;
	int tries;

	for (tries = 0; tries < SPLIT_TRIES && err; tries++) {
		if (tries == 1)
			lru_add_drain_all();
		if (tries > 1)
			usleep_range(100, 1000);
		folio_lock(folio);
		err = folio_test_large(folio) ? split_folio(folio) : 0;
		folio_unlock(folio);
	}
	return err;
}

/* What cannot be split is emptied: the contents go, the memory stays. */
static void clear_part(struct folio *folio, pgoff_t start, pgoff_t end)
{
	pgoff_t first = max(start, folio->index);
	pgoff_t last = min(end, folio_next_index(folio));
	pgoff_t index;

	folio_lock(folio);
	for (index = first; index < last; index++)
		rmem_clear_page(folio_file_page(folio, index));
	folio_unlock(folio);
}

/* Makes @boundary the first page of a folio, if there is one on both sides. */
static void cut(struct inode *inode, pgoff_t boundary, pgoff_t start,
		pgoff_t end)
{
	struct folio *folio = filemap_get_folio(inode->i_mapping, boundary);

	if (IS_ERR(folio))
		return;
	if (folio->index < boundary && split(folio)) {
		clear_part(folio, start, end);
		rmem_count(RMEM_UNSPLIT, 1);
	}
	folio_put(folio);
}

/* The pages of a large one that goes in part are unmapped with it. */
static void widen(struct inode *inode, pgoff_t *start, pgoff_t *end)
{
	if (!rmem_is_huge(to_rmem(inode)))
		return;
	*start = round_down(*start, HPAGE_PMD_NR);
	*end = round_up(*end, HPAGE_PMD_NR);
}

/*
 * Takes away the pages [@start, @end); what lies past the end of the file is
 * ignored. The next access finds zeroes. May sleep.
 */
void rmem_punch(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct address_space *mapping = inode->i_mapping;
	pgoff_t from = start, to;

	end = min_t(pgoff_t, end, i_size_read(inode) >> PAGE_SHIFT);
	if (start >= end)
		return;
	to = end;
	widen(inode, &from, &to);
	trace_restrictedmem_punch(inode, start, end);
	rmem_count(RMEM_HOLES, 1);

	filemap_invalidate_lock(mapping);
	rmem_invalidate_start(inode, from, to);
	if (rmem_is_huge(to_rmem(inode))) {
		cut(inode, start, start, end);
		cut(inode, end, start, end);
	}
	truncate_inode_pages_range(mapping, (loff_t)start << PAGE_SHIFT,
				   ((loff_t)end << PAGE_SHIFT) - 1);
	rmem_account_settle(inode);
	rmem_forget_failed(to_rmem(inode), start, end);
	rmem_invalidate_end(inode, from, to);
	filemap_invalidate_unlock(mapping);
}
