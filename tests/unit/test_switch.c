// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own switch.c, tlb.c and tlb.h on a model of two CPUs, in every
 * order in which their steps, interrupts and NMIs can happen.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "explore.h"

#define STATE_LIMIT	60000000UL

#define A	0
#define B	1
#define C	2

#define RUN(i)		{ OP_RUN, i }
#define FAULT(i)	{ OP_FAULT, i }
#define FLUSH(i)	{ OP_FLUSH, i }
#define RENEW(i)	{ OP_RENEW, i }
#define KERNEL		{ OP_KERNEL, 0 }
#define USER		{ OP_USER, 0 }
#define EXIT		{ OP_EXIT, 0 }
#define MM		{ OP_MM, 0 }
#define ANY		{ OP_ANY, 0 }

/* More instances than PCIDs: the third takes the PCID of the first. */
static const struct scenario scenarios[] = {
	/* One CPU and many NMIs. */
	{ "again", { { RUN(A), RUN(A), EXIT, RUN(A) } }, .nmis = 3 },
	{ "recycle", { { RUN(A), RUN(B), RUN(C), RUN(A) } }, .nmis = 2 },
	{ "fault", { { FAULT(A), FAULT(A), RUN(B) } }, .nmis = 2 },
	{ "mm", { { RUN(A), MM, RUN(B), MM, RUN(A) } }, .nmis = 2 },
	{ "no pcid", { { RUN(A), RUN(B), MM, RUN(A) } }, .nmis = 2,
	  .no_pcid = true },

	/* One enters, the other flushes. */
	{ "flush", { { RUN(A), RUN(A) }, { FLUSH(A), FLUSH(A) } }, .nmis = 2 },
	{ "flush recycled", { { RUN(A), RUN(B), RUN(C), RUN(A) },
			      { FLUSH(A), FLUSH(C) } }, .nmis = 1 },
	{ "flush fault", { { FAULT(A), EXIT, FAULT(A) },
			   { FLUSH(A), FLUSH(A) } }, .nmis = 1 },
	{ "flush mm", { { RUN(A), MM, RUN(A) }, { FLUSH(A), FLUSH(A) } },
	  .nmis = 1 },
	{ "flush no pcid", { { RUN(A), RUN(A) }, { FLUSH(A), FLUSH(A) } },
	  .nmis = 2, .no_pcid = true },
	{ "kernel", { { RUN(A), RUN(B), RUN(A) }, { KERNEL, KERNEL } },
	  .nmis = 1 },
	{ "renew", { { RUN(A), RUN(B), RUN(A) }, { RENEW(A), RENEW(A) } },
	  .nmis = 1 },

	/* One enters, the other unmaps memory of the process. */
	{ "user", { { RUN(A), RUN(A) }, { USER, USER } }, .nmis = 2,
	  .user = true },
	{ "user no pcid", { { RUN(A), RUN(A) }, { USER, USER } }, .nmis = 2,
	  .no_pcid = true, .user = true },
	{ "user recycled", { { RUN(A), RUN(B), RUN(C), RUN(A) }, { USER } },
	  .nmis = 1, .user = true },
	{ "user fault", { { FAULT(A), EXIT, FAULT(A) }, { USER, USER } },
	  .nmis = 1, .user = true },

	/* The sum of two generations must not hide that one of them has risen. */
	{ "user then flush", { { RUN(A), RUN(A) }, { USER, FLUSH(A) } },
	  .nmis = 2, .user = true },
	{ "flush then user", { { RUN(A), RUN(A) }, { FLUSH(A), USER } },
	  .nmis = 2, .user = true },
	{ "user each other", { { RUN(A), USER, RUN(A) }, { RUN(A), USER } },
	  .nmis = 1, .user = true },

	/* Both do everything. */
	{ "flush each other", { { RUN(A), FLUSH(A), RUN(A) },
				{ RUN(A), FLUSH(A), RUN(A) } }, .nmis = 1 },
	{ "cross", { { RUN(A), FLUSH(B), KERNEL }, { RUN(B), FLUSH(A), RUN(A) } },
	  .nmis = 1 },
	{ "any", { { ANY, ANY }, { ANY } }, .nmis = 0 },
	{ "any nmi", { { RUN(A), ANY }, { ANY } }, .nmis = 1 },
	{ "any after", { { RUN(A), ANY, RUN(A) }, { RUN(B), ANY } }, .nmis = 0 },
	{ "any alone", { { ANY, ANY, ANY } }, .nmis = 1 },

	/* Minutes. */
	{ "deep flush", { { RUN(A), RUN(B), RUN(C), RUN(A) },
			  { FLUSH(A), FLUSH(B), FLUSH(A) } }, .nmis = 2,
	  .deep = true },
	{ "deep cross", { { RUN(A), FLUSH(B), KERNEL, RUN(A) },
			  { RUN(B), FLUSH(A), RUN(A), FLUSH(A) } }, .nmis = 1,
	  .deep = true },
	{ "deep user", { { RUN(A), RUN(B), RUN(C), RUN(A) },
			 { USER, FLUSH(A), USER, FLUSH(C) } }, .nmis = 2,
	  .deep = true, .user = true },
	{ "deep user cross", { { RUN(A), USER, FLUSH(B), RUN(A) },
			       { RUN(B), FLUSH(A), USER, RUN(A) } }, .nmis = 1,
	  .deep = true, .user = true },
	{ "deep any", { { ANY, ANY }, { ANY } }, .nmis = 1, .deep = true },
	{ "deep any after", { { RUN(A), ANY, RUN(A) }, { RUN(B), ANY, RUN(B) } },
	  .deep = true },
};

static void run_scenario(void **state)
{
	const struct scenario *scenario = *state;
	struct explored e = explore(scenario, STATE_LIMIT, true);

	printf("# %s: %lu states, %lu moves\n", scenario->name, e.states,
	       e.moves);
	if (e.violation)
		fail_msg("%s", e.violation);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_SIZE(scenarios)];
	size_t i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
		if (scenarios[i].deep != !!getenv("UNIT_DEEP"))
			continue;
		tests[nr++] = (struct CMUnitTest) {
			.name = scenarios[i].name,
			.test_func = run_scenario,
			.initial_state = (void *)&scenarios[i],
		};
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return _cmocka_run_group_tests("test_switch", tests, nr, NULL, NULL);
}
