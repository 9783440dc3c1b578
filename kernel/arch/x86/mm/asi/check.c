// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check of restricted tables.
 *
 * A leaf is held against three things that whoever made it does not decide: the
 * full tables, walked again; the compartment map; and the list of regions. So a
 * bug in the code that maps things, or in the map, is a violation with a name, and
 * not a leak.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <asm/sections.h>

#include "../../../../mm/ptcheck/report.h"
#include "asi.h"
#include "check.h"
#include "compartment.h"

/* One leaf, where it maps to, and whose it is. */
struct claim {
	struct asi *asi;		/* NULL: the tables of the image, for all */
	unsigned long va;
	unsigned long size;
	u64 entry;
	u64 phys;
};

struct section {
	const char *start;
	const char *end;
};

static const struct section constants[] = {
	{ _stext, _etext },
	{ __start_rodata, __end_rodata },
};

static void violate(enum ptcheck_rule rule, unsigned long va, u64 phys, u64 entry)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = rule, .at = { .addr = va, .ip = _RET_IP_ },
		.pfn = PHYS_PFN(phys), .entry = entry, .op = PTCHECK_NR_OPS,
	});
}

/* What @leaf has at @va, which it maps. */
static u64 frame_at(const struct asi_pt_leaf *leaf, unsigned long va)
{
	return asi_pte_phys(leaf->entry, leaf->level) +
	       (va & (asi_pt_size(leaf->level) - 1));
}

/*
 * Whether the full tables have changed since @seen, and not just what the
 * processor writes to them. Attributes change, and presence, and the size of
 * leaves; never the frame: that is a walk of something else.
 */
static bool is_overtaken(unsigned long va, const struct asi_pt_leaf *seen,
			 const struct asi_pt_leaf *now)
{
	if (!seen->entry || !now->entry)
		return seen->entry != now->entry;
	if (frame_at(seen, va) != frame_at(now, va))
		return false;
	return seen->level != now->level || seen->write != now->write ||
	       seen->exec != now->exec ||
	       (seen->entry ^ now->entry) & ~(ASI_PTE_ACCESSED | ASI_PTE_DIRTY);
}

/* As the full tables have it: the same bytes, and nothing more allowed. */
static enum ptcheck_rule beside_full(const struct claim *c, int level,
				     const struct asi_pt_leaf *full)
{
	if (!full->entry || level > full->level)
		return PTCHECK_ASI_FRAME;
	if (frame_at(full, c->va) != c->phys)
		return PTCHECK_ASI_FRAME;
	if ((c->entry & ASI_PTE_WRITE) && !full->write)
		return PTCHECK_ASI_PERMISSION;
	if (!(c->entry & ASI_PTE_NX) && !full->exec)
		return PTCHECK_ASI_PERMISSION;
	if (c->entry & (ASI_PTE_USER | ASI_PTE_GLOBAL))
		return PTCHECK_ASI_PERMISSION;
	return PTCHECK_ALLOWED;
}

static bool is_constant(u64 phys, unsigned long size)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(constants); i++)
		if (phys < __pa_symbol(constants[i].end) &&
		    phys + size > __pa_symbol(constants[i].start))
			return true;
	return false;
}

/*
 * Memory of a class goes to those who may see it. What has none needs a reason
 * of its own, which asi_map() has written down before.
 */
static bool is_seen(const struct claim *c)
{
	const struct compartment *comp;
	unsigned long pfn = PHYS_PFN(c->phys);
	unsigned long end = pfn + (c->size >> PAGE_SHIFT);
	bool explained = !c->asi || asi_find_region(c->asi, c->va);

	guard(rcu)();
	for (; pfn < end; pfn = ALIGN(pfn + 1, COMPARTMENT_PAGES)) {
		comp = compartment_of(pfn);
		if (!comp && !explained)
			return false;
		if (comp && comp->pool->owner &&
		    (!c->asi || comp->pool->owner != c->asi->owner))
			return false;
	}
	return true;
}

/*
 * Who maps a compartment finds it in the map before it gets here. If that is gone
 * by now, the release that took it out waits for the lock of this instance before
 * it looks for what is left.
 */
static bool is_leaving(const struct claim *c)
{
	return !compartment_of(PHYS_PFN(c->phys)) && asi_pool_releasing();
}

/*
 * Out of line half of asi_check_leaf().
 *
 * Who changes the full tables does not hold the lock of this instance, but waits
 * for it before it goes on, see map.c. So the walk here may see a change that the
 * one which made the leaf did not: the leaf is late, and not wrong. It is not put
 * in, and made again of what is there now, until both walks agree; that ends,
 * since each who changes something does it once and waits. Then whatever differs
 * is the fault of who made the leaf.
 */
