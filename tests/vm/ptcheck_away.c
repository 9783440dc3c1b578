// SPDX-License-Identifier: GPL-2.0
/*
 * What ordinary programs do to page tables, continued: pages that are away for a
 * while, on swap or on another node, or write-protected by userfaultfd, and the
 * memory of a process that is killed for it. In their place are entries that map
 * nothing, or less than before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ptcheck_load.h"
#include "report.h"

#define PAGE		4096UL
#define LARGE		(2UL << 20)
#define NR_PAGES	64
#define SIZE		(NR_PAGES * PAGE)
#define SWAP_PAGES	4096
#define MOVE_ALL	4		/* MPOL_MF_MOVE_ALL */

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC	(1 << 15)
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY	1
#endif

static char *map_private(size_t size, int advice)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, size, advice);
	return p;
}

static void fill(char *p, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE)
		*(volatile char *)(p + at) = (at >> 12) + 1;
}

static bool is_filled(const char *p, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE)
		if (*(const volatile char *)(p + at) != (char)((at >> 12) + 1))
			return false;
	return true;
}

/* A child that looks at all of it, and writes one half. */
static int share(char *p, size_t size)
{
	int pid = fork();

	if (pid)
		return pid;
	if (!is_filled(p, size))
		_exit(1);
	fill(p, size / 2);
	_exit(!is_filled(p, size));
}

static void join(int pid, const char *what)
{
	int status = -1;

	if (pid > 0)
		waitpid(pid, &status, 0);
	check(!status, "%s: the child ended with 0x%x", what, status);
}

/* KiB of this process that are on swap. */
static unsigned long away(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long found = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmSwap: %lu", &found);
	if (f)
		fclose(f);
	return found;
}

static char device[32];
static int loop_fd = -1;

/* A file in memory as a swap device: the pages go, whatever they go to. */
static bool attach(void)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int file = open("/tmp/swap-area", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint32_t head[1024] = { [256] = 1, [257] = SWAP_PAGES - 1 };
	int nr = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);

	memcpy((char *)head + PAGE - 10, "SWAPSPACE2", 10);
	snprintf(device, sizeof(device), "/dev/loop%d", nr);
	loop_fd = nr < 0 ? -1 : open(device, O_RDWR | O_CLOEXEC);
	if (loop_fd < 0 || file < 0 || ftruncate(file, SWAP_PAGES * PAGE) ||
	    pwrite(file, head, sizeof(head), 0) != sizeof(head))
		return false;
	close(control);
	return !ioctl(loop_fd, LOOP_SET_FD, file) && !close(file);
}

static void detach(void)
{
	ioctl(loop_fd, LOOP_CLR_FD, 0);
	close(loop_fd);
	unlink("/tmp/swap-area");
}

static int watch(char *p, size_t size)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_ASYNC,
	};
	struct uffdio_register range = {
		.range = { (uintptr_t)p, size },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		die("userfaultfd");
	return fd;
}

static void protect(int fd, char *p, size_t size, bool on)
{
	struct uffdio_writeprotect what = {
		.range = { (uintptr_t)p, size },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	check(!ioctl(fd, UFFDIO_WRITEPROTECT, &what), "write-protect %d: %s", on,
	      strerror(errno));
}

static void write_protected(char *p, size_t size)
{
	int fd, pid;

	fill(p, size);
	fd = watch(p, size);
	protect(fd, p, size, true);
	pid = share(p, size);
	fill(p, size / 4);
	join(pid, "userfaultfd");
	madvise(p, size, MADV_PAGEOUT);
	protect(fd, p + size / 2, PAGE, false);
	fill(p + size / 2, PAGE);
	protect(fd, p, size, false);
	fill(p, size);
	protect(fd, p, size, true);
	close(fd);
	fill(p, size);
	check(is_filled(p, size), "userfaultfd: the content");
	munmap(p, size);
}

static void swapping(void)
{
	char *p = map_private(SIZE, MADV_NOHUGEPAGE);
	int pid;

	fill(p, SIZE);
	madvise(p, SIZE, MADV_PAGEOUT);
	check(away() >= SIZE / 2048, "%lu KiB are on swap", away());
	pid = share(p, SIZE);
	fill(p, SIZE / 4);
	check(is_filled(p, SIZE), "back from swap");
	join(pid, "swap");
	fill(p, SIZE);
	madvise(p, SIZE, MADV_PAGEOUT);
	munmap(p + SIZE / 2, SIZE / 2);
	/* What is there comes back, entry by entry. */
	check(!swapoff(device), "swapoff: %s", strerror(errno));
	check(is_filled(p, SIZE / 2), "back from a swap that is gone");
	munmap(p, SIZE / 2);
}

static void large_watched(void)
{
	char *p = map_private(2 * LARGE, MADV_HUGEPAGE);
	char *large = (char *)(((uintptr_t)p + LARGE - 1) & ~(LARGE - 1));

	write_protected(large, LARGE);
	munmap(p, 2 * LARGE);
}

static unsigned int move_to(char *p, int node)
{
	static void *pages[NR_PAGES];
	static int nodes[NR_PAGES], status[NR_PAGES];
	unsigned int i, there = 0;

	for (i = 0; i < NR_PAGES; i++) {
		pages[i] = p + i * PAGE;
		nodes[i] = node;
		status[i] = -EINVAL;
	}
	syscall(SYS_move_pages, 0, NR_PAGES, pages, nodes, status, MOVE_ALL);
	for (i = 0; i < NR_PAGES; i++)
		there += status[i] == node;
	return there;
}

/* Pages that two processes have, one of which is at them all the time. */
static void migrating(void)
{
	char *p = map_private(SIZE, MADV_NOHUGEPAGE);
	unsigned int moved = 0;
	int i, pid;

	if (access("/sys/devices/system/node/node1", F_OK)) {
		munmap(p, SIZE);
		return;
	}
	fill(p, SIZE);
	pid = fork();
	while (!pid)
		if (!is_filled(p, SIZE))
			_exit(1);
	for (i = 0; i < 10; i++) {
		moved += move_to(p, ~i & 1);
		fill(p, SIZE / 8);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check(moved > 5 * NR_PAGES, "%u pages moved", moved);
	check(is_filled(p, SIZE), "moved, the content");
	munmap(p, SIZE);
}

/* What the OOM killer does to the memory of its victim, asked for. */
static bool reap(void)
{
	char *p = map_private(2 * LARGE, MADV_HUGEPAGE);
	int pid, fd;
	bool done;

	fill(p, 2 * LARGE);
	pid = fork();
	if (!pid) {
		fill(p, LARGE);
		pause();
	}
	usleep(20000);
	fd = syscall(SYS_pidfd_open, pid, 0);
	kill(pid, SIGKILL);
	done = !syscall(SYS_process_mrelease, fd, 0);
	waitpid(pid, NULL, 0);
	close(fd);
	check(is_filled(p, 2 * LARGE), "reaped, the rest");
	munmap(p, 2 * LARGE);
	return done;
}

static void reaping(void)
{
	unsigned int tries = 0, done = 0;

	/* The victim may be gone before anybody gets to its memory. */
	while (!done && tries++ < 20)
		done += reap();
	check(done, "reaped, after %u tries", tries);
}

void ptcheck_away(void)
{
	if (attach() && !swapon(device, 0)) {
		write_protected(map_private(SIZE, MADV_NOHUGEPAGE), SIZE);
		large_watched();
		swapping();
		detach();
	} else {
		check(false, "a swap device: %s", strerror(errno));
	}
	migrating();
	reaping();
}
