// SPDX-License-Identifier: GPL-2.0-only
/* symbols.c: what it reads of a System.map, and what it finds there. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "symbols.h"

static const char map[] =
	"0000000000000000 D __per_cpu_start\n"
	"00000000000001f8 A absolute\n"
	"ffffffff81000000 T _stext\n"
	"ffffffff81000000 T _text\n"
	"ffffffff81000100 t __pfx_first\n"
	"ffffffff81000110 T first\n"
	"ffffffff81000200 T __x64_alias\n"
	"ffffffff81000200 T alias\n"
	"ffffffff81000300 T _etext\n"
	"ffffffff81001000 B _end\n";

static int read_text(struct symbols *symbols, const char *text,
		     unsigned int *line)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int err;

	assert_non_null(file);
	err = symbols_read(symbols, file, line);
	fclose(file);
	return err;
}

static int load(void **state)
{
	static struct symbols symbols;
	unsigned int line;

	*state = &symbols;
	return read_text(&symbols, map, &line);
}

static int unload(void **state)
{
	symbols_free(*state);
	return 0;
}

static void finds(void **state)
{
	const struct symbols *s = *state;
	uint64_t start, end;

	assert_true(symbols_find(s, "first", &start, &end));
	assert_true(start == 0xffffffff81000110 && end == 0xffffffff81000200);
	/* One of several names, and the one that others are better than. */
	assert_true(symbols_find(s, "alias", &start, &end));
	assert_true(start == 0xffffffff81000200 && end == 0xffffffff81000300);
	assert_true(symbols_find(s, "__x64_alias", &start, &end));
	assert_true(start == 0xffffffff81000200 && end == 0xffffffff81000300);
	assert_false(symbols_find(s, "fir", &start, &end));
	assert_false(symbols_find(s, "absolute", &start, &end));
	assert_false(symbols_find(s, "__per_cpu_start", &start, &end));
	/* The last one has no end that anybody knows. */
	assert_true(symbols_find(s, "_end", &start, &end));
	assert_true(start == end);
}

static void assert_spelt(const struct symbols *s, uint64_t address,
			 const char *expected, bool named)
{
	char text[64];

	assert_int_equal(symbols_spell(s, address, text, sizeof(text)), named);
	assert_string_equal(text, expected);
}

static void spells(void **state)
{
	const struct symbols *s = *state;

	assert_spelt(s, 0xffffffff81000110, "first+0x0", true);
	assert_spelt(s, 0xffffffff810001ff, "first+0xef", true);
	assert_spelt(s, 0xffffffff81000200, "alias+0x0", true);
	assert_spelt(s, 0xffffffff81000000, "_stext+0x0", true);
	assert_spelt(s, 0xffffffff81000fff, "_etext+0xcff", true);
	assert_spelt(s, 0xffffffff81001000, "0xffffffff81001000", false);
	assert_spelt(s, 0xffffffff80ffffff, "0xffffffff80ffffff", false);
	assert_spelt(s, 0, "0x0", false);
	assert_spelt(s, UINT64_MAX, "0xffffffffffffffff", false);
}

static void follows_kaslr(void **state)
{
	struct symbols *s = *state;
	uint64_t start, end;

	s->shift = 0x12000000;
	assert_spelt(s, 0xffffffff93000111, "first+0x1", true);
	assert_spelt(s, 0xffffffff81000111, "0xffffffff81000111", false);
	assert_true(symbols_find(s, "first", &start, &end));
	assert_true(start == 0xffffffff93000110);
}

static void cuts_long_names(void **state)
{
	char text[8];

	symbols_spell(*state, 0xffffffff81000110, text, sizeof(text));
	assert_string_equal(text, "first+0");
}

static void names_the_wrong_line(void **state)
{
	static const char *const wrong[] = {
		"ffffffff81000000 T _text\nnonsense\n",
		"ffffffff81000000 T _text\nffffffff81000000 T\n",
		"ffffffff81000000 T _text\n T x\n",
		"ffffffff81000000 T _text\n1ffffffff81000000 T x\n",
		"ffffffff81000000 T _text\nffffffff81000000 T x y\n",
		"ffffffff81000000 T _text\n\nffffffff81000000 T x\n",
	};
	struct symbols s;
	unsigned int line, i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(read_text(&s, wrong[i], &line), -EINVAL);
		assert_int_equal(line, 2);
		assert_null(s.list);
	}
}

static void takes_the_last_line_without_its_end(void **state)
{
	struct symbols s;
	unsigned int line;

	(void)state;
	assert_int_equal(read_text(&s, "ffffffff81000000 T a\n"
				   "ffffffff81000010 T b", &line), 0);
	assert_int_equal(s.nr, 2);
	symbols_free(&s);
}

/* Nothing is found in nothing. */
static void is_content_without(void **state)
{
	struct symbols s = { 0 };
	uint64_t start, end;

	(void)state;
	assert_false(symbols_find(&s, "x", &start, &end));
	assert_spelt(&s, 1, "0x1", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds, load, unload),
		cmocka_unit_test_setup_teardown(spells, load, unload),
		cmocka_unit_test_setup_teardown(follows_kaslr, load, unload),
		cmocka_unit_test_setup_teardown(cuts_long_names, load, unload),
		cmocka_unit_test(names_the_wrong_line),
		cmocka_unit_test(takes_the_last_line_without_its_end),
		cmocka_unit_test(is_content_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
