// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: page frames that change hands are mapped by nobody.
 *
 * Implements the source's hooks in the page allocator, and the way from a word
 * that is not as it should be to the rule that has been broken.
 */
#include "internal.h"
#include "report.h"

/**
 * ptcheck_suspect - an operation left a doubtful word: find out why
 * @mm: whose page table
 * @addr: of the page
 * @pfn: page frame
 * @old: its word before the operation
 * @op: the operation
 * @anon: kind of the page now
 * @ip: who did it
 *
 * A removal that leaves two others in conflict breaks no rule: they have been
 * reported when they met.
 *
 * Context: lock of the page table held.
 */
void ptcheck_suspect(struct mm_struct *mm, unsigned long addr,
		     unsigned long pfn, u64 old, enum ptcheck_op op, bool anon,
		     unsigned long ip)
{
	struct ptcheck_block *block = ptcheck_block(pfn);
	u64 large = atomic64_read(&block->large);
	enum ptcheck_rule rule;

	/* What is removed, or changed, must have been counted here. */
	rule = ptcheck_judge(old, op, anon);
	if (rule == PTCHECK_ALLOWED && !ptcheck_is_removal(op))
		rule = ptcheck_judge(old + large, op, anon);
	if (rule == PTCHECK_ALLOWED)
		return;
	atomic64_add(ptcheck_repair(old, op, anon, rule), ptcheck_word(block, pfn));
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = rule, .mm = mm, .addr = addr, .pfn = pfn,
		.old = old + large, .op = op, .anon = anon, .ip = ip,
	});
}

/* All that is in the words of @nr pages of @block from @pfn on. */
u64 ptcheck_seen(const struct ptcheck_block *block, unsigned long pfn,
		 unsigned long nr)
{
	const atomic64_t *word = ptcheck_word(block, pfn);
	const atomic64_t *end = word + nr;
	u64 seen = 0;

	#pragma GCC unroll 8
	for (; word < end; word++)
		seen |= atomic64_read(word);
	return seen;
}

/* The first page of a block whose own entries do not go with a large one. */
static unsigned long first_conflict(const struct ptcheck_block *block,
				    unsigned long pfn, u64 large,
				    enum ptcheck_op op, bool anon,
				    enum ptcheck_rule *rule)
{
	unsigned long end = pfn + PTCHECK_BLOCK_PAGES;

	for (; pfn < end; pfn++) {
		*rule = ptcheck_judge(large + atomic64_read(ptcheck_word(block, pfn)),
				      op, anon);
		if (*rule != PTCHECK_ALLOWED)
			break;
	}
	return pfn;
}

/**
 * ptcheck_suspect_large - the same for an entry that maps a block
 *
 * Some pages of the block have been seen mapped in a way that may not go with the
 * entry; or they are just being unmapped.
 */
void ptcheck_suspect_large(struct mm_struct *mm, unsigned long addr,
			   unsigned long pfn, u64 old, enum ptcheck_op op,
			   bool anon, unsigned long ip)
{
	enum ptcheck_rule rule = ptcheck_judge(old, op, anon);
	struct ptcheck_block *block = ptcheck_block(pfn);
	u64 seen = old;

	if (rule == PTCHECK_ALLOWED && !ptcheck_is_removal(op)) {
		unsigned long at = first_conflict(block, pfn, old, op, anon, &rule);

		addr += (at - pfn) << PAGE_SHIFT;
		pfn = at;
		if (rule != PTCHECK_ALLOWED)
			seen += atomic64_read(ptcheck_word(block, pfn));
	}
	if (rule == PTCHECK_ALLOWED)
		return;
	atomic64_add(ptcheck_repair(old, op, anon, rule), &block->large);
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = rule, .mm = mm, .addr = addr, .pfn = pfn, .old = seen,
		.op = op, .anon = anon, .ip = ip,
	});
}

/**
 * struct change - of the pages of a block, from one owner to another
 * @block: theirs
 * @pfn: first page
 * @nr: how many
 * @rule: that is broken if one of them is mapped
 * @ip: who does it
 */
struct change {
	struct ptcheck_block *block;
	unsigned long pfn;
	unsigned long nr;
	enum ptcheck_rule rule;
	unsigned long ip;
};

static void report_mapped(const struct change *c, unsigned long pfn, u64 old)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = c->rule, .pfn = pfn, .old = old, .op = PTCHECK_NR_OPS,
		.anon = ptcheck_counts(old).anon, .ip = c->ip,
	});
}

/* The counts are of nobody any more: the next owner starts from zero. */
static void still_mapped(const struct change *c, unsigned long pfn)
{
	atomic64_t *word = ptcheck_word(c->block, pfn);
	u64 old = atomic64_read(word);

	if (!old)
		return;
	atomic64_sub(old, word);
	report_mapped(c, pfn, old);
}

/* A part of the block only: the rest may still be somebody's. */
static void still_mapped_large(const struct change *c)
{
	u64 old = atomic64_read(&c->block->large);

	if (!old)
		return;
	if (c->nr == PTCHECK_BLOCK_PAGES)
		atomic64_sub(old, &c->block->large);
	report_mapped(c, c->pfn, old);
}

static void check_block(const struct change *c)
{
	unsigned long i;

	if (!c->block)
		return;
	still_mapped_large(c);
	if (!ptcheck_seen(c->block, c->pfn, c->nr))
		return;
	for (i = 0; i < c->nr; i++)
		still_mapped(c, c->pfn + i);
}

static void typed(unsigned long pfn, unsigned long ip)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = PTCHECK_KERNEL_PAGE, .pfn = pfn, .op = PTCHECK_NR_OPS,
		.ip = ip,
	});
}

/* More than one page, or not as it should be. */
static noinline void check_all(struct page *page, unsigned long what,
			       unsigned long ip)
{
	bool allocated = what & PTCHECK_ALLOCATED;
	struct change c = {
		.pfn = page_to_pfn(page), .ip = ip,
		.rule = allocated ? PTCHECK_ALLOCATED_MAPPED : PTCHECK_FREED_MAPPED,
	};
	unsigned long nr = 1UL << (what & ~PTCHECK_ALLOCATED);

	if (unlikely(PageSlab(page)))
		typed(c.pfn, ip);
	for (; nr; nr -= c.nr, c.pfn += c.nr) {
		c.nr = ptcheck_span(c.pfn, nr);
		c.block = ptcheck_block(c.pfn);
		check_block(&c);
	}
}

/* Slow half of __ptcheck_zero(). */
void __ptcheck_callee ptcheck_zero_slowly(struct page *page, unsigned long what,
					  unsigned long ip)
{
	check_all(page, what, ip);
}
