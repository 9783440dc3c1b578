/* SPDX-License-Identifier: GPL-2.0-only */
/* Page table check of restricted tables: what those who write them call. */
#ifndef _ARCH_X86_MM_ASI_CHECK_H
#define _ARCH_X86_MM_ASI_CHECK_H

#include <linux/ptcheck.h>
#include <linux/types.h>

struct asi_pt;
struct asi_pt_leaf;
struct compartment;

int __asi_check_leaf(const struct asi_pt *pt, unsigned long va, int level,
		     u64 entry, struct asi_pt_leaf *seen);
void __asi_check_gone(const struct compartment *c);
void __asi_check_fresh(const struct compartment *c);
void __asi_check_attr(const u64 *root, unsigned long start, unsigned long end);
void __asi_check_image(const struct asi_pt *pt);

#ifdef CONFIG_PTCHECK

/**
 * asi_check_leaf - whether a leaf may be put into a restricted table
 * @pt: the table
 * @va: address
 * @level: of the leaf
 * @entry: the leaf
 * @seen: what a walk of the full tables has found at @va, and @entry is made of
 *
 * Context: as asi_pt_set().
 * Return: 0, always if the check is off; -EPERM for a leaf that is wrong, which has
 * been reported, or of memory that is about to lose its class; -ESTALE if the full
 * tables have changed since @seen, which is now as they are.
 */
static inline int asi_check_leaf(const struct asi_pt *pt, unsigned long va,
				 int level, u64 entry, struct asi_pt_leaf *seen)
{
	if (ptcheck_off())
		return 0;
	return __asi_check_leaf(pt, va, level, entry, seen);
}

/* A compartment is about to be given back: nothing may map it. */
static inline void asi_check_gone(const struct compartment *c)
{
	if (!ptcheck_off())
		__asi_check_gone(c);
}

/* Memory of no class is about to become a compartment: nothing may map it yet. */
static inline void asi_check_fresh(const struct compartment *c)
{
	if (!ptcheck_off())
		__asi_check_fresh(c);
}

/**
 * asi_check_attr - attributes in [@start, @end) have changed
 * @root: top level of full or restricted tables
 * @start: first address, of a page
 * @end: one past the last
 *
 * The kernel's text and constants are not writable there. Context: any but NMI.
 */
static inline void asi_check_attr(const u64 *root, unsigned long start,
				  unsigned long end)
{
	if (!ptcheck_off())
		__asi_check_attr(root, start, end);
}

/* An instance is ready: the kernel's text and constants are nowhere writable. */
static inline void asi_check_image(const struct asi_pt *pt)
{
	if (!ptcheck_off())
		__asi_check_image(pt);
}

#else

static inline int asi_check_leaf(const struct asi_pt *pt, unsigned long va,
				 int level, u64 entry, struct asi_pt_leaf *seen)
{
	return 0;
}

static inline void asi_check_gone(const struct compartment *c) { }
static inline void asi_check_fresh(const struct compartment *c) { }
static inline void asi_check_attr(const u64 *root, unsigned long start,
				  unsigned long end) { }
static inline void asi_check_image(const struct asi_pt *pt) { }

#endif /* CONFIG_PTCHECK */
#endif /* _ARCH_X86_MM_ASI_CHECK_H */
