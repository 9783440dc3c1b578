// SPDX-License-Identifier: GPL-2.0
/* See vm_herd.h. */
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asi_stats.h"
#include "kvm_guest.h"
#include "vm_herd.h"

#define DESTROY_WAIT	500	/* times 10 ms */

/* Tells through @fd whether the guest ran, then keeps it. */
static void keep_vm(int fd)
{
	static struct guest_vm vm;
	bool good;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	good = !guest_vm_create(&vm, 1, GUEST_MEM_SIZE) &&
	       !guest_vcpu_do(&vm.vcpu[0], guest_payload("mix"), 50);
	if (write(fd, &good, sizeof(good)) != sizeof(good))
		_exit(1);
	for (;;)
		pause();
}

bool vm_herd_add(struct vm_herd *herd)
{
	bool good = false;
	int fds[2];
	pid_t pid;

	if (herd->nr == HERD_MAX || pipe(fds))
		return false;
	pid = fork();
	if (!pid)
		keep_vm(fds[1]);
	close(fds[1]);
	if (pid > 0)
		herd->pid[herd->nr++] = pid;
	if (read(fds[0], &good, sizeof(good)) != sizeof(good))
		good = false;
	close(fds[0]);
	return good;
}

bool vm_herd_end(struct vm_herd *herd)
{
	uint64_t instances = 0;
	int tries;

	while (herd->nr) {
		kill(herd->pid[--herd->nr], SIGKILL);
		waitpid(herd->pid[herd->nr], NULL, 0);
	}
	/* The last reference may be dropped a little later. */
	for (tries = 0; tries < DESTROY_WAIT; tries++) {
		if (!asi_value("stats", "instances", &instances) || !instances)
			return true;
		usleep(10000);
	}
	return false;
}
