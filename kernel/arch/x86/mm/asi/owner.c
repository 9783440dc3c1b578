// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that own local memory.
 *
 * A process becomes an owner before it has an instance, so that what it
 * allocates on the way there is local already ("Support for pre-ASI-init local
 * non-sensitive allocations"). What it owns outlives the process only as long
 * as something uses it, and goes to no other owner before.
 */
#include <linux/nodemask.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "asi.h"
#include "compartment.h"

/* What the process had, once it cannot allocate any more. */
static void reap(struct work_struct *work)
{
	struct asi_owner *owner = container_of(work, struct asi_owner, reap);
	int nid;

	asi_slab_abandon(owner);
	mutex_lock(&asi_instances_lock);
	for (nid = 0; nid < nr_node_ids; nid++) {
		asi_pool_withdraw(&owner->pools[nid]);
		asi_pool_release(&owner->pools[nid], ULONG_MAX);
	}
	mutex_unlock(&asi_instances_lock);
	asi_owner_unref(owner);
}

/**
 * asi_owner_reap - return what has become free of a dead owner
 * @owner: the caller holds a reference
 *
 * Context: any but NMI.
 */
void asi_owner_reap(struct asi_owner *owner)
{
	refcount_inc(&owner->refs);
	if (!queue_work(asi_wq, &owner->reap))
		refcount_dec(&owner->refs);
}

/** asi_owner_unref - drop a reference */
void asi_owner_unref(struct asi_owner *owner)
{
	if (!refcount_dec_and_test(&owner->refs))
		return;
	asi_vmalloc_disclaim(owner->area);
	/* Instances of others that meet one of its compartments look at it. */
	kfree_rcu(owner, rcu);
}

/* An owner that nothing was allocated for. */
static void unmake_owner(struct asi_owner *owner)
{
	asi_slab_abandon(owner);
	asi_owner_unref(owner);
}

static struct asi_owner *make_owner(void)
{
	static atomic64_t last_id = ATOMIC64_INIT(0);
	struct asi_owner *owner;
	int nid;

	owner = kzalloc(struct_size(owner, pools, nr_node_ids),
			GFP_KERNEL_ACCOUNT);
	if (!owner)
		return NULL;

	refcount_set(&owner->refs, 1);
	owner->id = atomic64_inc_return(&last_id);
	hash_init(owner->caches);
	INIT_WORK(&owner->reap, reap);
	for (nid = 0; nid < nr_node_ids; nid++)
		asi_pool_init(&owner->pools[nid], owner, nid);
	owner->area = asi_vmalloc_claim();
	if (asi_slab_adopt(owner)) {
		unmake_owner(owner);
		return NULL;
	}
	return owner;
}

/** asi_owner_of - the owner that @mm is, or NULL */
struct asi_owner *asi_owner_of(struct mm_struct *mm)
{
	/* Pairs with the cmpxchg() that publishes it. */
	return READ_ONCE(mm->context.asi_owner);
}

/**
 * asi_own - let the current process own local memory
 * @mm: its mm
 *
 * Context: may sleep; no locks that allocating memory could need.
 * Return: 0, also if it does already or ASI is off; -ENOMEM.
 */
int asi_own(struct mm_struct *mm)
{
	struct asi_owner *owner;
	int nid;

	if (!asi_enabled() || !asi_wanted() || asi_owner_of(mm))
		return 0;
	owner = make_owner();
	if (!owner)
		return -ENOMEM;
	if (cmpxchg(&mm->context.asi_owner, NULL, owner)) {
		unmake_owner(owner);
		return 0;
	}
	mutex_lock(&asi_instances_lock);
	for (nid = 0; nid < nr_node_ids; nid++)
		asi_pool_publish(&owner->pools[nid]);
	mutex_unlock(&asi_instances_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(asi_own);

/* Out of line half of asi_owner_put(): the last user of the mm is gone. */
void __asi_owner_put(struct asi_owner *owner)
{
	WRITE_ONCE(owner->dead, true);
	/* The reference of the mm becomes that of the work. */
	if (!queue_work(asi_wq, &owner->reap))
		asi_owner_unref(owner);
}
