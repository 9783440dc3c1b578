// SPDX-License-Identifier: GPL-2.0
/* Results of a test program: see report.h. Safe to use from several threads. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define RESULT_FD	3
#define LINE_LEN	512

static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int nr_checks, nr_failed;

static void to_result_fd(const char *text)
{
	/* Nobody listening is fine: the exit code says the same. */
	if (dprintf(RESULT_FD, "%s\n", text) < 0)
		errno = 0;
}

void report_data(const char *line)
{
	if (dprintf(RESULT_FD, "# DATA %s\n", line) < 0)
		errno = 0;
	puts(line);
	fflush(stdout);
}

static void say(const char *prefix, const char *text)
{
	printf("%s%s\n", prefix, text);
	fflush(stdout);
}

bool check(bool good, const char *fmt, ...)
{
	char text[LINE_LEN], line[LINE_LEN + 32];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	pthread_mutex_lock(&report_lock);
	nr_checks++;
	nr_failed += !good;
	snprintf(line, sizeof(line), "%s %u - %s", good ? "ok" : "not ok",
		 nr_checks, text);
	to_result_fd(line);
	say("", line);
	pthread_mutex_unlock(&report_lock);
	return good;
}

void note(const char *fmt, ...)
{
	char text[LINE_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say("# ", text);
}

void skip(const char *fmt, ...)
{
	char text[LINE_LEN], line[LINE_LEN + 32];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(line, sizeof(line), "ok 1 - skip: %s", text);
	to_result_fd(line);
	say("skip: ", text);
	exit(REPORT_SKIP);
}

void die(const char *fmt, ...)
{
	char text[LINE_LEN], line[LINE_LEN + 128];
	int err = errno;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(line, sizeof(line), "not ok - %s: %s", text, strerror(err));
	to_result_fd(line);
	say("", line);
	_exit(REPORT_FAIL);
}

int report_result(void)
{
	bool pass = nr_checks && !nr_failed;

	printf("%s: %u checks, %u failed\n", pass ? "PASS" : "FAIL", nr_checks,
	       nr_failed);
	return pass ? REPORT_PASS : REPORT_FAIL;
}
