// SPDX-License-Identifier: GPL-2.0-only
/* A page allocator of 96 pages, and __va() and __pa() over it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <asm/page.h>
#include <linux/bug.h>

#include "arena.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNIT_ASAN	1
#elif defined(__has_feature)
#define UNIT_ASAN	__has_feature(address_sanitizer)
#else
#define UNIT_ASAN	0
#endif

#if UNIT_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, size)		((void)(start))
#define ASAN_UNPOISON_MEMORY_REGION(start, size)	((void)(start))
#endif

static u64 memory[ARENA_PAGES][PAGE_SIZE / sizeof(u64)]
	__attribute__((aligned(PAGE_SIZE)));
static enum arena_kind kinds[ARENA_PAGES];
static unsigned int limit;

void (*unit_stored)(const volatile void *where);

void unit_warn(const char *file, int line, const char *condition)
{
	fprintf(stderr, "WARNING: %s:%d: %s\n", file, line, condition);
	abort();
}

/* Index of the page that @where is in; anything outside is fatal. */
unsigned int arena_index(const volatile void *where)
{
	unsigned long offset = (unsigned long)where - (unsigned long)memory;

	if (offset >= sizeof(memory)) {
		fprintf(stderr, "not in the arena: %p\n", (void *)where);
		abort();
	}
	return offset / PAGE_SIZE;
}

void *arena_page(unsigned int index)
{
	return memory[index];
}

void *arena_va(u64 phys)
{
	if (phys - ARENA_PHYS >= sizeof(memory)) {
		fprintf(stderr, "no such memory: %#llx\n", phys);
		abort();
	}
	return (char *)memory + (phys - ARENA_PHYS);
}

u64 arena_pa(const void *page)
{
	arena_index(page);
	return ARENA_PHYS + ((unsigned long)page - (unsigned long)memory);
}

/* What is at @phys; ARENA_FREE if it is not even memory. */
enum arena_kind arena_kind(u64 phys)
{
	if (phys - ARENA_PHYS >= sizeof(memory))
		return ARENA_FREE;
	return kinds[(phys - ARENA_PHYS) / PAGE_SIZE];
}

unsigned int arena_count(enum arena_kind kind)
{
	unsigned int count = 0;
	unsigned int i;

	for (i = 0; i < ARENA_PAGES; i++)
		count += kinds[i] == kind;
	return count;
}

void arena_limit(unsigned int n)
{
	limit = n;
}

/* A zeroed page, or NULL. */
void *arena_alloc(enum arena_kind kind)
{
	unsigned int i;

	if (!limit)
		return NULL;
	for (i = 0; i < ARENA_PAGES; i++) {
		if (kinds[i] != ARENA_FREE)
			continue;
		limit--;
		kinds[i] = kind;
		ASAN_UNPOISON_MEMORY_REGION(memory[i], PAGE_SIZE);
		return memset(memory[i], 0, PAGE_SIZE);
	}
	return NULL;
}

/* Takes NULL; the content becomes entries that no table may have. */
void arena_free(void *page)
{
	unsigned int i;

	if (!page)
		return;
	i = arena_index(page);
	if (kinds[i] == ARENA_FREE || page != memory[i]) {
		fprintf(stderr, "bad free: %p\n", page);
		abort();
	}
	memset(page, 0xff, PAGE_SIZE);
	kinds[i] = ARENA_FREE;
	ASAN_POISON_MEMORY_REGION(page, PAGE_SIZE);
}

void arena_reset(void)
{
	unsigned int i;

	for (i = 0; i < ARENA_PAGES; i++) {
		if (kinds[i] != ARENA_FREE)
			arena_free(memory[i]);
		ASAN_POISON_MEMORY_REGION(memory[i], PAGE_SIZE);
	}
	limit = UINT_MAX;
}
