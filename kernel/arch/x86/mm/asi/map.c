// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping and unmapping ranges of the full tables in restricted ones.
 *
 * A mapping is always the one the full tables have: same frame, same
 * permissions, same cache type, never global. Ranges are whole pages, and a
 * page belongs to one region of an instance at most, so that unmapping one
 * object cannot take away, or leave behind, a part of another.
 *
 * The full tables change under other locks (attributes: cpa_lock). Who changes
 * them does so first, and then takes the lock of each instance to make it follow,
 * see attr.c; who maps holds that lock from its walk of the full tables until the
 * leaf is in place. So a walk either sees the change, or is corrected by whoever
 * made it. Before asi_init() puts an instance into the list it maps only what
 * nobody changes: itself, stacks, per-CPU memory and the like.
 */
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "asi.h"
#include "check.h"

static struct asi_region *find_region(struct asi *asi, unsigned long start,
				      unsigned long end)
{
	struct asi_region *r;

	lockdep_assert_held(&asi->lock);
	list_for_each_entry(r, &asi->regions, node) {
		if (r->start >= end)
			break;
		if (r->end > start)
			return r;
	}
	return NULL;
}

static void insert_region(struct asi *asi, struct asi_region *new)
{
	struct asi_region *r;

	list_for_each_entry(r, &asi->regions, node)
		if (r->start > new->start)
			break;
	list_add_tail(&new->node, &r->node);
}

/* Another user of a region that is already there, or the reason why not. */
static int join_region(struct asi_region *r, const struct asi_region *new)
{
	if (r->start != new->start || r->end != new->end || r->kind != new->kind)
		return -EEXIST;
	r->users++;
	return 0;
}

/* What maps @va as the full tables do, with what upper levels allow, not global. */
static u64 restricted_entry(const struct asi_pt_leaf *leaf, int level,
			    unsigned long va, u64 deny)
{
	u64 entry = asi_pte_narrow(leaf->entry, leaf->level, level, va);

	if (!leaf->write || (deny & ASI_PTE_WRITE))
		entry &= ~ASI_PTE_WRITE;
	if (!leaf->exec || (deny & ASI_PTE_NX))
		entry |= ASI_PTE_NX;
	return entry & ~ASI_PTE_GLOBAL;
}

/* One leaf as @full is, the largest that fits; -ESTALE, see asi_check_leaf(). */
static int map_like(struct asi_pt *pt, unsigned long *va, unsigned long end,
		    u64 deny, struct asi_pt_leaf *full, void **spare)
{
	int level = full->level;
	u64 entry;
	int err;

	if (!full->entry)
		return -EFAULT;
	while (level > ASI_PT_4K &&
	       ((*va & (asi_pt_size(level) - 1)) ||
		end - *va < asi_pt_size(level)))
		level--;

	/* A table left by an earlier, smaller mapping rules out a large leaf. */
	for (;; level--) {
		entry = restricted_entry(full, level, *va, deny);
		err = asi_check_leaf(pt, *va, level, entry, full) ?:
		      asi_pt_set(pt, *va, level, entry, spare);
		if (err != -EEXIST || level == ASI_PT_4K)
			break;
	}
	if (!err)
		*va += asi_pt_size(level);
	return err;
}

/**
 * asi_map_leaf - install one leaf, the largest that fits
 * @pt: tree
 * @va: first address; moves past the leaf
 * @end: end of the range
 * @deny: ASI_PTE_WRITE or ASI_PTE_NX to deny writing or executing, whatever the
 *	full tables allow
 * @spare: see asi_pt_set()
 *
 * Return: 0, -EAGAIN or -EEXIST as asi_pt_set(), -EFAULT if the full tables
 * have a hole there, or -EPERM if page table check finds the leaf wrong.
 */
int asi_map_leaf(struct asi_pt *pt, unsigned long *va, unsigned long end,
		 u64 deny, void **spare)
{
	struct asi_pt_leaf full = asi_pt_lookup(asi_full_root(), asi_levels(),
						*va);
	int err;

	do {
		err = map_like(pt, va, end, deny, &full, spare);
	} while (err == -ESTALE);
	return err;
}

