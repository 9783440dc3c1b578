// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task's own memory in the instances it runs in.
 *
 * The stack, the task and the signal structure of a thread are touched by every
 * interrupt, and an unmapped stack cannot even fault. They are mapped the first
 * time the thread enters an instance and taken out when the thread exits, while
 * it still owns them. Tasks are global memory, except those for which there was
 * none of that. Implements "Properly un/mapping task stack from ASI + tlb
 * flush".
 */
#include <linux/compartment.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include "asi.h"

/* Says that @task is mapped in the instance whose list this is in. */
struct asi_task_link {
	struct list_head node;		/* asi->tasks; asi_instances_lock */
	struct task_struct *task;
};

struct task_object {
	const void *addr;
	size_t len;
	enum asi_kind kind;
};

#define NR_TASK_OBJECTS	3

static void task_objects(struct task_struct *tsk,
			 struct task_object objects[NR_TASK_OBJECTS])
{
	objects[0] = (struct task_object) {
		task_stack_page(tsk), THREAD_SIZE, ASI_KIND_STACK };
	objects[1] = (struct task_object) {
		tsk, arch_task_struct_size, ASI_KIND_TASK };
	objects[2] = (struct task_object) {
		tsk->signal, sizeof(*tsk->signal), ASI_KIND_TASK };
}

static struct asi_task_link *find_link(struct asi *asi, struct task_struct *tsk)
{
	struct asi_task_link *link;

	lockdep_assert_held(&asi_instances_lock);
	list_for_each_entry(link, &asi->tasks, node)
		if (link->task == tsk)
			return link;
	return NULL;
}

/* Does not change as long as the object lives. */
static bool has_compartment(const struct task_object *o)
{
	guard(rcu)();
	return virt_addr_valid(o->addr) &&
	       compartment_of(PHYS_PFN(__pa(o->addr)));
}

static void unmap_objects(struct asi *asi, const struct task_object *objects,
			  int nr)
{
	while (nr--)
		if (!has_compartment(&objects[nr]))
			asi_unmap(asi, objects[nr].addr, objects[nr].len);
}

static int map_object(struct asi *asi, const struct task_object *o)
{
	if (has_compartment(o))
		return asi_compartment_require(asi, o->addr);
	return asi_map(asi, o->addr, o->len, o->kind);
}

static int map_objects(struct asi *asi, struct task_struct *tsk)
{
	struct task_object objects[NR_TASK_OBJECTS];
	int i, err;

	task_objects(tsk, objects);
	for (i = 0; i < NR_TASK_OBJECTS; i++) {
		err = map_object(asi, &objects[i]);
		if (err) {
			unmap_objects(asi, objects, i);
			return err;
		}
	}
	return 0;
}

static int link_task(struct asi *asi, struct task_struct *tsk)
{
	struct asi_task_link *link;
	int err;

	if (find_link(asi, tsk))
		return 0;

	link = kmalloc(sizeof(*link), GFP_KERNEL_ACCOUNT);
	if (!link)
		return -ENOMEM;
	link->task = tsk;

	err = map_objects(asi, tsk);
	if (err) {
		kfree(link);
		return err;
	}
	list_add(&link->node, &asi->tasks);
	return 0;
}

/**
 * asi_map_task - map the current thread's own memory in an instance
 * @asi: instance; the caller holds a reference
 *
 * Needed before the thread's first asi_enter() of @asi; free of cost after
 * that. Undone when the thread exits or the instance goes.
 *
 * Context: may sleep.
 * Return: 0, -EPERM if @asi maps user memory of another process, -ENOMEM.
 */
int asi_map_task(struct asi *asi)
{
	int err;

	if (current->thread.asi.mapped_id == asi->id)
		return 0;
	/* Flushes of user addresses reach the CPUs that have loaded their mm. */
	if (!hlist_unhashed(&asi->sharer) && current->mm != asi->mm)
		return -EPERM;

	mutex_lock(&asi_instances_lock);
	err = link_task(asi, current);
	mutex_unlock(&asi_instances_lock);
	if (!err)
		current->thread.asi.mapped_id = asi->id;
	return err;
}
EXPORT_SYMBOL_GPL(asi_map_task);

/* The thread will not enter an instance again, and soon frees its memory. */
void __asi_task_exit(struct task_struct *tsk)
{
	struct task_object objects[NR_TASK_OBJECTS];
	struct asi_task_link *link;
	struct asi *asi;

	if (!tsk->thread.asi.mapped_id)
		return;

	task_objects(tsk, objects);
	mutex_lock(&asi_instances_lock);
	list_for_each_entry(asi, &asi_instances, instances) {
		link = find_link(asi, tsk);
		if (!link)
			continue;
		unmap_objects(asi, objects, NR_TASK_OBJECTS);
		list_del(&link->node);
		kfree(link);
	}
	mutex_unlock(&asi_instances_lock);
	tsk->thread.asi.mapped_id = 0;
}

/* The instance goes, and its tables with it: only the bookkeeping is left. */
void asi_drop_tasks(struct asi *asi)
{
	struct asi_task_link *link, *next;

	list_for_each_entry_safe(link, next, &asi->tasks, node)
		kfree(link);
	INIT_LIST_HEAD(&asi->tasks);
}