int __asi_check_leaf(const struct asi_pt *pt, unsigned long va, int level,
		     u64 entry, struct asi_pt_leaf *seen)
{
	const struct asi_pt_leaf full = asi_pt_lookup(asi_full_root(),
						      asi_levels(), va);
	u64 offset = va & (asi_pt_size(level) - 1);
	const struct claim c = {
		.asi = asi_image_tree(pt) ? NULL :
		       container_of((struct asi_pt *)pt, struct asi, pt),
		.va = va, .size = asi_pt_size(level), .entry = entry,
		.phys = asi_pte_phys(entry, level) + offset,
	};
	enum ptcheck_rule rule = PTCHECK_ALLOWED;

	if (is_overtaken(va, seen, &full)) {
		*seen = full;
		return -ESTALE;
	}
	if ((entry & ASI_PTE_WRITE) && is_constant(c.phys, c.size))
		rule = PTCHECK_TEXT_WRITE;
	if (rule == PTCHECK_ALLOWED)
		rule = beside_full(&c, level, &full);
	if (rule == PTCHECK_ALLOWED && !is_seen(&c)) {
		if (is_leaving(&c))
			return -EPERM;
		rule = PTCHECK_ASI_CLASS;
	}
	if (rule == PTCHECK_ALLOWED)
		return 0;
	violate(rule, va, c.phys, entry);
	return -EPERM;
}
EXPORT_SYMBOL_NS_GPL(__asi_check_leaf, ASI_TEST);

static void check_absent(const struct asi *asi, const struct compartment *c)
{
	unsigned long va = (unsigned long)__va(PFN_PHYS(c->pfn));
	unsigned long end = va + COMPARTMENT_SIZE;
	struct asi_pt_leaf leaf;

	for (; va < end; va = ALIGN(va + 1, asi_pt_size(leaf.level))) {
		leaf = asi_pt_lookup(asi->pt.root, asi_levels(), va);
		if (!leaf.entry)
			continue;
		violate(PTCHECK_ASI_STALE, va, PFN_PHYS(c->pfn), leaf.entry);
		return;
	}
}

/* Out of line half of asi_check_gone(). */
void __asi_check_gone(const struct compartment *c)
{
	struct asi *asi;

	lockdep_assert_held(&asi_instances_lock);
	list_for_each_entry(asi, &asi_instances, instances)
		check_absent(asi, c);
}
EXPORT_SYMBOL_NS_GPL(__asi_check_gone, ASI_TEST);

/* Out of line half of asi_check_fresh(). */
void __asi_check_fresh(const struct compartment *c)
{
	unsigned long flags;
	struct asi *asi;

	spin_lock_irqsave(&asi_instances_spin, flags);
	list_for_each_entry(asi, &asi_instances, instances)
		check_absent(asi, c);
	spin_unlock_irqrestore(&asi_instances_spin, flags);
}
EXPORT_SYMBOL_NS_GPL(__asi_check_fresh, ASI_TEST);

/*
 * Whether text and constants may be written through @root: through none while the
 * machine runs. Until then the kernel patches itself by the full tables, and with
 * "rodata=off" whoever booted it wants them to stay as they were.
 */
static bool is_open(const u64 *root)
{
	return system_state < SYSTEM_RUNNING ||
	       (!rodata_enabled && root == asi_full_root());
}

/*
 * Out of line half of asi_check_attr(). Not by address: pages of the kernel have
 * at least two, and anybody can make more.
 */
void __asi_check_attr(const u64 *root, unsigned long start, unsigned long end)
{
	unsigned long va, next, phys;
	struct asi_pt_leaf leaf;

	if (is_open(root))
		return;
	for (va = start; va < end; va = next) {
		leaf = asi_pt_lookup(root, asi_levels(), va);
		/* The last entry of a table may end where addresses do. */
		next = min(end - 1, va | (asi_pt_size(leaf.level) - 1)) + 1;
		if (!leaf.entry || !leaf.write)
			continue;
		phys = frame_at(&leaf, va);
		if (is_constant(phys, next - va))
			violate(PTCHECK_TEXT_WRITE, va, phys, leaf.entry);
	}
}

static void check_range(const u64 *root, unsigned long start, unsigned long end)
{
	struct asi_pt_leaf leaf;
	unsigned long va;

	for (va = start & PAGE_MASK; va < end;
	     va = ALIGN(va + 1, asi_pt_size(leaf.level))) {
		leaf = asi_pt_lookup(root, asi_levels(), va);
		if (!leaf.entry || !leaf.write)
			continue;
		violate(PTCHECK_TEXT_WRITE, va, frame_at(&leaf, va), leaf.entry);
		return;
	}
}

/* Where they run, and in the direct map. */
static void check_constants(const u64 *root, const struct section *s)
{
	unsigned long start = (unsigned long)s->start;
	unsigned long size = s->end - s->start;
	unsigned long alias = (unsigned long)__va(__pa_symbol(start));

	if (is_open(root))
		return;
	check_range(root, start, start + size);
	check_range(root, alias, alias + size);
}

/* Out of line half of asi_check_image(). */
void __asi_check_image(const struct asi_pt *pt)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(constants); i++) {
		check_constants(pt->root, &constants[i]);
		check_constants(asi_full_root(), &constants[i]);
	}
}
