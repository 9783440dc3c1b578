// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words and rules of page table check, against a list of mappings that knows
 * nothing of words. Every operation is one atomic addition, so that the orders of
 * operations tried here are all the interleavings there are.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "word.h"

#define ENTRIES	3	/* page table entries that may map the page */
#define DEPTH	6	/* operations in a row */
#define SMALL	4	/* counts below that, for what is tried exhaustively */

/* What one entry of a page table holds. */
enum entry { ABSENT, FILE_READ, FILE_WRITE, ANON_READ, ANON_WRITE, NR_ENTRIES };

struct page {
	u64 word;
	enum entry entry[ENTRIES];
};

static bool is_anon(enum entry e)
{
	return e == ANON_READ || e == ANON_WRITE;
}

static bool is_write(enum entry e)
{
	return e == FILE_WRITE || e == ANON_WRITE;
}

/* The table of the source, and nothing else. */
static bool may_coexist(enum entry a, enum entry b)
{
	if (a == ABSENT || b == ABSENT)
		return true;
	if (is_anon(a) != is_anon(b))
		return false;
	return !is_anon(a) || (!is_write(a) && !is_write(b));
}

static u64 word_of(u64 file, u64 anon, u64 write)
{
	return file * PTCHECK_FILE_ONE + anon * PTCHECK_ANON_ONE +
	       write * PTCHECK_WRITE_ONE;
}

/* The word as it would be if the entries were counted now. */
static u64 recount(const struct page *p)
{
	u64 file = 0, anon = 0, write = 0;
	int i;

	for (i = 0; i < ENTRIES; i++) {
		file += p->entry[i] != ABSENT && !is_anon(p->entry[i]);
		anon += is_anon(p->entry[i]);
		write += p->entry[i] == ANON_WRITE;
	}
	return word_of(file, anon, write);
}

/* What the engine does: add, look at the sum, and only then ask why. */
static enum ptcheck_rule operate(u64 *word, enum ptcheck_op op, bool anon)
{
	enum ptcheck_rule rule;
	u64 old = *word;

	*word += ptcheck_delta(op, anon);
	if (ptcheck_common(old, op, anon))
		return PTCHECK_ALLOWED;
	rule = ptcheck_judge(old, op, anon);
	*word += ptcheck_repair(old, op, anon, rule);
	return rule;
}

static bool conflicts(const struct page *p, int at, enum entry new)
{
	int i;

	for (i = 0; i < ENTRIES; i++)
		if (i != at && !may_coexist(p->entry[i], new))
			return true;
	return false;
}

/* Others conflict already, which has been said: saying it again is no error. */
static bool was_broken(const struct page *p, int at)
{
	int i;

	for (i = 0; i < ENTRIES; i++)
		if (i != at && conflicts(p, i, p->entry[i]))
			return true;
	return false;
}

static enum ptcheck_op op_for(enum entry old, enum entry new)
{
	if (old == ABSENT)
		return is_write(new) ? PTCHECK_MAP_WRITE : PTCHECK_MAP_READ;
	if (new == ABSENT)
		return is_write(old) ? PTCHECK_UNMAP_WRITE : PTCHECK_UNMAP_READ;
	return is_write(new) ? PTCHECK_UPGRADE : PTCHECK_DOWNGRADE;
}

/* Entries come, go, and change their permission; not their type. */
static bool is_step(enum entry old, enum entry new)
{
	return old != new && (old == ABSENT || new == ABSENT || is_anon(old) == is_anon(new));
}

static void step(struct page *p, int at, enum entry new)
{
	enum entry old = p->entry[at];
	bool adds = old == ABSENT || (new != ABSENT && is_write(new));
	bool bad = adds && conflicts(p, at, new);
	bool broken = was_broken(p, at) || conflicts(p, at, old);
	enum ptcheck_rule rule;

	rule = operate(&p->word, op_for(old, new), is_anon(old == ABSENT ? new : old));
	p->entry[at] = new;
	assert_int_equal(p->word, recount(p));
	if (bad && !broken)
		assert_int_not_equal(rule, PTCHECK_ALLOWED);
	if (!bad && !broken)
		assert_int_equal(rule, PTCHECK_ALLOWED);
	if (!adds)
		assert_int_equal(rule, PTCHECK_ALLOWED);
}

