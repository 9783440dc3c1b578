// SPDX-License-Identifier: GPL-2.0-only
/* rmem.c: what it asks of the kernel, what it makes of the answers. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bulkhead.h>

#include "kernel.h"

#define PAGE	4096

static void makes_a_file(void **state)
{
	(void)state;
	kernel_answers(42);
	assert_int_equal(bulkhead_memfd_restricted(BULKHEAD_RMEM_HUGEPAGE), 42);
	assert_int_equal(asked.number, 1451);
	assert_int_equal(asked.flags, 2);
}

/* Flags the library does not know are the kernel's business. */
static void passes_flags_on(void **state)
{
	(void)state;
	kernel_answers(-EINVAL);
	assert_int_equal(bulkhead_memfd_restricted(~0U), -EINVAL);
	assert_int_equal(asked.flags, ~0U);
}

static void tells_that_there_is_none(void **state)
{
	(void)state;
	kernel_answers(-ENOSYS);
	assert_int_equal(bulkhead_memfd_restricted(0), -ENOSYS);
	kernel_answers(-ENOSYS);
	assert_int_equal(bulkhead_rmem_create(0, PAGE), -ENOSYS);
	assert_int_equal(asked.calls, 2);
}

static void asks_the_kernel_it_runs_on(void **state)
{
	int fd;

	(void)state;
	kernel_is_real();
	fd = bulkhead_memfd_restricted(BULKHEAD_RMEM_CLOEXEC);
	if (fd >= 0) {
		assert_int_equal(bulkhead_rmem_pages(fd), 0);
		close(fd);
		return;
	}
	assert_int_equal(fd, -ENOSYS);
}

static void sets_the_size(void **state)
{
	(void)state;
	kernel_answers(42);
	kernel_answers(0);
	assert_int_equal(bulkhead_rmem_create(0, 3 * PAGE), 42);
	assert_int_equal(asked.fd, 42);
	assert_int_equal(asked.size, 3 * PAGE);
}

static void refuses_no_size(void **state)
{
	(void)state;
	assert_int_equal(bulkhead_rmem_create(0, 0), -EINVAL);
	assert_int_equal(bulkhead_rmem_create(0, UINT64_MAX), -EINVAL);
	assert_int_equal(bulkhead_rmem_create(0, 1ULL << 63), -EINVAL);
	assert_int_equal(asked.calls, 0);
}

/* A size the kernel refuses leaves nothing open. */
static void closes_what_has_no_size(void **state)
{
	int fd = dup(0);

	(void)state;
	kernel_answers(fd);
	kernel_answers(-EINVAL);
	assert_int_equal(bulkhead_rmem_create(0, 1), -EINVAL);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(errno, EBADF);
}

static void allocates(void **state)
{
	(void)state;
	kernel_answers(0);
	assert_int_equal(bulkhead_rmem_allocate(7, PAGE, 1ULL << 40), 0);
	assert_int_equal(asked.fd, 7);
	assert_int_equal(asked.mode, 0);
	assert_int_equal(asked.offset, PAGE);
	assert_int_equal(asked.size, 1LL << 40);
	kernel_answers(-EINTR);
	assert_int_equal(bulkhead_rmem_allocate(7, 0, PAGE), -EINTR);
	kernel_answers(-EHWPOISON);
	assert_int_equal(bulkhead_rmem_allocate(7, 0, PAGE), -EHWPOISON);
}

static void punches(void **state)
{
	(void)state;
	kernel_answers(0);
	assert_int_equal(bulkhead_rmem_punch(7, 2 * PAGE, PAGE), 0);
	assert_int_equal(asked.mode,
			 FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE);
	assert_int_equal(asked.offset, 2 * PAGE);
	assert_int_equal(asked.size, PAGE);
	kernel_answers(-EINVAL);
	assert_int_equal(bulkhead_rmem_punch(7, 1, PAGE), -EINVAL);
}

/* As signed numbers these would be others. */
static void refuses_what_is_too_large(void **state)
{
	(void)state;
	assert_int_equal(bulkhead_rmem_punch(7, 1ULL << 63, PAGE), -EINVAL);
	assert_int_equal(bulkhead_rmem_punch(7, 0, UINT64_MAX), -EINVAL);
	assert_int_equal(bulkhead_rmem_allocate(7, UINT64_MAX, 1), -EINVAL);
	assert_int_equal(bulkhead_rmem_allocate(7, 0, 1ULL << 63), -EINVAL);
	assert_int_equal(asked.calls, 0);
}

static void counts_pages(void **state)
{
	char bytes[3 * PAGE] = "";
	int fd = memfd_create("pages", 0);

	(void)state;
	assert_int_equal(bulkhead_rmem_pages(fd), 0);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	assert_int_equal(bulkhead_rmem_pages(fd), 3);
	close(fd);
	assert_int_equal(bulkhead_rmem_pages(fd), -EBADF);
	assert_int_equal(bulkhead_rmem_pages(-1), -EBADF);
}

/* Some other file is told from a restricted one, and the answer left alone. */
static void knows_its_files(void **state)
{
	struct bulkhead_rmem_info info, before;
	int fd = memfd_create("other", 0);

	(void)state;
	memset(&info, 0x5a, sizeof(info));
	memcpy(&before, &info, sizeof(info));
	assert_int_equal(bulkhead_rmem_info(fd, &info), -EINVAL);
	assert_int_equal(bulkhead_rmem_info(-1, &info), -EBADF);
	assert_memory_equal(&info, &before, sizeof(info));
	assert_int_equal(bulkhead_rmem_info(fd, NULL), -EINVAL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(makes_a_file, kernel_reset),
		cmocka_unit_test_setup(passes_flags_on, kernel_reset),
		cmocka_unit_test_setup(tells_that_there_is_none, kernel_reset),
		cmocka_unit_test_setup(asks_the_kernel_it_runs_on, kernel_reset),
		cmocka_unit_test_setup(sets_the_size, kernel_reset),
		cmocka_unit_test_setup(refuses_no_size, kernel_reset),
		cmocka_unit_test_setup(closes_what_has_no_size, kernel_reset),
		cmocka_unit_test_setup(allocates, kernel_reset),
		cmocka_unit_test_setup(punches, kernel_reset),
		cmocka_unit_test_setup(refuses_what_is_too_large, kernel_reset),
		cmocka_unit_test_setup(counts_pages, kernel_reset),
		cmocka_unit_test_setup(knows_its_files, kernel_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
