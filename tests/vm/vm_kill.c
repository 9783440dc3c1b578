// SPDX-License-Identifier: GPL-2.0
/*
 * vm_kill [ROUNDS]: a process is killed at a random moment while its virtual
 * CPUs run, over and over; the machine must go on as if nothing had happened.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_test.h"

#define ROUNDS		50
#define LONGEST_US	20000

static const char * const payloads[] = { "mix", "hlt", "eptfault", "spin" };

/* Child: runs a VM until the end, which comes from outside. */
static void live(const char *payload, int ready)
{
	static struct busy_vm busy;

	busy_vm_start(&busy, 2, payload);
	if (!guest_worker_progress(&busy.worker[0], 1, 60))
		_exit(1);
	if (write(ready, "r", 1) != 1)
		_exit(1);
	pause();
	_exit(1);
}

static bool kill_one(unsigned int round)
{
	int fds[2], status = 0;
	char byte;
	pid_t pid;

	if (pipe(fds))
		die("pipe");
	pid = fork();
	if (!pid) {
		close(fds[0]);
		live(payloads[round % 4], fds[1]);
	}
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		note("round %u: the child never got ready", round);
	close(fds[0]);
	usleep(rand() % LONGEST_US);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* The twin: the same child, left alone, does live on. */
static void unharmed(void)
{
	struct guest_vm vm;
	pid_t pid = fork();

	if (!pid) {
		must_create(&vm, 2);
		_exit(guest_vcpu_do(&vm.vcpu[0], guest_payload("mix"), 50) ?
		      1 : 0);
	}
	child_passed(pid, "a child that nobody kills");
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;
	unsigned int i, killed = 0;
	struct guest_vm vm;

	vm_test_begin();
	must_create(&vm, 1);
	for (i = 0; i < rounds; i++)
		killed += kill_one(i);
	check(killed == rounds, "killed %u of %u", killed, rounds);
	unharmed();
	counts_right(&vm.vcpu[0], 100);
	run_payload(&vm.vcpu[0], "mix", 100);
	guest_vm_destroy(&vm);
	return vm_test_end();
}
