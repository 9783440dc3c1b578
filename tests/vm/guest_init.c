// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of a guest that runs under QEMU and KVM inside the emulated machine:
 * does a little of what guests do (computing, touching fresh memory, writing a
 * virtual disk and reading it back), says GUEST-OK with the milliseconds each
 * part took, and ends the guest. Anything wrong says GUEST-FAILED instead.
 *
 *   guest.mem=MIB   memory to touch, 32 if not given
 *   guest.cpu=N     thousand rounds of computing for each CPU, 2000
 *   guest.disk=KIB  to write to /dev/vda if there is one, 4096
 *   guest.forks=N   processes that come and go with page tables of their own, 0
 *   guest.patch=FUNCTION   first says GUEST-READY, waits for a line on the console,
 *                          and has the kernel's code of FUNCTION changed
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DISK		"/dev/vda"
#define CHUNK		(64UL << 10)
#define PAGE		4096UL
#define SPARSE		(1UL << 30)
#define MAX_CPUS	16
#define AFTER_CALL	9	/* ENDBR64 and CALL __fentry__ */

static char command_line[4096];

static void end(void)
{
	fflush(stdout);
	sync();
	/* Ends QEMU: it is started with -no-reboot. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void fail(const char *fmt, ...)
{
	va_list args;

	printf("GUEST-FAILED ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf(": %s\n", strerror(errno));
	end();
}

static long milliseconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static unsigned long param(const char *name, unsigned long fallback)
{
	char *p = strstr(command_line, name);

	return p ? strtoul(p + strlen(name), NULL, 0) : fallback;
}

/* The same numbers on the way out and on the way back. */
static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void *compute(void *rounds)
{
	uint64_t state = 88172645463325252ull;
	uintptr_t i;

	for (i = 0; i < (uintptr_t)rounds; i++)
		next(&state);
	return (void *)(uintptr_t)state;
}

/* Every CPU gets the same numbers out of the same computation. */
static long cpu_work(unsigned long rounds)
{
	long start = milliseconds(), i, n = sysconf(_SC_NPROCESSORS_ONLN);
	void *result[MAX_CPUS], *expected = compute((void *)rounds);
	pthread_t threads[MAX_CPUS];

	if (n > MAX_CPUS)
		n = MAX_CPUS;
	for (i = 0; i < n; i++) {
		errno = pthread_create(&threads[i], NULL, compute,
				       (void *)rounds);
		if (errno)
			fail("thread %ld", i);
	}
	for (i = 0; i < n; i++) {
		pthread_join(threads[i], &result[i]);
		if (result[i] != expected)
			fail("CPU %ld computed something else", i);
	}
	return milliseconds() - start;
}

static long memory_work(size_t len)
{
	char *mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long start = milliseconds();
	size_t at;

	if (mem == MAP_FAILED)
		fail("mmap of %zu bytes", len);
	for (at = 0; at < len; at += PAGE)
		*(uint64_t *)(mem + at) = at ^ 0x5a5a5a5a;
	for (at = 0; at < len; at += PAGE)
		if (*(uint64_t *)(mem + at) != (at ^ 0x5a5a5a5a))
			fail("memory at %zu is not what was written", at);
	munmap(mem, len);
	return milliseconds() - start;
}

/* One page in each of many page tables: written, protected, read, and gone. */
static void sparse_work(void)
{
	char *mem = mmap(NULL, SPARSE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t at;

	if (mem == MAP_FAILED)
		fail("mmap");
	for (at = 0; at < SPARSE; at += SPARSE / 16)
		*(uint64_t *)(mem + at) = at ^ getpid();
	if (mprotect(mem, SPARSE / 2, PROT_READ))
		fail("mprotect");
	for (at = 0; at < SPARSE; at += SPARSE / 16)
		if (*(uint64_t *)(mem + at) != (at ^ getpid()))
			fail("memory at %zu is not what was written", at);
	munmap(mem, SPARSE);
}

static void fork_work(unsigned long n)
{
	unsigned long i;
	int status;
	pid_t pid;

	for (i = 0; i < n; i++) {
		pid = fork();
		if (pid < 0)
			fail("fork");
		if (!pid) {
			/* Who watches the console sees whose turn it is. */
			printf("GUEST-CHILD %lu\n", i);
			fflush(stdout);
			sparse_work();
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			fail("process %lu", i);
	}
}

static void disk_pass(int fd, size_t len, uint64_t *chunk, uint64_t *expected)
{
	uint64_t state = 1442695040888963407ull;
	size_t at, i;

	for (at = 0; at < len; at += CHUNK) {
		for (i = 0; i < CHUNK / sizeof(*expected); i++)
			expected[i] = next(&state);
		if (!chunk && pwrite(fd, expected, CHUNK, at) != CHUNK)
			fail("write at %zu", at);
		if (!chunk)
			continue;
		if (pread(fd, chunk, CHUNK, at) != CHUNK)
			fail("read at %zu", at);
		if (memcmp(chunk, expected, CHUNK))
			fail("disk at %zu is not what was written", at);
	}
}

/* Past the page cache both ways, so that it is the device that answers. */
static long disk_work(size_t len)
{
	int fd = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	uint64_t *buffers[2];
	long start = milliseconds();

	if (fd < 0 && errno == ENOENT)
		return -1;
	if (fd < 0)
		fail(DISK);
	if (posix_memalign((void **)&buffers[0], PAGE, CHUNK) ||
	    posix_memalign((void **)&buffers[1], PAGE, CHUNK))
		fail("buffers");
	disk_pass(fd, len, NULL, buffers[1]);
	if (fsync(fd))
		fail("fsync");
	disk_pass(fd, len, buffers[0], buffers[1]);
	close(fd);
	return milliseconds() - start;
}

static unsigned int kprobe_pmu(void)
{
	unsigned int type;
	FILE *f;

	mkdir("/sys", 0755);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	f = fopen("/sys/bus/event_source/devices/kprobe/type", "r");
	if (!f || fscanf(f, "%u", &type) != 1)
		fail("kprobes");
	fclose(f);
	return type;
}

/*
 * What root can do to the text of its kernel: a breakpoint is put there, after what
 * ftrace has at the beginning of a function. This way nothing waits for time to pass
 * before that.
 */
static void patch(const char *function)
{
	struct perf_event_attr probe = {
		.type = kprobe_pmu(), .size = sizeof(probe),
		.kprobe_func = (uintptr_t)function, .probe_offset = AFTER_CALL,
	};
	char line[16];

	printf("GUEST-READY\n");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		fail("the console");
	if (syscall(SYS_perf_event_open, &probe, -1, 0, -1, 0) < 0)
		fail("a probe at %s", function);
	printf("GUEST-PATCHED %s\n", function);
	fflush(stdout);
}

static void patch_if_asked(void)
{
	char *p = strstr(command_line, "guest.patch="), function[64];

	if (p && sscanf(p, "guest.patch=%63s", function) == 1)
		patch(function);
}

int main(void)
{
	long boot = milliseconds(), cpu, memory, disk;
	FILE *f;

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	f = fopen("/proc/cmdline", "r");
	if (!f || !fgets(command_line, sizeof(command_line), f))
		fail("/proc/cmdline");

	patch_if_asked();
	cpu = cpu_work(param("guest.cpu=", 2000) * 1000);
	fork_work(param("guest.forks=", 0));
	memory = memory_work(param("guest.mem=", 32) << 20);
	disk = disk_work(param("guest.disk=", 4096) << 10);
	printf("GUEST-OK boot_ms=%ld cpu_ms=%ld memory_ms=%ld disk_ms=%ld cpus=%ld\n",
	       boot, cpu, memory, disk, sysconf(_SC_NPROCESSORS_ONLN));
	end();
}
