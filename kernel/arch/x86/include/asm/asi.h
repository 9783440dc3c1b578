/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address Space Isolation (ASI).
 *
 * An instance (struct asi) is a set of kernel page tables that maps only what
 * has been classified as not sensitive. asi_enter() loads it, asi_exit() goes
 * back to the full tables, and an access to anything unmapped does so through
 * the page fault handler. See Documentation/arch/x86/asi.rst.
 *
 * Everything that existing kernel code calls is here, as an inline that is one
 * patched branch when ASI is off and nothing when it is configured out.
 */
#ifndef _ASM_X86_ASI_H
#define _ASM_X86_ASI_H

#include <linux/minmax.h>
#include <linux/percpu-defs.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <asm/asi_types.h>
#include <asm/cpufeature.h>
#include <asm/percpu.h>

struct asi_owner;
struct mm_struct;
struct pt_regs;
struct task_struct;

/* Why a CPU left the restricted address space. */
enum asi_exit_cause {
	ASI_EXIT_FAULT,		/* touched something unmapped */
	ASI_EXIT_EXPLICIT,	/* TLB flush, #MC, #DB, panic, a caller's wish */
	ASI_EXIT_SCHEDULE,	/* the scheduler ran */
	ASI_EXIT_USER,		/* on the way to user space */
	ASI_NR_EXIT_CAUSES,
};

/*
 * What a mapping is, for the auditor and for people. The kinds up to
 * ASI_KIND_NR_IMAGE are found by address; the others are given to asi_map().
 */
enum asi_kind {
	ASI_KIND_TEXT,
	ASI_KIND_RODATA,
	ASI_KIND_DATA,
	ASI_KIND_MODULE,
	ASI_KIND_FIXMAP,
	ASI_KIND_ENTRY_AREA,
	ASI_KIND_ESPFIX,
	ASI_KIND_VMEMMAP,
	ASI_KIND_SHADOW,
	ASI_KIND_USER,		/* of the instance's process; asi_map_user() */
	ASI_KIND_NR_IMAGE,

	ASI_KIND_PERCPU = ASI_KIND_NR_IMAGE,
	ASI_KIND_IRQ_STACK,
	ASI_KIND_INSTANCE,
	ASI_KIND_STACK,
	ASI_KIND_TASK,
	ASI_KIND_VM,
	ASI_KIND_GLOBAL,	/* compartments of the global class */
	ASI_KIND_LOCAL,		/* compartments of the instance's process */
	ASI_KIND_OTHER,		/* asi_map() callers without a kind of their own */
	ASI_NR_KINDS,
};

/**
 * struct asi_class - a use of restricted address spaces, such as KVM
 * @name: for humans, at most 15 characters
 * @post_asi_enter: the restricted tables have just been loaded
 * @pre_asi_exit: the full tables are about to be loaded
 *
 * Both hooks run with interrupts off, possibly in NMI and with RCU not
 * watching; they must be idempotent, may run again on top of themselves, and
 * may touch only memory that is mapped in the instance.
 */
struct asi_class {
	const char *name;
	void (*post_asi_enter)(struct asi *asi);
	void (*pre_asi_exit)(struct asi *asi);
};

#ifdef CONFIG_ASI

/* Stands for every instance, those of the future included, in asi_map(). */
#define ASI_GLOBAL_NONSENSITIVE	((struct asi *)1UL)

/*
 * Where this CPU is. @curr is set before CR3 on the way in and cleared after it
 * on the way out: in between, an exit must do its work rather than skip it.
 */
struct asi_place {
	struct asi *curr;
	unsigned long cr3;		/* what the hardware has while in @curr */
};

DECLARE_PER_CPU(struct asi_place, asi_place);

static __always_inline bool asi_enabled(void)
{
	return cpu_feature_enabled(X86_FEATURE_ASI);
}

int asi_register_class(const struct asi_class *class);
void asi_unregister_class(int id);

