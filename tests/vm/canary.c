// SPDX-License-Identifier: GPL-2.0
/*
 * canary [--check COMMAND... | --hold COMMAND...]
 *
 * Plants random secrets where a host kernel keeps what belongs to others: the
 * memory of a process, the page cache, a pipe, a key, a socket, a kernel stack.
 * No other copy of a secret is left anywhere: this program handles complements
 * only, and it is the complements it prints and gives to the kernel's auditor,
 * which then looks for the secrets in what a running guest could reach.
 *
 * Without an option it keeps the secrets until it is killed, with --hold until
 * COMMAND ends. --check also asks the auditor afterwards: every secret must have
 * been reachable through the full page tables, none through restricted ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asi_stats.h"
#include "report.h"

#define SECRET_LEN	32
#define PAGE_LEN	4096
#define PROCESS_KEYRING	(-2)	/* KEY_SPEC_PROCESS_KEYRING */

typedef uint8_t complement_t[SECRET_LEN];

struct needle {
	const char *kind;
	/* Puts the secret where it belongs; false if the machine cannot. */
	bool (*plant)(const uint8_t *complement);
	complement_t complement;
	bool planted;
};

/* Where a secret waits for the system call that takes it away. */
static volatile uint8_t *scratch;

/* Bytes and volatile: the secret must not stay behind in a vector register. */
static void put_secret(volatile uint8_t *where, const uint8_t *complement)
{
	size_t i;

	for (i = 0; i < SECRET_LEN; i++)
		where[i] = ~complement[i];
}

static void wipe(volatile uint8_t *where)
{
	size_t i;

	for (i = 0; i < SECRET_LEN; i++)
		where[i] = 0;
}

static void *shared_page(void)
{
	void *page = mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	return page;
}

static bool plant_anonymous(const uint8_t *complement)
{
	volatile uint8_t *page = mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return false;
	put_secret(page + 0x340, complement);
	return true;
}

/* Through a mapping: write() would need a second copy to read from. */
static bool plant_file(const char *path, const uint8_t *complement)
{
	volatile uint8_t *page;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, PAGE_LEN))
		return false;
	page = mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return false;
	put_secret(page + 0x580, complement);
	return munmap((void *)page, PAGE_LEN) == 0;
}

static bool plant_tmpfs(const uint8_t *complement)
{
	return plant_file("/tmp/canary", complement);
}

static bool plant_rootfs(const uint8_t *complement)
{
	struct stat root, tmp;

	if (stat("/", &root) || stat("/tmp", &tmp) ||
	    root.st_dev == tmp.st_dev)
		return false;
	return plant_file("/canary", complement);
}

static bool plant_pipe(const uint8_t *complement)
{
	ssize_t done;
	int fds[2];

	if (pipe(fds))
		return false;
	put_secret(scratch, complement);
	done = write(fds[1], (const void *)scratch, SECRET_LEN);
	wipe(scratch);
	return done == SECRET_LEN;
}

static bool plant_socket(const uint8_t *complement)
{
	ssize_t done;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds))
		return false;
	put_secret(scratch, complement);
	done = send(fds[0], (const void *)scratch, SECRET_LEN, 0);
	wipe(scratch);
	return done == SECRET_LEN;
}

static bool plant_key(const uint8_t *complement)
{
	long key;

	put_secret(scratch, complement);
	key = syscall(SYS_add_key, "user", "bulkhead-canary", scratch,
		      SECRET_LEN, PROCESS_KEYRING);
	wipe(scratch);
	return key >= 0;
}

/*
 * select() keeps the set of descriptors it waits for on the kernel stack: with
 * 256 of them, all open and never ready, any 32 bytes will do.
 */
static void wait_on_stack(volatile uint8_t *set)
{
	int fds[2], spare, i;

	if (pipe(fds))
		_exit(1);
	spare = fcntl(fds[0], F_DUPFD, SECRET_LEN * 8 + 1);
	fcntl(fds[1], F_DUPFD, SECRET_LEN * 8 + 1);
	for (i = 0; i < SECRET_LEN * 8; i++)
		if (dup2(spare, i) < 0)
			_exit(1);
	select(SECRET_LEN * 8, (fd_set *)set, NULL, NULL, NULL);
	_exit(1);
}

static bool sleeps(pid_t pid)
{
	char path[64], text[512], *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!read_text(path, text, sizeof(text)))
		return false;
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

