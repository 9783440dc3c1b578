// SPDX-License-Identifier: GPL-2.0
/*
 * A guest runs where memory is scarce: in a memory cgroup whose other member
 * takes all there is until it is killed, and while caches are dropped and all of
 * memory is compacted, which moves the guest's pages about.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_test.h"

#define CGROUP		"/sys/fs/cgroup"
#define GROUP		CGROUP "/mempressure"
#define LIMIT		"50331648"	/* 48 MiB: the guest and little else */
#define HOG_BYTES	(256UL << 20)
#define ROUNDS		4

static struct busy_vm busy;

/* A killed process is what we want: its report need not fill the console. */
static void console_level(int level)
{
	klogctl(8, NULL, level);	/* SYSLOG_ACTION_CONSOLE_LEVEL */
}

static int current_level(void)
{
	char text[64];

	return read_text("/proc/sys/kernel/printk", text, sizeof(text)) ?
	       atoi(text) : 7;
}

static bool join_group(void)
{
	char pid[16];

	if (write_text(CGROUP "/cgroup.subtree_control", "+memory") ||
	    (mkdir(GROUP, 0755) && errno != EEXIST) ||
	    write_text(GROUP "/memory.max", LIMIT))
		return false;
	snprintf(pid, sizeof(pid), "%d", getpid());
	return !write_text(GROUP "/cgroup.procs", pid);
}

static void leave_group(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	write_text(CGROUP "/cgroup.procs", pid);
	rmdir(GROUP);
}

/* Touches @bytes, page by page, and ends with 0 if it gets them. */
static pid_t hog(size_t bytes)
{
	size_t at;
	char *mem;
	pid_t pid = fork();

	if (pid)
		return pid;
	write_text("/proc/self/oom_score_adj", "1000");
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		_exit(1);
	for (at = 0; at < bytes; at += 4096)
		mem[at] = 1;
	_exit(0);
}

static bool was_killed(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void inside_cgroup(void)
{
	unsigned int i, killed = 0;
	int level = current_level();

	if (!join_group()) {
		note("no memory cgroups here");
		return;
	}
	busy_vm_start(&busy, 2, "eptfault");
	console_level(2);
	for (i = 0; i < ROUNDS; i++)
		killed += was_killed(hog(HOG_BYTES));
	console_level(level);
	check(killed == ROUNDS, "%u of %u hogs were killed", killed, ROUNDS);
	busy_vm_runs(&busy, "in a full memory cgroup");
	check(!was_killed(hog(1 << 20)), "who takes little lives");
	busy_vm_stop(&busy);
	leave_group();
}

/* Faults its memory in again and again while the rest happens. */
static void *keep_dropping(void *stop)
{
	while (!*(volatile bool *)stop) {
		guest_vm_drop_memory(&busy.vm);
		usleep(5000);
	}
	return NULL;
}

static void whole_machine(void)
{
	bool stop = false;
	pthread_t thread;
	int i;

	busy_vm_start(&busy, 2, "eptfault");
	if (pthread_create(&thread, NULL, keep_dropping, &stop))
		die("pthread_create");
	for (i = 0; i < ROUNDS; i++) {
		write_text("/proc/sys/vm/drop_caches", "3");
		write_text("/proc/sys/vm/compact_memory", "1");
		busy_vm_runs(&busy, "while memory is compacted");
	}
	stop = true;
	pthread_join(thread, NULL);
	busy_vm_stop(&busy);
}

int main(void)
{
	vm_test_begin();
	inside_cgroup();
	whole_machine();
	return vm_test_end();
}
