// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: page frames that change hands are mapped by nobody.
 *
 * Implements the source's hooks in the page allocator, and the way from a word
 * that is not as it should be to the rule that has been broken.
 */
#include <linux/string.h>

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
 * Context: RCU read side, lock of the page table held.
 */
void ptcheck_suspect(struct mm_struct *mm, unsigned long addr,
		     unsigned long pfn, u64 old, enum ptcheck_op op, bool anon,
		     unsigned long ip)
{
	enum ptcheck_rule rule = ptcheck_judge(old, op, anon);

	if (rule == PTCHECK_ALLOWED)
		return;
	atomic64_add(ptcheck_repair(old, op, anon, rule), ptcheck_word(pfn));
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = rule, .mm = mm, .addr = addr, .pfn = pfn, .old = old,
		.op = op, .anon = anon, .ip = ip,
	});
}

/* The counts are of nobody any more: the next owner starts from zero. */
static noinline __cold void still_mapped(unsigned long pfn, atomic64_t *word,
					 unsigned long ip)
{
	struct page *page = pfn_to_page(pfn);
	u64 old = atomic64_xchg(word, 0);

	if (!old)
		return;
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = page_count(compound_head(page)) ?
			PTCHECK_ALLOCATED_MAPPED : PTCHECK_FREED_MAPPED,
		.pfn = pfn, .old = old, .op = PTCHECK_NR_OPS,
		.anon = ptcheck_counts(old).anon, .ip = ip,
	});
}

static noinline __cold void typed(struct page *page, unsigned long ip)
{
	ptcheck_violate(&(struct ptcheck_violation) {
		.rule = PTCHECK_KERNEL_PAGE, .pfn = page_to_pfn(page),
		.op = PTCHECK_NR_OPS, .ip = ip,
	});
}

static bool all_zero(const atomic64_t *word, unsigned long nr)
{
	return page_ext_size == sizeof(*word) &&
	       !memchr_inv(word, 0, nr * sizeof(*word));
}

static noinline void check_span(unsigned long pfn, unsigned long nr,
				unsigned long ip)
{
	atomic64_t *word;
	unsigned long n;

	for (; nr; nr -= n, pfn += n) {
		unsigned long i;

		n = ptcheck_span(pfn, nr);
		word = ptcheck_word(pfn);
		if (!word || all_zero(word, n))
			continue;
		for (i = 0; i < n; i++, word = ptcheck_next(word))
			if (unlikely(atomic64_read(word)))
				still_mapped(pfn + i, word, ip);
	}
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
	atomic64_t *word;

	guard(rcu)();
	if (unlikely(PageSlab(page)))
		typed(page, _RET_IP_);
	if (order) {
		check_span(pfn, 1UL << order, _RET_IP_);
		return;
	}
	word = ptcheck_word(pfn);
	if (likely(word) && unlikely(atomic64_read(word)))
		still_mapped(pfn, word, _RET_IP_);
}
