// SPDX-License-Identifier: GPL-2.0
/*
 * What an allocation costs in each class: one JSON line per line of debugfs
 * alloc_cost, which measures when it is read.
 */
#include <stdio.h>

#include "asi_stats.h"
#include "report.h"

int main(void)
{
	char name[64], line[128];
	unsigned int lines = 0;
	unsigned long tsc;
	FILE *f;

	if (!asi_enabled() || !asi_debugfs())
		skip("no address space isolation");
	f = fopen(ASI_DEBUGFS "/alloc_cost", "re");
	if (!f)
		skip("this kernel has no alloc_cost");
	while (fscanf(f, "%63s %lu", name, &tsc) == 2) {
		check(tsc > 0, "%s: every allocation succeeded", name);
		snprintf(line, sizeof(line), "{\"alloc\": \"%s\", \"tsc\": %lu}",
			 name, tsc);
		report_data(line);
		lines++;
	}
	fclose(f);
	check(lines > 0, "%u costs", lines);
	return report_result();
}
