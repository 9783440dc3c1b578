// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that fails. The page leaves the file, so that the machine can set it
 * aside, and its place is remembered: nobody may take what the file gives there
 * for what the guest had written. A hole punched over it makes it usable again.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>

#include <trace/events/restrictedmem.h>

#include "internal.h"

bool rmem_has_failed(struct restrictedmem_inode *rmem, pgoff_t start,
		     pgoff_t end)
{
	return !xa_empty(&rmem->failed) &&
	       xa_find(&rmem->failed, &start, end - 1, XA_PRESENT);
}

void rmem_forget_failed(struct restrictedmem_inode *rmem, pgoff_t start,
			pgoff_t end)
{
	unsigned long index;
	void *entry;

	xa_for_each_range(&rmem->failed, index, entry, start, end - 1)
		xa_erase(&rmem->failed, index);
}

/*
 * The mark comes first: whoever asks for the page after error() must not get a
 * new one. Without memory for the mark the page must stay, and says itself that
 * it failed.
 */
static int mark_failed(struct inode *inode, pgoff_t index, unsigned long pfn)
{
	struct restrictedmem_inode *rmem = to_rmem(inode);
	int err;

	trace_restrictedmem_error(inode, index, pfn);
	rmem_count(RMEM_FAILED, 1);
	err = xa_err(xa_store(&rmem->failed, index, xa_mk_value(1),
			      GFP_KERNEL));
	rmem_notify_error(inode, index, index + 1);
	return err;
}

/* The error handler has locked the folio and, had it been large, split it. */
int rmem_error_remove_folio(struct address_space *mapping, struct folio *folio)
{
	int err = mark_failed(mapping->host, folio->index, folio_pfn(folio));

	if (err)
		return err;
	return generic_error_remove_folio(mapping, folio);
}

/**
 * restrictedmem_unsplit_error - some of a large folio failed, and it is not split
 * @folio: any folio; the caller has a reference, and not the lock
 * @page: the page that failed, marked as such
 *
 * The error handler gives up on such a folio and would tell nobody: it stays in
 * its file, the rest of it is used on, and the owners of a restricted file are
 * told here. May sleep.
 */
void restrictedmem_unsplit_error(struct folio *folio, struct page *page)
{
	struct address_space *mapping;

	folio_lock(folio);
	mapping = folio_mapping(folio);
	if (mapping && mapping->a_ops == &rmem_aops)
		mark_failed(mapping->host,
			    folio->index + folio_page_idx(folio, page),
			    page_to_pfn(page));
	folio_unlock(folio);
}
