// SPDX-License-Identifier: GPL-2.0
/* See rmem_model.h. Each function is one call, errors in the kernel's order. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "rmem_model.h"

#define ALL_FLAGS	3U
#define HUGEPAGE	2U

void rmem_model_init(struct rmem_model *m, enum rmem_mutation mutation,
		     bool concrete)
{
	memset(m, 0, sizeof(*m));
	m->mutation = mutation;
	m->concrete = concrete;
	m->luck = 1;
}

static bool broken(const struct rmem_model *m, enum rmem_mutation mutation)
{
	return m->mutation == mutation;
}

static bool aligned(uint64_t bytes)
{
	return bytes % RMEM_PAGE == 0;
}

static void set_bytes(struct rmem_inode *inode, uint64_t page, uint8_t value)
{
	memset(inode->bytes[page], value, RMEM_PROBES);
}

static struct rmem_inode *new_inode(struct rmem_model *m, unsigned int flags)
{
	struct rmem_inode *inode = m->inodes;

	while (inode->users)
		inode++;
	memset(inode, 0, sizeof(*inode));
	inode->users = 1;
	inode->huge = flags & HUGEPAGE;
	return inode;
}

static void close_handle(struct rmem_model *m, unsigned int handle)
{
	struct rmem_inode *inode = m->handles[handle];

	m->handles[handle] = NULL;
	if (!inode)
		return;
	inode->users--;
	if (broken(m, MUT_CLOSE_EMPTIES)) {
		memset(inode->there, ABSENT, sizeof(inode->there));
		memset(inode->bytes, 0, sizeof(inode->bytes));
	}
}

static int open_file(struct rmem_model *m, const struct rmem_op *op)
{
	close_handle(m, op->handle);
	if (op->flags & ~ALL_FLAGS && !broken(m, MUT_UNKNOWN_FLAGS))
		return -EINVAL;
	m->handles[op->handle] = new_inode(m, op->flags);
	return 0;
}

static int copy_handle(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_inode *inode = m->handles[op->from];

	if (!inode)
		return -EBADF;
	inode->users++;
	close_handle(m, op->handle);
	m->handles[op->handle] = inode;
	return 0;
}

static int set_size(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_inode *inode = m->handles[op->handle];

	if (!inode)
		return -EBADF;
	if (inode->pages && !broken(m, MUT_SIZE_TWICE))
		return -EPERM;
	if (!aligned(op->size) && !broken(m, MUT_SIZE_UNALIGNED))
		return -EINVAL;
	inode->pages = op->size / RMEM_PAGE;
	return 0;
}

/* True if a whole large page would come, for all that can be known. */
static bool block_is_empty(const struct rmem_inode *inode, uint64_t first)
{
	uint64_t page;

	if (!inode->huge || first + RMEM_HUGE > inode->pages)
		return false;
	for (page = first; page < first + RMEM_HUGE; page++)
		if (inode->there[page] == PRESENT || inode->failed[page])
			return false;
	return true;
}

static bool lucky(struct rmem_model *m)
{
	m->luck = m->luck * 1103515245 + 12345;
	return m->luck >> 16 & 1;
}

/* @page is needed. What comes with it has no contents yet. */
static void touch(struct rmem_model *m, struct rmem_inode *inode, uint64_t page)
{
	uint64_t first = page / RMEM_HUGE * RMEM_HUGE, i;

	if (inode->there[page] == PRESENT)
		return;
	if (block_is_empty(inode, first) && (!m->concrete || lucky(m)))
		for (i = first; i < first + RMEM_HUGE; i++)
			inode->there[i] = m->concrete ? PRESENT : MAYBE;
	inode->there[page] = PRESENT;
}

static int check_range(const struct rmem_inode *inode, const struct rmem_op *op)
{
	if (!inode)
		return -EBADF;
	if (!op->size)
		return -EINVAL;
	return aligned(op->offset) && aligned(op->size) ? 0 : -EINVAL;
}

