// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page fault that leaves the restricted address space.
 *
 * Comes before everything else the page fault handler does: tracing, kprobes
 * and the test for disabled faults must see only faults that the full tables
 * have too. Implements "asi_exit() on PF, skip handling if address is
 * accessible".
 */
#include <linux/kprobes.h>
#include <linux/sched.h>
#include <asm/ptrace.h>
#include <asm/tlbflush.h>
#include <asm/trap_pf.h>

#include "asi.h"

#define CREATE_TRACE_POINTS
#include <trace/events/asi.h>

/* Whether the full tables, now loaded, allow what the CPU just tried. */
static bool allowed(unsigned long address, unsigned long error_code)
{
	struct asi_pt_leaf leaf = asi_pt_lookup(__va(read_cr3_pa()),
						asi_levels(), address);

	if (!leaf.entry)
		return false;
	if ((error_code & X86_PF_WRITE) && !leaf.write)
		return false;
	return !(error_code & X86_PF_INSTR) || leaf.exec;
}

/*
 * An NMI between the fault and its handler may have left. What the full tables
 * map cannot have been absent from them; the restricted ones lacked it.
 */
static bool left_meanwhile(unsigned long address, unsigned long error_code)
{
	return !(error_code & (X86_PF_PROT | X86_PF_RSVD | X86_PF_USER)) &&
	       allowed(address, error_code);
}

/**
 * __asi_page_fault - leave the restricted address space if the CPU is in it
 * @regs: of the fault
 * @error_code: of the fault
 * @address: that was touched
 *
 * Context: interrupts off; RCU is watching. Not traced: the tracer's data is
 * sensitive, and touching it would come back here for ever.
 * Return: true if the access is good in the full tables and can be made again;
 * false if the fault is one there too and must be handled.
 */
bool notrace __asi_page_fault(struct pt_regs *regs, unsigned long error_code,
			      unsigned long address)
{
	struct asi_task *task = &current->thread.asi;
	struct asi *asi;

	if (likely(!asi_restricted()))
		return left_meanwhile(address, error_code);
	asi = raw_cpu_read(asi_place.curr);

	/* Depth 1 is this handler: it interrupted the critical section itself. */
	if (task->target && task->depth == 1)
		task->stay_out = true;
	asi_exit(ASI_EXIT_FAULT);

	asi_site_record(regs->ip, address);
	trace_asi_exit_fault(regs->ip, address, error_code);
	if ((error_code & (X86_PF_RSVD | X86_PF_USER)) ||
	    !allowed(address, error_code))
		return false;
	if (!asi_user_fill(asi, address))
		asi_compartment_fill(asi, address);
	return true;
}

NOKPROBE_SYMBOL(__asi_page_fault);
