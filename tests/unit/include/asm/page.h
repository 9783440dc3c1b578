/* SPDX-License-Identifier: GPL-2.0-only */
/* Physical memory is the arena of arena.c. */
#ifndef _UNIT_ASM_PAGE_H
#define _UNIT_ASM_PAGE_H

#include <linux/types.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)

void *arena_va(u64 phys);
u64 arena_pa(const void *page);

#define __va(phys)	arena_va(phys)
#define __pa(page)	arena_pa(page)

#endif /* _UNIT_ASM_PAGE_H */