int asi_init(struct mm_struct *mm, int class_id, struct asi **out);
void asi_destroy(struct asi *asi);
struct asi *asi_get(struct asi *asi);
void asi_put(struct asi *asi);

int asi_map_gfp(struct asi *asi, const void *addr, size_t len,
		enum asi_kind kind, gfp_t gfp);
int asi_map(struct asi *asi, const void *addr, size_t len, enum asi_kind kind);
void asi_unmap(struct asi *asi, const void *addr, size_t len);
int asi_map_task(struct asi *asi);
int asi_map_user(struct asi *asi);
void asi_unmap_user(struct asi *asi);
int asi_map_user_range(struct asi *asi, unsigned long start, unsigned long end);
void asi_unmap_user_range(struct asi *asi, unsigned long start,
			  unsigned long end);
unsigned long asi_table_bytes(struct asi *asi);

bool __asi_enter(void);
void __asi_relax(void);
void __asi_exit(enum asi_exit_cause cause);
void __asi_reenter(void);
void __asi_intr_exit(void);

#ifdef CONFIG_MEMCG
bool asi_wanted(void);
#else
static inline bool asi_wanted(void) { return true; }
#endif
int asi_own(struct mm_struct *mm);
void asi_memory_init(void);
void __asi_owner_put(struct asi_owner *owner);
void __asi_task_exit(struct task_struct *tsk);
void __asi_tlb_flush_kernel(void);
void __asi_tables_freed(struct mm_struct *mm, unsigned long start,
			unsigned long end);
void __asi_attr_changed(unsigned long address, unsigned long nr_pages);
bool __asi_page_fault(struct pt_regs *regs, unsigned long error_code,
		      unsigned long address);
void asi_check_boottime_disable(void);
size_t __asi_own_size(size_t size);

/**
 * asi_restricted - whether this CPU is on restricted tables; preemption off
 */
static __always_inline bool asi_restricted(void)
{
	return asi_enabled() && raw_cpu_read(asi_place.curr);
}

/**
 * asi_restricted_cr3 - what CR3 holds; only if asi_restricted(), interrupts off
 */
static __always_inline unsigned long asi_restricted_cr3(void)
{
	return raw_cpu_read(asi_place.cr3);
}

/**
 * asi_enter - open a critical section in a restricted address space
 * @asi: instance; the caller holds a reference and has mapped its own stack and
 *	task with asi_map_task()
 *
 * Until asi_relax(), this task runs in @asi whenever no handler does: a handler
 * that leaves it takes the CPU back. After asi_relax() the CPU stays restricted
 * until something leaves.
 *
 * Context: ASI enabled, interrupts off, not in a handler.
 * Return: whether the tables had to be switched.
 */
static __always_inline bool asi_enter(struct asi *asi)
{
	current->thread.asi.target = asi;
	barrier();
	return raw_cpu_read(asi_place.curr) != asi && __asi_enter();
}

/**
 * asi_relax - close the critical section
 *
 * Context: the task that called asi_enter(), interrupts off.
 */
static __always_inline void asi_relax(void)
{
	barrier();
	current->thread.asi.target = NULL;
	if (unlikely(current->thread.asi.stay_out))
		__asi_relax();
}

/**
 * asi_reenter - go back in if the critical section itself has faulted
 *
 * The last thing before what the critical section protects. Such a fault is
 * legal (a traced function, a perf event), costs one exit, and must not be
 * followed by running the guest on the full tables.
 *
 * Context: interrupts off, between asi_enter() and asi_relax().
 */
static __always_inline void asi_reenter(void)
{
	if (asi_enabled() && unlikely(current->thread.asi.stay_out))
		__asi_reenter();
}

/**
 * asi_exit - go back to the full tables, if this CPU is on restricted ones
 * @cause: for the counters
 *
 * Context: any, NMI included; with or without preemption.
 */
