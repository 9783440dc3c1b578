// SPDX-License-Identifier: GPL-2.0
/* Restricted memory as user space has it: see restricted.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "restricted.h"

static int result(int ret)
{
	return ret < 0 ? -errno : ret;
}

int restricted_open(unsigned int flags)
{
	return result(syscall(NR_MEMFD_RESTRICTED, flags));
}

bool restricted_supported(void)
{
	int fd = restricted_open(0);

	if (fd >= 0)
		close(fd);
	return fd != -ENOSYS;
}

int restricted_open_sized(unsigned int flags, size_t size)
{
	int fd = restricted_open(flags);
	int err;

	if (fd < 0)
		return fd;
	err = result(ftruncate(fd, size));
	if (err)
		close(fd);
	return err ? err : fd;
}

int restricted_allocate(int fd, size_t offset, size_t size)
{
	return result(fallocate(fd, 0, offset, size));
}

int restricted_punch(int fd, size_t offset, size_t size)
{
	return result(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				offset, size));
}

long restricted_pages(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -errno : st.st_blocks / 8;
}

int restricted_slot(int vm_fd, unsigned int slot, uint64_t gpa, size_t size,
		    int fd, uint64_t offset, void *user)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)user,
		.guest_memfd = fd,
		.guest_memfd_offset = offset,
	};

	return result(ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION2, &region));
}

int restricted_slot_remove(int vm_fd, unsigned int slot)
{
	struct kvm_userspace_memory_region2 region = { .slot = slot };

	return result(ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION2, &region));
}

int restricted_populate(int vm_fd, uint64_t gpa, const void *from, size_t size)
{
	struct kvm_restrictedmem_populate populate = {
		.gpa = gpa,
		.size = size,
		.userspace_addr = (uintptr_t)from,
	};

	return result(ioctl(vm_fd, KVM_RESTRICTEDMEM_POPULATE, &populate));
}

int restricted_convert(int vm_fd, uint64_t gpa, size_t size, int private)
{
	struct kvm_memory_attributes attributes = {
		.address = gpa,
		.size = size,
		.attributes = private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
	};

	return result(ioctl(vm_fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes));
}
