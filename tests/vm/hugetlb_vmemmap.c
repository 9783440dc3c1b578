// SPDX-License-Identifier: GPL-2.0
/*
 * hugetlb_vmemmap [ROUNDS]: HugeTLB pages come and go while guests run. With
 * hugetlb_optimize_vmemmap the kernel rewrites the tables of the vmemmap for each
 * of them and frees most of the memory below, which instances share.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vm_test.h"

#define OPTIMIZE	"/proc/sys/vm/hugetlb_optimize_vmemmap"
#define NR		"/proc/sys/vm/nr_hugepages"
#define HUGE_SIZE	(2UL << 20)
#define WANTED		24
#define ROUNDS		10

static struct busy_vm busy;
static struct guest_vm vm;

static unsigned long nr_huge(unsigned long wanted)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", wanted);
	write_text(NR, text);
	return read_text(NR, text, sizeof(text)) ? strtoul(text, NULL, 10) : 0;
}

/* Pages of the vmemmap, from boot and later. */
static unsigned long memmap_pages(void)
{
	unsigned long nr, sum = 0;
	char line[128];
	FILE *f = fopen("/proc/vmstat", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "nr_memmap_pages %lu", &nr) == 1 ||
		    sscanf(line, "nr_memmap_boot_pages %lu", &nr) == 1)
			sum += nr;
	if (f)
		fclose(f);
	return sum;
}

/* Writes to each of @nr pages; false if one does not keep what was written. */
static bool use(unsigned long nr)
{
	unsigned long i, good = 0;
	char *mem = mmap(NULL, nr * HUGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (mem == MAP_FAILED)
		return false;
	for (i = 0; i < nr; i++)
		memset(mem + i * HUGE_SIZE, i + 1, HUGE_SIZE);
	for (i = 0; i < nr; i++)
		good += mem[(i + 1) * HUGE_SIZE - 1] == (char)(i + 1);
	munmap(mem, nr * HUGE_SIZE);
	return good == nr;
}

static void one_round(void)
{
	unsigned long before = memmap_pages(), between, nr = nr_huge(WANTED);

	between = memmap_pages();
	check(nr, "%lu huge pages", nr);
	check(between < before, "%lu pages of the vmemmap, %lu before", between,
	      before);
	check(use(nr), "they can be used");
	counts_right(&vm.vcpu[0], 1000);
	/* Half of them at once, then the rest one by one. */
	for (nr /= 2; nr > 0; nr--)
		nr_huge(nr);
	check(!nr_huge(0), "they are given back");
	busy_vm_runs(&busy, "while the vmemmap changes");
}

int main(int argc, char **argv)
{
	int i, rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;

	if (write_text(OPTIMIZE, "1"))
		skip("no optimization of the vmemmap of huge pages");
	vm_test_begin();
	must_create(&vm, 1);
	busy_vm_start(&busy, 2, "mix");
	for (i = 0; i < rounds; i++)
		one_round();
	write_text(OPTIMIZE, "0");
	busy_vm_stop(&busy);
	guest_vm_destroy(&vm);
	return vm_test_end();
}