static __always_inline void asi_exit(enum asi_exit_cause cause)
{
	/* Not exact with preemption on, but a preempted task is outside. */
	if (asi_enabled() && unlikely(raw_cpu_read(asi_place.curr)))
		__asi_exit(cause);
}

/* First thing in the page fault handler; true: the access can be retried. */
static __always_inline bool asi_page_fault(struct pt_regs *regs,
					   unsigned long error_code,
					   unsigned long address)
{
	return asi_enabled() && __asi_page_fault(regs, error_code, address);
}

/* A kernel mapping is being flushed from this CPU: no PCID may keep it. */
static __always_inline void asi_tlb_flush_kernel(void)
{
	if (asi_enabled())
		__asi_tlb_flush_kernel();
}

/*
 * Translations of user addresses are about to be flushed. If tables have been
 * unhooked, no instance may lead to them once the flush has begun.
 */
static __always_inline void asi_tables_freed(struct mm_struct *mm,
					     unsigned long start,
					     unsigned long end, bool freed)
{
	if (asi_enabled() && freed)
		__asi_tables_freed(mm, start, end);
}

/* Attributes of kernel pages have changed: no instance may keep the old ones. */
static __always_inline void asi_attr_changed(unsigned long address,
					     unsigned long nr_pages)
{
	if (asi_enabled())
		__asi_attr_changed(address, nr_pages);
}

/* Kernel mappings are not global if any table may lack some of them. */
static __always_inline bool asi_kernel_nonglobal(void)
{
	return cpu_feature_enabled(X86_FEATURE_PTI) || asi_enabled();
}

/* A child inherits neither the critical section nor the mappings. */
static __always_inline void asi_task_init(struct asi_task *task)
{
	*task = (struct asi_task) { };
}

static __always_inline void asi_task_exit(struct task_struct *tsk)
{
	if (asi_enabled())
		__asi_task_exit(tsk);
}

/* The process is gone: so are its claims to local memory. NULL: it had none. */
static __always_inline void asi_owner_put(struct asi_owner *owner)
{
	if (asi_enabled() && owner)
		__asi_owner_put(owner);
}

/*
 * Classes never share a page: an object that will be mapped takes whole ones.
 */
static inline size_t asi_own_size(size_t size)
{
	return asi_enabled() ? __asi_own_size(size) : size;
}

static inline unsigned int asi_own_align(unsigned int align)
{
	return asi_enabled() ? max_t(unsigned int, align, PAGE_SIZE) : align;
}

#else /* !CONFIG_ASI */

static __always_inline bool asi_enabled(void) { return false; }
static __always_inline void asi_exit(enum asi_exit_cause cause) { }
static __always_inline void asi_reenter(void) { }

static __always_inline bool asi_page_fault(struct pt_regs *regs,
					   unsigned long error_code,
					   unsigned long address)
{
	return false;
}

static __always_inline bool asi_restricted(void) { return false; }
static __always_inline unsigned long asi_restricted_cr3(void) { return 0; }
static __always_inline void asi_tlb_flush_kernel(void) { }
static __always_inline void asi_tables_freed(struct mm_struct *mm,
					     unsigned long start,
					     unsigned long end, bool freed) { }
static __always_inline void asi_attr_changed(unsigned long address,
					     unsigned long nr_pages) { }

static __always_inline bool asi_kernel_nonglobal(void)
{
	return cpu_feature_enabled(X86_FEATURE_PTI);
}

static __always_inline void asi_task_init(struct asi_task *task) { }
static __always_inline void asi_task_exit(struct task_struct *tsk) { }
static inline void asi_owner_put(struct asi_owner *owner) { }
static inline void asi_check_boottime_disable(void) { }
static inline void asi_memory_init(void) { }
static inline int asi_own(struct mm_struct *mm) { return 0; }
static inline size_t asi_own_size(size_t size) { return size; }
static inline unsigned int asi_own_align(unsigned int align) { return align; }

#endif /* CONFIG_ASI */
#endif /* _ASM_X86_ASI_H */
