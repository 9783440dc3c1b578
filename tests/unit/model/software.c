// SPDX-License-Identifier: GPL-2.0-only
/*
 * The software of the model. It is compiled like switch.c: an NMI may come
 * between any two accesses to what the switch works on.
 */
#include <asm/asi_entry.h>

#include "software.h"

const struct scenario *software_scenario;

static void hook_runs(struct asi *asi)
{
	model_require((this_cpu()->cr3 & ~0xfffUL) == asi->pgd_pa ||
		      this_cpu()->cr3 == this_cpu()->full_cr3,
		      "a hook of another instance");
}

const struct asi_class software_class = {
	.name = "model",
	.post_asi_enter = hook_runs,
	.pre_asi_exit = hook_runs,
};

static void flush_kernel_here(void *unused)
{
	asi_tlb_flush_kernel();
	model_invlpg();
}

void software_ipi(void)
{
	struct cpu *c = this_cpu();

	native_irq_disable();
	{
		asi_intr_scope();
		model_check();
		c->ipi(c->ipi_info);
		model_point("end of the handler");
		c->ipi = NULL;
		c->ipi_info = NULL;
	}
	/* IRET is a full barrier. */
	model_full_barrier();
	native_irq_enable();
}

static void nmi_body(unsigned int kind)
{
	struct cpu *c = this_cpu();

	if (kind == NMI_EXIT)
		asi_exit(ASI_EXIT_FAULT);
	if (kind != NMI_FIXMAP)
		return;
	model_unmap(MAP_FIXMAP, 0);
	flush_kernel_here(NULL);
	c->fixmap.flushed = c->fixmap.now;
	model_check();
}

void software_nmi(unsigned int kind)
{
	struct cpu *c = this_cpu();
	bool irqs_on = c->irqs_on;

	c->in_nmi = true;
	c->irqs_on = false;
	{
		asi_intr_scope();
		nmi_body(kind);
	}
	model_full_barrier();
	c->irqs_on = irqs_on;
	c->in_nmi = false;
}

/* What __asi_page_fault() does when the critical section itself faults. */
static void fault(void)
{
	struct asi_task *task = &current->thread.asi;

	asi_intr_scope();
	if (!asi_restricted())
		return;
	if (task->target && task->depth == 1)
		task->stay_out = true;
	asi_exit(ASI_EXIT_FAULT);
}

/* As vmx_vcpu_run() does it. */
static void run(struct asi *asi, bool with_fault)
{
	struct cpu *c = this_cpu();
	unsigned long host_cr3;

	native_irq_disable();
	asi_enter(asi);
	host_cr3 = asi_restricted() ? asi_restricted_cr3() : c->full_cr3;
	if (with_fault)
		fault();
	asi_reenter();
	model_check();
	model_require((c->cr3 & ~0xfffUL) == asi->pgd_pa,
		      "the guest runs on other tables");
	model_vmexit(host_cr3);
	asi_relax();
	native_irq_enable();
}

static void flush(unsigned int i)
{
	model_unmap(MAP_INSTANCE, i);
	asi_flush(&machine.instance[i]);
	model_flushed(&machine.instance_map[i]);
}

static void flush_kernel(void)
{
	model_unmap(MAP_KERNEL, 0);
	on_each_cpu_cond(NULL, flush_kernel_here, NULL, true);
	model_flushed(&machine.kernel_map);
}

/* As flush_tlb_func() does it; @new_gen is what must be caught up with. */
static void flush_user_here(void *new_gen)
{
	struct cpu *c = this_cpu();
	u64 gen;

	if ((u64)(uintptr_t)new_gen <= c->user_gen)
		return;
	gen = model_atomic_read(&machine.user_gen);
	if (gen == c->user_gen)
		return;
	asi_exit(ASI_EXIT_EXPLICIT);
	model_invlpg();
	c->user_gen = gen;
}

/* As flush_tlb_mm_range() does it: every CPU has the process's mm loaded. */
static void flush_user(void)
{
	s64 gen;

	model_unmap(MAP_USER, 0);
	gen = model_atomic_inc(&machine.user_gen);
	on_each_cpu_cond(NULL, flush_user_here, (void *)(uintptr_t)gen, true);
	model_flushed(&machine.user_map);
}

static void switch_mm(void)
{
	struct cpu *c = this_cpu();

	native_irq_disable();
	asi_exit(ASI_EXIT_EXPLICIT);
	c->full_cr3 ^= 0x1000003UL;
	native_write_cr3(c->full_cr3 |
			 (machine.has_pcid ? X86_CR3_PCID_NOFLUSH : 0));
	native_irq_enable();
}

/* Use an instance as its owner does, with a reference. */
static void use(enum op_kind kind, unsigned int i)
{
	model_point("reference");
	if (machine.dying[i])
		return;
	machine.users[i]++;
	if (kind == OP_FLUSH)
		flush(i);
	else
		run(&machine.instance[i], kind == OP_FAULT);
	machine.users[i]--;
}

/* asi_free() of an instance that nobody has a reference to, and asi_init(). */
static void renew(unsigned int i)
{
	struct asi *asi = &machine.instance[i];
	unsigned int cpu;

	model_point("last reference");
	if (machine.users[i] || machine.dying[i])
		return;
	machine.dying[i] = true;
	asi_flush(asi);
	for (cpu = 0; cpu < NR_CPUS; cpu++)
		model_require((machine.cpu[cpu].cr3 & ~0xfffUL) != asi->pgd_pa,
			      "freed tables are in use");
	asi->id = machine.next_id++;
	asi->tlb_gen.counter = 1;
	machine.instance_map[i] = (struct version) { 0, 0 };
	model_point("new instance");
	machine.dying[i] = false;
}

static void operate(enum op_kind kind, unsigned int i)
{
	switch (kind) {
	case OP_RUN:
	case OP_FAULT:
	case OP_FLUSH:
		return use(kind, i);
	case OP_KERNEL:
		return flush_kernel();
	case OP_USER:
		return flush_user();
	case OP_EXIT:
		return asi_exit(ASI_EXIT_SCHEDULE);
	case OP_MM:
		return switch_mm();
	case OP_RENEW:
		return renew(i);
	default:
		return;
	}
}

/* Between OP_END and OP_ANY, and which instance where that matters. */
static void operate_any(void)
{
	enum op_kind kind = OP_RUN + model_choose(OP_ANY - OP_RUN, "operation");
	unsigned int i = 0;

	if (kind != OP_KERNEL && kind != OP_EXIT && kind != OP_MM)
		i = model_choose(NR_INSTANCES, "instance");
	operate(kind, i);
}

void software_run(void)
{
	unsigned int cpu = machine.running;
	const struct op *ops = software_scenario->ops[cpu];
	unsigned int i;

	for (i = 0; i < MAX_OPS && ops[i].kind != OP_END; i++) {
		if (ops[i].kind == OP_ANY)
			operate_any();
		else
			operate(ops[i].kind, ops[i].instance);
		model_open_window("next operation");
	}
	model_end();
}
