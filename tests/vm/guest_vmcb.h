/* SPDX-License-Identifier: GPL-2.0 */
/* What the payload "vmrun" runs: a guest of the guest. */
#ifndef BULKHEAD_GUEST_VMCB_H
#define BULKHEAD_GUEST_VMCB_H

#include <stdbool.h>
#include <stdint.h>

/* Whether guests can have guests here, and these nested page tables. */
bool guest_can_nest(void);
bool guest_can_nest_tables(void);

/*
 * The inner guest runs from @rip on, with the page tables of the outer one, and is
 * to call back at once; with nested paging if @nested_cr3 is not 0.
 */
void guest_build_vmcb(uint8_t *vmcb, uint64_t rip, uint64_t nested_cr3);

/*
 * Nested page tables in the outer guest's memory @mem: the first gigabyte, at its
 * own addresses. Returns what to give as @nested_cr3.
 */
uint64_t guest_build_nested_tables(uint8_t *mem);

#endif
