// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: entries of user page tables as they come, change and go.
 *
 * Implements the source's set and clear hooks, and closes what it leaves open: a
 * change of permission in place is one of the operations, and all pages of a
 * mapping are counted. The caller holds the lock of the page table; words of pages
 * are shared with other tables and change by atomic operations only.
 *
 * Here is what quick.c leaves: entries with something special about them, those that
 * come where another is, and whatever may break a rule.
 */
#include <linux/export.h>
#include <linux/mm.h>

#include "internal.h"
#include "report.h"

/* What the quick ways do not tell, as it is the same of a file's page. */
static enum ptcheck_op exactly(enum ptcheck_op op, pteval_t pte)
{
	if (op == PTCHECK_MAP_READ && pte & _PAGE_RW)
		return PTCHECK_MAP_WRITE;
	if (op == PTCHECK_UNMAP_READ && pte & _PAGE_RW)
		return PTCHECK_UNMAP_WRITE;
	return op;
}

static noinline void judge(const pte_t *ptep, pteval_t pte, u64 old,
			   unsigned long deed)
{
	const struct ptcheck_place at = { .ptep = ptep, .ip = (long)deed >> 4 };
	unsigned long pfn = pte_pfn(__pte(pte));
	enum ptcheck_op op = deed >> 1 & 7;
	bool anon = deed & 1;
	enum ptcheck_rule rule = ptcheck_settle(pfn, old, op, anon);

	if (rule != PTCHECK_ALLOWED)
		ptcheck_accuse(&at, pfn, old, exactly(op, pte), anon, rule);
}

/* Other entries map the page, or it has no word. */
void __ptcheck_callee ptcheck_judge_slowly(const pte_t *ptep, pteval_t pte, u64 old,
					   unsigned long deed)
{
	judge(ptep, pte, old, deed);
}

static __always_inline bool pte_uffd_sound(pte_t pte)
{
	if (likely(pte_present(pte)))
		return !pte_uffd_wp(pte) || !pte_write(pte);
	return pte_none(pte) || !pte_swp_uffd_wp(pte) ||
	       !ptcheck_returns_writable(pte_to_swp_entry(pte));
}

static noinline void replace(const pte_t *ptep, pteval_t pte, unsigned long ip)
{
	const struct ptcheck_place at = { .ptep = ptep, .ip = ip };

	/* Who says on, and then off, gets here. */
	if (unlikely(ptcheck_off()))
		return;
	if (unlikely(!pte_uffd_sound(__pte(pte))))
		ptcheck_uffd_wp_write(&at);
	ptcheck_replace(&at, ptcheck_pte_leaf(ptep_get((pte_t *)ptep)),
			ptcheck_pte_leaf(__pte(pte)), 1);
}

/* What is not plain, or comes where something is. */
void __ptcheck_callee ptcheck_set_slowly(const pte_t *ptep, pteval_t pte,
					 unsigned long ip)
{
	replace(ptep, pte, ip);
}

static noinline void map(const pte_t *ptep, pteval_t pte, unsigned long ip)
{
	const struct ptcheck_place at = { .ptep = ptep, .ip = ip };

	ptcheck_replace(&at, (struct ptcheck_leaf) { },
			ptcheck_pte_leaf(__pte(pte)), 1);
}

/* What is plain, but may not be writable, or ought not to be there. */
void __ptcheck_callee ptcheck_map_slowly(const pte_t *ptep, pteval_t pte,
					 unsigned long ip)
{
	map(ptep, pte, ip);
}

static void clear_at(const struct ptcheck_place *at, pte_t pte)
{
	ptcheck_replace(at, ptcheck_pte_leaf(pte), (struct ptcheck_leaf) { }, 1);
}

static noinline void clear(const pte_t *ptep, pteval_t pte, unsigned long ip)
{
	clear_at(&(struct ptcheck_place) { .ptep = ptep, .ip = ip }, __pte(pte));
}

/* What is not plain has been taken out. */
void __ptcheck_callee ptcheck_clear_slowly(const pte_t *ptep, pteval_t pte,
					   unsigned long ip)
{
	clear(ptep, pte, ip);
}

/*
 * An entry has gone that was not counted, and has been taken from the count. Who maps the
 * page as anonymous just now has reason to complain as well.
 */
static noinline void underflow(const pte_t *ptep, pteval_t pte, unsigned long ip)
{
	const struct ptcheck_place at = { .ptep = ptep, .ip = ip };
	const enum ptcheck_op op = PTCHECK_UNMAP_READ;
	unsigned long pfn = pte_pfn(__pte(pte));
	u64 word;

	atomic_inc((atomic_t *)&ptcheck_words[pfn]);
	word = atomic64_read(&ptcheck_words[pfn]);
	/* What others have made of the half since does not matter: it had none left. */
	ptcheck_accuse(&at, pfn, word, exactly(op, pte), false,
		       ptcheck_judge(word & ~(u64)U32_MAX, op, false));
}

/* The half of a word that counts entries for a file's page has none left. */
void __ptcheck_callee ptcheck_underflow_slowly(const pte_t *ptep, pteval_t pte,
					       unsigned long ip)
{
	underflow(ptep, pte, ip);
}

static noinline void protect(const pte_t *ptep, pteval_t old, unsigned long ip)
{
	const struct ptcheck_place at = { .ptep = ptep, .ip = ip };
	struct ptcheck_leaf leaf = ptcheck_pte_leaf(__pte(old));

	if (leaf.counted && leaf.write)
		ptcheck_apply(&at, leaf.pfn, 1, PTCHECK_DOWNGRADE);
}

/* An entry that is not plain has been made read-only. */
void __ptcheck_callee ptcheck_protect_slowly(const pte_t *ptep, pteval_t old,
					     unsigned long ip)
{
	protect(ptep, old, ip);
}

/* @nr entries from @ptep on go, for what @at says of the first. */
static void clear_many(struct ptcheck_place *at, pte_t *ptep, unsigned long nr)
{
	for (; nr; nr--, ptep++) {
		pte_t pte = ptep_get(ptep);

		if (unlikely(!pte_none(pte)))
			clear_at(at, pte);
		at->addr += PAGE_SIZE;
	}
}

/* Out of line half of ptcheck_ptes_move(): nothing ought to be there. */
void __ptcheck_ptes_move(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
			 unsigned long nr)
{
	struct ptcheck_place at = { .mm = mm, .addr = addr, .ip = _RET_IP_ };

	clear_many(&at, ptep, nr);
}
EXPORT_SYMBOL_GPL(__ptcheck_ptes_move);

/**
 * __page_table_check_pte_clear_range - a whole table of entries has been taken out
 * @mm: whose it was
 * @addr: any address below @pmd
 * @pmd: what led to it
 *
 * Context: khugepaged, with the table unhooked and its lock held.
 */
void __page_table_check_pte_clear_range(struct mm_struct *mm, unsigned long addr,
					pmd_t pmd)
{
	struct ptcheck_place at = {
		.mm = mm, .addr = addr & PMD_MASK, .ip = _RET_IP_,
	};
	pte_t *table;

	if (pmd_none(pmd) || pmd_bad(pmd) || pmd_leaf(pmd))
		return;
	table = pte_offset_map(&pmd, at.addr);
	if (WARN_ON_ONCE(!table))
		return;
	clear_many(&at, table, PTRS_PER_PTE);
	pte_unmap(table);
}