static int allocate(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_inode *inode = m->handles[op->handle];
	int err = check_range(inode, op);
	uint64_t page, end;

	if (err)
		return err;
	if (op->offset + op->size > inode->pages * RMEM_PAGE)
		return broken(m, MUT_GROW) ? 0 : -EINVAL;
	end = (op->offset + op->size) / RMEM_PAGE;
	for (page = op->offset / RMEM_PAGE; page < end; page++) {
		if (inode->failed[page] == FAILED &&
		    !broken(m, MUT_FAIL_REPLACED))
			return -EHWPOISON;
		touch(m, inode, page);
	}
	return 0;
}

/*
 * A large page that goes in part is split, unless somebody looks at it just then:
 * what is to go is emptied, and may be there still.
 */
static void drop(struct rmem_model *m, struct rmem_inode *inode, uint64_t page,
		 bool whole)
{
	if (!broken(m, MUT_PUNCH_KEEPS))
		set_bytes(inode, page, 0);
	if (!broken(m, MUT_FAIL_FOR_EVER))
		inode->failed[page] = SOUND;
	if (inode->huge && !whole && !m->concrete && inode->there[page])
		inode->there[page] = MAYBE;
	else
		inode->there[page] = ABSENT;
}

static int punch(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_inode *inode = m->handles[op->handle];
	uint64_t start, end, page, block;
	int err = check_range(inode, op);

	if (err)
		return err;
	start = op->offset / RMEM_PAGE;
	end = start + op->size / RMEM_PAGE - broken(m, MUT_PUNCH_SHORT) +
	      broken(m, MUT_PUNCH_LONG);
	if (end > inode->pages)
		end = inode->pages;
	for (page = start; page < end; page++) {
		block = page / RMEM_HUGE * RMEM_HUGE;
		drop(m, inode, page,
		     start <= block && block + RMEM_HUGE <= end);
	}
	return 0;
}

static int child_punch(struct rmem_model *m, const struct rmem_op *op)
{
	int err = check_range(m->handles[op->handle], op);

	return broken(m, MUT_CHILD_IGNORED) ? err : punch(m, op);
}

static int refuse(struct rmem_model *m, const struct rmem_op *op, int err)
{
	return m->handles[op->handle] ? err : -EBADF;
}

/* The kernel looks at the range before it asks the file. */
static int zero_range(struct rmem_model *m, const struct rmem_op *op)
{
	if (!m->handles[op->handle])
		return -EBADF;
	return op->size ? -EOPNOTSUPP : -EINVAL;
}

static int count_pages(struct rmem_model *m, const struct rmem_op *op,
		       struct rmem_answer *answer)
{
	struct rmem_inode *inode = m->handles[op->handle];
	uint64_t page;

	if (!inode)
		return -EBADF;
	for (page = 0; page < inode->pages && page < RMEM_PAGES; page++) {
		answer->value += inode->there[page] == PRESENT;
		answer->most += inode->there[page] != ABSENT;
	}
	if (broken(m, MUT_COUNT) && answer->value)
		answer->value++;
	return 0;
}

static void remove_slot(struct rmem_model *m, struct rmem_slot *slot)
{
	uint64_t page;

	for (page = 0; page < slot->pages && broken(m, MUT_UNBIND_EMPTIES); page++)
		set_bytes(slot->inode, slot->first + page, 0);
	slot->used = false;
	if (broken(m, MUT_UNBIND_KEEPS))
		return;
	slot->inode->users--;
	slot->inode = NULL;
}

static int destroy_vm(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_vm *vm = &m->vms[op->vm];
	unsigned int i;

	if (!vm->exists)
		return -EBADF;
	for (i = 0; i < RMEM_SLOTS; i++)
		if (vm->slots[i].used)
			remove_slot(m, &vm->slots[i]);
	vm->exists = false;
	return 0;
}

static int create_vm(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_vm *vm = &m->vms[op->vm];

	destroy_vm(m, op);
	memset(vm, 0, sizeof(*vm));
	vm->exists = true;
	vm->private = op->flags;
	vm->owner = ++m->last_owner;
	return 0;
}

