/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page tables of a guest, as somebody who watches them keeps them: a copy of each
 * page that is one, brought up to date by the writes that are told, and by nothing
 * else. A table that becomes linked is watched before the guest can use it; one that
 * is not linked any more is forgotten.
 *
 * Writes to tables of tables have to be answered, so that the guest stands still while
 * that is done; writes to tables of pages need not be.
 */
#ifndef BULKHEAD_GUEST_TABLES_H
#define BULKHEAD_GUEST_TABLES_H

#include "track.h"

struct guest_table;

struct guest_tables {
	const struct track *track;
	const uint8_t *memory;		/* of the guest, from address 0 */
	size_t size;
	unsigned int levels;		/* 4 or 5 */
	unsigned int leaf_flags;	/* KVM_TRACK_LOG, or 0: answered, too */
	struct guest_table **table;	/* by frame */
	unsigned long now, most, ever;	/* tables */
	unsigned long roots, links, leaves, others;	/* what was written */
	unsigned long odd;		/* what makes no sense, and the last one */
	uint64_t odd_at, odd_entry;
};

/* The rest of @tables has been filled in. */
void guest_tables_init(struct guest_tables *tables);
void guest_tables_free(struct guest_tables *tables);

/*
 * The guest stands still with @cr3: its tables are watched from here on. A process
 * that has nothing mapped is looked at later, but for the @first.
 */
void guest_tables_root(struct guest_tables *tables, uint64_t cr3, bool first);

/* Whether @gpa is in a table that is watched. */
bool guest_tables_have(const struct guest_tables *tables, uint64_t gpa);

/*
 * The guest is about to write @len bytes of @data to @gpa, in a table. Before it
 * does, the copy is changed, and what becomes of that.
 */
void guest_tables_write(struct guest_tables *tables, uint64_t gpa,
			const void *data, size_t len);

/*
 * All that was told has been applied and the guest stands still: how many entries of
 * the copies are not what the guest has, but for the bits that the processor sets.
 * The last one goes to @gpa.
 */
unsigned long guest_tables_differ(const struct guest_tables *tables,
				  uint64_t *gpa);

#endif
