/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of `bulkhead watch`. */
#ifndef BULKHEAD_OPTIONS_H
#define BULKHEAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ranges.h"

/* Exit codes, of all commands. */
enum status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_CAUGHT = 3,	/* somebody wrote to what is protected */
};

#define MAX_ALLOWED	16

struct wanted {
	const char *text;
	bool protect;
};

struct options {
	pid_t pid;
	unsigned int vm;
	const char *map;
	const char *kaslr;	/* a number, or SYMBOL=ADDRESS */
	uint64_t text_gpa;
	bool has_text_gpa;
	struct wanted wanted[MAX_RANGES];
	size_t nr_wanted;
	const char *allowed[MAX_ALLOWED];
	size_t nr_allowed;
	bool stop, log, registers, json, quiet, heat, color;
	const char *svg, *html;
	double interval, seconds, timeout;
	uint64_t events;
};

/* -1: go on; or the status to end with, and all has been said. */
int options_parse(struct options *options, int argc, char **argv);

/* One line to stderr: what is wrong and what to do about it. */
__attribute__((__format__(printf, 1, 2)))
void complain(const char *fmt, ...);

#endif
