// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: page frames that change hands are mapped by nobody.
 *
 * Implements the source's hooks in the page allocator, and the way from a word
 * that is not as it should be to the rule that has been broken.
 */
#include "internal.h"
#include "report.h"

struct ptcheck_block *ptcheck_blocks;
unsigned long ptcheck_nr_blocks;

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
 * Context: RCU read side, lock of the page table held.
 */
void ptcheck_suspect(struct mm_struct *mm, unsigned long addr,
		     unsigned long pfn, u64 old, enum ptcheck_op op, bool anon,
		     unsigned long ip)
{
	struct ptcheck_block *block = ptcheck_block(pfn);
	u64 large = atomic64_read(&block->large);
	enum ptcheck_rule rule;

	/* What is removed, or changed, must have been counted here. */
	rule = ptcheck_judge(ptcheck_is_removal(op) ? old : old + large, op, anon);
	if (rule == PTCHECK_ALLOWED)
		return;
	ptcheck_add(block, ptcheck_word(pfn), ptcheck_repair(old, op, anon, rule));
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = rule, .mm = mm, .addr = addr, .pfn = pfn,
		.old = old + large, .op = op, .anon = anon, .ip = ip,
	});
}

/* The first page of a block whose own entries do not go with a large one. */
static unsigned long first_conflict(unsigned long pfn, u64 large,
				    enum ptcheck_op op, bool anon,
				    enum ptcheck_rule *rule)
{
	unsigned long end = pfn + PTCHECK_BLOCK_PAGES;
	atomic64_t *word = ptcheck_word(pfn);

	for (; word && pfn < end; pfn++, word = ptcheck_next(word)) {
		*rule = ptcheck_judge(large + atomic64_read(word), op, anon);
		if (*rule != PTCHECK_ALLOWED)
			break;
	}
	return pfn;
}

/**
 * ptcheck_suspect_large - the same for an entry that maps a block
 *
 * A block only knows that some of its pages are mapped in a way that may not go
 * with the entry; or they are just being unmapped.
 */
void ptcheck_suspect_large(struct mm_struct *mm, unsigned long addr,
			   unsigned long pfn, u64 old, enum ptcheck_op op,
			   bool anon, unsigned long ip)
{
	enum ptcheck_rule rule = ptcheck_judge(old, op, anon);
	struct ptcheck_block *block = ptcheck_block(pfn);
	u64 seen = old;

	if (rule == PTCHECK_ALLOWED && !ptcheck_is_removal(op)) {
		unsigned long at = first_conflict(pfn, old, op, anon, &rule);

		addr += (at - pfn) << PAGE_SHIFT;
		pfn = at;
		if (rule != PTCHECK_ALLOWED)
			seen += atomic64_read(ptcheck_word(pfn));
	}
	if (rule == PTCHECK_ALLOWED)
		return;
	atomic64_add(ptcheck_repair(old, op, anon, rule), &block->large);
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = rule, .mm = mm, .addr = addr, .pfn = pfn, .old = seen,
		.op = op, .anon = anon, .ip = ip,
	});
}

static noinline __cold void report_mapped(unsigned long pfn, u64 old,
					  unsigned long ip)
{
	struct page *page = pfn_to_page(pfn);

	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = page_count(compound_head(page)) ?
			PTCHECK_ALLOCATED_MAPPED : PTCHECK_FREED_MAPPED,
		.pfn = pfn, .old = old, .op = PTCHECK_NR_OPS,
		.anon = ptcheck_counts(old).anon, .ip = ip,
	});
}

/* The counts are of nobody any more: the next owner starts from zero. */
static noinline __cold void still_mapped(unsigned long pfn, atomic64_t *word,
					 unsigned long ip)
{
	u64 old = atomic64_read(word);

	if (!old)
		return;
	ptcheck_add(ptcheck_block(pfn), word, -old);
	report_mapped(pfn, old, ip);
}

/* A part of the block only: the rest may still be somebody's. */
static noinline __cold void still_mapped_large(unsigned long pfn,
					       unsigned long nr, unsigned long ip)
{
	struct ptcheck_block *block = ptcheck_block(pfn);
	u64 old = atomic64_read(&block->large);

	if (nr == PTCHECK_BLOCK_PAGES)
		atomic64_sub(old, &block->large);
	report_mapped(pfn, old, ip);
}

static noinline __cold void typed(struct page *page, unsigned long ip)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = PTCHECK_KERNEL_PAGE, .pfn = page_to_pfn(page),
		.op = PTCHECK_NR_OPS, .ip = ip,
	});
}

static void check_words(unsigned long pfn, unsigned long nr, unsigned long ip)
{
	atomic64_t *word = ptcheck_word(pfn);

	for (; word && nr; nr--, pfn++, word = ptcheck_next(word))
		if (unlikely(atomic64_read(word)))
			still_mapped(pfn, word, ip);
}

/* Pages of one block. If none of its pages is mapped, none of these is. */
static __always_inline void check_block(unsigned long pfn, unsigned long nr,
					unsigned long ip)
{
	struct ptcheck_block *block = ptcheck_block(pfn);

	if (unlikely(!block))
		return;
	if (unlikely(atomic64_read(&block->large)))
		still_mapped_large(pfn, nr, ip);
	if (atomic64_read(&block->pages))
		check_words(pfn, nr, ip);
}

/**
 * __page_table_check_zero - pages that are allocated or freed are mapped nowhere
 * @page: first page
 * @order: 2^@order of them
 *
 * Context: any.
 */
void __page_table_check_zero(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);
	unsigned long nr = 1UL << order;
	unsigned long n;

	guard(rcu)();
	if (unlikely(PageSlab(page)))
		typed(page, _RET_IP_);
	for (; nr; nr -= n, pfn += n) {
		n = ptcheck_span(pfn, nr);
		check_block(pfn, n, _RET_IP_);
	}
}
