// SPDX-License-Identifier: GPL-2.0
/* See rmem_sequence.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rmem_sequence.h"

#define STARTS	5

struct generator {
	uint64_t random;
	struct rmem_model *model;
	const struct rmem_target *target;
};

static const uint16_t sizes[] = { 1, 4, 16, 512, 1024, 1040 };

/* How often each kind of call comes, of the sum of all. */
static const uint8_t weights[OP_KINDS] = {
	[OP_OPEN] = 6, [OP_CLOSE] = 3, [OP_DUP] = 2, [OP_PASS] = 2,
	[OP_SIZE] = 8, [OP_ALLOCATE] = 6, [OP_PUNCH] = 8, [OP_CHILD_PUNCH] = 2,
	[OP_ZERO_RANGE] = 1, [OP_READ] = 1, [OP_MAP] = 1, [OP_PAGES] = 14,
	[OP_VM] = 3, [OP_VM_GONE] = 1, [OP_BIND] = 20, [OP_UNBIND] = 6,
	[OP_POPULATE] = 14, [OP_SEAL] = 1, [OP_CONVERT] = 12,
	[OP_GUEST_READ] = 24, [OP_GUEST_WRITE] = 10,
	[OP_FAIL] = 4, [OP_OFFLINE] = 1,
};

/* Neighbouring seeds must not give sequences alike: multiply, and mix well. */
static unsigned int below(struct generator *g, unsigned int n)
{
	uint64_t x = g->random += 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93ULL;
	return (x ^ x >> 32) % n;
}

static bool once_in(struct generator *g, unsigned int n)
{
	return !below(g, n);
}

static unsigned int weight(const struct generator *g, enum rmem_op_kind kind)
{
	if (!g->target->has_failures && (kind == OP_FAIL || kind == OP_OFFLINE))
		return 0;
	return weights[kind];
}

static enum rmem_op_kind some_kind(struct generator *g)
{
	unsigned int kind, sum = 0, n;

	for (kind = 0; kind < OP_KINDS; kind++)
		sum += weight(g, kind);
	n = below(g, sum);
	for (kind = 0; n >= weight(g, kind); kind++)
		n -= weight(g, kind);
	return kind;
}

/* Aligned as a rule. */
static uint64_t bytes(struct generator *g, uint64_t pages)
{
	return pages * RMEM_PAGE + (once_in(g, 25) ? below(g, RMEM_PAGE) : 0);
}

/* Mostly one that exists. */
static unsigned int some_handle(struct generator *g)
{
	unsigned int tries, handle = 0;

	for (tries = 0; tries < 10; tries++) {
		handle = below(g, RMEM_HANDLES);
		if (g->model->handles[handle])
			break;
	}
	return handle;
}

static unsigned int some_vm(struct generator *g)
{
	unsigned int vm = below(g, RMEM_VMS);

	return g->model->vms[vm].exists ? vm : below(g, RMEM_VMS);
}

/* A range of the file, or sometimes past its end. */
static void some_range(struct generator *g, struct rmem_op *op)
{
	struct rmem_inode *inode = g->model->handles[op->handle];
	unsigned int pages = inode && inode->pages ? inode->pages : 16;
	unsigned int first, count;

	if (once_in(g, 12))
		pages = RMEM_PAGES;
	first = once_in(g, 3) ? 0 : below(g, pages);
	count = 1 + below(g, once_in(g, 2) ? pages - first : 4);
	op->offset = bytes(g, first);
	op->size = bytes(g, once_in(g, 40) ? 0 : count);
}

static struct rmem_slot *some_used_slot(struct generator *g, unsigned int vm)
{
	unsigned int first = below(g, RMEM_SLOTS), i;
	struct rmem_slot *slot = NULL;

	for (i = 0; i < RMEM_SLOTS; i++) {
		slot = &g->model->vms[vm].slots[(first + i) % RMEM_SLOTS];
		if (slot->used)
			break;
	}
	return slot;
}

/* Guest memory that is there, mostly, and mostly the same: calls must meet. */
static void some_gpa(struct generator *g, struct rmem_op *op)
{
	struct rmem_slot *slot = some_used_slot(g, op->vm);
	unsigned int near = below(g, 5);

	if (!slot->used || once_in(g, 20))
		op->gpa = below(g, RMEM_GFNS / 2) * RMEM_PAGE;
	else if (near < 3)
		op->gpa = slot->gfn * RMEM_PAGE;
	else if (near == 3)
		op->gpa = (slot->gfn + slot->pages - 1) * RMEM_PAGE;
	else
		op->gpa = (slot->gfn + below(g, slot->pages)) * RMEM_PAGE;
}

