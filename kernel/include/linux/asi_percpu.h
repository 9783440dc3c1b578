/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dynamic per-CPU memory of the global class: what the per-CPU allocator calls.
 *
 * Implements "Support for mapping non-sensitive pcpu chunks" and "Adding support
 * for dynamic percpu ASI allocations" of the RFC.
 */
#ifndef _LINUX_ASI_PERCPU_H
#define _LINUX_ASI_PERCPU_H

#include <linux/asi.h>
#include <linux/compiler.h>
#include <linux/gfp_types.h>

#ifdef CONFIG_ASI

void __percpu *__asi_percpu_alloc(size_t size, size_t align, gfp_t gfp);
bool __asi_percpu_free(void __percpu *ptr);

/* NULL: not of the class, or none left; the caller goes on as usual. */
static inline void __percpu *asi_percpu_alloc(size_t size, size_t align,
					      gfp_t gfp)
{
	if (likely(!(gfp & __GFP_GLOBAL_NONSENSITIVE)) || !asi_enabled())
		return NULL;
	return __asi_percpu_alloc(size, align, gfp);
}

/* Whether @ptr was of the class, and is free now. */
static inline bool asi_percpu_free(void __percpu *ptr)
{
	return asi_enabled() && __asi_percpu_free(ptr);
}

#else /* !CONFIG_ASI */

static inline void __percpu *asi_percpu_alloc(size_t size, size_t align,
					      gfp_t gfp)
{
	return NULL;
}

static inline bool asi_percpu_free(void __percpu *ptr) { return false; }

#endif /* CONFIG_ASI */
#endif /* _LINUX_ASI_PERCPU_H */
