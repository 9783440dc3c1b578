// SPDX-License-Identifier: GPL-2.0
/*
 * kexec_crash [--after]: a host with a guest in restricted memory crashes, and the
 * kernel that makes the dump looks for what was in it: it finds the pages of an
 * ordinary process, and none of the guest. Needs crashkernel= and is alone in its
 * boot, see second_kernel.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "asi_stats.h"
#include "restricted.h"
#include "second_kernel.h"
#include "vm_test.h"

#define NAME	"kexec_crash"
#define PAGE	4096UL
#define SIZE	(16UL << 20)
#define MARKED	64UL		/* pages with a mark, of each kind */
#define CHUNK	(256 * PAGE)
#define SYSRQ	"/proc/sysrq-trigger"

enum kind { SMALL, LARGE, ORDINARY, KINDS };

static const char * const names[KINDS] = {
	"4K restricted", "2M restricted", "ordinary",
};

/* Two words, of which this program has none to begin with. */
static uint64_t mark(enum kind kind, unsigned int word)
{
	volatile uint64_t x = 0x9e3779b97f4a7c15ULL;

	return x * (2 * kind + word + 1);
}

static char *marked_pages(enum kind kind)
{
	char *pages = mmap(NULL, MARKED * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	uint64_t *page;
	unsigned int i;

	if (pages == MAP_FAILED)
		die("mmap");
	for (i = 0; i < MARKED; i++) {
		page = (uint64_t *)(pages + i * PAGE);
		page[0] = mark(kind, 0);
		page[1] = mark(kind, 1);
	}
	return pages;
}

static void make_guest(struct guest_vm *vm, enum kind kind)
{
	char *pages = marked_pages(kind);

	if (guest_vm_create_restricted(vm, 1, SIZE,
				       kind == LARGE ? RMFD_HUGEPAGE : 0) ||
	    restricted_populate(vm->fd, SIZE - MARKED * PAGE, pages,
				MARKED * PAGE))
		die("create a VM");
	memset(pages, 0, MARKED * PAGE);
	munmap(pages, MARKED * PAGE);
}

static void count(const char *text, ssize_t len, unsigned long *found)
{
	const uint64_t *words;
	unsigned int kind;
	ssize_t at;

	for (at = 0; at + (ssize_t)PAGE <= len; at += PAGE) {
		words = (const uint64_t *)(text + at);
		for (kind = 0; kind < KINDS; kind++)
			found[kind] += words[0] == mark(kind, 0) &&
				       words[1] == mark(kind, 1);
	}
}

/* In the kernel that is to make a dump. */
static int search(void)
{
	int dump = open("/proc/vmcore", O_RDONLY | O_CLOEXEC);
	unsigned long found[KINDS] = { 0 }, size = 0;
	static char text[CHUNK];
	unsigned int kind;
	ssize_t len;

	check(dump >= 0, "/proc/vmcore: %s", dump < 0 ? strerror(errno) : "ok");
	while (dump >= 0 && (len = pread(dump, text, CHUNK, size)) > 0) {
		count(text, len, found);
		size += len;
	}
	check(size > 256UL << 20, "%lu MiB of memory", size >> 20);
	for (kind = 0; kind < KINDS; kind++)
		check(kind == ORDINARY ? found[kind] >= MARKED : !found[kind],
		      "%lu of %lu pages: %s", found[kind], MARKED, names[kind]);
	return report_result();
}

int main(int argc, char **argv)
{
	int kernel = second_kernel_image(), initrd, err;
	static struct guest_vm small, large;
	char line[4096];

	if (argc > 1 && !strcmp(argv[1], "--after"))
		return second_kernel_run(NAME, search);
	if (kernel < 0 || !restricted_supported())
		skip("no kernel image here, or no memfd_restricted");
	initrd = second_kernel_initrd(NAME);
	second_kernel_line(line, sizeof(line), NAME);
	err = second_kernel_load(kernel, initrd, line, KEXEC_FILE_ON_CRASH);
	if (err)
		die("load a crash kernel: %s", strerror(-err));
	make_guest(&small, SMALL);
	make_guest(&large, LARGE);
	run_payload(&small.vcpu[0], "cpuid", 1);
	marked_pages(ORDINARY);
	write_text(SYSRQ, "c");
	check(false, "still here");
	return report_result();
}
