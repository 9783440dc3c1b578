// SPDX-License-Identifier: GPL-2.0-only
/* Putting things into restricted tables: asi_pt_set(). */
#include "tree.h"

/* Places of interest: both ends of both halves, and something in between. */
static void some_places(const struct tree *t, unsigned long places[5])
{
	places[0] = 0;
	places[1] = 0x123456789000;
	places[2] = ~tree_kernel(t);
	places[3] = tree_kernel(t) + 0x7edcba987000;
	places[4] = TOP;
}

static unsigned long align(unsigned long va, int level)
{
	return va & ~(asi_pt_size(level) - 1);
}

/* Every level holds what was put there, and tables above it on the way. */
static void check_path(struct tree *t, unsigned long va, int level, u64 entry)
{
	u64 e;
	int l;

	for (l = t->pt.levels; l > level; l--) {
		e = asi_pt_entry(t->pt.root, t->pt.levels, va, l);
		assert_true((e & ~ASI_PTE_ADDR) == ASI_PT_TABLE_FLAGS);
	}
	e = asi_pt_entry(t->pt.root, t->pt.levels, va, level);
	assert_true(e == entry);
}

static void set_leaf_everywhere(void **state)
{
	struct tree *t = *state;
	unsigned long places[5], va;
	unsigned int i;
	int level;

	some_places(t, places);
	for (level = ASI_PT_4K; level <= ASI_PT_1G; level++) {
		for (i = 0; i < ARRAY_SIZE(places); i++) {
			u64 entry = tree_leaf(level, 7 + i);

			va = align(places[i], level);
			assert_int_equal(tree_set(t, va, level, entry), 0);
			assert_int_equal(t->spares, t->pt.levels - level);
			assert_int_equal(t->pt.nr_tables, t->spares);
			assert_int_equal(walker_stores(), t->spares + 1);
			check_path(t, va, level, entry);
			tree_restart(t);
		}
	}
}

static void set_shared_everywhere(void **state)
{
	struct tree *t = *state;
	unsigned long places[5], va;
	unsigned int i;
	int level;

	some_places(t, places);
	for (level = ASI_PT_2M; level <= t->pt.levels; level++) {
		for (i = 0; i < ARRAY_SIZE(places); i++) {
			u64 entry = tree_shared();

			va = align(places[i], level);
			assert_int_equal(tree_set(t, va, level, entry), 0);
			assert_int_equal(t->pt.nr_tables, t->pt.levels - level);
			check_path(t, va, level, entry);
			tree_restart(t);
		}
	}
}

static void set_fills_a_table(void **state)
{
	struct tree *t = *state;
	unsigned long base = tree_kernel(t);
	unsigned long i;

	for (i = 0; i < 512; i++)
		assert_int_equal(tree_set(t, base + i * PAGE_SIZE, ASI_PT_4K,
					  tree_leaf(ASI_PT_4K, i)), 0);
	assert_int_equal(t->pt.nr_tables, t->pt.levels - 1);
	for (i = 0; i < 512; i++)
		check_path(t, base + i * PAGE_SIZE, ASI_PT_4K,
			   tree_leaf(ASI_PT_4K, i));
}

/* Each call takes the page it was given for one table, and asks for the next. */
static void spare_is_taken_when_needed(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t);
	u64 entry = tree_leaf(ASI_PT_4K, 1);
	void *spare = NULL;
	int missing;

	for (missing = t->pt.levels - 1; missing; missing--) {
		assert_int_equal(asi_pt_set(&t->pt, va, ASI_PT_4K, entry, &spare),
				 -EAGAIN);
		assert_null(spare);
		assert_int_equal(t->pt.nr_tables, t->pt.levels - 1 - missing);
		assert_int_equal(walker_stores(), t->pt.nr_tables);

		spare = arena_alloc(ARENA_OWNED);
		walker_resync();
	}
	assert_int_equal(asi_pt_set(&t->pt, va, ASI_PT_4K, entry, &spare), 0);
	assert_null(spare);
	check_path(t, va, ASI_PT_4K, entry);
}

