// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is a leaf of a restricted table, and may it be there?
 *
 * The verdict does not trust asi_map(): besides an area or a region that
 * explains the address, the page itself must look like kernel memory in use,
 * now as well as when it was mapped. A page that is free, on an LRU list,
 * anonymous or in a page cache is a leak wherever it is mapped, unless the tables
 * that lead to it are those of the process itself.
 */
#include <linux/kasan.h>
#include <linux/mm.h>
#include <asm/cpu_entry_area.h>
#include <asm/fixmap.h>
#include <asm/sections.h>

#include "audit.h"

static const char * const kind_names[ASI_NR_KINDS] = {
	[ASI_KIND_TEXT]		= "text",
	[ASI_KIND_RODATA]	= "rodata",
	[ASI_KIND_DATA]		= "data",
	[ASI_KIND_MODULE]	= "module",
	[ASI_KIND_FIXMAP]	= "fixmap",
	[ASI_KIND_ENTRY_AREA]	= "entry_area",
	[ASI_KIND_ESPFIX]	= "espfix",
	[ASI_KIND_VMEMMAP]	= "vmemmap",
	[ASI_KIND_SHADOW]	= "shadow",
	[ASI_KIND_USER]		= "user",
	[ASI_KIND_PERCPU]	= "percpu",
	[ASI_KIND_IRQ_STACK]	= "irq_stack",
	[ASI_KIND_INSTANCE]	= "instance",
	[ASI_KIND_STACK]	= "stack",
	[ASI_KIND_TASK]		= "task",
	[ASI_KIND_VM]		= "vm",
	[ASI_KIND_GLOBAL]	= "global",
	[ASI_KIND_LOCAL]	= "local",
	[ASI_KIND_OTHER]	= "other",
};

const char *asi_kind_name(enum asi_kind kind)
{
	return kind_names[kind];
}

struct area {
	unsigned long start;
	unsigned long last;
	enum asi_kind kind;
};

/* Areas that all instances share; ASI_NR_KINDS if @va is in none of them. */
static enum asi_kind area_of(unsigned long va)
{
	const struct area areas[] = {
		{ MODULES_END, ~0UL, ASI_KIND_FIXMAP },
		{ CPU_ENTRY_AREA_BASE,
			CPU_ENTRY_AREA_BASE + CPU_ENTRY_AREA_MAP_SIZE - 1,
			ASI_KIND_ENTRY_AREA },
#ifdef CONFIG_X86_ESPFIX64
		{ ESPFIX_BASE_ADDR, ESPFIX_BASE_ADDR + P4D_SIZE - 1,
			ASI_KIND_ESPFIX },
#endif
		{ VMEMMAP_START, (unsigned long)(vmemmap + max_pfn) - 1,
			ASI_KIND_VMEMMAP },
#ifdef CONFIG_KASAN
		{ KASAN_SHADOW_START, KASAN_SHADOW_END - 1, ASI_KIND_SHADOW },
#endif
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(areas); i++)
		if (va >= areas[i].start && va <= areas[i].last)
			return areas[i].kind;
	return asi_image_kind(va);
}

/* Memory that belongs to someone else, whatever explains the address. */
static bool foreign_page(unsigned long pfn, enum asi_kind kind)
{
	struct page *page = pfn_to_online_page(pfn);

	if (!page)
		return false;
	if (PageReserved(page))
		return asi_image_hides(PFN_PHYS(pfn));
	/* The image is reserved; what is not has been freed and reused. */
	if (kind == ASI_KIND_TEXT || kind == ASI_KIND_RODATA ||
	    kind == ASI_KIND_DATA)
		return true;
	return asi_frame_foreign(page);
}

/* What explains the address; ASI_NR_KINDS if nothing does. */
static enum asi_kind kind_of(struct asi *asi, unsigned long va, u64 phys)
{
	enum asi_kind kind = area_of(va);
	const struct asi_region *r;

	if (kind != ASI_NR_KINDS || !asi)
		return kind;
	if (va < TASK_SIZE_MAX)
		return asi_user_owns(asi, va) ? ASI_KIND_USER : ASI_NR_KINDS;
	r = asi_find_region(asi, va);
	kind = r ? r->kind : asi_vmalloc_kind(asi, va);
	if (kind == ASI_KIND_PERCPU && !asi_percpu_listed(va))
		kind = ASI_NR_KINDS;
	if (kind == ASI_NR_KINDS && va == (unsigned long)__va(phys))
		kind = asi_compartment_kind(asi, PHYS_PFN(phys));
	return kind;
}

static bool pages_are_checked(enum asi_kind kind)
{
	if (kind == ASI_KIND_GLOBAL || kind == ASI_KIND_LOCAL)
		return false;
	return kind <= ASI_KIND_MODULE ||
	       (kind >= ASI_KIND_NR_IMAGE && kind < ASI_NR_KINDS);
}

/**
 * asi_classify - judge one leaf
 * @asi: instance whose table it is in; NULL for the full tables
 * @va: where
 * @leaf: what
 *
 * Context: nobody changes @asi, or a verdict on a leaf just changed may be off.
 */
struct asi_verdict asi_classify(struct asi *asi, unsigned long va,
				const struct asi_pt_leaf *leaf)
{
	unsigned long size = asi_pt_size(leaf->level);
	u64 phys = asi_pte_phys(leaf->entry, leaf->level);
	struct asi_verdict v = { .kind = kind_of(asi, va, phys) };
	unsigned long i;

	if (v.kind == ASI_NR_KINDS) {
		v.leak_bytes = size;
		v.leak_va = va;
		return v;
	}
	if (!pages_are_checked(v.kind))
		return v;

	for (i = 0; i < size >> PAGE_SHIFT; i++) {
		if (!foreign_page(PHYS_PFN(phys) + i, v.kind))
			continue;
		v.leak_va = v.leak_va ?: va + (i << PAGE_SHIFT);
		v.leak_bytes += PAGE_SIZE;
	}
	return v;
}
