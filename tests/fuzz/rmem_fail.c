// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that fails, in the model. Where a large page may be, only the kernel
 * knows whether there is memory at all; one that somebody holds just then is not
 * split, and what failed stays in it.
 */
#include <errno.h>
#include <string.h>

#include "rmem_model.h"

/* Where there is no memory, or none that is sound, none can fail: -ENOENT. */
static int find(struct rmem_model *m, const struct rmem_op *op,
		const struct rmem_answer *seen)
{
	struct rmem_inode *inode = m->handles[op->handle];
	uint64_t page = op->offset / RMEM_PAGE;

	if (!inode)
		return -EBADF;
	if (page >= inode->pages || inode->failed[page] ||
	    inode->there[page] == ABSENT)
		return -ENOENT;
	if (inode->there[page] == MAYBE && seen && seen->err == -ENOENT)
		return -ENOENT;
	return 0;
}

static void lose(struct rmem_inode *inode, uint64_t page)
{
	memset(inode->bytes[page], 0, RMEM_PROBES);
}

int rmem_model_fail(struct rmem_model *m, const struct rmem_op *op,
		    const struct rmem_answer *seen)
{
	struct rmem_inode *inode = m->handles[op->handle];
	uint64_t page = op->offset / RMEM_PAGE;
	int err = find(m, op, seen);

	if (err)
		return err;
	lose(inode, page);
	if (m->mutation == MUT_FAIL_SPREADS && (page ^ 1) < inode->pages)
		lose(inode, page ^ 1);
	if (inode->huge && seen && seen->err == -EHWPOISON) {
		inode->failed[page] = FAILED_INSIDE;
		return -EHWPOISON;
	}
	inode->failed[page] = FAILED;
	if (m->mutation != MUT_FAIL_COUNTED)
		inode->there[page] = ABSENT;
	return 0;
}

/* Pages do not move. */
int rmem_model_offline(struct rmem_model *m, const struct rmem_op *op,
		       const struct rmem_answer *seen)
{
	int err = find(m, op, seen);

	if (err)
		return err;
	if (m->mutation == MUT_OFFLINE_EMPTIES)
		lose(m->handles[op->handle], op->offset / RMEM_PAGE);
	return m->mutation == MUT_OFFLINE_DONE ? 0 : -EBUSY;
}
