/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check: what the kernel calls in the place of instructions on entries.
 *
 * The compiler chooses where an entry is, or where it wants it, as it does for the
 * instructions: with registers that are given, code that is not to cost anything with the
 * check off would move values there. One adapter for each. Where an entry is to be set is
 * given, since it comes from memory as a rule. Nothing but asm/ptcheck.h calls them, and
 * by name.
 */
#include <linux/export.h>
#include <linux/linkage.h>
#include <linux/objtool.h>

.macro begin name
SYM_START(\name, SYM_L_GLOBAL, SYM_F_ALIGN)
	ANNOTATE_NOENDBR
.endm

.macro set value
begin __ptcheck_set_pte.\value
	movq	%\value, %rsi
	jmp	__ptcheck_set_pte
SYM_FUNC_END(__ptcheck_set_pte.\value)
.endm

.macro take ptep, value
begin __ptcheck_take.\ptep\().\value
	xorl	%esi, %esi
	xchgq	%rsi, (%\ptep)
	movq	%\ptep, %rdi
	movq	%rsi, %\value
	jmp	__ptcheck_pte_taken
SYM_FUNC_END(__ptcheck_take.\ptep\().\value)

begin __ptcheck_take_local.\ptep\().\value
	movq	(%\ptep), %rsi
	movq	$0, (%\ptep)
	movq	%\ptep, %rdi
	movq	%rsi, %\value
	jmp	__ptcheck_pte_taken
SYM_FUNC_END(__ptcheck_take_local.\ptep\().\value)
.endm

.text
.irp value, rbx, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	set	\value
.irp ptep, rbx, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	take	\ptep, \value
.endr
.endr

	/* For modules, which cannot have them all, by names that can have a checksum. */
SYM_FUNC_ALIAS(__ptcheck_set_pte_by_modules, __ptcheck_set_pte.r8)
SYM_FUNC_ALIAS(__ptcheck_take_by_modules, __ptcheck_take.rbx.r8)
SYM_FUNC_ALIAS(__ptcheck_take_local_by_modules, __ptcheck_take_local.rbx.r8)
EXPORT_SYMBOL(__ptcheck_set_pte_by_modules)
EXPORT_SYMBOL(__ptcheck_take_by_modules)
EXPORT_SYMBOL(__ptcheck_take_local_by_modules)