static void explore(const struct page *from, int depth)
{
	struct page p;
	int at, new;

	for (at = 0; at < ENTRIES && depth; at++) {
		for (new = 0; new < NR_ENTRIES; new++) {
			if (!is_step(from->entry[at], new))
				continue;
			p = *from;
			step(&p, at, new);
			explore(&p, depth - 1);
		}
	}
}

/* Every order of up to DEPTH operations on ENTRIES entries. */
static void every_order(void **state)
{
	const struct page p = { };

	explore(&p, DEPTH);
}

/* Two entries that must not be together, made and changed in either order. */
static void either_order(void **state)
{
	u64 word;

	word = 0;
	assert_int_equal(operate(&word, PTCHECK_MAP_WRITE, true), PTCHECK_ALLOWED);
	assert_int_equal(operate(&word, PTCHECK_MAP_READ, true), PTCHECK_ANON_SHARED_WRITE);
	word = 0;
	assert_int_equal(operate(&word, PTCHECK_MAP_READ, true), PTCHECK_ALLOWED);
	assert_int_equal(operate(&word, PTCHECK_MAP_WRITE, true), PTCHECK_ANON_SHARED_WRITE);
	word = 0;
	assert_int_equal(operate(&word, PTCHECK_MAP_READ, true), PTCHECK_ALLOWED);
	assert_int_equal(operate(&word, PTCHECK_MAP_READ, true), PTCHECK_ALLOWED);
	assert_int_equal(operate(&word, PTCHECK_UPGRADE, true), PTCHECK_ANON_SHARED_WRITE);
}

static void types_do_not_mix(void **state)
{
	u64 word = 0;

	assert_int_equal(operate(&word, PTCHECK_MAP_READ, true), PTCHECK_ALLOWED);
	assert_int_equal(operate(&word, PTCHECK_MAP_READ, false), PTCHECK_FILE_OVER_ANON);
	word = 0;
	assert_int_equal(operate(&word, PTCHECK_MAP_WRITE, false), PTCHECK_ALLOWED);
	assert_int_equal(operate(&word, PTCHECK_MAP_WRITE, false), PTCHECK_ALLOWED);
	assert_int_equal(operate(&word, PTCHECK_MAP_READ, true), PTCHECK_ANON_OVER_FILE);
}

/* What has not been counted is found out, and leaves the counts as they were. */
static void what_is_not_there(void **state)
{
	u64 word = 0;

	assert_int_equal(operate(&word, PTCHECK_UNMAP_READ, false), PTCHECK_UNMAP_NOT_MAPPED);
	assert_int_equal(operate(&word, PTCHECK_UNMAP_WRITE, true), PTCHECK_UNMAP_NOT_MAPPED);
	assert_int_equal(operate(&word, PTCHECK_UPGRADE, true), PTCHECK_UNMAP_NOT_MAPPED);
	assert_int_equal(word, 0);
	word = word_of(2, 0, 0);
	assert_int_equal(operate(&word, PTCHECK_UNMAP_READ, true), PTCHECK_UNMAP_WRONG_TYPE);
	assert_int_equal(word, word_of(2, 0, 0));
	word = word_of(0, 2, 0);
	assert_int_equal(operate(&word, PTCHECK_UNMAP_READ, false), PTCHECK_UNMAP_WRONG_TYPE);
	assert_int_equal(word, word_of(0, 2, 0));
}

/* A permission that changed behind our back: the counts fit again afterwards. */
static void miscounted(void **state)
{
	u64 word = word_of(0, 1, 1);

	assert_int_equal(operate(&word, PTCHECK_UNMAP_READ, true), PTCHECK_WRITE_MISCOUNT);
	assert_int_equal(word, 0);
	word = word_of(0, 1, 0);
	assert_int_equal(operate(&word, PTCHECK_UNMAP_WRITE, true), PTCHECK_WRITE_MISCOUNT);
	assert_int_equal(word, 0);
	word = word_of(0, 1, 0);
	assert_int_equal(operate(&word, PTCHECK_DOWNGRADE, true), PTCHECK_WRITE_MISCOUNT);
	assert_int_equal(word, word_of(0, 1, 0));
	word = word_of(0, 2, 0);
	assert_int_equal(operate(&word, PTCHECK_UNMAP_WRITE, true), PTCHECK_WRITE_MISCOUNT);
	assert_int_equal(word, word_of(0, 1, 0));
}

