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
 * The error handler has locked the folio and, had it been a large one, split it.
 * The mark comes first: whoever asks for the page after error() must not get a
 * new one. Without memory for the mark the page stays, and says itself that it
 * failed.
 */
int rmem_error_remove_folio(struct address_space *mapping, struct folio *folio)
{
	struct inode *inode = mapping->host;
	struct restrictedmem_inode *rmem = to_rmem(inode);
	pgoff_t index = folio->index;
	int err;

	trace_restrictedmem_error(inode, index, folio_pfn(folio));
	rmem_count(RMEM_FAILED, 1);
	err = xa_err(xa_store(&rmem->failed, index, xa_mk_value(1),
			      GFP_KERNEL));
	rmem_notify_error(inode, index, folio_next_index(folio));
	if (err)
		return err;
	return generic_error_remove_folio(mapping, folio);
}
