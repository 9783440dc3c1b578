// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading tables, restricted or not: asi_pt_lookup(), asi_pt_entry(),
 * asi_pte_narrow(), asi_pt_walk(); and asi_pt_free(), which reads them last.
 */
#include "tree.h"

/*
 * A path of foreign tables to one leaf, as the full tables might have it:
 * entries that let everything pass except where a bit of @readonly or @noexec
 * is set (bit 1 for level 1).
 */
static u64 *make_path(int levels, unsigned long va, int level, u64 leaf,
		      unsigned int readonly, unsigned int noexec)
{
	u64 *root = arena_alloc(ARENA_FOREIGN);
	u64 *table = root;
	u64 *slot;
	int l;

	for (l = levels; ; l--) {
		slot = &table[asi_pt_index(va, l)];
		if (l == level)
			break;
		table = arena_alloc(ARENA_FOREIGN);
		*slot = __pa(table) | ASI_PT_TABLE_FLAGS;
		if (readonly & (1U << l))
			*slot &= ~ASI_PTE_WRITE;
		if (noexec & (1U << l))
			*slot |= ASI_PTE_NX;
	}
	*slot = leaf & ~(ASI_PTE_WRITE | ASI_PTE_NX);
	if (!(readonly & (1U << l)))
		*slot |= ASI_PTE_WRITE;
	if (noexec & (1U << l))
		*slot |= ASI_PTE_NX;
	return root;
}

static void check_permissions(int levels, int level, unsigned int readonly,
			      unsigned int noexec)
{
	unsigned long va = 0xffff923456789abcUL;
	struct asi_pt_leaf leaf;
	u64 *root;

	arena_reset();
	root = make_path(levels, va, level, tree_leaf(level, 5), readonly,
			 noexec);
	leaf = asi_pt_lookup(root, levels, va);
	if (leaf.level != level || !leaf.entry || leaf.write != !readonly ||
	    leaf.exec != !noexec)
		fail_msg("leaf of level %d, read only %#x, no exec %#x",
			 level, readonly, noexec);
}

/* One level that forbids is enough: all combinations. */
static void lookup_combines_permissions(void **state)
{
	int levels = (long)*state;
	unsigned int bits;
	int level;

	for (level = ASI_PT_4K; level <= ASI_PT_1G; level++) {
		unsigned int all = (2U << levels) - (1U << level);

		for (bits = 0; bits <= all; bits += 1U << level) {
			check_permissions(levels, level, bits, 0);
			check_permissions(levels, level, 0, bits);
			check_permissions(levels, level, bits, all & ~bits);
		}
	}
}

/* The walk ends at the first entry that is not present, whatever else it has. */
static void lookup_says_where_it_ended(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t) + 0x123456789000;
	unsigned long far = tree_kernel(t) + (1UL << 47) - PAGE_SIZE;
	struct asi_pt_leaf leaf;
	int level;

	assert_int_equal(asi_pt_lookup(t->pt.root, t->pt.levels, va).level,
			 t->pt.levels);
	assert_int_equal(tree_set(t, va, ASI_PT_4K, tree_leaf(1, 1)), 0);
	for (level = ASI_PT_4K; level < t->pt.levels; level++) {
		leaf = asi_pt_lookup(t->pt.root, t->pt.levels,
				     va ^ asi_pt_size(level));
		assert_true(!leaf.entry);
		assert_int_equal(leaf.level, level);
	}

	/* A hint, as the kernel leaves in entries it has made not present. */
	assert_int_equal(tree_set(t, far, ASI_PT_4K,
				  tree_leaf(1, 1) & ~ASI_PTE_PRESENT), 0);
	leaf = asi_pt_lookup(t->pt.root, t->pt.levels, far);
	assert_true(!leaf.entry);
	assert_int_equal(leaf.level, ASI_PT_4K);
	/* Which is nothing in the way either. */
	assert_int_equal(tree_set(t, far, ASI_PT_4K, tree_leaf(1, 2)), 0);
}

/* Bit 7 of the upper levels is reserved, not the mark of a leaf. */
static void lookup_knows_no_huge_leaves(void **state)
{
	int levels = (long)*state;
	unsigned long va = 0xffffffff81234567UL;
	u64 *root;

	arena_reset();
	root = make_path(levels, va, ASI_PT_2M, tree_leaf(ASI_PT_2M, 5), 0, 0);
	root[511] |= ASI_PTE_LEAF;
	assert_int_equal(asi_pt_lookup(root, levels, va).level, ASI_PT_2M);
}

