// SPDX-License-Identifier: GPL-2.0-only
/* What the processor sees while a tree changes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <asm/page.h>
#include <linux/compiler.h>

#include "arena.h"
#include "walker.h"

#define ENTRIES		(PAGE_SIZE / sizeof(u64))

static const struct asi_pt *watched;
static unsigned long stores;
static u64 shadow[ARENA_PAGES][ENTRIES];
static enum arena_kind shadow_kind[ARENA_PAGES];
static bool visited[ARENA_PAGES];
static char error[160];

__attribute__((format(printf, 1, 2)))
static void complain(const char *format, ...)
{
	va_list args;

	if (*error)
		return;
	va_start(args, format);
	vsnprintf(error, sizeof(error), format, args);
	va_end(args);
}

static void check_leaf(u64 entry, int level)
{
	u64 reserved = ASI_PTE_ADDR & (asi_pt_size(level) - 1);

	if (level > ASI_PT_4K)
		reserved &= ~ASI_PTE_PAT_LARGE;
	if (entry & reserved)
		complain("reserved bits in leaf %#llx of level %d", entry, level);
}

/* Whether the walk may go on below the entry. */
static bool check_table(u64 entry, int level)
{
	u64 phys = entry & ASI_PTE_ADDR;

	if (entry & ASI_PTE_SHARED) {
		if (arena_kind(phys) != ARENA_FOREIGN)
			complain("shared %#llx is no table of others", entry);
		return false;
	}
	if ((entry & ~ASI_PTE_ADDR) != ASI_PT_TABLE_FLAGS)
		complain("flags of table %#llx at level %d", entry, level);
	if (arena_kind(phys) != ARENA_OWNED) {
		complain("%#llx at level %d is no table", entry, level);
		return false;
	}
	if (visited[arena_index(__va(phys))]) {
		complain("%#llx at level %d is reached twice", entry, level);
		return false;
	}
	return visited[arena_index(__va(phys))] = true;
}

static unsigned long walk(const u64 *table, int level)
{
	unsigned long tables = 0;
	unsigned int i;

	for (i = 0; i < ENTRIES; i++) {
		u64 entry = table[i];

		if (!asi_pte_present(entry))
			continue;
		if (asi_pte_leaf(entry, level))
			check_leaf(entry, level);
		else if (check_table(entry, level))
			tables += 1 + walk(__va(entry & ASI_PTE_ADDR), level - 1);
	}
	return tables;
}

unsigned long walker_tables(void)
{
	memset(visited, 0, sizeof(visited));
	visited[arena_index(watched->root)] = true;
	return walk(watched->root, watched->levels);
}

static void check_page(unsigned int page, const volatile void *where)
{
	const u64 *now = arena_page(page);
	unsigned int i;

	if (shadow_kind[page] == ARENA_FREE ||
	    !memcmp(now, shadow[page], PAGE_SIZE))
		return;
	for (i = 0; i < ENTRIES; i++)
		if (now[i] != shadow[page][i] && &now[i] != where)
			complain("page %u, entry %u: not a single store", page, i);
	memcpy(shadow[page], now, PAGE_SIZE);
}

static void after_store(const volatile void *where)
{
	unsigned int i;

	stores++;
	for (i = 0; i < ARENA_PAGES; i++)
		check_page(i, where);
	walker_tables();
}

void walker_resync(void)
{
	unsigned int i;

	for (i = 0; i < ARENA_PAGES; i++) {
		shadow_kind[i] = arena_kind(__pa(arena_page(i)));
		if (shadow_kind[i] != ARENA_FREE)
			memcpy(shadow[i], arena_page(i), PAGE_SIZE);
	}
}

void walker_watch(const struct asi_pt *pt)
{
	watched = pt;
	stores = 0;
	*error = '\0';
	walker_resync();
	unit_stored = after_store;
}

void walker_ignore(void)
{
	unit_stored = NULL;
}

unsigned long walker_stores(void)
{
	return stores;
}

const char *walker_error(void)
{
	return *error ? error : NULL;
}
