// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of the emulated machines: mounts what tests need, runs the programs
 * named on the kernel command line and tells on the second serial port how each
 * one ended, then switches the machine off. It never falls back to anything: a
 * machine that ends without the BULKHEAD-RESULT line has failed.
 *
 *   bulkhead.run=NAME[:ARG...][,NAME...]  programs of /tests, in this order
 *   bulkhead.arg.NAME=ARG[:ARG...]        more arguments, wherever NAME runs
 *   bulkhead.timeout=SECONDS              for each program, 60 if not given
 *   bulkhead.many-threads                 spare the emulator what it gets wrong
 *   bulkhead.shell                        a shell on the console instead
 *
 * A program says more about itself on file descriptor 3. Its lines appear in the
 * result indented, as KTAP has it, and a "not ok" among them is a failure
 * whatever its exit status.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define RESULT_DEVICE	"/dev/ttyS1"
#define RESULT_FD	3
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define EXIT_SKIP	4
#define MAX_ARGS	16
#define MAX_TESTS	64

enum outcome { PASS, FAIL, SKIP, NR_OUTCOMES };

struct mount_point {
	const char *type, *dir, *options;
};

/* Subtest lines of one running program, cut where the line ends. */
struct report {
	int fd;
	char line[1024];
	size_t len;
	unsigned int failures;
};

static const struct mount_point mount_points[] = {
	{ "proc", "/proc" },
	{ "sysfs", "/sys" },
	{ "devtmpfs", "/dev" },
	{ "devpts", "/dev/pts" },
	{ "tmpfs", "/dev/shm" },
	{ "tmpfs", "/tmp" },
	{ "tmpfs", "/run" },
	{ "debugfs", "/sys/kernel/debug" },
	{ "tracefs", "/sys/kernel/tracing" },
	{ "securityfs", "/sys/kernel/security" },
	{ "cgroup2", "/sys/fs/cgroup" },
};

static char command_line[4096];
static char *params[256];
static int result_fd = -1;

/* What the kernel was built without is missing for the tests, too: no error. */
static void mount_all(void)
{
	const struct mount_point *m = mount_points;

	for (; m < mount_points + sizeof(mount_points) / sizeof(*m); m++) {
		mkdir(m->dir, 0755);
		if (mount(m->type, m->dir, m->type, 0, m->options) &&
		    errno != EBUSY)
			printf("init: no %s: %m\n", m->type);
	}
}

static void loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		printf("init: no loopback interface: %m\n");
	if (fd >= 0)
		close(fd);
}

/* Splits @text in place at @separators. Returns the number of parts. */
static int split(char *text, const char *separators, char **parts, int max)
{
	char *save, *part;
	int n = 0;

	for (part = strtok_r(text, separators, &save); part && n < max - 1;
	     part = strtok_r(NULL, separators, &save))
		parts[n++] = part;
	parts[n] = NULL;
	return n;
}

static void read_command_line(void)
{
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, command_line, sizeof(command_line) - 1);

	command_line[len > 0 ? len : 0] = '\0';
	close(fd);
	split(command_line, "\n ", params, sizeof(params) / sizeof(*params));
}

/* The text after "@name=", "" for a bare "@name", NULL if it is not given. */
static char *param(const char *name)
{
	size_t len = strlen(name);
	char **p;

	for (p = params; *p; p++) {
		if (strncmp(*p, name, len))
			continue;
		if ((*p)[len] == '=')
			return *p + len + 1;
		if (!(*p)[len])
			return *p + len;
	}
	return NULL;
}

static void raw_mode(int fd)
{
	struct termios tio;

	if (tcgetattr(fd, &tio))
		return;
	cfmakeraw(&tio);
	cfsetspeed(&tio, B115200);
	tcsetattr(fd, TCSANOW, &tio);
}