static void lookup_goes_below_shared_entries(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t) + 0x5000;
	u64 *table = arena_alloc(ARENA_FOREIGN);
	struct asi_pt_leaf leaf;

	table[5] = tree_leaf(ASI_PT_4K, 9);
	walker_resync();
	assert_int_equal(tree_set(t, tree_kernel(t), ASI_PT_2M, __pa(table) |
				  ASI_PT_TABLE_FLAGS | ASI_PTE_SHARED), 0);
	leaf = asi_pt_lookup(t->pt.root, t->pt.levels, va);
	assert_true(leaf.entry == table[5]);
	assert_true(leaf.write && !leaf.exec);
}

static void entry_is_raw(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t) + 0x123456789000;
	unsigned long large = va & ~(asi_pt_size(ASI_PT_2M) - 1);
	u64 gone = tree_leaf(1, 3) & ~ASI_PTE_PRESENT;
	int level;

	/* Nothing but the root is there. */
	for (level = ASI_PT_4K; level <= t->pt.levels; level++)
		assert_true(!asi_pt_entry(t->pt.root, t->pt.levels, va, level));

	assert_int_equal(tree_set(t, large, ASI_PT_2M, tree_leaf(2, 1)), 0);
	assert_true(asi_pt_entry(t->pt.root, t->pt.levels, va, ASI_PT_2M) ==
		    tree_leaf(2, 1));
	assert_true(!asi_pt_entry(t->pt.root, t->pt.levels, va, ASI_PT_4K));

	va ^= 1UL << 21;
	assert_int_equal(tree_set(t, va, ASI_PT_4K, gone), 0);
	assert_true(asi_pt_entry(t->pt.root, t->pt.levels, va, ASI_PT_4K) ==
		    gone);
}

struct narrow {
	int level, to;
	u64 flags;
	u64 expected;		/* flags */
};

/* The bits of the manual, not the names of the code under test. */
#define P_7	(1ULL << 7)	/* large; PAT in a 4 KiB leaf */
#define P_12	(1ULL << 12)	/* PAT in a large leaf */
#define P_NX	(1ULL << 63)
#define P_REST	(0x07fULL | 1ULL << 8 | 1ULL << 9 | 1ULL << 58 | 1ULL << 62)

static const struct narrow narrows[] = {
	{ 1, 1, 0x63, 0x63 },
	{ 1, 1, 0x63 | P_7, 0x63 | P_7 },
	{ 1, 1, 0x63 | P_NX, 0x63 | P_NX },
	{ 2, 2, 0x63 | P_7, 0x63 | P_7 },
	{ 2, 2, 0x63 | P_7 | P_12, 0x63 | P_7 | P_12 },
	{ 3, 3, 0x63 | P_7 | P_12, 0x63 | P_7 | P_12 },
	{ 3, 2, 0x63 | P_7, 0x63 | P_7 },
	{ 3, 2, 0x63 | P_7 | P_12, 0x63 | P_7 | P_12 },
	{ 3, 2, 0x61 | P_7 | P_12 | P_NX, 0x61 | P_7 | P_12 | P_NX },
	{ 2, 1, 0x63 | P_7, 0x63 },
	{ 2, 1, 0x63 | P_7 | P_12, 0x63 | P_7 },
	{ 2, 1, 0x61 | P_7 | P_NX, 0x61 | P_NX },
	{ 2, 1, 0x61 | P_7 | P_12 | P_NX, 0x61 | P_7 | P_NX },
	{ 3, 1, 0x63 | P_7, 0x63 },
	{ 3, 1, 0x63 | P_7 | P_12, 0x63 | P_7 },
	{ 3, 1, 0x61 | P_7 | P_12 | P_NX, 0x61 | P_7 | P_NX },
	/* Everything else is carried over as it is. */
	{ 3, 2, P_REST | P_7, P_REST | P_7 },
	{ 3, 1, P_REST | P_7, P_REST },
	{ 2, 1, P_REST | P_7 | P_12 | P_NX, P_REST | P_7 | P_NX },
};

