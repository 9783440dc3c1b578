// SPDX-License-Identifier: GPL-2.0
/*
 * ptcheck_cost [REPEAT]: what a round of each loop over page tables costs, in ticks
 * of the time stamp counter; one JSON line per loop, the least of REPEAT.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "ptcheck_load.h"
#include "report.h"

#define REPEAT	5

static uint64_t measure(const struct ptcheck_loop *loop)
{
	uint64_t start;
	unsigned int i;

	start = __rdtsc();
	for (i = 0; i < loop->rounds; i++)
		loop->round();
	return (__rdtsc() - start) / loop->rounds;
}

static void report_loop(const struct ptcheck_loop *loop, unsigned int repeat)
{
	uint64_t least = UINT64_MAX, most = 0, ticks;
	char line[160];

	loop->begin();
	measure(loop);
	while (repeat--) {
		ticks = measure(loop);
		least = ticks < least ? ticks : least;
		most = ticks > most ? ticks : most;
	}
	loop->end();
	snprintf(line, sizeof(line),
		 "{\"ptcheck\": \"%s\", \"tsc\": %lu, \"most\": %lu}", loop->name,
		 least, most);
	report_data(line);
	check(least > 0, "%s", loop->name);
}

int main(int argc, char **argv)
{
	unsigned int repeat = argc > 1 ? atoi(argv[1]) : REPEAT;
	const struct ptcheck_loop *loop;

	for (loop = ptcheck_loops; loop->name; loop++)
		report_loop(loop, repeat ? repeat : 1);
	return report_result();
}
