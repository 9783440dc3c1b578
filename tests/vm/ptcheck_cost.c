// SPDX-License-Identifier: GPL-2.0
/*
 * ptcheck_cost [REPEAT [LOOP]]: what a round of each loop over page tables, or of
 * one, costs in ticks of the time stamp counter; one JSON line per loop.
 *
 * Rounds are timed one by one. "tsc" is the least of them: without an interrupt,
 * whose price is a multiple of what is looked for here. "median" and "most" have them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "ptcheck_load.h"
#include "report.h"

#define REPEAT	5

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure(const struct ptcheck_loop *loop, uint64_t *ticks,
		    unsigned int rounds)
{
	uint64_t start;

	while (rounds--) {
		start = __rdtsc();
		loop->round();
		*ticks++ = __rdtsc() - start;
	}
}

static void report_loop(const struct ptcheck_loop *loop, unsigned int repeat)
{
	unsigned int rounds = loop->rounds * repeat;
	uint64_t *ticks = calloc(rounds, sizeof(*ticks));
	char line[160];

	if (!ticks)
		die("calloc");
	loop->begin();
	measure(loop, ticks, loop->rounds);
	measure(loop, ticks, rounds);
	loop->end();
	qsort(ticks, rounds, sizeof(*ticks), compare);
	snprintf(line, sizeof(line),
		 "{\"ptcheck\": \"%s\", \"tsc\": %lu, \"median\": %lu, \"most\": %lu}",
		 loop->name, ticks[0], ticks[rounds / 2], ticks[rounds - 1]);
	report_data(line);
	check(ticks[0] > 0, "%s", loop->name);
	free(ticks);
}

int main(int argc, char **argv)
{
	unsigned int repeat = argc > 1 ? atoi(argv[1]) : REPEAT;
	const struct ptcheck_loop *loop;

	for (loop = ptcheck_loops; loop->name; loop++)
		if (argc < 3 || !strcmp(loop->name, argv[2]))
			report_loop(loop, repeat ? repeat : 1);
	return report_result();
}
