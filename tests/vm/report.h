/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a program that runs inside the booted host kernel tells what it found:
 * sentences on stdout, one TAP-like line per check on file descriptor 3 if the
 * program that started it left one open, and an exit code.
 */
#ifndef BULKHEAD_REPORT_H
#define BULKHEAD_REPORT_H

#include <stdbool.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

enum report_code {
	REPORT_PASS = 0,
	REPORT_FAIL = 1,
	REPORT_SKIP = 4,
};

/* Records one check; returns @good so that a caller can stop on a failure. */
bool check(bool good, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A remark that is no check. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* One line for a program to read: on stdout as it is, "# DATA " before on fd 3. */
void report_data(const char *line);

/* Ends the program: the machine lacks what the test needs. */
void skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* Ends the program: the test itself could not go on; prints errno. */
void die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* The value for main() to return: fails if any check failed or none ran. */
int report_result(void);

#endif
