// SPDX-License-Identifier: GPL-2.0
/* Nodes of page tracking inside the kernel: see track_module.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"
#include "track_module.h"

#define NAME		"kvm_track_test"
#define MODULE		"/modules/" NAME ".ko"
#define CONTROL		"/sys/kernel/debug/" NAME

bool track_module_load(void)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (syscall(SYS_finit_module, fd, "", 0))
		die("finit_module");
	close(fd);
	return true;
}

bool track_module_unload(void)
{
	return !syscall(SYS_delete_module, NAME, O_NONBLOCK);
}

int node_open(void)
{
	int fd = open(CONTROL, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("open %s", CONTROL);
	return fd;
}

static int command(int fd, const char *fmt, va_list args)
{
	char text[128];
	int len = vsnprintf(text, sizeof(text), fmt, args);

	return write(fd, text, len) == len ? 0 : -errno;
}

int node_do(int fd, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = command(fd, fmt, args);
	va_end(args);
	return err;
}

void must_do(int fd, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = command(fd, fmt, args);
	va_end(args);
	errno = -err;
	if (err)
		die("node: %s", fmt);
}

static void read_all(int fd, char *text, size_t size)
{
	ssize_t n, used = 0;

	while ((n = pread(fd, text + used, size - 1 - used, used)) > 0)
		used += n;
	text[used] = '\0';
}

unsigned int node_count(int fd, const char *call)
{
	char text[8192], *line, *save;
	size_t len = strlen(call);

	read_all(fd, text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, call, len) && line[len] == ' ')
			return atoi(line + len);
	die("no call %s", call);
}

size_t node_calls(int fd, struct node_call *calls, size_t max)
{
	char text[8192], *line, *save;
	size_t n = 0;

	read_all(fd, text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line && n < max;
	     line = strtok_r(NULL, "\n", &save)) {
		calls[n].data[0] = '\0';
		if (sscanf(line, "%u %15s %lx %lx %u %39s", &calls[n].number,
			   calls[n].call, &calls[n].gpa, &calls[n].gva,
			   &calls[n].bytes, calls[n].data) >= 5)
			n++;
	}
	return n;
}

static char letter_of(const struct node_call *call)
{
	static const struct {
		const char *call;
		char letter;
	} letters[] = {
		{ "preread", 'R' }, { "prewrite", 'w' }, { "write", 'W' },
		{ "preexec", 'X' }, { "walk", 'P' }, { "unhandled", 'U' },
		{ "create_slot", 'C' }, { "remove_region", 'D' },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(letters); i++)
		if (!strcmp(letters[i].call, call->call))
			return letters[i].letter;
	return '?';
}

void node_spell(int fd, uint64_t base, char *text, size_t size)
{
	struct node_call calls[64], *call;
	size_t n = node_calls(fd, calls, ARRAY_SIZE(calls));
	FILE *f = fmemopen(text, size, "w");

	if (!f)
		die("fmemopen");
	for (call = calls; call < calls + n; call++) {
		fprintf(f, "%s%c%lx", call > calls ? " " : "", letter_of(call),
			call->gpa - base);
		if (call->bytes)
			fprintf(f, "+%u", call->bytes);
		if (call->data[0])
			fprintf(f, "=%s", call->data);
		if (call->gva && call->gva != call->gpa)
			fprintf(f, "@%lx", call->gva);
	}
	fputc('\0', f);
	fclose(f);
}
