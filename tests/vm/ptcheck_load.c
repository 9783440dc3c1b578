// SPDX-License-Identifier: GPL-2.0
/* What ordinary programs do to page tables. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ptcheck_load.h"
#include "report.h"

#define PAGE		4096UL
#define LARGE		(2UL << 20)
#define SMALL_PAGES	64
#define MOVED_PAGES	64
#define CACHE_PAGES	64
#define FOLIO_SIZE	"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif

static char *memory, *other;
static int file = -1;

static char *map(size_t size, int flags, int fd)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static char *map_private(size_t size)
{
	return map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void touch(char *p, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE)
		*(volatile char *)(p + at) = at >> 12;
}

static void look(const char *p, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE)
		(void)*(const volatile char *)(p + at);
}

static void wait_for(int pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		die("a child ended badly");
}

static void begin_fork(void)
{
	memory = map_private(SMALL_PAGES * PAGE);
	touch(memory, SMALL_PAGES * PAGE);
}

static void fork_exit(void)
{
	int pid = fork();

	if (!pid)
		_exit(0);
	wait_for(pid);
}

static void end_fork(void)
{
	munmap(memory, SMALL_PAGES * PAGE);
}

static void map_touch_unmap(void)
{
	char *p = map_private(SMALL_PAGES * PAGE);

	madvise(p, SMALL_PAGES * PAGE, MADV_NOHUGEPAGE);
	touch(p, SMALL_PAGES * PAGE);
	munmap(p, SMALL_PAGES * PAGE);
}

static char *aligned(char *p)
{
	return (char *)(((uintptr_t)p + LARGE - 1) & ~(LARGE - 1));
}

static void begin_thp(void)
{
	other = map_private(2 * LARGE);
	memory = aligned(other);
	madvise(memory, LARGE, MADV_HUGEPAGE);
}

static void thp_fault(void)
{
	*(volatile char *)memory = 1;
	madvise(memory, LARGE, MADV_DONTNEED);
}

static void end_thp(void)
{
	munmap(other, 2 * LARGE);
}

static void begin_mremap(void)
{
	memory = map_private(MOVED_PAGES * PAGE);
	other = map_private(MOVED_PAGES * PAGE);
	madvise(memory, MOVED_PAGES * PAGE, MADV_NOHUGEPAGE);
	touch(memory, MOVED_PAGES * PAGE);
}

static void move(void)
{
	char *to = mremap(memory, MOVED_PAGES * PAGE, MOVED_PAGES * PAGE,
			  MREMAP_MAYMOVE | MREMAP_FIXED, other);

	if (to == MAP_FAILED)
		die("mremap");
	other = memory;
	memory = to;
}

static void end_mremap(void)
{
	munmap(memory, MOVED_PAGES * PAGE);
	memory = other = NULL;
}

static void begin_cache(void)
{
	file = memfd_create("ptcheck", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, CACHE_PAGES * PAGE))
		die("memfd_create");
	memory = map(CACHE_PAGES * PAGE, MAP_SHARED, file);
	touch(memory, CACHE_PAGES * PAGE);
}

static void map_cache(void)
{
	char *p = map(CACHE_PAGES * PAGE, MAP_SHARED, file);

	look(p, CACHE_PAGES * PAGE);
	munmap(p, CACHE_PAGES * PAGE);
}

static void end_cache(void)
{
	munmap(memory, CACHE_PAGES * PAGE);
	close(file);
}

static void nothing(void)
{
}

const struct ptcheck_loop ptcheck_loops[] = {
	{ "fork_exit", 20, begin_fork, fork_exit, end_fork },
	{ "map_touch_unmap", 20, nothing, map_touch_unmap, nothing },
	{ "thp_fault", 10, begin_thp, thp_fault, end_thp },
	{ "mremap", 40, begin_mremap, move, end_mremap },
	{ "cache_map", 40, begin_cache, map_cache, end_cache },
	{ }
};

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		note("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Both sides of a fork write: one copies, the other keeps the page. */
static void copy_on_write(size_t size, int flags)
{
	char *p = map(size, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1);
	int pid;

	touch(p, size);
	pid = fork();
	if (!pid) {
		touch(p, size);
		_exit(p[PAGE] != 1);
	}
	touch(p, size / 2);
	wait_for(pid);
	touch(p, size);
	munmap(p, size);
}

static void protections(void)
{
	size_t size = SMALL_PAGES * PAGE;
	char *p = map_private(size);
	int pid;

	touch(p, size);
	mprotect(p, size / 2, PROT_READ);
	mprotect(p, size, PROT_NONE);
	mprotect(p, size, PROT_READ | PROT_WRITE);
	touch(p, size);
	mprotect(p, size, PROT_READ);
	pid = fork();
	if (!pid)
		_exit(0);
	wait_for(pid);
	mprotect(p, size, PROT_READ | PROT_WRITE);
	touch(p, size);
	munmap(p, size);
}

/* What a debugger does: writing where the process itself may not. */
static void forced_write(void)
{
	char *p = map_private(PAGE);
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	int pid;

	*p = 1;
	mprotect(p, PAGE, PROT_READ);
	pid = fork();
	if (!pid)
		_exit(*p != 1);
	if (fd < 0 || pwrite(fd, "x", 1, (uintptr_t)p) != 1)
		note("no forced write: %s", strerror(errno));
	wait_for(pid);
	mprotect(p, PAGE, PROT_READ | PROT_WRITE);
	*p = 2;
	close(fd);
	munmap(p, PAGE);
}

