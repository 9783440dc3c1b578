// SPDX-License-Identifier: GPL-2.0
/* See rmem_pair.h. */
#include <errno.h>
#include <stddef.h>

#include "rmem_pair.h"

/* Pages of a file; none if @inode is NULL. */
struct reach {
	const struct rmem_inode *inode;
	uint64_t first, end;
};

bool rmem_pair_second(enum rmem_op_kind kind)
{
	return kind == OP_ALLOCATE || kind == OP_PUNCH;
}

bool rmem_pair_first(enum rmem_op_kind kind)
{
	return rmem_pair_second(kind) || kind == OP_POPULATE ||
	       kind == OP_GUEST_READ || kind == OP_GUEST_WRITE;
}

static struct reach of_file(struct rmem_model *m, const struct rmem_op *op)
{
	return (struct reach){
		.inode = m->handles[op->handle],
		.first = op->offset / RMEM_PAGE,
		.end = (op->offset + op->size) / RMEM_PAGE + 1,
	};
}

/* False: that is too much to tell. */
static bool of_guest(struct rmem_model *m, const struct rmem_op *op,
		     struct reach *reach)
{
	uint64_t size = op->kind == OP_POPULATE ? op->size : 1;
	uint64_t first = op->gpa / RMEM_PAGE;
	uint64_t last = (op->gpa + size - 1) / RMEM_PAGE;
	struct rmem_vm *vm = &m->vms[op->vm];
	struct rmem_slot *slot = rmem_model_slot(vm, first);

	*reach = (struct reach){ NULL };
	if (!size || slot != rmem_model_slot(vm, last))
		return false;
	if (!slot)
		return first == last;
	reach->inode = slot->inode;
	reach->first = slot->first + first - slot->gfn;
	reach->end = slot->first + last - slot->gfn + 1;
	return true;
}

/* A large page is one piece of memory. */
static void widen(struct reach *reach)
{
	if (!reach->inode || !reach->inode->huge)
		return;
	reach->first = reach->first / RMEM_HUGE * RMEM_HUGE;
	reach->end = (reach->end + RMEM_HUGE - 1) / RMEM_HUGE * RMEM_HUGE;
}

bool rmem_pair_apart(struct rmem_model *m, const struct rmem_op *a,
		     const struct rmem_op *b)
{
	struct reach one, other = of_file(m, b);

	if (!a->pair || b->pair != a->pair + 1)
		return false;
	if (rmem_pair_second(a->kind))
		one = of_file(m, a);
	else if (!of_guest(m, a, &one))
		return false;
	widen(&one);
	widen(&other);
	return one.inode != other.inode || one.end <= other.first ||
	       other.end <= one.first;
}

void rmem_pair_do(struct rmem_model *m, const struct rmem_op *a,
		  const struct rmem_op *b, const struct rmem_answer *seen,
		  struct rmem_answer *answers)
{
	struct rmem_inode *inode = m->handles[b->handle], before = { 0 };
	struct rmem_op second = *b;

	answers[0] = rmem_model_do(m, a, seen);
	if (inode)
		before = *inode;
	if (m->mutation == MUT_PAIR_WIDE && b->kind == OP_PUNCH && b->size)
		second.size += RMEM_PAGE;
	answers[1] = rmem_model_do(m, &second, seen ? seen + 1 : NULL);
	if (m->mutation == MUT_PAIR_BUSY && !answers[1].err)
		answers[1].err = -EAGAIN;
	if (m->mutation == MUT_PAIR_LOST && inode)
		*inode = before;
}
