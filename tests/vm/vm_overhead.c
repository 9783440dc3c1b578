// SPDX-License-Identifier: GPL-2.0
/*
 * vm_overhead [COUNT]
 *
 * What address space isolation adds to the memory of a host without VMs, with
 * one, and with COUNT (default 8) in as many processes: page tables, and pages
 * of compartments that nobody else can use. One JSON line each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "asi_stats.h"
#include "compartments.h"
#include "kvm_guest.h"
#include "report.h"
#include "vm_herd.h"

#define PAGE_LEN	4096UL

static void measure(unsigned int vms)
{
	uint64_t instances = 0, table_bytes = 0;
	struct compartment_counts counts;
	char line[256];

	check(asi_value("stats", "instances", &instances) && instances == vms,
	      "%lu instances for %u VMs", instances, vms);
	asi_value("stats", "table_bytes", &table_bytes);
	check(compartment_counts(&counts), "compartments counted");
	snprintf(line, sizeof(line),
		 "{\"vms\": %u, \"table_bytes\": %lu, \"stranded_bytes\": %lu, \"compartments\": %lu}",
		 vms, table_bytes * instances, counts.free_pages * PAGE_LEN,
		 counts.compartments);
	report_data(line);
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? atoi(argv[1]) : 8;
	struct vm_herd herd = { 0 };

	if (!guest_kvm_present() || !asi_enabled())
		skip("no /dev/kvm, or no address space isolation");
	if (count < 2 || count > HERD_MAX)
		return 2;
	/* What earlier programs had is returned a little later. */
	sleep(2);
	asi_write("compartments", "1");
	measure(0);
	check(vm_herd_add(&herd), "the first VM runs");
	measure(1);
	while (herd.nr < count)
		if (!check(vm_herd_add(&herd), "VM %u runs", herd.nr))
			break;
	measure(count);
	check(vm_herd_end(&herd), "no address space is left over");
	return report_result();
}
