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

struct module;
struct page;

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
	struct mm_struct *mm;		/* mmgrab()ed; its user memory, see user.c */
	/* Raised before translations of @mm are flushed; mapped, like all of @mm. */
	const atomic64_t *user_gen;
	struct asi_owner *owner;	/* whose local memory is mapped, or NULL */

	refcount_t refs;
	atomic64_t tlb_gen;		/* raised after an unmap, before its IPI */

	spinlock_t lock;		/* @pt and @regions */
	struct list_head regions;	/* struct asi_region, sorted, disjoint */
	struct hlist_node sharer;	/* mm->context.asi_sharers, see user.c */
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

#ifdef CONFIG_MEMCG
bool asi_opt_in_by_cgroup(void);
#else
static inline bool asi_opt_in_by_cgroup(void) { return false; }
#endif

struct asi *asi_alloc(int class_id, const struct asi_class *class);
void asi_free(struct asi *asi);
const struct asi_class *asi_class(int id);

int asi_map_one(struct asi *asi, unsigned long start, unsigned long end,
		enum asi_kind kind, gfp_t gfp);
void asi_unmap_one(struct asi *asi, unsigned long start, unsigned long end);
struct asi_region *asi_claim_region(struct asi *asi, unsigned long start,
				    unsigned long end, enum asi_kind kind,
				    gfp_t gfp);
void asi_forget_regions(struct asi *asi);
const struct asi_region *asi_find_region(struct asi *asi, unsigned long va);

int asi_map_leaf(struct asi_pt *pt, unsigned long *va, unsigned long end,
		 u64 deny, void **spare);

/* What static.list names, on pages of its own; see static.lds.S. */
extern char __start_asi_data[], __end_asi_data[];
extern char __start_asi_bss[], __end_asi_bss[];
extern char __start_asi_percpu[], __end_asi_percpu[];

/* Where the compiler has put indirect branches; freed after boot. */
extern s32 __retpoline_sites[], __retpoline_sites_end[];

int asi_image_setup(void);
int asi_image_map(unsigned long start, unsigned long end, u64 deny);
void asi_image_unmap(unsigned long start, unsigned long end);
int asi_image_share(struct asi *asi);
enum asi_kind asi_image_kind(unsigned long va);
bool asi_image_hides(u64 phys);
bool asi_image_tree(const struct asi_pt *pt);

#ifdef CONFIG_MODULES
int asi_modules_setup(void);
bool asi_module_maps(unsigned long va);
#else
static inline int asi_modules_setup(void) { return 0; }
static inline bool asi_module_maps(unsigned long va) { return false; }
#endif

#ifdef CONFIG_MITIGATION_ITS
int asi_thunks_setup(void);
void asi_thunks_map(const struct module *mod);
void asi_thunks_unmap(const struct module *mod);
bool asi_thunk_maps(unsigned long va);
#else
static inline int asi_thunks_setup(void) { return 0; }
static inline void asi_thunks_map(const struct module *mod) { }
static inline void asi_thunks_unmap(const struct module *mod) { }
static inline bool asi_thunk_maps(unsigned long va) { return false; }
#endif

int asi_share_from(struct asi_pt *pt, const u64 *from, unsigned long start,
		   unsigned long end, int level);
bool asi_percpu_listed(unsigned long va);
int asi_global_adopt(struct asi *asi);
int asi_global_setup(void);
void asi_percpu_setup(void);
int asi_percpu_map(void);

/* Calls of asi_map() that were refused for what they would have mapped. */
extern atomic64_t asi_nr_refused;

bool asi_frame_foreign(struct page *page);
bool asi_frames_refused(const struct asi *asi, unsigned long start,
			unsigned long end);

u64 asi_full_entry(unsigned long va, int level);
int asi_map_block(struct asi *asi, unsigned long va, void **spare);
enum asi_kind asi_compartment_kind(const struct asi *asi, unsigned long pfn);
bool asi_compartment_fill(struct asi *asi, unsigned long address);
int asi_compartment_require(struct asi *asi, const void *object);
void asi_compartments_adopt(struct asi *asi);
bool asi_compartments_vacate(unsigned long pfn, unsigned long nr_pages);
int asi_vmalloc_share(struct asi *asi);
enum asi_kind asi_vmalloc_kind(const struct asi *asi, unsigned long va);

bool asi_user_wanted(void);
bool asi_user_fill(struct asi *asi, unsigned long address);
bool asi_user_owns(struct asi *asi, unsigned long va);
void asi_user_forget(struct asi *asi);

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

/* asi_share_from() the full tables. */
static inline int asi_share(struct asi *asi, unsigned long start,
			    unsigned long end, int level)
{
	return asi_share_from(&asi->pt, asi_full_root(), start, end, level);
}

#endif /* _ARCH_X86_MM_ASI_ASI_H */
