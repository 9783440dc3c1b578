/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slab caches of the classes of memory: what SLUB calls.
 *
 * A global cache takes its pages from global compartments and is never merged.
 * A local cache is a template: every owner has a copy of it, with pages of its
 * own compartments, and whoever owns none allocates from the template, whose
 * memory is sensitive. Implements "Support for global non-sensitive slab
 * caches", "Support for local non-sensitive slab caches" and "Support for
 * non-sensitive SLUB caches" of the RFC.
 */
#ifndef _MM_ASI_SLAB_H
#define _MM_ASI_SLAB_H

#include <linux/asi.h>

#include "slab.h"

#ifdef CONFIG_ASI

struct kmem_cache *__asi_slab_cache(struct kmem_cache *s);

/* One that names both classes is a bug, and has memory of neither. */
static __always_inline bool asi_slab_is_local(slab_flags_t flags)
{
	return (flags & SLAB_NONSENSITIVE) == SLAB_LOCAL_NONSENSITIVE;
}

/* The cache that the current process has in the place of @s. */
static __always_inline struct kmem_cache *asi_slab_cache(struct kmem_cache *s)
{
	if (likely(!asi_slab_is_local(s->flags)) || !asi_enabled())
		return s;
	return __asi_slab_cache(s);
}

/* With ASI off a cache is like all others. */
static inline slab_flags_t asi_slab_flags(slab_flags_t flags)
{
	return asi_enabled() ? flags : flags & ~SLAB_NONSENSITIVE;
}

/* What the pages of a cache must be. */
static inline gfp_t asi_slab_gfp(slab_flags_t flags)
{
	if ((flags & SLAB_NONSENSITIVE) == SLAB_GLOBAL_NONSENSITIVE)
		return __GFP_GLOBAL_NONSENSITIVE;
	if (flags & SLAB_LOCAL_OWNED)
		return __GFP_LOCAL_NONSENSITIVE;
	return 0;
}

static inline slab_flags_t asi_kmalloc_flags(enum kmalloc_cache_type type)
{
	if (type == KMALLOC_GLOBAL_NONSENSITIVE)
		return SLAB_GLOBAL_NONSENSITIVE;
	if (type == KMALLOC_LOCAL_NONSENSITIVE)
		return SLAB_LOCAL_NONSENSITIVE;
	return 0;
}

/* With ASI off there are no caches of the classes, only other names. */
static inline bool asi_kmalloc_alias(int idx, enum kmalloc_cache_type type)
{
	if (asi_enabled() || !asi_kmalloc_flags(type))
		return false;
	if (type == KMALLOC_LOCAL_NONSENSITIVE)
		kmalloc_caches[type][idx] = kmalloc_caches[KMALLOC_CGROUP][idx];
	else
		kmalloc_caches[type][idx] = kmalloc_caches[KMALLOC_NORMAL][idx];
	return true;
}

#else /* !CONFIG_ASI */

static inline struct kmem_cache *asi_slab_cache(struct kmem_cache *s)
{
	return s;
}

static inline slab_flags_t asi_slab_flags(slab_flags_t flags) { return flags; }
static inline gfp_t asi_slab_gfp(slab_flags_t flags) { return 0; }

static inline slab_flags_t asi_kmalloc_flags(enum kmalloc_cache_type type)
{
	return 0;
}

static inline bool asi_kmalloc_alias(int idx, enum kmalloc_cache_type type)
{
	return false;
}

#endif /* CONFIG_ASI */
#endif /* _MM_ASI_SLAB_H */
