// SPDX-License-Identifier: GPL-2.0-only
/* tell.c: accesses in words and in JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image_fixture.h"
#include "tell.h"

static char map[] =
	"ffffffff81000000 T _text\n"
	"ffffffff81002340 T victim\n"
	"ffffffff81002400 T \"cul\\prit\n"
	"ffffffff81010000 B _end\n";

static const struct bulkhead_track_event write_event = {
	.vcpu = 2, .access = BULKHEAD_TRACK_WRITE, .gpa = 0x1002345,
	.gva = 0x7fff12345345, .rip = 0xffffffff81002411, .len = 2,
	.data = { 0x0f, 0xcc }, .regs = { .rax = 17, .cr3 = 0x1234000 },
};

static int load(void **state)
{
	(void)state;
	return load_image(map);
}

static void assert_told(const struct teller *how, bool json,
			const struct bulkhead_track_event *event,
			enum outcome outcome, const char *expected)
{
	struct teller teller = *how;
	char *text;
	size_t size;

	teller.out = open_memstream(&text, &size);
	if (json)
		tell_json(&teller, 1.5, event, outcome);
	else
		tell_text(&teller, 1.5, event, outcome);
	fclose(teller.out);
	assert_string_equal(text, expected);
	free(text);
}

static void speaks(void **state)
{
	struct bulkhead_track_event exec = { .access = BULKHEAD_TRACK_EXEC,
		.gpa = 0x1002340, .gva = 0xffffffff81002340,
		.rip = 0xffffffff81002340 };

	(void)state;
	assert_told(&(struct teller){ .image = &image }, false, &write_event,
		    OUTCOME_SKIPPED,
		    "    1.500000 vCPU 2 write   victim+0x5 (gpa:0x1002345) 2 bytes: 0fcc by \"cul\\prit+0x11 (0xffffffff81002411) -> skipped\n");
	assert_told(&(struct teller){ .image = &none }, false, &write_event,
		    OUTCOME_DONE,
		    "    1.500000 vCPU 2 write   gpa:0x1002345 2 bytes: 0fcc by 0xffffffff81002411 (0xffffffff81002411)\n");
	assert_told(&(struct teller){ .image = &image, .color = true }, false,
		    &exec, OUTCOME_DONE,
		    "    1.500000 vCPU 0 exec    victim+0x0 (gpa:0x1002340)\n");
}

static void colours_what_is_refused(void **state)
{
	struct teller teller = { .image = &none, .color = true };
	struct bulkhead_track_event read = { .access = BULKHEAD_TRACK_READ,
		.len = 1 };

	(void)state;
	assert_told(&teller, false, &read, OUTCOME_STOPPED,
		    "\033[1;31m    1.500000 vCPU 0 read    gpa:0x0 1 byte by 0x0 (0x0) -> stopped\033[0m\n");
}

static void writes_json(void **state)
{
	struct bulkhead_track_event unknown = { .gva = UINT64_MAX,
		.access = BULKHEAD_TRACK_READ, .gpa = 0x5000, .rip = 0x1000,
		.len = 8 };

	(void)state;
	assert_told(&(struct teller){ .image = &image }, true, &write_event,
		    OUTCOME_STOPPED,
		    "{\"type\": \"access\", \"time\": 1.500000, \"vcpu\": 2, \"access\": \"write\", \"gpa\": \"0x1002345\", \"gva\": \"0x7fff12345345\", \"rip\": \"0xffffffff81002411\", \"target\": \"victim+0x5\", \"code\": \"\\\"cul\\\\prit+0x11\", \"bytes\": 2, \"data\": \"0fcc\", \"outcome\": \"stopped\"}\n");
	/* No data of a read, no names without a symbol, no address that is none. */
	assert_told(&(struct teller){ .image = &image }, true, &unknown,
		    OUTCOME_DONE,
		    "{\"type\": \"access\", \"time\": 1.500000, \"vcpu\": 0, \"access\": \"read\", \"gpa\": \"0x5000\", \"rip\": \"0x1000\", \"bytes\": 8, \"outcome\": \"done\"}\n");
}

static void has_registers(void **state)
{
	struct teller teller = { .image = &none, .registers = true };
	char *text;
	size_t size;

	(void)state;
	teller.out = open_memstream(&text, &size);
	tell_json(&teller, 0, &write_event, OUTCOME_DONE);
	fclose(teller.out);
	assert_non_null(strstr(text, "\"registers\": {\"rax\": \"0x11\", \"rbx\": \"0x0\""));
	assert_non_null(strstr(text, "\"rflags\": \"0x0\", \"cr3\": \"0x1234000\"}, \"outcome\""));
	free(text);
}

/* More bytes than an event has room for are as many as it has. */
static void cuts_data(void **state)
{
	struct teller teller = { .image = &none };
	struct bulkhead_track_event event = write_event;
	char *text;
	size_t size;

	(void)state;
	event.len = 4096;
	teller.out = open_memstream(&text, &size);
	tell_json(&teller, 0, &event, OUTCOME_DONE);
	fclose(teller.out);
	assert_int_equal(strspn(strstr(text, "0fcc"), "0123456789abcdef"),
			 2 * BULKHEAD_TRACK_DATA_BYTES);
	free(text);
}

static void escapes(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	tell_json_string(out, "a\"\\\n\x7f\xc3");
	fclose(out);
	assert_string_equal(text, "\"a\\\"\\\\\\u000a\\u007f\\u00c3\"");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks),
		cmocka_unit_test(colours_what_is_refused),
		cmocka_unit_test(writes_json),
		cmocka_unit_test(has_registers),
		cmocka_unit_test(cuts_data),
		cmocka_unit_test(escapes),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
