// SPDX-License-Identifier: GPL-2.0-only
/* Ranges of guest memory: see ranges.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ranges.h"

#define PAGE		4096ULL
#define MAX_GPA		(1ULL << 52)
#define MAX_TEXT	256

bool image_init(struct image *image, const struct symbols *symbols,
		uint64_t gpa)
{
	uint64_t ignored;

	image->symbols = symbols;
	image->gpa = gpa;
	return symbols_find(symbols, "_text", &image->text, &ignored) &&
	       symbols_find(symbols, "_end", &image->end, &ignored) &&
	       image->text < image->end;
}

bool image_address(const struct image *image, uint64_t gpa, uint64_t *address)
{
	if (gpa < image->gpa || gpa - image->gpa >= image->end - image->text)
		return false;
	*address = gpa - image->gpa + image->text;
	return true;
}

static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static const char *to_gpa(const struct image *image, uint64_t address,
			  uint64_t *gpa)
{
	/* The end of the image is the end of a range. */
	if (address < image->text || address > image->end)
		return "is outside of the kernel image: only gpa:ADDRESS names other memory";
	*gpa = address - image->text + image->gpa;
	return NULL;
}

/* SYMBOL or SYMBOL+OFFSET; @text is changed. */
static const char *parse_symbol(char *text, const struct image *image,
				uint64_t *start, uint64_t *end)
{
	char *plus = strchr(text, '+');
	uint64_t offset = 0;

	if (plus) {
		*plus++ = 0;
		if (!parse_number(plus, &offset))
			return "has an offset that is no number";
	}
	if (!symbols_find(image->symbols, text, start, end))
		return "names no symbol of the System.map";
	*start += offset;
	if (plus)
		*end = *start + 1;
	return NULL;
}

/* Guest physical; *@end is where it ends if nothing else is said, or 0. */
static const char *parse_where(char *text, const struct image *image,
			       uint64_t *start, uint64_t *end)
{
	const char *wrong;
	bool number;

	if (!strncmp(text, "gpa:", 4)) {
		*end = 0;
		return parse_number(text + 4, start) && *start < MAX_GPA ?
		       NULL : "has no address after gpa:";
	}
	if (!image->symbols)
		return "needs a System.map: give one with --map, or an address as gpa:ADDRESS";
	number = parse_number(text, start);
	*end = 0;
	wrong = number ? NULL : parse_symbol(text, image, start, end);
	if (!wrong && *end)
		wrong = to_gpa(image, *end, end);
	return wrong ? wrong : to_gpa(image, *start, start);
}

static const char *parse_end(char *text, const struct image *image,
			     struct range *range)
{
	uint64_t ignored, size;

	if (*text != '+')
		return parse_where(text, image, &range->end, &ignored);
	if (!parse_number(text + 1, &size) || size > MAX_GPA)
		return "has a size that is no number";
	range->end = range->start + size;
	return NULL;
}

static const char *parse_access(const char *text, uint32_t *access)
{
	static const char letters[] = "rwWxp";
	static const uint32_t bits[] = { BULKHEAD_TRACK_READ,
		BULKHEAD_TRACK_WRITE, BULKHEAD_TRACK_WRITTEN,
		BULKHEAD_TRACK_EXEC, BULKHEAD_TRACK_WALK };
	const char *letter;

	for (*access = 0; *text; text++) {
		letter = strchr(letters, *text);
		if (!letter)
			return "has an access that is none of r, w, W, x, p";
		*access |= bits[letter - letters];
	}
	return *access & ~BULKHEAD_TRACK_WALK ? NULL :
	       "has no access of r, w, W, x after =";
}

static const char *parse_both(char *text, const struct image *image,
			      struct range *range)
{
	char *dots = strstr(text, "..");
	const char *wrong;

	if (dots)
		*dots = 0;
	wrong = parse_where(text, image, &range->start, &range->end);
	if (!wrong && dots)
		wrong = parse_end(dots + 2, image, range);
	if (wrong)
		return wrong;
	if (!dots && !range->end) {
		range->start &= ~(PAGE - 1);
		range->end = range->start + PAGE;
	}
	return range->start < range->end && range->end <= MAX_GPA ? NULL :
	       "is empty";
}

const char *range_parse(struct range *range, const char *text,
			const struct image *image, uint32_t access)
{
	char copy[MAX_TEXT], *equals;
	const char *wrong = NULL;

	memset(range, 0, sizeof(*range));
	range->access = access;
	if (strlen(text) >= sizeof(copy))
		return "is too long";
	memcpy(copy, text, strlen(text) + 1);
	equals = strchr(copy, '=');
	if (equals) {
		*equals = 0;
		wrong = parse_access(equals + 1, &range->access);
	}
	return wrong ? wrong : parse_both(copy, image, range);
}

bool ranges_add(struct ranges *ranges, const struct range *range)
{
	if (ranges->nr == MAX_RANGES)
		return false;
	ranges->list[ranges->nr++] = *range;
	return true;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* What is told of the page at @gpa, LOG if nobody has to be waited for. */
static struct bulkhead_track_range page_at(const struct ranges *ranges,
					   uint64_t gpa)
{
	struct bulkhead_track_range page = { .gfn = gpa / PAGE,
		.flags = ranges->log ? BULKHEAD_TRACK_LOG : 0 };
	const struct range *range;

	for (range = ranges->list; range < ranges->list + ranges->nr; range++) {
		if (range->start >= gpa + PAGE || range->end <= gpa)
			continue;
		page.access |= range->access;
		if (range->protect)
			page.flags = 0;
	}
	return page;
}

size_t ranges_pages(const struct ranges *ranges,
		    struct bulkhead_track_range *pages)
{
	uint64_t edges[2 * MAX_RANGES];
	size_t nr_edges = 0, nr = 0, i;

	/* Pages that are partly in a range are on their own: all edges count. */
	for (i = 0; i < ranges->nr; i++) {
		const struct range *range = &ranges->list[i];

		edges[nr_edges++] = range->start & ~(PAGE - 1);
		edges[nr_edges++] = (range->end + PAGE - 1) & ~(PAGE - 1);
	}
	qsort(edges, nr_edges, sizeof(*edges), by_value);
	for (i = 0; i + 1 < nr_edges; i++) {
		if (edges[i] == edges[i + 1])
			continue;
		pages[nr] = page_at(ranges, edges[i]);
		pages[nr].npages = (edges[i + 1] - edges[i]) / PAGE;
		nr += !!pages[nr].access;
	}
	return nr;
}

static bool touches(const struct range *range,
		    const struct bulkhead_track_event *event)
{
	uint64_t start = event->gpa, len = event->len ? event->len : 1;

	if (event->flags & BULKHEAD_TRACK_UNHANDLED) {
		start &= ~(PAGE - 1);
		len = PAGE;
	} else if (!(range->access & event->access)) {
		return false;
	}
	return start < range->end && start + len > range->start;
}

const struct range *ranges_match(const struct ranges *ranges,
				 const struct bulkhead_track_event *event)
{
	const struct range *found = NULL, *range;

	for (range = ranges->list; range < ranges->list + ranges->nr; range++)
		if (touches(range, event) && (!found || range->protect))
			found = range;
	return found;
}
