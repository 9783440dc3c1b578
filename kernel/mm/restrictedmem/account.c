// SPDX-License-Identifier: GPL-2.0-only
/*
 * RLIMIT_MEMLOCK. The pages of a file cannot be reclaimed, so they count as
 * locked memory of the user who made it, up to the limit that was in force then,
 * whoever has them allocated. With CAP_IPC_LOCK nothing is counted.
 *
 * ->free_folio does not know the file of a folio, so what has left is found by
 * its difference: pages ever added, less those that are there.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

#include "internal.h"

/* Of a new inode. */
void rmem_account_init(struct restrictedmem_inode *rmem)
{
	atomic_long_set(&rmem->added, 0);
	rmem->settled = 0;
	if (capable(CAP_IPC_LOCK))
		return;
	rmem->user = get_uid(current_user());
	rmem->limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
}

/* Before @nr pages are allocated. Returns 0, or -ENOMEM: that is too many. */
int rmem_account(struct restrictedmem_inode *rmem, long nr)
{
	unsigned long locked;

	if (!rmem->user)
		return 0;
	locked = atomic_long_read(&rmem->user->locked_vm);
	do {
		if (locked + nr > rmem->limit)
			return -ENOMEM;
	} while (!atomic_long_try_cmpxchg(&rmem->user->locked_vm,
					  (long *)&locked, locked + nr));
	return 0;
}

/* They did not come about. */
void rmem_unaccount(struct restrictedmem_inode *rmem, long nr)
{
	if (rmem->user)
		atomic_long_sub(nr, &rmem->user->locked_vm);
}

/* They are in the file. Pairs with rmem_account_settle(). */
void rmem_account_added(struct restrictedmem_inode *rmem, long nr)
{
	if (rmem->user)
		atomic_long_fetch_add_release(nr, &rmem->added);
}

/*
 * Pages have left the file. Read in this order, pages that are just being added
 * make the difference too small, never too large; the next call has the rest,
 * the last one comes when nobody can add any more. Callers exclude each other.
 */
void rmem_account_settle(struct inode *inode)
{
	struct restrictedmem_inode *rmem = to_rmem(inode);
	long gone;

	if (!rmem->user)
		return;
	gone = atomic_long_read_acquire(&rmem->added) - rmem->settled -
	       READ_ONCE(inode->i_mapping->nrpages);
	if (gone <= 0)
		return;
	rmem->settled += gone;
	rmem_unaccount(rmem, gone);
}

/* The inode goes, and has no pages. */
void rmem_account_end(struct inode *inode)
{
	struct restrictedmem_inode *rmem = to_rmem(inode);

	rmem_account_settle(inode);
	WARN_ON_ONCE(rmem->user &&
		     atomic_long_read(&rmem->added) != rmem->settled);
	free_uid(rmem->user);
	rmem->user = NULL;
}
