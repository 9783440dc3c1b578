/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is to be watched: ranges of bytes, as the user names them, and the pages
 * they are in, as the kernel wants them.
 *
 * A range is WHERE, WHERE..WHERE (the second one is the first byte that is not in
 * it) or WHERE..+BYTES; WHERE is SYMBOL, SYMBOL+OFFSET, an address in the kernel
 * image, or gpa:ADDRESS. A symbol alone is all of it, an address alone its page.
 */
#ifndef BULKHEAD_RANGES_H
#define BULKHEAD_RANGES_H

#include <bulkhead.h>

#include "symbols.h"

#define MAX_RANGES	64

struct range {
	uint64_t start, end;	/* guest physical, in bytes */
	uint32_t access;	/* BULKHEAD_TRACK_* */
	bool protect;
};

struct ranges {
	struct range list[MAX_RANGES];
	size_t nr;
	bool log;		/* tell without waiting */
};

/* Where a guest kernel is: its image is in one piece. */
struct image {
	const struct symbols *symbols;
	uint64_t text;		/* virtual address of _text, with KASLR */
	uint64_t end;		/* of _end */
	uint64_t gpa;		/* of _text */
};

/* Fills in @image; false: the symbols have no _text or no _end. */
bool image_init(struct image *image, const struct symbols *symbols,
		uint64_t gpa);

/* The virtual address of @gpa in the image; false if it is not in it. */
bool image_address(const struct image *image, uint64_t gpa, uint64_t *address);

/*
 * Parses @text into @range, whose access becomes that after "=" (letters of
 * rwWxp) or @access. NULL, or what is wrong with it.
 */
const char *range_parse(struct range *range, const char *text,
			const struct image *image, uint32_t access);

/* False if there are too many. */
bool ranges_add(struct ranges *ranges, const struct range *range);

/*
 * The pages, in order, each in one entry: every page is told whatever any of its
 * ranges wants, and waits if one of them has to. Returns how many entries there
 * are, at most 2 * MAX_RANGES.
 */
size_t ranges_pages(const struct ranges *ranges,
		    struct bulkhead_track_range *pages);

/*
 * The range that @event is for, one that protects before others; NULL if it
 * touches only what lies beside them. Of an access that KVM cannot emulate
 * nobody knows the size: it is for all of the page.
 */
const struct range *ranges_match(const struct ranges *ranges,
				 const struct bulkhead_track_event *event);

#endif
