// SPDX-License-Identifier: GPL-2.0-only
/* The buddy allocator of one compartment, against a plain array of pages. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "blocks.h"

#define NOTHING_FREE	-1

/* What is in use, page by page, and the blocks it was taken as. */
struct world {
	struct asi_blocks blocks;
	bool used[ASI_BLOCK_PAGES];
	struct {
		unsigned int page, order;
	} block[ASI_BLOCK_PAGES];
	unsigned int nr;
};

static void init_world(struct world *w)
{
	memset(w, 0, sizeof(*w));
	asi_blocks_init(&w->blocks);
}

static bool all_free(const struct world *w, unsigned int page, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < 1U << order; i++)
		if (w->used[page + i])
			return false;
	return true;
}

/* The order of the largest aligned run of free pages. */
static int largest_free(const struct world *w)
{
	unsigned int page;
	int order;

	for (order = ASI_BLOCK_ORDERS - 1; order >= 0; order--)
		for (page = 0; page < ASI_BLOCK_PAGES; page += 1U << order)
			if (all_free(w, page, order))
				return order;
	return NOTHING_FREE;
}

static void check(const struct world *w)
{
	unsigned int i, nr_free = 0;

	for (i = 0; i < ASI_BLOCK_PAGES; i++)
		nr_free += !w->used[i];
	assert_int_equal(w->blocks.nr_free, nr_free);
	assert_int_equal(asi_blocks_largest(&w->blocks), largest_free(w));
}

static int take(struct world *w, unsigned int order)
{
	int largest = asi_blocks_largest(&w->blocks);
	int page = asi_blocks_alloc(&w->blocks, order);

	if (page < 0) {
		assert_true((int)order > largest);
		return page;
	}
	assert_int_equal(page & ((1U << order) - 1), 0);
	assert_true(all_free(w, page, order));
	memset(&w->used[page], true, 1U << order);
	w->block[w->nr].page = page;
	w->block[w->nr++].order = order;
	return page;
}

static void give(struct world *w, unsigned int i)
{
	unsigned int page = w->block[i].page, order = w->block[i].order;

	w->block[i] = w->block[--w->nr];
	assert_true(asi_blocks_free(&w->blocks, page, order));
	memset(&w->used[page], false, 1U << order);
}

static void every_order_exhausts(void **state)
{
	unsigned int order;
	struct world w;

	for (order = 0; order < ASI_BLOCK_ORDERS; order++) {
		init_world(&w);
		while (take(&w, order) >= 0)
			check(&w);
		assert_int_equal(w.blocks.nr_free, 0);
		assert_int_equal(w.nr, ASI_BLOCK_PAGES >> order);
		while (w.nr)
			give(&w, w.nr / 2);
		check(&w);
		assert_int_equal(asi_blocks_largest(&w.blocks), ASI_BLOCK_ORDERS - 1);
	}
}

static void small_blocks_do_not_break_large_ones(void **state)
{
	struct world w;

	init_world(&w);
	take(&w, 0);
	/* The rest of what had to be split goes first. */
	take(&w, 0);
	take(&w, 1);
	assert_int_equal(asi_blocks_largest(&w.blocks), ASI_BLOCK_ORDERS - 2);
	check(&w);
}

static void any_sequence(void **state)
{
	struct world w;
	unsigned int i;

	srand(1);
	init_world(&w);
	for (i = 0; i < 20000; i++) {
		if (rand() % 100 < 53)
			take(&w, rand() % 3 ? rand() % 3 : rand() % ASI_BLOCK_ORDERS);
		else if (w.nr)
			give(&w, rand() % w.nr);
		check(&w);
	}
}

/* alloc_pages() without __GFP_COMP may be freed piece by piece. */
static void parts_can_be_freed(void **state)
{
	struct asi_blocks b;
	unsigned int i;
	int page;

	asi_blocks_init(&b);
	page = asi_blocks_alloc(&b, 3);
	for (i = 0; i < 8; i++)
		assert_true(asi_blocks_free(&b, page + (i ^ 5), 0));
	assert_int_equal(b.nr_free, ASI_BLOCK_PAGES);
	assert_int_equal(asi_blocks_largest(&b), ASI_BLOCK_ORDERS - 1);
}

static void refuse(struct asi_blocks *b, unsigned int page, unsigned int order)
{
	struct asi_blocks before = *b;

	assert_false(asi_blocks_free(b, page, order));
	assert_memory_equal(b, &before, sizeof(before));
}

static void wrong_frees_change_nothing(void **state)
{
	struct asi_blocks b;
	int page;

	asi_blocks_init(&b);
	refuse(&b, 0, 0);
	refuse(&b, 0, ASI_BLOCK_ORDERS - 1);
	page = asi_blocks_alloc(&b, 2);
	assert_int_equal(page, 0);
	refuse(&b, 1, 1);
	refuse(&b, 4, 0);
	refuse(&b, 0, 3);
	refuse(&b, 0, ASI_BLOCK_ORDERS);
	refuse(&b, ASI_BLOCK_PAGES, 0);
	assert_true(asi_blocks_free(&b, 0, 2));
	refuse(&b, 0, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_exhausts),
		cmocka_unit_test(small_blocks_do_not_break_large_ones),
		cmocka_unit_test(any_sequence),
		cmocka_unit_test(parts_can_be_freed),
		cmocka_unit_test(wrong_frees_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
