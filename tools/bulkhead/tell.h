/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses as text and as JSON lines. */
#ifndef BULKHEAD_TELL_H
#define BULKHEAD_TELL_H

#include <stdio.h>

#include "ranges.h"

/* What became of an access. */
enum outcome {
	OUTCOME_DONE,		/* it happened */
	OUTCOME_SKIPPED,	/* a protected write, dropped */
	OUTCOME_STOPPED,	/* and the VM with it */
	OUTCOME_ALLOWED,	/* by --allow */
	OUTCOME_RELEASED,	/* KVM cannot emulate it: not watched for a moment */
	OUTCOME_UNHANDLED,	/* and it was a protected write: the VM ends */
};

struct teller {
	FILE *out;
	const struct image *image;	/* its symbols are NULL without a map */
	bool color;
	bool registers;
};

/* What is at @gpa: its symbol in the image, or the number. */
void tell_place(const struct image *image, uint64_t gpa, char *text, size_t size);

void tell_text(const struct teller *teller, double when,
	       const struct bulkhead_track_event *event, enum outcome outcome);
void tell_json(const struct teller *teller, double when,
	       const struct bulkhead_track_event *event, enum outcome outcome);

/* @text as a JSON string, with its quotes. */
void tell_json_string(FILE *out, const char *text);

#endif
