/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs the tiny VMM of kvm_guest.c runs in its guests: 64-bit,
 * position independent, copied whole into guest memory.
 *
 * Every payload is one loop of a single kind of VM exit:
 *   in   rdi = rounds, rsi = struct guest_result, r8 = fresh memory
 *   out  struct guest_result filled in, then OUT to GUEST_PORT_DONE
 * The guest reads the time stamp counter itself, so what the loop costs is
 * known without the cost of entering and leaving KVM_RUN.
 */
#include "guest_layout.h"

	.section .rodata
	.balign 16
	.globl guest_blob_start, guest_blob_end
guest_blob_start:

.macro stamp where
	rdtsc
	shl $32, %rdx
	or %rdx, %rax
	mov %rax, \where(%rsi)
.endm

.macro payload name
	.globl guest_\name
guest_\name:
	stamp GUEST_RESULT_START
.endm

/* The host may start the next round by entering at the top again. */
.macro finish
	stamp GUEST_RESULT_END
	out %al, $GUEST_PORT_DONE
	ud2
.endm

payload cpuid
1:	xor %eax, %eax
	cpuid
	dec %rdi
	jnz 1b
	finish

/* Half reads, half writes: both leave the guest, both stay in the kernel. */
payload msr
	mov $MSR_IA32_MISC_ENABLE, %ecx
1:	rdmsr
	wrmsr
	sub $2, %rdi
	ja 1b
	finish

/* The interrupt mask of the first PIC, a device inside KVM. */
payload pio
1:	in $0x21, %al
	dec %rdi
	jnz 1b
	finish

payload pio_user
1:	out %al, $GUEST_PORT_USER
	dec %rdi
	jnz 1b
	finish

payload mmio_user
	mov $GUEST_MMIO, %r8d
1:	mov %eax, (%r8)
	dec %rdi
	jnz 1b
	finish

payload vmcall
1:	mov $KVM_HC_VAPIC_POLL_IRQ, %eax
	vmcall
	dec %rdi
	jnz 1b
	finish

payload vmmcall
1:	mov $KVM_HC_VAPIC_POLL_IRQ, %eax
	vmmcall
	dec %rdi
	jnz 1b
	finish

/* A guest of the guest, which GUEST_VMCB describes and which only calls back. */
payload vmrun
	mov $MSR_GUEST_EFER, %ecx
	rdmsr
	or $EFER_SVME, %eax
	wrmsr
	mov $MSR_VM_HSAVE_PA, %ecx
	mov $GUEST_HSAVE, %eax
	xor %edx, %edx
	wrmsr
1:	mov $GUEST_VMCB, %eax
	vmrun
	mov $GUEST_VMCB, %ebx
	cmpl $VMEXIT_VMMCALL, VMCB_EXIT_CODE(%rbx)
	jne guest_unexpected
	incq GUEST_RESULT_COUNTER(%rsi)
	dec %rdi
	jnz 1b
	stgi
	finish

	.globl guest_of_guest
guest_of_guest:
	vmmcall
	ud2

/* One store into each page the host has just taken away. */
payload eptfault
1:	movb $1, (%r8)
	add $4096, %r8
	dec %rdi
	jnz 1b
	finish

.macro x2apic reg value
	mov $\reg, %ecx
	mov $\value, %eax
	xor %edx, %edx
	wrmsr
.endm

.macro apic_on
	x2apic X2APIC_SPIV, 0x1ff
	x2apic X2APIC_TDCR, 0xb
	x2apic X2APIC_LVTT, GUEST_VECTOR
.endm

/* Arm the local APIC timer, halt, be woken by its interrupt. */
payload hlt
	apic_on
1:	x2apic X2APIC_TMICT, GUEST_TIMER_TICKS
	sti
guest_hlt_timer:
	hlt
	cli
	dec %rdi
	jnz 1b
	finish

/* The same with the interrupt already there: the halt never blocks. */
payload hlt_pending
	apic_on
1:	x2apic X2APIC_SELF_IPI, GUEST_VECTOR
	sti
guest_hlt_ipi:
	hlt
	cli
	dec %rdi
	jnz 1b
	finish

/* An interrupt taken just before HLT must not be slept through. */
.macro skip_halt at
	lea \at(%rip), %rax
	cmp %rax, 24(%rsp)
	jne 3f
	incq 24(%rsp)
3:
.endm

	.globl guest_interrupt
guest_interrupt:
	push %rax
	push %rcx
	push %rdx
	skip_halt guest_hlt_timer
	skip_halt guest_hlt_ipi
	x2apic X2APIC_EOI, 0
	pop %rdx
	pop %rcx
	pop %rax
	iretq

/* Computes and never leaves by itself: only what the host does ends a run. */
payload spin
1:	pause
	dec %rdi
	jnz 1b
	finish

/* A little of everything that is handled in the kernel. */
payload mix
1:	xor %eax, %eax
	cpuid
	mov $MSR_IA32_MISC_ENABLE, %ecx
	rdmsr
	in $0x21, %al
	mov $64, %ecx
2:	pause
	dec %ecx
	jnz 2b
	dec %rdi
	jnz 1b
	finish

/* Counts in a page both sides see: proof that the guest really ran. */
payload count
1:	incq GUEST_RESULT_COUNTER(%rsi)
	dec %rdi
	jnz 1b
	finish

/* Ends a payload that has something to say: by port, memory may be nobody's. */
.macro tell reg
	mov \reg, %eax
	out %eax, $GUEST_PORT_DONE
	ud2
.endm

/* Numbers the pages of the fresh memory, from 1. */
payload fill
	mov $1, %ecx
1:	mov %rcx, (%r8)
	add $4096, %r8
	inc %ecx
	dec %rdi
	jnz 1b
	tell %ecx

/* The sum of what is at the beginning of each. */
payload sum
	xor %ecx, %ecx
1:	add (%r8), %ecx
	add $4096, %r8
	dec %rdi
	jnz 1b
	tell %ecx

/* Changes every one, in place, over and over: the storm of others must not show. */
payload churn
1:	lea GUEST_CHURN_PAGES*4096(%r8), %rbx
2:	sub $4096, %rbx
	lock incq (%rbx)
	cmp %r8, %rbx
	jne 2b
	dec %rdi
	jnz 1b
	tell %edi

/* A clock page, which KVM fills in; tells its version and switches it off. */
payload clock
	mov $MSR_KVM_SYSTEM_TIME_NEW, %ecx
	lea 1(%r8), %eax
	xor %edx, %edx
	wrmsr
1:	xor %eax, %eax
	cpuid
	dec %rdi
	jnz 1b
	mov (%r8), %esi
	mov $MSR_KVM_SYSTEM_TIME_NEW, %ecx
	xor %eax, %eax
	xor %edx, %edx
	wrmsr
	tell %esi

/* Any exception lands here: a test that meets one has failed. */
	.globl guest_unexpected
guest_unexpected:
	out %al, $GUEST_PORT_FAULT
	ud2

guest_blob_end:

	.section .note.GNU-stack, "", @progbits
