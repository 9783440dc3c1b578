// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of a restricted file: where they come from, and how a consumer
 * inside the kernel gets at them.
 *
 * A page enters the file as it comes from the allocator, and is cleared when it
 * is handed out for the first time: it is up to date from then on, and nobody
 * but this file and the splitter looks at one that is not. It is dirty from the
 * start, so that no cache drops it, and leaves by rmem_punch() or with the file.
 */
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/topology.h>

#include <trace/events/restrictedmem.h>

#include "internal.h"

static int rmem_migrate_folio(struct address_space *mapping, struct folio *dst,
			      struct folio *src, enum migrate_mode mode)
{
	/* Consumers have it mapped by its address. */
	return -EBUSY;
}

const struct address_space_operations rmem_aops = {
	.dirty_folio		= noop_dirty_folio,
	.migrate_folio		= rmem_migrate_folio,
	.error_remove_folio	= rmem_error_remove_folio,
	.free_folio		= rmem_free_folio,
};

/* Large pages are a gift: not worth the OOM killer, nor long compaction. */
static gfp_t alloc_mask(struct address_space *mapping, unsigned int order)
{
	gfp_t gfp = mapping_gfp_mask(mapping);

	if (order)
		gfp |= __GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC;
	return gfp;
}

static struct folio *alloc_folio(struct restrictedmem_inode *rmem,
				 pgoff_t index, gfp_t gfp, unsigned int order)
{
	if (!rmem->policy)
		return folio_alloc(gfp, order);
	return folio_alloc_mpol(gfp, order, rmem->policy, index >> order,
				numa_node_id());
}

/*
 * Adds a folio of @order that holds @index, not cleared yet. Returns it with a
 * reference, or -EEXIST if there is a page already, -ENOMEM.
 */
static struct folio *add_folio(struct inode *inode, pgoff_t index,
			       unsigned int order)
{
	struct restrictedmem_inode *rmem = to_rmem(inode);
	gfp_t gfp = alloc_mask(inode->i_mapping, order);
	struct folio *folio;
	int err;

	index = round_down(index, 1UL << order);
	err = rmem_account(rmem, 1L << order);
	if (err)
		return ERR_PTR(err);
	folio = alloc_folio(rmem, index, gfp, order);
	if (!folio) {
		err = -ENOMEM;
		goto err_unaccount;
	}
	err = filemap_add_folio(inode->i_mapping, folio, index, gfp);
	if (err)
		goto err_put;

	rmem_account_added(rmem, 1L << order);
	folio_mark_dirty(folio);
	rmem_count(RMEM_PAGES, 1L << order);
	/* Memory that failed since the caller looked must not come back as zeroes. */
	if (rmem_has_failed(rmem, index, index + (1UL << order))) {
		folio_cancel_dirty(folio);
		filemap_remove_folio(folio);
		folio_unlock(folio);
		folio_put(folio);
		return ERR_PTR(order ? -EAGAIN : -EHWPOISON);
	}
	folio_unlock(folio);
	trace_restrictedmem_alloc(inode, index, order, folio_pfn(folio));
	rmem_count(order ? RMEM_LARGE : RMEM_SMALL, 1);
	return folio;

err_put:
	folio_put(folio);
err_unaccount:
	rmem_unaccount(rmem, 1L << order);
	return ERR_PTR(err);
}

/* Whether the large page around @index lies in the file and is all sound. */
static bool fits_large(struct inode *inode, pgoff_t index)
{
	pgoff_t start = round_down(index, HPAGE_PMD_NR);
	pgoff_t end = start + HPAGE_PMD_NR;

	return end <= i_size_read(inode) >> PAGE_SHIFT &&
	       !rmem_has_failed(to_rmem(inode), start, end);
}

static struct folio *new_folio(struct inode *inode, pgoff_t index)
{
	struct folio *folio;

	if (rmem_is_huge(to_rmem(inode)) && fits_large(inode, index)) {
		folio = add_folio(inode, index, HPAGE_PMD_ORDER);
		if (!IS_ERR(folio))
			return folio;
	}
	return add_folio(inode, index, 0);
}

/* Failed memory is not replaced. -EEXIST: there is a page already. */
static struct folio *make_folio(struct inode *inode, pgoff_t index)
{
	if (rmem_has_failed(to_rmem(inode), index, index + 1))
		return ERR_PTR(-EHWPOISON);
	return new_folio(inode, index);
}

/* The folio with @index, made if need be. */
static struct folio *get_folio(struct inode *inode, pgoff_t index)
{
	struct folio *folio;

	if (index >= i_size_read(inode) >> PAGE_SHIFT)
		return ERR_PTR(-EINVAL);

