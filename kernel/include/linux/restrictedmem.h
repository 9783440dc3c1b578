/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Restricted memory: files whose pages no process can map, read or write.
 *
 * memfd_restricted(2) makes one; its holder sizes it once, allocates and punches
 * holes. A consumer inside the kernel (KVM) takes the pages with
 * restrictedmem_get_page() and is told, through a notifier, before they go away.
 *
 * All ranges are of page offsets, [start, end).
 */
#ifndef _LINUX_RESTRICTEDMEM_H
#define _LINUX_RESTRICTEDMEM_H

#include <linux/errno.h>
#include <linux/interval_tree.h>
#include <linux/types.h>
#include <uapi/linux/restrictedmem.h>

struct file;
struct folio;
struct page;
struct restrictedmem_notifier;

/*
 * invalidate_start: the pages of the range are about to go. On return the
 * consumer has unmapped them, and maps none of them again before
 * invalidate_end. Whoever is told of the start is told of the end, once, with
 * the same range; it may be wider than what user space asked for, by less than
 * one large page at either end.
 *
 * error: the memory of the range has failed. The consumer unmaps it; from now on
 * restrictedmem_get_page() gives -EHWPOISON there, until a hole is punched.
 *
 * All of them may sleep. They must not call back into this interface for the
 * same file, and error() must not wait for a page lock.
 */
struct restrictedmem_notifier_ops {
	void (*invalidate_start)(struct restrictedmem_notifier *notifier,
				 pgoff_t start, pgoff_t end);
	void (*invalidate_end)(struct restrictedmem_notifier *notifier,
			       pgoff_t start, pgoff_t end);
	void (*error)(struct restrictedmem_notifier *notifier,
		      pgoff_t start, pgoff_t end);
};

/* The caller fills in ops; the rest is for restrictedmem alone. */
struct restrictedmem_notifier {
	const struct restrictedmem_notifier_ops *ops;
	struct interval_tree_node range;
	bool exclusive;
};

#ifdef CONFIG_RESTRICTEDMEM

bool file_is_restrictedmem(const struct file *file);
bool restrictedmem_active(void);
u64 restrictedmem_new_owner(void);

int restrictedmem_register_notifier(struct file *file,
				    struct restrictedmem_notifier *notifier,
				    pgoff_t start, pgoff_t end);
int restrictedmem_bind(struct file *file,
		       struct restrictedmem_notifier *notifier,
		       pgoff_t start, pgoff_t end, u64 owner);
void restrictedmem_unregister_notifier(struct file *file,
				       struct restrictedmem_notifier *notifier);

int restrictedmem_get_page(struct file *file, pgoff_t offset,
			   struct page **pagep, int *order);
int restrictedmem_find_page(struct file *file, pgoff_t offset,
			    struct page **pagep);
void *restrictedmem_map_local(struct page *page);
void restrictedmem_unmap_local(void *addr);
void *restrictedmem_map(struct page *page);
void restrictedmem_unmap(void *addr);

void restrictedmem_unsplit_error(struct folio *folio, struct page *page);
bool restrictedmem_has_page(struct page *page);
void restrictedmem_wipe(void);

#else

static inline bool file_is_restrictedmem(const struct file *file)
{
	return false;
}

static inline bool restrictedmem_active(void)
{
	return false;
}

static inline void restrictedmem_unsplit_error(struct folio *folio,
					       struct page *page) { }

static inline bool restrictedmem_has_page(struct page *page)
{
	return false;
}

static inline void restrictedmem_wipe(void) { }

#endif /* CONFIG_RESTRICTEDMEM */

#endif /* _LINUX_RESTRICTEDMEM_H */
