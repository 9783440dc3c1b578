// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools: the pages of compartments, from one allocation to the next.
 *
 * Whatever the page allocator is asked for with the flag of a class comes from
 * here, and goes back here. A page never changes its class or owner on the way,
 * so that neither needs a flush. Implements "Add support for locally/globally
 * non-sensitive page allocations" of the RFC.
 */
#define pr_fmt(fmt) "x86/asi: " fmt

#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "../../../../mm/internal.h"
#include "asi.h"
#include "compartment.h"

/* Allocations that named a class and got sensitive memory, and why. */
static atomic64_t nr_ambiguous;
static atomic64_t nr_ordinary;

/* Put @c where its largest free block belongs. */
static void file(struct asi_pool *pool, struct compartment *c)
{
	list_move(&c->node, &pool->by_largest[asi_blocks_largest(&c->blocks) + 1]);
}

static bool is_empty(const struct compartment *c)
{
	return c->blocks.nr_free == ASI_BLOCK_PAGES;
}

void asi_pool_init(struct asi_pool *pool, struct asi_owner *owner, int nid)
{
	int i;

	INIT_LIST_HEAD(&pool->node);
	spin_lock_init(&pool->lock);
	for (i = 0; i <= ASI_BLOCK_ORDERS; i++)
		INIT_LIST_HEAD(&pool->by_largest[i]);
	pool->owner = owner;
	pool->nid = nid;
	pool->grow_after = jiffies;
}

/** asi_pool_add - a new compartment, all of it free */
void asi_pool_add(struct asi_pool *pool, struct compartment *c)
{
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	list_add(&c->node, &pool->by_largest[ASI_BLOCK_ORDERS]);
	pool->nr_compartments++;
	pool->nr_empty++;
	pool->nr_free += COMPARTMENT_PAGES;
	spin_unlock_irqrestore(&pool->lock, flags);
}

/* The fullest compartment that has a free block of @order. */
static struct compartment *find_fitting(struct asi_pool *pool,
					unsigned int order)
{
	unsigned int i;

	lockdep_assert_held(&pool->lock);
	for (i = order + 1; i <= ASI_BLOCK_ORDERS; i++)
		if (!list_empty(&pool->by_largest[i]))
			return list_first_entry(&pool->by_largest[i],
						struct compartment, node);
	return NULL;
}

/* First page frame of a block, 0 if there is none. */
static unsigned long take_block(struct asi_pool *pool, unsigned int order)
{
	struct compartment *c;
	unsigned long pfn;

	lockdep_assert_held(&pool->lock);
	if (order < STASH_ORDERS && pool->stash[order].nr)
		return pool->stash[order].pfn[--pool->stash[order].nr];

	c = find_fitting(pool, order);
	if (!c)
		return 0;
	pool->nr_empty -= is_empty(c);
	pfn = c->pfn + asi_blocks_alloc(&c->blocks, order);
	file(pool, c);
	return pfn;
}

static struct page *take(struct asi_pool *pool, unsigned int order)
{
	unsigned long flags, pfn;
	bool low;

	spin_lock_irqsave(&pool->lock, flags);
	pfn = take_block(pool, order);
	if (pfn)
		pool->nr_free -= 1UL << order;
	low = pool->nr_free < ASI_POOL_LOW;
	spin_unlock_irqrestore(&pool->lock, flags);
	if (low)
		asi_pool_refill(pool);
	return pfn ? pfn_to_page(pfn) : NULL;
}

/* Whether this emptied the compartment that the block is in. */
static bool give_block(struct asi_pool *pool, unsigned long pfn,
		       unsigned int order)
{
	struct compartment *c = compartment_of(pfn);

	lockdep_assert_held(&pool->lock);
	if (WARN_ON_ONCE(!asi_blocks_free(&c->blocks, pfn - c->pfn, order)))
		return false;
	file(pool, c);
	pool->nr_empty += is_empty(c);
	return is_empty(c);
}

/* Compartments can be empty only if nothing of them is put by. */
static void empty_stash(struct asi_pool *pool)
{
	unsigned int order;

	for (order = 0; order < STASH_ORDERS; order++) {
		struct asi_stash *stash = &pool->stash[order];

		while (stash->nr)
			give_block(pool, stash->pfn[--stash->nr], order);
	}
}

/* The pool for an allocation; NULL: it gets ordinary memory. */
static struct asi_pool *pool_for(gfp_t gfp, int nid)
{
	struct asi_owner *owner;

	/* Which of the two was meant? Neither is safe to guess. */
	if ((gfp & __GFP_NONSENSITIVE) == __GFP_NONSENSITIVE) {
		atomic64_inc(&nr_ambiguous);
		pr_warn_once("an allocation names both classes: %pS\n",
			     __builtin_return_address(0));
		return NULL;
	}
	/* vmalloc() adds the flag for high memory, which there is none of. */
	if ((gfp & GFP_ZONEMASK & ~__GFP_HIGHMEM) || !compartment_map)
		return NULL;
	if (nid == NUMA_NO_NODE)
		nid = numa_mem_id();
	if (gfp & __GFP_GLOBAL_NONSENSITIVE)
		return &asi_global_pools[nid];
	owner = in_task() && current->mm ? asi_owner_of(current->mm) : NULL;
	return owner ? &owner->pools[nid] : NULL;
}

