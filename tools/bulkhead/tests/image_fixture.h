/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's kernel at 16 MiB, made of a System.map, for the tests of one program. */
#ifndef BULKHEAD_IMAGE_FIXTURE_H
#define BULKHEAD_IMAGE_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "ranges.h"

static struct symbols symbols;
static struct image image;
static const struct image none;

static int load_image(char *map)
{
	FILE *file = fmemopen(map, strlen(map), "r");
	unsigned int line;
	int err = symbols_read(&symbols, file, &line);

	fclose(file);
	return err || !image_init(&image, &symbols, 0x1000000);
}

static int unload(void **state)
{
	(void)state;
	symbols_free(&symbols);
	return 0;
}

#endif
