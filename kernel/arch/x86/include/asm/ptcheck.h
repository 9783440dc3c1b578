/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check: calls that leave most registers of who calls alone.
 *
 * A call that the compiler knows of makes it keep what lives across it out of the
 * registers that calls may change, also where the branch around the call is
 * patched to be always taken. These change those of arguments, which have to be
 * loaded anyway, and rax: a hook that is off costs the branch and little else.
 */
#ifndef _ASM_X86_PTCHECK_H
#define _ASM_X86_PTCHECK_H

#include <linux/compiler_types.h>
#include <asm/asm.h>

/*
 * Two kinds of functions can be called so; scripts of the build look at their code.
 * The quick ones are in a file whose compiler has been told of these registers. What
 * they call, and what is not worth it, saves all that it uses, and must take its
 * arguments in registers: where it passes some on the stack gcc 12 aligns that with
 * a register that it forgets to save.
 *
 * Neither is traced: a return hook of the function graph tracer keeps the registers
 * of a return value only.
 */
#define __ptcheck_quick
#define __ptcheck_callee __no_caller_saved_registers

/* Arguments are words. */
#define ptcheck_call2(fn, a, b)						\
do {									\
	unsigned long __a = (unsigned long)(a), __b = (unsigned long)(b); \
									\
	asm volatile("call %c[callee]"					\
		     : ASM_CALL_CONSTRAINT, "+D" (__a), "+S" (__b)	\
		     : [callee] "i" (fn)				\
		     : "rax", "rcx", "rdx", "r8", "memory", "cc");	\
} while (0)

#define ptcheck_call3(fn, a, b, c)					\
do {									\
	unsigned long __a = (unsigned long)(a), __b = (unsigned long)(b), \
		      __c = (unsigned long)(c);				\
									\
	asm volatile("call %c[callee]"					\
		     : ASM_CALL_CONSTRAINT, "+D" (__a), "+S" (__b),	\
		       "+d" (__c)					\
		     : [callee] "i" (fn)				\
		     : "rax", "rcx", "r8", "memory", "cc");		\
} while (0)

#define ptcheck_call4(fn, a, b, c, d)					\
do {									\
	unsigned long __a = (unsigned long)(a), __b = (unsigned long)(b), \
		      __c = (unsigned long)(c), __d = (unsigned long)(d); \
									\
	asm volatile("call %c[callee]"					\
		     : ASM_CALL_CONSTRAINT, "+D" (__a), "+S" (__b),	\
		       "+d" (__c), "+c" (__d)				\
		     : [callee] "i" (fn)				\
		     : "rax", "r8", "memory", "cc");			\
} while (0)

#define ptcheck_call5(fn, a, b, c, d, e)				\
do {									\
	unsigned long __a = (unsigned long)(a), __b = (unsigned long)(b), \
		      __c = (unsigned long)(c), __d = (unsigned long)(d); \
	register unsigned long __e asm("r8") = (unsigned long)(e);	\
									\
	asm volatile("call %c[callee]"					\
		     : ASM_CALL_CONSTRAINT, "+D" (__a), "+S" (__b),	\
		       "+d" (__c), "+c" (__d), "+r" (__e)		\
		     : [callee] "i" (fn) : "rax", "memory", "cc");	\
} while (0)

#endif /* _ASM_X86_PTCHECK_H */
