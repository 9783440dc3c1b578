// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: page frames that change hands are mapped by nobody.
 *
 * Implements the source's hooks in the page allocator.
 */
#include "internal.h"
#include "report.h"

/* All that is in the words of @nr pages from @pfn on. */
static u64 seen(unsigned long pfn, unsigned long nr)
{
	const atomic64_t *word = &ptcheck_words[pfn];
	const atomic64_t *end = word + nr;
	u64 all = 0;

	#pragma GCC unroll 8
	for (; word < end; word++)
		all |= atomic64_read(word);
	return all;
}

/* The counts are of nobody any more: the next owner starts from zero. */
static u64 forget(unsigned long pfn)
{
	u64 old = atomic64_read(&ptcheck_words[pfn]);

	if (old)
		atomic64_sub(old, &ptcheck_words[pfn]);
	return old;
}

static void accuse(unsigned long pfn, u64 old, enum ptcheck_rule rule,
		   unsigned long ip)
{
	const struct ptcheck_place nowhere = { .ip = ip };

	ptcheck_accuse(&nowhere, pfn, old, PTCHECK_NR_OPS, ptcheck_counts(old).anon,
		       rule);
}

/* Some of the pages are mapped: the first one is reported. */
static void still_mapped(unsigned long pfn, unsigned long nr,
			 enum ptcheck_rule rule, unsigned long ip)
{
	bool accused = false;
	u64 old;

	for (; nr; nr--, pfn++) {
		old = forget(pfn);
		if (old && !accused)
			accuse(pfn, old, rule, ip);
		accused |= old != 0;
	}
}

/* More than one page, or not as it should be. */
static noinline void check_all(struct page *page, unsigned long what,
			       unsigned long ip)
{
	unsigned long nr = 1UL << (what & ~PTCHECK_ALLOCATED);
	unsigned long pfn = page_to_pfn(page);

	if (unlikely(PageSlab(page)))
		accuse(pfn, 0, PTCHECK_KERNEL_PAGE, ip);
	nr = min(nr, ptcheck_nr_words - pfn);
	if (unlikely(seen(pfn, nr)))
		still_mapped(pfn, nr, what & PTCHECK_ALLOCATED ?
			     PTCHECK_ALLOCATED_MAPPED : PTCHECK_FREED_MAPPED, ip);
}

/* Slow half of __ptcheck_zero(). */
void __ptcheck_callee ptcheck_zero_slowly(struct page *page, unsigned long what,
					  unsigned long ip)
{
	check_all(page, what, ip);
}
