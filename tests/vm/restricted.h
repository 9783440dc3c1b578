/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Restricted memory as user space has it: libbulkhead, in short.
 */
#ifndef BULKHEAD_RESTRICTED_H
#define BULKHEAD_RESTRICTED_H

#include <bulkhead.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "../../kernel/include/uapi/linux/kvm_restrictedmem.h"
#include "../../kernel/include/uapi/linux/restrictedmem.h"

/* Of later headers than the distribution has. */
#ifndef KVM_MEM_GUEST_MEMFD
#define KVM_MEM_GUEST_MEMFD	(1UL << 2)
#define KVM_EXIT_MEMORY_FAULT	39
#define KVM_MEMORY_ATTRIBUTE_PRIVATE	(1ULL << 3)
#define KVM_X86_SW_PROTECTED_VM	1

struct kvm_userspace_memory_region2 {
	uint32_t slot;
	uint32_t flags;
	uint64_t guest_phys_addr;
	uint64_t memory_size;
	uint64_t userspace_addr;
	uint64_t guest_memfd_offset;
	uint32_t guest_memfd;
	uint32_t pad1;
	uint64_t pad2[14];
};

struct kvm_memory_attributes {
	uint64_t address;
	uint64_t size;
	uint64_t attributes;
	uint64_t flags;
};

struct kvm_create_guest_memfd {
	uint64_t size;
	uint64_t flags;
	uint64_t reserved[6];
};

#define KVM_SET_USER_MEMORY_REGION2 \
	_IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#define KVM_SET_MEMORY_ATTRIBUTES \
	_IOW(KVMIO, 0xd2, struct kvm_memory_attributes)
#define KVM_CREATE_GUEST_MEMFD \
	_IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)
#endif

/* Whether the kernel has memfd_restricted(). */
static inline bool restricted_supported(void)
{
	int fd = bulkhead_memfd_restricted(0);

	if (fd >= 0)
		close(fd);
	return fd != -ENOSYS;
}

/* A file descriptor, or a negative errno. */
static inline int restricted_open(unsigned int flags)
{
	return bulkhead_memfd_restricted(flags);
}

/* The same with a size. */
static inline int restricted_open_sized(unsigned int flags, size_t size)
{
	return bulkhead_rmem_create(flags, size);
}

static inline int restricted_allocate(int fd, size_t offset, size_t size)
{
	return bulkhead_rmem_allocate(fd, offset, size);
}

static inline int restricted_punch(int fd, size_t offset, size_t size)
{
	return bulkhead_rmem_punch(fd, offset, size);
}

/* Pages the file has, or a negative errno. */
static inline long restricted_pages(int fd)
{
	return bulkhead_rmem_pages(fd);
}

/* Puts @size bytes of @fd behind a slot; @user is what is shared with it. */
static inline int restricted_slot(int vm_fd, unsigned int slot, uint64_t gpa,
				  size_t size, int fd, uint64_t offset,
				  void *user)
{
	const struct bulkhead_rmem_slot s = {
		.id = slot, .fd = fd, .gpa = gpa, .size = size,
		.offset = offset, .shared = user,
	};

	return bulkhead_rmem_bind(vm_fd, &s);
}

static inline int restricted_slot_remove(int vm_fd, unsigned int slot)
{
	return bulkhead_rmem_unbind(vm_fd, slot);
}

static inline int restricted_populate(int vm_fd, uint64_t gpa, const void *from,
				      size_t size)
{
	return bulkhead_rmem_populate(vm_fd, gpa, from, size, NULL);
}

/* Makes a range private, or shared again. */
static inline int restricted_convert(int vm_fd, uint64_t gpa, size_t size,
				     int private)
{
	return bulkhead_rmem_convert(vm_fd, gpa, size, private);
}

#endif