static void open_result(void)
{
	result_fd = open(RESULT_DEVICE, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (result_fd < 0) {
		printf("init: %s: %m; results go to the console\n",
		       RESULT_DEVICE);
		result_fd = STDOUT_FILENO;
		return;
	}
	raw_mode(result_fd);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void forward_line(struct report *r)
{
	r->line[r->len] = '\0';
	r->len = 0;
	dprintf(result_fd, "    %s\n", r->line);
	if (!strncmp(r->line, "not ok", 6) && !strstr(r->line, "# TODO"))
		r->failures++;
}

/* Empties the pipe of @r into the result; every line that ended goes out. */
static void forward_report(struct report *r)
{
	char c;

	while (read(r->fd, &c, 1) == 1) {
		if (c == '\n')
			forward_line(r);
		else if (r->len < sizeof(r->line) - 1)
			r->line[r->len++] = c;
	}
}

static void run_child(char **argv, int report_fd)
{
	char path[256];
	int null = open("/dev/null", O_RDONLY);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(report_fd, RESULT_FD);
	if (null > RESULT_FD)
		close(null);
	snprintf(path, sizeof(path), "/tests/%s", argv[0]);
	execv(path, argv);
	printf("init: %s: %m\n", path);
	_exit(127);
}

/*
 * Waits until @pid ends or @deadline passes and forwards its report meanwhile.
 * Returns its wait status, -1 after a timeout.
 */
static int supervise(pid_t pid, struct report *r, double deadline)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = r->fd, .events = POLLIN },
	};
	int status = -1;
	double left;

	while ((left = deadline - now()) > 0) {
		poll(fds, 2, left * 1000 + 1);
		if (fds[1].revents & POLLIN)
			forward_report(r);
		else if (fds[1].revents)
			fds[1].fd = -1;
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
	}
	if (left <= 0)
		status = -1;
	close(pidfd);
	return status;
}

/* Nothing of a test may live on into the next one, daemons included. */
static void kill_everything(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static enum outcome judge(const char *name, int status, unsigned int failures)
{
	if (status == -1) {
		dprintf(result_fd, "# %s: timed out\n", name);
		return FAIL;
	}
	if (WIFSIGNALED(status)) {
		dprintf(result_fd, "# %s: killed by signal %d\n", name,
			WTERMSIG(status));
		return FAIL;
	}
	if (!WEXITSTATUS(status) && !failures)
		return PASS;
	if (WEXITSTATUS(status) == EXIT_SKIP && !failures)
		return SKIP;
	dprintf(result_fd, "# %s: exit status %d, %u checks failed\n", name,
		WEXITSTATUS(status), failures);
	return FAIL;
}

static enum outcome run_test(char **argv, double timeout)
{
	struct report r = { .fd = -1 };
	int status, fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
		dprintf(result_fd, "# pipe: %m\n");
		return FAIL;
	}
	/* The program must not lose lines because init was slow to read. */
	fcntl(fds[1], F_SETFL, 0);
	r.fd = fds[0];
	fflush(stdout);
	pid = fork();
	if (!pid)
		run_child(argv, fds[1]);
	close(fds[1]);
	status = pid < 0 ? -1 : supervise(pid, &r, now() + timeout);
	kill_everything();
	forward_report(&r);
	close(fds[0]);
	return judge(argv[0], status, r.failures);
}

static int test_arguments(char *spec, char **argv)
{
	int argc = split(spec, ":", argv, MAX_ARGS);
	char name[128], *more;

	if (!argc)
		return 0;
	snprintf(name, sizeof(name), "bulkhead.arg.%s", argv[0]);
	more = param(name);
	if (more) {
		more = strdup(more);
		argc += split(more, ":", argv + argc, MAX_ARGS - argc);
	}
	return argc;
}

