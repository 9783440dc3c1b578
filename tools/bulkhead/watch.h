/* SPDX-License-Identifier: GPL-2.0-only */
/* `bulkhead watch`: one run of it. */
#ifndef BULKHEAD_WATCH_H
#define BULKHEAD_WATCH_H

#include "heat.h"
#include "output.h"
#include "options.h"
#include "tell.h"

struct watch {
	struct options options;
	struct symbols symbols;
	struct image image;
	struct ranges ranges;
	struct bulkhead_track_range pages[2 * MAX_RANGES];
	size_t nr_pages;
	struct bulkhead_track track;
	int pidfd;
	/* The question that has been judged last, 0 or 1 of them. */
	struct bulkhead_track_answer answer;
	size_t answers;
	struct teller teller;
	struct heat heat;
	struct output svg, html;
	unsigned int heat_lines;	/* of the heat map on the screen */
	double start, drawn;
	uint64_t accesses, refused, lost;
	bool released;		/* some pages are not watched for a moment */
	double released_at;
	bool stopped;		/* the VM is to be stopped */
};

int watch_main(int argc, char **argv);

/* watch_setup.c: all that can go wrong before the first event. Complains. */
int watch_setup(struct watch *watch);

/* What signals have said: the user's, and one that comes every WATCH_TICK_MS. */
#define WATCH_TICK_MS	100
bool watch_interrupted(void);
/* Only once for each tick. */
bool watch_ticked(void);

/*
 * watch_event.c: one access, judged and told. The answer is left in @watch, to be
 * given with the next call of watch_answer(). 0 or a negative errno.
 */
int watch_event(struct watch *watch, const struct bulkhead_track_event *event);

/*
 * Gives the answer that is there, if any, and with @await waits then until there is
 * an event or a signal. 0 or a negative errno.
 */
int watch_answer(struct watch *watch, bool await);

/* Pages that were released are watched again. */
int watch_again(struct watch *watch);

double watch_now(void);

#endif
