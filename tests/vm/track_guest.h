/* SPDX-License-Identifier: GPL-2.0 */
/* A guest for page tracking: one snippet of track_code.S at a time. */
#ifndef BULKHEAD_TRACK_GUEST_H
#define BULKHEAD_TRACK_GUEST_H

#include "kvm_guest.h"
#include "track.h"

#define TRACK_CODE	0x30000UL	/* the snippets are copied here */
#define TRACK_DATA	0x300000UL	/* pages for tests to watch */
#define TRACK_FREE	0x320000UL	/* and not to watch */
#define TRACK_PAGE	4096UL

struct track_regs {
	uint64_t rax, rbx, rcx, rsi, rdi, rsp;
};

/* Where the guest has the snippet at @code. */
uint64_t track_code_at(const uint8_t *code);

/* Sets @vcpu to execute @code with @regs; rsp 0 is a stack of its own. */
int track_load(struct guest_vcpu *vcpu, const uint8_t *code,
	       const struct track_regs *regs);

/* The same at @rip. */
int track_load_at(struct guest_vcpu *vcpu, uint64_t rip,
		  const struct track_regs *regs);

/* Until the snippet is done, as guest_vcpu_run(); signals are ignored. */
int track_run(struct guest_vcpu *vcpu);

/*
 * Takes all events and says in short what they are: "R8+4" is a read of 4 bytes at
 * @base + 8; w is before a write, W after one, with =FIRST BYTE, X an instruction, P
 * a walk; @ADDRESS follows if the guest has another one for it, "?" after what KVM
 * cannot emulate.
 */
void track_spell(const struct track *track, char *text, size_t size,
		 uint64_t base);

/*
 * Checks that these are the @expected events and no others; * there is any
 * character, =? any number.
 */
bool track_told(const struct track *track, const char *expected, uint64_t base,
		const char *name);

/* A VM with the snippets in it, or the end of the program. */
void track_vm_create(struct guest_vm *vm, unsigned int nr_vcpus);

/* A watcher of it, or the end of the program. */
void must_track(struct track *track, const struct guest_vm *vm,
		struct kvm_track_create create);

/* track_set() that has to work. */
void must_set(const struct track *track, uint64_t gpa, uint64_t npages,
	      unsigned int access, unsigned int flags);

#endif
