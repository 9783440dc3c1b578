// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: the short ways, which nearly all entries and page frames take.
 *
 * What is found here to be beyond doubt is beyond doubt; all else is left to pte.c and
 * frames.c, before it has been counted or after. This file is compiled so that it
 * changes few registers, see asm/ptcheck.h: it calls nothing but what is
 * __ptcheck_callee and keeps them all.
 */
#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <asm/asm.h>

#include "internal.h"

/*
 * The frame of an entry of users that maps memory, with nothing special about it. What
 * is special, or not there, leaves bits that make a frame which no machine has.
 */
static __always_inline unsigned long plain_pfn(pteval_t pte)
{
	const pteval_t plain = _PAGE_PRESENT | _PAGE_USER;
	const pteval_t special = _PAGE_SPECIAL | _PAGE_DEVMAP | _PAGE_UFFD_WP;

	return ror64((pte & (PTE_PFN_MASK | plain | special)) - plain, PAGE_SHIFT);
}

/*
 * pfn_to_page(), which need not have one. The compiler would copy and shift: two
 * instructions, of less latency, before loads that miss more often than they hit.
 */
static __always_inline const struct page *page_of(unsigned long pfn)
{
	unsigned long offset;

	asm("imulq %[size], %[pfn], %[offset]"
	    : [offset] "=r" (offset)
	    : [pfn] "rm" (pfn), [size] "i" (sizeof(struct page)) : "cc");
	return (const struct page *)((unsigned long)vmemmap + offset);
}

/*
 * Leave it to a slow half, which keeps all registers: the compiler does not believe that
 * of a call that it makes itself.
 */
static __always_inline void slowly(const void *callee, const void *where,
				   unsigned long what, unsigned long ip)
{
	asm volatile("call %c[callee]"
		     : ASM_CALL_CONSTRAINT
		     : [callee] "i" (callee), "D" (where), "S" (what), "d" (ip)
		     : "memory", "cc");
}

/* Of a page that is not the first of its folio; NULL: nor is it a page. */
static __always_inline const struct page *head_of(const struct page *page)
{
	unsigned long head;

	asm volatile("1: movq %[memory], %[head]\n"
		     "2:\n"
		     _ASM_EXTABLE_TYPE_REG(1b, 2b, EX_TYPE_ZERO_REG, %[head])
		     : [head] "=r" (head) : [memory] "m" (page->compound_head));
	return head & 1 ? (const struct page *)(head - 1) : NULL;
}

/* What PageAnon() says. */
static __always_inline bool is_anon(const struct page *head)
{
	/* It stays as long as the page is mapped. */
	return (unsigned long)data_race(head->mapping) & PAGE_MAPPING_ANON;
}

/* The same, with one argument more. */
static __always_inline void judge(const pte_t *ptep, pteval_t pte, u64 old,
				  enum ptcheck_op op, bool anon)
{
	asm volatile("call ptcheck_judge_slowly"
		     : ASM_CALL_CONSTRAINT
		     : "D" (ptep), "S" (pte), "d" (old),
		       "c" (ptcheck_deed(_RET_IP_, op, anon))
		     : "memory", "cc");
}

static __always_inline void count_anon(const pte_t *ptep, pteval_t pte,
				       enum ptcheck_op op)
{
	u64 old = ptcheck_add(plain_pfn(pte), ptcheck_delta(op, true));

	if (unlikely(!ptcheck_common(old, op, true)))
		judge(ptep, pte, old, op, true);
}

/*
 * A file's page is mapped: by the half of the word that counts those, and a look at the
 * other after it. Who maps it as anonymous changes all of it and sees this, or is seen.
 */
static __always_inline void count_file(const pte_t *ptep, pteval_t pte)
{
	unsigned long pfn = plain_pfn(pte);
	u64 old;

	/* By its index, or the compiler would first find out the address. */
	asm goto("1: lock incl (%[words],%[pfn],8)\n"
		 "cmpl $0, 4(%[words],%[pfn],8)\n"
		 "jne %l[shared]\n"
		 _ASM_EXTABLE(1b, %l[none])
		 : : [words] "r" (ptcheck_words), [pfn] "r" (pfn)
		 : "memory", "cc" : shared, none);
	return;
shared:
	old = atomic64_read(&ptcheck_words[pfn]) - PTCHECK_FILE_ONE;
	/* What has been seen is wrong also if it has gone since. */
	if (!(old >> PTCHECK_ANON_SHIFT))
		old += PTCHECK_ANON_ONE;
	judge(ptep, pte, old, PTCHECK_MAP_READ, false);
none:
	return;
}

/* It is unmapped. */
static __always_inline void uncount_file(const pte_t *ptep, pteval_t pte)
{
	atomic64_t *word = &ptcheck_words[plain_pfn(pte)];

	asm goto("1: lock subl $1, %[file]\n"
		 "jc %l[underflow]\n"
		 _ASM_EXTABLE(1b, %l[none])
		 : : [file] "m" (*word) : "memory", "cc" : underflow, none);
none:
	return;
underflow:
	slowly(ptcheck_underflow_slowly, ptep, pte, _RET_IP_);
}

