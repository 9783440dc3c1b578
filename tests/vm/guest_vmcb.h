/* SPDX-License-Identifier: GPL-2.0 */
/* What the payload "vmrun" runs: a guest of the guest. */
#ifndef BULKHEAD_GUEST_VMCB_H
#define BULKHEAD_GUEST_VMCB_H

#include <stdint.h>

/*
 * The inner guest runs from @rip on, with the page tables of the outer one, and is
 * to call back at once; with nested paging if @nested_cr3 is not 0.
 */
void guest_build_vmcb(uint8_t *vmcb, uint64_t rip, uint64_t nested_cr3);

#endif
