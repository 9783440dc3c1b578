// SPDX-License-Identifier: GPL-2.0
/*
 * A process with a running VM forks and executes, and others inherit its file
 * descriptors. A VM belongs to the address space that made it: elsewhere its
 * virtual CPUs must refuse to run, and its last reference may be dropped there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_test.h"

#define ROUNDS	20

static const char *program;
static struct busy_vm busy;

static bool refuses(int vcpu_fd)
{
	return ioctl(vcpu_fd, KVM_RUN, 0) < 0 && errno == EIO;
}

/* argv: "--refused" vcpu-fd, or "--wait" pipe-fd */
static int as_child(char **argv)
{
	int fd = atoi(argv[2]);
	char byte;

	if (!strcmp(argv[1], "--refused"))
		return refuses(fd) ? 0 : 1;
	/* Holds whatever it inherited until the parent closes the pipe. */
	return read(fd, &byte, 1) == 0 ? 0 : 1;
}

static void keep_on_exec(int fd)
{
	fcntl(fd, F_SETFD, 0);
}

static void exec_self(const char *what, int fd)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	execl(program, program, what, number, NULL);
	_exit(127);
}

static void fork_while_running(void)
{
	unsigned int i, refused = 0;
	int status;
	pid_t pid;

	for (i = 0; i < ROUNDS; i++) {
		pid = fork();
		if (!pid)
			_exit(refuses(busy.vm.vcpu[1].fd) ? 0 : 1);
		refused += waitpid(pid, &status, 0) == pid && !status;
	}
	check(refused == ROUNDS, "%u of %u forked children could not run it",
	      refused, ROUNDS);
	busy_vm_runs(&busy, "beside its parent's forks");
}

static void exec_in_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		keep_on_exec(busy.vm.vcpu[1].fd);
		exec_self("--refused", busy.vm.vcpu[1].fd);
	}
	child_passed(pid, "nor can the program it executes");
	busy_vm_runs(&busy, "after that");
}

/* The VM is closed here first, and for good when the child ends. */
static void last_reference_elsewhere(void)
{
	struct guest_vm vm;
	int fds[2];
	pid_t pid;

	must_create(&vm, 2);
	run_payload(&vm.vcpu[0], "mix", 20);
	if (pipe(fds))
		die("pipe");
	pid = fork();
	if (!pid) {
		close(fds[1]);
		keep_on_exec(vm.fd);
		keep_on_exec(vm.vcpu[0].fd);
		exec_self("--wait", fds[0]);
	}
	close(fds[0]);
	guest_vm_destroy(&vm);
	usleep(50000);
	close(fds[1]);
	child_passed(pid, "the last holder of a VM is another process");
}

/* The process that made the VM becomes another program itself. */
static void exec_over_own_vm(void)
{
	struct guest_vm vm;
	pid_t pid = fork();

	if (!pid) {
		must_create(&vm, 1);
		guest_vcpu_do(&vm.vcpu[0], guest_payload("mix"), 20);
		keep_on_exec(vm.fd);
		keep_on_exec(vm.vcpu[0].fd);
		exec_self("--refused", vm.vcpu[0].fd);
	}
	child_passed(pid, "after exec the process has lost its own VM");
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return as_child(argv);
	program = argv[0];
	vm_test_begin();
	busy_vm_start(&busy, 2, "mix");
	fork_while_running();
	exec_in_child();
	last_reference_elsewhere();
	exec_over_own_vm();
	busy_vm_stop(&busy);
	return vm_test_end();
}
