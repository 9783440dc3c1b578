// SPDX-License-Identifier: GPL-2.0-only
/*
 * Classes and instances: registration, life and death.
 *
 * Implements "Introduce ASI core API" and "Added refcounting when initilizing
 * an asi" of the RFC, without its limit of one instance per class and process.
 */
#define pr_fmt(fmt) "x86/asi: " fmt

#include <linux/gfp.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/page.h>

#include "asi.h"
#include "check.h"
#include "compartment.h"

LIST_HEAD(asi_instances);
/* The list, the classes, what is global, and which tasks are mapped where. */
DEFINE_MUTEX(asi_instances_lock);
EXPORT_SYMBOL_NS_GPL(asi_instances_lock, ASI_TEST);
/* The list, for readers that cannot sleep. Outside every asi->lock. */
DEFINE_SPINLOCK(asi_instances_spin);

static const struct asi_class *classes[ASI_MAX_CLASSES];
static atomic64_t last_id = ATOMIC64_INIT(0);

/**
 * asi_register_class - announce a use of restricted address spaces
 * @class: stays valid until asi_unregister_class(); a constant, since the
 *	switch reads it on restricted tables
 *
 * Context: may sleep.
 * Return: class id for asi_init(), at least 1; -EINVAL without a name, with one
 * that is too long, or for a variable that is not mapped; -EEXIST if the name is
 * taken, -ENOSPC if all ASI_MAX_CLASSES are.
 */
int asi_register_class(const struct asi_class *class)
{
	int free = -ENOSPC;
	int id;

	if (!class || !class->name || !*class->name || strlen(class->name) > 15)
		return -EINVAL;
	if ((unsigned long)class >= __START_KERNEL_map &&
	    asi_image_kind((unsigned long)class) == ASI_NR_KINDS)
		return -EINVAL;

	mutex_lock(&asi_instances_lock);
	for (id = ASI_MAX_CLASSES - 1; id > ASI_CLASS_GLOBAL; id--) {
		if (!classes[id]) {
			free = id;
		} else if (!strcmp(classes[id]->name, class->name)) {
			free = -EEXIST;
			break;
		}
	}
	if (free > 0)
		classes[free] = class;
	mutex_unlock(&asi_instances_lock);
	return free;
}
EXPORT_SYMBOL_GPL(asi_register_class);

/**
 * asi_unregister_class - take back a class
 * @id: from asi_register_class(); no instance of it may be left
 *
 * Context: may sleep.
 */
void asi_unregister_class(int id)
{
	struct asi *asi;

	if (WARN_ON_ONCE(id <= ASI_CLASS_GLOBAL || id >= ASI_MAX_CLASSES))
		return;

	mutex_lock(&asi_instances_lock);
	list_for_each_entry(asi, &asi_instances, instances)
		if (WARN_ON_ONCE(asi->class_id == id))
			goto out_unlock;
	classes[id] = NULL;
out_unlock:
	mutex_unlock(&asi_instances_lock);
}
EXPORT_SYMBOL_GPL(asi_unregister_class);

const struct asi_class *asi_class(int id)
{
	if (id <= ASI_CLASS_GLOBAL || id >= ASI_MAX_CLASSES)
		return NULL;
	return classes[id];
}

/* An instance with empty tables, not yet in the list. */
struct asi *asi_alloc(int class_id, const struct asi_class *class)
{
	struct asi *asi = kzalloc(asi_own_size(sizeof(*asi)),
				  GFP_KERNEL_ACCOUNT);

	if (!asi)
		return NULL;

	asi->pt.root = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO,
						ASI_PGD_ORDER);
	if (!asi->pt.root) {
		kfree(asi);
		return NULL;
	}

	asi->pt.levels = asi_levels();
	asi->pgd_pa = __pa(asi->pt.root);
	asi->id = atomic64_inc_return(&last_id);
	asi->class = class;
	asi->class_id = class_id;
	refcount_set(&asi->refs, 1);
	atomic64_set(&asi->tlb_gen, 1);
	/* Until asi_init() knows better: the same once more. */
	asi->user_gen = &asi->tlb_gen;
	spin_lock_init(&asi->lock);
	INIT_LIST_HEAD(&asi->regions);
	INIT_LIST_HEAD(&asi->instances);
	INIT_LIST_HEAD(&asi->tasks);
	return asi;
}

static void free_table(void *table)
{
	free_page((unsigned long)table);
}

/*
 * The tables go back to the allocator only when no CPU can walk them: the flush
 * drives out whoever is inside, and the id, which no later instance has, keeps
 * what their PCIDs cache from being used again.
 */
