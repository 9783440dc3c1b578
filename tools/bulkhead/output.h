/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that is there as a whole or not at all. */
#ifndef BULKHEAD_OUTPUT_H
#define BULKHEAD_OUTPUT_H

#include <limits.h>
#include <stdio.h>

struct output {
	FILE *file;		/* NULL: not wanted */
	const char *path;
	char part[PATH_MAX];	/* where it is until then */
};

/* 0 or a negative errno; nothing happens for no @path. */
int output_open(struct output *output, const char *path);

/* Puts it in its place; on failure there is nothing. */
int output_commit(struct output *output);

/* As if it had never been opened. */
void output_drop(struct output *output);

#endif
