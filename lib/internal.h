/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of libbulkhead share, and what older headers do not have. */
#ifndef BULKHEAD_INTERNAL_H
#define BULKHEAD_INTERNAL_H

#include <errno.h>
#include <linux/kvm.h>
#include <linux/types.h>

/* Only these leave the shared library; libbulkhead.map gives them a version. */
#define EXPORT	__attribute__((visibility("default")))

/* From the convention of system calls to ours. */
static inline int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

#ifndef KVM_MEM_GUEST_MEMFD
#define KVM_MEM_GUEST_MEMFD		(1UL << 2)
#define KVM_MEMORY_ATTRIBUTE_PRIVATE	(1ULL << 3)

struct kvm_userspace_memory_region2 {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
	__u64 guest_memfd_offset;
	__u32 guest_memfd;
	__u32 pad1;
	__u64 pad2[14];
};

struct kvm_memory_attributes {
	__u64 address;
	__u64 size;
	__u64 attributes;
	__u64 flags;
};

#define KVM_SET_USER_MEMORY_REGION2 \
	_IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#define KVM_SET_MEMORY_ATTRIBUTES \
	_IOW(KVMIO, 0xd2, struct kvm_memory_attributes)
#endif

#endif
