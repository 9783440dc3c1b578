/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of a guest kernel's addresses, from its System.map. */
#ifndef BULKHEAD_SYMBOLS_H
#define BULKHEAD_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct symbol {
	uint64_t address;
	const char *name;
};

struct symbols {
	struct symbol *list;	/* by address; one name for each */
	size_t nr;
	char *text;
	uint64_t shift;		/* added to all of them: KASLR */
};

/*
 * Reads a System.map. 0, a negative errno, or -EINVAL with the number of the
 * line that is none in *@line.
 */
int symbols_read(struct symbols *symbols, FILE *file, unsigned int *line);

void symbols_free(struct symbols *symbols);

/*
 * Where @name is, and where the next symbol is; false if there is no such name.
 * Names that share an address with a better one are found, too.
 */
bool symbols_find(const struct symbols *symbols, const char *name,
		  uint64_t *start, uint64_t *end);

/*
 * Spells @address as symbol+offset; false if it is outside of all of them, and
 * @text is the number then.
 */
bool symbols_spell(const struct symbols *symbols, uint64_t address, char *text,
		   size_t size);

#endif
