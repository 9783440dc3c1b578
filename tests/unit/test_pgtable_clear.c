// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking things out of restricted tables, and replacing them: asi_pt_clear(),
 * asi_pt_unshare(), asi_pt_update().
 */
#include "tree.h"

/*
 * The ranges are offsets in pages from the layout below; a bit of @left stands
 * for each mapping of it that is still there.
 */
struct layout {
	unsigned long page;
	int level;
	bool shared;
};

static const struct layout layout[] = {
	{ 0x00000, ASI_PT_4K, false },
	{ 0x00001, ASI_PT_4K, false },
	{ 0x001ff, ASI_PT_4K, false },
	{ 0x00200, ASI_PT_2M, false },
	{ 0x00400, ASI_PT_2M, true },
	{ 0x00600, ASI_PT_2M, false },
	{ 0x40000, ASI_PT_1G, false },
	{ 0x80000, ASI_PT_1G, true },
	{ 0xc0000, ASI_PT_1G, false },
};

#define ALL	0x1ffU
#define SHARED	0x090U		/* of the layout */

static void make_layout(struct tree *t, unsigned long base,
			u64 entries[ARRAY_SIZE(layout)])
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(layout); i++) {
		const struct layout *l = &layout[i];

		entries[i] = tree_mapping(l->shared, l->level, i + 1);
		assert_int_equal(tree_set(t, base + l->page * PAGE_SIZE,
					  l->level, entries[i]), 0);
	}
}

static unsigned int layout_left(struct tree *t, unsigned long base,
				const u64 entries[ARRAY_SIZE(layout)])
{
	unsigned int left = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(layout); i++) {
		u64 entry = asi_pt_entry(t->pt.root, t->pt.levels,
					 base + layout[i].page * PAGE_SIZE,
					 layout[i].level);

		assert_true(!entry || entry == entries[i]);
		left |= (entry ? 1U : 0U) << i;
	}
	return left;
}

struct range {
	unsigned long from, to;		/* pages */
	long from_bytes, to_bytes;	/* on top */
	unsigned int gone;		/* if the leaves of the range are cleared */
};

static const struct range ranges[] = {
	/* Nothing at all, and nothing there. */
	{ .from = 0, .to = 0 },
	{ .from = 0x200, .to = 0x200 },
	{ .from = 1, .to = 0 },
	{ .from = 2, .to = 0x1ff },
	{ .from = 0x100000, .to = 0x7000000 },
	/* Exactly one of each size, and a few. */
	{ .from = 0, .to = 1, .gone = 0x001 },
	{ .from = 1, .to = 2, .gone = 0x002 },
	{ .from = 0, .to = 2, .gone = 0x003 },
	{ .from = 0, .to = 0x200, .gone = 0x007 },
	{ .from = 0x200, .to = 0x400, .gone = 0x008 },
	{ .from = 0x40000, .to = 0x80000, .gone = 0x040 },
	/* A byte is enough to touch; the one past the end is not touched. */
	{ .from = 0, .to = 0, .to_bytes = 1, .gone = 0x001 },
	{ .from = 0, .to = 1, .from_bytes = 4095, .gone = 0x001 },
	{ .from = 0, .to = 1, .from_bytes = 4095, .to_bytes = 1, .gone = 0x003 },
	/* A part of a large leaf takes it whole: front, middle, back, all. */
	{ .from = 0x200, .to = 0x201, .gone = 0x008 },
	{ .from = 0x2f0, .to = 0x2f1, .gone = 0x008 },
	{ .from = 0x3ff, .to = 0x400, .gone = 0x008 },
	{ .from = 0x1ff, .to = 0x201, .gone = 0x00c },
	{ .from = 0x7ff, .to = 0x40001, .gone = 0x060 },
	{ .from = 0x5ffff, .to = 0x60000, .gone = 0x040 },
	/* Shared entries stay whether touched or covered. */
	{ .from = 0x400, .to = 0x600 },
	{ .from = 0x400, .to = 0x401 },
	{ .from = 0x3ff, .to = 0x601, .gone = 0x028 },
	{ .from = 0x80000, .to = 0xc0000 },
	{ .from = 0x7ffff, .to = 0xc0001, .gone = 0x140 },
	/* Everything, and much more. */
	{ .from = 0, .to = 0x100000, .gone = ALL & ~SHARED },
	{ .from = 0, .to = 0x7ffffffUL << 7, .gone = ALL & ~SHARED },
};

