// SPDX-License-Identifier: GPL-2.0
/*
 * `bulkhead watch` on a VM of this process, from outside of it: what it tells, what
 * it refuses, how it ends, and who may not use it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_layout.h"
#include "track_guest.h"
#include "vm_test.h"

#define TOOL	"/tests/bulkhead"
#define NOBODY	65534
#define VALUE	0x1817161514131211UL
#define MAX_ARGS	16

extern const uint8_t track_store8[], track_add[], track_cmpxchg16b[];
extern const uint8_t track_stores[];

struct flood {
	struct guest_vm vm;
	bool over;
	int err;
};

/* A running tool, and what it has said so far. */
struct tool {
	pid_t pid;
	int out;
	char said[16384];
	size_t len;
};

static void exec_tool(int out, uid_t uid, char **args)
{
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	/* The report is for the test alone. */
	close(3);
	if (uid && setresuid(uid, uid, uid))
		_exit(126);
	execv(TOOL, args);
	_exit(127);
}

/* False at its end. */
static bool hear(struct tool *tool)
{
	ssize_t got = read(tool->out, tool->said + tool->len,
			   sizeof(tool->said) - 1 - tool->len);

	if (got <= 0)
		return false;
	tool->len += got;
	tool->said[tool->len] = 0;
	return true;
}

/* Runs `bulkhead watch ARGS... PID`, words of @args split at blanks. */
static void start(struct tool *tool, pid_t watched, uid_t uid, const char *args)
{
	char *list[MAX_ARGS] = { TOOL, "watch", "--json" }, pid[16];
	char *copy = strdup(args), *word, *rest = copy;
	int fds[2], nr = 3;

	while ((word = strsep(&rest, " ")) && nr < MAX_ARGS - 2)
		if (*word)
			list[nr++] = word;
	snprintf(pid, sizeof(pid), "%d", watched);
	list[nr] = pid;
	memset(tool, 0, sizeof(*tool));
	if (pipe2(fds, O_CLOEXEC))
		die("pipe");
	tool->out = fds[0];
	tool->pid = fork();
	if (tool->pid < 0)
		die("fork");
	if (!tool->pid)
		exec_tool(fds[1], uid, list);
	close(fds[1]);
	free(copy);
}

static void await_start(struct tool *tool)
{
	while (!strstr(tool->said, "\"start\"") && hear(tool))
		;
	check(strstr(tool->said, "\"start\""), "the tool watches");
}

