/* SPDX-License-Identifier: GPL-2.0 */
/* The Linux of /guest on a virtual machine of one processor and a serial port. */
#ifndef BULKHEAD_LINUX_GUEST_H
#define BULKHEAD_LINUX_GUEST_H

#include "kvm_guest.h"

#define LINUX_TEXT	0x1000000UL	/* of a kernel that is not moved */

/* As much of a 16550 as a driver insists on: it only ever sends. */
struct linux_serial {
	uint8_t ier, lcr, mcr, scratch, fifo, divisor[2];
	bool sent;		/* and nobody was told yet */
	char line[256];
	size_t len;
};

/* All 0 but for what the caller wants to be called. */
struct linux_guest {
	struct guest_vm *vm;
	struct linux_serial serial;
	/* If set: the guest, which stands still, has said serial.line. */
	void (*on_line)(struct linux_guest *guest);
	void *arg;		/* of it */
	bool ok, failed;	/* what it said of its work */
};

/* Puts it into the memory of @vm, or ends the program. */
void linux_guest_load(struct linux_guest *guest, struct guest_vm *vm,
		      const char *parameters);

/*
 * Runs it until it ends itself by a triple fault; a failed check if it ends in any
 * other way.
 */
bool linux_guest_run(struct linux_guest *guest);

#endif
