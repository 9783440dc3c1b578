// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page frames that no restricted address space may map, whoever asks for it.
 *
 * An owner of memory that calls asi_map() is believed when it says that there is
 * no secret in it, but not that it owns the page: memory of users, of files, of
 * other processes, free memory, and pages shared with other objects are refused.
 */
#define pr_fmt(fmt) "x86/asi: " fmt

#include <linux/mm.h>

#include "../../../../mm/slab.h"
#include "asi.h"
#include "compartment.h"

atomic64_t asi_nr_refused = ATOMIC64_INIT(0);

/**
 * asi_frame_foreign - whether a page belongs to someone else, or to nobody
 * @page: not reserved
 *
 * Free, on an LRU list, anonymous, or of a file.
 */
bool asi_frame_foreign(struct page *page)
{
	struct folio *folio;

	if (PageBuddy(page) || !page_count(compound_head(page)))
		return true;
	folio = page_folio(page);
	/* A slab keeps its own things where others keep the mapping. */
	if (folio_test_slab(folio))
		return false;
	return folio_test_lru(folio) || folio_test_anon(folio) ||
	       folio_test_swapbacked(folio) || folio->mapping;
}

/* Objects of a slab cache that do not have their pages to themselves. */
static bool is_shared(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_test_slab(folio) &&
	       !PAGE_ALIGNED(folio_slab(folio)->slab_cache->size);
}

static bool is_local_elsewhere(const struct asi *asi, unsigned long pfn)
{
	const struct compartment *c;

	guard(rcu)();
	c = compartment_of(pfn);
	return c && c->pool->owner && c->pool->owner != asi->owner;
}

/* Why @asi must not map a page frame, or NULL. */
static const char *objection(const struct asi *asi, unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page)
		return NULL;
	if (PageReserved(page) && asi_image_hides(PFN_PHYS(pfn)))
		return "unlisted variable";
	if (PageReserved(page))
		return NULL;
	if (asi_frame_foreign(page))
		return "memory of somebody else";
	if (is_shared(page))
		return "page shared by objects";
	if (is_local_elsewhere(asi, pfn))
		return "local memory of another process";
	return NULL;
}

static const char *objection_to(const struct asi *asi, unsigned long va)
{
	struct asi_pt_leaf leaf = asi_pt_lookup(asi_full_root(), asi_levels(),
						va);

	/* The caller notices holes. */
	if (!leaf.entry)
		return NULL;
	return objection(asi, PHYS_PFN(asi_pte_phys(leaf.entry, leaf.level) +
				       (va & (asi_pt_size(leaf.level) - 1))));
}

/**
 * asi_frames_refused - whether a range has pages that @asi must not map
 * @asi: instance, or asi_global
 * @start: first address, page aligned
 * @end: one past the last one, page aligned
 *
 * A refusal is counted and logged: whoever asked has a bug. Context: any.
 */
bool asi_frames_refused(const struct asi *asi, unsigned long start,
			unsigned long end)
{
	const char *why;
	unsigned long va;

	for (va = start; va < end; va += PAGE_SIZE) {
		why = objection_to(asi, va);
		if (!why)
			continue;
		atomic64_inc(&asi_nr_refused);
		pr_err_ratelimited("refused to map page %lu of %lu for %s: %s\n",
				   (va - start) / PAGE_SIZE,
				   (end - start) / PAGE_SIZE,
				   asi->class->name, why);
		return true;
	}
	return false;
}