static void check_narrow(const struct narrow *n, unsigned long page)
{
	unsigned long size = asi_pt_size(n->level);
	unsigned long to = asi_pt_size(n->to);
	u64 phys = (0xa5a5a40000000ULL + 3 * size) & ~(u64)(size - 1);
	unsigned long offset = page * PAGE_SIZE % size;
	unsigned long va = 0xffff888000000000UL + 5 * size + offset + 0x123;
	u64 narrow = asi_pte_narrow(phys | n->flags, n->level, n->to, va);

	if (narrow != ((phys + offset / to * to) | n->expected))
		fail_msg("row %td, page %#lx: %#llx", n - narrows, page, narrow);
	if (asi_pte_phys(narrow, n->to) != phys + offset / to * to)
		fail_msg("row %td, page %#lx: phys", n - narrows, page);
}

static void narrow_keeps_what_is_mapped(void **state)
{
	static const unsigned long pages[] = {
		0, 1, 0x1ff, 0x200, 0x201, 0x12345, 0x3fe00, 0x3ffff,
	};
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(narrows); i++)
		for (j = 0; j < ARRAY_SIZE(pages); j++)
			check_narrow(&narrows[i], pages[j]);
}

/* What a walk has met, and is expected to meet. */
struct visit {
	unsigned long va;
	u64 entry;
	int level;
	bool write, exec;
};

struct recorder {
	struct asi_pt_visitor v;
	struct visit leaves[32];
	unsigned int nr_leaves;
	struct visit tables[64];
	unsigned int nr_tables;
	bool below_shared;
};

static void record_leaf(struct asi_pt_visitor *v, unsigned long va,
			const struct asi_pt_leaf *leaf)
{
	struct recorder *r = (struct recorder *)v;

	assert_true(r->nr_leaves < ARRAY_SIZE(r->leaves));
	r->leaves[r->nr_leaves++] = (struct visit) {
		va, leaf->entry, leaf->level, leaf->write, leaf->exec };
}

static bool record_table(struct asi_pt_visitor *v, unsigned long va, u64 entry,
			 int level)
{
	struct recorder *r = (struct recorder *)v;

	assert_true(r->nr_tables < ARRAY_SIZE(r->tables));
	r->tables[r->nr_tables++] = (struct visit) {
		va, entry, level, false, false };
	return r->below_shared || !(entry & ASI_PTE_SHARED);
}

static bool record_nothing(struct asi_pt_visitor *v, unsigned long va,
			   u64 entry, int level)
{
	record_table(v, va, entry, level);
	return false;
}

static void check_leaves(const struct recorder *r, const struct visit *expected,
			 unsigned int nr)
{
	unsigned int i;

	assert_int_equal(r->nr_leaves, nr);
	for (i = 0; i < nr; i++) {
		const struct visit *a = &r->leaves[i], *b = &expected[i];

		if (a->va != b->va || a->entry != b->entry ||
		    a->level != b->level || a->write != b->write ||
		    a->exec != b->exec)
			fail_msg("leaf %u: %#lx %#llx of level %d", i, a->va,
				 a->entry, a->level);
	}
}

/* Both halves, all sizes, the ends of both halves; set out of order. */
static void walk_is_in_order(void **state)
{
	struct tree *t = *state;
	unsigned long low = ~tree_kernel(t), high = tree_kernel(t);
	const struct visit leaves[] = {
		{ 0, tree_leaf(1, 1), 1, true, false },
		{ 0x3000, tree_leaf(1, 2), 1, true, false },
		{ 0x200000, tree_leaf(2, 3), 2, true, false },
		{ 0x7f0000000000, tree_leaf(3, 4), 3, true, false },
		{ low - 0xfff, tree_leaf(1, 5), 1, true, false },
		{ high, tree_leaf(2, 6), 2, true, false },
		{ high + 0x400000, tree_leaf(1, 7) & ~ASI_PTE_WRITE, 1, false,
		  false },
		{ high + 0x40000000, tree_leaf(3, 8) & ~ASI_PTE_NX, 3, true,
		  true },
		{ 0xffffffff80000000, tree_leaf(2, 9), 2, true, false },
		{ -PAGE_SIZE, tree_leaf(1, 10), 1, true, false },
	};
	struct recorder r = { .v = { .leaf = record_leaf } };
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		n = i * 7 % ARRAY_SIZE(leaves);
		assert_int_equal(tree_set(t, leaves[n].va, leaves[n].level,
					  leaves[n].entry), 0);
	}
	asi_pt_walk(t->pt.root, t->pt.levels, &r.v);
	check_leaves(&r, leaves, ARRAY_SIZE(leaves));
}

