// SPDX-License-Identifier: GPL-2.0
/* Reads debugfs asi/compartments: see compartments.h. */
#include <stdio.h>
#include <string.h>

#include "asi_stats.h"
#include "compartments.h"

static void add_line(struct compartment_counts *counts, const char *line)
{
	unsigned long compartments, empty, free_pages, number;

	if (sscanf(line, "%*s %*u node %*u compartments %lu empty %lu free_pages %lu",
		   &compartments, &empty, &free_pages) == 3) {
		counts->pools++;
		counts->compartments += compartments;
		counts->empty += empty;
		counts->free_pages += free_pages;
	} else if (sscanf(line, "ambiguous %lu", &number) == 1) {
		counts->ambiguous = number;
	}
}

bool compartment_counts(struct compartment_counts *counts)
{
	char line[256];
	FILE *f;

	memset(counts, 0, sizeof(*counts));
	if (!asi_debugfs())
		return false;
	f = fopen(ASI_DEBUGFS "/compartments", "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		add_line(counts, line);
	fclose(f);
	return true;
}
