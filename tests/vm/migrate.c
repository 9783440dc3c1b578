// SPDX-License-Identifier: GPL-2.0
/*
 * migrate [SECONDS]: virtual CPU threads are pushed from CPU to CPU while they
 * run, and beside them processes fork, execute and exit without a pause.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm_test.h"

#define NR_VCPUS	3
#define SECONDS		4
#define CHILD		"--exit-at-once"

static struct busy_vm busy;
static cpu_set_t allowed;
static volatile bool stop;
static unsigned long storms, deaths;

/* The CPU @turns after the first one of those we may run on, round and round. */
static int cpu_after(unsigned long turns)
{
	unsigned long left = turns % CPU_COUNT(&allowed);
	int cpu;

	for (cpu = 0; left || !CPU_ISSET(cpu, &allowed); cpu++)
		left -= CPU_ISSET(cpu, &allowed);
	return cpu;
}

static int push(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return pthread_setaffinity_np(thread, sizeof(set), &set);
}

/* fork, then exec, then exit: each changes the address space of a CPU. */
static void *storm(void *program)
{
	char *const argv[] = { program, CHILD, NULL };
	int status;
	pid_t pid;

	for (; !stop; storms++) {
		pid = fork();
		if (!pid) {
			execv(program, argv);
			_exit(1);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			deaths++;
	}
	return NULL;
}

/* Moves every virtual CPU one CPU on; returns how many would not go. */
static unsigned int push_all(unsigned long turn)
{
	unsigned int i, refused = 0;

	for (i = 0; i < NR_VCPUS; i++)
		refused += !!push(busy.worker[i].thread, cpu_after(turn + i));
	return refused;
}

static void push_around(unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	unsigned long turns = 0, refused = 0;

	for (; time(NULL) < end; turns++) {
		refused += push_all(turns);
		usleep(2000);
	}
	check(turns && !refused, "%lu moves, %lu refused", turns * NR_VCPUS,
	      refused);
}

static void no_such_cpu(void)
{
	check(push(pthread_self(), CPU_SETSIZE - 1) == EINVAL,
	      "no thread moves to a CPU that is not there");
}

int main(int argc, char **argv)
{
	pthread_t storm_thread;

	if (argc > 1 && !strcmp(argv[1], CHILD))
		return 0;
	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		die("sched_getaffinity");
	vm_test_begin();
	busy_vm_start(&busy, NR_VCPUS, "mix");
	if (pthread_create(&storm_thread, NULL, storm, argv[0]))
		die("pthread_create");
	push_around(argc > 1 ? atoi(argv[1]) : SECONDS);
	stop = true;
	pthread_join(storm_thread, NULL);
	check(storms && !deaths, "%lu processes beside it, %lu failed", storms,
	      deaths);
	busy_vm_runs(&busy, "after all the moves");
	no_such_cpu();
	busy_vm_stop(&busy);
	return vm_test_end();
}
