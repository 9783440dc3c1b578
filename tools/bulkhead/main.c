// SPDX-License-Identifier: GPL-2.0-only
/* bulkhead: the commands for hosts with Bulkhead. */
#include <bulkhead.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "watch.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "watch", watch_main, "tell who touches memory of a guest, and refuse it" },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(*commands))

static int print_help(void)
{
	size_t i;

	puts("Usage: bulkhead COMMAND [ARGUMENT]...\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].what);
	puts("\n'bulkhead COMMAND --help' has more; so has bulkhead(1).");
	return STATUS_DONE;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		complain("which command? 'bulkhead --help' lists them");
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return print_help();
	if (!strcmp(argv[1], "--version")) {
		printf("bulkhead %d.%d\n", BULKHEAD_VERSION_MAJOR,
		       BULKHEAD_VERSION_MINOR);
		return STATUS_DONE;
	}
	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	complain("no command '%s': 'bulkhead --help' lists them", argv[1]);
	return STATUS_USAGE;
}
