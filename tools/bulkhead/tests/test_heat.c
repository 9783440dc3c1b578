// SPDX-License-Identifier: GPL-2.0-only
/* heat.c and heat_draw.c: what is counted where, and what becomes of it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "heat.h"

static const struct bulkhead_track_range two[] = {
	{ .gfn = 0x10, .npages = 2 }, { .gfn = 0x20, .npages = 1 },
};

static const struct bulkhead_track_range many[] = {
	{ .gfn = 0x1000, .npages = 3072 },
};

static struct heat heat;

static uint64_t sum(void)
{
	uint64_t all = 0;
	unsigned int row, column;

	for (row = 0; row < HEAT_ROWS; row++)
		for (column = 0; column < HEAT_COLUMNS; column++)
			all += heat.cell[row][column].accesses;
	return all;
}

static void counts_pages(void **state)
{
	(void)state;
	heat_init(&heat, two, 2, 1);
	assert_int_equal(heat.rows, 3);
	heat_add(&heat, 0, 0x10000, false);
	heat_add(&heat, 0.9, 0x10fff, false);
	heat_add(&heat, 1.0, 0x11000, true);
	heat_add(&heat, 5.5, 0x20123, false);
	heat_add(&heat, 0, 0x12000, false);
	heat_add(&heat, 0, 0xffff, false);
	assert_int_equal(sum(), 4);
	assert_int_equal(heat.columns, 6);
	assert_int_equal(heat.cell[0][0].accesses, 2);
	assert_int_equal(heat.cell[1][1].refused, 1);
	assert_int_equal(heat.cell[2][5].accesses, 1);
}

/* Every page is in the row whose first page is not above it. */
static void groups_pages(void **state)
{
	unsigned int i, row;

	(void)state;
	heat_init(&heat, many, 1, 1);
	assert_int_equal(heat.rows, HEAT_ROWS);
	for (i = 0; i < 3072; i++) {
		heat_init(&heat, many, 1, 1);
		heat_add(&heat, 0, (0x1000ULL + i) << 12, false);
		for (row = 0; !heat.cell[row][0].accesses; row++)
			;
		assert_true(heat_address(&heat, row) >> 12 <= 0x1000 + i);
		if (row + 1 < HEAT_ROWS)
			assert_true(heat_address(&heat, row + 1) >> 12 >
				    0x1000 + i);
	}
}

/* For ever, in a table of one size. */
static void merges_columns(void **state)
{
	unsigned int i;

	(void)state;
	heat_init(&heat, two, 2, 1);
	for (i = 0; i < 1000; i++)
		heat_add(&heat, i, 0x10000, i % 2);
	assert_true(heat.seconds == 16);
	assert_int_equal(heat.columns, 63);
	assert_int_equal(sum(), 1000);
	for (i = 0; i < 62; i++) {
		assert_int_equal(heat.cell[0][i].accesses, 16);
		assert_int_equal(heat.cell[0][i].refused, 8);
	}
	heat_add(&heat, 1e9, 0x10000, false);
	assert_int_equal(sum(), 1001);
	assert_true(heat.columns <= HEAT_COLUMNS);
}

static void has_levels(void **state)
{
	unsigned int last = 0, level;
	uint32_t n;

	(void)state;
	heat_init(&heat, two, 2, 1);
	assert_int_equal(heat_level(&heat, 0), 0);
	heat_add(&heat, 0, 0x10000, false);
	assert_int_equal(heat_level(&heat, 1), 9);
	heat.cell[0][0].accesses = UINT32_MAX;
	for (n = 1; n < 1U << 31; n *= 2) {
		level = heat_level(&heat, n);
		assert_true(level >= last && level >= 1 && level <= 9);
		last = level;
	}
	assert_int_equal(heat_level(&heat, UINT32_MAX), 9);
}

static void name(void *arg, uint64_t gpa, char *text, size_t size)
{
	(void)arg;
	snprintf(text, size, "<&\"%" PRIx64 "'>", gpa);
}

static char *drawn(int how)
{
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	switch (how) {
	case 0:
	case 1:
		assert_int_equal(heat_text(&heat, file, how, name, NULL), 4);
		break;
	case 2:
		heat_svg(&heat, file, "<title>", name, NULL);
		break;
	default:
		heat_html(&heat, file, "<title>", name, NULL);
	}
	fclose(file);
	return text;
}

static void fill(void)
{
	int i;

	heat_init(&heat, two, 2, 1);
	for (i = 0; i < 100; i++)
		heat_add(&heat, 0, 0x10000, false);
	heat_add(&heat, 1, 0x10000, false);
	heat_add(&heat, 1, 0x20000, true);
}

static void draws_text(void **state)
{
	char *text;

	(void)state;
	fill();
	text = drawn(0);
	assert_non_null(strstr(text, "10000'> |@.|\n"));
	assert_non_null(strstr(text, "11000'> |  |\n"));
	assert_non_null(strstr(text, "20000'> | X|\n"));
	assert_null(strchr(text, '\033'));
	free(text);
	text = drawn(1);
	assert_non_null(strchr(text, '\033'));
	free(text);
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text++;
	}
	return n;
}

/* What comes from a System.map ends no element, and begins none. */
static void draws_markup(void **state)
{
	char *text;

	(void)state;
	fill();
	text = drawn(2);
	assert_int_equal(count(text, "<svg "), 1);
	assert_int_equal(count(text, "</svg>"), 1);
	assert_int_equal(count(text, "<rect"), 4);
	assert_int_equal(count(text, "<title>"), 3);
	assert_int_equal(count(text, "class=\"r\""), 1);
	assert_non_null(strstr(text, "&#60;&#38;&#34;10000&#39;&#62;"));
	assert_non_null(strstr(text, "0 s: 100 accesses<"));
	assert_non_null(strstr(text, "1 s: 1 accesses, 1 refused<"));
	free(text);
	text = drawn(3);
	assert_int_equal(count(text, "<svg "), 1);
	assert_int_equal(count(text, "<title>"), 4);
	assert_int_equal(count(text, "<tr>"), 3);
	assert_non_null(strstr(text, "</td><td>0x10000</td><td>101</td><td>0</td>"));
	/* Nothing is loaded from anywhere. */
	assert_int_equal(count(text, "http"), 1);
	assert_int_equal(count(text, "src="), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_pages),
		cmocka_unit_test(groups_pages),
		cmocka_unit_test(merges_columns),
		cmocka_unit_test(has_levels),
		cmocka_unit_test(draws_text),
		cmocka_unit_test(draws_markup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
