/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every test of a running VM shares: busy guests, and the questions asked
 * at its end. The kernel must not have complained, no audited VM entry may have
 * found anything but the VM's own memory, and no instance may be left over.
 */
#ifndef BULKHEAD_VM_TEST_H
#define BULKHEAD_VM_TEST_H

#include <stdbool.h>

#include "asi_stats.h"
#include "kvm_guest.h"
#include "report.h"

/* Ends the program with "skip" where no VM can run. */
void vm_test_begin(void);

/* The value for main() to return. All VMs must be gone. */
int vm_test_end(void);

/* A VM with one thread per virtual CPU, each running the same payload. */
struct busy_vm {
	struct guest_vm vm;
	struct guest_worker worker[GUEST_MAX_VCPUS];
};

/* guest_vm_create(), or the end of the program. */
void must_create(struct guest_vm *vm, unsigned int nr_vcpus);

void busy_vm_start(struct busy_vm *busy, unsigned int nr_vcpus,
		   const char *payload);

/* Checks that every virtual CPU gets on. @when is for the report. */
bool busy_vm_runs(struct busy_vm *busy, const char *when);

/* Checks that nothing went wrong in the guest, and destroys the VM. */
void busy_vm_stop(struct busy_vm *busy);

/* Runs @rounds of @payload right here and checks that it worked. */
bool run_payload(struct guest_vcpu *vcpu, const char *payload, uint64_t rounds);

/* Ends @worker and checks that nothing went wrong in its guest. */
bool stops_well(struct guest_worker *worker, const char *what);

/* Runs "count" and checks what it counted: neither lost nor somebody else's. */
bool counts_right(struct guest_vcpu *vcpu, uint64_t rounds);

/*
 * Runs @payload with every entry audited and returns how many bytes of @kind
 * ("user") the last of them mapped. Audits go on at the usual interval.
 */
uint64_t mapped_while(struct guest_vcpu *vcpu, const char *payload,
		      const char *kind);

/* Checks that @pid ends by itself with status 0. */
bool child_passed(int pid, const char *what);

#endif