/* What prep_new_page() of the page allocator does. */
static void prepare(struct page *page, unsigned int order, gfp_t gfp)
{
	post_alloc_hook(page, order, gfp);
	init_page_count(page);
	if (order && (gfp & __GFP_COMP))
		prep_compound_page(page, order);
	clear_page_pfmemalloc(page);
}

/* Out of line half of compartment_alloc_pages(). */
struct page *__compartment_alloc_pages(gfp_t gfp, unsigned int order, int nid)
{
	struct asi_pool *pool = pool_for(gfp, nid);
	struct page *page;

	if (!pool || order > COMPARTMENT_ORDER)
		return NULL;

	page = take(pool, order);
	if (!page && asi_pool_grow(pool, gfp))
		page = take(pool, order);
	if (page)
		prepare(page, order, gfp);
	else
		atomic64_inc(&nr_ordinary);
	return page;
}

/* Out of line half of compartment_alloc_bulk(). */
int __compartment_alloc_bulk(gfp_t gfp, int nid, int nr, struct page **pages)
{
	struct asi_pool *pool = pool_for(gfp, nid);
	unsigned long flags, pfn;
	int i, taken = 0;

	if (!pool || (memcg_kmem_online() && (gfp & __GFP_ACCOUNT)))
		return 0;

	spin_lock_irqsave(&pool->lock, flags);
	while (taken < nr && !pages[taken]) {
		pfn = take_block(pool, 0);
		if (!pfn)
			break;
		pages[taken++] = pfn_to_page(pfn);
	}
	pool->nr_free -= taken;
	spin_unlock_irqrestore(&pool->lock, flags);

	for (i = 0; i < taken; i++)
		prepare(pages[i], 0, gfp);
	return taken;
}

/* Keep a block for the next who wants one of that size. */
static bool put_by(struct asi_pool *pool, unsigned long pfn, unsigned int order)
{
	struct asi_stash *stash;

	if (order >= STASH_ORDERS || pool->stash[order].nr == STASH_DEPTH)
		return false;
	stash = &pool->stash[order];
	stash->pfn[stash->nr++] = pfn;
	return true;
}

/* Out of line half of compartment_free_pages(). */
void __compartment_free_pages(struct compartment *c, unsigned long pfn,
			      unsigned int order)
{
	struct asi_pool *pool = c->pool;
	struct asi_owner *owner = pool->owner;
	unsigned long flags;
	bool dead;

	spin_lock_irqsave(&pool->lock, flags);
	/* Reaping takes the lock after that is set: it sees what is put by here. */
	dead = owner && READ_ONCE(owner->dead);
	pool->nr_free += 1UL << order;
	if ((dead || !put_by(pool, pfn, order)) &&
	    give_block(pool, pfn, order) && dead)
		/* Its reference is there until the compartment is released. */
		asi_owner_reap(owner);
	spin_unlock_irqrestore(&pool->lock, flags);
}

/**
 * asi_pool_count_empty - how many compartments could be returned
 *
 * Context: any.
 */
unsigned long asi_pool_count_empty(struct asi_pool *pool)
{
	unsigned long flags, nr;

	spin_lock_irqsave(&pool->lock, flags);
	empty_stash(pool);
	nr = pool->nr_empty;
	spin_unlock_irqrestore(&pool->lock, flags);
	return nr;
}

/**
 * asi_pool_take_empty - move empty compartments out of a pool
 * @pool: whose
 * @batch: where to
 * @max: at most that many
 *
 * Context: any. Return: how many there were.
 */
unsigned long asi_pool_take_empty(struct asi_pool *pool,
				  struct list_head *batch, unsigned long max)
{
	struct list_head *empty = &pool->by_largest[ASI_BLOCK_ORDERS];
	unsigned long flags, nr = 0;

	spin_lock_irqsave(&pool->lock, flags);
	empty_stash(pool);
	while (nr < max && !list_empty(empty)) {
		list_move(empty->next, batch);
		nr++;
	}
	pool->nr_compartments -= nr;
	pool->nr_empty -= nr;
	pool->nr_free -= nr * COMPARTMENT_PAGES;
	spin_unlock_irqrestore(&pool->lock, flags);
	return nr;
}

/** asi_pool_show_unserved - print what got ordinary memory instead */
void asi_pool_show_unserved(struct seq_file *m)
{
	seq_printf(m, "ordinary %llu\n", atomic64_read(&nr_ordinary));
	seq_printf(m, "ambiguous %llu\n", atomic64_read(&nr_ambiguous));
}
