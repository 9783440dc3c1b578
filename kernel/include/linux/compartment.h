/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compartments: memory that is not sensitive, in blocks of 2 MiB.
 *
 * A compartment has one class and one owner, so that no page, no large page and
 * no list of free pages holds both what may be mapped in a restricted address
 * space and what may not. Everything outside compartments is sensitive. The
 * map says in one load which compartment a page frame is in.
 *
 * What the page allocator calls is here. Implements "Support for global
 * non-sensitive direct map allocations" and "Support for locally nonsensitive
 * page allocations" of the RFC.
 */
#ifndef _LINUX_COMPARTMENT_H
#define _LINUX_COMPARTMENT_H

#include <linux/asi.h>
#include <linux/gfp_types.h>
#include <linux/mm.h>
#include <linux/nodemask.h>

struct compartment;

#ifdef CONFIG_ASI

#define COMPARTMENT_ORDER	9	/* 2 MiB, the size of one leaf */

/* NULL until boot has got that far, and for ever with ASI off. */
extern struct compartment **compartment_map;
extern unsigned long compartment_map_size;

struct page *__compartment_alloc_pages(gfp_t gfp, unsigned int order, int nid);
int __compartment_alloc_bulk(gfp_t gfp, int nid, int nr, struct page **pages);
void __compartment_free_pages(struct compartment *c, unsigned long pfn,
			      unsigned int order);

/**
 * compartment_of - the compartment that @pfn is in; NULL: sensitive memory
 */
static __always_inline struct compartment *compartment_of(unsigned long pfn)
{
	unsigned long index = pfn >> COMPARTMENT_ORDER;

	return index < compartment_map_size ?
		READ_ONCE(compartment_map[index]) : NULL;
}

/* Whether an allocation names a class, and there are any. */
static __always_inline bool compartment_wanted(gfp_t gfp)
{
	return unlikely(gfp & __GFP_NONSENSITIVE) && asi_enabled();
}

/**
 * compartment_alloc_pages - pages of the class that @gfp names
 * @gfp: any; without a class flag, or with both, nothing is allocated here
 * @order: 2^@order pages
 * @nid: preferred node
 *
 * Context: as alloc_pages(). Return: pages ready for use, or NULL: the caller
 * goes on with ordinary memory.
 */
static __always_inline struct page *
compartment_alloc_pages(gfp_t gfp, unsigned int order, int nid,
			const nodemask_t *nodes)
{
	if (!compartment_wanted(gfp) || (nodes && !node_isset(nid, *nodes)))
		return NULL;
	return __compartment_alloc_pages(gfp, order, nid);
}

/**
 * compartment_alloc_bulk - single pages of the class that @gfp names
 * @gfp: as for compartment_alloc_pages()
 * @nid: preferred node
 * @pages: where they go, as far as there is NULL; or NULL
 * @first: index to start at
 * @end: index to stop before
 *
 * Return: how many were allocated, 0 if the class has none at hand.
 */
static __always_inline int compartment_alloc_bulk(gfp_t gfp, int nid,
						  struct page **pages,
						  int first, int end)
{
	if (!compartment_wanted(gfp) || !pages)
		return 0;
	return __compartment_alloc_bulk(gfp, nid, end - first, pages + first);
}

/**
 * compartment_free_pages - take back pages, if they are from a compartment
 * @page: first page, prepared for being free
 * @order: 2^@order pages
 *
 * Return: whether they were; the caller must not touch them then.
 */
static __always_inline bool compartment_free_pages(struct page *page,
						   unsigned int order)
{
	struct compartment *c;

	if (!asi_enabled())
		return false;
	c = compartment_of(page_to_pfn(page));
	if (likely(!c))
		return false;
	__compartment_free_pages(c, page_to_pfn(page), order);
	return true;
}

#else /* !CONFIG_ASI */

static inline bool compartment_wanted(gfp_t gfp) { return false; }

static inline struct page *compartment_alloc_pages(gfp_t gfp,
						   unsigned int order, int nid,
						   const nodemask_t *nodes)
{
	return NULL;
}

static inline int compartment_alloc_bulk(gfp_t gfp, int nid,
					 struct page **pages,
					 int first, int end)
{
	return 0;
}

static inline bool compartment_free_pages(struct page *page, unsigned int order)
{
	return false;
}

#endif /* CONFIG_ASI */
#endif /* _LINUX_COMPARTMENT_H */
