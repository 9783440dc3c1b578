// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flushing translations of restricted tables.
 *
 * A CPU that is outside an instance needs no interrupt: it compares generations
 * before it loads the tables again. A CPU inside is made to leave; it flushes
 * when it comes back. Implements "Avoid TLB flushes during ASI CR3 switches
 * when possible" and "Avoid TLB flush IPIs to CPUs not in ASI context".
 */
#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/smp.h>

#include "asi.h"

static bool cpu_is_inside(int cpu, void *asi)
{
	return READ_ONCE(per_cpu(asi_place.curr, cpu)) == asi;
}

static void leave(void *asi)
{
	asi_exit(ASI_EXIT_EXPLICIT);
}

/**
 * asi_flush - no CPU uses what was just unmapped once this returns
 * @asi: instance whose tables have already been changed
 *
 * Context: interrupts on; waits for other CPUs.
 */
void asi_flush(struct asi *asi)
{
	lockdep_assert_irqs_enabled();

	/* Fully ordered: raised before @curr is looked at, see __asi_enter(). */
	atomic64_inc_return(&asi->tlb_gen);
	on_each_cpu_cond(cpu_is_inside, leave, asi, true);
}

/**
 * __asi_tlb_flush_kernel - this CPU is about to flush a kernel mapping
 *
 * Leaves, so that the INVLPG which follows acts on the full tables' PCID, and
 * makes all restricted PCIDs of this CPU stale, since any may hold the mapping.
 *
 * Context: preemption off.
 */
void __asi_tlb_flush_kernel(void)
{
	asi_exit(ASI_EXIT_EXPLICIT);
	asi_tlb_forget(this_cpu_ptr(&asi_cpu.tlb));
}
