// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching between the full and the restricted tables.
 *
 * Rules of this file, which the rest relies on:
 *  - asi_place.curr is written before CR3 on the way in and cleared after CR3 on
 *    the way out, so that whoever interrupts in between sees "restricted" and
 *    an exit does its whole work again rather than none of it.
 *  - Nothing here faults: what it touches is mapped in every instance.
 *  - The full CR3 is the one found at asi_enter(). It stays true because
 *    whatever would change it (mm switch, LAM, flushes) exits first.
 *
 * noinstr throughout: it runs between entry assembly and RCU, and around VM
 * entry.
 */
#include <linux/kernel.h>
#include <linux/sched.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "asi.h"

DEFINE_PER_CPU(struct asi_place, asi_place);
EXPORT_PER_CPU_SYMBOL_GPL(asi_place);

DEFINE_PER_CPU_ALIGNED(struct asi_cpu, asi_cpu);

static __always_inline unsigned long noflush_bit(void)
{
	return cpu_feature_enabled(X86_FEATURE_PCID) ? X86_CR3_PCID_NOFLUSH : 0;
}

/* Load @asi's tables, with a flush unless their PCID is up to date. */
static __always_inline void load_restricted(struct asi_cpu *cpu, struct asi *asi)
{
	/* Neither ever falls: the sum is the same only if both are. */
	u64 gen = raw_atomic64_read(&asi->tlb_gen) +
		  raw_atomic64_read(asi->user_gen);
	struct asi_tlb_pick pick = asi_tlb_pick(&cpu->tlb, asi->id, gen);
	unsigned long cr3 = asi->pgd_pa;

	if (cpu_feature_enabled(X86_FEATURE_PCID))
		cr3 |= ASI_FIRST_PCID + pick.slot;
	raw_cpu_write(asi_place.cr3, cr3);
	barrier();
	native_write_cr3(pick.flush ? cr3 : cr3 | noflush_bit());
	asi_tlb_done(&cpu->tlb, pick, gen);
	if (!pick.flush && noflush_bit())
		cpu->enters_noflush++;
}

/*
 * Out of line half of asi_enter(), and what takes a task back where it must be.
 */
noinstr bool __asi_enter(void)
{
	struct asi_cpu *cpu = raw_cpu_ptr(&asi_cpu);
	struct asi *target = current->thread.asi.target;
	unsigned long full_cr3;
	struct asi *curr;

	if (!target)
		return false;

	/*
	 * An NMI that ends here takes the CPU to @target on its own. CR3 is read
	 * before @curr, so that what is taken for the full CR3 cannot be the one
	 * which the NMI has loaded.
	 */
	for (;;) {
		full_cr3 = __native_read_cr3();
		barrier();
		curr = raw_cpu_read(asi_place.curr);
		if (curr == target)
			return false;
		if (!curr)
			break;
		__asi_exit(ASI_EXIT_EXPLICIT);
	}

	cpu->full_cr3 = full_cr3;
	raw_cpu_write(asi_place.curr, target);
	/*
	 * Pairs with asi_flush(): either it sees @curr and makes this CPU leave,
	 * or load_restricted() sees the generation that it has raised.
	 */
	smp_mb();
	load_restricted(cpu, target);
	cpu->enters++;

	if (target->class->post_asi_enter) {
		instrumentation_begin();
		target->class->post_asi_enter(target);
		instrumentation_end();
	}
	return true;
}
EXPORT_SYMBOL_GPL(__asi_enter);

/*
 * The critical section faulted after its last asi_reenter(), and the guest has
 * run on: the processor loaded the restricted tables from the VMCS while @curr
 * says that we are outside. Something on that path is not mapped: a bug.
 */
noinstr void __asi_relax(void)
{
	native_write_cr3(raw_cpu_read(asi_cpu.full_cr3));
	current->thread.asi.stay_out = false;
	instrumentation_begin();
	WARN_ONCE(1, "x86/asi: fault between asi_reenter() and asi_relax()\n");
	instrumentation_end();
}
EXPORT_SYMBOL_GPL(__asi_relax);

noinstr void __asi_reenter(void)
{
	current->thread.asi.stay_out = false;
	__asi_enter();
}
EXPORT_SYMBOL_GPL(__asi_reenter);

/* Out of line half of asi_exit(). */
noinstr void __asi_exit(enum asi_exit_cause cause)
{
	unsigned long flags = native_save_fl();
	struct asi_cpu *cpu;
	struct asi *curr;

	native_irq_disable();

	/* An NMI in here must not go back in: its @curr would be overwritten. */
	current->thread.asi.depth++;
	barrier();
	cpu = raw_cpu_ptr(&asi_cpu);
	curr = raw_cpu_read(asi_place.curr);
	if (curr) {
		if (curr->class->pre_asi_exit) {
			instrumentation_begin();
			curr->class->pre_asi_exit(curr);
			instrumentation_end();
		}
		cpu->exits[cause]++;
		native_write_cr3(cpu->full_cr3 | noflush_bit());
		barrier();
		raw_cpu_write(asi_place.curr, NULL);
	}
	barrier();
	current->thread.asi.depth--;

	if (flags & X86_EFLAGS_IF)
		native_irq_enable();
}
EXPORT_SYMBOL_GPL(__asi_exit);

/* End of a handler: the outermost one restores where the task must be. */
noinstr void __asi_intr_exit(void)
{
	struct asi_task *task = &current->thread.asi;

	if (!--task->depth && unlikely(task->target) && !task->stay_out)
		__asi_enter();
}
