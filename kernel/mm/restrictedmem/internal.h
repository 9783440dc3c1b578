/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restricted memory, shared by the files of this directory.
 *
 * The pages are the file's own page cache. Locks, outermost first:
 *
 *   inode lock		size
 *   invalidate lock	shared: allocation by fallocate(). Exclusive: a hole is
 *			punched, from invalidate_start() to invalidate_end(), and
 *			notifiers come and go, so that the two stay paired
 *   folio lock		a page leaves the cache, is split, or has failed
 *   notify_lock	shared: error() is called; exclusive, together with the
 *			invalidate lock: notifiers come and go
 *
 * The handler of memory errors comes with the folio lock held: that is why
 * error() cannot be under the invalidate lock.
 */
#ifndef __RESTRICTEDMEM_INTERNAL_H
#define __RESTRICTEDMEM_INTERNAL_H

#include <linux/fs.h>
#include <linux/jump_label.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>
#include <linux/restrictedmem.h>

struct mempolicy;
struct user_struct;

struct restrictedmem_inode {
	struct inode inode;
	unsigned int flags;		/* RMFD_* */
	struct mempolicy *policy;	/* where its pages come from, or NULL */
	struct rw_semaphore notify_lock;
	struct rb_root_cached notifiers;
	u64 owner;			/* whose contents these are, or 0 */
	struct xarray failed;		/* offsets whose memory has failed */
	struct user_struct *user;	/* whose locked memory it is, or NULL */
	unsigned long limit;		/* of that, in pages */
	atomic_long_t added;		/* pages ever, if they are counted */
	long settled;			/* of those, counted as gone */
};

static inline struct restrictedmem_inode *to_rmem(struct inode *inode)
{
	return container_of(inode, struct restrictedmem_inode, inode);
}

static inline struct restrictedmem_inode *file_rmem(const struct file *file)
{
	return to_rmem(file_inode(file));
}

static inline bool rmem_is_huge(const struct restrictedmem_inode *rmem)
{
	return IS_ENABLED(CONFIG_TRANSPARENT_HUGEPAGE) &&
	       (rmem->flags & RMFD_HUGEPAGE);
}

/* file.c */
struct file *rmem_file_create(unsigned int flags);

/* inode.c */
extern struct vfsmount *rmem_mnt;
struct inode *rmem_inode_create(unsigned int flags);

/* pages.c */
extern const struct address_space_operations rmem_aops;
int rmem_populate(struct inode *inode, pgoff_t start, pgoff_t end);

/* punch.c */
void rmem_punch(struct inode *inode, pgoff_t start, pgoff_t end);

/* notifier.c */
void rmem_invalidate_start(struct inode *inode, pgoff_t start, pgoff_t end);
void rmem_invalidate_end(struct inode *inode, pgoff_t start, pgoff_t end);
void rmem_notify_error(struct inode *inode, pgoff_t start, pgoff_t end);

/* failure.c */
int rmem_error_remove_folio(struct address_space *mapping, struct folio *folio);
bool rmem_has_failed(struct restrictedmem_inode *rmem, pgoff_t start,
		     pgoff_t end);
void rmem_forget_failed(struct restrictedmem_inode *rmem, pgoff_t start,
			pgoff_t end);

/* account.c */
void rmem_account_init(struct restrictedmem_inode *rmem);
int rmem_account(struct restrictedmem_inode *rmem, long nr);
void rmem_unaccount(struct restrictedmem_inode *rmem, long nr);
void rmem_account_added(struct restrictedmem_inode *rmem, long nr);
void rmem_account_settle(struct inode *inode);
void rmem_account_end(struct inode *inode);

/* direct.c */
DECLARE_STATIC_KEY_FALSE(rmem_nodirect);
int rmem_direct_init(void);
int __rmem_direct_take(struct folio *folio);
int __rmem_direct_give(struct folio *folio);
void rmem_direct_wipe(struct page *page);

static inline int rmem_direct_take(struct folio *folio)
{
	return static_branch_unlikely(&rmem_nodirect) ?
	       __rmem_direct_take(folio) : 0;
}

static inline int rmem_direct_give(struct folio *folio)
{
	return static_branch_unlikely(&rmem_nodirect) ?
	       __rmem_direct_give(folio) : 0;
}

/* release.c */
void rmem_clear_page(struct page *page);
void rmem_clear_folio(struct folio *folio);
void rmem_free_folio(struct folio *folio);

/* stats.c */
enum rmem_stat {
	RMEM_PAGES,		/* there now */
	RMEM_SMALL,		/* 4 KiB pages allocated */
	RMEM_LARGE,		/* large ones */
	RMEM_HOLES,		/* punched */
	RMEM_UNSPLIT,		/* large pages emptied in part, but not split */
	RMEM_KEPT,		/* pages kept for somebody who held them */
	RMEM_FAILED,		/* pages whose memory failed */
	RMEM_HIDDEN,		/* not in the direct map now */
	RMEM_NR_STATS,
};

extern atomic_long_t rmem_stats[RMEM_NR_STATS];

static inline void rmem_count(enum rmem_stat stat, long by)
{
	atomic_long_add(by, &rmem_stats[stat]);
}

#endif