static void spare_is_kept_when_not_needed(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t);
	u64 entry = tree_leaf(ASI_PT_4K, 1);
	unsigned long tables;
	void *spare, *kept;

	assert_int_equal(tree_set(t, va, ASI_PT_4K, entry), 0);
	spare = arena_alloc(ARENA_OWNED);
	walker_resync();
	kept = spare;
	tables = t->pt.nr_tables;

	/* The table is there; so is the mapping; something is in the way. */
	assert_int_equal(asi_pt_set(&t->pt, va + PAGE_SIZE, ASI_PT_4K, entry,
				    &spare), 0);
	assert_int_equal(asi_pt_set(&t->pt, va, ASI_PT_4K, entry, &spare), 0);
	assert_int_equal(asi_pt_set(&t->pt, va, ASI_PT_2M,
				    tree_leaf(ASI_PT_2M, 1), &spare), -EEXIST);
	assert_ptr_equal(spare, kept);
	assert_int_equal(t->pt.nr_tables, tables);
	arena_free(spare);
}

/* Memory runs out after each number of tables: nothing is lost, or mapped. */
static void set_unwinds(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t) + 0x123456789000;
	int n;

	for (n = 0; n < t->pt.levels - 1; n++) {
		arena_limit(n);
		assert_int_equal(tree_set(t, va, ASI_PT_4K,
					  tree_leaf(ASI_PT_4K, 1)), -ENOMEM);
		assert_int_equal(t->pt.nr_tables, n);
		assert_int_equal(asi_pt_clear(&t->pt, va, va + PAGE_SIZE), 0);
		tree_restart(t);
	}

	/* What an attempt leaves behind serves the next one. */
	arena_limit(1);
	assert_int_equal(tree_set(t, va, ASI_PT_4K, tree_leaf(ASI_PT_4K, 1)),
			 -ENOMEM);
	arena_limit(t->pt.levels - 2);
	assert_int_equal(tree_set(t, va, ASI_PT_4K, tree_leaf(ASI_PT_4K, 1)), 0);
}

/*
 * What is there, and what is asked for at an address below it or above it. Leaf
 * n of a level, or a shared table; the offset is in pages.
 */
struct conflict {
	int level, then_level;
	bool shared, then_shared;
	unsigned long then_offset;
	int err;
};

static const struct conflict conflicts[] = {
	/* A leaf over a table, at every level, also when the table is empty. */
	{ .level = 1, .then_level = 2, .err = -EEXIST },
	{ .level = 1, .then_level = 3, .err = -EEXIST },
	{ .level = 2, .then_level = 3, .err = -EEXIST },
	/* A smaller leaf, hence a table, over a leaf. */
	{ .level = 2, .then_level = 1, .err = -EEXIST },
	{ .level = 2, .then_level = 1, .then_offset = 511, .err = -EEXIST },
	{ .level = 3, .then_level = 1, .then_offset = 262143, .err = -EEXIST },
	{ .level = 3, .then_level = 2, .err = -EEXIST },
	/* Another leaf. */
	{ .level = 1, .then_level = 1, .err = -EEXIST },
	{ .level = 2, .then_level = 2, .err = -EEXIST },
	{ .level = 3, .then_level = 3, .err = -EEXIST },
	/* Anything below a shared table. */
	{ .level = 2, .shared = true, .then_level = 1, .err = -EEXIST },
	{ .level = 3, .shared = true, .then_level = 1, .err = -EEXIST },
	{ .level = 3, .shared = true, .then_level = 2, .err = -EEXIST },
	{ .level = 4, .shared = true, .then_level = 1, .err = -EEXIST },
	{ .level = 4, .shared = true, .then_level = 3, .err = -EEXIST },
	{ .level = 3, .shared = true, .then_level = 2, .then_shared = true,
	  .err = -EEXIST },
	/* A leaf and a shared table in each other's place. */
	{ .level = 2, .shared = true, .then_level = 2, .err = -EEXIST },
	{ .level = 3, .shared = true, .then_level = 3, .err = -EEXIST },
	{ .level = 2, .then_level = 2, .then_shared = true, .err = -EEXIST },
	{ .level = 3, .then_level = 3, .then_shared = true, .err = -EEXIST },
	/* A shared table over one of the tree's own, or another shared one. */
	{ .level = 1, .then_level = 2, .then_shared = true, .err = -EEXIST },
	{ .level = 1, .then_level = 4, .then_shared = true, .err = -EEXIST },
	{ .level = 4, .shared = true, .then_level = 4, .then_shared = true,
	  .err = -EEXIST },
	/* Neighbours. */
	{ .level = 1, .then_level = 1, .then_offset = 1 },
	{ .level = 1, .then_level = 2, .then_offset = 512 },
	{ .level = 2, .then_level = 1, .then_offset = 512 },
	{ .level = 3, .then_level = 2, .then_offset = 262144 },
	{ .level = 3, .shared = true, .then_level = 1, .then_offset = 262144 },
};

