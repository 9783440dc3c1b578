/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way in which the CPUs of the model can go on from each state that they
 * can be in, each state once.
 */
#ifndef _MODEL_EXPLORE_H
#define _MODEL_EXPLORE_H

#include "software.h"

struct explored {
	unsigned long states;
	unsigned long moves;
	const char *violation;		/* NULL: none in any of them */
};

/*
 * Ends at the first violation, which more than @limit states are too, and prints
 * how it came about, step by step, if @verbose.
 */
struct explored explore(const struct scenario *scenario, unsigned long limit,
			bool verbose);

#endif /* _MODEL_EXPLORE_H */
