// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a page: nothing that was in it reaches its next user.
 *
 * A consumer may still hold a reference, to copy something in or because its
 * hardware has the page mapped for good. Such a page is kept aside and cleared
 * once more when nobody else holds it; only then does it go back.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/workqueue.h>

#include "internal.h"

#define RETRY	(HZ / 10)

static void release_kept(struct work_struct *work);

/* Linked through ->private, which a folio without PG_private has for us. */
static struct folio *kept;
static DEFINE_SPINLOCK(kept_lock);
static DECLARE_DELAYED_WORK(kept_work, release_kept);

static void clear_page_at(void *addr)
{
	clear_page(addr);
	restrictedmem_unmap_local(addr);
}

/* Even writing to failed memory can be fatal. */
void rmem_clear_page(struct page *page)
{
	if (!PageHWPoison(page))
		clear_page_at(restrictedmem_map_local(page));
}

/* But for what has failed in it. The caller has the lock, or the only reference. */
void rmem_clear_folio(struct folio *folio)
{
	long i;

	for (i = 0; i < folio_nr_pages(folio); i++)
		rmem_clear_page(folio_page(folio, i));
}

static void keep(struct folio *folio)
{
	spin_lock(&kept_lock);
	folio->private = kept;
	kept = folio;
	spin_unlock(&kept_lock);
	queue_delayed_work(system_unbound_wq, &kept_work, RETRY);
}

static void release_or_keep(struct folio *folio)
{
	if (folio_ref_count(folio) > 1) {
		keep(folio);
		return;
	}
	rmem_clear_folio(folio);
	if (rmem_direct_give(folio))
		keep(folio);
	else
		folio_put(folio);
}

static void release_kept(struct work_struct *work)
{
	struct folio *folio, *next;

	lru_add_drain_all();
	spin_lock(&kept_lock);
	folio = kept;
	kept = NULL;
	spin_unlock(&kept_lock);

	for (; folio; folio = next) {
		next = folio->private;
		folio->private = NULL;
		release_or_keep(folio);
		cond_resched();
	}
}

/* Some of a large page has failed, and it could not be split. */
static bool failed_in_part(struct folio *folio)
{
	return folio_test_large(folio) && folio_test_has_hwpoisoned(folio);
}

/* What refers to the folio are the file, still, and who removed it. */
static bool is_unused(struct folio *folio)
{
	return folio_ref_count(folio) == folio_nr_pages(folio) + 1 ||
	       folio_test_hwpoison(folio);
}

/*
 * The folio has just left its file, and cannot be found any more. It is locked.
 * Nobody can have touched one that was not handed out.
 */
void rmem_free_folio(struct folio *folio)
{
	rmem_count(RMEM_PAGES, -folio_nr_pages(folio));
	if (folio_test_uptodate(folio))
		rmem_clear_folio(folio);
	if (failed_in_part(folio)) {
		/* Never to be freed: somebody would get the page that failed. */
		folio_get(folio);
		return;
	}
	if (!folio_test_uptodate(folio))
		return;
	if (is_unused(folio) && !rmem_direct_give(folio))
		return;
	rmem_count(RMEM_KEPT, folio_nr_pages(folio));
	folio_get(folio);
	keep(folio);
}
