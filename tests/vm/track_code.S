/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What guests of the page tracking tests execute: a few instructions each, on
 * memory at rbx, copied to a page of their own. rax, rcx, rsi and rdi are the
 * test's; each snippet ends with OUT to GUEST_PORT_DONE, eax in it.
 */
#include "guest_layout.h"

#define TRACK_DATA	0x300000	/* as in track_guest.h */

	.section .rodata
	.balign 16
	.globl track_code_start, track_code_end
track_code_start:

.macro snippet name
	.globl track_\name
track_\name:
.endm

.macro done
	out %eax, $GUEST_PORT_DONE
	ud2
.endm

.macro one name insn:vararg
	snippet \name
	\insn
	done
.endm

	one load1, movb (%rbx), %al
	one load2, movw (%rbx), %ax
	one load4, movl (%rbx), %eax
	one load8, movq (%rbx), %rax
	one store1, movb %al, (%rbx)
	one store2, movw %ax, (%rbx)
	one store4, movl %eax, (%rbx)
	one store8, movq %rax, (%rbx)
	one add, addq %rax, (%rbx)
	one lock_add, lock addq %rax, (%rbx)
	one xchg, xchgq %rax, (%rbx)
	one cmpxchg, lock cmpxchgq %rcx, (%rbx)
	one cmpxchg16b, lock cmpxchg16b (%rbx)
	one rep_movs, rep movsb
	one rep_stos, rep stosq
	one lods, lodsl
	one cmps, repe cmpsb
	one push, pushq %rax
	one pop, popq %rax
	one push_mem, pushq (%rbx)
	one sgdt, sgdt (%rbx)
	one load_ds, movl %eax, %ds
	one bts, lock btsq $5, (%rbx)
	one movnti, movnti %rax, (%rbx)
	one endbr, endbr64

/* Pushes a return address and comes back to pop nothing. */
snippet call
	call 1f
1:	done

/* To a far pointer at rbx: two pushes. */
snippet lcall
	lcall *(%rbx)
	done

snippet finish
	done

.macro sse
	mov %cr4, %rdx
	or $0x600, %edx
	mov %rdx, %cr4
.endm

snippet sse_load
	sse
	movups (%rbx), %xmm0
	movq %xmm0, %rax
	done

snippet sse_store
	sse
	movq %rax, %xmm0
	movups %xmm0, (%rbx)
	done

/* Three instructions and the end: 3 + 4 + 3 + 2 bytes. */
snippet three
	mov %rcx, %rax
	add $5, %rax
	mov %rax, %rcx
	done

/* Ends in the next page if it is placed four bytes before the end of one. */
snippet long
	movabs $0x1122334455667788, %rax
	done

/* The operand has the same offset in its page as the instruction. */
snippet same_offset
	movl (%rbx), %eax
	done

/* Changes the instruction that comes next: "mov $1, %eax" to $2. */
snippet self
	movb $2, 1f+1(%rip)
1:	mov $1, %eax
	done

/* A new mapping by hand, and through it. rbx: entry, rax: its value, rcx: address. */
snippet remap
	mov %rax, (%rbx)
	invlpg (%rcx)
	mov (%rcx), %eax
	done

/* Writes rax to rdi places, 8 bytes apart, from rbx on, rsi times. */
snippet hammer
1:	mov %rbx, %rdx
	mov %rdi, %rcx
2:	addq $1, (%rdx)
	add $8, %rdx
	dec %rcx
	jnz 2b
	dec %rsi
	jnz 1b
	done

/* One store after the other to rbx, rdi times. */
snippet stores
	rdtsc
	mov %eax, %esi
1:	mov %edi, (%rbx)
	dec %rdi
	jnz 1b
	rdtsc
	sub %esi, %eax
	done

/* As a guest of the guest, on fixed addresses: its registers are not all its own. */
snippet inner
	mov TRACK_DATA, %rcx
	mov %rdi, TRACK_DATA
	vmmcall
	ud2

/* In system management mode: 16 bits, segments from 0 to the end. */
snippet smm
	.code16
	addr32 movl TRACK_DATA, %ebx
	movl $0x5afe0051, %eax
	addr32 movl %eax, TRACK_DATA
	outl %eax, $GUEST_PORT_DONE
	ud2
	.code64

track_code_end:

	.section .note.GNU-stack, "", @progbits
