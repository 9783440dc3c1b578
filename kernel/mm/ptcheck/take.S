/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page table check: what the kernel calls in the place of taking an entry out.
 *
 * The compiler chooses where the address of the entry is, and where it wants the entry,
 * as it does for the instructions: with registers that are given, code that is not to
 * cost anything with the check off would move both. One adapter for each pair. Nothing
 * but asm/ptcheck.h calls them, and by name.
 */
#include <linux/export.h>
#include <linux/linkage.h>
#include <linux/objtool.h>

.macro adapter ptep, value
SYM_START(__ptcheck_take.\ptep\().\value, SYM_L_GLOBAL, SYM_F_ALIGN)
	ANNOTATE_NOENDBR
	xorl	%esi, %esi
	xchgq	%rsi, (%\ptep)
	movq	%\ptep, %rdi
	movq	%rsi, %\value
	jmp	__ptcheck_pte_taken
SYM_FUNC_END(__ptcheck_take.\ptep\().\value)

SYM_START(__ptcheck_take_local.\ptep\().\value, SYM_L_GLOBAL, SYM_F_ALIGN)
	ANNOTATE_NOENDBR
	movq	(%\ptep), %rsi
	movq	$0, (%\ptep)
	movq	%\ptep, %rdi
	movq	%rsi, %\value
	jmp	__ptcheck_pte_taken
SYM_FUNC_END(__ptcheck_take_local.\ptep\().\value)
.endm

.text
.irp ptep, rbx, rbp, r8, r9, r10, r11, r12, r13, r14, r15
.irp value, rbx, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	adapter	\ptep, \value
.endr
.endr

	/* For modules, which cannot have them all. */
EXPORT_SYMBOL(__ptcheck_take.rbx.r8)
EXPORT_SYMBOL(__ptcheck_take_local.rbx.r8)