static bool plant_stack(const uint8_t *complement)
{
	volatile uint8_t *set = shared_page();
	int tries;
	pid_t pid;

	put_secret(set, complement);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		wait_on_stack(set);
	}
	for (tries = 0; pid > 0 && !sleeps(pid) && tries < 500; tries++)
		usleep(10000);
	wipe(set);
	return pid > 0 && sleeps(pid);
}

static struct needle needles[] = {
	{ .kind = "anonymous", .plant = plant_anonymous },
	{ .kind = "tmpfs", .plant = plant_tmpfs },
	{ .kind = "rootfs", .plant = plant_rootfs },
	{ .kind = "pipe", .plant = plant_pipe },
	{ .kind = "key", .plant = plant_key },
	{ .kind = "socket", .plant = plant_socket },
	{ .kind = "stack", .plant = plant_stack },
};

#define for_each_needle(n) \
	for (n = needles; n < needles + ARRAY_SIZE(needles); n++)

static void to_hex(const struct needle *needle, char *hex)
{
	size_t i;

	for (i = 0; i < SECRET_LEN; i++)
		sprintf(hex + 2 * i, "%02x", needle->complement[i]);
}

static unsigned int plant_all(void)
{
	char hex[2 * SECRET_LEN + 1], line[128];
	struct needle *needle;
	unsigned int planted = 0;

	for_each_needle(needle) {
		if (getrandom(needle->complement, SECRET_LEN, 0) != SECRET_LEN)
			die("getrandom");
		needle->planted = needle->plant(needle->complement);
		if (!needle->planted) {
			note("%s: nowhere to plant", needle->kind);
			continue;
		}
		planted++;
		to_hex(needle, hex);
		snprintf(line, sizeof(line), "canary %s %s", needle->kind, hex);
		report_data(line);
	}
	return planted;
}

/* Returns false if the kernel has no auditor. */
static bool register_all(void)
{
	char hex[2 * SECRET_LEN + 1];
	struct needle *needle;
	int err;

	if (!asi_debugfs())
		return false;
	for_each_needle(needle) {
		if (!needle->planted)
			continue;
		to_hex(needle, hex);
		err = asi_write("canary", hex);
		check(!err, "registered %s: %s", needle->kind, strerror(-err));
	}
	return true;
}

static int run_command(char **argv)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static uint64_t canary_count(const char *name)
{
	uint64_t value = UINT64_MAX;

	if (!asi_value("canary", name, &value))
		note("canary: no line '%s'", name);
	return value;
}

/* Audits every entry of @command and compares the verdict with the claim. */
static void check_command(char **command, unsigned int planted)
{
	uint64_t restricted, full, audits = 0, before = 0;
	char line[128];
	int ret;

	asi_value("audit", "audits", &before);
	ret = asi_write("audit_interval", "1");
	check(!ret, "every VM entry is audited: %s", strerror(-ret));
	ret = run_command(command);
	check(ret == 0, "%s ended with %d", command[0], ret);
	asi_value("audit", "audits", &audits);
	check(audits > before, "%lu audits took place", audits - before);
	restricted = canary_count("reachable_restricted");
	full = canary_count("reachable_full");
	snprintf(line, sizeof(line), "verdict restricted %lu full %lu",
		 restricted, full);
	report_data(line);
	check(canary_count("planted") == planted, "the kernel knows %u secrets",
	      planted);
	check(restricted == 0, "%lu reachable while a guest runs", restricted);
	check(full == planted, "%lu of %u reachable through the full tables",
	      full, planted);
}

static int usage(void)
{
	fprintf(stderr, "usage: canary [--check|--hold COMMAND...]\n");
	return 2;
}

int main(int argc, char **argv)
{
	bool checking = argc > 2 && !strcmp(argv[1], "--check");
	bool holding = argc > 2 && !strcmp(argv[1], "--hold");
	unsigned int planted;
	int ret;

	if (argc > 1 && !checking && !holding)
		return usage();
	if (checking && !asi_enabled())
		skip("address space isolation is off: no auditor to ask");
	scratch = shared_page();
	planted = plant_all();
	check(planted >= 4, "%u secrets planted", planted);
	if (!register_all() && checking)
		check(false, "the kernel's auditor is not there");
	if (checking) {
		check_command(argv + 2, planted);
	} else if (holding) {
		ret = run_command(argv + 2);
		check(ret == 0, "%s ended with %d", argv[2], ret);
	} else {
		pause();
	}
	return report_result();
}
