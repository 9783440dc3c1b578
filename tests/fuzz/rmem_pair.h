/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two calls made at once. They are on memory of their own, so that it makes no
 * difference which of them comes first, and the model can have one after the
 * other: a kernel that does not keep them apart is found out afterwards.
 */
#ifndef BULKHEAD_RMEM_PAIR_H
#define BULKHEAD_RMEM_PAIR_H

#include "rmem_model.h"

/* Kinds that can be the first one, and the second. */
bool rmem_pair_first(enum rmem_op_kind kind);
bool rmem_pair_second(enum rmem_op_kind kind);

/* Whether they are a pair, and on memory of their own as things are. */
bool rmem_pair_apart(struct rmem_model *m, const struct rmem_op *a,
		     const struct rmem_op *b);

/* As rmem_model_do() for both; @seen has two answers, or is NULL. */
void rmem_pair_do(struct rmem_model *m, const struct rmem_op *a,
		  const struct rmem_op *b, const struct rmem_answer *seen,
		  struct rmem_answer *answers);

#endif
