/* SPDX-License-Identifier: GPL-2.0 */
/* Many VMs, each in a process of its own, that have run and now stay. */
#ifndef BULKHEAD_VM_HERD_H
#define BULKHEAD_VM_HERD_H

#include <stdbool.h>
#include <sys/types.h>

#define HERD_MAX	32

struct vm_herd {
	unsigned int nr;
	pid_t pid[HERD_MAX];
};

/* Adds one; false if it could not be made or did not run. */
bool vm_herd_add(struct vm_herd *herd);

/* Kills them and waits until their instances are gone, too. */
bool vm_herd_end(struct vm_herd *herd);

#endif
