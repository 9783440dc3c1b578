/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address Space Isolation in the entry code: the handler depth of a task.
 *
 * The depth rises before anything in a handler can fault and falls after
 * everything that can; the outermost handler takes the CPU back to where the
 * task must be. A scoped guard does both, so that no return path is missed.
 */
#ifndef _ASM_X86_ASI_ENTRY_H
#define _ASM_X86_ASI_ENTRY_H

#include <asm/asi.h>
#include <asm/current.h>

#ifdef CONFIG_ASI

struct asi_intr_scope { };

static __always_inline struct asi_intr_scope asi_intr_enter(void)
{
	if (asi_enabled()) {
		current->thread.asi.depth++;
		barrier();
	}
	return (struct asi_intr_scope) { };
}

static __always_inline void asi_intr_exit(struct asi_intr_scope *scope)
{
	if (asi_enabled()) {
		barrier();
		__asi_intr_exit();
	}
}

#define asi_intr_scope()						\
	struct asi_intr_scope __asi_scope				\
		__attribute__((__cleanup__(asi_intr_exit), __unused__)) = \
		asi_intr_enter()

#else /* !CONFIG_ASI */

#define asi_intr_scope()	do { } while (0)

#endif /* CONFIG_ASI */

/*
 * Function heads of the raw entry points, which have no other common code:
 * @name is what the assembly calls, the body that follows the macro becomes
 * asi_<name>() inlined into it.
 */
#define __ASI_DEFINE_RAW(name, leave_first)				\
static __always_inline void asi_##name(struct pt_regs *regs);		\
__visible noinstr void name(struct pt_regs *regs)			\
{									\
	asi_intr_scope();						\
	if (leave_first)						\
		asi_exit(ASI_EXIT_EXPLICIT);				\
	asi_##name(regs);						\
}									\
static __always_inline void asi_##name(struct pt_regs *regs)

#define __ASI_DEFINE_RAW_ERRORCODE(name, leave_first)			\
static __always_inline void asi_##name(struct pt_regs *regs,		\
				       unsigned long error_code);	\
__visible noinstr void name(struct pt_regs *regs, unsigned long error_code) \
{									\
	asi_intr_scope();						\
	if (leave_first)						\
		asi_exit(ASI_EXIT_EXPLICIT);				\
	asi_##name(regs, error_code);					\
}									\
static __always_inline void asi_##name(struct pt_regs *regs,		\
				       unsigned long error_code)

#define ASI_DEFINE_RAW(name)		__ASI_DEFINE_RAW(name, false)
#define ASI_DEFINE_RAW_ERRORCODE(name)	__ASI_DEFINE_RAW_ERRORCODE(name, false)

/*
 * #DB, #MC and #DF may interrupt a page fault before it has read CR2, and do not
 * save it: leave at once, so that they cannot fault on something unmapped.
 */
#define ASI_DEFINE_IST(name)		__ASI_DEFINE_RAW(name, true)
#define ASI_DEFINE_DF(name)		__ASI_DEFINE_RAW_ERRORCODE(name, true)

#endif /* _ASM_X86_ASI_ENTRY_H */
