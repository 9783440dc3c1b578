// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every instance maps.
 *
 * Areas that are wholly not sensitive, or that the CPU itself needs, share
 * their tables with the full tables at a level where they have entries of
 * their own, so later changes need no mirroring. Single ranges (per-CPU memory,
 * interrupt stacks) are mapped in asi_global and copied into each instance. The
 * kernel image and modules have tables of their own, see image.c.
 *
 * The areas are the coarse part of the allowlist; docs/decisions.md says what
 * is in them that should not stay.
 */
#include <linux/cpuhotplug.h>
#include <linux/kasan.h>
#include <linux/memory.h>
#include <linux/notifier.h>
#include <asm/cpu_entry_area.h>
#include <asm/processor.h>
#include <asm/sections.h>

#include "asi.h"

struct asi *asi_global;

static const struct asi_class global_class = { .name = "global" };
static DEFINE_PER_CPU(bool, irq_stack_mapped);

struct shared_area {
	unsigned long start;
	unsigned long end;
	int level;
};

/* Share one entry; allocates at most one table per level above it. */
static int share_entry(struct asi_pt *pt, const u64 *from, unsigned long va,
		       int level)
{
	u64 entry = asi_pt_entry(from, asi_levels(), va, level);
	void *spare = NULL;
	int err;

	if (!asi_pte_present(entry) || asi_pte_leaf(entry, level))
		return 0;

	for (;;) {
		err = asi_pt_set(pt, va, level, entry | ASI_PTE_SHARED, &spare);
		if (err != -EAGAIN)
			break;
		spare = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!spare)
			return -ENOMEM;
	}
	free_page((unsigned long)spare);
	return err;
}

/**
 * asi_share_from - use the tables of another tree for an area
 * @pt: tree that no CPU uses yet
 * @from: root of the other tree, which lives as long as @pt
 * @start: first address
 * @end: one past the last one; may be 0 for the end of the address space
 * @level: level of the entries to share; the area must not share one with
 *	anything else
 *
 * Return: 0 or -ENOMEM.
 */
int asi_share_from(struct asi_pt *pt, const u64 *from, unsigned long start,
		   unsigned long end, int level)
{
	unsigned long va = start & ~(asi_pt_size(level) - 1);
	int err = 0;

	do {
		err = share_entry(pt, from, va, level);
		va += asi_pt_size(level);
	} while (!err && va && va - 1 < end - 1);
	return err;
}

static unsigned long vmemmap_end(void)
{
	return (unsigned long)(vmemmap + max_pfn);
}

/*
 * The regions of the memory layout are randomised in steps of 1 GiB, so that
 * only what has a 512 GiB entry to itself can be shared at that level.
 */
static int share_areas(struct asi *asi)
{
	const struct shared_area areas[] = {
		{ CPU_ENTRY_AREA_RO_IDT, CPU_ENTRY_AREA_BASE +
			CPU_ENTRY_AREA_MAP_SIZE, ASI_PT_512G },
#ifdef CONFIG_X86_ESPFIX64
		{ ESPFIX_BASE_ADDR, ESPFIX_BASE_ADDR + 1, ASI_PT_512G },
#endif
		{ VMEMMAP_START, vmemmap_end(), ASI_PT_1G },
#ifdef CONFIG_KASAN
		{ KASAN_SHADOW_START, KASAN_SHADOW_END, ASI_PT_512G },
#endif
	};
	int err = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(areas) && !err; i++)
		err = asi_share(asi, areas[i].start, areas[i].end,
				areas[i].level);
	err = err ?: asi_image_share(asi);
	return err ?: asi_vmalloc_share(asi);
}

/**
 * asi_global_adopt - map in a new instance what all instances map
 * @asi: instance that no CPU has entered yet
 *
 * Context: asi_instances_lock held, so that no global range is missed.
 * Return: 0 or -ENOMEM; the caller frees @asi on error.
 */
int asi_global_adopt(struct asi *asi)
{
	struct asi_region *r;
	int err;

	lockdep_assert_held(&asi_instances_lock);
	err = share_areas(asi);
	if (err)
		return err;

	/* Regions of asi_global change under the mutex only. */
	list_for_each_entry(r, &asi_global->regions, node) {
		err = asi_map_one(asi, r->start, r->end, r->kind, GFP_KERNEL);
		if (err)
			return err;
	}
	return 0;
}

/*
 * A CPU's interrupt stack must be mapped before a vCPU can run there: a fault
 * while pushing onto an unmapped one is a double fault. Tasks come to a CPU
 * only after its online callbacks.
 */