static void set_never_replaces(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(conflicts); i++) {
		const struct conflict *c = &conflicts[i];
		u64 old = tree_mapping(c->shared, c->level, 1);
		u64 new = tree_mapping(c->then_shared, c->then_level, 2);
		u64 before;
		int err;

		assert_int_equal(tree_set(t, va, c->level, old), 0);
		before = tree_sum(t);
		err = tree_set(t, va + c->then_offset * PAGE_SIZE,
			       c->then_level, new);
		if (err != c->err || (err && tree_sum(t) != before))
			fail_msg("conflict %u: %d", i, err);
		check_path(t, va, c->level, old);
		tree_restart(t);
	}
}

static void set_again_is_no_change(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t);
	u64 before, shared = tree_shared();
	int level;

	for (level = ASI_PT_4K; level <= ASI_PT_1G; level++, va += 2UL << 39)
		assert_int_equal(tree_set(t, va, level, tree_leaf(level, 3)), 0);
	assert_int_equal(tree_set(t, va, ASI_PT_512G, shared), 0);

	before = tree_sum(t);
	arena_limit(0);
	va = tree_kernel(t);
	for (level = ASI_PT_4K; level <= ASI_PT_1G; level++, va += 2UL << 39)
		assert_int_equal(tree_set(t, va, level, tree_leaf(level, 3)), 0);
	assert_int_equal(tree_set(t, va, ASI_PT_512G, shared), 0);
	assert_true(tree_sum(t) == before);
}

static void set_after_clear_needs_no_table(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t);

	assert_int_equal(tree_set(t, va, ASI_PT_4K, tree_leaf(ASI_PT_4K, 1)), 0);
	assert_int_equal(asi_pt_clear(&t->pt, va, va + PAGE_SIZE), 1);
	arena_limit(0);
	assert_int_equal(tree_set(t, va, ASI_PT_4K, tree_leaf(ASI_PT_4K, 2)), 0);
	/* The table that stays is in the way of a large leaf, although empty. */
	asi_pt_clear(&t->pt, va, va + PAGE_SIZE);
	assert_int_equal(tree_set(t, va, ASI_PT_2M, tree_leaf(ASI_PT_2M, 1)),
			 -EEXIST);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(set_leaf_everywhere),
		TREE_TEST(set_shared_everywhere),
		TREE_TEST(set_fills_a_table),
		TREE_TEST(spare_is_taken_when_needed),
		TREE_TEST(spare_is_kept_when_not_needed),
		TREE_TEST(set_unwinds),
		TREE_TEST(set_never_replaces),
		TREE_TEST(set_again_is_no_change),
		TREE_TEST(set_after_clear_needs_no_table),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
