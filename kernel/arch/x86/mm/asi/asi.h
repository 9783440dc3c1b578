/* SPDX-License-Identifier: GPL-2.0-only */
/* Address Space Isolation: what its own files share. */
#ifndef _ARCH_X86_MM_ASI_ASI_H
#define _ARCH_X86_MM_ASI_ASI_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <asm/asi.h>
#include <asm/page.h>
#include <asm/pgtable.h>

#include "pgtable.h"
#include "tlb.h"

/* Under KPTI the entry code ORs bit 12 into whatever CR3 holds: 8 KiB, aligned. */
#define ASI_PGD_ORDER		1

#define ASI_MAX_CLASSES		4
/* The instance that holds what every other one also maps; never entered. */
#define ASI_CLASS_GLOBAL	0

/**
 * struct asi - one restricted address space
 *
 * Lives on a page of its own which it maps in itself, since the switch reads it
 * on both sides.
 */
struct asi {
	/* Constant after asi_init(). */
	struct asi_pt pt;		/* contents: @lock */
	unsigned long pgd_pa;
	u64 id;				/* never reused; names the TLB contents */
	const struct asi_class *class;
	int class_id;
	struct mm_struct *mm;		/* mmgrab()ed; for identification only */

	refcount_t refs;
	atomic64_t tlb_gen;		/* raised after an unmap, before its IPI */

	spinlock_t lock;		/* @pt and @regions */
	struct list_head regions;	/* struct asi_region, sorted, disjoint */
	struct list_head instances;	/* asi_instances_lock */
	struct list_head tasks;		/* struct asi_task_link, see task.c */
};

/* What asi_map() has put into an instance. Pages never belong to two of them. */
struct asi_region {
	struct list_head node;
	unsigned long start;
	unsigned long end;
	enum asi_kind kind;
	unsigned int users;
};

/* Per-CPU state of the switch, beside struct asi_place. */
struct asi_cpu {
	unsigned long full_cr3;		/* what to go back to */
	struct asi_tlb tlb;
	u64 enters;
	u64 enters_noflush;
	u64 exits[ASI_NR_EXIT_CAUSES];
};

DECLARE_PER_CPU_ALIGNED(struct asi_cpu, asi_cpu);

/* Written under both locks, read under either. */
extern struct list_head asi_instances;
extern struct mutex asi_instances_lock;
extern spinlock_t asi_instances_spin;
extern struct asi *asi_global;

struct asi *asi_alloc(int class_id, const struct asi_class *class);
void asi_free(struct asi *asi);
const struct asi_class *asi_class(int id);

int asi_map_one(struct asi *asi, unsigned long start, unsigned long end,
		enum asi_kind kind, gfp_t gfp);
void asi_unmap_one(struct asi *asi, unsigned long start, unsigned long end);
void asi_forget_regions(struct asi *asi);
const struct asi_region *asi_find_region(struct asi *asi, unsigned long va);

int asi_share(struct asi *asi, unsigned long start, unsigned long end,
	      int level);
int asi_global_adopt(struct asi *asi);
int asi_global_setup(void);

void asi_flush(struct asi *asi);
void asi_drop_tasks(struct asi *asi);

void asi_site_record(unsigned long ip, unsigned long address);

static inline int asi_levels(void)
{
	return pgtable_l5_enabled() ? 5 : 4;
}

static inline const u64 *asi_full_root(void)
{
	return (const u64 *)init_mm.pgd;
}

#ifdef CONFIG_DEBUG_FS
void asi_audit_entry(const u64 *root, struct asi *asi);
#endif

#endif /* _ARCH_X86_MM_ASI_ASI_H */
