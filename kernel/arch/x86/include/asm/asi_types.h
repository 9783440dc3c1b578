/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address Space Isolation: the parts of its state that live in structures of
 * the kernel, and therefore in headers that everything includes.
 */
#ifndef _ASM_X86_ASI_TYPES_H
#define _ASM_X86_ASI_TYPES_H

#include <linux/types.h>

struct asi;

/**
 * struct asi_task - what a task carries (thread_struct)
 * @target: where the task must be once no handler runs; NULL outside the
 *	critical section that asi_enter() opens and asi_relax() closes
 * @depth: handlers (interrupts, exceptions, NMIs) running on this task
 * @stay_out: the critical section itself faulted; asi_reenter() goes back, not
 *	the handler, which would fault on the same access for ever
 *
 * Only the task itself, and handlers on top of it, read or write these.
 */
struct asi_task {
#ifdef CONFIG_ASI
	struct asi *target;
	int depth;
	bool stay_out;
	u64 mapped_id;		/* instance it was last mapped in, 0: none */
#endif
};

/* What KVM remembers per vCPU (kvm_vcpu_arch); guarded by the vCPU's mutex. */
/* How far what is counted had got at a VM exit, while VM exits are counted. */
struct kvm_asi_marks {
	u64 runs;
	u64 switches;
	u64 touches;
	u64 left;
	bool taken;
};

struct kvm_vcpu_asi {
#ifdef CONFIG_ASI
	bool mapped;		/* the objects below it are in the instance */
	void *vendor_page;	/* a page the vendor code touches at every exit */
	void *cpuid;		/* the CPUID table that is mapped, or NULL */
	size_t cpuid_size;
	bool nested;		/* has had a guest of its own */
	u64 runs;
	struct kvm_asi_marks marks;
#endif
};

#endif /* _ASM_X86_ASI_TYPES_H */
