/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel tells about address space isolation in debugfs. */
#ifndef BULKHEAD_ASI_STATS_H
#define BULKHEAD_ASI_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASI_DEBUGFS	"/sys/kernel/debug/asi"

/* True if this kernel was built with ASI and it is switched on. */
bool asi_enabled(void);

/* True if the debugfs directory is there; mounts debugfs if need be. */
bool asi_debugfs(void);

/*
 * Reads "name value" from debugfs @file. Returns false, and leaves @value alone,
 * if file or name is missing.
 */
bool asi_value(const char *file, const char *name, uint64_t *value);

/* Sum of all "exit_*" counters in stats: restricted space left, any cause. */
bool asi_exits(uint64_t *value);

/* Writes @text to debugfs @file. Returns 0 or -errno. */
int asi_write(const char *file, const char *text);

/* Writes @text to @path. Returns 0 or -errno. */
int write_text(const char *path, const char *text);

/* Reads @path as a string of less than @len bytes. Returns false on error. */
bool read_text(const char *path, char *text, size_t len);

#endif
