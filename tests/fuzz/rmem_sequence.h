/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random sequences of calls on restricted memory, what is under test beside the
 * model, and the shortest sequence that still tells them apart.
 */
#ifndef BULKHEAD_RMEM_SEQUENCE_H
#define BULKHEAD_RMEM_SEQUENCE_H

#include <stddef.h>

#include "rmem_pair.h"

#define RMEM_LENGTH	60	/* calls in a sequence */

/* What answers: a kernel, or a model that is broken on purpose. */
struct rmem_target {
	bool has_private;	/* VMs with private memory can be had */
	bool has_failures;	/* memory can be made to fail */
	void (*reset)(struct rmem_target *target);
	struct rmem_answer (*call)(struct rmem_target *target,
				   const struct rmem_op *op);
	/* Both at once. @answers has room for two. */
	void (*both)(struct rmem_target *target, const struct rmem_op *a,
		     const struct rmem_op *b, struct rmem_answer *answers);
	/* What has taken place: at once, memory failed, and was not given up. */
	unsigned int pairs, failures, refusals;
};

struct rmem_sequence {
	unsigned int count;
	struct rmem_op ops[RMEM_LENGTH];
	/* Of the last call, or of one of the last two, if it was answered wrongly. */
	struct rmem_answer got, want;
};

/* Makes a sequence of @seed and tries it. True if all answers were right. */
bool rmem_sequence_run(struct rmem_sequence *sequence, unsigned int seed,
		       struct rmem_target *target);

/* Of one that went wrong: drops every call it goes wrong without. */
void rmem_sequence_shrink(struct rmem_sequence *sequence,
			  struct rmem_target *target);

/* A call as a line of text. */
void rmem_op_text(const struct rmem_op *op, char *text, size_t size);

#endif
