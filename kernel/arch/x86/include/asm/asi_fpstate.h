/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FPU registers of tasks, apart from the task. Implements "Allocate FPU state
 * separately when ASI is enabled".
 */
#ifndef _ASM_X86_ASI_FPSTATE_H
#define _ASM_X86_ASI_FPSTATE_H

#include <asm/asi.h>
#include <asm/fpu/types.h>

#ifdef CONFIG_ASI

int __asi_fpstate_alloc(struct fpu *fpu);
void __asi_fpstate_put(struct fpu *fpu, struct fpstate *fpstate);

/**
 * asi_fpstate_embedded - what a task_struct has room for
 * @size: of the registers, in bytes
 *
 * Return: 0 while ASI is on, because tasks are global memory then.
 */
static inline unsigned int asi_fpstate_embedded(unsigned int size)
{
	return asi_enabled() ? 0 : size;
}

/**
 * asi_fpstate_alloc - give a new task memory for its registers
 * @fpu: of a task whose fpstate is NULL
 *
 * Context: may sleep. Return: 0 or -ENOMEM.
 */
static inline int asi_fpstate_alloc(struct fpu *fpu)
{
	return asi_enabled() ? __asi_fpstate_alloc(fpu) : 0;
}

/**
 * asi_fpstate_put - free what asi_fpstate_alloc() gave, and nothing else
 * @fpu: of the task that had it
 * @fpstate: any, or NULL
 */
static inline void asi_fpstate_put(struct fpu *fpu, struct fpstate *fpstate)
{
	if (asi_enabled() && fpstate)
		__asi_fpstate_put(fpu, fpstate);
}

/* Where the registers of a task are by default. The boot task is static. */
static inline struct fpstate *asi_fpstate(struct fpu *fpu)
{
	return asi_enabled() && fpu->fpstate ? fpu->fpstate : &fpu->__fpstate;
}

#else /* !CONFIG_ASI */

static inline unsigned int asi_fpstate_embedded(unsigned int size)
{
	return size;
}

static inline int asi_fpstate_alloc(struct fpu *fpu) { return 0; }
static inline void asi_fpstate_put(struct fpu *fpu, struct fpstate *fpstate) { }
static inline struct fpstate *asi_fpstate(struct fpu *fpu)
{
	return &fpu->__fpstate;
}

#endif /* CONFIG_ASI */
#endif /* _ASM_X86_ASI_FPSTATE_H */