void asi_free(struct asi *asi)
{
	asi_user_forget(asi);
	asi_flush(asi);
	asi_forget_regions(asi);
	asi_pt_free(&asi->pt, free_table);
	free_pages((unsigned long)asi->pt.root, ASI_PGD_ORDER);
	if (asi->owner)
		asi_owner_unref(asi->owner);
	if (asi->mm)
		mmdrop(asi->mm);
	kfree(asi);
}

/*
 * Every interrupt accounts to the process, and the switch reads the generation
 * of its translations. The page is whole, and stays while @asi has @mm.
 */
static int map_mm(struct asi *asi, struct mm_struct *mm)
{
	/* In the kernel image, and without user memory. */
	if (mm == &init_mm)
		return 0;
	asi->user_gen = &mm->context.tlb_gen;
	return asi_map(asi, mm, ksize(mm), ASI_KIND_TASK);
}

static void publish(struct asi *asi)
{
	unsigned long flags;

	lockdep_assert_held(&asi_instances_lock);
	spin_lock_irqsave(&asi_instances_spin, flags);
	list_add_tail(&asi->instances, &asi_instances);
	spin_unlock_irqrestore(&asi_instances_spin, flags);
}

static void withdraw(struct asi *asi)
{
	unsigned long flags;

	mutex_lock(&asi_instances_lock);
	spin_lock_irqsave(&asi_instances_spin, flags);
	list_del(&asi->instances);
	spin_unlock_irqrestore(&asi_instances_spin, flags);
	mutex_unlock(&asi_instances_lock);
}

/**
 * asi_init - make a restricted address space
 * @mm: the process it belongs to; any number of instances may
 * @class_id: from asi_register_class()
 * @out: the instance, with one reference, on success; NULL otherwise
 *
 * The instance maps what every instance maps, itself and @mm, nothing else.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL for an unknown class or no mm, -EOPNOTSUPP if ASI is off,
 * -ENOMEM.
 */
int asi_init(struct mm_struct *mm, int class_id, struct asi **out)
{
	const struct asi_class *class = asi_class(class_id);
	struct asi *asi;
	int err;

	*out = NULL;
	if (!asi_enabled())
		return -EOPNOTSUPP;
	if (!class || !mm)
		return -EINVAL;

	asi = asi_alloc(class_id, class);
	if (!asi)
		return -ENOMEM;
	mmgrab(mm);
	asi->mm = mm;
	asi->owner = asi_owner_of(mm);
	if (asi->owner)
		refcount_inc(&asi->owner->refs);

	err = asi_map(asi, asi, sizeof(*asi), ASI_KIND_INSTANCE) ?:
	      map_mm(asi, mm);
	if (err)
		goto err_free;

	mutex_lock(&asi_instances_lock);
	err = asi_global_adopt(asi);
	if (!err)
		publish(asi);
	mutex_unlock(&asi_instances_lock);
	if (err)
		goto err_free;

	asi_compartments_adopt(asi);
	asi_check_image(&asi->pt);
	*out = asi;
	return 0;

err_free:
	asi_free(asi);
	return err;
}
EXPORT_SYMBOL_GPL(asi_init);

/** asi_get - take another reference; the caller has one */
struct asi *asi_get(struct asi *asi)
{
	refcount_inc(&asi->refs);
	return asi;
}
EXPORT_SYMBOL_GPL(asi_get);

/**
 * asi_put - drop a reference; the last one frees the instance and its tables
 * @asi: instance
 *
 * Context: may sleep.
 */
void asi_put(struct asi *asi)
{
	if (!refcount_dec_and_test(&asi->refs))
		return;

	/* Who changes all instances does not find @asi in the list any more. */
	asi_flush(asi);
	withdraw(asi);
	asi_drop_tasks(asi);
	asi_free(asi);
}
EXPORT_SYMBOL_GPL(asi_put);

/**
 * asi_destroy - give up the reference that asi_init() returned
 * @asi: instance, or NULL
 *
 * No task may be between asi_enter() and asi_relax() on behalf of that
 * reference.
 */
void asi_destroy(struct asi *asi)
{
	if (asi)
		asi_put(asi);
}
EXPORT_SYMBOL_GPL(asi_destroy);

/** asi_table_bytes - memory that the tables of @asi take, its root included */
unsigned long asi_table_bytes(struct asi *asi)
{
	return (READ_ONCE(asi->pt.nr_tables) << PAGE_SHIFT) +
	       (PAGE_SIZE << ASI_PGD_ORDER);
}