static int cpu_online_prepare(unsigned int cpu)
{
	unsigned long top = (unsigned long)per_cpu(pcpu_hot.hardirq_stack_ptr,
						   cpu);
	int err;

	if (per_cpu(irq_stack_mapped, cpu))
		return 0;
	err = asi_map(ASI_GLOBAL_NONSENSITIVE,
		      (void *)(top + 8 - IRQ_STACK_SIZE), IRQ_STACK_SIZE,
		      ASI_KIND_IRQ_STACK);
	per_cpu(irq_stack_mapped, cpu) = !err;
	return err;
}

static int cpu_offline(unsigned int cpu)
{
	WARN_ON_ONCE(per_cpu(asi_place.curr, cpu));
	asi_tlb_forget(per_cpu_ptr(&asi_cpu.tlb, cpu));
	return 0;
}

/*
 * The listed variables come first. Coarse is the whole first chunk: all static
 * variables, those of modules, and the early dynamic ones.
 */
static size_t percpu_size(void)
{
	if (IS_ENABLED(CONFIG_ASI_STATIC_COARSE))
		return (size_t)(__per_cpu_end - __per_cpu_start) +
		       PERCPU_MODULE_RESERVE + PERCPU_DYNAMIC_RESERVE;
	return __end_asi_percpu - __start_asi_percpu;
}

static void *percpu_start(int cpu)
{
	return per_cpu_ptr((void __percpu *)__start_asi_percpu, cpu);
}

static int map_percpu(void)
{
	int cpu, err;

	for_each_possible_cpu(cpu) {
		err = asi_map(ASI_GLOBAL_NONSENSITIVE, percpu_start(cpu),
			      percpu_size(), ASI_KIND_PERCPU);
		if (err)
			return err;
	}
	return 0;
}

/** asi_percpu_listed - whether @va is in the listed part of a CPU's variables */
bool asi_percpu_listed(unsigned long va)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (va - (unsigned long)percpu_start(cpu) < percpu_size())
			return true;
	return false;
}

/*
 * What pfn_valid() reads of the memory that was there at boot. Both levels have
 * whole pages, see asi_own_align() in mm/sparse.c.
 */
static int map_sections(void)
{
	unsigned long root;
	int err = 0;

	for (root = 0; root < NR_SECTION_ROOTS && !err; root++) {
		if (!mem_section[root])
			continue;
		err = asi_map(ASI_GLOBAL_NONSENSITIVE, &mem_section[root],
			      sizeof(mem_section[root]), ASI_KIND_OTHER);
		err = err ?: asi_map(ASI_GLOBAL_NONSENSITIVE, mem_section[root],
				     PAGE_SIZE, ASI_KIND_OTHER);
	}
	return err;
}

/* Lists and counters of the memory management, on pages of their own as well. */
static int map_nodes(void)
{
	int nid, err;

	for_each_online_node(nid) {
		err = asi_map(ASI_GLOBAL_NONSENSITIVE, NODE_DATA(nid),
			      sizeof(*NODE_DATA(nid)), ASI_KIND_OTHER);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Removing memory frees vmemmap tables which instances share. Taking the shared
 * entries away before that costs exits, never a walk through a freed table.
 */
static int before_offline(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	struct memory_notify *mn = data;
	struct asi *asi;
	unsigned long start = (unsigned long)pfn_to_page(mn->start_pfn);
	unsigned long end = (unsigned long)(pfn_to_page(mn->start_pfn) +
					    mn->nr_pages);

	if (action != MEM_GOING_OFFLINE)
		return NOTIFY_OK;
	if (!asi_compartments_vacate(mn->start_pfn, mn->nr_pages))
		return notifier_from_errno(-EBUSY);

	mutex_lock(&asi_instances_lock);
	list_for_each_entry(asi, &asi_instances, instances) {
		spin_lock_irq(&asi->lock);
		asi_pt_unshare(&asi->pt, start, end);
		spin_unlock_irq(&asi->lock);
		asi_flush(asi);
	}
	mutex_unlock(&asi_instances_lock);
	return NOTIFY_OK;
}

static struct notifier_block memory_nb = { .notifier_call = before_offline };

/**
 * asi_global_setup - make the instance that holds what all others map too
 *
 * Context: boot, before any class registers.
 * Return: 0 or -errno, with nothing left behind that an instance would see.
 */
int __init asi_global_setup(void)
{
	int err;

	asi_global = asi_alloc(ASI_CLASS_GLOBAL, &global_class);
	if (!asi_global)
		return -ENOMEM;

	err = asi_image_setup() ?: asi_thunks_setup() ?: asi_modules_setup();
	if (err)
		return err;
	err = map_percpu();
	if (err)
		return err;
	err = map_sections() ?: map_nodes();
	if (err)
		return err;
	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "x86/asi:online",
				cpu_online_prepare, cpu_offline);
	if (err < 0)
		return err;
	err = asi_percpu_map();
	if (err)
		return err;
	return register_memory_notifier(&memory_nb);
}