static void run_tests(char *list, double timeout)
{
	static const char * const verdict[] = { "ok", "not ok", "ok" };
	unsigned int count[NR_OUTCOMES] = { 0 };
	char *specs[MAX_TESTS], *argv[MAX_ARGS], spec[256];
	int i, n = split(list, ",", specs, MAX_TESTS);
	enum outcome outcome;
	double start;

	dprintf(result_fd, "KTAP version 1\n1..%d\n", n);
	for (i = 0; i < n; i++) {
		snprintf(spec, sizeof(spec), "%s", specs[i]);
		printf("init: --- %s\n", spec);
		start = now();
		outcome = test_arguments(specs[i], argv) ?
			  run_test(argv, timeout) : FAIL;
		count[outcome]++;
		dprintf(result_fd, "# %s: %.2f s\n", spec, now() - start);
		dprintf(result_fd, "%s %d - %s%s\n", verdict[outcome], i + 1,
			spec, outcome == SKIP ? " # SKIP" : "");
		printf("init: --- %s: %s\n", spec, verdict[outcome]);
	}
	dprintf(result_fd, "BULKHEAD-RESULT: pass=%u fail=%u skip=%u\n",
		count[PASS], count[FAIL], count[SKIP]);
}

/* Returns false where the kernel is built without kmemleak. */
static bool tell_kmemleak(const char *command)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (write(fd, command, strlen(command)) < 0)
		printf("init: kmemleak %s: %m\n", command);
	close(fd);
	return true;
}

/* Reports go to the console, where whoever reads the log finds them. */
static void scan_for_leaks(void)
{
	char text[4096];
	ssize_t len;
	int fd;

	/* An object younger than five seconds is never reported. */
	sleep(6);
	tell_kmemleak("scan");
	fd = open(KMEMLEAK, O_RDONLY | O_CLOEXEC);
	while ((len = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, len, stdout);
	close(fd);
}

static void shell(void)
{
	pid_t pid = fork();
	int fd;

	if (!pid) {
		setsid();
		/* /dev/console cannot be a controlling terminal. */
		fd = open("/dev/ttyS0", O_RDWR);
		if (fd >= 0) {
			ioctl(fd, TIOCSCTTY, 0);
			dup2(fd, STDIN_FILENO);
			dup2(fd, STDOUT_FILENO);
			dup2(fd, STDERR_FILENO);
		}
		execl("/bin/sh", "-sh", NULL);
		_exit(127);
	}
	while (pid > 0 && wait(NULL) != pid)
		;
}

/*
 * A vCPU that never runs. KVM rewrites the scheduler when the first VM comes and
 * when the last one goes, and itself for the first and last local APIC that is
 * off: never, with this one. All descriptors stay open.
 */
static void keep_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);

	if (ioctl(vm, KVM_CREATE_IRQCHIP, 0) || ioctl(vm, KVM_CREATE_VCPU, 0) < 0)
		printf("init: no VM to keep: %m\n");
}

/* For all programs: no guest of theirs runs on the first processor. */
static void leave_first_processor(void)
{
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set)) {
		CPU_CLR(0, &set);
		if (!sched_setaffinity(0, sizeof(set), &set))
			return;
	}
	printf("init: cannot leave the first processor: %m\n");
}

static void set_environment(void)
{
	clearenv();
	setenv("PATH", "/tests:/bin:/sbin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "vt100", 1);
	setenv("PS1", "bulkhead:\\w\\$ ", 1);
}

int main(void)
{
	char *run, *timeout;

	if (getpid() != 1) {
		fprintf(stderr, "init: this is for process 1 only\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	mount_all();
	loopback_up();
	read_command_line();
	set_environment();
	open_result();
	if (param("bulkhead.many-threads")) {
		keep_vm();
		leave_first_processor();
	}
	run = param("bulkhead.run");
	timeout = param("bulkhead.timeout");
	if (param("bulkhead.shell")) {
		shell();
	} else if (run) {
		bool leaks = tell_kmemleak("clear");

		run_tests(run, timeout ? atof(timeout) : 60);
		if (leaks)
			scan_for_leaks();
	}
	tcdrain(result_fd);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
