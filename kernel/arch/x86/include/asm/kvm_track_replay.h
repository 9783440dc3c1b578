/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user space has said of the accesses of one instruction, which is executed
 * again after each answer. Compiles in user space too.
 */
#ifndef _ASM_X86_KVM_TRACK_REPLAY_H
#define _ASM_X86_KVM_TRACK_REPLAY_H

#include <linux/types.h>
#include <uapi/linux/kvm_track.h>

/* PUSHA of eight registers, one of them and the instruction in two pages: 11. */
#define KVM_TRACK_NR_SAID	16

struct kvm_track_said {
	u64 gpa;
	u32 access;	/* these three as in the UAPI */
	u32 len;
	u32 action;
	bool used;	/* by this execution */
	u8 data[KVM_TRACK_DATA_BYTES];	/* of a write, or to be supplied */
};

/*
 * Which execution of which instruction: nothing of it changes before that is finished.
 * The generation is the one after the page has been released and watched again.
 */
struct kvm_track_execution {
	u64 rip;
	u64 rcx;	/* of an instruction with REP the iteration */
	u64 rsp;
	u64 cr3;
	u64 mode;	/* SMM, guest of a guest */
	u64 generation;
};

struct kvm_track_replay {
	struct kvm_track_execution of;
	unsigned int nr;
	bool again;	/* it has not begun since the last answer */
	bool now;	/* it is what is being executed */
	struct kvm_track_said said[KVM_TRACK_NR_SAID];
};

void kvm_track_replay_begin(struct kvm_track_replay *replay,
			    const struct kvm_track_execution *of);
const struct kvm_track_said *
kvm_track_replay_use(struct kvm_track_replay *replay,
		     const struct kvm_track_said *asked);
bool kvm_track_replay_say(struct kvm_track_replay *replay,
			  const struct kvm_track_execution *of,
			  const struct kvm_track_said *said);

#endif /* _ASM_X86_KVM_TRACK_REPLAY_H */
