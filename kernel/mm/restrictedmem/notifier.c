// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is told when pages of a restricted file go away, and whose they are.
 *
 * Watchers and one kind of owner: a range can be watched by many, and bound by
 * one consumer. What a consumer left in a file is never shown to another one.
 */
#include <linux/fs.h>
#include <linux/pagemap.h>

#include "internal.h"

static struct restrictedmem_notifier *
to_notifier(struct interval_tree_node *node)
{
	return node ? container_of(node, struct restrictedmem_notifier, range) :
		      NULL;
}

/* The first one that has something of [@start, @end), or NULL. */
static struct restrictedmem_notifier *first_of(struct restrictedmem_inode *rmem,
					       pgoff_t start, pgoff_t end)
{
	return to_notifier(interval_tree_iter_first(&rmem->notifiers, start,
						    end - 1));
}

static struct restrictedmem_notifier *
next_of(struct restrictedmem_notifier *notifier, pgoff_t start, pgoff_t end)
{
	return to_notifier(interval_tree_iter_next(&notifier->range, start,
						   end - 1));
}

#define for_each_notifier(n, rmem, start, end)				\
	for (n = first_of(rmem, start, end); n; n = next_of(n, start, end))

/* The invalidate lock is held throughout, so the set stays what it is. */
void rmem_invalidate_start(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct restrictedmem_inode *rmem = to_rmem(inode);
	struct restrictedmem_notifier *notifier;

	lockdep_assert_held_write(&inode->i_mapping->invalidate_lock);
	for_each_notifier(notifier, rmem, start, end)
		notifier->ops->invalidate_start(notifier, start, end);
}

void rmem_invalidate_end(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct restrictedmem_inode *rmem = to_rmem(inode);
	struct restrictedmem_notifier *notifier;

	lockdep_assert_held_write(&inode->i_mapping->invalidate_lock);
	for_each_notifier(notifier, rmem, start, end)
		notifier->ops->invalidate_end(notifier, start, end);
}

/* Comes from the handler of memory errors, under the lock of the page. */
void rmem_notify_error(struct inode *inode, pgoff_t start, pgoff_t end)
{
	struct restrictedmem_inode *rmem = to_rmem(inode);
	struct restrictedmem_notifier *notifier;

	down_read(&rmem->notify_lock);
	for_each_notifier(notifier, rmem, start, end)
		notifier->ops->error(notifier, start, end);
	up_read(&rmem->notify_lock);
}

static void lock_notifiers(struct inode *inode)
{
	filemap_invalidate_lock(inode->i_mapping);
	down_write(&to_rmem(inode)->notify_lock);
}

static void unlock_notifiers(struct inode *inode)
{
	up_write(&to_rmem(inode)->notify_lock);
	filemap_invalidate_unlock(inode->i_mapping);
}

static int check_range(struct inode *inode, pgoff_t start, pgoff_t end)
{
	if (start >= end || end > i_size_read(inode) >> PAGE_SHIFT)
		return -EINVAL;
	return 0;
}

static void insert(struct restrictedmem_inode *rmem,
		   struct restrictedmem_notifier *notifier,
		   pgoff_t start, pgoff_t end)
{
	notifier->range.start = start;
	notifier->range.last = end - 1;
	interval_tree_insert(&notifier->range, &rmem->notifiers);
}

static bool is_bound(struct restrictedmem_inode *rmem, pgoff_t start,
		     pgoff_t end)
{
	struct restrictedmem_notifier *notifier;

	for_each_notifier(notifier, rmem, start, end)
		if (notifier->exclusive)
			return true;
	return false;
}

/*
 * A file is one owner's: another one can have it when nothing of it is bound
 * and nothing is left in it. What was there before the first owner is zero.
 */
static int take_over(struct inode *inode, u64 owner)
{
	struct restrictedmem_inode *rmem = to_rmem(inode);

	if (rmem->owner == owner)
		return 0;
	if (is_bound(rmem, 0, ULONG_MAX) ||
	    (rmem->owner && inode->i_mapping->nrpages))
		return -EBUSY;
	rmem->owner = owner;
	return 0;
}

/**
 * restrictedmem_register_notifier - watch a range
 * @file: the file
 * @notifier: with ops filled in; it must live until it is unregistered
 * @start: first page
 * @end: page after the last
 *
 * Who only watches must not write: the pages are the owner's.
 *
 * May sleep. Returns 0, or -EINVAL for a range that is empty or not in the file.
 */
int restrictedmem_register_notifier(struct file *file,
				    struct restrictedmem_notifier *notifier,
				    pgoff_t start, pgoff_t end)
{
	struct inode *inode = file_inode(file);
	int err;

	lock_notifiers(inode);
	err = check_range(inode, start, end);
	if (!err) {
		notifier->exclusive = false;
		insert(to_rmem(inode), notifier, start, end);
	}
	unlock_notifiers(inode);
	return err;
}
EXPORT_SYMBOL_GPL(restrictedmem_register_notifier);

/**
 * restrictedmem_bind - take a range for one consumer alone
 * @file: the file
 * @notifier: as for restrictedmem_register_notifier()
 * @start: first page
 * @end: page after the last
 * @owner: the consumer, from restrictedmem_new_owner()
 *
 * Watchers do not conflict with it. An owner may bind several ranges; what it
 * leaves in the file when it unbinds is there when it binds again, and nobody
 * else's until a hole was punched for all of it.
 *
 * May sleep. Returns 0; -EINVAL for a range that is empty or not in the file;
 * -EBUSY if some of it is bound, or if the file belongs to another owner.
 */
int restrictedmem_bind(struct file *file,
		       struct restrictedmem_notifier *notifier,
		       pgoff_t start, pgoff_t end, u64 owner)
{
	struct inode *inode = file_inode(file);
	struct restrictedmem_inode *rmem = to_rmem(inode);
	int err;

	lock_notifiers(inode);
	err = check_range(inode, start, end);
	if (!err && is_bound(rmem, start, end))
		err = -EBUSY;
	if (!err)
		err = take_over(inode, owner);
	if (!err) {
		notifier->exclusive = true;
		insert(rmem, notifier, start, end);
	}
	unlock_notifiers(inode);
	return err;
}
EXPORT_SYMBOL_GPL(restrictedmem_bind);

/**
 * restrictedmem_unregister_notifier - watch no longer, or give up a binding
 * @file: the file
 * @notifier: registered or bound there
 *
 * On return no callback runs, and none will. The caller no longer uses pages of
 * the range. May sleep; not from a callback.
 */
void restrictedmem_unregister_notifier(struct file *file,
				       struct restrictedmem_notifier *notifier)
{
	struct inode *inode = file_inode(file);

	lock_notifiers(inode);
	interval_tree_remove(&notifier->range, &to_rmem(inode)->notifiers);
	unlock_notifiers(inode);
}
EXPORT_SYMBOL_GPL(restrictedmem_unregister_notifier);
