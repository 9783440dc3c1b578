// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compartments: from sensitive memory and back.
 *
 * A block of 2 MiB that becomes a compartment is zeroed, entered into the map,
 * and only then mapped. One that stops being one leaves the map, then all
 * tables, then all translations; then it is zeroed and freed. What happens to its
 * pages in between is in pool.c.
 *
 * Mapping is best effort: whoever misses a compartment in an instance that may
 * see it fills it in on the way out (asi_compartment_fill()).
 */
#define pr_fmt(fmt) "x86/asi: " fmt

#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../../../../mm/internal.h"
#include "asi.h"
#include "check.h"
#include "compartment.h"

/* For what must not wait: growing for atomic allocations, dead owners. */
struct workqueue_struct *asi_wq;

struct compartment **compartment_map;
unsigned long compartment_map_size;

/* When memory has no block to spare, asking for every page would only slow it. */
#define GROW_PAUSE		HZ

struct asi_pool *asi_global_pools;
static LIST_HEAD(pools);		/* asi_instances_lock */
static bool releasing;			/* written with asi_instances_lock */

static void grow_globals(struct work_struct *work);
static DECLARE_WORK(grow_work, grow_globals);

static unsigned long compartment_va(const struct compartment *c)
{
	return (unsigned long)__va(PFN_PHYS(c->pfn));
}

/* From here on the shrinker looks at @pool. */
void asi_pool_publish(struct asi_pool *pool)
{
	lockdep_assert_held(&asi_instances_lock);
	list_add(&pool->node, &pools);
}

/* Until here. Its compartments are released by whoever empties them. */
void asi_pool_withdraw(struct asi_pool *pool)
{
	lockdep_assert_held(&asi_instances_lock);
	list_del_init(&pool->node);
}

/* Whether memory of @c may be seen through @asi. */
static bool is_visible(const struct compartment *c, const struct asi *asi)
{
	return !c->pool->owner || c->pool->owner == asi->owner;
}

/**
 * asi_compartment_kind - what a page frame is to an instance
 * @asi: instance
 * @pfn: page frame
 *
 * Return: ASI_KIND_GLOBAL, ASI_KIND_LOCAL, or ASI_NR_KINDS if @pfn is in no
 * compartment or in one that is somebody else's.
 */
enum asi_kind asi_compartment_kind(const struct asi *asi, unsigned long pfn)
{
	const struct compartment *c = compartment_of(pfn);

	if (!c || !is_visible(c, asi))
		return ASI_NR_KINDS;
	return c->pool->owner ? ASI_KIND_LOCAL : ASI_KIND_GLOBAL;
}

/* Release empties the map first: a compartment found here is in good time. */
static int map_in_locked(struct asi *asi, unsigned long pfn, void **spare)
{
	const struct compartment *c = compartment_of(pfn);

	if (!c || !is_visible(c, asi))
		return -ENOENT;
	return asi_map_block(asi, compartment_va(c), spare);
}

static int map_in(struct asi *asi, unsigned long pfn, gfp_t gfp)
{
	void *spare = NULL;
	unsigned long flags;
	int err;

	do {
		spin_lock_irqsave(&asi->lock, flags);
		err = map_in_locked(asi, pfn, &spare);
		spin_unlock_irqrestore(&asi->lock, flags);
		if (err != -EAGAIN)
			break;
		spare = (void *)get_zeroed_page(gfp | __GFP_ACCOUNT);
		err = -ENOMEM;
	} while (spare);
	free_page((unsigned long)spare);
	return err;
}

/* What is missed for want of memory costs an exit, which maps it. */
static void map_everywhere(const struct compartment *c)
{
	unsigned long flags;
	struct asi *asi;

	spin_lock_irqsave(&asi_instances_spin, flags);
	list_for_each_entry(asi, &asi_instances, instances)
		map_in(asi, c->pfn, GFP_NOWAIT | __GFP_NOWARN);
	spin_unlock_irqrestore(&asi_instances_spin, flags);
}

/**
 * asi_compartment_require - map an object that must not be missed
 * @asi: instance
 * @object: in the direct map
 *
 * It stays until the object is freed.
 *
 * Context: may sleep. Return: 0; -ENOENT if @object is in no compartment that
 * @asi may see; -ENOMEM.
 */