	do {
		folio = filemap_get_folio(inode->i_mapping, index);
		if (!IS_ERR(folio))
			return folio;
		folio = make_folio(inode, index);
	} while (folio == ERR_PTR(-EEXIST));
	return folio;
}

/* The first page at @index or after it, or @end. */
static pgoff_t next_page(struct address_space *mapping, pgoff_t index,
			 pgoff_t end)
{
	return xa_find(&mapping->i_pages, &index, end - 1, XA_PRESENT) ?
	       index : end;
}

/*
 * The folio with @index, below @end. One look does for a whole hole, of which
 * *@hole_end is the end; somebody else may fill it meanwhile.
 */
static struct folio *populate_one(struct inode *inode, pgoff_t index,
				  pgoff_t end, pgoff_t *hole_end)
{
	struct folio *folio;

	if (index >= *hole_end)
		*hole_end = next_page(inode->i_mapping, index, end);
	if (index < *hole_end) {
		folio = make_folio(inode, index);
		if (folio != ERR_PTR(-EEXIST))
			return folio;
		*hole_end = index;
	}
	return get_folio(inode, index);
}

/* -EINTR: a signal came; what is there already stays. */
int rmem_populate(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct folio *folio;
	pgoff_t index = start, hole_end = start;

	while (index < end) {
		if (signal_pending(current))
			return -EINTR;
		folio = populate_one(inode, index, end, &hole_end);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		index = folio_next_index(folio);
		folio_put(folio);
		cond_resched();
	}
	return 0;
}

/*
 * Clears a folio that nobody had before. Under its lock: one that has left the
 * file meanwhile must stay as it is, for it is not cleared again.
 */
static int clear_first(struct address_space *mapping, struct folio *folio)
{
	int err = 0;

	folio_lock(folio);
	if (folio->mapping != mapping) {
		err = -EAGAIN;
	} else if (!folio_test_uptodate(folio)) {
		rmem_clear_folio(folio);
		err = rmem_direct_take(folio);
		if (!err)
			folio_mark_uptodate(folio);
	}
	folio_unlock(folio);
	return err;
}

/* get_folio() for those who look inside. */
static struct folio *get_cleared_folio(struct inode *inode, pgoff_t index)
{
	struct folio *folio;
	int err;

	do {
		folio = get_folio(inode, index);
		if (IS_ERR(folio) || folio_test_uptodate(folio))
			return folio;
		err = clear_first(inode->i_mapping, folio);
		if (!err)
			return folio;
		folio_put(folio);
	} while (err == -EAGAIN);
	return ERR_PTR(err);
}

static int sound_page(struct folio *folio, pgoff_t index, struct page **pagep)
{
	struct page *page = folio_file_page(folio, index);

	if (PageHWPoison(page)) {
		folio_put(folio);
		return -EHWPOISON;
	}
	*pagep = page;
	return 0;
}

/**
 * restrictedmem_get_page - a page of a restricted file
 * @file: the file
 * @offset: which page
 * @pagep: where to put it
 * @order: where to put how many pages around it, as a power of two and aligned
 *	   to that, belong to the same large page; or NULL
 *
 * The page is allocated if need be, and zero if nobody had it before. The caller
 * gets a reference, to be dropped with put_page(). A consumer that maps the page
 * need not keep it: its notifier tells when the page goes; who writes to it
 * without being told must. The kernel gets at the contents by
 * restrictedmem_map_local() and restrictedmem_map(), not by page_address().
 *
 * May sleep. Returns 0; -EINVAL: past the end of the file; -EHWPOISON: the
 * memory has failed; -ENOMEM.
 */
int restrictedmem_get_page(struct file *file, pgoff_t offset,
			   struct page **pagep, int *order)
{
	struct folio *folio = get_cleared_folio(file_inode(file), offset);

	if (IS_ERR(folio))
		return PTR_ERR(folio);
	if (order)
		*order = folio_test_has_hwpoisoned(folio) ? 0 :
			 folio_order(folio);
	return sound_page(folio, offset, pagep);
}
EXPORT_SYMBOL_GPL(restrictedmem_get_page);

/**
 * restrictedmem_find_page - a page that somebody has been given already
 * @file: the file
 * @offset: which page
 * @pagep: where to put it
 *
 * As restrictedmem_get_page(), in any context, without allocating or clearing:
 * -ENOENT if there is none, or none that was handed out.
 */
int restrictedmem_find_page(struct file *file, pgoff_t offset,
			    struct page **pagep)
{
	struct folio *folio = filemap_get_folio(file->f_mapping, offset);

	if (IS_ERR(folio))
		return -ENOENT;
	if (!folio_test_uptodate(folio)) {
		folio_put(folio);
		return -ENOENT;
	}
	return sound_page(folio, offset, pagep);
}
EXPORT_SYMBOL_GPL(restrictedmem_find_page);