static void walk_asks_before_each_table(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t) + 0x40201000, at;
	struct recorder r = { .v = { record_leaf, record_table } };
	struct recorder none = { .v = { record_leaf, record_nothing } };
	const struct visit leaf = { va, tree_leaf(1, 1), 1, true, false };
	unsigned int i;

	assert_int_equal(tree_set(t, va, ASI_PT_4K, leaf.entry), 0);
	asi_pt_walk(t->pt.root, t->pt.levels, &r.v);
	check_leaves(&r, &leaf, 1);
	assert_int_equal(r.nr_tables, t->pt.nr_tables);
	for (i = 0; i < r.nr_tables; i++) {
		int level = t->pt.levels - i;

		at = va & ~(asi_pt_size(level) - 1);
		assert_int_equal(r.tables[i].level, level);
		assert_true(r.tables[i].va == at);
		assert_true(r.tables[i].entry ==
			    asi_pt_entry(t->pt.root, t->pt.levels, va, level));
	}

	asi_pt_walk(t->pt.root, t->pt.levels, &none.v);
	check_leaves(&none, NULL, 0);
	assert_int_equal(none.nr_tables, 1);
}

/* The auditor tells areas apart by skipping what is shared, or not. */
static void walk_skips_what_it_is_told(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t);
	u64 *table = arena_alloc(ARENA_FOREIGN);
	u64 shared = __pa(table) | ASI_PT_TABLE_FLAGS | ASI_PTE_SHARED;
	const struct visit leaves[] = {
		{ va, tree_leaf(1, 1), 1, true, false },
		{ va + 0x203000, tree_leaf(1, 2), 1, true, false },
		{ va + 0x400000, tree_leaf(2, 3), 2, true, false },
	};
	const struct visit own[] = { leaves[0], leaves[2] };
	struct recorder r = { .v = { record_leaf, record_table } };
	struct recorder all = { .v = { record_leaf, record_table },
				.below_shared = true };

	table[3] = leaves[1].entry;
	walker_resync();
	assert_int_equal(tree_set(t, va, 1, leaves[0].entry), 0);
	assert_int_equal(tree_set(t, va + 0x200000, 2, shared), 0);
	assert_int_equal(tree_set(t, va + 0x400000, 2, leaves[2].entry), 0);

	asi_pt_walk(t->pt.root, t->pt.levels, &r.v);
	check_leaves(&r, own, ARRAY_SIZE(own));
	asi_pt_walk(t->pt.root, t->pt.levels, &all.v);
	check_leaves(&all, leaves, ARRAY_SIZE(leaves));
	assert_int_equal(r.nr_tables, all.nr_tables);
}

/* A walk and a lookup agree on permissions, for all combinations. */
static void walk_combines_permissions(void **state)
{
	int levels = (long)*state;
	unsigned long va = 0xffff923456789000UL;
	unsigned int readonly, noexec;

	for (readonly = 0; readonly < 2U << levels; readonly += 2) {
		struct recorder r = { .v = { .leaf = record_leaf } };
		struct visit leaf = { va, 0, 1, !readonly, true };
		u64 *root;

		noexec = (readonly * 5) & ((2U << levels) - 2);
		arena_reset();
		root = make_path(levels, va, ASI_PT_4K, tree_leaf(1, 5),
				 readonly, noexec);
		leaf.entry = asi_pt_lookup(root, levels, va).entry;
		leaf.exec = !noexec;
		asi_pt_walk(root, levels, &r.v);
		check_leaves(&r, &leaf, 1);
	}
}

/* The order in which asi_pt_free() gives tables back. */
static void *freed[64];
static unsigned int nr_freed;

static void record_free(void *table)
{
	assert_true(nr_freed < ARRAY_SIZE(freed));
	freed[nr_freed++] = table;
	/* From here on, any look at it is an error. */
	arena_free(table);
}

/* Leaves, shared tables and tables of its own, side by side at each level. */
static void fill(struct tree *t, unsigned long va)
{
	u64 shared = tree_shared();

	assert_int_equal(tree_set(t, va, 1, tree_leaf(1, 1)), 0);
	assert_int_equal(tree_set(t, va + (1UL << 21), 2, tree_leaf(2, 1)), 0);
	/* The same foreign table may be shared at several places. */
	assert_int_equal(tree_set(t, va + (2UL << 21), 2, shared), 0);
	assert_int_equal(tree_set(t, va + (3UL << 21), 2, shared), 0);
	assert_int_equal(tree_set(t, va + (1UL << 30), 3, tree_leaf(3, 1)), 0);
	assert_int_equal(tree_set(t, va + (2UL << 30), 3, shared), 0);
	assert_int_equal(tree_set(t, va + (1UL << 39), 4, shared), 0);
}

