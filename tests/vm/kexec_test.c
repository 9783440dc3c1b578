// SPDX-License-Identifier: GPL-2.0
/*
 * kexec_test [--after]: with a VM running, starts another kernel from this one;
 * there the same program is process 1, runs a VM again and completes the result
 * the first kernel began. So it has to be the only program of its boot. The
 * image comes from the initramfs, /kexec/bzImage or the one for guests; the
 * initramfs of the second kernel is packed here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_test.h"

#define INITRD	"/tmp/kexec-initrd"
#define RESULT	"/dev/ttyS1"
#define AFTER	"rdinit=/tests/kexec_test -- --after"

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

static int pack_initrd(void)
{
	static const char * const dirs[] = { "tests", "proc", "sys", "dev" };
	FILE *f = fopen(INITRD, "we");
	size_t i;

	if (!f)
		die("%s", INITRD);
	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		put_header(f, dirs[i], S_IFDIR | 0755, 0);
	put_file(f, "tests/vmtests");
	put_file(f, "tests/kexec_test");
	put_header(f, "TRAILER!!!", 0, 0);
	fclose(f);
	return open(INITRD, O_RDONLY | O_CLOEXEC);
}

/* This kernel's command line with another program to run. */
static void make_command_line(char *line, size_t len)
{
	char now[4096], *word, *save;
	size_t at = 0;

	if (!read_text("/proc/cmdline", now, sizeof(now)))
		die("/proc/cmdline");
	for (word = strtok_r(now, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save))
		if (strncmp(word, "bulkhead.", 9) && at < len)
			at += snprintf(line + at, len - at, "%s ", word);
	if (at < len)
		snprintf(line + at, len - at, AFTER);
}

static int open_image(void)
{
	int fd = open("/kexec/bzImage", O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? fd : open("/guest/bzImage", O_RDONLY | O_CLOEXEC);
}

static int load(int kernel, int initrd, const char *line)
{
	if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(line) + 1,
		    line, 0))
		return -errno;
	return 0;
}

static int jump(void)
{
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	return -errno;
}

static int run_vm_again(void)
{
	struct guest_vm vm;

	vm_test_begin();
	check(true, "the second kernel runs");
	must_create(&vm, 1);
	run_payload(&vm.vcpu[0], "mix", 100);
	counts_right(&vm.vcpu[0], 100);
	guest_vm_destroy(&vm);
	return vm_test_end();
}

/* Subtests are indented lines of the result. */
static void forward(int from, FILE *result)
{
	FILE *lines = fdopen(from, "r");
	char line[512];

	while (lines && fgets(line, sizeof(line), lines))
		fprintf(result, "    %s", line);
}

/* Process 1 of the second kernel: completes the result and switches off. */
static int second_kernel(void)
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
		_exit(run_vm_again());
	}
	close(fds[1]);
	forward(fds[0], result);
	waitpid(pid, &status, 0);
	fprintf(result, "%sok 1 - kexec_test\n", status ? "not " : "");
	fprintf(result, "BULKHEAD-RESULT: pass=%d fail=%d skip=0\n", !status,
		!!status);
	fclose(result);
	return reboot(RB_POWER_OFF);
}

int main(int argc, char **argv)
{
	int kernel = open_image(), initrd, err;
	static struct busy_vm busy;
	char line[4096];

	if (argc > 1 && !strcmp(argv[1], "--after"))
		return second_kernel();
	if (kernel < 0)
		skip("no kernel image in this initramfs");
	vm_test_begin();
	busy_vm_start(&busy, 2, "mix");
	initrd = pack_initrd();
	make_command_line(line, sizeof(line));
	err = jump();
	check(err == -EINVAL, "nothing loaded, nothing started: %s",
	      strerror(-err));
	err = load(initrd, initrd, line);
	check(err == -ENOEXEC, "an archive is no kernel: %s", strerror(-err));
	err = load(kernel, initrd, line);
	if (err == -ENOSYS)
		skip("this kernel has no kexec_file_load()");
	check(!err, "second kernel loaded: %s", strerror(-err));
	busy_vm_runs(&busy, "until the very end");
	err = jump();
	check(false, "still here: %s", strerror(-err));
	return report_result();
}
