// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buddy allocator inside one compartment, see blocks.h.
 *
 * The bitmap of order k starts at bit 1024 - (1024 >> k): 512 bits for single
 * pages, 256 for pairs, and so on to one bit for the whole.
 */
#include "blocks.h"

static unsigned int first_bit(unsigned int order)
{
	return 2 * ASI_BLOCK_PAGES - ((2 * ASI_BLOCK_PAGES) >> order);
}

static bool is_free(const struct asi_blocks *b, unsigned int bit)
{
	return b->free[bit / 64] >> (bit % 64) & 1;
}

/* The bits of one order never share a word with another's until order 4. */
static u64 word_of(const struct asi_blocks *b, unsigned int order,
		   unsigned int word)
{
	unsigned int nr = ASI_BLOCK_PAGES >> order;

	if (nr >= 64)
		return b->free[word];
	return b->free[word] >> (first_bit(order) % 64) & ((1ULL << nr) - 1);
}

/* Index of the lowest free block of @order, -1 if none is. */
static int lowest(const struct asi_blocks *b, unsigned int order)
{
	unsigned int first = first_bit(order);
	unsigned int nr = ASI_BLOCK_PAGES >> order;
	unsigned int i;

	for (i = 0; i < nr; i += 64) {
		u64 word = word_of(b, order, (first + i) / 64);

		if (word)
			return i + __builtin_ctzll(word);
	}
	return -1;
}

static void set_free(struct asi_blocks *b, unsigned int order,
		     unsigned int index)
{
	unsigned int bit = first_bit(order) + index;

	b->free[bit / 64] |= 1ULL << (bit % 64);
	b->orders |= 1U << order;
}

static void set_used(struct asi_blocks *b, unsigned int order,
		     unsigned int index)
{
	unsigned int bit = first_bit(order) + index;

	b->free[bit / 64] &= ~(1ULL << (bit % 64));
	if (lowest(b, order) < 0)
		b->orders &= ~(1U << order);
}

/** asi_blocks_init - all pages are free */
void asi_blocks_init(struct asi_blocks *b)
{
	*b = (struct asi_blocks) { .nr_free = ASI_BLOCK_PAGES };
	set_free(b, ASI_BLOCK_ORDERS - 1, 0);
}

/**
 * asi_blocks_alloc - take a block from the smallest free one that has it
 * @b: compartment
 * @order: 0 to 9
 *
 * Return: its first page, 0 to 511; -1 if there is none.
 */
int asi_blocks_alloc(struct asi_blocks *b, unsigned int order)
{
	unsigned int fitting = b->orders & ~((1U << order) - 1);
	unsigned int from, index;

	if (!fitting)
		return -1;

	from = __builtin_ctz(fitting);
	index = lowest(b, from);
	set_used(b, from, index);
	/* Keep the lower half, give back the upper one, until it fits. */
	while (from > order) {
		from--;
		index *= 2;
		set_free(b, from, index + 1);
	}
	b->nr_free -= 1U << order;
	return index << order;
}

/* Whether any of @nr blocks, the first of which has @bit, is free. */
static bool any_free(const struct asi_blocks *b, unsigned int bit,
		     unsigned int nr)
{
	while (nr--)
		if (is_free(b, bit + nr))
			return true;
	return false;
}

/* Whether any block that overlaps [@page, @page + 2^@order) is free. */
static bool overlaps_free(const struct asi_blocks *b, unsigned int page,
			  unsigned int order)
{
	unsigned int orders, k, nr;

	for (orders = b->orders; orders; orders &= orders - 1) {
		k = __builtin_ctz(orders);
		nr = k < order ? 1U << (order - k) : 1;
		if (any_free(b, first_bit(k) + (page >> k), nr))
			return true;
	}
	return false;
}

/**
 * asi_blocks_free - give back a block, merged with its buddies
 * @b: compartment
 * @page: its first page, a multiple of 2^@order
 * @order: as it was taken, or a part of it
 *
 * Return: false, with nothing changed, if it is not a block in use.
 */
bool asi_blocks_free(struct asi_blocks *b, unsigned int page,
		     unsigned int order)
{
	unsigned int index = page >> order;

	if (order >= ASI_BLOCK_ORDERS || page >= ASI_BLOCK_PAGES ||
	    page & ((1U << order) - 1) || overlaps_free(b, page, order))
		return false;

	b->nr_free += 1U << order;
	while (order < ASI_BLOCK_ORDERS - 1 &&
	       is_free(b, first_bit(order) + (index ^ 1))) {
		set_used(b, order, index ^ 1);
		index /= 2;
		order++;
	}
	set_free(b, order, index);
	return true;
}
