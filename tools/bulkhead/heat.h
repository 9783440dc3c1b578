/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A heat map: how often which watched pages were accessed when. It has a fixed
 * size; rows are groups of neighbouring pages, and columns are merged in pairs,
 * each for twice the time then, whenever there is no room for another one.
 */
#ifndef BULKHEAD_HEAT_H
#define BULKHEAD_HEAT_H

#include <bulkhead.h>
#include <stdio.h>

#define HEAT_ROWS	48
#define HEAT_COLUMNS	96

struct heat_cell {
	uint32_t accesses;
	uint32_t refused;	/* of them */
};

struct heat {
	const struct bulkhead_track_range *pages;	/* the caller's */
	size_t nr_pages;	/* entries of it */
	uint64_t total;		/* pages in them */
	unsigned int rows;
	unsigned int columns;	/* up to the last one with something in it */
	double seconds;		/* of a column */
	struct heat_cell cell[HEAT_ROWS][HEAT_COLUMNS];
};

/* Says in @text what is at the guest physical address @gpa. */
typedef void heat_name(void *arg, uint64_t gpa, char *text, size_t size);

void heat_init(struct heat *heat, const struct bulkhead_track_range *pages,
	       size_t nr, double seconds);

/* An access to @gpa, @when seconds after the beginning. */
void heat_add(struct heat *heat, double when, uint64_t gpa, bool refused);

/* Guest physical address of the first page of @row. */
uint64_t heat_address(const struct heat *heat, unsigned int row);

/* From 0 (never) to 9 (the most of all cells), logarithmic. */
unsigned int heat_level(const struct heat *heat, uint32_t accesses);

/* Into a terminal or a file of text; returns how many lines it took. */
unsigned int heat_text(const struct heat *heat, FILE *file, bool color,
		       heat_name *name, void *arg);

void heat_svg(const struct heat *heat, FILE *file, const char *title,
	      heat_name *name, void *arg);

/* One file that needs no other. */
void heat_html(const struct heat *heat, FILE *file, const char *title,
	       heat_name *name, void *arg);

#endif
