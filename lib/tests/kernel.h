/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * In the place of the kernel: the system calls of the library end here, which
 * notes what was asked and answers what the test has prepared.
 */
#ifndef BULKHEAD_TESTS_KERNEL_H
#define BULKHEAD_TESTS_KERNEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct asked {
	unsigned int calls;	/* of all kinds */
	long number;		/* syscall() */
	unsigned int flags;
	int fd;			/* ioctl(), fallocate(), ftruncate() */
	unsigned long request;	/* ioctl() */
	unsigned long value;
	unsigned char arg[256];	/* what it pointed to */
	int mode;		/* fallocate() */
	int64_t offset, size;
};

extern struct asked asked;

/* The next call returns @ret, or fails with -@ret. One call each. */
void kernel_answers(int ret);

/* The same, and copies @size bytes to the argument of an ioctl. */
void kernel_answers_with(int ret, const void *arg, size_t size);

/* From here on the calls are the real ones; kernel_answers() ends it. */
void kernel_is_real(void);

/* For cmocka: nothing asked, nothing prepared. */
int kernel_reset(void **state);

#endif
