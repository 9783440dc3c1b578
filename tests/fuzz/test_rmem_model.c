// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer of restricted memory must be able to fail: in the place of a kernel
 * comes the model itself, right at first and then broken in every way there is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rmem_sequence.h"

#define ROUNDS	3000	/* at most, until a broken one is found out */
#define SHORT	10	/* calls that show it, once shrunk */

struct fake {
	struct rmem_target target;
	enum rmem_mutation mutation;
	struct rmem_model model;
};

static void fake_reset(struct rmem_target *target)
{
	struct fake *fake = (struct fake *)target;

	rmem_model_init(&fake->model, fake->mutation, true);
}

static struct rmem_answer fake_call(struct rmem_target *target,
				    const struct rmem_op *op)
{
	struct fake *fake = (struct fake *)target;

	return rmem_model_do(&fake->model, op, NULL);
}

static void fake_both(struct rmem_target *target, const struct rmem_op *a,
		      const struct rmem_op *b, struct rmem_answer *answers)
{
	struct fake *fake = (struct fake *)target;

	rmem_pair_do(&fake->model, a, b, NULL, answers);
}

static struct fake fake = {
	.target = {
		.has_private = true, .has_failures = true,
		.reset = fake_reset, .call = fake_call, .both = fake_both,
	},
};

static void print(const struct rmem_sequence *sequence)
{
	char text[256];
	unsigned int i;

	for (i = 0; i < sequence->count; i++) {
		rmem_op_text(&sequence->ops[i], text, sizeof(text));
		print_message("# %s\n", text);
	}
	print_message("# got %d %ld, want %d %ld\n", sequence->got.err,
		      sequence->got.value, sequence->want.err,
		      sequence->want.value);
}

static void finds_nothing_wrong_with_itself(void **state)
{
	static struct rmem_sequence sequence;
	unsigned int seed;

	(void)state;
	fake.mutation = MUT_NONE;
	for (seed = 1; seed <= ROUNDS; seed++) {
		if (rmem_sequence_run(&sequence, seed, &fake.target))
			continue;
		print(&sequence);
		fail_msg("seed %u", seed);
	}
}

/* Every kind of call is made, and most kinds succeed as well as fail. */
static void makes_every_call(void **state)
{
	static struct rmem_sequence sequence;
	unsigned int good[OP_KINDS] = { 0 }, bad[OP_KINDS] = { 0 }, seed, i;
	struct rmem_answer answer;

	(void)state;
	fake.mutation = MUT_NONE;
	for (seed = 1; seed <= ROUNDS; seed++) {
		rmem_sequence_run(&sequence, seed, &fake.target);
		fake_reset(&fake.target);
		for (i = 0; i < sequence.count; i++) {
			answer = fake_call(&fake.target, &sequence.ops[i]);
			good[sequence.ops[i].kind] += !answer.err;
			bad[sequence.ops[i].kind] += !!answer.err;
		}
	}
	assert_true(fake.target.pairs > ROUNDS);
	assert_true(fake.target.failures > 20 && fake.target.refusals > 20);
	for (i = 0; i < OP_KINDS; i++) {
		if (i != OP_READ && i != OP_MAP && i != OP_ZERO_RANGE &&
		    i != OP_OFFLINE)
			assert_true(good[i] > 20);
		if (i != OP_VM)
			assert_true(bad[i] > 20);
	}
}

static void finds_out(void **state)
{
	static struct rmem_sequence sequence;
	unsigned int seed = 1;

	fake.mutation = (enum rmem_mutation)(uintptr_t)*state;
	while (rmem_sequence_run(&sequence, seed, &fake.target))
		if (++seed > ROUNDS)
			fail_msg("%d was not noticed", fake.mutation);
	rmem_sequence_shrink(&sequence, &fake.target);
	if (sequence.count > SHORT)
		print(&sequence);
	assert_in_range(sequence.count, 1, SHORT);
}

int main(void)
{
	struct CMUnitTest tests[MUT_KINDS + 1] = {
		cmocka_unit_test(finds_nothing_wrong_with_itself),
		cmocka_unit_test(makes_every_call),
	};
	static char names[MUT_KINDS][32];
	unsigned int i;

	for (i = 1; i < MUT_KINDS; i++) {
		snprintf(names[i], sizeof(names[i]), "finds_out_mutation_%u", i);
		tests[i + 1] = (struct CMUnitTest){
			.name = names[i], .test_func = finds_out,
			.initial_state = (void *)(uintptr_t)i,
		};
	}
	return _cmocka_run_group_tests("rmem_model", tests, MUT_KINDS + 1, NULL,
				       NULL);
}
