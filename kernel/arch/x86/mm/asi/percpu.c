// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynamic per-CPU memory of the global class.
 *
 * Arenas of whole pages are taken from the per-CPU allocator, mapped in every
 * instance for every CPU, and divided here, so that no page holds both classes.
 * There is no local class: a CPU serves one owner after the other.
 */
#include <linux/genalloc.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/asi_percpu.h>

#include "asi.h"

#define ARENA_SIZE	PCPU_MIN_UNIT_SIZE

/* Addresses are those of per-CPU pointers. */
static struct gen_pool *arenas;
/* One grows at a time: who comes second most likely needs no more of it. */
static DEFINE_MUTEX(grow_lock);

struct arena {
	struct list_head node;
	char __percpu *start;
};

static LIST_HEAD(all_arenas);		/* grow_lock */

static void unmap_arena(char __percpu *arena, int end)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		if (cpu == end)
			break;
		asi_unmap(ASI_GLOBAL_NONSENSITIVE, per_cpu_ptr(arena, cpu),
			  ARENA_SIZE);
	}
}

static int map_arena(char __percpu *arena)
{
	int cpu, err;

	for_each_possible_cpu(cpu) {
		err = asi_map(ASI_GLOBAL_NONSENSITIVE, per_cpu_ptr(arena, cpu),
			      ARENA_SIZE, ASI_KIND_GLOBAL);
		if (err) {
			unmap_arena(arena, cpu);
			return err;
		}
	}
	return 0;
}

/* Before there is a place to map it in, asi_percpu_map() will do it. */
static int publish(char __percpu *arena)
{
	return asi_global ? map_arena(arena) : 0;
}

static bool add_arena(struct arena *arena)
{
	arena->start = __alloc_percpu(ARENA_SIZE, PAGE_SIZE);
	if (!arena->start)
		return false;
	if (publish(arena->start))
		goto err_free;
	if (gen_pool_add(arenas, (unsigned long)arena->start, ARENA_SIZE, -1))
		goto err_unmap;
	list_add(&arena->node, &all_arenas);
	return true;

err_unmap:
	if (asi_global)
		unmap_arena(arena->start, nr_cpu_ids);
err_free:
	free_percpu(arena->start);
	return false;
}

/* Arenas stay: what they cost is bounded by what was in use at once. */
static bool grow(void)
{
	struct arena *arena;

	lockdep_assert_held(&grow_lock);
	arena = kmalloc(sizeof(*arena), GFP_KERNEL);
	if (arena && add_arena(arena))
		return true;
	kfree(arena);
	return false;
}

static unsigned long take(size_t size, size_t align)
{
	struct genpool_data_align data = { .align = align };

	return gen_pool_alloc_algo(arenas, size, gen_pool_first_fit_align,
				   &data);
}

/* Out of line half of asi_percpu_alloc(). */
void __percpu *__asi_percpu_alloc(size_t size, size_t align, gfp_t gfp)
{
	void __percpu *ptr;
	unsigned long va;
	int cpu;

	/* gen_pool_free() must be told the size: a word in front keeps it. */
	align = max_t(size_t, align, sizeof(u64));
	if (!arenas || align > PAGE_SIZE || size > ARENA_SIZE - align)
		return NULL;
	size += align;
	va = take(size, align);
	if (!va && (gfp & GFP_KERNEL) == GFP_KERNEL) {
		mutex_lock(&grow_lock);
		va = take(size, align);
		if (!va && grow())
			va = take(size, align);
		mutex_unlock(&grow_lock);
	}
	if (!va)
		return NULL;

	ptr = (void __percpu *)va;
	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(ptr, cpu), 0, size);
	ptr = (void __percpu *)(va + align);
	*(u64 *)per_cpu_ptr(ptr - sizeof(u64), cpumask_first(cpu_possible_mask)) =
		size << 16 | align;
	return ptr;
}

/* Out of line half of asi_percpu_free(). */
bool __asi_percpu_free(void __percpu *ptr)
{
	unsigned long va = (unsigned long)ptr;
	u64 head;

	if (!arenas || !gen_pool_has_addr(arenas, va, 1))
		return false;
	head = *(u64 *)per_cpu_ptr(ptr - sizeof(u64),
				   cpumask_first(cpu_possible_mask));
	gen_pool_free(arenas, va - (head & 0xffff), head >> 16);
	return true;
}

/** asi_percpu_map - map the arenas that are older than asi_global; boot only */
int __init asi_percpu_map(void)
{
	struct arena *arena;
	int err = 0;

	mutex_lock(&grow_lock);
	list_for_each_entry(arena, &all_arenas, node)
		err = err ?: map_arena(arena->start);
	mutex_unlock(&grow_lock);
	return err;
}

/** asi_percpu_setup - from here on alloc_percpu_gfp() knows the class; boot */
void __init asi_percpu_setup(void)
{
	arenas = gen_pool_create(ilog2(sizeof(u64)), NUMA_NO_NODE);
}
