/* SPDX-License-Identifier: GPL-2.0 */
/* The booted kernel as what a sequence of tests/fuzz/rmem_sequence.h asks. */
#ifndef BULKHEAD_RMEM_KERNEL_H
#define BULKHEAD_RMEM_KERNEL_H

#include "../fuzz/rmem_sequence.h"

/* Needs /dev/kvm. NULL: it could not be opened. One at a time. */
struct rmem_target *rmem_kernel_open(void);

/* Undoes it, and all that calls have left behind. */
void rmem_kernel_close(struct rmem_target *target);

#endif