/* Its exit status, or 128 and the signal that killed it. */
static int finish(struct tool *tool, int signal)
{
	int status;

	if (signal)
		kill(tool->pid, signal);
	while (hear(tool))
		;
	close(tool->out);
	waitpid(tool->pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool says(const struct tool *tool, const char *text)
{
	return check(strstr(tool->said, text), "it says %s: %s", text,
		     strstr(tool->said, text) ? "yes" : tool->said);
}

static bool says_not(const struct tool *tool, const char *text)
{
	return check(!strstr(tool->said, text), "it does not say %s", text);
}

static uint64_t memory(const struct guest_vm *vm, uint64_t gpa)
{
	uint64_t value;

	memcpy(&value, vm->mem + gpa, sizeof(value));
	return value;
}

/* Runs @code on the data at @offset of the first page that is for watching. */
static int run(struct guest_vm *vm, const uint8_t *code, uint64_t offset)
{
	const struct track_regs regs = { .rax = VALUE,
		.rbx = TRACK_DATA + offset };
	int err;

	memset(vm->mem + TRACK_DATA, 0, TRACK_PAGE);
	track_load(&vm->vcpu[0], code, &regs);
	do {
		err = guest_vcpu_run(&vm->vcpu[0]);
	} while (err == -EINTR);
	return err;
}

static bool writes(struct guest_vm *vm, uint64_t offset)
{
	return !run(vm, track_store8, offset) &&
	       memory(vm, TRACK_DATA + offset) == VALUE;
}

static void tells(void)
{
	struct guest_vm vm;
	struct tool tool;

	track_vm_create(&vm, 1);
	start(&tool, getpid(), 0, "--range gpa:0x300000=rwW --registers");
	await_start(&tool);
	check(!run(&vm, track_add, 8) && memory(&vm, TRACK_DATA + 8) == VALUE,
	      "the guest goes on");
	check(!finish(&tool, SIGINT), "interrupted, it ends well");
	says(&tool, "\"access\": \"read\", \"gpa\": \"0x300008\"");
	says(&tool, "\"access\": \"write\", \"gpa\": \"0x300008\"");
	says(&tool, "\"access\": \"written\", \"gpa\": \"0x300008\"");
	says(&tool, "\"bytes\": 8, \"data\": \"1112131415161718\"");
	says(&tool, "\"rax\": \"0x1817161514131211\"");
	says(&tool, "\"accesses\": 3, \"refused\": 0, \"lost\": 0");
	check(writes(&vm, 8), "and nothing is watched any more");
	guest_vm_destroy(&vm);
}

static void protects(void)
{
	struct guest_vm vm;
	struct tool tool;

	track_vm_create(&vm, 1);
	start(&tool, getpid(), 0,
	      "--protect gpa:0x300008..+8 --svg /tmp/heat.svg");
	await_start(&tool);
	check(!run(&vm, track_store8, 8) && !memory(&vm, TRACK_DATA + 8),
	      "a write is skipped, and the guest goes on");
	check(!run(&vm, track_store8, 4) && !memory(&vm, TRACK_DATA + 8),
	      "one that begins before it, too");
	check(writes(&vm, 16), "one beside it is not");
	check(finish(&tool, SIGTERM) == 3, "the status tells of it");
	says(&tool, "\"outcome\": \"skipped\"");
	says_not(&tool, "\"gpa\": \"0x300010\"");
	says(&tool, "\"accesses\": 2, \"refused\": 2");
	check(!access("/tmp/heat.svg", F_OK) &&
	      access("/tmp/heat.svg.part", F_OK), "the heat map is there");
	unlink("/tmp/heat.svg");
	check(writes(&vm, 8), "nothing is protected any more");
	guest_vm_destroy(&vm);
}

/* By what is caught, or by the death of the watcher. */
static void stops(bool caught)
{
	struct guest_vm vm;
	struct tool tool;
	int status;

	track_vm_create(&vm, 1);
	start(&tool, getpid(), 0, "--stop --protect gpa:0x300000");
	await_start(&tool);
	status = caught ? 0 : finish(&tool, SIGKILL);
	check(run(&vm, track_store8, 8) == -EIO && !memory(&vm, TRACK_DATA + 8),
	      "the VM is stopped, and nothing is written");
	if (caught)
		status = finish(&tool, 0);
	check(status == (caught ? 3 : 128 + SIGKILL), "status %d", status);
	if (caught)
		says(&tool, "\"outcome\": \"stopped\"");
	guest_vm_destroy(&vm);
}

/* Killed without --stop: the guest goes on as if nobody had watched. */
static void dies(void)
{
	struct guest_vm vm;
	struct tool tool;

	track_vm_create(&vm, 1);
	start(&tool, getpid(), 0, "--protect gpa:0x300000");
	await_start(&tool);
	finish(&tool, SIGKILL);
	check(writes(&vm, 8), "the guest survives its watcher");
	guest_vm_destroy(&vm);
}

/* What KVM cannot emulate is a reason not to watch, none to end the guest. */
static void lets_go(void)
{
	struct guest_vm vm;
	struct tool tool;
	int err;

	track_vm_create(&vm, 1);
	start(&tool, getpid(), 0, "--range gpa:0x300000=r");
	await_start(&tool);
	err = run(&vm, track_cmpxchg16b, 16);
	check(!err, "cmpxchg16b: the guest goes on, error %d, exit %u", err,
	      vm.vcpu[0].run->exit_reason);
	check(!finish(&tool, SIGINT), "cmpxchg16b: done");
	says(&tool, "\"outcome\": \"released\"");
	guest_vm_destroy(&vm);
}

static void *write_on(void *arg)
{
	const struct track_regs regs = { .rbx = TRACK_DATA, .rdi = 1000 };
	struct flood *flood = arg;
	int err;

	while (!__atomic_load_n(&flood->over, __ATOMIC_RELAXED)) {
		track_load(&flood->vm.vcpu[0], track_stores, &regs);
		do {
			err = guest_vcpu_run(&flood->vm.vcpu[0]);
		} while (err == -EINTR);
		flood->err |= err;
	}
	return NULL;
}

/* A guest that writes without end keeps nobody from ending. */
static void flooded(const char *args, int signal, const char *text)
{
	struct flood flood = { 0 };
	struct tool tool;
	pthread_t thread;

	track_vm_create(&flood.vm, 1);
	start(&tool, getpid(), 0, args);
	await_start(&tool);
	errno = pthread_create(&thread, NULL, write_on, &flood);
	if (errno)
		die("thread");
	if (signal)
		usleep(200000);
	check(!finish(&tool, signal), "flooded with %s: done", args);
	says(&tool, text);
	__atomic_store_n(&flood.over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	check(!flood.err, "and the guest goes on, error %d", flood.err);
	guest_vm_destroy(&flood.vm);
}

static void second_vm(void)
{
	struct guest_vm first, second;
	struct tool tool;

	track_vm_create(&first, 1);
	track_vm_create(&second, 1);
	start(&tool, getpid(), 0, "--vm 1 --protect gpa:0x300000");
	await_start(&tool);
	check(writes(&first, 8), "the first VM is not watched");
	check(!run(&second, track_store8, 8) && !memory(&second, TRACK_DATA + 8),
	      "the second one is");
	check(finish(&tool, SIGINT) == 3, "caught");
	guest_vm_destroy(&second);
	guest_vm_destroy(&first);
}

/* A process whose VM is watched ends. */
static void vm_ends(void)
{
	struct guest_vm vm;
	struct tool tool;
	pid_t child;
	int ready[2];
	char byte;

	if (pipe(ready))
		die("pipe");
	child = fork();
	if (!child) {
		track_vm_create(&vm, 1);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		die("no VM in the child");
	start(&tool, child, 0, "--range gpa:0x300000");
	await_start(&tool);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	check(!finish(&tool, 0), "its process ends");
	says(&tool, "the process of the VM has ended");
	close(ready[0]);
	close(ready[1]);
}

static void refused(const char *name, pid_t pid, uid_t uid, const char *args,
		    int status, const char *text)
{
	struct tool tool;

	start(&tool, pid, uid, args);
	check(finish(&tool, 0) == status, "%s: exits with %d", name, status);
	says(&tool, text);
}

static int create(int vm_fd)
{
	struct track track;
	int err = track_open(&track, vm_fd, TRACK_CREATE());

	if (!err)
		track_close(&track);
	return err;
}

/* What a process that has got the descriptor of a VM can do with it. */
static int use_descriptor(int vm_fd, uid_t uid)
{
	bool may_trace = !uid;

	if (uid && setresuid(uid, uid, uid))
		return 1;
	if (create(vm_fd) != (may_trace ? 0 : -EIO))
		return 2;
	if (ioctl(vm_fd, KVM_CREATE_IRQCHIP, 0) != -1 || errno != EIO)
		return 3;
	return ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_TRACK) != -1 ||
	       errno != EIO ? 4 : 0;
}

static void descriptor(uid_t uid)
{
	struct guest_vm vm;
	int status;
	pid_t child;

	track_vm_create(&vm, 1);
	child = fork();
	if (!child)
		_exit(use_descriptor(vm.fd, uid));
	waitpid(child, &status, 0);
	check(!status, "a descriptor in the hands of user %u: step %d", uid,
	      WEXITSTATUS(status));
	guest_vm_destroy(&vm);
}

static void refusals(void)
{
	struct guest_vm vm;

	refused("no VM", getpid(), 0, "-r gpa:0", 1, "has 0 VMs");
	refused("no process", 4000000, 0, "-r gpa:0", 1, "no such process");
	refused("nothing to watch", getpid(), 0, "", 2, "nothing to watch");
	track_vm_create(&vm, 1);
	refused("nobody", getpid(), NOBODY, "-r gpa:0", 1, "run it as root");
	refused("no such VM", getpid(), 0, "--vm 1 -r gpa:0", 1, "has 1 VMs");
	refused("no such memory", getpid(), 0, "-r gpa:0xfffffffff0000", 1,
		"cannot have such addresses");
	check(writes(&vm, 8), "whoever is refused leaves nothing behind");
	guest_vm_destroy(&vm);
}

int main(void)
{
	vm_test_begin();
	tells();
	protects();
	stops(true);
	stops(false);
	dies();
	lets_go();
	flooded("--quiet --log --time 1 --range gpa:0x300000", 0,
		"the time is over");
	flooded("--quiet --events 100 --range gpa:0x300000", 0,
		"\"accesses\": 100, \"refused\": 0");
	flooded("--quiet --log --range gpa:0x300000", SIGINT, "interrupted");
	flooded("--quiet --range gpa:0x300000", SIGINT, "interrupted");
	second_vm();
	vm_ends();
	descriptor(0);
	descriptor(NOBODY);
	refusals();
	return vm_test_end();
}
