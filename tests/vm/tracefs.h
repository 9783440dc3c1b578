/* SPDX-License-Identifier: GPL-2.0 */
/* Tests that trace the kernel on the path of a running guest. */
#ifndef BULKHEAD_TRACEFS_H
#define BULKHEAD_TRACEFS_H

#include <stdbool.h>

#define TRACEFS		"/sys/kernel/tracing"

/* True if tracefs is there; mounts it if need be. */
bool tracefs_mounted(void);

bool can_write(const char *path);

/* Appends, as kprobe_events wants it. Returns 0 or -errno. */
int append_text(const char *path, const char *text);

/* Writes, as a check that is only reported if it fails. */
void must_write(const char *path, const char *text);

/* True if @what is in a line of the trace. */
bool traced(const char *what);

#endif