static void clear_takes_what_it_touches(void **state)
{
	struct tree *t = *state;
	unsigned long base = tree_kernel(t);
	u64 entries[ARRAY_SIZE(layout)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		const struct range *r = &ranges[i];
		unsigned long tables, stores, removed;
		unsigned int left;

		make_layout(t, base, entries);
		tables = t->pt.nr_tables;
		stores = walker_stores();
		removed = asi_pt_clear(&t->pt,
				       base + r->from * PAGE_SIZE + r->from_bytes,
				       base + r->to * PAGE_SIZE + r->to_bytes);
		left = layout_left(t, base, entries);
		if (left != (ALL & ~r->gone))
			fail_msg("range %u: %#x left", i, left);
		assert_int_equal(removed, __builtin_popcount(r->gone));
		assert_int_equal(walker_stores() - stores, removed);
		assert_int_equal(t->pt.nr_tables, tables);
		tree_restart(t);
	}
}

struct unshare {
	unsigned long from, to;		/* pages */
	unsigned int gone;
};

static const struct unshare unshares[] = {
	{ 0x400, 0x600, 0x010 },
	{ 0x400, 0x401, 0x010 },
	{ 0x5ff, 0x600, 0x010 },
	{ 0x400, 0x400, 0 },
	{ 0x80000, 0xc0000, 0x080 },
	{ 0x9abcd, 0x9abce, 0x080 },
	{ 0, 0x400, 0 },
	{ 0x600, 0x80000, 0 },
	{ 0, 0x7000000, SHARED },
};

static void unshare_takes_shared_entries_only(void **state)
{
	struct tree *t = *state;
	unsigned long base = tree_kernel(t);
	u64 entries[ARRAY_SIZE(layout)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unshares); i++) {
		const struct unshare *u = &unshares[i];
		unsigned int left;

		make_layout(t, base, entries);
		asi_pt_unshare(&t->pt, base + u->from * PAGE_SIZE,
			       base + u->to * PAGE_SIZE);
		left = layout_left(t, base, entries);
		if (left != (ALL & ~u->gone))
			fail_msg("range %u: %#x left", i, left);
		tree_restart(t);
	}
}

struct update {
	unsigned long page;
	int level;
	bool refused;		/* smaller leaves, in a table of the tree's own */
	int which;		/* of the layout, or NONE */
};

#define NONE	(-1)

static const struct update updates[] = {
	{ 0x00000, ASI_PT_4K, false, 0 },
	{ 0x001ff, ASI_PT_4K, false, 2 },
	{ 0x00200, ASI_PT_2M, false, 3 },
	{ 0x00400, ASI_PT_2M, false, 4 },
	{ 0x40000, ASI_PT_1G, false, 6 },
	{ 0x80000, ASI_PT_1G, false, 7 },
	/* Nothing there. */
	{ 0x00002, ASI_PT_4K, false, NONE },
	{ 0x00800, ASI_PT_2M, false, NONE },
	{ 0x100000, ASI_PT_1G, false, NONE },
	{ 0x7000000, ASI_PT_4K, false, NONE },
	/* Something larger. */
	{ 0x00201, ASI_PT_4K, false, NONE },
	{ 0x00401, ASI_PT_4K, false, NONE },
	{ 0x40200, ASI_PT_2M, false, NONE },
	/* Something smaller. */
	{ 0x00000, ASI_PT_2M, true, NONE },
	{ 0x00000, ASI_PT_1G, true, NONE },
};

static void update_one(struct tree *t, const struct update *u, u64 entry)
{
	unsigned long base = tree_kernel(t), stores;
	u64 entries[ARRAY_SIZE(layout)];

	make_layout(t, base, entries);
	stores = walker_stores();
	assert_int_equal(asi_pt_update(&t->pt, base + u->page * PAGE_SIZE,
				       u->level, entry), !u->refused);
	assert_int_equal(walker_stores() - stores, u->which != NONE);
	if (u->which != NONE)
		entries[u->which] = entry;
	assert_int_equal(layout_left(t, base, entries),
			 entry || u->which == NONE ? ALL : ALL & ~(1U << u->which));
	tree_restart(t);
}

