/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What restricted memory ought to do: a few files, two VMs, and calls on them in
 * any order. Nothing in here asks a kernel; tests/vm/restricted_fuzz.c compares.
 *
 * Where 2 MiB pages are asked for, whether one can be had is not for the model to
 * know: a page of such a file is there, is not there, or may be.
 */
#ifndef BULKHEAD_RMEM_MODEL_H
#define BULKHEAD_RMEM_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define RMEM_PAGE	4096UL
#define RMEM_HUGE	512		/* pages of a large one */
#define RMEM_HANDLES	6
#define RMEM_VMS	2
#define RMEM_SLOTS	3
#define RMEM_PAGES	1100		/* the largest file */
#define RMEM_GFNS	4096		/* guest pages that anything happens to */
#define RMEM_PROBES	2		/* bytes looked at in a page: 0 and 2048 */
#define RMEM_PROBE	(RMEM_PAGE / RMEM_PROBES)
#define RMEM_NO_MEMORY	(-1)		/* a guest read what is not there */

enum rmem_op_kind {
	OP_OPEN,	/* handle, flags */
	OP_CLOSE,	/* handle */
	OP_DUP,		/* handle, from */
	OP_PASS,	/* the same, through a socket */
	OP_SIZE,	/* handle, size */
	OP_ALLOCATE,	/* handle, offset, size */
	OP_PUNCH,	/* handle, offset, size */
	OP_CHILD_PUNCH,	/* the same in a forked child */
	OP_ZERO_RANGE,	/* handle, offset, size */
	OP_READ,	/* handle */
	OP_MAP,		/* handle */
	OP_PAGES,	/* handle: how many are there */
	OP_VM,		/* vm, flags: 1 with private memory */
	OP_VM_GONE,	/* vm */
	OP_BIND,	/* vm, slot, handle, offset, size, gpa, flags: 1 user memory */
	OP_UNBIND,	/* vm, slot */
	OP_POPULATE,	/* vm, gpa, size, value; flags: 1 from nowhere */
	OP_SEAL,	/* vm */
	OP_CONVERT,	/* vm, gpa, size, flags: 1 private */
	OP_GUEST_READ,	/* vm, gpa */
	OP_GUEST_WRITE,	/* vm, gpa, value */
	OP_FAIL,	/* handle, offset: the memory there fails */
	OP_OFFLINE,	/* handle, offset: its frame is asked to be given up */
	OP_KINDS,
};

struct rmem_op {
	enum rmem_op_kind kind;
	unsigned int handle, from, vm, slot, flags;
	uint64_t offset, size, gpa;
	uint8_t value;
	/* 0, or odd: it may be made at once with the next, which has one more. */
	unsigned int pair;
};

/* 0 or a negative errno, and a number: what was counted or read, at most @most. */
struct rmem_answer {
	int err;
	long value, most;
};