/* What maps @va at @level as @full does, which a walk has just found there. */
static u64 entry_like(const struct asi_pt_leaf *full, unsigned long va,
		      int level)
{
	if (full->level < level)
		return asi_pt_entry(asi_full_root(), asi_levels(), va, level) |
		       ASI_PTE_SHARED;
	return full->entry ? restricted_entry(full, level, va, 0) : 0;
}

/**
 * asi_full_entry - what maps @va at @level as the full tables do
 * @va: aligned to the size of @level
 * @level: of the entry, at most ASI_PT_2M
 *
 * Return: a leaf; the table of the full tables if they map smaller pages there; 0
 * if they map nothing.
 */
u64 asi_full_entry(unsigned long va, int level)
{
	struct asi_pt_leaf full = asi_pt_lookup(asi_full_root(), asi_levels(), va);

	return entry_like(&full, va, level);
}

static int map_block(struct asi_pt *pt, unsigned long va, void **spare)
{
	struct asi_pt_leaf full = asi_pt_lookup(asi_full_root(), asi_levels(), va);
	u64 entry;
	int err;

	do {
		entry = entry_like(&full, va, ASI_PT_2M);
		if (!entry)
			return -EFAULT;
		err = asi_pte_leaf(entry, ASI_PT_2M) ?
		      asi_check_leaf(pt, va, ASI_PT_2M, entry, &full) : 0;
	} while (err == -ESTALE);
	return err ?: asi_pt_set(pt, va, ASI_PT_2M, entry, spare);
}

/*
 * Where a table of our own is left over, it holds all pages that are there. What
 * differs stays: whoever is changing the full tables makes it follow in a moment.
 */
static int map_pages(struct asi_pt *pt, unsigned long va)
{
	unsigned long end = va + asi_pt_size(ASI_PT_2M);
	void *none = NULL;
	int err = 0;

	while (va < end && !err) {
		err = asi_map_leaf(pt, &va, end, 0, &none);
		if (err != -EFAULT && err != -EEXIST)
			continue;
		va += PAGE_SIZE;
		err = 0;
	}
	return err;
}

/**
 * asi_map_block - map 2 MiB of the direct map that have no region
 * @asi: instance
 * @va: first address, aligned to 2 MiB
 * @spare: see asi_pt_set()
 *
 * Where the full tables have small pages, their table is shared: what becomes of
 * one page then has no bearing on the others.
 *
 * Context: @asi->lock held. Return: 0, -EAGAIN, -EFAULT or -EPERM, see
 * asi_map_leaf(). What is mapped there already is no error.
 */
int asi_map_block(struct asi *asi, unsigned long va, void **spare)
{
	int err;

	lockdep_assert_held(&asi->lock);
	err = map_block(&asi->pt, va, spare);
	return err == -EEXIST ? map_pages(&asi->pt, va) : err;
}

static int map_range(struct asi *asi, unsigned long start, unsigned long end,
		     gfp_t gfp)
{
	unsigned long va = start;
	void *spare = NULL;
	unsigned long flags;
	int err = 0;

	while (va < end) {
		spin_lock_irqsave(&asi->lock, flags);
		while (va < end && !err)
			err = asi_map_leaf(&asi->pt, &va, end, 0, &spare);
		spin_unlock_irqrestore(&asi->lock, flags);

		if (err != -EAGAIN)
			break;
		spare = (void *)get_zeroed_page(gfp | __GFP_ACCOUNT);
		err = spare ? 0 : -ENOMEM;
		if (err)
			break;
	}
	free_page((unsigned long)spare);

	if (err) {
		spin_lock_irqsave(&asi->lock, flags);
		asi_pt_clear(&asi->pt, start, va);
		spin_unlock_irqrestore(&asi->lock, flags);
	}
	return err;
}

