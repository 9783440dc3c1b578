/* SPDX-License-Identifier: GPL-2.0-only */
/* Page table check: what its own files share. */
#ifndef _MM_PTCHECK_INTERNAL_H
#define _MM_PTCHECK_INTERNAL_H

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/ptcheck.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "word.h"

/* The asm calls in asm/ptcheck.h rely on it; without it, it is empty. */
#if !__has_attribute(__no_caller_saved_registers__)
#error "page table check: this compiler cannot keep all registers of a caller"
#endif

struct ptcheck_place;

/* One entry of a page table, of whatever level. */
struct ptcheck_leaf {
	unsigned long pfn;
	bool counted;		/* users can reach the page, and it has a word */
	bool write;
};

/* By page frame; where there is no memory nothing is mapped. */
extern atomic64_t *ptcheck_words;
extern unsigned long ptcheck_nr_words;

int ptcheck_make_words(void);

/* Instead of a word: the page frame, which is below the number of words, has none. */
#define PTCHECK_NO_WORD		((u64)-EFAULT)

/* Add to a word. Return: what it was before. Full barrier. */
static __always_inline u64 ptcheck_add_to(atomic64_t *word, u64 delta)
{
	asm volatile("1: lock xaddq %[delta], %[word]\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_EFAULT_REG, %[delta])
		     : [delta] "+r" (delta), [word] "+m" (word->counter)
		     : : "memory", "cc");
	return delta;
}

/* The same to that of a page frame. */
static __always_inline u64 ptcheck_add(unsigned long pfn, u64 delta)
{
	return ptcheck_add_to(&ptcheck_words[pfn], delta);
}

/*
 * Special entries map the zero page, which everybody shares, or what has no
 * struct page. Pages of devices never pass the page allocator: there is no word
 * for them, and no time at which it would have to be zero.
 */
static __always_inline struct ptcheck_leaf ptcheck_pte_leaf(pte_t pte)
{
	return (struct ptcheck_leaf) {
		.pfn = pte_pfn(pte),
		.counted = pte_user_accessible_page(pte) && !pte_special(pte) &&
			   !pte_devmap(pte),
		.write = pte_write(pte),
	};
}

static __always_inline bool ptcheck_is_mapping(enum ptcheck_op op)
{
	return op == PTCHECK_MAP_READ || op == PTCHECK_MAP_WRITE;
}

/*
 * A page whose mapcount is a type belongs to the kernel, unless to HugeTLB. The type
 * is that of this struct page, not of its folio: where HugeTLB has given vmemmap back
 * each 64th is left with the type of a head, whoever has the page.
 */
static __always_inline bool ptcheck_is_kernel_page(struct page *page)
{
	if (likely(!page_has_type(page)))
		return false;
	/* A type stays as long as the page is whoever's has given it. */
	return data_race(page->page_type) >> 24 != PGTY_hugetlb;
}

/* Whether an entry that is not present will come back writable. */
static inline bool ptcheck_returns_writable(swp_entry_t entry)
{
	return is_writable_device_exclusive_entry(entry) ||
	       is_writable_device_private_entry(entry) ||
	       is_writable_migration_entry(entry);
}

/*
 * Who has done what, in one argument: one more is a register that the quick ways would
 * have to save. The highest bits of addresses of code are set.
 */
static __always_inline unsigned long ptcheck_deed(unsigned long ip,
						  enum ptcheck_op op, bool anon)
{
	return ip << 4 | op << 1 | anon;
}

void __ptcheck_quick __ptcheck_set_pte(pte_t *ptep, pteval_t pte);
void __ptcheck_quick __ptcheck_pte_taken(const pte_t *ptep, pteval_t pte);

/* Slow halves of the quick ways. */
void __ptcheck_callee ptcheck_judge_slowly(const pte_t *ptep, pteval_t pte, u64 old,
					   unsigned long deed);
void __ptcheck_callee ptcheck_set_slowly(const pte_t *ptep, pteval_t pte,
					 unsigned long ip);
void __ptcheck_callee ptcheck_map_slowly(const pte_t *ptep, pteval_t pte,
					 unsigned long ip);
void __ptcheck_callee ptcheck_clear_slowly(const pte_t *ptep, pteval_t pte,
					   unsigned long ip);
void __ptcheck_callee ptcheck_underflow_slowly(const pte_t *ptep, pteval_t pte,
					       unsigned long ip);
void __ptcheck_callee ptcheck_protect_slowly(const pte_t *ptep, pteval_t old,
					     unsigned long ip);
void __ptcheck_callee ptcheck_zero_slowly(struct page *page, unsigned long what,
					  unsigned long ip);

void ptcheck_apply(const struct ptcheck_place *at, unsigned long pfn,
		   unsigned long nr, enum ptcheck_op op);
void ptcheck_replace(const struct ptcheck_place *at, struct ptcheck_leaf old,
		     struct ptcheck_leaf new, unsigned long nr);
void ptcheck_uffd_wp_write(const struct ptcheck_place *at);
enum ptcheck_rule ptcheck_settle(unsigned long pfn, u64 old, enum ptcheck_op op,
				 bool anon);
void ptcheck_accuse(const struct ptcheck_place *at, unsigned long pfn, u64 old,
		    enum ptcheck_op op, bool anon, enum ptcheck_rule rule);

void ptcheck_find_entry(const pte_t *ptep, struct mm_struct **mm,
			unsigned long *addr);

#endif /* _MM_PTCHECK_INTERNAL_H */
