/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which frames of memory restricted files have, as the tracepoints of restricted
 * memory tell it, and what can be done to one of them.
 */
#ifndef BULKHEAD_RMEM_FRAMES_H
#define BULKHEAD_RMEM_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

/* False: this kernel cannot tell, or memory cannot be made to fail. */
bool rmem_frames_open(void);
void rmem_frames_close(void);

/* All files are closed. What failed is good again. */
void rmem_frames_reset(void);

/* The frame of page @page of @fd, or 0. */
uint64_t rmem_frame_of(int fd, uint64_t page);

/*
 * Page @page of @fd fails; its frame is asked to be given up. 0, -ENOENT: there
 * is none, or another negative errno: what the kernel says.
 */
int rmem_frame_fail(int fd, uint64_t page);
int rmem_frame_offline(int fd, uint64_t page);

#endif