/* No further than one page past what the guest has. */
static void some_guest_range(struct generator *g, struct rmem_op *op,
			     bool odd_bytes)
{
	some_gpa(g, op);
	op->size = bytes(g, 1 + below(g, once_in(g, 3) ? 600 : 3));
	if (!odd_bytes || once_in(g, 2))
		return;
	op->gpa += below(g, RMEM_PAGE);
	op->size = 1 + below(g, 3 * RMEM_PAGE);
	/* Up to and with a byte that is looked at. */
	if (once_in(g, 2))
		op->size = RMEM_PROBE - op->gpa % RMEM_PROBE + 1;
}

static void some_slot(struct generator *g, struct rmem_op *op)
{
	static const uint16_t gfns[] = { 0, 16, 512, 1024, 1536, 2000 };
	struct rmem_vm *vm = &g->model->vms[op->vm];

	some_range(g, op);
	if (once_in(g, 3)) {
		op->offset = 0;
		op->size = sizes[below(g, 6)] * RMEM_PAGE;
	}
	op->gpa = bytes(g, gfns[below(g, 6)]);
	op->flags = once_in(g, 25) ? !vm->private : vm->private;
	/* Private memory without user memory behind it is another test. */
	if (vm->private)
		op->flags = 1;
}

static void use_file_of(struct generator *g, const struct rmem_slot *slot,
			struct rmem_op *op)
{
	unsigned int handle;

	for (handle = 0; handle < RMEM_HANDLES; handle++)
		if (g->model->handles[handle] == slot->inode)
			op->handle = handle;
}

/* A page of a file, where guests have been as a rule. */
static void some_page(struct generator *g, struct rmem_op *op)
{
	struct rmem_slot *slot = some_used_slot(g, op->vm);

	op->offset = op->offset / RMEM_PAGE * RMEM_PAGE;
	if (!slot->used || once_in(g, 4))
		return;
	use_file_of(g, slot, op);
	op->offset = (slot->first + below(g, 2)) * RMEM_PAGE;
}

static void generate(struct generator *g, struct rmem_op *op)
{
	memset(op, 0, sizeof(*op));
	op->kind = some_kind(g);
	op->handle = some_handle(g);
	op->from = some_handle(g);
	op->vm = some_vm(g);
	op->slot = below(g, RMEM_SLOTS);
	op->value = 1 + below(g, 255);
	some_range(g, op);
	if (op->kind == OP_OPEN || op->kind == OP_DUP || op->kind == OP_PASS)
		op->handle = below(g, RMEM_HANDLES);
	if (op->kind == OP_OPEN)
		op->flags = once_in(g, 10) ? 1U << below(g, 32) : below(g, 4);
	if (op->kind == OP_SIZE)
		op->size = bytes(g, sizes[below(g, 6)]);
	if (op->kind == OP_VM)
		op->flags = g->target->has_private && once_in(g, 2);
	if (op->kind == OP_BIND)
		some_slot(g, op);
	if (op->kind == OP_POPULATE) {
		some_guest_range(g, op, true);
		op->flags = once_in(g, 20);
	}
	if (op->kind == OP_CONVERT) {
		some_guest_range(g, op, false);
		op->flags = below(g, 2);
	}
	if (op->kind == OP_FAIL || op->kind == OP_OFFLINE)
		some_page(g, op);
	if (op->kind == OP_GUEST_READ || op->kind == OP_GUEST_WRITE) {
		some_gpa(g, op);
		op->gpa += below(g, RMEM_PROBES) * RMEM_PROBE;
	}
}

/* The world of a sequence is not empty at first: that would take half of it. */
static void start(struct generator *g, struct rmem_op *op, unsigned int step)
{
	static const enum rmem_op_kind kinds[STARTS] = {
		OP_OPEN, OP_SIZE, OP_VM, OP_BIND, OP_CONVERT,
	};

	memset(op, 0, sizeof(*op));
	op->kind = kinds[step];
	op->size = sizes[2 + below(g, 4)] * RMEM_PAGE;
	if (op->kind == OP_OPEN)
		op->flags = below(g, 4);
	if (op->kind == OP_VM)
		op->flags = g->target->has_private && once_in(g, 2);
	if (op->kind == OP_BIND || op->kind == OP_CONVERT) {
		op->size = g->model->handles[0]->pages * RMEM_PAGE;
		op->flags = g->model->vms[0].private;
	}
}

static bool same(const struct rmem_answer *got, const struct rmem_answer *want)
{
	return got->err == want->err && got->value >= want->value &&
	       got->value <= want->most;
}

static bool step(struct rmem_sequence *sequence, struct rmem_model *model,
		 struct rmem_target *target, const struct rmem_op *op)
{
	sequence->got = target->call(target, op);
	sequence->want = rmem_model_do(model, op, &sequence->got);
	target->failures += op->kind == OP_FAIL &&
			    (!sequence->got.err || sequence->got.err == -EHWPOISON);
	target->refusals += op->kind == OP_OFFLINE && sequence->got.err == -EBUSY;
	return same(&sequence->got, &sequence->want);
}

