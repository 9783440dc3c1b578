/* SPDX-License-Identifier: GPL-2.0-only */
/* Compartments and their pools, and the processes that own some. */
#ifndef _ARCH_X86_MM_ASI_COMPARTMENT_H
#define _ARCH_X86_MM_ASI_COMPARTMENT_H

#include <linux/compartment.h>
#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "blocks.h"

struct seq_file;

#define COMPARTMENT_PAGES	BIT(COMPARTMENT_ORDER)
#define COMPARTMENT_SIZE	(PAGE_SIZE << COMPARTMENT_ORDER)

/*
 * Pages that are kept in each pool, for those who cannot wait; SLUB does not want
 * to for large slabs, and would get ordinary memory.
 */
#define ASI_POOL_LOW	128

#define STASH_ORDERS	4
#define STASH_DEPTH	16

/* Blocks that were freed last, and go out first; in use to their compartment. */
struct asi_stash {
	unsigned long pfn[STASH_DEPTH];
	unsigned int nr;
};

/**
 * struct asi_pool - compartments of one class, owner and node
 * @lock: all below, and the blocks of its compartments
 * @stash: by order; a short way for what comes and goes
 * @by_largest: by the order of the largest free block, plus one; 0: full ones.
 *	Allocating from the fullest that fits lets the others become empty.
 * @owner: NULL: global
 * @grow_after: not before that time, in jiffies
 */
struct asi_pool {
	struct list_head node;		/* all pools; asi_instances_lock */
	spinlock_t lock;
	struct asi_stash stash[STASH_ORDERS];
	struct list_head by_largest[ASI_BLOCK_ORDERS + 1];
	unsigned long nr_compartments;
	unsigned long nr_empty;
	unsigned long nr_free;		/* pages */
	struct asi_owner *owner;
	unsigned long grow_after;
	int nid;
};

/* 2 MiB of one class. */
struct compartment {
	struct list_head node;		/* pool->by_largest[] */
	struct asi_pool *pool;
	unsigned long pfn;
	struct asi_blocks blocks;
	struct rcu_head rcu;		/* faults of others still look at it */
};

/**
 * struct asi_owner - a process that has local memory
 * @refs: its mm, its instances, its compartments
 * @dead: the mm is gone; what is left is returned as it becomes free
 * @caches: its copies of the local slab caches, by template; constant while
 *	the mm lives
 * @area: first address of its part of the local vmalloc addresses, or 0
 * @pools: one for each node
 */
struct asi_owner {
	refcount_t refs;
	bool dead;
	u64 id;				/* for names */
	DECLARE_HASHTABLE(caches, 5);
	unsigned long area;
	struct work_struct reap;
	struct rcu_head rcu;
	struct asi_pool pools[];
};

void asi_pool_init(struct asi_pool *pool, struct asi_owner *owner, int nid);
void asi_pool_publish(struct asi_pool *pool);
void asi_pool_withdraw(struct asi_pool *pool);
void asi_pool_add(struct asi_pool *pool, struct compartment *c);
unsigned long asi_pool_take_empty(struct asi_pool *pool,
				  struct list_head *batch, unsigned long max);
unsigned long asi_pool_count_empty(struct asi_pool *pool);
void asi_pool_refill(const struct asi_pool *pool);
bool asi_pool_grow(struct asi_pool *pool, gfp_t gfp);
bool asi_pool_releasing(void);
unsigned long asi_pool_release(struct asi_pool *pool, unsigned long max);
void asi_pool_show_unserved(struct seq_file *m);
extern struct asi_pool *asi_global_pools;	/* one for each node */
extern struct workqueue_struct *asi_wq;

unsigned long asi_shrink(void);
void asi_compartments_show(struct seq_file *m);
int asi_cost_show(struct seq_file *m);

struct asi_owner *asi_owner_of(struct mm_struct *mm);
void asi_owner_unref(struct asi_owner *owner);
void asi_owner_reap(struct asi_owner *owner);

int asi_slab_adopt(struct asi_owner *owner);
void asi_slab_abandon(struct asi_owner *owner);

void asi_vmalloc_setup(void);
unsigned long asi_vmalloc_claim(void);
void asi_vmalloc_disclaim(unsigned long area);

#endif /* _ARCH_X86_MM_ASI_COMPARTMENT_H */
