// SPDX-License-Identifier: GPL-2.0
/*
 * kcsan on|judge
 *
 * Switches the kernel's data race detector on; switches it off and tells what it
 * has found, and whether that is in a function of restricted memory. Any report
 * at all is for the boot gate to reject.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define CONTROL		"/sys/kernel/debug/kcsan"
#define TITLE		"BUG: KCSAN: data-race in "
#define MANY		1000	/* accesses watched, at least */

/* Made of the sources of restricted memory. */
static const char * const ours[] = {
#include "rmem_functions.h"
};

static bool control(const char *word)
{
	int fd = open(CONTROL, O_WRONLY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = write(fd, word, strlen(word)) == (ssize_t)strlen(word);
	close(fd);
	return good;
}

static long watched(void)
{
	FILE *file = fopen(CONTROL, "re");
	char line[128];
	long count = -1;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "setup_watchpoints: %ld", &count) == 1)
			break;
	fclose(file);
	return count;
}

static bool is_ours(const char *name)
{
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(ours); i++) {
		len = strlen(ours[i]);
		/* A part that the compiler has split off has a dot after it. */
		if (!strncmp(name, ours[i], len) &&
		    (!name[len] || name[len] == '.'))
			return true;
	}
	return false;
}

/* The title has one function or two: "A / B". */
static bool title_is_ours(char *title)
{
	char *word, *save;

	for (word = strtok_r(title, " /\n", &save); word;
	     word = strtok_r(NULL, " /\n", &save))
		if (is_ours(word))
			return true;
	return false;
}

static void judge_log(void)
{
	unsigned int races = 0, bad = 0, lost = 0;
	char line[4096], *title;
	ssize_t len;
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		die("/dev/kmsg");
	while ((len = read(fd, line, sizeof(line) - 1)) > 0 ||
	       (len < 0 && errno == EPIPE)) {
		lost += len < 0;
		line[len > 0 ? len : 0] = '\0';
		title = strstr(line, TITLE);
		if (!title)
			continue;
		title += strlen(TITLE);
		note("%.*s", (int)strcspn(title, "\n"), title);
		races++;
		bad += title_is_ours(title);
	}
	close(fd);
	check(!lost, "the log is all there");
	check(!bad, "%u races, %u of them ours", races, bad);
}

int main(int argc, char **argv)
{
	long count = watched();

	if (count < 0)
		skip("no data race detector");
	if (argc > 1 && !strcmp(argv[1], "on")) {
		check(control("on"), "switched on");
		check(is_ours("rmem_punch") && is_ours("kvm_rmem_write") &&
		      is_ours("split.isra.0") && !is_ours("split_folio"),
		      "%zu functions are ours", ARRAY_SIZE(ours));
		return report_result();
	}
	check(control("off"), "switched off");
	check(count > MANY, "%ld accesses were watched", count);
	judge_log();
	return report_result();
}