static void free_gives_back_each_table_once(void **state)
{
	struct tree *t = *state;
	unsigned int i, foreign;

	for (i = 0; i < 4; i++)
		fill(t, tree_kernel(t) + i * (11UL << 39));
	fill(t, 0);
	/* Tables that nothing is mapped in any more are among them. */
	asi_pt_clear(&t->pt, tree_kernel(t) + (10UL << 39), TOP);
	tree_check(t);

	nr_freed = 0;
	i = t->pt.nr_tables;
	foreign = arena_count(ARENA_FOREIGN);
	walker_ignore();
	asi_pt_free(&t->pt, record_free);
	assert_int_equal(nr_freed, i);
	assert_int_equal(t->pt.nr_tables, 0);
	assert_int_equal(arena_count(ARENA_OWNED), 1);
	assert_int_equal(arena_count(ARENA_FOREIGN), foreign);
	for (i = 0; i < 512; i++)
		assert_true(!t->pt.root[i]);
	walker_watch(&t->pt);
}

/* What leads to a table of others: at its level, for all that is below. */
static void shared_entry_is_found(void **state)
{
	struct tree *t = *state;
	unsigned long va = tree_kernel(t) + (5UL << 39);
	u64 shared = tree_shared();
	int level, found = 0;

	for (level = ASI_PT_2M; level <= t->pt.levels; level++) {
		tree_restart(t);
		assert_int_equal(asi_pt_shared_entry(&t->pt, va, &found), 0);
		assert_int_equal(tree_set(t, va, level, shared), 0);
		assert_int_equal(asi_pt_shared_entry(&t->pt, va + 0x1234, &found),
				 shared);
		assert_int_equal(found, level);
		assert_int_equal(asi_pt_shared_entry(&t->pt,
						     va ^ asi_pt_size(level),
						     &found), 0);
	}
	/* In a leaf the bit means something else. */
	tree_restart(t);
	assert_int_equal(tree_set(t, va, ASI_PT_4K, tree_leaf(ASI_PT_4K, 3) |
				  ASI_PTE_SHARED), 0);
	assert_int_equal(asi_pt_shared_entry(&t->pt, va, &found), 0);
}

/* The processor's marks and our own do not make it another table. */
static void same_table_is_recognized(void **state)
{
	u64 entry = tree_shared();
	u64 marks = ASI_PTE_ACCESSED | ASI_PTE_DIRTY | ASI_PTE_SHARED;

	assert_true(asi_pte_same_table(entry, entry ^ marks));
	assert_false(asi_pte_same_table(entry, 0));
	assert_false(asi_pte_same_table(entry, entry ^ ASI_PTE_WRITE));
	assert_false(asi_pte_same_table(entry, entry ^ ASI_PTE_NX));
	assert_false(asi_pte_same_table(entry, entry ^ ASI_PTE_USER));
	assert_false(asi_pte_same_table(entry, entry ^ PAGE_SIZE));
}

/* A tree that has been freed is an empty one. */
static void free_can_be_repeated(void **state)
{
	struct tree *t = *state;

	assert_int_equal(tree_set(t, 0, 1, tree_leaf(1, 1)), 0);
	walker_ignore();
	asi_pt_free(&t->pt, arena_free);
	nr_freed = 0;
	asi_pt_free(&t->pt, record_free);
	assert_int_equal(nr_freed, 0);
	walker_watch(&t->pt);
	assert_int_equal(tree_set(t, 0, 1, tree_leaf(1, 1)), 0);
}

#define HAND_MADE(test) \
	{ #test "/4", test, NULL, NULL, (void *)4L }, \
	{ #test "/5", test, NULL, NULL, (void *)5L }

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		HAND_MADE(lookup_combines_permissions),
		TREE_TEST(lookup_says_where_it_ended),
		HAND_MADE(lookup_knows_no_huge_leaves),
		TREE_TEST(lookup_goes_below_shared_entries),
		TREE_TEST(entry_is_raw),
		cmocka_unit_test(narrow_keeps_what_is_mapped),
		TREE_TEST(walk_is_in_order),
		TREE_TEST(walk_asks_before_each_table),
		TREE_TEST(walk_skips_what_it_is_told),
		HAND_MADE(walk_combines_permissions),
		TREE_TEST(free_gives_back_each_table_once),
		TREE_TEST(free_can_be_repeated),
		TREE_TEST(shared_entry_is_found),
		TREE_TEST(same_table_is_recognized),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
