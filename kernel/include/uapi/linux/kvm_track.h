/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Page tracking for user space: a file descriptor that tells who reads, writes
 * or executes a page of a VM, before it happens, and takes the answers.
 * Documentation/virt/kvm/page-track.rst has all of it.
 */
#ifndef _UAPI_LINUX_KVM_TRACK_H
#define _UAPI_LINUX_KVM_TRACK_H

#include <linux/kvm.h>
#include <linux/types.h>

/* KVM_CHECK_EXTENSION: KVM_TRACK_VERSION of the kernel, 0 if it has none of it. */
#define KVM_CAP_TRACK			0x42480002
#define KVM_TRACK_VERSION		1

#define KVM_TRACK_MIN_EVENTS		16
#define KVM_TRACK_MAX_EVENTS		65536
#define KVM_TRACK_DATA_BYTES		64

/* kvm_track_create.flags */
#define KVM_TRACK_REGISTERS	0x01	/* events have registers */
#define KVM_TRACK_STOP		0x02	/* no watcher, no VM; else release */
#define KVM_TRACK_EXIT		0x04	/* questions end KVM_RUN */

/* On a VM: what KVM_TRACK_CREATE takes. It returns a file descriptor. */
struct kvm_track_create {
	__u32 version;		/* KVM_TRACK_VERSION */
	__u32 flags;
	__u32 nr_events;	/* of the ring: a power of two */
	__u32 batch;		/* events that nobody waits for, per wake-up */
	__u32 timeout_ms;	/* for an answer; 0 is for ever */
	__s32 order;		/* of several watchers the lowest is asked first */
	__u64 reserved[4];	/* must be 0 */
};

#define KVM_TRACK_CREATE	_IOW(KVMIO, 0xf2, struct kvm_track_create)

/* Accesses: of a range the ones to be told of, of an event the one it is. */
#define KVM_TRACK_READ		0x01	/* before a read */
#define KVM_TRACK_WRITE		0x02	/* before a write */
#define KVM_TRACK_WRITTEN	0x04	/* after a write; never waits */
#define KVM_TRACK_EXEC		0x08	/* before an instruction */
#define KVM_TRACK_WALK		0x10	/* by a page walk; never waits */

/* kvm_track_range.flags */
#define KVM_TRACK_LOG		0x01	/* tell, and do not wait */

struct kvm_track_range {
	__u64 gfn;
	__u64 npages;
	__u32 access;		/* replaces what the watcher had there; 0: nothing */
	__u32 flags;
};

/* On the new descriptor: the ranges are done one after the other. */
struct kvm_track_access {
	__u64 ranges;		/* struct kvm_track_range * */
	__u32 nr;		/* 1 to 4096 */
	__u32 flags;		/* must be 0 */
};

#define KVM_TRACK_SET_ACCESS	_IOW(KVMIO, 0xf3, struct kvm_track_access)

/* kvm_track_event.flags */
#define KVM_TRACK_WAITS		0x01	/* for an answer */
#define KVM_TRACK_UNHANDLED	0x02	/* KVM cannot emulate it */

struct kvm_track_registers {
	__u64 rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	__u64 r8, r9, r10, r11, r12, r13, r14, r15;
	__u64 rflags, cr3;
};

/* What one instruction does to one page. */
struct kvm_track_event {
	__u64 id;		/* for the answer; counts up */
	__u32 vcpu_id;
	__u32 access;		/* one bit */
	__u64 gpa;
	__u64 gva;		/* all ones: not known */
	__u64 rip;
	__u32 len;		/* may be more than data has room for */
	__u32 flags;
	__u8 data[KVM_TRACK_DATA_BYTES];	/* of a write */
	struct kvm_track_registers regs;	/* with KVM_TRACK_REGISTERS */
};

/*
 * The first page of a mapping of the descriptor; events follow at offset. The
 * event of number N is in slot N % nr_events, for tail <= N < head. The reader
 * loads head with acquire semantics and, when it is done with events, stores
 * tail with release semantics; the kernel does the opposite.
 */
struct kvm_track_ring {
	__u32 version;
	__u32 nr_events;
	__u32 event_size;
	__u32 offset;
	__u64 head;		/* written by the kernel */
	__u64 lost;		/* events there was no room for */
	__u32 blocked;		/* vCPUs wait for room: call KVM_TRACK_ANSWER */
	__u32 reserved[25];
	__u64 tail;		/* written by the reader */
};

/* kvm_track_answer.action */
#define KVM_TRACK_CONTINUE	0	/* it happens */
#define KVM_TRACK_RETRY		1	/* not; the instruction is executed again */
#define KVM_TRACK_SUPPLY	2	/* a read gets data instead */
#define KVM_TRACK_SKIP		3	/* a write leaves the memory as it is */

struct kvm_track_answer {
	__u64 id;
	__u32 action;
	__u32 len;		/* of data, as in the event; 0 but for SUPPLY */
	__u8 data[KVM_TRACK_DATA_BYTES];
};

/* kvm_track_answers.flags */
#define KVM_TRACK_AWAIT		0x01	/* after all of them, the next event */

/*
 * Returns how many were taken; fails only if the first was not. A signal ends
 * waiting, with EINTR if there were no answers.
 */
struct kvm_track_answers {
	__u64 answers;		/* struct kvm_track_answer * */
	__u32 nr;		/* 0: only say that there is room in the ring */
	__u32 flags;
};

#define KVM_TRACK_ANSWER	_IOW(KVMIO, 0xf4, struct kvm_track_answers)

/*
 * Questions of a watcher with KVM_TRACK_EXIT: the reason in kvm_run, and what is at
 * kvm_run.padding then. The next KVM_RUN takes the answer.
 */
#define KVM_EXIT_TRACK			0x42480003

struct kvm_track_exit {
	__u64 gpa;
	__u64 gva;		/* all ones: not known */
	__u32 access;		/* one bit */
	__u32 flags;		/* as of an event */
	__u32 len;
	__u32 action;		/* in: the answer; out: that of a watcher that is over */
	__u8 data[KVM_TRACK_DATA_BYTES];	/* out: of a write; in: to be supplied */
};

#endif
