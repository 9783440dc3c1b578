// SPDX-License-Identifier: GPL-2.0
/*
 * What copies all of a process, or all of memory: core dumps and /proc/kcore have
 * a secret that is in ordinary memory, and not one in restricted memory.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asi_stats.h"
#include "restricted.h"
#include "rmem_frames.h"
#include "vm_test.h"

#define PAGE		4096UL
#define SIZE		(16UL << 20)
#define WHERE		(GUEST_FRESH + 70 * PAGE)
#define CORE		"/tmp/restricted.core"
#define CORE_PATTERN	"/proc/sys/kernel/core_pattern"
#define SECRET		64	/* bytes */
#define IMAGE		0xffffffff80000000UL	/* the kernel's, of 1 GiB at most */
#define PRESENT		(1ULL << 63)
#define FRAME		((1ULL << 55) - 1)

/* Never in memory but where it is meant to be: made anew each time. */
static void make_secret(unsigned char *secret, unsigned int number)
{
	uint32_t x = 0x9e3779b9 * (number + 1);
	unsigned int i;

	for (i = 0; i < SECRET; i++) {
		x = x * 1664525 + 1013904223;
		secret[i] = x >> 24;
	}
}

static bool is_secret(const unsigned char *at, unsigned int number)
{
	uint32_t x = 0x9e3779b9 * (number + 1);
	unsigned int i;

	for (i = 0; i < SECRET; i++) {
		x = x * 1664525 + 1013904223;
		if (at[i] != x >> 24)
			return false;
	}
	return true;
}

static void *page_with(unsigned int number)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	make_secret(page, number);
	return page;
}

/* A VM with secret @number in its memory, and nowhere else. */
static void create(struct guest_vm *vm, unsigned int flags, unsigned int number)
{
	void *page = page_with(number);

	if (guest_vm_create_restricted(vm, 1, SIZE, flags) ||
	    restricted_populate(vm->fd, WHERE, page, PAGE))
		die("create a VM");
	memset(page, 0, SECRET);
	munmap(page, PAGE);
}

static void dump_core(unsigned int flags)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	struct guest_vm vm;

	create(&vm, flags, 1);
	page_with(2);
	setrlimit(RLIMIT_CORE, &all);
	write_text("/proc/self/coredump_filter", "0x1ff");
	write_text(CORE_PATTERN, CORE);
	signal(SIGABRT, SIG_DFL);
	abort();
}

static bool core_has(const unsigned char *core, size_t size, unsigned int number)
{
	size_t i;

	for (i = 0; i + SECRET <= size; i++)
		if (is_secret(core + i, number))
			return true;
	return false;
}

static void core_dump(unsigned int flags, const char *what)
{
	unsigned char *core = MAP_FAILED;
	int status = 0, fd;
	off_t size = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid)
		dump_core(flags);
	waitpid(pid, &status, 0);
	fd = open(CORE, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		size = lseek(fd, 0, SEEK_END);
	if (size > 0)
		core = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (check(WIFSIGNALED(status) && core != MAP_FAILED,
		  "%s: a core of %ld bytes", what, (long)size)) {
		check(!core_has(core, size, 1), "%s: without the guest", what);
		check(core_has(core, size, 2), "%s: with the process", what);
		munmap(core, size);
	}
	close(fd);
	unlink(CORE);
}

static uint64_t frame_at(const void *page)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (pread(fd, &entry, 8, (uintptr_t)page / PAGE * 8) != 8)
		entry = 0;
	close(fd);
	return entry & PRESENT ? entry & FRAME : 0;
}

/* Where the direct map of that frame is in /proc/kcore, or 0. */
static off_t place_of(int kcore, uint64_t frame)
{
	uint64_t where = frame * PAGE;
	Elf64_Ehdr head;
	Elf64_Phdr part;
	unsigned int i;

	if (pread(kcore, &head, sizeof(head), 0) != sizeof(head))
		return 0;
	for (i = 0; i < head.e_phnum; i++) {
		if (pread(kcore, &part, sizeof(part),
			  head.e_phoff + i * sizeof(part)) != sizeof(part))
			return 0;
		if (part.p_type == PT_LOAD && part.p_vaddr < IMAGE &&
		    where >= part.p_paddr &&
		    where - part.p_paddr < part.p_memsz)
			return part.p_offset + where - part.p_paddr;
	}
	return 0;
}

static bool kcore_has(int kcore, uint64_t frame, unsigned int number)
{
	unsigned char text[SECRET] = "";
	off_t place = frame ? place_of(kcore, frame) : 0;

	return check(place && pread(kcore, text, SECRET, place) == SECRET,
		     "frame %#lx is in kcore", frame) && is_secret(text, number);
}

static void kernel_core(unsigned int flags, const char *what)
{
	int kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	struct guest_vm vm;
	uint64_t frame;

	if (kcore < 0) {
		note("no /proc/kcore here");
		return;
	}
	create(&vm, flags, 3);
	run_payload(&vm.vcpu[0], "cpuid", 500);
	frame = rmem_frame_of(vm.mem_fd, WHERE / PAGE);
	check(!kcore_has(kcore, frame, 3), "%s: kcore without the guest", what);
	frame = frame_at(page_with(4));
	check(kcore_has(kcore, frame, 4), "%s: kcore with the process", what);
	guest_vm_destroy(&vm);
	close(kcore);
}

int main(void)
{
	char pattern[256];

	if (!restricted_supported())
		skip("no memfd_restricted");
	if (!read_text(CORE_PATTERN, pattern, sizeof(pattern)))
		skip("no core dumps");
	vm_test_begin();
	core_dump(0, "4K");
	core_dump(RMFD_HUGEPAGE, "2M");
	write_text(CORE_PATTERN, pattern);
	if (rmem_frames_open()) {
		kernel_core(0, "4K");
		kernel_core(RMFD_HUGEPAGE, "2M");
		rmem_frames_close();
	} else {
		note("frames are not known here");
	}
	return vm_test_end();
}
