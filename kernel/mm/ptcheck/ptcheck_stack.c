// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks close to where execve() first puts them, so that it moves them by less
 * than they are long. By chance that is one execve() in thousands with four levels
 * of page tables, and none with five.
 *
 * For processes that want their addresses not randomized (personality(2)): the
 * parameter "pages" is how far they are moved, 0 for as ever; "overlapped" how many
 * have been moved onto a part of themselves.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/personality.h>
#include <linux/sched.h>

static unsigned int pages;
module_param(pages, uint, 0644);
static unsigned int overlapped;
module_param(overlapped, uint, 0444);

/* How far below the end of all addresses the stack is to end. */
static int place(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	unsigned long size = (unsigned long)READ_ONCE(pages) << PAGE_SHIFT;

	if (size && current->personality & ADDR_NO_RANDOMIZE)
		regs_set_return_value(regs, STACK_TOP_MAX - size);
	return 0;
}

static struct kretprobe top = {
	.kp.symbol_name = "randomize_stack_top", .handler = place,
};

static int count(struct kprobe *probe, struct pt_regs *regs)
{
	const struct vm_area_struct *vma = (void *)regs_get_kernel_argument(regs, 0);
	unsigned long shift = regs_get_kernel_argument(regs, 1);

	if (shift && shift < vma->vm_end - vma->vm_start)
		overlapped++;
	return 0;
}

static struct kprobe move = {
	.symbol_name = "relocate_vma_down", .pre_handler = count,
};

static int __init stack_init(void)
{
	int err = register_kprobe(&move);

	if (err)
		return err;
	err = register_kretprobe(&top);
	if (err)
		unregister_kprobe(&move);
	return err;
}
module_init(stack_init);

static void __exit stack_exit(void)
{
	unregister_kretprobe(&top);
	unregister_kprobe(&move);
}
module_exit(stack_exit);

MODULE_DESCRIPTION("Stacks that execve() moves by less than they are long");
MODULE_LICENSE("GPL");
