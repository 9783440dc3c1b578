// SPDX-License-Identifier: GPL-2.0-only
/* options.c and output.c: what is taken, what is refused, what is left behind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "options.h"
#include "output.h"

static struct options o;

/* Words of @line, split at blanks. */
static int parse(const char *line)
{
	char *argv[256] = { "watch" }, *rest, *word;
	static char copy[4096];
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	rest = copy;
	while ((word = strsep(&rest, " ")))
		if (*word)
			argv[argc++] = word;
	argv[argc] = NULL;
	return options_parse(&o, argc, argv);
}

static void takes(void **state)
{
	(void)state;
	assert_int_equal(parse("-r a..b 12"), -1);
	assert_int_equal(o.pid, 12);
	assert_int_equal(o.nr_wanted, 1);
	assert_false(o.wanted[0].protect || o.stop || o.log || o.json);
	assert_true(o.text_gpa == 0x1000000 && !o.has_text_gpa);
	assert_true(o.interval == 1 && o.timeout == 10 && o.seconds == 0);
	assert_int_equal(parse("--protect x 12 --protect-text --stop --allow f --map m"), -1);
	assert_int_equal(o.nr_wanted, 2);
	assert_true(o.wanted[0].protect && o.wanted[1].protect && o.stop);
	assert_string_equal(o.wanted[1].text, "_text.._etext");
	assert_string_equal(o.allowed[0], "f");
	assert_int_equal(parse("-m m -r x --kaslr-offset 0x100 --text-gpa 0x2000000 --vm 3 1"),
			 -1);
	assert_true(o.has_text_gpa && o.text_gpa == 0x2000000);
	assert_int_equal(o.vm, 3);
	assert_int_equal(parse("-r x -jq --log --registers --timeout 0.5 --svg s --html h 1"),
			 -1);
	assert_true(o.json && o.quiet && o.log && o.registers);
	assert_true(o.timeout == 0.5 && o.svg && o.html);
	assert_int_equal(parse("-r x --interval 2 --color never -t 9 -n 100 1"),
			 -1);
	assert_true(!o.color && o.interval == 2 && o.seconds == 9);
	assert_int_equal(o.events, 100);
	assert_int_equal(parse("-r x --color always 1"), -1);
	assert_true(o.color);
}

static void refuses(void **state)
{
	static const char *const wrong[] = {
		"", "1", "-r x", "-r x y", "-r x 0", "-r x -1", "-r x 1 2",
		"-r x 99999999999", "--nonsense 1", "-r", "--stop -r x 1",
		"--allow f -r x 1", "--allow f -p x 1", "--kaslr-offset 1 -r x 1",
		"--json --heat -r x 1", "--timeout 0 -r x 1",
		"--timeout -1 -r x 1", "--timeout inf -r x 1",
		"--timeout nan -r x 1", "--timeout 5s -r x 1", "-n 0 -r x 1",
		"--text-gpa 0x1001 -r x 1", "--text-gpa y -r x 1",
		"--vm 64 -r x 1", "--vm -1 -r x 1", "--color blue -r x 1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(parse(wrong[i]), STATUS_USAGE);
}

static void refuses_too_many(void **state)
{
	char line[1024] = "";
	int i;

	(void)state;
	for (i = 0; i < MAX_RANGES; i++)
		strcat(line, "-r x ");
	strcat(line, "1");
	assert_int_equal(parse(line), -1);
	strcat(line, " --protect-text");
	assert_int_equal(parse(line), STATUS_USAGE);
	strcat(line, " -r x");
	assert_int_equal(parse(line), STATUS_USAGE);
}

static void is_there_as_a_whole(void **state)
{
	char dir[] = "/tmp/bulkhead.XXXXXX", path[64], part[80];
	struct output output;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x", dir);
	snprintf(part, sizeof(part), "%s.part", path);
	assert_int_equal(output_open(&output, path), 0);
	assert_int_equal(access(path, F_OK), -1);
	output_drop(&output);
	assert_int_equal(access(part, F_OK), -1);
	assert_int_equal(output_open(&output, path), 0);
	fputs("x", output.file);
	assert_int_equal(output_commit(&output), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(access(part, F_OK), -1);
	output_drop(&output);
	assert_int_equal(output_commit(&output), 0);
	unlink(path);
	rmdir(dir);
	assert_int_equal(output_open(&output, path), -ENOENT);
	assert_int_equal(output_open(&output, NULL), 0);
	assert_null(output.file);
}

/* A disk that is full is noticed, and no half of a file is left. */
static void notices_a_full_disk(void **state)
{
	char part[64];
	struct output output = { .path = "/tmp/bulkhead-full" };

	(void)state;
	snprintf(part, sizeof(part), "/tmp/bulkhead-full.part.%d", getpid());
	assert_int_equal(symlink("/dev/full", part), 0);
	memcpy(output.part, part, sizeof(part));
	output.file = fopen(part, "w");
	assert_non_null(output.file);
	fputs("x", output.file);
	assert_int_equal(output_commit(&output), -ENOSPC);
	assert_int_equal(access(output.path, F_OK), -1);
	assert_int_equal(access(part, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_too_many),
		cmocka_unit_test(is_there_as_a_whole),
		cmocka_unit_test(notices_a_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
