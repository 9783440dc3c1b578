// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of kernel pages change: caching, permissions, presence.
 *
 * A leaf with the old attributes would alias the page, or keep what has just
 * been taken out of the direct map. Compartments follow the full tables, because
 * beside that page there may be tasks, without which no fault can be handled: the
 * large leaf becomes the table that the full tables now have. Other leaves go and
 * do not come back: what is missed costs an exit. Tables that instances share
 * with the full ones need nothing.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include "asi.h"
#include "check.h"
#include "compartment.h"

/* The part of a range of addresses that is in the direct map, as page frames. */
struct frames {
	unsigned long first;
	unsigned long end;
};

static struct frames direct_map(unsigned long start, unsigned long end)
{
	unsigned long top = (unsigned long)high_memory;

	start = max(start, PAGE_OFFSET);
	end = min(end, top);
	if (start >= end)
		return (struct frames) { };
	return (struct frames) {
		PHYS_PFN(__pa(start)), PHYS_PFN(__pa(end - 1)) + 1
	};
}

static unsigned long next_block(unsigned long pfn)
{
	return ALIGN(pfn + 1, COMPARTMENT_PAGES);
}

/* Pages of one block: its entry, or where there is a table of our own, theirs. */
static void follow_block(struct asi *asi, unsigned long va, unsigned long end)
{
	unsigned long block = va & ~(COMPARTMENT_SIZE - 1);

	if (asi_pt_update(&asi->pt, block, ASI_PT_2M,
			  asi_full_entry(block, ASI_PT_2M)))
		return;
	for (; va < end; va += PAGE_SIZE)
		asi_pt_update(&asi->pt, va, ASI_PT_4K,
			      asi_full_entry(va, ASI_PT_4K));
}

static void follow_full(struct asi *asi, struct frames f)
{
	unsigned long pfn, end;

	for (pfn = f.first; pfn < f.end; pfn = end) {
		end = min(next_block(pfn), f.end);
		if (compartment_of(pfn))
			follow_block(asi, (unsigned long)__va(PFN_PHYS(pfn)),
				     (unsigned long)__va(PFN_PHYS(end)));
	}
}

/* Take out what of [@start, @end) can be missed, at the cost of an exit. */
static void drop_regions(struct asi *asi, unsigned long start,
			 unsigned long end)
{
	struct asi_region *r;

	list_for_each_entry(r, &asi->regions, node) {
		if (r->kind != ASI_KIND_VM && r->kind != ASI_KIND_OTHER)
			continue;
		if (r->start < end && r->end > start)
			asi_pt_clear(&asi->pt, max(r->start, start),
				     min(r->end, end));
	}
}

/**
 * __asi_attr_changed - attributes of kernel pages have changed
 * @address: first page, in the direct map or elsewhere
 * @nr_pages: how many
 *
 * The caller flushes kernel mappings afterwards, which makes every restricted
 * PCID stale. Nothing changes the attributes of stacks, tasks or per-CPU memory
 * while they are in use.
 *
 * Context: any but NMI.
 */
void __asi_attr_changed(unsigned long address, unsigned long nr_pages)
{
	unsigned long start = address & PAGE_MASK;
	unsigned long end = start + (nr_pages << PAGE_SHIFT);
	struct frames frames = direct_map(start, end);
	unsigned long flags;
	struct asi *asi;

	spin_lock_irqsave(&asi_instances_spin, flags);
	list_for_each_entry(asi, &asi_instances, instances) {
		spin_lock(&asi->lock);
		drop_regions(asi, start, end);
		follow_full(asi, frames);
		asi_check_attr(asi->pt.root, start, end);
		spin_unlock(&asi->lock);
	}
	spin_unlock_irqrestore(&asi_instances_spin, flags);
	asi_check_attr(asi_full_root(), start, end);
}
EXPORT_SYMBOL_NS_GPL(__asi_attr_changed, ASI_TEST);