struct rmem_slot *rmem_model_slot(struct rmem_vm *vm, uint64_t gfn)
{
	struct rmem_slot *slot;

	for (slot = vm->slots; slot < vm->slots + RMEM_SLOTS; slot++)
		if (slot->used && gfn >= slot->gfn &&
		    gfn < slot->gfn + slot->pages)
			return slot;
	return NULL;
}

/* Where a slot of @inode has something of the range, or has anything of it. */
static bool is_bound(struct rmem_model *m, const struct rmem_inode *inode,
		     uint64_t first, uint64_t pages)
{
	struct rmem_slot *slot;
	unsigned int vm;

	for (vm = 0; vm < RMEM_VMS; vm++)
		for (slot = m->vms[vm].slots;
		     slot < m->vms[vm].slots + RMEM_SLOTS; slot++)
			if (slot->inode == inode && slot->first < first + pages &&
			    first < slot->first + slot->pages)
				return true;
	return false;
}

/* 0: surely nothing is in it, 1: surely something, 2: who knows */
static int fullness(const struct rmem_inode *inode)
{
	if (memchr(inode->there, PRESENT, sizeof(inode->there)))
		return 1;
	return memchr(inode->there, MAYBE, sizeof(inode->there)) ? 2 : 0;
}

static int take_over(struct rmem_model *m, struct rmem_inode *inode,
		     unsigned int owner, const struct rmem_answer *seen)
{
	int full = fullness(inode);

	if (inode->owner == owner)
		return 0;
	if (is_bound(m, inode, 0, RMEM_PAGES) && !broken(m, MUT_OTHER_VM))
		return -EBUSY;
	if (inode->owner && full && !broken(m, MUT_LEFTOVERS)) {
		if (full == 1 || !seen || seen->err)
			return -EBUSY;
		/* It let another one have it: so nothing was there. */
		memset(inode->there, ABSENT, sizeof(inode->there));
	}
	inode->owner = owner;
	return 0;
}

static bool overlaps(struct rmem_vm *vm, uint64_t gfn, uint64_t pages)
{
	uint64_t i;

	for (i = 0; i < pages; i++)
		if (rmem_model_slot(vm, gfn + i))
			return true;
	return false;
}

/* What KVM itself looks at, whatever the file is. */
static int check_slot(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_vm *vm = &m->vms[op->vm];

	if (!vm->private && (op->flags || !m->handles[op->handle]))
		return -EINVAL;
	if (!aligned(op->size) || !aligned(op->gpa) || !aligned(op->offset))
		return -EINVAL;
	if (vm->slots[op->slot].used)
		return -EINVAL;
	if (overlaps(vm, op->gpa / RMEM_PAGE, op->size / RMEM_PAGE) &&
	    !broken(m, MUT_OVERLAP))
		return -EEXIST;
	return m->handles[op->handle] ? 0 : -EBADF;
}

static int check_file_range(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_inode *inode = m->handles[op->handle];
	uint64_t first = op->offset / RMEM_PAGE, pages = op->size / RMEM_PAGE;

	if (first + pages > inode->pages && !broken(m, MUT_BIND_OUTSIDE))
		return -EINVAL;
	if (is_bound(m, inode, first, pages) && !broken(m, MUT_BIND_TWICE))
		return -EBUSY;
	return 0;
}

static int bind_slot(struct rmem_model *m, const struct rmem_op *op,
		     const struct rmem_answer *seen)
{
	struct rmem_vm *vm = &m->vms[op->vm];
	struct rmem_slot *slot = &vm->slots[op->slot];
	int err;

	/* The library does not even ask: for KVM that would remove the slot. */
	if (!op->size)
		return -EINVAL;
	if (!vm->exists)
		return -EBADF;
	err = check_slot(m, op);
	if (!err)
		err = check_file_range(m, op);
	if (!err)
		err = take_over(m, m->handles[op->handle], vm->owner, seen);
	if (err)
		return err;
	memset(slot, 0, sizeof(*slot));
	slot->used = true;
	slot->inode = m->handles[op->handle];
	slot->inode->users++;
	slot->gfn = op->gpa / RMEM_PAGE;
	slot->first = op->offset / RMEM_PAGE;
	slot->pages = op->size / RMEM_PAGE;
	return 0;
}

