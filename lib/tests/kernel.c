// SPDX-License-Identifier: GPL-2.0-only
/* The kernel of the tests: see kernel.h. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kernel.h"

#define ANSWERS	4

struct asked asked;
static struct {
	int ret;
	const void *arg;
	size_t size;
} answers[ANSWERS];
static unsigned int prepared, given;
static bool real;

long __real_syscall(long number, unsigned long a);
int __real_ioctl(int fd, unsigned long request, void *arg);
int __real_ftruncate64(int fd, long size);
int __real_fallocate64(int fd, int mode, long offset, long size);

void kernel_answers_with(int ret, const void *arg, size_t size)
{
	assert_true(prepared < ANSWERS);
	answers[prepared].ret = ret;
	answers[prepared].arg = arg;
	answers[prepared].size = size;
	prepared++;
	real = false;
}

void kernel_answers(int ret)
{
	kernel_answers_with(ret, NULL, 0);
}

void kernel_is_real(void)
{
	real = true;
}

int kernel_reset(void **state)
{
	(void)state;
	memset(&asked, 0, sizeof(asked));
	prepared = 0;
	given = 0;
	real = false;
	return 0;
}

/* A call that no test has an answer for is one the library must not make. */
static int answer(void *arg)
{
	int ret;

	asked.calls++;
	assert_true(given < prepared);
	if (answers[given].size)
		memcpy(arg, answers[given].arg, answers[given].size);
	ret = answers[given++].ret;
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

long __wrap_syscall(long number, unsigned long a)
{
	if (real)
		return __real_syscall(number, a);
	asked.number = number;
	asked.flags = a;
	return answer(NULL);
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	if (real)
		return __real_ioctl(fd, request, arg);
	asked.fd = fd;
	asked.request = request;
	asked.value = (unsigned long)arg;
	if (_IOC_SIZE(request))
		memcpy(asked.arg, arg, _IOC_SIZE(request));
	return answer(arg);
}

int __wrap_ftruncate64(int fd, long size)
{
	if (real)
		return __real_ftruncate64(fd, size);
	asked.fd = fd;
	asked.size = size;
	return answer(NULL);
}

int __wrap_fallocate64(int fd, int mode, long offset, long size)
{
	if (real)
		return __real_fallocate64(fd, mode, offset, size);
	asked.fd = fd;
	asked.mode = mode;
	asked.offset = offset;
	asked.size = size;
	return answer(NULL);
}