int asi_compartment_require(struct asi *asi, const void *object)
{
	return map_in(asi, PHYS_PFN(__pa(object)), GFP_KERNEL);
}

/**
 * asi_compartment_fill - map what should have been
 * @asi: instance that a fault has just left
 * @address: that was touched
 *
 * Whoever faulted may hold any lock: nothing is waited for or allocated here.
 *
 * Context: any. Return: whether it is mapped now.
 */
bool asi_compartment_fill(struct asi *asi, unsigned long address)
{
	void *none = NULL;
	bool done;

	if (address < PAGE_OFFSET || address >= (unsigned long)high_memory ||
	    !compartment_of(PHYS_PFN(__pa(address))) ||
	    !spin_trylock(&asi->lock))
		return false;
	done = !map_in_locked(asi, PHYS_PFN(__pa(address)), &none);
	spin_unlock(&asi->lock);
	return done;
}

/**
 * asi_compartments_adopt - map what a new instance may see
 * @asi: in the list of instances already, so that none is missed
 */
void asi_compartments_adopt(struct asi *asi)
{
	unsigned long i;

	for (i = 0; i < compartment_map_size; i++)
		if (READ_ONCE(compartment_map[i]))
			map_in(asi, i << COMPARTMENT_ORDER,
			       GFP_NOWAIT | __GFP_NOWARN);
}

/* Free pages of a compartment have no references, and are in no free list. */
static void freeze_pages(struct page *page)
{
	unsigned long i;

	split_page(page, COMPARTMENT_ORDER);
	for (i = 0; i < COMPARTMENT_PAGES; i++)
		set_page_count(page + i, 0);
	kernel_poison_pages(page, COMPARTMENT_PAGES);
}

static struct compartment *make_compartment(struct asi_pool *pool, gfp_t gfp)
{
	struct compartment *c;
	struct page *page;

	c = kzalloc(sizeof(*c), gfp);
	if (!c)
		return NULL;
	page = alloc_pages_node(pool->nid, gfp | __GFP_ZERO, COMPARTMENT_ORDER);
	/* Memory that was added beyond what the firmware had announced. */
	if (page && page_to_pfn(page) >> COMPARTMENT_ORDER >= compartment_map_size) {
		__free_pages(page, COMPARTMENT_ORDER);
		page = NULL;
	}
	if (!page) {
		kfree(c);
		return NULL;
	}
	freeze_pages(page);
	c->pool = pool;
	c->pfn = page_to_pfn(page);
	asi_blocks_init(&c->blocks);
	return c;
}

static void add_compartment(struct asi_pool *pool, struct compartment *c)
{
	if (pool->owner)
		refcount_inc(&pool->owner->refs);
	asi_check_fresh(c);
	/* The content of @c and of its pages, before either can be found. */
	smp_store_release(&compartment_map[c->pfn >> COMPARTMENT_ORDER], c);
	map_everywhere(c);

	asi_pool_add(pool, c);
}

/* One more compartment, without disturbing anybody for it. */
static bool grow_now(struct asi_pool *pool, gfp_t gfp)
{
	struct compartment *c;

	gfp &= GFP_RECLAIM_MASK;
	gfp |= __GFP_THISNODE;
	gfp &= ~(__GFP_NOFAIL | __GFP_RETRY_MAYFAIL | __GFP_MEMALLOC);
	c = make_compartment(pool, gfp | __GFP_NORETRY | __GFP_NOWARN);
	if (!c) {
		WRITE_ONCE(pool->grow_after, jiffies + GROW_PAUSE);
		return false;
	}
	add_compartment(pool, c);
	return true;
}

/**
 * asi_pool_refill - have a compartment made before the last one is used up
 * @pool: whose; those of owners wait for somebody who can wait
 *
 * Context: any but NMI.
 */
void asi_pool_refill(const struct asi_pool *pool)
{
	if (!pool->owner && asi_wq &&
	    time_after_eq(jiffies, READ_ONCE(pool->grow_after)))
		queue_work(asi_wq, &grow_work);
}