static int unbind_slot(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_vm *vm = &m->vms[op->vm];

	if (!vm->exists)
		return -EBADF;
	if (!vm->slots[op->slot].used)
		return -EINVAL;
	remove_slot(m, &vm->slots[op->slot]);
	return 0;
}

struct rmem_slot *rmem_model_restricted(struct rmem_vm *vm, uint64_t gfn)
{
	struct rmem_slot *slot = rmem_model_slot(vm, gfn);

	return slot && (!vm->private || vm->is_private[gfn]) ? slot : NULL;
}

/* The bytes of [@gpa, @end) that are in one page. */
static void fill(struct rmem_inode *inode, uint64_t page, uint64_t gpa,
		 uint64_t end, uint8_t value)
{
	uint64_t at = gpa / RMEM_PAGE * RMEM_PAGE;
	unsigned int i;

	for (i = 0; i < RMEM_PROBES; i++, at += RMEM_PROBE)
		if (at >= gpa && at < end)
			inode->bytes[page][i] = value;
}

static int populate(struct rmem_model *m, const struct rmem_op *op)
{
	uint64_t at = op->gpa, end = op->gpa + op->size, page, next;
	struct rmem_vm *vm = &m->vms[op->vm];
	struct rmem_slot *slot;

	if (!vm->exists)
		return -EBADF;
	if (vm->sealed && !broken(m, MUT_POPULATE_SEALED))
		return -EPERM;
	if (broken(m, MUT_POPULATE_SHORT))
		end--;
	for (; at < end; at = next) {
		slot = rmem_model_restricted(vm, at / RMEM_PAGE);
		if (!slot)
			return -EINVAL;
		page = slot->first + at / RMEM_PAGE - slot->gfn;
		next = (at / RMEM_PAGE + 1) * RMEM_PAGE;
		if (next > end)
			next = end;
		if (slot->inode->failed[page] && !broken(m, MUT_FAIL_POPULATED))
			return -EHWPOISON;
		touch(m, slot->inode, page);
		fill(slot->inode, page, at, next, op->flags ? 0 : op->value);
		if (op->flags)
			return -EFAULT;
	}
	return 0;
}

static int seal(struct rmem_model *m, const struct rmem_op *op)
{
	if (!m->vms[op->vm].exists)
		return -EBADF;
	m->vms[op->vm].sealed = true;
	return 0;
}

static void convert_page(struct rmem_model *m, struct rmem_vm *vm, uint64_t gfn,
			 bool private)
{
	struct rmem_slot *slot = rmem_model_restricted(vm, gfn);

	if (slot && !private && broken(m, MUT_CONVERT_EMPTIES))
		set_bytes(slot->inode, slot->first + gfn - slot->gfn, 0);
	if (private || !broken(m, MUT_CONVERT_IGNORED))
		vm->is_private[gfn] = private;
}

static int convert(struct rmem_model *m, const struct rmem_op *op)
{
	struct rmem_vm *vm = &m->vms[op->vm];
	uint64_t i;

	if (!vm->exists)
		return -EBADF;
	if ((op->flags && !vm->private) || !op->size ||
	    !aligned(op->gpa) || !aligned(op->size))
		return -EINVAL;
	for (i = 0; i < op->size / RMEM_PAGE && vm->private; i++)
		convert_page(m, vm, op->gpa / RMEM_PAGE + i, op->flags);
	return 0;
}

/* The byte at @gpa for the guest, or NULL where it has no memory. */
static uint8_t *guest_byte(struct rmem_model *m, struct rmem_vm *vm, uint64_t gpa)
{
	uint64_t gfn = gpa / RMEM_PAGE, at = gpa % RMEM_PAGE / RMEM_PROBE;
	struct rmem_slot *slot = rmem_model_slot(vm, gfn);

	if (!slot)
		return NULL;
	if (!rmem_model_restricted(vm, gfn))
		return &slot->shared[gfn - slot->gfn][at];
	touch(m, slot->inode, slot->first + gfn - slot->gfn);
	return &slot->inode->bytes[slot->first + gfn - slot->gfn][at];
}

