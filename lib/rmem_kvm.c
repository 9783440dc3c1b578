// SPDX-License-Identifier: GPL-2.0-only
/* Guests in restricted memory: bulkhead.h has the contracts. */
#include <bulkhead.h>
#include <sys/ioctl.h>

#include "internal.h"
#include "../kernel/include/uapi/linux/kvm_restrictedmem.h"

EXPORT int bulkhead_rmem_supported(int fd)
{
	return result(ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_RESTRICTEDMEM));
}

EXPORT int bulkhead_rmem_bind(int vm_fd, const struct bulkhead_rmem_slot *slot)
{
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_GUEST_MEMFD,
	};

	if (!slot || !slot->size)
		return -EINVAL;
	region.slot = slot->id;
	region.guest_phys_addr = slot->gpa;
	region.memory_size = slot->size;
	region.userspace_addr = (uintptr_t)slot->shared;
	region.guest_memfd = slot->fd;
	region.guest_memfd_offset = slot->offset;
	return result(ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION2, &region));
}

EXPORT int bulkhead_rmem_unbind(int vm_fd, uint32_t id)
{
	struct kvm_userspace_memory_region2 region = { .slot = id };

	return result(ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION2, &region));
}

EXPORT int bulkhead_rmem_populate(int vm_fd, uint64_t gpa, const void *from,
				  size_t size, size_t *done)
{
	struct kvm_restrictedmem_populate populate = {
		.gpa = gpa,
		.size = size,
		.userspace_addr = (uintptr_t)from,
	};
	int err = result(ioctl(vm_fd, KVM_RESTRICTEDMEM_POPULATE, &populate));

	/* The kernel leaves the rest of the range there. */
	if (done)
		*done = size - populate.size;
	return err;
}

EXPORT int bulkhead_rmem_seal(int vm_fd)
{
	return result(ioctl(vm_fd, KVM_RESTRICTEDMEM_SEAL, 0));
}

EXPORT int bulkhead_rmem_convert(int vm_fd, uint64_t gpa, uint64_t size,
				 bool private_)
{
	struct kvm_memory_attributes attributes = {
		.address = gpa,
		.size = size,
		.attributes = private_ ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	return result(ioctl(vm_fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes));
}
