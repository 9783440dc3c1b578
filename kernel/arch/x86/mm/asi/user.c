// SPDX-License-Identifier: GPL-2.0-only
/*
 * User memory of the process that an instance belongs to.
 *
 * An instance does not copy user mappings: it points at the tables of the mm,
 * with entries as high up as the mapped range allows, the top level if that is
 * all of user space. What the process maps, unmaps and protects below such an
 * entry is so at once, and
 *
 *  - translations: every flush raises mm->context.tlb_gen before it interrupts
 *    the CPUs that have the mm loaded. The switch counts that generation in, and
 *    flush_tlb_func() leaves the instance. Only threads of the process enter.
 *  - tables: whoever unhooks one flushes before it frees it, and calls
 *    __asi_tables_freed() before it flushes.
 *
 * Entries are filled in when a fault asks for them. Implements "Add support for
 * mapping all userspace memory into ASI", "Add API for mapping userspace address
 * ranges" and, KVM's view of guest memory being user memory, "Map guest memory
 * into restricted ASI address space".
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/tlbflush.h>

#include "asi.h"

/* Every mm's list of instances that share its tables. Outside every asi->lock. */
static DEFINE_SPINLOCK(sharers_lock);

/* One past the user half, which ends at an entry of the root. */
static unsigned long user_half_end(void)
{
	return asi_pt_size(asi_levels()) * 256;
}

static const u64 *user_root(const struct asi *asi)
{
	return (const u64 *)asi->mm->pgd;
}

/* Level of the largest entry around @va inside [@start, @end); 4K: none fits. */
static int fitting_level(unsigned long va, unsigned long start,
			 unsigned long end)
{
	unsigned long base;
	int level;

	for (level = asi_levels(); level > ASI_PT_4K; level--) {
		base = va & ~(asi_pt_size(level) - 1);
		if (base >= start && base + asi_pt_size(level) <= end)
			break;
	}
	return level;
}

/*
 * The entry that shares the table which the mm has for @va at @level, or 0.
 * Large leaves are not copied: nobody would tell when they change. Below the top
 * level the tables of the mm may be on their way out: they stay while this CPU
 * has the mm loaded and interrupts off, as for GUP.
 */
static u64 sharing_entry(struct asi *asi, unsigned long va, int level)
{
	u64 entry = asi_pt_entry(user_root(asi), asi_levels(), va, level);

	lockdep_assert_held(&asi->lock);
	if (!asi_pte_present(entry) || asi_pte_leaf(entry, level))
		return 0;
	return entry | ASI_PTE_SHARED;
}

static bool fill_locked(struct asi *asi, unsigned long va)
{
	const struct asi_region *r = asi_find_region(asi, va);
	int level = r ? fitting_level(va, r->start, r->end) : ASI_PT_4K;
	void *spare = NULL;
	u64 entry;

	if (level == ASI_PT_4K)
		return false;
	va &= ~(asi_pt_size(level) - 1);
	entry = sharing_entry(asi, va, level);
	return entry && !asi_pt_set(&asi->pt, va, level, entry, &spare);
}

/**
 * asi_user_fill - point @asi at the tables that map a user address
 * @asi: instance that a fault has just left
 * @address: that was touched
 *
 * Whoever faulted may hold any lock: nothing is waited for or allocated here.
 *
 * Context: interrupts off, in a thread of @asi's process or on top of one.
 * Return: whether @address is user memory that is mapped now.
 */
bool asi_user_fill(struct asi *asi, unsigned long address)
{
	bool done;

	if (address >= user_half_end() || !spin_trylock(&asi->lock))
		return false;
	done = fill_locked(asi, address);
	spin_unlock(&asi->lock);
	return done;
}

/* Fill in what is there, and make the upper tables that later fills need. */
static void fill_range(struct asi *asi, unsigned long start, unsigned long end)
{
	unsigned long va = start, flags;
	void *spare = NULL;
	int level, err;

	while (va < end) {
		level = fitting_level(va, start, end);
		err = 0;
		if (level > ASI_PT_4K) {
			spin_lock_irqsave(&asi->lock, flags);
			err = asi_pt_set(&asi->pt, va, level,
					 sharing_entry(asi, va, level), &spare);
			spin_unlock_irqrestore(&asi->lock, flags);
		}
		if (err != -EAGAIN) {
			va = ALIGN(va + 1, asi_pt_size(level));
			continue;
		}
		spare = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!spare)
			break;
	}
	free_page((unsigned long)spare);
}

/* From here on whoever frees tables of the mm looks at @asi. */
static void join_sharers(struct asi *asi)
{
	unsigned long flags;

	spin_lock_irqsave(&sharers_lock, flags);
	if (hlist_unhashed(&asi->sharer))
		hlist_add_head(&asi->sharer, &asi->mm->context.asi_sharers);
	spin_unlock_irqrestore(&sharers_lock, flags);
}

/* @asi is about to go. */
void asi_user_forget(struct asi *asi)
{
	unsigned long flags;

	spin_lock_irqsave(&sharers_lock, flags);
	hlist_del_init(&asi->sharer);
	spin_unlock_irqrestore(&sharers_lock, flags);
}

