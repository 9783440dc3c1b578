/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of the 512 pages of a compartment are free: a buddy allocator in 144
 * bytes.
 *
 * Plain data without locks or pages, so that the same source is built in user
 * space and tested there. The caller serialises.
 */
#ifndef _ARCH_X86_MM_ASI_BLOCKS_H
#define _ARCH_X86_MM_ASI_BLOCKS_H

#include <linux/types.h>

#define ASI_BLOCK_ORDERS	10	/* 0 to 9: one page to all of them */
#define ASI_BLOCK_PAGES		512

/**
 * struct asi_blocks - the free blocks of one compartment
 * @free: for each order a bitmap, one bit per aligned block of that order; a
 *	free block has one bit set, at its own order
 * @orders: bit k: some block of order k is free
 * @nr_free: pages
 */
struct asi_blocks {
	u64 free[2 * ASI_BLOCK_PAGES / 64];
	u16 orders;
	u16 nr_free;
};

void asi_blocks_init(struct asi_blocks *b);
int asi_blocks_alloc(struct asi_blocks *b, unsigned int order);
bool asi_blocks_free(struct asi_blocks *b, unsigned int page,
		     unsigned int order);

/* The order of the largest free block, -1 if there is none. */
static inline int asi_blocks_largest(const struct asi_blocks *b)
{
	return b->orders ? 31 - __builtin_clz(b->orders) : -1;
}

#endif /* _ARCH_X86_MM_ASI_BLOCKS_H */
