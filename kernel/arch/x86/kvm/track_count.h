/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often a page is tracked in each mode, in one word that fits an entry of an
 * xarray. Compiles in user space too.
 */
#ifndef __KVM_TRACK_COUNT_H
#define __KVM_TRACK_COUNT_H

#include <linux/types.h>

#define TRACK_COUNT_BITS	15
#define TRACK_COUNT_MAX		((1u << TRACK_COUNT_BITS) - 1)

static inline unsigned int track_count(u64 counts, unsigned int mode)
{
	return counts >> mode * TRACK_COUNT_BITS & TRACK_COUNT_MAX;
}

/* False, and nothing changed, if there are as many as can be counted. */
static inline bool track_count_up(u64 *counts, unsigned int mode)
{
	if (track_count(*counts, mode) == TRACK_COUNT_MAX)
		return false;
	*counts += 1ULL << mode * TRACK_COUNT_BITS;
	return true;
}

/* False, and nothing changed, if there are none. */
static inline bool track_count_down(u64 *counts, unsigned int mode)
{
	if (!track_count(*counts, mode))
		return false;
	*counts -= 1ULL << mode * TRACK_COUNT_BITS;
	return true;
}

/* One bit for each mode that is counted. */
static inline unsigned int track_count_modes(u64 counts, unsigned int nr_modes)
{
	unsigned int mode, modes = 0;

	for (mode = 0; mode < nr_modes; mode++)
		if (track_count(counts, mode))
			modes |= 1u << mode;
	return modes;
}

#endif /* __KVM_TRACK_COUNT_H */