static bool has_failed(struct rmem_vm *vm, uint64_t gfn)
{
	struct rmem_slot *slot = rmem_model_restricted(vm, gfn);

	return slot && slot->inode->failed[slot->first + gfn - slot->gfn];
}

static int guest_access(struct rmem_model *m, const struct rmem_op *op,
			struct rmem_answer *answer)
{
	struct rmem_vm *vm = &m->vms[op->vm];
	uint64_t gpa = op->gpa;
	uint8_t *byte;

	if (!vm->exists)
		return -EBADF;
	if (!broken(m, MUT_RUN_DOES_NOT_SEAL))
		vm->sealed = true;
	if (op->kind == OP_GUEST_WRITE && broken(m, MUT_WRITE_ELSEWHERE))
		gpa += RMEM_PAGE;
	if (has_failed(vm, gpa / RMEM_PAGE) && !broken(m, MUT_FAIL_UNNOTICED))
		return -EHWPOISON;
	byte = guest_byte(m, vm, gpa);
	/* What is private and not there is a fault, and not a device. */
	if (!byte && vm->is_private[gpa / RMEM_PAGE])
		return -EFAULT;
	if (byte && op->kind == OP_GUEST_WRITE)
		*byte = op->value;
	answer->value = byte ? *byte : RMEM_NO_MEMORY;
	answer->most = answer->value;
	return 0;
}

static int close_file(struct rmem_model *m, const struct rmem_op *op)
{
	int err = m->handles[op->handle] ? 0 : -EBADF;

	close_handle(m, op->handle);
	return err;
}

static int read_file(struct rmem_model *m, const struct rmem_op *op)
{
	return refuse(m, op, -EINVAL);
}

static int map_file(struct rmem_model *m, const struct rmem_op *op)
{
	return refuse(m, op, broken(m, MUT_MAP) ? 0 : -ENODEV);
}

/* Those that answer no more than an error. */
static int (* const calls[OP_KINDS])(struct rmem_model *m,
				     const struct rmem_op *op) = {
	[OP_OPEN] = open_file,
	[OP_CLOSE] = close_file,
	[OP_DUP] = copy_handle,
	[OP_PASS] = copy_handle,
	[OP_SIZE] = set_size,
	[OP_ALLOCATE] = allocate,
	[OP_PUNCH] = punch,
	[OP_CHILD_PUNCH] = child_punch,
	[OP_ZERO_RANGE] = zero_range,
	[OP_READ] = read_file,
	[OP_MAP] = map_file,
	[OP_VM] = create_vm,
	[OP_VM_GONE] = destroy_vm,
	[OP_UNBIND] = unbind_slot,
	[OP_POPULATE] = populate,
	[OP_SEAL] = seal,
	[OP_CONVERT] = convert,
};

/* Those to which more than one answer is right. */
static int (* const open_calls[OP_KINDS])(struct rmem_model *m,
					  const struct rmem_op *op,
					  const struct rmem_answer *seen) = {
	[OP_BIND] = bind_slot,
	[OP_FAIL] = rmem_model_fail,
	[OP_OFFLINE] = rmem_model_offline,
};

struct rmem_answer rmem_model_do(struct rmem_model *m, const struct rmem_op *op,
				 const struct rmem_answer *seen)
{
	struct rmem_answer answer = { 0 };

	if (op->kind == OP_PAGES)
		answer.err = count_pages(m, op, &answer);
	else if (open_calls[op->kind])
		answer.err = open_calls[op->kind](m, op, seen);
	else if (op->kind == OP_GUEST_READ || op->kind == OP_GUEST_WRITE)
		answer.err = guest_access(m, op, &answer);
	else
		answer.err = calls[op->kind](m, op);
	return answer;
}