/* Mapping @r failed. Who joined meanwhile keeps it, unmapped, at worst an exit. */
static void undo_region(struct asi *asi, struct asi_region *r)
{
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&asi->lock, flags);
	last = !--r->users;
	if (last)
		list_del(&r->node);
	spin_unlock_irqrestore(&asi->lock, flags);
	if (last)
		kfree(r);
	asi_flush(asi);
}

/*
 * Enter a range of whole pages into the list of regions. Returns the region,
 * NULL if an equal one has got one more user, or an error.
 */
struct asi_region *asi_claim_region(struct asi *asi, unsigned long start,
				    unsigned long end, enum asi_kind kind,
				    gfp_t gfp)
{
	struct asi_region *new, *old;
	unsigned long flags;
	int err;

	new = kmalloc(sizeof(*new), gfp);
	if (!new)
		return ERR_PTR(-ENOMEM);
	*new = (struct asi_region) {
		.start = start, .end = end, .kind = kind, .users = 1,
	};

	spin_lock_irqsave(&asi->lock, flags);
	old = find_region(asi, start, end);
	err = old ? join_region(old, new) : 0;
	if (!old)
		insert_region(asi, new);
	spin_unlock_irqrestore(&asi->lock, flags);
	if (!old)
		return new;
	kfree(new);
	return ERR_PTR(err);
}

/* asi_map_gfp() for one instance and a range of whole pages. */
int asi_map_one(struct asi *asi, unsigned long start, unsigned long end,
		enum asi_kind kind, gfp_t gfp)
{
	struct asi_region *new;
	int err;

	new = asi_claim_region(asi, start, end, kind, gfp);
	if (IS_ERR_OR_NULL(new))
		return PTR_ERR_OR_ZERO(new);

	err = map_range(asi, start, end, gfp);
	if (err)
		undo_region(asi, new);
	return err;
}

/* Take a global range out of the instances that come before @end in the list. */
static void unmap_before(struct asi *end, unsigned long start,
			 unsigned long stop)
{
	struct asi *asi;

	list_for_each_entry(asi, &asi_instances, instances) {
		if (asi == end)
			break;
		asi_unmap_one(asi, start, stop);
	}
	asi_unmap_one(asi_global, start, stop);
}

static int map_everywhere(unsigned long start, unsigned long end,
			  enum asi_kind kind, gfp_t gfp)
{
	struct asi *asi;
	int err;

	mutex_lock(&asi_instances_lock);
	err = asi_map_one(asi_global, start, end, kind, gfp);
	if (err)
		goto out_unlock;

	list_for_each_entry(asi, &asi_instances, instances) {
		err = asi_map_one(asi, start, end, kind, gfp);
		if (err) {
			unmap_before(asi, start, end);
			break;
		}
	}
out_unlock:
	mutex_unlock(&asi_instances_lock);
	return err;
}

/**
 * asi_map_gfp - map a range of the kernel's address space in an instance
 * @asi: instance, or ASI_GLOBAL_NONSENSITIVE for all, present and future
 * @addr: first byte; must be mapped in the full tables
 * @len: bytes; every page that the range touches is mapped whole
 * @kind: what it is, at least ASI_KIND_PERCPU
 * @gfp: for tables
 *
 * Mapping the same range again as the same kind counts a user; each needs its
 * asi_unmap(). Nothing is mapped on error.
 *
 * Context: any that @gfp allows, with interrupts on; may sleep if @asi is
 * ASI_GLOBAL_NONSENSITIVE.
 * Return: 0; -EINVAL for no instance, an empty or wrapping range, user
 * addresses or a bad kind; -EPERM for pages that belong to somebody else or are
 * shared with other objects, see frame.c; -EFAULT if the full tables have a hole
 * there; -EEXIST if a page of the range is mapped as a part of something else;
 * -ENOMEM.
 */
int asi_map_gfp(struct asi *asi, const void *addr, size_t len,
		enum asi_kind kind, gfp_t gfp)
{
	unsigned long start = (unsigned long)addr & PAGE_MASK;
	unsigned long end = PAGE_ALIGN((unsigned long)addr + len);

