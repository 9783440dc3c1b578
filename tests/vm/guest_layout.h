/* SPDX-License-Identifier: GPL-2.0 */
/* What kvm_guest.c and guest_payload.S agree on. Physical = linear address. */
#ifndef BULKHEAD_GUEST_LAYOUT_H
#define BULKHEAD_GUEST_LAYOUT_H

#define GUEST_GDT		0x1000
#define GUEST_IDT		0x2000
#define GUEST_TSS		0x3000
#define GUEST_PGD		0x4000
#define GUEST_PUD		0x5000
#define GUEST_PMD		0x6000
#define GUEST_RESULTS		0x8000	/* one struct guest_result per vCPU */
#define GUEST_VMCB		0xa000	/* of a guest of the guest */
#define GUEST_HSAVE		0xb000
#define GUEST_CODE		0x10000
#define GUEST_STACKS		0x20000	/* one page per vCPU */
#define GUEST_FRESH		0x200000 /* to the end of guest memory */
#define GUEST_MMIO		0x30000000 /* mapped, but no memory there */

#define GUEST_CS		0x08
#define GUEST_DS		0x10
#define GUEST_TR		0x18

#define GUEST_RESULT_START	0
#define GUEST_RESULT_END	8
#define GUEST_RESULT_COUNTER	16
#define GUEST_RESULT_SIZE	64

#define GUEST_PORT_USER		0xf1
#define GUEST_PORT_DONE		0xf4
#define GUEST_PORT_FAULT	0xf6

#define GUEST_VECTOR		0x40
#define GUEST_CHURN_PAGES	1024
#define GUEST_TIMER_TICKS	1000000	/* nanoseconds of guest time */

#define MSR_IA32_MISC_ENABLE	0x1a0
#define MSR_GUEST_EFER		0xc0000080
#define MSR_VM_HSAVE_PA		0xc0010117
#define MSR_KVM_SYSTEM_TIME_NEW	0x4b564d01
#define EFER_SVME		0x1000
#define VMCB_EXIT_CODE		0x70
#define VMEXIT_VMMCALL		0x81
#define X2APIC_EOI		0x80b
#define X2APIC_SPIV		0x80f
#define X2APIC_LVTT		0x832
#define X2APIC_TMICT		0x838
#define X2APIC_TDCR		0x83e
#define X2APIC_SELF_IPI		0x83f

#ifndef KVM_HC_VAPIC_POLL_IRQ
#define KVM_HC_VAPIC_POLL_IRQ	1
#endif

#endif
