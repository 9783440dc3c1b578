// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: the general way, for entries of any size.
 *
 * One that maps many pages is counted in the word of each. What comes in the place of
 * something else is taken apart here.
 */
#include <linux/memory_hotplug.h>

#include "internal.h"
#include "report.h"

/**
 * ptcheck_settle - judge an operation on a page that has been counted
 * @pfn: page frame
 * @old: its word before
 * @op: the operation
 * @anon: kind of the page now
 *
 * Puts right what would make the next counts wrong. A removal that leaves two others
 * in conflict breaks no rule: they have been reported when they met.
 *
 * Return: the rule that has been broken, or PTCHECK_ALLOWED.
 */
enum ptcheck_rule ptcheck_settle(unsigned long pfn, u64 old, enum ptcheck_op op,
				 bool anon)
{
	enum ptcheck_rule rule;

	if (old == PTCHECK_NO_WORD)
		return PTCHECK_ALLOWED;
	rule = ptcheck_judge(old, op, anon);
	if (rule != PTCHECK_ALLOWED)
		ptcheck_add(pfn, ptcheck_repair(old, op, anon, rule));
	return rule;
}

/** ptcheck_accuse - report what ptcheck_settle() has said */
void ptcheck_accuse(const struct ptcheck_place *at, unsigned long pfn, u64 old,
		    enum ptcheck_op op, bool anon, enum ptcheck_rule rule)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = rule, .at = *at, .pfn = pfn, .old = old, .op = op,
		.anon = anon,
	});
}

/* Report a page that no user may have. */
static void accuse_kernel_page(const struct ptcheck_place *at, unsigned long pfn)
{
	ptcheck_accuse(at, pfn, 0, PTCHECK_NR_OPS, false, PTCHECK_KERNEL_PAGE);
}

/** ptcheck_uffd_wp_write - report an entry that userfaultfd protects, and is writable */
void ptcheck_uffd_wp_write(const struct ptcheck_place *at)
{
	ptcheck_accuse(at, 0, 0, PTCHECK_NR_OPS, false, PTCHECK_UFFD_WP_WRITE);
}

/* The entry was never counted, for none of its pages. */
static bool never_came(enum ptcheck_rule rule)
{
	return rule == PTCHECK_UNMAP_NOT_MAPPED || rule == PTCHECK_UNMAP_WRONG_TYPE;
}

/* The first of @nr pages that breaks a rule, or @nr; what has been counted stays. */
static unsigned long count(unsigned long pfn, unsigned long nr, enum ptcheck_op op,
			   bool anon, u64 *old, enum ptcheck_rule *rule)
{
	const u64 delta = ptcheck_delta(op, anon);
	atomic64_t *words = &ptcheck_words[pfn];
	u64 found, sound = PTCHECK_NO_WORD;
	unsigned long i;

	#pragma GCC unroll 4
	for (i = 0; i < nr; i++) {
		found = ptcheck_add_to(&words[i], delta);
		/* As a rule they are all mapped alike. */
		if (likely(found == sound))
			continue;
		*rule = ptcheck_settle(pfn + i, found, op, anon);
		*old = found;
		if (*rule != PTCHECK_ALLOWED)
			break;
		sound = found;
	}
	return i;
}

/* Of an entry whose pages break rules the first is reported. */
static void count_all(const struct ptcheck_place *at, unsigned long pfn,
		      unsigned long nr, enum ptcheck_op op, bool anon)
{
	struct ptcheck_place here = *at;
	enum ptcheck_rule rule, unused;
	unsigned long i;
	u64 old;

	i = count(pfn, nr, op, anon, &old, &rule);
	if (likely(i == nr))
		return;
	here.addr += i << PAGE_SHIFT;
	ptcheck_accuse(&here, pfn + i, old, op, anon, rule);
	if (never_came(rule)) {
		/* Others that map the pages before must not make up for it. */
		while (i--)
			ptcheck_add(pfn + i, -ptcheck_delta(op, anon));
		return;
	}
	while (++i < nr)
		i += count(pfn + i, nr - i, op, anon, &old, &unused);
}

/**
 * ptcheck_apply - one operation on one entry
 * @at: which
 * @pfn: first page frame that it maps
 * @nr: how many
 * @op: the operation
 *
 * Context: lock of the page table held.
 */
void ptcheck_apply(const struct ptcheck_place *at, unsigned long pfn,
		   unsigned long nr, enum ptcheck_op op)
{
	struct page *page;
	bool anon;

	/* A broken entry may name anything, also what has not been made pages yet. */
	if (pfn >= ptcheck_nr_words)
		return;
	page = pfn_to_online_page(pfn);
	if (!page)
		return;
	nr = min(nr, ptcheck_nr_words - pfn);
	if (ptcheck_is_mapping(op) && ptcheck_is_kernel_page(page))
		accuse_kernel_page(at, pfn);
	anon = PageAnon(page);
	if (op < PTCHECK_UPGRADE || anon)
		count_all(at, pfn, nr, op, anon);
}

static void map(const struct ptcheck_place *at, struct ptcheck_leaf leaf,
		unsigned long nr)
{
	ptcheck_apply(at, leaf.pfn, nr, leaf.write ? PTCHECK_MAP_WRITE : PTCHECK_MAP_READ);
}

static void unmap(const struct ptcheck_place *at, struct ptcheck_leaf leaf,
		  unsigned long nr)
{
	ptcheck_apply(at, leaf.pfn, nr,
		      leaf.write ? PTCHECK_UNMAP_WRITE : PTCHECK_UNMAP_READ);
}

/**
 * ptcheck_replace - one entry takes the place of another
 * @at: where
 * @old: what was there
 * @new: what will be
 * @nr: pages that either maps
 *
 * The source accounts a removal and an addition. For the same page that would be
 * a moment in which it is not mapped, and a change of permission is an operation
 * of its own.
 */
void ptcheck_replace(const struct ptcheck_place *at, struct ptcheck_leaf old,
		     struct ptcheck_leaf new, unsigned long nr)
{
	if (!old.counted || !new.counted || old.pfn != new.pfn) {
		if (old.counted)
			unmap(at, old, nr);
		if (new.counted)
			map(at, new, nr);
		return;
	}
	if (!old.write && new.write)
		ptcheck_apply(at, new.pfn, nr, PTCHECK_UPGRADE);
	if (old.write && !new.write)
		ptcheck_apply(at, new.pfn, nr, PTCHECK_DOWNGRADE);
}
