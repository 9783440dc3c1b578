// SPDX-License-Identifier: GPL-2.0-only
/* System.map: see symbols.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "symbols.h"

/* What is below is no address: offsets in the per-CPU area, absolute values. */
#define KERNEL_MAP	0xffffffff80000000ULL

static int read_all(FILE *file, char **text)
{
	size_t size = 0;
	ssize_t got;

	*text = NULL;
	errno = 0;
	got = getdelim(text, &size, '\0', file);
	if (got >= 0)
		return 0;
	free(*text);
	*text = NULL;
	return errno ? -errno : -EINVAL;
}

/* "ADDRESS TYPE NAME"; false if @line is not that. */
static bool parse_line(char *line, struct symbol *symbol, char *type)
{
	char *end;

	errno = 0;
	symbol->address = strtoull(line, &end, 16);
	if (end == line || errno || end[0] != ' ' || !end[1] || end[2] != ' ' ||
	    !end[3])
		return false;
	*type = end[1];
	symbol->name = end + 3;
	return !strpbrk(symbol->name, " \t");
}

static bool is_address(const struct symbol *symbol, char type)
{
	return type != 'A' && type != 'a' && symbol->address >= KERNEL_MAP;
}

static size_t count_lines(const char *text)
{
	size_t nr = 1;

	while ((text = strchr(text, '\n'))) {
		text++;
		nr++;
	}
	return nr;
}

static unsigned int underscores(const char *name)
{
	return strspn(name, "_");
}

/* Of several names for one address the one with the fewest underscores first. */
static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (underscores(x->name) != underscores(y->name))
		return underscores(x->name) < underscores(y->name) ? -1 : 1;
	return strcmp(x->name, y->name);
}

int symbols_read(struct symbols *symbols, FILE *file, unsigned int *line)
{
	char *at, *next, type;
	int err;

	memset(symbols, 0, sizeof(*symbols));
	*line = 0;
	err = read_all(file, &symbols->text);
	if (err)
		return err;
	symbols->list = calloc(count_lines(symbols->text),
			       sizeof(*symbols->list));
	if (!symbols->list) {
		symbols_free(symbols);
		return -ENOMEM;
	}
	next = symbols->text;
	while ((at = strsep(&next, "\n"))) {
		struct symbol *symbol = &symbols->list[symbols->nr];

		++*line;
		if (!*at && !next)
			break;
		if (!parse_line(at, symbol, &type)) {
			symbols_free(symbols);
			return -EINVAL;
		}
		symbols->nr += is_address(symbol, type);
	}
	qsort(symbols->list, symbols->nr, sizeof(*symbols->list), by_address);
	return 0;
}

void symbols_free(struct symbols *symbols)
{
	free(symbols->list);
	free(symbols->text);
	memset(symbols, 0, sizeof(*symbols));
}

bool symbols_find(const struct symbols *symbols, const char *name,
		  uint64_t *start, uint64_t *end)
{
	size_t i, after;

	for (i = 0; i < symbols->nr; i++)
		if (!strcmp(symbols->list[i].name, name))
			break;
	if (i == symbols->nr)
		return false;
	after = i;
	while (after < symbols->nr - 1 &&
	       symbols->list[after].address == symbols->list[i].address)
		after++;
	*start = symbols->list[i].address + symbols->shift;
	*end = symbols->list[after].address + symbols->shift;
	return true;
}

/* The last one that is not above @address, of its names the best; or NULL. */
static const struct symbol *find_below(const struct symbols *symbols,
				       uint64_t address)
{
	size_t low = 0, high = symbols->nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (symbols->list[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Nobody knows where the last one ends. */
	if (!low || low == symbols->nr)
		return NULL;
	low--;
	while (low && symbols->list[low - 1].address ==
	       symbols->list[low].address)
		low--;
	return &symbols->list[low];
}

bool symbols_spell(const struct symbols *symbols, uint64_t address, char *text,
		   size_t size)
{
	const struct symbol *symbol = NULL;
	uint64_t offset;

	if (symbols->nr && address >= symbols->list[0].address + symbols->shift)
		symbol = find_below(symbols, address - symbols->shift);
	if (!symbol) {
		snprintf(text, size, "0x%" PRIx64, address);
		return false;
	}
	offset = address - symbols->shift - symbol->address;
	snprintf(text, size, "%s+0x%" PRIx64, symbol->name, offset);
	return true;
}
