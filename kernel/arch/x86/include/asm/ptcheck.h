/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check: how the kernel gets there, and what it pays for that.
 *
 * Entries of 4 KiB come and go by one instruction each. With the check on it is
 * replaced by a call to what does the same and counts, as the kernel replaces
 * instructions for what a processor has; with the check off nothing is added to it.
 * What happens less often is behind a branch that is patched out.
 *
 * A call that the compiler knows of makes it keep what lives across it out of the
 * registers that calls may change. These change rax, rcx and rdx, or none.
 */
#ifndef _ASM_X86_PTCHECK_H
#define _ASM_X86_PTCHECK_H

#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/ibt.h>
#include <asm/pgtable_types.h>

/*
 * Two kinds of functions can be called so; scripts of the build look at their code.
 * The quick ones are in a file whose compiler has been told to keep most registers; it
 * does not keep those of arguments, but has no reason to change them. What they call,
 * and what is not worth it, saves all that it uses, and must take its arguments in
 * registers: where it passes some on the stack gcc 12 aligns that with
 * a register that it forgets to save.
 *
 * Neither is traced: a return hook of the function graph tracer keeps the registers
 * of a return value only.
 */
#define __ptcheck_quick __noendbr
#define __ptcheck_callee __no_caller_saved_registers

/* What says, when instructions are replaced, whether the check is on. */
#ifdef CONFIG_PAGE_TABLE_CHECK_ENFORCED
#define PTCHECK_IS_ON X86_FEATURE_ALWAYS
#else
#define PTCHECK_IS_ON X86_FEATURE_PTCHECK
#endif

void __ptcheck_quick __ptcheck_set_pte(pte_t *ptep, pteval_t pte);

/* set_pte(). The first instruction is as long as the call. */
static __always_inline void ptcheck_set_pte(pte_t *ptep, pte_t pte)
{
	asm volatile(ALTERNATIVE("ds %{disp8%} movq %[value], (%[ptep])",
				 "call __ptcheck_set_pte", PTCHECK_IS_ON)
		     : ASM_CALL_CONSTRAINT, "=m" (*ptep)
		     : [ptep] "D" (ptep), [value] "S" (pte.pte)
		     : "rax", "rcx", "rdx", "cc");
}

/*
 * To take an entry out, in the registers that the compiler likes: take.S has an adapter
 * for each pair of those that are not lost, of which one is for modules.
 */
#ifdef MODULE
#define ptcheck_take_by(instructions, adapter, ptep, ...) ({		\
	register pteval_t __value asm("r8");				\
									\
	asm volatile(ALTERNATIVE(instructions, "call " adapter ".rbx.r8", PTCHECK_IS_ON) \
		     : ASM_CALL_CONSTRAINT, [value] "=&r" (__value), "+m" (*(ptep)) \
		     : [ptep] "b" (ptep)				\
		     : "rax", "rcx", "rdx", "rsi", "rdi", "cc", ##__VA_ARGS__); \
	(pte_t) { .pte = __value }; })
#else
#define ptcheck_take_by(instructions, adapter, ptep, ...) ({		\
	pteval_t __value;						\
									\
	asm volatile(ALTERNATIVE(instructions, "call " adapter ".%V[ptep].%V[value]", \
				 PTCHECK_IS_ON)				\
		     : ASM_CALL_CONSTRAINT, [value] "=&r" (__value), "+m" (*(ptep)) \
		     : [ptep] "r" (ptep)				\
		     : "rax", "rcx", "rdx", "rsi", "rdi", "cc", ##__VA_ARGS__); \
	(pte_t) { .pte = __value }; })
#endif

/* native_ptep_get_and_clear() */
static __always_inline pte_t ptcheck_take(struct mm_struct *mm, pte_t *ptep)
{
	return ptcheck_take_by("xorl %k[value], %k[value]; xchgq %[value], (%[ptep])",
			       "__ptcheck_take", ptep, "memory");
}

/* native_local_ptep_get_and_clear() */
static __always_inline pte_t ptcheck_take_local(struct mm_struct *mm, pte_t *ptep)
{
	return ptcheck_take_by("movq (%[ptep]), %[value]; movq $0, (%[ptep])",
			       "__ptcheck_take_local", ptep);
}

/* To a quick function. Arguments are words. */
#define ptcheck_call2(fn, a, b)						\
	asm volatile("call %c[callee]"					\
		     : ASM_CALL_CONSTRAINT				\
		     : [callee] "i" (fn), "D" (a), "S" (b)		\
		     : "rax", "rcx", "rdx", "memory", "cc")

/* To one that keeps all registers. */
#define ptcheck_call3(fn, a, b, c)					\
	asm volatile("call %c[callee]"					\
		     : ASM_CALL_CONSTRAINT				\
		     : [callee] "i" (fn), "D" (a), "S" (b), "d" (c)	\
		     : "memory", "cc")

#define ptcheck_call4(fn, a, b, c, d)					\
	asm volatile("call %c[callee]"					\
		     : ASM_CALL_CONSTRAINT				\
		     : [callee] "i" (fn), "D" (a), "S" (b), "d" (c), "c" (d) \
		     : "memory", "cc")

#endif /* _ASM_X86_PTCHECK_H */