static void update_replaces_what_is_there(void **state)
{
	struct tree *t = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(updates); i++) {
		update_one(t, &updates[i], tree_leaf(updates[i].level, 99));
		update_one(t, &updates[i], 0);
		if (updates[i].level > ASI_PT_4K)
			update_one(t, &updates[i], tree_shared());
	}
}

/* In the root itself, and below it where a table of the tree's own is. */
static void unshare_in_the_root(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t) + 3 * asi_pt_size(t->pt.levels);
	unsigned long next = va + asi_pt_size(t->pt.levels);

	assert_int_equal(tree_set(t, va, t->pt.levels, tree_shared()), 0);
	assert_int_equal(tree_set(t, next, ASI_PT_4K, tree_leaf(1, 1)), 0);
	assert_int_equal(asi_pt_clear(&t->pt, va, next + PAGE_SIZE), 1);
	asi_pt_unshare(&t->pt, va + PAGE_SIZE, va + 2 * PAGE_SIZE);
	assert_true(!asi_pt_entry(t->pt.root, t->pt.levels, va, t->pt.levels));
}

/* The last byte cannot be named by an end; ranges up to it must still end. */
static void clear_at_the_top(void **state)
{
	struct tree *t = *state;
	int level;

	for (level = ASI_PT_4K; level <= ASI_PT_1G; level++) {
		unsigned long size = asi_pt_size(level);
		unsigned long va = -size;

		assert_int_equal(tree_set(t, va, level, tree_leaf(level, 1)), 0);
		assert_int_equal(asi_pt_clear(&t->pt, TOP, TOP), 0);
		assert_int_equal(asi_pt_clear(&t->pt, va, TOP), 1);
		assert_int_equal(tree_set(t, va, level, tree_leaf(level, 1)), 0);
		assert_int_equal(asi_pt_clear(&t->pt, TOP - 1, TOP), 1);
		assert_int_equal(tree_set(t, va, level, tree_leaf(level, 1)), 0);
		assert_int_equal(asi_pt_clear(&t->pt, tree_kernel(t), TOP), 1);
		tree_restart(t);
	}

	/* With nothing mapped up there, a step is a root entry that wraps. */
	assert_int_equal(asi_pt_clear(&t->pt, TOP - 5 * PAGE_SIZE, TOP), 0);
}

/* asi_share() knows an end of 0 as the end of everything: so must clearing. */
static void end_of_zero_is_the_top(void **state)
{
	struct tree *t = *state;
	unsigned long page = -PAGE_SIZE;
	unsigned long root = -asi_pt_size(t->pt.levels);

	assert_int_equal(tree_set(t, page, ASI_PT_4K, tree_leaf(1, 1)), 0);
	assert_int_equal(asi_pt_clear(&t->pt, page, page + PAGE_SIZE), 1);
	tree_restart(t);

	assert_int_equal(tree_set(t, root, t->pt.levels, tree_shared()), 0);
	asi_pt_unshare(&t->pt, root, 0);
	assert_true(!asi_pt_entry(t->pt.root, t->pt.levels, root,
				  t->pt.levels));
}

/*
 * The bit that marks a shared table is a software bit which leaves of the full
 * tables use as well (pte_mkspecial() in vmap_pfn(), CPA's self-test): it must
 * not make a leaf one that stays.
 */
static void leaf_may_have_the_software_bit(void **state)
{
	struct tree *t = *state;
	int level;

	for (level = ASI_PT_4K; level <= ASI_PT_1G; level++) {
		unsigned long va = tree_kernel(t) + level * (1UL << 39);
		u64 leaf = tree_leaf(level, 1) | ASI_PTE_SHARED;

		assert_int_equal(tree_set(t, va, level, leaf), 0);
		asi_pt_unshare(&t->pt, va, va + PAGE_SIZE);
		assert_true(asi_pt_lookup(t->pt.root, t->pt.levels, va).entry ==
			    leaf);
		assert_int_equal(asi_pt_clear(&t->pt, va, va + PAGE_SIZE), 1);
		assert_true(!asi_pt_lookup(t->pt.root, t->pt.levels, va).entry);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(clear_takes_what_it_touches),
		TREE_TEST(clear_at_the_top),
		TREE_TEST(end_of_zero_is_the_top),
		TREE_TEST(leaf_may_have_the_software_bit),
		TREE_TEST(unshare_takes_shared_entries_only),
		TREE_TEST(unshare_in_the_root),
		TREE_TEST(update_replaces_what_is_there),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
