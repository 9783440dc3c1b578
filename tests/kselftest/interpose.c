// SPDX-License-Identifier: GPL-2.0
/*
 * Linked into a selftest with --wrap: where the test makes a guest_memfd it gets
 * a restricted file. Assertions of `exceptions`, and no others, may fail.
 *
 * BULKHEAD_RMFD in the environment has the flags of memfd_restricted();
 * BULKHEAD_INTERRUPTS asks for guests with interrupts on.
 */
#include <bulkhead.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "interrupts.h"

#define SUCCESS		0
#define UNCHANGED	(-1)
#define EXIT_NOT_MET	99

struct exception {
	const char *assertion;
	int instead;		/* SUCCESS, UNCHANGED or an errno */
	unsigned int met;
};

/* Made of the file of that name, for one test. */
static struct exception exceptions[] = {
#include "exceptions.h"
	{ NULL }
};

static unsigned int files;
static struct {
	int vm;
	unsigned int slot;
} last;

void __real_test_assert(bool good, const char *expression, const char *file,
			unsigned int line, const char *fmt, ...);

static int fail(int err)
{
	errno = -err;
	return -1;
}

static unsigned int file_flags(void)
{
	const char *text = getenv("BULKHEAD_RMFD");

	return text ? strtoul(text, NULL, 0) : 0;
}

static void meet(int instead)
{
	struct exception *e;

	for (e = exceptions; e->assertion; e++)
		e->met += e->instead == instead;
}

static int make_file(int vm, struct kvm_create_guest_memfd *memfd)
{
	int fd;

	if (memfd->flags) {
		meet(UNCHANGED);
		return __real_ioctl(vm, KVM_CREATE_GUEST_MEMFD, memfd);
	}
	fd = bulkhead_rmem_create(file_flags() | BULKHEAD_RMEM_CLOEXEC,
				  memfd->size);
	files += fd >= 0;
	return fd < 0 ? fail(fd) : fd;
}

static int set_region(int vm, struct kvm_userspace_memory_region2 *region)
{
	int ret = __real_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, region);

	if (!ret && region->memory_size) {
		last.vm = vm;
		last.slot = region->slot;
	}
	return ret;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_CREATE_GUEST_MEMFD:
		return make_file(fd, arg);
	case KVM_SET_USER_MEMORY_REGION2:
		return set_region(fd, arg);
	case KVM_SET_REGS:
		if (getenv("BULKHEAD_INTERRUPTS"))
			return set_regs(fd, arg);
		/* fallthrough */
	default:
		return __real_ioctl(fd, request, arg);
	}
}

/* The one for an assertion that failed with @err in errno, or NULL. */
static struct exception *exception_for(const char *message, int err)
{
	struct exception *e;

	for (e = exceptions; e->assertion; e++) {
		if (strcmp(e->assertion, message))
			continue;
		if (e->instead == SUCCESS || e->instead == err)
			return e;
	}
	return NULL;
}

static bool excused(const char *message, int err)
{
	struct exception *e = exception_for(message, err);

	if (!e)
		return false;
	if (e->instead == SUCCESS && bulkhead_rmem_unbind(last.vm, last.slot))
		return false;
	e->met++;
	printf("restricted: '%s' does not hold, as expected\n", message);
	return true;
}

void __wrap_test_assert(bool good, const char *expression, const char *file,
			unsigned int line, const char *fmt, ...)
{
	char message[512] = "";
	int err = errno;
	va_list args;

	if (good)
		return;
	if (fmt) {
		va_start(args, fmt);
		vsnprintf(message, sizeof(message), fmt, args);
		va_end(args);
	}
	if (excused(message, err))
		return;
	errno = err;
	__real_test_assert(false, expression, file, line, "%s", message);
}

/* A test that met no restricted file has shown nothing. */
static void at_end(void)
{
	struct exception *e;
	bool good = files;

	printf("restricted: %u files in the place of guest_memfds\n", files);
	for (e = exceptions; e->assertion; e++) {
		if (e->met)
			continue;
		printf("restricted: '%s' was not met\n", e->assertion);
		good = false;
	}
	fflush(stdout);
	if (!good)
		_exit(EXIT_NOT_MET);
}

__attribute__((constructor)) static void at_start(void)
{
	atexit(at_end);
}