	if (!asi || !len || end <= start || start < TASK_SIZE_MAX)
		return -EINVAL;
	if (kind < ASI_KIND_NR_IMAGE || kind >= ASI_NR_KINDS)
		return -EINVAL;
	if (asi_frames_refused(asi == ASI_GLOBAL_NONSENSITIVE ? asi_global : asi,
			       start, end))
		return -EPERM;
	if (asi == ASI_GLOBAL_NONSENSITIVE)
		return map_everywhere(start, end, kind, gfp);
	return asi_map_one(asi, start, end, kind, gfp);
}
EXPORT_SYMBOL_GPL(asi_map_gfp);

/** asi_map - asi_map_gfp() with GFP_KERNEL */
int asi_map(struct asi *asi, const void *addr, size_t len, enum asi_kind kind)
{
	return asi_map_gfp(asi, addr, len, kind, GFP_KERNEL);
}
EXPORT_SYMBOL_GPL(asi_map);

/* asi_unmap() for one instance and a range of whole pages, or of user memory. */
void asi_unmap_one(struct asi *asi, unsigned long start, unsigned long end)
{
	struct asi_region *r;
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&asi->lock, flags);
	r = find_region(asi, start, end);
	if (WARN_ON_ONCE(!r || r->start != start || r->end != end)) {
		spin_unlock_irqrestore(&asi->lock, flags);
		return;
	}
	last = !--r->users;
	if (last) {
		list_del(&r->node);
		asi_pt_clear(&asi->pt, start, end);
		if (r->kind == ASI_KIND_USER)
			asi_pt_unshare(&asi->pt, start, end);
	}
	spin_unlock_irqrestore(&asi->lock, flags);

	if (last) {
		asi_flush(asi);
		kfree(r);
	}
}

/**
 * asi_unmap - undo one asi_map()
 * @asi: instance, or ASI_GLOBAL_NONSENSITIVE
 * @addr: as given to asi_map()
 * @len: as given to asi_map()
 *
 * When the last user is gone, no CPU can reach the range through @asi any more
 * once this returns, and the memory may be freed.
 *
 * Context: interrupts on; may sleep if @asi is ASI_GLOBAL_NONSENSITIVE.
 */
void asi_unmap(struct asi *asi, const void *addr, size_t len)
{
	unsigned long start = (unsigned long)addr & PAGE_MASK;
	unsigned long end = PAGE_ALIGN((unsigned long)addr + len);

	if (WARN_ON_ONCE(!asi || end <= start))
		return;
	if (asi != ASI_GLOBAL_NONSENSITIVE) {
		asi_unmap_one(asi, start, end);
		return;
	}
	mutex_lock(&asi_instances_lock);
	unmap_before(NULL, start, end);
	mutex_unlock(&asi_instances_lock);
}
EXPORT_SYMBOL_GPL(asi_unmap);

/* The bookkeeping of an instance whose tables are about to go. */
void asi_forget_regions(struct asi *asi)
{
	struct asi_region *r, *next;

	list_for_each_entry_safe(r, next, &asi->regions, node)
		kfree(r);
	INIT_LIST_HEAD(&asi->regions);
}

/**
 * asi_find_region - the region that @va belongs to, or NULL
 * @asi: instance
 * @va: address
 *
 * Context: @asi->lock held, or nobody changes @asi.
 */
const struct asi_region *asi_find_region(struct asi *asi, unsigned long va)
{
	struct asi_region *r;

	list_for_each_entry(r, &asi->regions, node)
		if (va >= r->start && va < r->end)
			return r;
	return NULL;
}

/* Size rule behind asi_own_size(): kmalloc() aligns powers of two naturally. */
size_t __asi_own_size(size_t size)
{
	return max_t(size_t, roundup_pow_of_two(size), PAGE_SIZE);
}
EXPORT_SYMBOL_GPL(__asi_own_size);
