// SPDX-License-Identifier: GPL-2.0
/*
 * vm_churn [ROUNDS]
 *
 * VMs come and go, while memory is scarce: what was taken for them must come
 * back. Nothing stranded means that after as many compartments as possible have
 * been returned, about as many are left as before.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compartments.h"
#include "vm_herd.h"
#include "vm_test.h"

#define VMS		6
#define TOLERATED	2	/* compartments that others filled meanwhile */
#define TOLERATED_MIB	8	/* half a compartment lost with each VM is more */

/* Compartments that are not empty; false if the kernel does not tell. */
static bool count_used(struct compartment_counts *counts)
{
	/* What a process had is returned by a work item. */
	sleep(1);
	return !asi_write("compartments", "1") && compartment_counts(counts);
}

/* Free pages that processors keep for themselves: up to 1/8 of all memory. */
static unsigned long percpu_list_pages(void)
{
	FILE *zones = fopen("/proc/zoneinfo", "r");
	unsigned long count, sum = 0;
	char line[256];

	if (!zones)
		die("/proc/zoneinfo");
	while (fgets(line, sizeof(line), zones))
		if (sscanf(line, " count: %lu", &count) == 1)
			sum += count;
	fclose(zones);
	return sum;
}

/* What a dead process had is in no pool: it must be in free memory. */
static unsigned long free_mib(void)
{
	struct sysinfo info;

	write_text("/proc/sys/vm/drop_caches", "3");
	if (sysinfo(&info))
		die("sysinfo");
	return (info.freeram * info.mem_unit + (percpu_list_pages() << 12)) >> 20;
}

/* Takes most of the memory that is free and keeps it for a while. */
static pid_t squeeze(void)
{
	size_t at, len;
	struct sysinfo info;
	char *mem;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	write_text("/proc/self/oom_score_adj", "1000");
	if (sysinfo(&info))
		_exit(1);
	len = info.freeram * info.mem_unit / 4 * 3;
	mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	/* The blocks of 2 MiB that compartments are made of. */
	madvise(mem, len, MADV_HUGEPAGE);
	for (at = 0; mem != MAP_FAILED && at < len; at += 4096)
		mem[at] = 1;
	for (;;)
		pause();
}

static void one_round(int round)
{
	struct vm_herd herd = { 0 };
	pid_t pid = squeeze();
	int i;

	for (i = 0; i < VMS; i++)
		check(vm_herd_add(&herd), "round %d: VM %d runs", round, i);
	write_text("/proc/sys/vm/drop_caches", "2");
	write_text("/proc/sys/vm/compact_memory", "1");
	check(vm_herd_end(&herd), "round %d: no address space is left over",
	      round);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	int i, rounds = argc > 1 ? atoi(argv[1]) : 4;
	struct compartment_counts before, after;
	unsigned long mib_before, mib_after;

	vm_test_begin();
	/* Also takes what is only ever taken once. */
	one_round(0);
	if (!count_used(&before))
		skip("this kernel has no compartments");
	mib_before = free_mib();
	for (i = 1; i <= rounds; i++)
		one_round(i);
	check(count_used(&after), "empty compartments returned");
	mib_after = free_mib();
	check(mib_after + TOLERATED_MIB >= mib_before,
	      "%lu MiB are free, %lu before", mib_after, mib_before);
	check(after.compartments <= before.compartments + TOLERATED,
	      "%lu compartments after %d VMs, %lu before", after.compartments,
	      rounds * VMS, before.compartments);
	check(after.pools <= before.pools, "%lu pools, %lu before", after.pools,
	      before.pools);
	check(after.ambiguous == before.ambiguous,
	      "%lu allocations named both classes, %lu before",
	      after.ambiguous, before.ambiguous);
	return vm_test_end();
}
