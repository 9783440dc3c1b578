/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtual machine monitor on the bare KVM interface: one memory slot,
 * interrupt controllers and PIT in the kernel, up to GUEST_MAX_VCPUS virtual
 * CPUs that run the payloads of guest_payload.S.
 *
 * Functions return 0 or a negative errno; nothing here prints or exits, so a
 * test can provoke every failure.
 */
#ifndef BULKHEAD_KVM_GUEST_H
#define BULKHEAD_KVM_GUEST_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_layout.h"

#define GUEST_MAX_VCPUS		16
#define GUEST_MEM_SIZE		(8UL << 20)

struct guest_result {
	uint64_t start;		/* time stamp before the loop */
	uint64_t end;		/* and after it */
	uint64_t counter;	/* of the "count" payload */
	uint64_t unused[5];
};

struct guest_vm;

struct guest_vcpu {
	struct guest_vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	void (*answer)(struct guest_vcpu *vcpu);	/* a KVM_EXIT_TRACK */
	uint64_t user_exits;	/* returns of KVM_RUN, the last one included */
	uint64_t host_tsc;	/* time stamp ticks spent in KVM_RUN */
	char end[80];		/* in words, the exit that gave -EPROTO */
};

struct guest_vm {
	int kvm_fd;
	int fd;
	int mem_fd;		/* of restricted memory, or -1 */
	bool private;		/* where that is for private pages */
	bool retry_faults;	/* a guest that met a conversion tries again */
	uint8_t *mem;
	size_t mem_size;
	unsigned int nr_vcpus;
	struct guest_vcpu vcpu[GUEST_MAX_VCPUS];
};

struct guest_payload {
	const char *name;
	const void *entry;	/* inside the blob of guest_payload.S */
};

/* The payload called @name, or NULL. "hypercall" fits the host's CPU. */
const struct guest_payload *guest_payload(const char *name);

/* Where a guest has what is at @where in the blob of guest_payload.S. */
uint64_t guest_code_address(const void *where);

/* True if this is a CPU with SVM rather than VMX. */
bool guest_cpu_is_amd(void);

/* True if /dev/kvm can be opened. */
bool guest_kvm_present(void);

/*
 * Makes a VM of @nr_vcpus whose memory is private, anonymous and @mem_size
 * bytes long (a multiple of 2 MiB). On failure nothing is left behind.
 */
int guest_vm_create(struct guest_vm *vm, unsigned int nr_vcpus,
		    size_t mem_size);

/*
 * As guest_vm_create(), with all of the memory in a file of
 * memfd_restricted(@flags): vm->mem is a copy of what the guest starts with, and
 * the guest never sees it.
 */
int guest_vm_create_restricted(struct guest_vm *vm, unsigned int nr_vcpus,
			       size_t mem_size, unsigned int flags);

/*
 * A VM with private memory (KVM_X86_SW_PROTECTED_VM): all of it is private at
 * first, and restricted; what becomes shared is in vm->mem.
 */
int guest_vm_create_private(struct guest_vm *vm, unsigned int nr_vcpus,
			    size_t mem_size, unsigned int flags);

/* Undoes guest_vm_create(). No thread may be inside KVM_RUN. */
void guest_vm_destroy(struct guest_vm *vm);

/* Takes the memory after GUEST_FRESH away: the next touch of a page faults. */
int guest_vm_drop_memory(struct guest_vm *vm);

/* Makes it present again for this process, not for the guest. */
void guest_vm_touch_memory(struct guest_vm *vm);

/* Pages guest_vm_drop_memory() takes away. */
size_t guest_vm_fresh_pages(const struct guest_vm *vm);

/* Sets the registers for @rounds of @payload from its first instruction. */
int guest_vcpu_load(struct guest_vcpu *vcpu,
		    const struct guest_payload *payload, uint64_t rounds);

/*
 * Runs until the payload is done. -EINTR: a signal; call again to go on.
 * -EFAULT: the guest met an exception; -EPROTO: an exit nobody expects.
 */
int guest_vcpu_run(struct guest_vcpu *vcpu);

/* guest_vcpu_load() and guest_vcpu_run(), signals ignored. */
int guest_vcpu_do(struct guest_vcpu *vcpu, const struct guest_payload *payload,
		  uint64_t rounds);

/* What running @vcpu gave, in words: for -EPROTO the exit, and where it was. */
const char *guest_vcpu_error(const struct guest_vcpu *vcpu, int err);

/* What the last payload told by its last OUT. */
uint32_t guest_vcpu_told(const struct guest_vcpu *vcpu);

/* Of ordinary memory only. */
const struct guest_result *guest_vcpu_result(const struct guest_vcpu *vcpu);

/* The value called @name in KVM's binary statistics of @vcpu. */
int guest_vcpu_stat(const struct guest_vcpu *vcpu, const char *name,
		    uint64_t *value);

/* The same of @vm. */
int guest_vm_stat(const struct guest_vm *vm, const char *name, uint64_t *value);

/* VM exits of @vcpu since it was made, from KVM's statistics. */
int guest_vcpu_exits(const struct guest_vcpu *vcpu, uint64_t *exits);

/* A thread that runs one payload over and over until it is told to stop. */
struct guest_worker {
	struct guest_vcpu *vcpu;
	const struct guest_payload *payload;
	uint64_t batch;		/* rounds per KVM_RUN */
	pthread_t thread;
	volatile bool stop;
	volatile uint64_t batches;	/* done so far */
	int error;		/* what ended it early, or 0 */
};

int guest_worker_start(struct guest_worker *worker, struct guest_vcpu *vcpu,
		       const char *payload, uint64_t batch);

/* Waits for the thread; returns worker->error. */
int guest_worker_stop(struct guest_worker *worker);

/* Waits until the worker did @more batches; false after @seconds without. */
bool guest_worker_progress(struct guest_worker *worker, uint64_t more,
			   unsigned int seconds);

#endif
