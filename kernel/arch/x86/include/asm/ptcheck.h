/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check: calls that leave the registers of who calls alone.
 *
 * A call that the compiler knows of makes it keep what lives across it out of the
 * registers that calls may change, also where the branch around the call is
 * patched to be always taken. These save what they use themselves, so that a
 * hook that is off costs the branch and nothing else.
 *
 * What they call must do the same, or everything is saved on their fast paths;
 * and must take its arguments in registers: where it passes some on the stack gcc
 * 12 aligns that with a register that it forgets to save.
 */
#ifndef _ASM_X86_PTCHECK_H
#define _ASM_X86_PTCHECK_H

#include <linux/compiler_types.h>
#include <asm/asm.h>

/*
 * Their files are not traced: a return hook of the function graph tracer keeps the
 * registers of a return value only.
 */
#define __ptcheck_callee __no_caller_saved_registers

/* Arguments are words; what is declared __ptcheck_callee is called by these only. */
#define ptcheck_call2(fn, a, b)						\
do {									\
	asm volatile("call %c[callee]" : ASM_CALL_CONSTRAINT		\
		     : [callee] "i" (fn), "D" (a), "S" (b)		\
		     : "memory", "cc");					\
} while (0)

#define ptcheck_call3(fn, a, b, c)					\
do {									\
	asm volatile("call %c[callee]" : ASM_CALL_CONSTRAINT		\
		     : [callee] "i" (fn), "D" (a), "S" (b), "d" (c)	\
		     : "memory", "cc");					\
} while (0)

#define ptcheck_call4(fn, a, b, c, d)					\
do {									\
	asm volatile("call %c[callee]" : ASM_CALL_CONSTRAINT		\
		     : [callee] "i" (fn), "D" (a), "S" (b), "d" (c),	\
		       "c" (d) : "memory", "cc");			\
} while (0)

#endif /* _ASM_X86_PTCHECK_H */