static bool step_both(struct rmem_sequence *sequence, struct rmem_model *model,
		      struct rmem_target *target, const struct rmem_op *op)
{
	struct rmem_answer got[2], want[2];
	unsigned int i;

	target->pairs++;
	target->both(target, &op[0], &op[1], got);
	rmem_pair_do(model, &op[0], &op[1], got, want);
	for (i = 0; i < 2; i++) {
		sequence->got = got[i];
		sequence->want = want[i];
		if (!same(&got[i], &want[i]))
			return false;
	}
	return true;
}

/*
 * Makes the call at *@at, or that and the next, and goes on behind them. False:
 * an answer was wrong, and is in @sequence.
 */
static bool make(struct rmem_sequence *sequence, struct rmem_model *model,
		 struct rmem_target *target, unsigned int *at)
{
	const struct rmem_op *op = &sequence->ops[*at];

	if (*at + 1 < sequence->count && rmem_pair_apart(model, op, op + 1)) {
		*at += 2;
		return step_both(sequence, model, target, op);
	}
	*at += 1;
	return step(sequence, model, target, op);
}

/* What may come at once with @first, mostly in the same file. */
static void generate_second(struct generator *g, const struct rmem_op *first,
			    struct rmem_op *op)
{
	struct rmem_slot *slot = rmem_model_slot(&g->model->vms[first->vm],
						 first->gpa / RMEM_PAGE);

	generate(g, op);
	op->kind = once_in(g, 2) ? OP_ALLOCATE : OP_PUNCH;
	op->pair = first->pair + 1;
	if (rmem_pair_second(first->kind))
		op->handle = first->handle;
	else if (slot)
		use_file_of(g, slot, op);
	some_range(g, op);
}

/* Adds a call, or a pair of them. */
static void add(struct generator *g, struct rmem_sequence *sequence)
{
	unsigned int at = sequence->count++;
	struct rmem_op *op = &sequence->ops[at];

	if (at < STARTS) {
		start(g, op, at);
		return;
	}
	generate(g, op);
	if (!rmem_pair_first(op->kind) || at + 1 == RMEM_LENGTH || once_in(g, 2))
		return;
	op->pair = 2 * at + 1;
	generate_second(g, op, &sequence->ops[sequence->count++]);
}

bool rmem_sequence_run(struct rmem_sequence *sequence, unsigned int seed,
		       struct rmem_target *target)
{
	static struct rmem_model model;
	struct generator g = { seed, &model, target };
	unsigned int at = 0;

	memset(sequence, 0, sizeof(*sequence));
	rmem_model_init(&model, MUT_NONE, false);
	target->reset(target);
	while (at < RMEM_LENGTH) {
		if (at == sequence->count)
			add(&g, sequence);
		if (!make(sequence, &model, target, &at))
			return false;
	}
	return true;
}

/* The same calls once more. True if all answers were right. */
static bool replay(struct rmem_sequence *sequence, struct rmem_target *target)
{
	static struct rmem_model model;
	unsigned int at = 0;

	rmem_model_init(&model, MUT_NONE, false);
	target->reset(target);
	while (at < sequence->count) {
		if (make(sequence, &model, target, &at))
			continue;
		sequence->count = at;
		return false;
	}
	return true;
}

/* One pass over all calls, the last first. True if any could go. */
static bool drop_calls(struct rmem_sequence *sequence,
		       struct rmem_target *target)
{
	static struct rmem_sequence shorter;
	unsigned int before = sequence->count, i;

	for (i = sequence->count; i-- > 0;) {
		if (i >= sequence->count)
			continue;
		shorter = *sequence;
		shorter.count--;
		memmove(&shorter.ops[i], &shorter.ops[i + 1],
			(shorter.count - i) * sizeof(shorter.ops[0]));
		if (!replay(&shorter, target))
			*sequence = shorter;
	}
	return sequence->count < before;
}

void rmem_sequence_shrink(struct rmem_sequence *sequence,
			  struct rmem_target *target)
{
	while (drop_calls(sequence, target))
		;
}

void rmem_op_text(const struct rmem_op *op, char *text, size_t size)
{
	static const char * const names[OP_KINDS] = {
		"open", "close", "dup", "pass", "size", "allocate", "punch",
		"child-punch", "zero-range", "read", "map", "pages", "vm",
		"vm-gone", "bind", "unbind", "populate", "seal", "convert",
		"guest-read", "guest-write", "fail", "offline",
	};

	snprintf(text, size,
		 "%s handle=%u from=%u vm=%u slot=%u flags=%#x offset=%#lx size=%#lx gpa=%#lx value=%u pair=%u",
		 names[op->kind], op->handle, op->from, op->vm, op->slot,
		 op->flags, (unsigned long)op->offset, (unsigned long)op->size,
		 (unsigned long)op->gpa, op->value, op->pair);
}