/**
 * asi_pool_grow - try to get one more compartment
 * @pool: whose
 * @gfp: of the allocation that found no page; says what may be waited for
 *
 * Return: false if there was none to be had: ordinary memory will do.
 */
bool asi_pool_grow(struct asi_pool *pool, gfp_t gfp)
{
	if (!gfpflags_allow_blocking(gfp) || (current->flags & PF_MEMALLOC)) {
		asi_pool_refill(pool);
		return false;
	}
	if (time_before(jiffies, READ_ONCE(pool->grow_after)))
		return false;
	return grow_now(pool, gfp);
}

static void grow_globals(struct work_struct *work)
{
	int nid;

	for_each_online_node(nid)
		if (READ_ONCE(asi_global_pools[nid].nr_free) < ASI_POOL_LOW)
			asi_pool_grow(&asi_global_pools[nid], GFP_KERNEL);
}

static void unmap_block(struct asi *asi, unsigned long va)
{
	asi_pt_clear(&asi->pt, va, va + COMPARTMENT_SIZE);
	asi_pt_unshare(&asi->pt, va, va + COMPARTMENT_SIZE);
}

static void unmap_batch(struct asi *asi, const struct list_head *batch)
{
	struct compartment *c;
	unsigned long flags;

	spin_lock_irqsave(&asi->lock, flags);
	list_for_each_entry(c, batch, node)
		unmap_block(asi, compartment_va(c));
	spin_unlock_irqrestore(&asi->lock, flags);
	asi_flush(asi);
}

/* Back to the buddy allocator, as the block of 2 MiB that it was. */
static void free_compartment(struct compartment *c)
{
	struct page *page = pfn_to_page(c->pfn);
	struct asi_owner *owner = c->pool->owner;
	unsigned long i;

	debug_pagealloc_map_pages(page, COMPARTMENT_PAGES);
	for (i = 0; i < COMPARTMENT_PAGES; i++)
		clear_page(page_address(page + i));
	set_page_count(page, 1);
	__free_pages(page, COMPARTMENT_ORDER);
	kfree_rcu(c, rcu);
	if (owner)
		asi_owner_unref(owner);
}

/**
 * asi_pool_releasing - whether compartments have left the map, and not all tables
 *
 * For who holds the lock of an instance that may see them: if they have left while
 * it does, they still are. Context: any, the map has been read before.
 */
bool asi_pool_releasing(void)
{
	/* Pairs with the release of the map's entries. */
	smp_rmb();
	return READ_ONCE(releasing);
}

/**
 * asi_pool_release - return empty compartments to the page allocator
 * @pool: whose
 * @max: at most that many
 *
 * One flush for all of them. Context: asi_instances_lock held, interrupts on.
 * Return: how many were returned.
 */
unsigned long asi_pool_release(struct asi_pool *pool, unsigned long max)
{
	struct compartment *c, *next;
	LIST_HEAD(batch);
	unsigned long nr;
	struct asi *asi;

	lockdep_assert_held(&asi_instances_lock);
	nr = asi_pool_take_empty(pool, &batch, max);
	if (!nr)
		return 0;

	WRITE_ONCE(releasing, true);
	list_for_each_entry(c, &batch, node) {
		/* Who no longer finds it must see why: asi_pool_releasing(). */
		smp_store_release(&compartment_map[c->pfn >> COMPARTMENT_ORDER], NULL);
	}
	list_for_each_entry(asi, &asi_instances, instances)
		if (!pool->owner || pool->owner == asi->owner)
			unmap_batch(asi, &batch);
	WRITE_ONCE(releasing, false);
	list_for_each_entry(c, &batch, node)
		asi_check_gone(c);
	list_for_each_entry_safe(c, next, &batch, node)
		free_compartment(c);
	return nr;
}

/* Pages that the shrinker could return, as far as it can tell without waiting. */
static unsigned long count_empty(struct shrinker *shrinker,
				 struct shrink_control *sc)
{
	struct asi_pool *pool;
	unsigned long nr = 0;

	if (!mutex_trylock(&asi_instances_lock))
		return 0;
	list_for_each_entry(pool, &pools, node)
		if (pool->nid == sc->nid)
			nr += asi_pool_count_empty(pool);
	mutex_unlock(&asi_instances_lock);
	return nr ? nr * COMPARTMENT_PAGES : SHRINK_EMPTY;
}

