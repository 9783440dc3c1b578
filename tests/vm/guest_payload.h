/* SPDX-License-Identifier: GPL-2.0 */
/* The symbols of guest_payload.S. */
#ifndef BULKHEAD_GUEST_PAYLOAD_H
#define BULKHEAD_GUEST_PAYLOAD_H

#include <stdint.h>

extern const uint8_t guest_blob_start[], guest_blob_end[];

/* Handlers of interrupts and of exceptions. */
extern const uint8_t guest_interrupt[], guest_unexpected[];

/* Payloads. */
extern const uint8_t guest_churn[], guest_clock[], guest_fill[], guest_sum[];
extern const uint8_t guest_count[], guest_cpuid[], guest_eptfault[];
extern const uint8_t guest_hlt[], guest_hlt_pending[], guest_mix[];
extern const uint8_t guest_mmio_user[], guest_msr[], guest_pio[];
extern const uint8_t guest_pio_user[], guest_spin[], guest_vmcall[];
extern const uint8_t guest_vmmcall[], guest_vmrun[];

/* What "vmrun" runs. */
extern const uint8_t guest_of_guest[];

#endif
