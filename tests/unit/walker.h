/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader that is always running: after every single store, walk the tree as
 * the processor would and hold it against what it may look like.
 */
#ifndef _UNIT_WALKER_H
#define _UNIT_WALKER_H

#include "pgtable.h"

/* From here on @pt and all pages of the arena change by WRITE_ONCE() only. */
void walker_watch(const struct asi_pt *pt);
void walker_ignore(void);

/* Pages have been handed out or taken back, or a table is made by hand. */
void walker_resync(void);

/* Stores since walker_watch(). */
unsigned long walker_stores(void);

/* Tables below the root that the processor can reach. */
unsigned long walker_tables(void);

/* The first thing that was wrong, or NULL. */
const char *walker_error(void);

#endif /* _UNIT_WALKER_H */
