/* SPDX-License-Identifier: GPL-2.0 */
/* What ordinary programs do to page tables: for tests that none of it is taken for
 * a violation, and for what it costs.
 */
#ifndef BULKHEAD_PTCHECK_LOAD_H
#define BULKHEAD_PTCHECK_LOAD_H

struct ptcheck_loop {
	const char *name;
	unsigned int rounds;	/* of one measurement */
	void (*begin)(void);
	void (*round)(void);
	void (*end)(void);
};

/* The loops that are measured; the last has no name. */
extern const struct ptcheck_loop ptcheck_loops[];

/* All of them, and what takes other ways through the kernel, @rounds times. */
void ptcheck_load(unsigned int rounds);

/* Of these the ones that are away for a while: swap, other nodes, the killed. */
void ptcheck_away(void);

#endif
