// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an allocation costs in each class: reading debugfs asi/alloc_cost takes
 * and returns memory of each kind in a loop, and prints time stamp counts.
 *
 * Steady state: a first round has filled the pools, and every object goes back
 * before the next is taken. The reader becomes an owner of local memory.
 */
#include <linux/gfp.h>
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/msr.h>

#include "asi.h"
#include "compartment.h"

#define NR_ROUNDS	1000

struct alloc_class {
	const char *name;
	gfp_t gfp;
};

static const struct alloc_class classes[] = {
	{ "plain", 0 },
	{ "global", __GFP_GLOBAL_NONSENSITIVE },
	{ "local", __GFP_LOCAL_NONSENSITIVE },
};

struct alloc_kind {
	const char *name;
	bool (*take_and_return)(gfp_t gfp);
	bool has_local;
};

static bool page(gfp_t gfp)
{
	unsigned long p = __get_free_page(gfp);

	free_page(p);
	return p;
}

static bool pages_order3(gfp_t gfp)
{
	unsigned long p = __get_free_pages(gfp | __GFP_COMP, 3);

	free_pages(p, 3);
	return p;
}

/* No constant size: both go through the same path. */
static size_t small = 200;

static bool slab(gfp_t gfp)
{
	void *p = kmalloc(READ_ONCE(small), gfp);

	kfree(p);
	return p;
}

static bool vmalloc_area(gfp_t gfp)
{
	void *p = __vmalloc(4 * PAGE_SIZE, gfp);

	vfree(p);
	return p;
}

static bool percpu(gfp_t gfp)
{
	void __percpu *p = __alloc_percpu_gfp(64, 8, gfp);

	free_percpu(p);
	return p;
}

static const struct alloc_kind kinds[] = {
	{ "page", page, true },
	{ "pages_order3", pages_order3, true },
	{ "slab", slab, true },
	{ "vmalloc", vmalloc_area, true },
	{ "percpu", percpu, false },
};

/* Time stamp counts per allocation and its return; 0 if one failed. */
static u64 cost_of(const struct alloc_kind *kind, gfp_t gfp)
{
	u64 start = 0;
	int i;

	for (i = -NR_ROUNDS; i < NR_ROUNDS; i++) {
		if (i == 0)
			start = rdtsc_ordered();
		if (!kind->take_and_return(GFP_KERNEL | gfp))
			return 0;
		cond_resched();
	}
	return div_u64(rdtsc_ordered() - start, NR_ROUNDS);
}

/** asi_cost_show - measure and print each kind in each class */
int asi_cost_show(struct seq_file *m)
{
	const struct alloc_class *class;
	const struct alloc_kind *kind;
	int err;

	err = asi_own(current->mm);
	if (err)
		return err;
	for (kind = kinds; kind < kinds + ARRAY_SIZE(kinds); kind++) {
		for (class = classes; class < classes + ARRAY_SIZE(classes); class++) {
			if ((class->gfp & __GFP_LOCAL_NONSENSITIVE) &&
			    !kind->has_local)
				continue;
			seq_printf(m, "%s.%s %llu\n", kind->name, class->name,
				   cost_of(kind, class->gfp));
		}
	}
	return 0;
}
