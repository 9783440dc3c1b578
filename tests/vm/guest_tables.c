// SPDX-License-Identifier: GPL-2.0
/* The page tables of a guest: see guest_tables.h. */
#include <stdlib.h>
#include <string.h>

#include "guest_tables.h"
#include "track_guest.h"
#include "vm_test.h"

#define ENTRIES		512
#define USER_ENTRIES	256	/* of a root, on top of which is the kernel */
#define PRESENT		0x1UL
#define ACCESSED	0x20UL
#define DIRTY		0x40UL
#define LARGE		0x80UL
#define ADDRESS		0x000ffffffffff000UL
/* All there is to map beside memory. */
#define APICS		0xfec00000UL
#define APICS_END	0xfef00000UL

struct guest_table {
	uint64_t frame;
	unsigned int level;	/* 1: of pages */
	unsigned long links;	/* entries that point to it */
	bool first;
	uint64_t entry[ENTRIES];
};

void guest_tables_init(struct guest_tables *tables)
{
	tables->table = calloc(tables->size / TRACK_PAGE,
			       sizeof(*tables->table));
	if (!tables->table)
		die("memory");
}

void guest_tables_free(struct guest_tables *tables)
{
	size_t i;

	for (i = 0; i < tables->size / TRACK_PAGE; i++)
		free(tables->table[i]);
	free(tables->table);
}

static struct guest_table *find(const struct guest_tables *tables, uint64_t gpa)
{
	return gpa < tables->size ? tables->table[gpa / TRACK_PAGE] : NULL;
}

bool guest_tables_have(const struct guest_tables *tables, uint64_t gpa)
{
	return find(tables, gpa);
}

static void is_odd(struct guest_tables *tables, uint64_t at, uint64_t entry)
{
	tables->odd++;
	tables->odd_at = at;
	tables->odd_entry = entry;
}

/* Whether @entry of a table of @level points to another table. */
static bool is_link(unsigned int level, uint64_t entry)
{
	return level > 1 && entry & PRESENT &&
	       (level > 3 || !(entry & LARGE));
}

static bool makes_sense(const struct guest_tables *tables, unsigned int level,
			uint64_t entry)
{
	uint64_t address = entry & ADDRESS;

	/* What is not present means something to the guest alone. */
	if (!(entry & PRESENT) || address < tables->size)
		return true;
	return !is_link(level, entry) && address >= APICS &&
	       address < APICS_END;
}

static struct guest_table *add(struct guest_tables *tables, uint64_t gpa,
			       unsigned int level)
{
	struct guest_table *table = calloc(1, sizeof(*table));

	if (!table)
		die("memory");
	table->frame = gpa / TRACK_PAGE;
	table->level = level;
	tables->table[table->frame] = table;
	/* A write before this is in the copy, one after it is told. */
	must_set(tables->track, gpa, 1, KVM_TRACK_WRITE,
		 level == 1 ? tables->leaf_flags : 0);
	memcpy(table->entry, tables->memory + gpa, TRACK_PAGE);
	tables->ever++;
	tables->now++;
	if (tables->now > tables->most)
		tables->most = tables->now;
	return table;
}

static void drop(struct guest_tables *tables, struct guest_table *table)
{
	must_set(tables->track, table->frame * TRACK_PAGE, 1, 0, 0);
	tables->table[table->frame] = NULL;
	tables->now--;
	free(table);
}

static void link_entry(struct guest_tables *tables, unsigned int level,
		       uint64_t entry);
static void unlink_entry(struct guest_tables *tables, unsigned int level,
			 uint64_t entry);

static void link_all(struct guest_tables *tables, struct guest_table *table)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		link_entry(tables, table->level, table->entry[i]);
}

static void unlink_all(struct guest_tables *tables, struct guest_table *table)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		unlink_entry(tables, table->level, table->entry[i]);
	drop(tables, table);
}

/* At most as deep as there are levels. */
static void link_entry(struct guest_tables *tables, unsigned int level,
		       uint64_t entry)
{
	uint64_t gpa = entry & ADDRESS;
	struct guest_table *table;

	if (!is_link(level, entry) || gpa >= tables->size)
		return;
	table = find(tables, gpa);
	if (table) {
		table->links++;
		if (table->level != level - 1)
			is_odd(tables, gpa, entry);
		return;
	}
	table = add(tables, gpa, level - 1);
	table->links = 1;
	link_all(tables, table);
}

static void unlink_entry(struct guest_tables *tables, unsigned int level,
			 uint64_t entry)
{
	struct guest_table *table = find(tables, entry & ADDRESS);

	if (!is_link(level, entry) || !table || --table->links)
		return;
	unlink_all(tables, table);
}

/* A process that ends unmaps all it has, and frees its root then. */
static bool is_empty(const struct guest_table *root)
{
	unsigned int i;

	for (i = 0; i < USER_ENTRIES; i++)
		if (root->entry[i])
			return false;
	return true;
}

void guest_tables_root(struct guest_tables *tables, uint64_t cr3, bool first)
{
	uint64_t gpa = cr3 & ADDRESS;
	struct guest_table *root = find(tables, gpa);

	if (root || gpa >= tables->size)
		return;
	root = add(tables, gpa, tables->levels);
	root->first = first;
	if (!first && is_empty(root)) {
		drop(tables, root);
		return;
	}
	link_all(tables, root);
	tables->roots++;
}

static void change(struct guest_tables *tables, struct guest_table *table,
		   unsigned int at, uint64_t entry)
{
	uint64_t old = table->entry[at];

	if (!makes_sense(tables, table->level, entry))
		is_odd(tables, (table->frame * ENTRIES + at) * 8, entry);
	table->entry[at] = entry;
	/* In this order: what stays linked is not forgotten in between. */
	link_entry(tables, table->level, entry);
	unlink_entry(tables, table->level, old);
	if (is_link(table->level, entry))
		tables->links++;
	else if (entry & PRESENT)
		tables->leaves++;
	else
		tables->others++;
}

void guest_tables_write(struct guest_tables *tables, uint64_t gpa,
			const void *data, size_t len)
{
	struct guest_table *table = find(tables, gpa);
	size_t offset = gpa % TRACK_PAGE;
	uint64_t new[ENTRIES];
	unsigned int i;

	if (!table || offset + len > TRACK_PAGE) {
		is_odd(tables, gpa, len);
		return;
	}
	memcpy(new, table->entry, sizeof(new));
	memcpy((uint8_t *)new + offset, data, len);
	for (i = offset / 8; i <= (offset + len - 1) / 8; i++)
		change(tables, table, i, new[i]);
	if (table->level == tables->levels && !table->links && !table->first &&
	    is_empty(table))
		unlink_all(tables, table);
}

static unsigned long table_differs(const struct guest_tables *tables,
				   const struct guest_table *table,
				   uint64_t *gpa)
{
	uint64_t at = table->frame * TRACK_PAGE;
	const uint64_t *real = (const void *)(tables->memory + at);
	unsigned long differ = 0;
	unsigned int i;

	for (i = 0; i < ENTRIES; i++) {
		if (!((real[i] ^ table->entry[i]) & ~(ACCESSED | DIRTY)))
			continue;
		differ++;
		*gpa = at + i * 8;
	}
	return differ;
}

unsigned long guest_tables_differ(const struct guest_tables *tables,
				  uint64_t *gpa)
{
	unsigned long differ = 0;
	size_t i;

	for (i = 0; i < tables->size / TRACK_PAGE; i++)
		if (tables->table[i])
			differ += table_differs(tables, tables->table[i], gpa);
	return differ;
}
