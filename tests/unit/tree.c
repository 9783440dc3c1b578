// SPDX-License-Identifier: GPL-2.0-only
/* The fixture of the page table tests. */
#include <stdlib.h>

#include "tree.h"

int tree_setup(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));

	arena_reset();
	t->pt.levels = (long)*state;
	t->pt.root = arena_alloc(ARENA_OWNED);
	walker_watch(&t->pt);
	*state = t;
	return 0;
}

void tree_restart(struct tree *t)
{
	unsigned int foreign = arena_count(ARENA_FOREIGN);

	tree_check(t);
	walker_ignore();
	asi_pt_free(&t->pt, arena_free);
	assert_int_equal(t->pt.nr_tables, 0);
	assert_int_equal(arena_count(ARENA_OWNED), 1);
	assert_int_equal(arena_count(ARENA_FOREIGN), foreign);
	walker_watch(&t->pt);
	t->spares = 0;
}

int tree_teardown(void **state)
{
	struct tree *t = *state;

	tree_restart(t);
	walker_ignore();
	free(t);
	return 0;
}

int tree_set(struct tree *t, unsigned long va, int level, u64 entry)
{
	void *spare = NULL;
	int err;

	for (;;) {
		err = asi_pt_set(&t->pt, va, level, entry, &spare);
		if (err != -EAGAIN)
			break;
		assert_null(spare);
		spare = arena_alloc(ARENA_OWNED);
		if (!spare)
			return -ENOMEM;
		walker_resync();
		t->spares++;
	}
	/* The last page asked for was needed. */
	assert_null(spare);
	return err;
}

void tree_check(struct tree *t)
{
	unsigned long tables = walker_tables();

	if (walker_error())
		fail_msg("%s", walker_error());
	assert_int_equal(tables, t->pt.nr_tables);
	assert_int_equal(arena_count(ARENA_OWNED), tables + 1);
}

static u64 table_sum(const u64 *table, int level)
{
	u64 sum = level;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		sum = (sum ^ table[i]) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 29;
		if (asi_pte_present(table[i]) && !asi_pte_leaf(table[i], level) &&
		    !(table[i] & ASI_PTE_SHARED))
			sum += table_sum(__va(table[i] & ASI_PTE_ADDR), level - 1);
	}
	return sum;
}

u64 tree_sum(struct tree *t)
{
	return table_sum(t->pt.root, t->pt.levels);
}

u64 tree_leaf(int level, unsigned long n)
{
	u64 entry = DATA | (n << (12 + 9 * (level - 1)));

	return level == ASI_PT_4K ? entry : entry | ASI_PTE_LEAF;
}

u64 tree_shared(void)
{
	void *table = arena_alloc(ARENA_FOREIGN);

	assert_non_null(table);
	walker_resync();
	return __pa(table) | ASI_PT_TABLE_FLAGS | ASI_PTE_SHARED;
}

u64 tree_mapping(bool shared, int level, unsigned long n)
{
	return shared ? tree_shared() : tree_leaf(level, n);
}

unsigned long tree_kernel(const struct tree *t)
{
	return -1UL << (12 + 9 * t->pt.levels - 1);
}
