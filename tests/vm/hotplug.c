// SPDX-License-Identifier: GPL-2.0
/* hotplug [ROUNDS]: CPU 1 leaves and comes back while virtual CPUs run on it. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm_test.h"

#define ROUNDS	8
#define ONLINE	"/sys/devices/system/cpu/cpu1/online"

static struct busy_vm busy;

static int pin_to_cpu1(pthread_t thread)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(1, &set);
	return pthread_setaffinity_np(thread, sizeof(set), &set);
}

static void switch_cpu1(const char *state)
{
	int err;

	do {
		err = write_text(ONLINE, state);
	} while (err == -EBUSY);
	check(!err, "CPU 1 %s: %s", *state == '1' ? "on" : "off",
	      strerror(-err));
}

static void one_round(void)
{
	check(!pin_to_cpu1(busy.worker[1].thread), "one thread sits on CPU 1");
	usleep(20000);
	switch_cpu1("0");
	busy_vm_runs(&busy, "with CPU 1 gone");
	check(pin_to_cpu1(busy.worker[1].thread) == EINVAL,
	      "nothing can be pinned to a CPU that is off");
	switch_cpu1("1");
	busy_vm_runs(&busy, "with CPU 1 back");
}

/* A VM that is born while a CPU is away must run there later. */
static void born_without(void)
{
	struct busy_vm late;

	switch_cpu1("0");
	busy_vm_start(&late, 2, "mix");
	switch_cpu1("1");
	check(!pin_to_cpu1(late.worker[0].thread), "moved to the new CPU");
	busy_vm_runs(&late, "on a CPU younger than its VM");
	busy_vm_stop(&late);
}

int main(int argc, char **argv)
{
	int i, rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;

	if (access(ONLINE, W_OK))
		skip("there is no second CPU to switch off");
	vm_test_begin();
	busy_vm_start(&busy, 2, "mix");
	for (i = 0; i < rounds; i++)
		one_round();
	busy_vm_stop(&busy);
	born_without();
	return vm_test_end();
}
