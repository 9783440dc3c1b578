/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtually contiguous memory of the two classes: what vmalloc calls.
 *
 * Areas of a class have addresses of their own, so that restricted tables share
 * the tables below them. Implements "Global non-sensitive vmalloc/vmap
 * support", "Support for locally non-sensitive vmalloc allocations" and "Add
 * support for locally non-sensitive VM_USERMAP pages" of the RFC.
 */
#ifndef _LINUX_ASI_VMALLOC_H
#define _LINUX_ASI_VMALLOC_H

#include <linux/asi.h>
#include <linux/gfp_types.h>
#include <linux/minmax.h>
#include <linux/pgtable.h>
#include <linux/vmalloc.h>

#ifdef CONFIG_ASI

/* Where class areas of vmalloc begin; ordinary ones end there. ~0UL: none. */
extern unsigned long asi_vmalloc_start;
#define ASI_VMALLOC_SIZE	(2UL << P4D_SHIFT)

void __asi_vmalloc_range(unsigned long size, unsigned long vm_flags,
			 unsigned long *start, unsigned long *end);
unsigned long __asi_vmalloc_flags(const struct vm_struct *area);
unsigned long __asi_vmap_flags(unsigned long vm_flags, struct page **pages,
			       unsigned int count);

/* An area's class follows from its pages', and theirs from the area's. */
static __always_inline void asi_vmalloc_class(gfp_t *gfp,
					      unsigned long *vm_flags)
{
	if ((*gfp & __GFP_NONSENSITIVE) == __GFP_GLOBAL_NONSENSITIVE)
		*vm_flags |= VM_GLOBAL_NONSENSITIVE;
	if ((*gfp & __GFP_NONSENSITIVE) == __GFP_LOCAL_NONSENSITIVE)
		*vm_flags |= VM_LOCAL_NONSENSITIVE;
	if ((*vm_flags & VM_NONSENSITIVE) == VM_GLOBAL_NONSENSITIVE)
		*gfp |= __GFP_GLOBAL_NONSENSITIVE;
	if ((*vm_flags & VM_NONSENSITIVE) == VM_LOCAL_NONSENSITIVE)
		*gfp |= __GFP_LOCAL_NONSENSITIVE;
}

/* Move an area of a class to where that class has its addresses. */
static __always_inline void asi_vmalloc_range(unsigned long size,
					      unsigned long vm_flags,
					      unsigned long *start,
					      unsigned long *end)
{
	if ((vm_flags & VM_NONSENSITIVE) && asi_enabled())
		__asi_vmalloc_range(size, vm_flags, start, end);
}

/* Only pages that are of a class may be mapped as such by vmap(). */
static __always_inline unsigned long asi_vmap_flags(unsigned long vm_flags,
						    struct page **pages,
						    unsigned int count)
{
	if (likely(!(vm_flags & VM_NONSENSITIVE)) || !asi_enabled())
		return vm_flags;
	return __asi_vmap_flags(vm_flags, pages, count);
}

static __always_inline bool asi_vmalloc_is_class(unsigned long va)
{
	return va - asi_vmalloc_start < ASI_VMALLOC_SIZE;
}

/*
 * An area of a class that had to take ordinary pages: those are cleared before
 * they are mapped, and go back to the page allocator at vfree(), which must not
 * leave translations of them behind.
 */
static __always_inline unsigned long
asi_vmalloc_flags(const struct vm_struct *area)
{
	if (!asi_enabled() || !asi_vmalloc_is_class((unsigned long)area->addr))
		return area->flags;
	return __asi_vmalloc_flags(area);
}

/* No area without a class may end up among those that are mapped. */
static __always_inline unsigned long asi_vmalloc_end(unsigned long start,
						     unsigned long end)
{
	return start < asi_vmalloc_start ? min(end, asi_vmalloc_start) : end;
}

#else /* !CONFIG_ASI */

static inline void asi_vmalloc_class(gfp_t *gfp, unsigned long *vm_flags) { }
static inline void asi_vmalloc_range(unsigned long size, unsigned long vm_flags,
				     unsigned long *start, unsigned long *end) { }

static inline unsigned long asi_vmap_flags(unsigned long vm_flags,
					   struct page **pages,
					   unsigned int count)
{
	return vm_flags;
}

static inline bool asi_vmalloc_is_class(unsigned long va) { return false; }

static inline unsigned long asi_vmalloc_flags(const struct vm_struct *area)
{
	return area->flags;
}

static inline unsigned long asi_vmalloc_end(unsigned long start,
					    unsigned long end)
{
	return end;
}

#endif /* CONFIG_ASI */
#endif /* _LINUX_ASI_VMALLOC_H */
