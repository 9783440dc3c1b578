// SPDX-License-Identifier: GPL-2.0
/*
 * All test programs in one file: unpacking a C library for each of them would
 * take longer under emulation than most of them run. /tests/NAME is a script
 * whose interpreter this is, so the kernel passes its path as first argument.
 */
#include <stdio.h>
#include <string.h>

#include "report.h"

/* programs.h is written by the Makefile: one PROGRAM(name) per line. */
#define PROGRAM(name) int name##_main(int argc, char **argv);
#include "programs.h"
#undef PROGRAM

struct program {
	const char *name;
	int (*main)(int argc, char **argv);
};

static const struct program programs[] = {
#define PROGRAM(name) { #name, name##_main },
#include "programs.h"
#undef PROGRAM
};

int main(int argc, char **argv)
{
	const char *slash, *name;
	size_t i;

	if (argc < 2)
		return 2;
	slash = strrchr(argv[1], '/');
	name = slash ? slash + 1 : argv[1];
	for (i = 0; i < ARRAY_SIZE(programs); i++)
		if (!strcmp(programs[i].name, name))
			return programs[i].main(argc - 1, argv + 1);
	fprintf(stderr, "vmtests: no program %s\n", name);
	return 127;
}
