// SPDX-License-Identifier: GPL-2.0-only
/* ranges.c: how ranges are named, which pages they are in, what is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "image_fixture.h"
#include "ranges.h"

#define R	BULKHEAD_TRACK_READ
#define W	BULKHEAD_TRACK_WRITE
#define X	BULKHEAD_TRACK_EXEC

static char map[] =
	"ffffffff81000000 T _text\n"
	"ffffffff81002345 T victim\n"
	"ffffffff81002400 T next\n"
	"ffffffff81010000 T _etext\n"
	"ffffffff81020000 B _end\n";

static int load(void **state)
{
	(void)state;
	return load_image(map);
}

static void assert_range(const char *text, uint64_t start, uint64_t end,
			 uint32_t access)
{
	struct range range;

	assert_null(range_parse(&range, text, &image, W));
	assert_true(range.start == start && range.end == end);
	assert_int_equal(range.access, access);
}

static void parses(void **state)
{
	(void)state;
	assert_range("victim", 0x1002345, 0x1002400, W);
	assert_range("victim+0x10", 0x1002355, 0x1002356, W);
	assert_range("victim..next+1", 0x1002345, 0x1002401, W);
	assert_range("victim..+16", 0x1002345, 0x1002355, W);
	assert_range("_text.._etext", 0x1000000, 0x1010000, W);
	assert_range("_text.._end=rx", 0x1000000, 0x1020000, R | X);
	assert_range("0xffffffff81002345", 0x1002000, 0x1003000, W);
	assert_range("0xffffffff81002345..+1", 0x1002345, 0x1002346, W);
	assert_range("gpa:0x5123", 0x5000, 0x6000, W);
	assert_range("gpa:0x5123..gpa:0x5200=wWp", 0x5123, 0x5200,
		     W | BULKHEAD_TRACK_WRITTEN | BULKHEAD_TRACK_WALK);
	assert_range("gpa:0..+0x1000", 0, 0x1000, W);
}

static void refuses(void **state)
{
	static const char *const wrong[][2] = {
		{ "nobody", "names no symbol" },
		{ "victim+x", "offset" },
		{ "next..victim", "is empty" },
		{ "victim..victim", "is empty" },
		{ "victim..+0", "is empty" },
		{ "victim..+x", "size" },
		{ "victim..+-1", "size" },
		{ "0x1000", "outside of the kernel image" },
		{ "0xffffffff81020001", "outside of the kernel image" },
		{ "_end+1", "outside of the kernel image" },
		{ "gpa:", "no address" },
		{ "gpa:-1", "no address" },
		{ "gpa:0x10000000000000", "no address" },
		{ "victim=q", "none of" },
		{ "victim=p", "no access" },
		{ "victim=", "no access" },
		{ "", "names no symbol" },
	};
	struct range range;
	const char *said;
	char text[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		said = range_parse(&range, wrong[i][0], &image, W);
		assert_non_null(said);
		assert_non_null(strstr(said, wrong[i][1]));
	}
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	assert_non_null(range_parse(&range, text, &image, W));
	assert_non_null(strstr(range_parse(&range, "victim", &none, W), "--map"));
	assert_null(range_parse(&range, "gpa:0", &none, W));
}

static void add(struct ranges *ranges, const char *text, bool protect)
{
	struct range range;

	assert_null(range_parse(&range, text, &image, W));
	range.protect = protect;
	assert_true(ranges_add(ranges, &range));
}

static void assert_page(const struct bulkhead_track_range *page, uint64_t gfn,
			uint64_t npages, uint32_t access, uint32_t flags)
{
	assert_true(page->gfn == gfn && page->npages == npages);
	assert_int_equal(page->access, access);
	assert_int_equal(page->flags, flags);
}

/* Pages in several ranges get what all of them want, and are there once. */
static void merges_pages(void **state)
{
	struct bulkhead_track_range pages[2 * MAX_RANGES];
	struct ranges ranges = { .log = true };

	(void)state;
	add(&ranges, "gpa:0x3000..gpa:0x8000=r", false);
	add(&ranges, "gpa:0x4800..gpa:0x5001", true);
	add(&ranges, "gpa:0x7fff..gpa:0x8001=x", false);
	add(&ranges, "gpa:0x20000", false);
	assert_int_equal(ranges_pages(&ranges, pages), 6);
	assert_page(&pages[0], 3, 1, R, BULKHEAD_TRACK_LOG);
	assert_page(&pages[1], 4, 2, R | W, 0);
	assert_page(&pages[2], 6, 1, R, BULKHEAD_TRACK_LOG);
	assert_page(&pages[3], 7, 1, R | X, BULKHEAD_TRACK_LOG);
	assert_page(&pages[4], 8, 1, X, BULKHEAD_TRACK_LOG);
	assert_page(&pages[5], 0x20, 1, W, BULKHEAD_TRACK_LOG);
}

static void merges_pages_to_the_end(void **state)
{
	struct bulkhead_track_range pages[2 * MAX_RANGES];
	struct ranges ranges = { 0 };
	struct range range = { .access = W };
	unsigned int i;

	(void)state;
	/* Each inside of the one before: the most edges there can be. */
	for (i = 0; i < MAX_RANGES; i++) {
		range.start = i * 0x1000;
		range.end = (4 * MAX_RANGES - i) * 0x1000;
		assert_true(ranges_add(&ranges, &range));
	}
	assert_false(ranges_add(&ranges, &range));
	assert_int_equal(ranges_pages(&ranges, pages), 2 * MAX_RANGES - 1);
	assert_page(&pages[0], 0, 1, W, 0);
	assert_page(&pages[2 * MAX_RANGES - 2], 4 * MAX_RANGES - 1, 1, W, 0);
}

static void matches(void **state)
{
	struct bulkhead_track_event event = { .access = W, .len = 4 };
	struct ranges ranges = { 0 };

	(void)state;
	add(&ranges, "gpa:0x3000..gpa:0x4000", false);
	add(&ranges, "gpa:0x3100..gpa:0x3108", true);
	add(&ranges, "gpa:0x5008..+8", false);
	event.gpa = 0x3000;
	assert_ptr_equal(ranges_match(&ranges, &event), &ranges.list[0]);
	event.gpa = 0x30fd;
	assert_ptr_equal(ranges_match(&ranges, &event), &ranges.list[1]);
	event.gpa = 0x30fc;
	assert_ptr_equal(ranges_match(&ranges, &event), &ranges.list[0]);
	event.gpa = 0x5004;
	assert_null(ranges_match(&ranges, &event));
	event.gpa = 0x5005;
	assert_ptr_equal(ranges_match(&ranges, &event), &ranges.list[2]);
	event.access = R;
	assert_null(ranges_match(&ranges, &event));
	/* Whatever it is, it is somewhere on this page. */
	event.flags = BULKHEAD_TRACK_UNHANDLED;
	event.len = 0;
	event.gpa = 0x5ff0;
	assert_ptr_equal(ranges_match(&ranges, &event), &ranges.list[2]);
}

static void knows_the_image(void **state)
{
	uint64_t address;
	struct image other;

	(void)state;
	assert_true(image_address(&image, 0x1002345, &address));
	assert_true(address == 0xffffffff81002345);
	assert_false(image_address(&image, 0xffffff, &address));
	assert_false(image_address(&image, 0x1020000, &address));
	assert_false(image_address(&none, 0, &address));
	assert_false(image_init(&other, &(struct symbols){ 0 }, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(refuses),
		cmocka_unit_test(merges_pages),
		cmocka_unit_test(merges_pages_to_the_end),
		cmocka_unit_test(matches),
		cmocka_unit_test(knows_the_image),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
