// SPDX-License-Identifier: GPL-2.0-only
/* The restricted file: bulkhead.h has the contracts. */
#include <assert.h>
#include <bulkhead.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../kernel/include/uapi/linux/restrictedmem.h"
#include "internal.h"

/* x86, both tables. Not one that Linux has assigned. */
#define NR_MEMFD_RESTRICTED	1451

static_assert(BULKHEAD_RMEM_CLOEXEC == RMFD_CLOEXEC, "flags of the kernel");
static_assert(BULKHEAD_RMEM_HUGEPAGE == RMFD_HUGEPAGE, "flags of the kernel");

EXPORT int bulkhead_memfd_restricted(unsigned int flags)
{
	return result(syscall(NR_MEMFD_RESTRICTED, flags));
}

EXPORT int bulkhead_rmem_create(unsigned int flags, uint64_t size)
{
	int fd, err;

	/* The kernel takes 0 for no size yet. */
	if (!size || size > INT64_MAX)
		return -EINVAL;
	fd = bulkhead_memfd_restricted(flags);
	if (fd < 0)
		return fd;
	err = result(ftruncate(fd, (off_t)size));
	if (err)
		close(fd);
	return err ? err : fd;
}

/* An offset or a length that is negative for the kernel is too large here. */
static int change(int fd, int mode, uint64_t offset, uint64_t size)
{
	if (offset > INT64_MAX || size > INT64_MAX)
		return -EINVAL;
	return result(fallocate(fd, mode, (off_t)offset, (off_t)size));
}

EXPORT int bulkhead_rmem_allocate(int fd, uint64_t offset, uint64_t size)
{
	return change(fd, 0, offset, size);
}

EXPORT int bulkhead_rmem_punch(int fd, uint64_t offset, uint64_t size)
{
	return change(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, offset,
		      size);
}

EXPORT int64_t bulkhead_rmem_pages(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -errno : st.st_blocks / 8;
}

/* What only /proc tells. False: not all of it was there. */
static bool read_fdinfo(FILE *file, struct bulkhead_rmem_info *info)
{
	unsigned int seen = 0, bound;
	char line[128];

	while (fgets(line, sizeof(line), file)) {
		seen += sscanf(line, "restrictedmem-flags: %x", &info->flags) == 1;
		if (sscanf(line, "restrictedmem-bound: %u", &bound) == 1) {
			info->bound = bound;
			seen++;
		}
	}
	return seen == 2;
}

static int add_fdinfo(int fd, struct bulkhead_rmem_info *info)
{
	char path[64];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	good = read_fdinfo(file, info);
	fclose(file);
	info->flags &= ~RMFD_CLOEXEC;
	return good ? 0 : -EINVAL;
}

EXPORT int bulkhead_rmem_info(int fd, struct bulkhead_rmem_info *info)
{
	struct bulkhead_rmem_info found = { 0 };
	struct statfs fs;
	struct stat st;
	int err;

	if (!info)
		return -EINVAL;
	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return -errno;
	if (fs.f_type != RESTRICTEDMEM_MAGIC)
		return -EINVAL;
	found.size = st.st_size;
	found.pages = st.st_blocks / 8;
	err = add_fdinfo(fd, &found);
	if (!err)
		*info = found;
	return err;
}
