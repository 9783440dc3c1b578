// SPDX-License-Identifier: GPL-2.0-only
/* rmem_kvm.c: what it asks of KVM, what it makes of the answers. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <bulkhead.h>

#include "../internal.h"
#include "../../kernel/include/uapi/linux/kvm_restrictedmem.h"
#include "kernel.h"

#define PAGE	4096

static void asks_for_the_capability(void **state)
{
	(void)state;
	kernel_answers(1);
	assert_int_equal(bulkhead_rmem_supported(5), 1);
	assert_int_equal(asked.fd, 5);
	assert_int_equal(asked.request, KVM_CHECK_EXTENSION);
	assert_int_equal(asked.value, KVM_CAP_RESTRICTEDMEM);
	kernel_answers(0);
	assert_int_equal(bulkhead_rmem_supported(5), 0);
	kernel_answers(-EBADF);
	assert_int_equal(bulkhead_rmem_supported(5), -EBADF);
}

static void asks_the_kernel_it_runs_on(void **state)
{
	int fd = open("/dev/null", O_RDWR);

	(void)state;
	kernel_is_real();
	assert_int_equal(bulkhead_rmem_supported(fd), -ENOTTY);
	assert_int_equal(bulkhead_rmem_seal(fd), -ENOTTY);
	assert_int_equal(bulkhead_rmem_populate(fd, 0, "", 1, NULL), -ENOTTY);
	assert_int_equal(bulkhead_rmem_unbind(fd, 0), -ENOTTY);
	assert_int_equal(bulkhead_rmem_convert(fd, 0, PAGE, true), -ENOTTY);
	close(fd);
	assert_int_equal(bulkhead_rmem_seal(fd), -EBADF);
}

static void binds(void **state)
{
	const struct bulkhead_rmem_slot slot = {
		.id = 3, .fd = 9, .gpa = 16 * PAGE, .size = 5 * PAGE,
		.offset = 2 * PAGE, .shared = (void *)0x7000,
	};
	struct kvm_userspace_memory_region2 region, expected = {
		.slot = 3, .flags = KVM_MEM_GUEST_MEMFD, .guest_memfd = 9,
		.guest_phys_addr = 16 * PAGE, .memory_size = 5 * PAGE,
		.guest_memfd_offset = 2 * PAGE, .userspace_addr = 0x7000,
	};

	(void)state;
	kernel_answers(0);
	assert_int_equal(bulkhead_rmem_bind(5, &slot), 0);
	assert_int_equal(asked.request, KVM_SET_USER_MEMORY_REGION2);
	memcpy(&region, asked.arg, sizeof(region));
	assert_memory_equal(&region, &expected, sizeof(region));
	kernel_answers(-EBUSY);
	assert_int_equal(bulkhead_rmem_bind(5, &slot), -EBUSY);
}

/* For KVM a size of zero means that the slot goes: never by accident. */
static void binds_no_nothing(void **state)
{
	const struct bulkhead_rmem_slot slot = { .id = 3, .fd = 9 };

	(void)state;
	assert_int_equal(bulkhead_rmem_bind(5, &slot), -EINVAL);
	assert_int_equal(bulkhead_rmem_bind(5, NULL), -EINVAL);
	assert_int_equal(asked.calls, 0);
}

static void unbinds(void **state)
{
	struct kvm_userspace_memory_region2 region, expected = { .slot = 8 };

	(void)state;
	kernel_answers(0);
	assert_int_equal(bulkhead_rmem_unbind(5, 8), 0);
	assert_int_equal(asked.request, KVM_SET_USER_MEMORY_REGION2);
	memcpy(&region, asked.arg, sizeof(region));
	assert_memory_equal(&region, &expected, sizeof(region));
	kernel_answers(-EINVAL);
	assert_int_equal(bulkhead_rmem_unbind(5, 8), -EINVAL);
}

static void populates(void **state)
{
	struct kvm_restrictedmem_populate ask, rest = { 0 };
	static const char text[] = "contents";
	size_t done = 1;

	(void)state;
	kernel_answers_with(0, &rest, sizeof(rest));
	assert_int_equal(bulkhead_rmem_populate(5, 77, text, 8, &done), 0);
	assert_int_equal(done, 8);
	assert_int_equal(asked.request, KVM_RESTRICTEDMEM_POPULATE);
	memcpy(&ask, asked.arg, sizeof(ask));
	assert_int_equal(ask.gpa, 77);
	assert_int_equal(ask.size, 8);
	assert_int_equal(ask.userspace_addr, (uintptr_t)text);
	assert_int_equal(ask.flags, 0);
}

static void says_how_much_is_in(void **state)
{
	struct kvm_restrictedmem_populate rest = { .size = 5 };
	size_t done = 99;

	(void)state;
	kernel_answers_with(-EINTR, &rest, sizeof(rest));
	assert_int_equal(bulkhead_rmem_populate(5, 0, "12345678", 8, &done),
			 -EINTR);
	assert_int_equal(done, 3);
	/* A kernel that does not know the call leaves the argument alone. */
	kernel_answers(-ENOTTY);
	assert_int_equal(bulkhead_rmem_populate(5, 0, "12345678", 8, &done),
			 -ENOTTY);
	assert_int_equal(done, 0);
	kernel_answers(-EPERM);
	assert_int_equal(bulkhead_rmem_populate(5, 0, "1", 1, NULL), -EPERM);
}

static void seals(void **state)
{
	(void)state;
	kernel_answers(0);
	assert_int_equal(bulkhead_rmem_seal(5), 0);
	assert_int_equal(asked.request, KVM_RESTRICTEDMEM_SEAL);
	kernel_answers(-ENOTTY);
	assert_int_equal(bulkhead_rmem_seal(5), -ENOTTY);
}

static void converts(void **state)
{
	struct kvm_memory_attributes ask;

	(void)state;
	kernel_answers(0);
	assert_int_equal(bulkhead_rmem_convert(5, PAGE, 2 * PAGE, true), 0);
	assert_int_equal(asked.request, KVM_SET_MEMORY_ATTRIBUTES);
	memcpy(&ask, asked.arg, sizeof(ask));
	assert_int_equal(ask.address, PAGE);
	assert_int_equal(ask.size, 2 * PAGE);
	assert_int_equal(ask.attributes, KVM_MEMORY_ATTRIBUTE_PRIVATE);
	assert_int_equal(ask.flags, 0);
	kernel_answers(-EINVAL);
	assert_int_equal(bulkhead_rmem_convert(5, 0, PAGE, false), -EINVAL);
	memcpy(&ask, asked.arg, sizeof(ask));
	assert_int_equal(ask.attributes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(asks_for_the_capability, kernel_reset),
		cmocka_unit_test_setup(asks_the_kernel_it_runs_on, kernel_reset),
		cmocka_unit_test_setup(binds, kernel_reset),
		cmocka_unit_test_setup(binds_no_nothing, kernel_reset),
		cmocka_unit_test_setup(unbinds, kernel_reset),
		cmocka_unit_test_setup(populates, kernel_reset),
		cmocka_unit_test_setup(says_how_much_is_in, kernel_reset),
		cmocka_unit_test_setup(seals, kernel_reset),
		cmocka_unit_test_setup(converts, kernel_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
