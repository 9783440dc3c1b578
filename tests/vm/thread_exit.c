// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual CPUs handed from thread to thread: the thread that ran one last is
 * gone, stack and all, when the next one enters. Also a process whose first
 * thread ends before the others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm_test.h"

#define HANDOVERS	200

struct turn {
	struct guest_vcpu *vcpu;
	int error;
};

static void *take_turn(void *arg)
{
	struct turn *turn = arg;

	turn->error = guest_vcpu_do(turn->vcpu, guest_payload("mix"), 2);
	if (!turn->error)
		turn->error = guest_vcpu_do(turn->vcpu, guest_payload("count"),
					    3);
	return NULL;
}

static void hand_over(struct guest_vcpu *vcpu)
{
	struct turn turn = { .vcpu = vcpu };
	unsigned int i, failed = 0;
	pthread_t thread;

	for (i = 0; i < HANDOVERS; i++) {
		if (pthread_create(&thread, NULL, take_turn, &turn))
			die("pthread_create");
		pthread_join(thread, NULL);
		failed += turn.error != 0;
	}
	check(!failed, "%u threads took a turn, %u failed", HANDOVERS, failed);
	check(guest_vcpu_result(vcpu)->counter == 3 * HANDOVERS,
	      "the guest counted all turns");
}

static void beside_a_lasting_thread(void)
{
	struct guest_worker lasting;
	struct guest_vm vm;

	must_create(&vm, 2);
	if (guest_worker_start(&lasting, &vm.vcpu[1], "mix", 20))
		die("start a virtual CPU");
	hand_over(&vm.vcpu[0]);
	check(guest_worker_progress(&lasting, 2, 60),
	      "the thread that stays gets on");
	stops_well(&lasting, "the thread that stays");
	guest_vm_destroy(&vm);
}

static struct guest_vm orphan;

static void *outlive_first_thread(void *unused)
{
	(void)unused;
	usleep(100000);
	_exit(guest_vcpu_do(&orphan.vcpu[0], guest_payload("mix"), 100) ? 1 : 0);
}

static void first_thread_ends(void)
{
	pthread_t thread;
	pid_t pid = fork();

	if (!pid) {
		must_create(&orphan, 1);
		guest_vcpu_do(&orphan.vcpu[0], guest_payload("mix"), 20);
		if (pthread_create(&thread, NULL, outlive_first_thread, NULL))
			_exit(1);
		syscall(SYS_exit, 1);
	}
	child_passed(pid, "a guest outlives the thread that made it");
}

/* The twin: what a guest stands on must stay. */
static void no_memory_no_run(void)
{
	struct guest_vm vm;
	int err;

	must_create(&vm, 1);
	munmap(vm.mem, vm.mem_size);
	vm.mem = NULL;
	err = guest_vcpu_do(&vm.vcpu[0], guest_payload("mix"), 1);
	check(err == -EFAULT || err == -EPROTO,
	      "a guest without memory does not run: %s", strerror(-err));
	guest_vm_destroy(&vm);
}

int main(void)
{
	vm_test_begin();
	beside_a_lasting_thread();
	first_thread_ends();
	no_memory_no_run();
	return vm_test_end();
}
