/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What switch.c and tlb.c need of the kernel, over the machine of machine.c.
 *
 * The Makefile makes every <linux/...> and <asm/...> header they include a copy
 * of this one, except those of our own.
 */
#ifndef _MODEL_MODEL_H
#define _MODEL_MODEL_H

#include <stdint.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/asi_types.h>

typedef int64_t s64;
typedef unsigned int gfp_t;
typedef struct { s64 counter; } atomic64_t;
typedef struct { int refs; } refcount_t;
typedef struct { int locked; } spinlock_t;
struct mutex { int locked; };
struct list_head { struct list_head *next, *prev; };
struct hlist_node { struct hlist_node *next, **pprev; };
struct mm_struct { void *pgd; };
struct thread_struct { struct asi_task asi; };
struct task_struct { struct thread_struct thread; };
extern struct mm_struct init_mm;

#define noinstr
#define unlikely(x)			__builtin_expect(!!(x), 0)
#define likely(x)			__builtin_expect(!!(x), 1)
#define EXPORT_SYMBOL_GPL(symbol)
#define EXPORT_PER_CPU_SYMBOL_GPL(symbol)
#define max_t(type, a, b)		((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define instrumentation_begin()		do { } while (0)
#define instrumentation_end()		do { } while (0)
#define PAGE_SHIFT			12
#define PAGE_SIZE			(1UL << PAGE_SHIFT)

#define X86_CR3_PCID_NOFLUSH		(1UL << 63)
#define X86_EFLAGS_IF			(1UL << 9)
#define X86_FEATURE_ASI			1
#define X86_FEATURE_PCID		2
#define X86_FEATURE_PTI			3
#define cpu_feature_enabled(feature)	model_has(feature)
#define pgtable_l5_enabled()		0

#define WARN_ONCE(condition, format...)					\
do {									\
	if (condition)							\
		model_violation("WARN: " format);			\
} while (0)

/* Like the kernel's own: the section has the layout, the machine the copies. */
#define DECLARE_PER_CPU(type, name)		extern type name
#define DECLARE_PER_CPU_ALIGNED(type, name)	extern type name
#define DEFINE_PER_CPU(type, name)					\
	__attribute__((section("model_percpu"))) type name
#define DEFINE_PER_CPU_ALIGNED(type, name)	DEFINE_PER_CPU(type, name)

#define raw_cpu_ptr(pointer)	((__typeof__(pointer))model_local(pointer))
#define this_cpu_ptr(pointer)	raw_cpu_ptr(pointer)
#define raw_cpu_read(variable)	READ_ONCE(*raw_cpu_ptr(&(variable)))
#define raw_cpu_write(variable, value)					\
do {									\
	__typeof__(&(variable)) __where = raw_cpu_ptr(&(variable));	\
									\
	*(volatile __typeof__(variable) *)__where = (value);		\
	model_stored(__where);						\
} while (0)
#define per_cpu(variable, cpu)						\
	(*(__typeof__(&(variable)))model_of_cpu(&(variable), cpu))

#define current			model_current()
#define smp_mb()		model_full_barrier()
#define raw_atomic64_read(v)	model_atomic_read(v)
#define atomic64_inc_return(v)	model_atomic_inc(v)
#define lockdep_assert_irqs_enabled() \
	model_require(native_save_fl(), "interrupts are off in asi_flush()")

bool model_has(int feature);
void model_violation(const char *what);
void model_require(bool condition, const char *otherwise);

void *model_local(void *percpu);
void *model_of_cpu(void *percpu, int cpu);
void model_stored(void *where);
void model_full_barrier(void);
struct task_struct *model_current(void);
s64 model_atomic_read(const atomic64_t *v);
s64 model_atomic_inc(atomic64_t *v);

unsigned long __native_read_cr3(void);
void native_write_cr3(unsigned long cr3);
unsigned long native_save_fl(void);
void native_irq_disable(void);
void native_irq_enable(void);
void on_each_cpu_cond(bool (*cond)(int cpu, void *info), void (*func)(void *info),
		      void *info, bool wait);

#endif /* _MODEL_MODEL_H */