static void large_counts(void **state)
{
	u64 word = word_of(0x7ffffffe, 0, 0);

	assert_int_equal(operate(&word, PTCHECK_MAP_READ, false), PTCHECK_ALLOWED);
	assert_int_equal(ptcheck_counts(word).file, 0x7fffffff);
	assert_int_equal(operate(&word, PTCHECK_UNMAP_READ, false), PTCHECK_ALLOWED);
	word = word_of(0, 4UL << 20, 0);
	assert_int_equal(operate(&word, PTCHECK_MAP_READ, true), PTCHECK_ALLOWED);
	assert_int_equal(ptcheck_counts(word).anon, (4 << 20) + 1);
	assert_int_equal(operate(&word, PTCHECK_UPGRADE, true), PTCHECK_ANON_SHARED_WRITE);
	assert_int_equal(operate(&word, PTCHECK_DOWNGRADE, true), PTCHECK_ALLOWED);
	assert_int_equal(word, word_of(0, (4UL << 20) + 1, 0));
}

/* Entries that are alone, and those that share without being writable. */
static bool is_common(struct ptcheck_counts c, enum ptcheck_op op, bool anon)
{
	bool alone = !c.file && c.anon == 1;

	switch (op) {
	case PTCHECK_MAP_READ:
		return anon ? !c.file && !c.write : !c.anon;
	case PTCHECK_MAP_WRITE:
		return anon ? !c.file && !c.anon : !c.anon;
	case PTCHECK_UNMAP_READ:
		return anon ? c.anon && !c.file && !c.write : c.file && !c.anon;
	case PTCHECK_UNMAP_WRITE:
		return anon ? alone && c.write : c.file && !c.anon;
	case PTCHECK_UPGRADE:
		return anon && alone && !c.write;
	default:
		return anon && alone && c.write;
	}
}

/* These take the short ways, others do not, and the table prohibits none of them. */
static void short_ways(void **state)
{
	unsigned int file, anon, write, op, type;
	u64 old;

	for (file = 0; file < SMALL; file++)
	for (anon = 0; anon < SMALL; anon++)
	for (write = 0; write <= anon; write++)
	for (op = 0; op < PTCHECK_NR_OPS; op++)
	for (type = 0; type < 2; type++) {
		old = word_of(file, anon, write);
		assert_int_equal(ptcheck_common(old, op, type),
				 is_common(ptcheck_counts(old), op, type));
		if (ptcheck_common(old, op, type))
			assert_int_equal(ptcheck_judge(old, op, type), PTCHECK_ALLOWED);
	}
}

/* At the ends of the counts they leave it to the long one. */
static void short_ways_at_the_ends(void **state)
{
	assert_true(ptcheck_common(word_of(0x7ffffffe, 0, 0), PTCHECK_MAP_READ, false));
	assert_false(ptcheck_common(word_of(0x7fffffff, 0, 0), PTCHECK_MAP_READ, false));
	assert_false(ptcheck_common(word_of(0x7fffffff, 0, 0), PTCHECK_MAP_WRITE, false));
	assert_true(ptcheck_common(word_of(0x7fffffff, 0, 0), PTCHECK_UNMAP_READ, false));
	assert_false(ptcheck_common(word_of(0x80000000, 0, 0), PTCHECK_UNMAP_READ, false));
	assert_true(ptcheck_common(word_of(0, 0x7fffff, 0), PTCHECK_MAP_READ, true));
	assert_false(ptcheck_common(word_of(0, 0x800000, 0), PTCHECK_MAP_READ, true));
	assert_false(ptcheck_common(word_of(0, 0xffffff, 0), PTCHECK_MAP_READ, true));
	assert_false(ptcheck_common(word_of(0, 0x800000, 0), PTCHECK_UNMAP_READ, true));
	assert_false(ptcheck_common(word_of(1, 1, 1), PTCHECK_UNMAP_WRITE, true));
}

static void names_are_there(void **state)
{
	int rule, other;

	for (rule = 0; rule < PTCHECK_NR_RULES; rule++) {
		assert_non_null(ptcheck_rule_name(rule));
		assert_non_null(ptcheck_rule_text(rule));
		for (other = 0; other < rule; other++)
			assert_string_not_equal(ptcheck_rule_name(rule),
						ptcheck_rule_name(other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order),
		cmocka_unit_test(either_order),
		cmocka_unit_test(types_do_not_mix),
		cmocka_unit_test(what_is_not_there),
		cmocka_unit_test(miscounted),
		cmocka_unit_test(large_counts),
		cmocka_unit_test(short_ways),
		cmocka_unit_test(short_ways_at_the_ends),
		cmocka_unit_test(names_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