static __always_inline void apply_file(const pte_t *ptep, pteval_t pte,
				       enum ptcheck_op op)
{
	if (op == PTCHECK_MAP_READ)
		count_file(ptep, pte);
	if (op == PTCHECK_UNMAP_READ)
		uncount_file(ptep, pte);
}

/*
 * Count a plain entry: @read or @write. Of a file's page it does not matter which. False
 * if that is to be found out yet: what is dirty and cannot be written may be a shadow
 * stack; or the page has a type; or there is no struct page, since the entry is broken.
 */
static __always_inline bool count_plain(const pte_t *ptep, pteval_t pte,
					enum ptcheck_op read, enum ptcheck_op write)
{
	const struct page *page = page_of(plain_pfn(pte));

	/* Of a page that is mapped it is a count, which others change. */
	if (ptcheck_is_mapping(read))
		asm goto("1: cmpl %[typed], %[type]\n"
			 "jl %l[doubtful]\n"
			 _ASM_EXTABLE(1b, %l[doubtful])
			 : : [type] "m" (page->page_type),
			     [typed] "i" (PGTY_mapcount_underflow << 24)
			 : "cc" : doubtful);
	asm goto("1: testb $1, %[head]\n"
		 "jnz %l[tail]\n"
		 _ASM_EXTABLE(1b, %l[tail])
		 : : [head] "m" (page->compound_head) : "cc" : tail);
head:
	/* Out of line costs a jump back for a file's page, and nothing for the others. */
	if (likely(!is_anon(page)))
		apply_file(ptep, pte, read);
	else if (pte & _PAGE_RW)
		count_anon(ptep, pte, write);
	else if (likely(!(pte & _PAGE_DIRTY)))
		count_anon(ptep, pte, read);
	else
		return false;
	return true;
tail:
	page = head_of(page);
	if (!page)
		return false;
	/* What looks like a tail may never have been a struct page. */
	asm goto("1: testb $1, %[mapping]\n"
		 _ASM_EXTABLE(1b, %l[doubtful])
		 : : [mapping] "m" (page->mapping) : "cc" : doubtful);
	goto head;
doubtful:
	return false;
}

/* What adapters.S goes on to: @ptep shall be @pte. */
void __ptcheck_quick __ptcheck_set_pte(pte_t *ptep, pteval_t pte)
{
	unsigned long pfn = plain_pfn(pte);

	if (unlikely(pfn >= ptcheck_nr_words) || unlikely(!pte_none(*ptep)))
		slowly(ptcheck_set_slowly, ptep, pte, _RET_IP_);
	else if (!count_plain(ptep, pte, PTCHECK_MAP_READ, PTCHECK_MAP_WRITE))
		slowly(ptcheck_map_slowly, ptep, pte, _RET_IP_);
	native_set_pte(ptep, __pte(pte));
}

/* The same: @pte has been taken out of @ptep. */
void __ptcheck_quick __ptcheck_pte_taken(const pte_t *ptep, pteval_t pte)
{
	if (unlikely(plain_pfn(pte) >= ptcheck_nr_words) ||
	    !count_plain(ptep, pte, PTCHECK_UNMAP_READ, PTCHECK_UNMAP_WRITE))
		slowly(ptcheck_clear_slowly, ptep, pte, _RET_IP_);
}

/* Out of line half of ptcheck_pte_wrprotect(). */
void __ptcheck_quick __ptcheck_pte_wrprotect(pte_t *ptep, pteval_t old)
{
	if (unlikely(plain_pfn(old) >= ptcheck_nr_words) || unlikely(!(old & _PAGE_RW)) ||
	    !count_plain(ptep, old, PTCHECK_DOWNGRADE, PTCHECK_DOWNGRADE))
		slowly(ptcheck_protect_slowly, ptep, old, _RET_IP_);
}
EXPORT_SYMBOL(__ptcheck_pte_wrprotect);

static __always_inline bool has_type(const struct page *page)
{
	/* Whose the page is does not change, it is on its way. */
	return page_type_has_type(data_race(page->page_type));
}

static __always_inline u64 count_of(unsigned long pfn)
{
	/* Zero, and whoever changes that now breaks a rule. */
	return data_race(ptcheck_words[pfn].counter);
}

/**
 * __ptcheck_zero - pages that are allocated or freed are mapped nowhere
 * @page: first page
 * @what: 2^@what of them, and PTCHECK_ALLOCATED or not
 *
 * Context: any; by ptcheck_call2().
 */
void __ptcheck_quick __ptcheck_zero(struct page *page, unsigned long what)
{
	unsigned long pfn = page_to_pfn(page);

	if (unlikely(pfn >= ptcheck_nr_words))
		return;
	if (unlikely(what & ~PTCHECK_ALLOCATED) || unlikely(has_type(page)) ||
	    unlikely(count_of(pfn)))
		slowly(ptcheck_zero_slowly, page, what, _RET_IP_);
}

/* For modules; nobody calls it by a pointer, and it does not begin as if. */
asm(".pushsection .discard.noendbr\n"
	".long __ptcheck_pte_wrprotect\n"
	".popsection");