static int map_user(struct asi *asi, unsigned long start, unsigned long end)
{
	struct asi_region *r;

	if (!asi || asi == ASI_GLOBAL_NONSENSITIVE || !current->mm ||
	    asi->mm != current->mm)
		return -EINVAL;
	if (!asi_user_wanted())
		return -EOPNOTSUPP;

	join_sharers(asi);
	r = asi_claim_region(asi, start, end, ASI_KIND_USER, GFP_KERNEL);
	if (IS_ERR_OR_NULL(r))
		return PTR_ERR_OR_ZERO(r);
	fill_range(asi, start, end);
	return 0;
}

/**
 * asi_map_user_range - map a range of the process's user memory
 * @asi: instance of the current process, before any of its threads has called
 *	asi_map_task()
 * @start: first address, page aligned
 * @end: one past the last address, page aligned, at most TASK_SIZE_MAX
 *
 * Whatever the process maps there, now or later, is reached without a fault, in
 * units of 2 MiB and more that lie in the range as a whole; the rest, and large
 * pages whose table reaches beyond it, costs an exit when it is touched. Mapping
 * the same range again counts a user. Implements "Add API for mapping userspace
 * address ranges".
 *
 * Context: may sleep.
 * Return: 0; -EINVAL for an instance of another process or a range that is
 * empty, not aligned or not the user's; -EEXIST if a part of it is mapped by
 * another call; -EOPNOTSUPP if user memory is not to be mapped on this machine;
 * -ENOMEM.
 */
int asi_map_user_range(struct asi *asi, unsigned long start, unsigned long end)
{
	if (start >= end || end > TASK_SIZE_MAX ||
	    !PAGE_ALIGNED(start) || !PAGE_ALIGNED(end))
		return -EINVAL;
	return map_user(asi, start, end);
}
EXPORT_SYMBOL_GPL(asi_map_user_range);

/**
 * asi_unmap_user_range - undo one asi_map_user_range()
 * @asi: instance
 * @start: as given there
 * @end: as given there
 *
 * After the last one no CPU reaches the range through @asi.
 *
 * Context: interrupts on; waits for other CPUs.
 */
void asi_unmap_user_range(struct asi *asi, unsigned long start,
			  unsigned long end)
{
	asi_unmap_one(asi, start, end);
}
EXPORT_SYMBOL_GPL(asi_unmap_user_range);

/**
 * asi_map_user - asi_map_user_range() for all user memory
 *
 * Implements "Add support for mapping all userspace memory into ASI".
 */
int asi_map_user(struct asi *asi)
{
	return map_user(asi, 0, user_half_end());
}
EXPORT_SYMBOL_GPL(asi_map_user);

/** asi_unmap_user - undo one asi_map_user(), like asi_unmap_user_range() */
void asi_unmap_user(struct asi *asi)
{
	asi_unmap_one(asi, 0, user_half_end());
}
EXPORT_SYMBOL_GPL(asi_unmap_user);

/*
 * Drop what @asi shares of [@start, @end) below the @i-th entry of the root. The
 * mm's root can be compared with; what is below may be freed right now.
 */
static void drop_below(struct asi *asi, int i, unsigned long start,
		       unsigned long end)
{
	unsigned long base = i * asi_pt_size(asi_levels());
	u64 entry = asi->pt.root[i];

	start = max(start, base);
	end = min(end, base + asi_pt_size(asi_levels()));
	if (!asi_pte_present(entry) || start >= end)
		return;
	if ((entry & ASI_PTE_SHARED) &&
	    asi_pte_same_table(entry, READ_ONCE(user_root(asi)[i])))
		return;
	asi_pt_unshare(&asi->pt, start, end);
}

/* Out of line half of asi_tables_freed(); @end may be TLB_FLUSH_ALL. */
void __asi_tables_freed(struct mm_struct *mm, unsigned long start,
			unsigned long end)
{
	unsigned long flags;
	struct asi *asi;
	int i;

	/* Either @asi is found here, or who fills it finds the tables unhooked. */
	smp_mb();
	if (hlist_empty(&mm->context.asi_sharers))
		return;

	spin_lock_irqsave(&sharers_lock, flags);
	hlist_for_each_entry(asi, &mm->context.asi_sharers, sharer) {
		spin_lock(&asi->lock);
		for (i = 0; i < 256; i++)
			drop_below(asi, i, start, end);
		spin_unlock(&asi->lock);
	}
	spin_unlock_irqrestore(&sharers_lock, flags);
}

/**
 * asi_user_owns - whether a user address is mapped as it may be
 * @asi: instance
 * @va: address that its tables map
 *
 * Context: as asi_user_fill(), with @asi->lock held.
 * Return: whether @va is in a mapped range and the tables that lead to it are
 * those of the process.
 */
bool asi_user_owns(struct asi *asi, unsigned long va)
{
	u64 shared;
	int level;

	if (va >= user_half_end() || !asi_find_region(asi, va))
		return false;
	shared = asi_pt_shared_entry(&asi->pt, va, &level);
	return shared && asi_pte_same_table(shared,
					    asi_pt_entry(user_root(asi),
							 asi_levels(), va,
							 level));
}
