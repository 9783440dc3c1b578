// SPDX-License-Identifier: GPL-2.0-only
/*
 * FPU registers of tasks, apart from the task.
 *
 * The scheduler reads the tasks of others: those that wait for the same CPU are
 * each other's neighbours in its tree. So tasks are global memory, and what user
 * space keeps in registers is not in them. Implements "Allocate FPU state
 * separately when ASI is enabled".
 */
#include <linux/slab.h>
#include <linux/thread_info.h>
#include <asm/asi_fpstate.h>
#include <asm/fpu/xcr.h>

#include "../../kernel/fpu/internal.h"

static struct kmem_cache *fpstate_cache __ro_after_init;

/* Comes with the cache of tasks, when the size of the registers is known. */
void __init arch_task_cache_init(void)
{
	unsigned int offset = offsetof(struct fpstate, regs);
	unsigned int size = fpu_kernel_cfg.default_size;

	if (!asi_enabled())
		return;
	fpstate_cache = kmem_cache_create_usercopy("fpstate", offset + size,
						   __alignof__(struct fpstate),
						   SLAB_PANIC | SLAB_ACCOUNT,
						   offset, size, NULL);
}

/* Zeroed: the instructions that save registers leave out parts of the header. */
int __asi_fpstate_alloc(struct fpu *fpu)
{
	fpu->fpstate = kmem_cache_zalloc(fpstate_cache, GFP_KERNEL);
	return fpu->fpstate ? 0 : -ENOMEM;
}

/* States that have grown are vmalloc areas, which their users free. */
void __asi_fpstate_put(struct fpu *fpu, struct fpstate *fpstate)
{
	if (fpstate == &fpu->__fpstate || fpstate->is_valloc)
		return;
	if (fpu->fpstate == fpstate)
		fpu->fpstate = NULL;
	kmem_cache_free(fpstate_cache, fpstate);
}
