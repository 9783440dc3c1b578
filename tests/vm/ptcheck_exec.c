// SPDX-License-Identifier: GPL-2.0
/*
 * ptcheck_exec [ROUNDS]: programs with more than 2 MiB of arguments, whose stacks
 * execve() moves by a few pages, onto themselves: the module ptcheck_stack sees to
 * that and counts. The arguments must arrive, and page table check find nothing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asi_stats.h"
#include "report.h"

#define MODULE		"/modules/ptcheck_stack.ko"
#define PARAMETERS	"/sys/module/ptcheck_stack/parameters/"
#define VIOLATIONS	"/sys/kernel/debug/page_table_check/violations"
#define AGAIN		"--again"
#define SELF		"/tests/ptcheck_exec"
#define NR_STRINGS	17
#define LENGTH		((128UL << 10) - 1)	/* the longest that execve() takes */
#define STACK_LIMIT	(64UL << 20)		/* a quarter is for arguments */

/*
 * How far stacks move. What moves at a time is in one table of entries before and
 * after: up to half of a table it may overlap itself, beyond that only others.
 */
static const unsigned int shifts[] = { 1, 2, 63, 300, 511 };

static char string[LENGTH + 1];

static char letter(unsigned int left, unsigned int i)
{
	return 'a' + (left + i) % 26;
}

/* This program in the place of itself. */
static void go_on(unsigned int left)
{
	static char copies[NR_STRINGS][LENGTH + 1];
	char number[16], *argv[NR_STRINGS + 5];
	unsigned int i;

	snprintf(number, sizeof(number), "%u", left);
	argv[0] = argv[1] = SELF;
	argv[2] = AGAIN;
	argv[3] = number;
	for (i = 0; i < NR_STRINGS; i++) {
		memset(copies[i], letter(left, i), LENGTH);
		argv[4 + i] = copies[i];
	}
	argv[4 + i] = NULL;
	execv("/proc/self/exe", argv);
	_exit(2);
}

/* What has arrived, and on to the next. */
static void again(char **argv)
{
	unsigned int left = strtoul(argv[0], NULL, 10), i;

	for (i = 0; i < NR_STRINGS; i++) {
		memset(string, letter(left, i), LENGTH);
		if (!argv[1 + i] || strcmp(argv[1 + i], string))
			_exit(1);
	}
	if (left > 1)
		go_on(left - 1);
	_exit(0);
}

static unsigned long number_in(const char *path)
{
	char text[32];

	return read_text(path, text, sizeof(text)) ? strtoul(text, NULL, 10) : 0;
}

static unsigned long violations(void)
{
	char text[2048], *line, *rest = text;
	unsigned long sum = 0, nr;

	if (!read_text(VIOLATIONS, text, sizeof(text)))
		skip("page table check is off");
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "%*s %lu", &nr) == 1)
			sum += nr;
	return sum;
}

/* As many programs, one after the other, in one process. */
static void run(unsigned int pages, unsigned int rounds)
{
	unsigned long before = number_in(PARAMETERS "overlapped"), moved;
	unsigned long found = violations();
	char text[16];
	int pid, status = -1;

	snprintf(text, sizeof(text), "%u", pages);
	check(!write_text(PARAMETERS "pages", text), "stacks move by %u pages", pages);
	pid = fork();
	if (!pid) {
		personality(ADDR_NO_RANDOMIZE);
		go_on(rounds);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork");
	moved = number_in(PARAMETERS "overlapped") - before;
	check(!status, "%u pages: arguments as they were, status 0x%x", pages, status);
	check(moved == rounds, "%u pages: %lu stacks moved onto themselves", pages, moved);
	check(violations() == found, "%u pages: %lu violations", pages,
	      violations() - found);
}

static void load_module(void)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		skip("there is no test module");
	if (syscall(SYS_finit_module, fd, "", 0))
		die("finit_module");
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
	struct rlimit limit;
	unsigned int i;

	if (argc > 2 && !strcmp(argv[1], AGAIN))
		again(argv + 2);
	violations();
	load_module();
	if (getrlimit(RLIMIT_STACK, &limit))
		die("getrlimit");
	limit.rlim_cur = STACK_LIMIT;
	if (setrlimit(RLIMIT_STACK, &limit))
		die("setrlimit");
	for (i = 0; i < ARRAY_SIZE(shifts); i++)
		run(shifts[i], rounds / ARRAY_SIZE(shifts));
	check(!syscall(SYS_delete_module, "ptcheck_stack", O_NONBLOCK),
	      "module unloaded");
	return report_result();
}