/* Ways for a kernel to be wrong, so that it can be shown to be noticed. */
enum rmem_mutation {
	MUT_NONE,
	MUT_UNKNOWN_FLAGS,	/* are taken */
	MUT_SIZE_TWICE,		/* the size is set again */
	MUT_SIZE_UNALIGNED,	/* any size is one */
	MUT_GROW,		/* allocation past the end works */
	MUT_PUNCH_KEEPS,	/* contents survive a hole */
	MUT_PUNCH_SHORT,	/* its last page stays */
	MUT_PUNCH_LONG,		/* it takes a page too many */
	MUT_CHILD_IGNORED,	/* what a child punches stays */
	MUT_CLOSE_EMPTIES,	/* one of two descriptors is closed, all is lost */
	MUT_MAP,		/* can be mapped */
	MUT_BIND_TWICE,		/* one range behind two slots */
	MUT_OTHER_VM,		/* a file behind slots of two VMs */
	MUT_LEFTOVERS,		/* contents are there for the next VM */
	MUT_BIND_OUTSIDE,	/* past the end of the file */
	MUT_UNBIND_EMPTIES,	/* contents go with the slot */
	MUT_UNBIND_KEEPS,	/* the binding stays when the slot goes */
	MUT_POPULATE_SHORT,	/* the last byte is missing */
	MUT_POPULATE_SEALED,	/* works after the seal */
	MUT_RUN_DOES_NOT_SEAL,
	MUT_CONVERT_EMPTIES,	/* a page that becomes shared loses its private side */
	MUT_CONVERT_IGNORED,	/* the guest stays on the private side */
	MUT_WRITE_ELSEWHERE,	/* a guest's store ends in the next page */
	MUT_OVERLAP,		/* two slots at one address */
	MUT_COUNT,		/* one page too many is told */
	MUT_FAIL_UNNOTICED,	/* a guest reads on where memory failed */
	MUT_FAIL_POPULATED,	/* contents come in there */
	MUT_FAIL_REPLACED,	/* allocation puts a new page there */
	MUT_FAIL_FOR_EVER,	/* a hole does not make it usable again */
	MUT_FAIL_SPREADS,	/* the page beside it is lost as well */
	MUT_FAIL_COUNTED,	/* what failed stays in the file */
	MUT_OFFLINE_DONE,	/* memory is given up */
	MUT_OFFLINE_EMPTIES,	/* it is refused, but the contents are gone */
	MUT_PAIR_LOST,		/* of two calls at once the second does nothing */
	MUT_PAIR_WIDE,		/* it takes a page too many */
	MUT_PAIR_BUSY,		/* it is refused */
	MUT_KINDS,
};

enum rmem_presence { ABSENT, PRESENT, MAYBE };

/* FAILED: it is not in the file. FAILED_INSIDE: it is, in a large page. */
enum rmem_soundness { SOUND, FAILED, FAILED_INSIDE };

struct rmem_inode {
	unsigned int users;	/* descriptors and slots; 0: does not exist */
	bool huge;
	uint64_t pages;		/* its size; 0: not set */
	unsigned int owner;
	uint8_t there[RMEM_PAGES];
	uint8_t failed[RMEM_PAGES];
	uint8_t bytes[RMEM_PAGES][RMEM_PROBES];
};

struct rmem_slot {
	bool used;
	struct rmem_inode *inode;
	uint64_t gfn, pages, first;	/* @first: page in the file */
	uint8_t shared[RMEM_PAGES][RMEM_PROBES];
};

struct rmem_vm {
	bool exists, private, sealed;
	unsigned int owner;
	struct rmem_slot slots[RMEM_SLOTS];
	uint8_t is_private[RMEM_GFNS];
};

struct rmem_model {
	enum rmem_mutation mutation;
	/* Stands for a kernel: then @luck decides about large pages. */
	bool concrete;
	unsigned int luck;
	unsigned int last_owner;
	struct rmem_inode *handles[RMEM_HANDLES];
	struct rmem_inode inodes[RMEM_HANDLES + RMEM_VMS * RMEM_SLOTS];
	struct rmem_vm vms[RMEM_VMS];
};

void rmem_model_init(struct rmem_model *m, enum rmem_mutation mutation,
		     bool concrete);

/*
 * What the call has to answer; the model goes on from there. @seen is what a
 * kernel answered, where more than one answer is right, or NULL.
 */
struct rmem_answer rmem_model_do(struct rmem_model *m, const struct rmem_op *op,
				 const struct rmem_answer *seen);

/* The slot of @vm that has guest page @gfn, or NULL. */
struct rmem_slot *rmem_model_slot(struct rmem_vm *vm, uint64_t gfn);

/* The same if restricted memory is what the guest has there. */
struct rmem_slot *rmem_model_restricted(struct rmem_vm *vm, uint64_t gfn);

/* rmem_fail.c: memory of a file that fails, or is to be given up. */
int rmem_model_fail(struct rmem_model *m, const struct rmem_op *op,
		    const struct rmem_answer *seen);
int rmem_model_offline(struct rmem_model *m, const struct rmem_op *op,
		       const struct rmem_answer *seen);

#endif
