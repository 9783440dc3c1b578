/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flags by which an allocation names its class of memory.
 *
 * Memory is sensitive unless whoever allocates it says otherwise:
 *
 *   GLOBAL  no secret of anybody; mapped in every restricted address space
 *   LOCAL   no secret from the current process and its guests; mapped in the
 *	     restricted address spaces of that process
 *
 * The flags are hints. When no memory of the class is at hand, or the process
 * owns none, the allocation is served from ordinary, sensitive memory and never
 * fails for that reason: what is not mapped costs an exit when it is touched.
 * Naming both classes is a bug, and gives sensitive memory too.
 *
 * Macros only: this is included before anything it needs is declared.
 */
#ifndef _LINUX_NONSENSITIVE_H
#define _LINUX_NONSENSITIVE_H

#ifdef CONFIG_ASI

#define ASI_GFP_BITS			\
	___GFP_GLOBAL_NONSENSITIVE_BIT,	\
	___GFP_LOCAL_NONSENSITIVE_BIT,

#define __GFP_GLOBAL_NONSENSITIVE	\
	((__force gfp_t)BIT(___GFP_GLOBAL_NONSENSITIVE_BIT))
#define __GFP_LOCAL_NONSENSITIVE	\
	((__force gfp_t)BIT(___GFP_LOCAL_NONSENSITIVE_BIT))

#define ASI_SLAB_BITS			\
	_SLAB_GLOBAL_NONSENSITIVE,	\
	_SLAB_LOCAL_NONSENSITIVE,	\
	_SLAB_LOCAL_OWNED,

#define SLAB_GLOBAL_NONSENSITIVE	__SLAB_FLAG_BIT(_SLAB_GLOBAL_NONSENSITIVE)
#define SLAB_LOCAL_NONSENSITIVE		__SLAB_FLAG_BIT(_SLAB_LOCAL_NONSENSITIVE)
/* One owner's copy of a SLAB_LOCAL_NONSENSITIVE cache; not for others to use. */
#define SLAB_LOCAL_OWNED		__SLAB_FLAG_BIT(_SLAB_LOCAL_OWNED)

#define ASI_KMALLOC_TYPES		\
	KMALLOC_GLOBAL_NONSENSITIVE,	\
	KMALLOC_LOCAL_NONSENSITIVE,

#define ASI_KMALLOC_NAMES(sz)						\
	.name[KMALLOC_GLOBAL_NONSENSITIVE] = "kmalloc-global-" #sz,	\
	.name[KMALLOC_LOCAL_NONSENSITIVE] = "kmalloc-local-" #sz,

/* The kmalloc caches for @flags, which name a class. */
#define asi_kmalloc_type(flags)						\
	(((flags) & __GFP_NONSENSITIVE) == __GFP_GLOBAL_NONSENSITIVE ?	\
		KMALLOC_GLOBAL_NONSENSITIVE :				\
	 ((flags) & __GFP_NONSENSITIVE) == __GFP_LOCAL_NONSENSITIVE ?	\
		KMALLOC_LOCAL_NONSENSITIVE : KMALLOC_NORMAL)

#define VM_GLOBAL_NONSENSITIVE		0x00002000
#define VM_LOCAL_NONSENSITIVE		0x00004000

#else /* !CONFIG_ASI */

#define ASI_GFP_BITS
#define __GFP_GLOBAL_NONSENSITIVE	((__force gfp_t)0)
#define __GFP_LOCAL_NONSENSITIVE	((__force gfp_t)0)
#define ASI_SLAB_BITS
#define SLAB_GLOBAL_NONSENSITIVE	__SLAB_FLAG_UNUSED
#define SLAB_LOCAL_NONSENSITIVE		__SLAB_FLAG_UNUSED
#define SLAB_LOCAL_OWNED		__SLAB_FLAG_UNUSED
#define ASI_KMALLOC_TYPES
#define ASI_KMALLOC_NAMES(sz)
#define asi_kmalloc_type(flags)		KMALLOC_NORMAL
#define VM_GLOBAL_NONSENSITIVE		0
#define VM_LOCAL_NONSENSITIVE		0

#endif /* CONFIG_ASI */

#define __GFP_NONSENSITIVE	\
	(__GFP_GLOBAL_NONSENSITIVE | __GFP_LOCAL_NONSENSITIVE)
/* What a process allocates for itself, as GFP_KERNEL_ACCOUNT otherwise. */
#define GFP_KERNEL_LOCAL	(GFP_KERNEL_ACCOUNT | __GFP_LOCAL_NONSENSITIVE)
#define SLAB_NONSENSITIVE	\
	(SLAB_GLOBAL_NONSENSITIVE | SLAB_LOCAL_NONSENSITIVE | SLAB_LOCAL_OWNED)
#define VM_NONSENSITIVE		(VM_GLOBAL_NONSENSITIVE | VM_LOCAL_NONSENSITIVE)

#endif /* _LINUX_NONSENSITIVE_H */