/* Reclaim may run below the lock, in an allocation for an instance. */
static unsigned long scan_empty(struct shrinker *shrinker,
				struct shrink_control *sc)
{
	unsigned long max = DIV_ROUND_UP(sc->nr_to_scan, COMPARTMENT_PAGES);
	struct asi_pool *pool;
	unsigned long nr = 0;

	if (!mutex_trylock(&asi_instances_lock))
		return SHRINK_STOP;
	list_for_each_entry(pool, &pools, node)
		if (pool->nid == sc->nid && nr < max)
			nr += asi_pool_release(pool, max - nr);
	mutex_unlock(&asi_instances_lock);
	return nr ? nr * COMPARTMENT_PAGES : SHRINK_STOP;
}

/**
 * asi_shrink - return all empty compartments now
 *
 * Context: may sleep. Return: how many were returned.
 */
unsigned long asi_shrink(void)
{
	struct asi_pool *pool;
	unsigned long nr = 0;

	mutex_lock(&asi_instances_lock);
	list_for_each_entry(pool, &pools, node)
		nr += asi_pool_release(pool, ULONG_MAX);
	mutex_unlock(&asi_instances_lock);
	return nr;
}

/**
 * asi_compartments_vacate - make a range of memory free of compartments
 * @pfn: first page frame
 * @nr_pages: how many
 *
 * Context: no new ones can appear there. Return: false if some are in use.
 */
bool asi_compartments_vacate(unsigned long pfn, unsigned long nr_pages)
{
	unsigned long end = pfn + nr_pages;

	asi_shrink();
	for (; pfn < end; pfn += COMPARTMENT_PAGES)
		if (compartment_of(pfn))
			return false;
	return true;
}

/** asi_compartments_show - print every pool, and what could not be served */
void asi_compartments_show(struct seq_file *m)
{
	struct asi_pool *pool;

	mutex_lock(&asi_instances_lock);
	list_for_each_entry(pool, &pools, node)
		seq_printf(m, "%s %llu node %d compartments %lu empty %lu free_pages %lu\n",
			   pool->owner ? "local" : "global",
			   pool->owner ? pool->owner->id : 0, pool->nid,
			   pool->nr_compartments, pool->nr_empty, pool->nr_free);
	mutex_unlock(&asi_instances_lock);
	asi_pool_show_unserved(m);
}

static int __init start_housekeeping(void)
{
	struct shrinker *shrinker;

	if (!compartment_map)
		return 0;
	asi_wq = alloc_workqueue("asi", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!asi_wq)
		return -ENOMEM;
	shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, "asi-compartments");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = count_empty;
	shrinker->scan_objects = scan_empty;
	/* Nothing is lost but the work to make them again. */
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker_register(shrinker);
	return 0;
}
core_initcall(start_housekeeping);

/**
 * asi_memory_init - from here on allocations may have classes
 *
 * Context: boot, as soon as there are kmalloc() and vmalloc(). Without memory
 * for the map everything stays sensitive.
 */
void __init asi_memory_init(void)
{
	unsigned long size = DIV_ROUND_UP(max_possible_pfn, COMPARTMENT_PAGES);
	int nid;

	if (!asi_enabled())
		return;

	asi_global_pools = kcalloc(nr_node_ids, sizeof(*asi_global_pools), GFP_KERNEL);
	if (!asi_global_pools)
		return;
	mutex_lock(&asi_instances_lock);
	for (nid = 0; nid < nr_node_ids; nid++) {
		asi_pool_init(&asi_global_pools[nid], NULL, nid);
		asi_pool_publish(&asi_global_pools[nid]);
	}
	mutex_unlock(&asi_instances_lock);

	asi_vmalloc_setup();
	asi_percpu_setup();
	compartment_map = vcalloc(size, sizeof(*compartment_map));
	if (!compartment_map)
		return;
	compartment_map_size = size;
	/* Nothing can wait yet, and what boots now stays for ever. */
	for_each_online_node(nid)
		grow_now(&asi_global_pools[nid], GFP_NOWAIT);
}