static void large_pages(void)
{
	int pid;

	begin_thp();
	thp_fault();
	touch(memory, LARGE);
	pid = fork();
	if (!pid) {
		touch(memory, LARGE / 2);
		_exit(0);
	}
	wait_for(pid);
	touch(memory, LARGE);
	madvise(memory + LARGE / 2, PAGE, MADV_DONTNEED);
	touch(memory, LARGE);
	madvise(memory, LARGE, MADV_COLLAPSE);
	touch(memory, LARGE);
	mprotect(memory, PAGE, PROT_READ);
	end_thp();
}

/* Entries that come and go together, and do not all have the same permission. */
static void folios(void)
{
	size_t size = SMALL_PAGES * PAGE;
	char *p;

	put(FOLIO_SIZE "enabled", "always");
	p = map_private(size);
	touch(p, size);
	mprotect(p + 3 * PAGE, PAGE, PROT_READ);
	mprotect(p + 20 * PAGE, 2 * PAGE, PROT_NONE);
	copy_on_write(size, 0);
	madvise(p + 5 * PAGE, 40 * PAGE, MADV_DONTNEED);
	touch(p + 24 * PAGE, size / 2);
	munmap(p, size);
	put(FOLIO_SIZE "enabled", "never");
}

static void files(void)
{
	char *p;
	int pid;

	begin_cache();
	p = map(CACHE_PAGES * PAGE, MAP_PRIVATE, file);
	look(p, CACHE_PAGES * PAGE);
	touch(p, CACHE_PAGES * PAGE / 2);
	pid = fork();
	if (!pid) {
		touch(p, CACHE_PAGES * PAGE);
		_exit(0);
	}
	wait_for(pid);
	ftruncate(file, PAGE);
	ftruncate(file, CACHE_PAGES * PAGE);
	touch(memory, CACHE_PAGES * PAGE);
	munmap(p, CACHE_PAGES * PAGE);
	end_cache();
}

/* Pages of equal content become one, and are told apart again. */
static void merging(void)
{
	size_t size = SMALL_PAGES * PAGE;
	char *p = map_private(size);

	madvise(p, size, MADV_NOHUGEPAGE);
	memset(p, 7, size);
	if (madvise(p, size, MADV_MERGEABLE)) {
		munmap(p, size);
		return;
	}
	put("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	put("/sys/kernel/mm/ksm/run", "1");
	usleep(300000);
	touch(p, size / 2);
	put("/sys/kernel/mm/ksm/run", "2");
	touch(p, size);
	munmap(p, size);
}

static void hugetlb(void)
{
	char *p;

	put("/proc/sys/vm/nr_hugepages", "6");
	p = mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p != MAP_FAILED) {
		munmap(p, 2 * LARGE);
		copy_on_write(2 * LARGE, MAP_HUGETLB);
	}
	p = mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p != MAP_FAILED) {
		touch(p, 2 * LARGE);
		mprotect(p, LARGE, PROT_READ);
		mprotect(p, LARGE, PROT_READ | PROT_WRITE);
		touch(p, 2 * LARGE);
		munmap(p, 2 * LARGE);
	}
	put("/proc/sys/vm/nr_hugepages", "0");
}

/* An entry of 1 GiB, if such a page was set aside at boot. */
static bool gigantic(void)
{
	const size_t size = 1UL << 30;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED |
		       MAP_ANONYMOUS | MAP_HUGETLB | 30 << MAP_HUGE_SHIFT, -1, 0);
	int pid;

	if (p == MAP_FAILED)
		return false;
	p[0] = p[size - 1] = 1;
	pid = fork();
	if (!pid)
		_exit(p[size - 1] != 1);
	wait_for(pid);
	mprotect(p, size, PROT_READ);
	mprotect(p, size, PROT_READ | PROT_WRITE);
	p[size / 2] = 1;
	munmap(p, size);
	return true;
}

static void reclaim(void)
{
	size_t size = SMALL_PAGES * PAGE;
	char *p = map_private(size);

	touch(p, size);
	madvise(p, size / 2, MADV_FREE);
	madvise(p, size, MADV_PAGEOUT);
	touch(p, size);
	madvise(p, size, MADV_COLD);
	put("/proc/sys/vm/compact_memory", "1");
	put("/proc/sys/vm/drop_caches", "3");
	touch(p, size);
	munmap(p, size);
}

static void all_loops(void)
{
	const struct ptcheck_loop *loop;

	for (loop = ptcheck_loops; loop->name; loop++) {
		loop->begin();
		loop->round();
		loop->round();
		loop->end();
	}
}

void ptcheck_load(unsigned int rounds)
{
	while (rounds--) {
		all_loops();
		copy_on_write(SMALL_PAGES * PAGE, 0);
		protections();
		forced_write();
		large_pages();
		folios();
		files();
		merging();
		hugetlb();
		if (gigantic())
			note("with a page of 1 GiB");
		reclaim();
		ptcheck_away();
	}
}
