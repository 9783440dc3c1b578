// SPDX-License-Identifier: GPL-2.0
/*
 * restricted_fuzz [ROUNDS [SEED]]
 *
 * Random sequences of calls on restricted memory, each answer held against the
 * model of tests/fuzz/rmem_model.c. Round N of seed S is round 1 of seed S+N-1.
 * A sequence that goes wrong is made as short as it can be and printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "restricted.h"
#include "rmem_kernel.h"
#include "vm_test.h"

#define MANY	20	/* rounds, in which everything must have come */

static void print(const struct rmem_sequence *sequence)
{
	char text[256];
	unsigned int i;

	for (i = 0; i < sequence->count; i++) {
		rmem_op_text(&sequence->ops[i], text, sizeof(text));
		note("%u: %s", i + 1, text);
	}
	note("the last one answers %s, %ld, and not %s, %ld to %ld",
	     strerror(-sequence->got.err), sequence->got.value,
	     strerror(-sequence->want.err), sequence->want.value,
	     sequence->want.most);
}

static bool goes_right(struct rmem_target *target, unsigned int seed)
{
	static struct rmem_sequence sequence;

	if (rmem_sequence_run(&sequence, seed, target))
		return true;
	note("seed %u: call %u is answered wrongly", seed, sequence.count);
	rmem_sequence_shrink(&sequence, target);
	print(&sequence);
	return false;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 50, i;
	unsigned int seed = argc > 2 ? atoi(argv[2]) : time(NULL);
	struct rmem_target *target;

	if (!restricted_supported())
		skip("no memfd_restricted");
	vm_test_begin();
	target = rmem_kernel_open();
	if (!target)
		die("/dev/kvm");
	note("%u rounds from seed %u, %s private memory, %s failures", rounds,
	     seed, target->has_private ? "with" : "without",
	     target->has_failures ? "with" : "without");
	for (i = 0; i < rounds && goes_right(target, seed + i); i++)
		;
	check(i == rounds, "%u of %u sequences of %u calls", i, rounds,
	      RMEM_LENGTH);
	note("%u pairs at once, %u pages failed, %u were not given up",
	     target->pairs, target->failures, target->refusals);
	check(rounds < MANY || (target->pairs && target->failures &&
				target->refusals), "all kinds have met memory");
	rmem_kernel_close(target);
	return vm_test_end();
}
