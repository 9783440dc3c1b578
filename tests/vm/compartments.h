/* SPDX-License-Identifier: GPL-2.0 */
/* What debugfs asi/compartments says, summed up over all pools. */
#ifndef BULKHEAD_COMPARTMENTS_H
#define BULKHEAD_COMPARTMENTS_H

#include <stdbool.h>
#include <stdint.h>

struct compartment_counts {
	uint64_t pools, compartments, empty, free_pages;
	uint64_t ambiguous;	/* allocations that named both classes */
};

/* False if this kernel has no compartments. */
bool compartment_counts(struct compartment_counts *counts);

#endif
