// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local slab caches: each owner's copies of the templates.
 *
 * SLUB caches free slabs and partly used ones for whoever comes next, so that a
 * cache cannot be shared by owners. Copies are made when a process becomes an
 * owner, not when it first allocates, which may be in any context.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../../../../mm/asi_slab.h"
#include "asi.h"
#include "compartment.h"

/* One owner's copy of a template. */
struct local_cache {
	struct hlist_node node;		/* owner->caches, by template */
	struct kmem_cache *template;
	struct kmem_cache *copy;
};

/* Out of line half of asi_slab_cache(). */
struct kmem_cache *__asi_slab_cache(struct kmem_cache *s)
{
	struct local_cache *local;
	struct asi_owner *owner;

	if (!in_task() || !current->mm)
		return s;
	owner = asi_owner_of(current->mm);
	if (!owner)
		return s;
	hash_for_each_possible(owner->caches, local, node, (unsigned long)s)
		if (local->template == s)
			return local->copy;
	return s;
}

/* The next template after @prev, pinned; NULL: no more. */
static struct kmem_cache *next_template(struct kmem_cache *prev)
{
	struct kmem_cache *s = NULL;

	mutex_lock(&slab_mutex);
	s = list_prepare_entry(prev, &slab_caches, list);
	list_for_each_entry_continue(s, &slab_caches, list) {
		if (asi_slab_is_local(s->flags)) {
			s->refcount++;
			mutex_unlock(&slab_mutex);
			return s;
		}
	}
	mutex_unlock(&slab_mutex);
	return NULL;
}

#ifdef CONFIG_HARDENED_USERCOPY
static void copy_usercopy(struct kmem_cache_args *args, struct kmem_cache *s)
{
	args->useroffset = s->useroffset;
	args->usersize = s->usersize;
}
#else
static void copy_usercopy(struct kmem_cache_args *args, struct kmem_cache *s) { }
#endif

static struct kmem_cache *copy_cache(struct kmem_cache *s,
				     struct asi_owner *owner)
{
	struct kmem_cache_args args = {
		.align = s->align,
		.ctor = s->ctor,
	};
	slab_flags_t flags = s->flags & (SLAB_CORE_FLAGS | SLAB_ACCOUNT |
					 SLAB_RECLAIM_ACCOUNT);
	struct kmem_cache *copy;
	char *name;

	copy_usercopy(&args, s);
	name = kasprintf(GFP_KERNEL, "%s-%llu", s->name, owner->id);
	if (!name)
		return NULL;
	flags = (flags & ~(SLAB_NONSENSITIVE | SLAB_PANIC)) | SLAB_LOCAL_OWNED;
	copy = kmem_cache_create(name, s->object_size, &args, flags);
	kfree(name);
	return copy;
}

static int add_copy(struct asi_owner *owner, struct kmem_cache *template)
{
	struct local_cache *local;

	local = kmalloc(sizeof(*local), GFP_KERNEL);
	if (!local)
		return -ENOMEM;
	local->template = template;
	local->copy = copy_cache(template, owner);
	if (!local->copy) {
		kfree(local);
		return -ENOMEM;
	}
	hash_add(owner->caches, &local->node, (unsigned long)template);
	return 0;
}

/**
 * asi_slab_adopt - give a new owner its copies of all local caches
 * @owner: not yet published
 *
 * Return: 0 or -ENOMEM; asi_slab_abandon() undoes it in either case.
 */
int asi_slab_adopt(struct asi_owner *owner)
{
	struct kmem_cache *s = NULL;

	/* The copy holds the template that its successor is looked up from. */
	while ((s = next_template(s))) {
		if (add_copy(owner, s)) {
			kmem_cache_destroy(s);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * asi_slab_abandon - destroy an owner's copies, and let go of the templates
 * @owner: no task can allocate for it any more
 *
 * Context: may sleep.
 */
void asi_slab_abandon(struct asi_owner *owner)
{
	struct local_cache *local;
	struct hlist_node *next;
	int bucket;

	if (hash_empty(owner->caches))
		return;
	/* Objects that wait for a grace period to be freed. */
	kvfree_rcu_barrier();
	rcu_barrier();
	hash_for_each_safe(owner->caches, bucket, next, local, node) {
		hash_del(&local->node);
		kmem_cache_destroy(local->copy);
		kmem_cache_destroy(local->template);
		kfree(local);
	}
}
