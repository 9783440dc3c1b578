// SPDX-License-Identifier: GPL-2.0
/* See second_kernel.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asi_stats.h"
#include "report.h"
#include "second_kernel.h"

#define INITRD	"/tmp/kexec-initrd"
#define RESULT	"/dev/ttyS1"

/* One member of a cpio archive in the "newc" format. */
static void put_header(FILE *f, const char *name, unsigned int mode, long size)
{
	static unsigned int ino = 1;

	fprintf(f, "070701%08x%08x%08x%08x%08x%08x%08lx%08x%08x%08x%08x%08x%08x",
		ino++, mode, 0, 0, 1, 0, size, 0, 0, 0, 0,
		(unsigned int)strlen(name) + 1, 0);
	fputs(name, f);
	do {
		fputc(0, f);
	} while (ftell(f) % 4);
}

static void put_file(FILE *f, const char *name)
{
	char path[64], buffer[4096];
	struct stat st;
	size_t len;
	FILE *in;

	snprintf(path, sizeof(path), "/%s", name);
	in = fopen(path, "re");
	if (!in || stat(path, &st))
		die("%s", path);
	put_header(f, name, S_IFREG | 0755, st.st_size);
	while ((len = fread(buffer, 1, sizeof(buffer), in)))
		fwrite(buffer, 1, len, f);
	while (ftell(f) % 4)
		fputc(0, f);
	fclose(in);
}

int second_kernel_initrd(const char *program)
{
	static const char * const dirs[] = { "tests", "proc", "sys", "dev" };
	char path[64];
	FILE *f = fopen(INITRD, "we");
	size_t i;

	if (!f)
		die("%s", INITRD);
	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		put_header(f, dirs[i], S_IFDIR | 0755, 0);
	put_file(f, "tests/vmtests");
	snprintf(path, sizeof(path), "tests/%s", program);
	put_file(f, path);
	put_header(f, "TRAILER!!!", 0, 0);
	fclose(f);
	return open(INITRD, O_RDONLY | O_CLOEXEC);
}

static bool is_dropped(const char *word)
{
	return !strncmp(word, "bulkhead.", 9) ||
	       !strncmp(word, "crashkernel=", 12);
}

void second_kernel_line(char *line, size_t len, const char *program)
{
	char now[4096], *word, *save;
	size_t at = 0;

	if (!read_text("/proc/cmdline", now, sizeof(now)))
		die("/proc/cmdline");
	for (word = strtok_r(now, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save))
		if (!is_dropped(word) && at < len)
			at += snprintf(line + at, len - at, "%s ", word);
	if (at < len)
		snprintf(line + at, len - at, "rdinit=/tests/%s -- --after",
			 program);
}

int second_kernel_image(void)
{
	int fd = open("/kexec/bzImage", O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : open("/guest/bzImage", O_RDONLY | O_CLOEXEC);
}

int second_kernel_load(int kernel, int initrd, const char *line,
		       unsigned long flags)
{
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1,
		    line, flags))
		return -errno;
	return 0;
}

/* Subtests are indented lines of the result. */
static void forward(int from, FILE *result)
{
	FILE *lines = fdopen(from, "r");
	char line[512];

	while (lines && fgets(line, sizeof(line), lines))
		fprintf(result, "    %s", line);
}

int second_kernel_run(const char *program, int (*work)(void))
{
	int fds[2], status = -1;
	FILE *result;
	pid_t pid;

	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	result = fopen(RESULT, "we");
	if (!result || pipe(fds))
		die(RESULT);
	pid = fork();
	if (!pid) {
		dup2(fds[1], 3);
		_exit(work());
	}
	close(fds[1]);
	forward(fds[0], result);
	waitpid(pid, &status, 0);
	fprintf(result, "%sok 1 - %s\n", status ? "not " : "", program);
	fprintf(result, "BULKHEAD-RESULT: pass=%d fail=%d skip=0\n", !status,
		!!status);
	fclose(result);
	return reboot(RB_POWER_OFF);
}
