// SPDX-License-Identifier: GPL-2.0-only
/* Counting for the heat map: see heat.h. */
#include <string.h>

#include "heat.h"

#define PAGE_SHIFT	12

void heat_init(struct heat *heat, const struct bulkhead_track_range *pages,
	       size_t nr, double seconds)
{
	size_t i;

	memset(heat, 0, sizeof(*heat));
	heat->pages = pages;
	heat->nr_pages = nr;
	heat->seconds = seconds;
	for (i = 0; i < nr; i++)
		heat->total += pages[i].npages;
	heat->rows = heat->total < HEAT_ROWS ? heat->total : HEAT_ROWS;
}

/* False: the page is none of the watched ones. */
static bool row_of(const struct heat *heat, uint64_t gpa, unsigned int *row)
{
	uint64_t gfn = gpa >> PAGE_SHIFT, before = 0;
	size_t i;

	for (i = 0; i < heat->nr_pages; i++) {
		const struct bulkhead_track_range *r = &heat->pages[i];

		if (gfn >= r->gfn && gfn - r->gfn < r->npages) {
			before += gfn - r->gfn;
			*row = before * heat->rows / heat->total;
			return true;
		}
		before += r->npages;
	}
	return false;
}

uint64_t heat_address(const struct heat *heat, unsigned int row)
{
	/* The first page whose row it is: rounded up. */
	uint64_t index = (row * heat->total + heat->rows - 1) / heat->rows;
	size_t i;

	for (i = 0; i < heat->nr_pages; i++) {
		if (index < heat->pages[i].npages)
			return (heat->pages[i].gfn + index) << PAGE_SHIFT;
		index -= heat->pages[i].npages;
	}
	return 0;
}

static void merge_row(struct heat_cell *cell)
{
	const struct heat_cell *two = cell;
	unsigned int column;

	for (column = 0; column < HEAT_COLUMNS / 2; column++, two += 2)
		cell[column] = (struct heat_cell){
			two[0].accesses + two[1].accesses,
			two[0].refused + two[1].refused,
		};
	memset(&cell[HEAT_COLUMNS / 2], 0, HEAT_COLUMNS / 2 * sizeof(*cell));
}

static void merge_columns(struct heat *heat)
{
	unsigned int row;

	for (row = 0; row < heat->rows; row++)
		merge_row(heat->cell[row]);
	heat->columns = (heat->columns + 1) / 2;
	heat->seconds *= 2;
}

void heat_add(struct heat *heat, double when, uint64_t gpa, bool refused)
{
	unsigned int row, column;
	struct heat_cell *cell;

	if (!row_of(heat, gpa, &row))
		return;
	while (when / heat->seconds >= HEAT_COLUMNS)
		merge_columns(heat);
	column = when / heat->seconds;
	if (heat->columns <= column)
		heat->columns = column + 1;
	cell = &heat->cell[row][column];
	cell->accesses++;
	cell->refused += refused;
}

static uint32_t most(const struct heat *heat)
{
	const struct heat_cell *cell = heat->cell[0];
	uint32_t max = 0;
	size_t i;

	for (i = 0; i < HEAT_ROWS * HEAT_COLUMNS; i++)
		if (cell[i].accesses > max)
			max = cell[i].accesses;
	return max;
}

/* Length in bits times a few, so that it needs no floating point. */
static unsigned int magnitude(uint32_t n)
{
	unsigned int bits = 0;

	while (n >> bits > 1)
		bits++;
	/* And the bit after the first one. */
	return 2 * bits + (bits && (n >> (bits - 1) & 1));
}

unsigned int heat_level(const struct heat *heat, uint32_t accesses)
{
	unsigned int top = magnitude(most(heat));

	if (!accesses)
		return 0;
	return top ? 1 + 8 * magnitude(accesses) / top : 9;
}
