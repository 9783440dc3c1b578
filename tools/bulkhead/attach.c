// SPDX-License-Identifier: GPL-2.0-only
/* Virtual machines of other processes: see attach.h. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach.h"

#define VM_LINK		"anon_inode:kvm-vm"

/* The C library of older systems has neither. */
static int open_process(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

static int get_fd(int pidfd, int number)
{
	int fd = syscall(SYS_pidfd_getfd, pidfd, number, 0);

	return fd < 0 ? -errno : fd;
}

static bool is_vm(int dir, const char *name)
{
	char target[sizeof(VM_LINK) + 1];
	ssize_t len = readlinkat(dir, name, target, sizeof(target));

	return len == strlen(VM_LINK) && !memcmp(target, VM_LINK, len);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The numbers of its descriptors that are VMs, in order; up to @max of them. */
static int find_vms(pid_t pid, int *numbers, unsigned int max, unsigned int *nr)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	*nr = 0;
	while (*nr < max && (entry = readdir(dir)))
		if (is_vm(dirfd(dir), entry->d_name))
			numbers[(*nr)++] = atoi(entry->d_name);
	closedir(dir);
	qsort(numbers, *nr, sizeof(*numbers), by_number);
	return 0;
}

int attach_vm(pid_t pid, unsigned int index, unsigned int *nr, int *pidfd)
{
	int numbers[64], fd, err;

	*nr = 0;
	*pidfd = open_process(pid);
	if (*pidfd < 0)
		return *pidfd;
	err = find_vms(pid, numbers, 64, nr);
	if (!err && index >= *nr)
		err = -ENOENT;
	fd = err ? err : get_fd(*pidfd, numbers[index]);
	if (fd < 0)
		close(*pidfd);
	return fd;
}
