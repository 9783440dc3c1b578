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
 * registers that calls may change. These change rax, rcx and rdx, or none; in the place
 * of instructions also rsi, and those that take an entry out rdi.
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

/*
 * An instruction has its operands in the registers that the compiler likes, and so has
 * the call: adapters.S has an adapter for each that is not lost. Modules have one of them.
 */
#ifdef MODULE
#define PTCHECK_PTEP "b"
#define PTCHECK_VALUE asm("r8")
#define PTCHECK_BY_VALUE "_by_modules"
#define PTCHECK_BY_BOTH "_by_modules"
#else
#define PTCHECK_PTEP "r"
#define PTCHECK_VALUE
#define PTCHECK_BY_VALUE ".%V[value]"
#define PTCHECK_BY_BOTH ".%V[ptep].%V[value]"
#endif

void __ptcheck_set_pte_by_modules(void);
void __ptcheck_take_by_modules(void);
void __ptcheck_take_local_by_modules(void);

/*
 * set_pte(). The instruction is as long as the call. The compiler has to be told that all
 * this is one instruction, or it no longer inlines what it would inline otherwise.
 */
static __always_inline void ptcheck_set_pte(pte_t *ptep, pte_t pte)
{
	register pteval_t value PTCHECK_VALUE = pte.pte;

	asm_inline volatile(ALTERNATIVE("ds %{disp8%} movq %[value], (%[ptep])",
					"call __ptcheck_set_pte" PTCHECK_BY_VALUE,
					PTCHECK_IS_ON)
			    : ASM_CALL_CONSTRAINT, "+m" (*ptep)
			    : [ptep] "D" (ptep), [value] "r" (value)
			    : "rax", "rcx", "rdx", "rsi", "cc");
}

/* To take an entry out. Told the same, it makes the loop that unmaps pages longer. */
#define ptcheck_take_by(instructions, callee, ptep, ...) ({		\
	register pteval_t __value PTCHECK_VALUE;			\
									\
	asm volatile(ALTERNATIVE(instructions, "call " callee PTCHECK_BY_BOTH, \
				 PTCHECK_IS_ON)				\
		     : ASM_CALL_CONSTRAINT, [value] "=&r" (__value), "+m" (*(ptep)) \
		     : [ptep] PTCHECK_PTEP (ptep)			\
		     : "rax", "rcx", "rdx", "rsi", "rdi", "cc", ##__VA_ARGS__); \
	(pte_t) { .pte = __value }; })

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
