// SPDX-License-Identifier: GPL-2.0
/* Reads the binary statistics KVM keeps for a virtual CPU. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm_guest.h"

/* Offset of the value called @name in the data block, or a negative errno. */
static long find_stat(int fd, const struct kvm_stats_header *header,
		      const char *name)
{
	size_t size = sizeof(struct kvm_stats_desc) + header->name_size;
	struct kvm_stats_desc *desc = malloc(size);
	long found = -ENOENT;
	unsigned int i;

	if (!desc)
		return -ENOMEM;
	for (i = 0; i < header->num_desc && found < 0; i++) {
		off_t where = header->desc_offset + i * size;

		if (pread(fd, desc, size, where) != (ssize_t)size)
			break;
		if (!strncmp(desc->name, name, header->name_size))
			found = desc->offset;
	}
	free(desc);
	return found;
}

static int read_stat(int fd, const char *name, uint64_t *value)
{
	struct kvm_stats_header header;
	long offset;

	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		return -EIO;
	offset = find_stat(fd, &header, name);
	if (offset < 0)
		return offset;
	if (pread(fd, value, sizeof(*value), header.data_offset + offset) !=
	    sizeof(*value))
		return -EIO;
	return 0;
}

/* Of a VM or a virtual CPU. */
static int stat_of(int owner, const char *name, uint64_t *value)
{
	int fd, err;

	fd = ioctl(owner, KVM_GET_STATS_FD, NULL);
	if (fd < 0)
		return -errno;
	err = read_stat(fd, name, value);
	close(fd);
	return err;
}

int guest_vcpu_stat(const struct guest_vcpu *vcpu, const char *name,
		    uint64_t *value)
{
	return stat_of(vcpu->fd, name, value);
}

int guest_vm_stat(const struct guest_vm *vm, const char *name, uint64_t *value)
{
	return stat_of(vm->fd, name, value);
}

int guest_vcpu_exits(const struct guest_vcpu *vcpu, uint64_t *exits)
{
	return guest_vcpu_stat(vcpu, "exits", exits);
}
