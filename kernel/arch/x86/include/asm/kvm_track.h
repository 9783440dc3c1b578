/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracking of accesses to guest pages: what its users inside the kernel see.
 *
 * A node asks for pages in any of four modes and is called when a guest reads,
 * writes or executes one of them. What "tracked" means for each paging mode, and
 * what no node is told of, is in Documentation/virt/kvm/page-track.rst.
 *
 * Pages are named by their guest frame number and stay tracked whatever memory
 * appears there or goes away; a node is told of both.
 */
#ifndef _ASM_X86_KVM_TRACK_H
#define _ASM_X86_KVM_TRACK_H

#include <linux/kvm_types.h>
#include <linux/list.h>
#include <linux/types.h>

#include <asm/kvm_track_replay.h>

struct kvm_memory_slot;
struct kvm_vcpu;

enum kvm_track_mode {
	KVM_TRACK_MODE_PREREAD,
	KVM_TRACK_MODE_PREWRITE,
	KVM_TRACK_MODE_WRITE,
	KVM_TRACK_MODE_PREEXEC,
	KVM_TRACK_NR_MODES,
};

/*
 * All callbacks are optional. The first six run in the thread of @vcpu, in the
 * middle of the emulation of one instruction, in a read-side section of the
 * node list and of kvm->srcu; they may sleep, and must leave kvm->srcu first if
 * that can take long. A node must not unregister itself in one of them.
 *
 * Every node is called for every access to a page that any node tracks in that
 * mode, and finds out for itself whether the page is one of its own. One false
 * is enough: the access does not happen, no register of the guest has changed,
 * and the guest executes the instruction again. Whoever says false has to see
 * to it that this ends.
 */
struct kvm_track_node {
	struct list_head link;
	int order;	/* nodes are called from the lowest to the highest */

	/*
	 * @bytes at @gpa, all in one page, are about to be read. To supply them,
	 * put them into @new and set *@ready; a later node can do so again.
	 */
	bool (*preread)(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			gpa_t gpa, gva_t gva, u8 *new, int bytes, bool *ready);

	/*
	 * @new is about to be written. *@drop leaves the memory as it is and
	 * lets the instruction go on.
	 */
	bool (*prewrite)(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			 gpa_t gpa, gva_t gva, const u8 *new, int bytes,
			 bool *drop);

	/* @new has been written. */
	void (*write)(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
		      gpa_t gpa, gva_t gva, const u8 *new, int bytes);

	/* The instruction at @gpa, or the part that lies in this page. */
	bool (*preexec)(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			gpa_t gpa, gva_t gva);

	/*
	 * The processor walked the guest's page tables through a tracked page.
	 * It may have had to write; nobody can refuse that.
	 */
	void (*walk)(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
		     gpa_t gpa);

	/*
	 * An instruction that KVM cannot emulate met the tracked page of @gpa,
	 * in @mode. True: KVM_RUN ends with KVM_INTERNAL_ERROR_EMULATION.
	 */
	bool (*unhandled)(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			  gpa_t gpa, enum kvm_track_mode mode);

	/* A slot comes, not visible to guests yet, or goes; slots_lock is held. */
	void (*create_slot)(struct kvm_track_node *node, struct kvm *kvm,
			    struct kvm_memory_slot *slot, unsigned long npages);
	void (*remove_region)(struct kvm_track_node *node, gfn_t gfn,
			      unsigned long npages);
};

/* arch/x86/kvm/track.c */
int kvm_track_register(struct kvm *kvm, struct kvm_track_node *node);
void kvm_track_unregister(struct kvm *kvm, struct kvm_track_node *node);

/* arch/x86/kvm/track_pages.c */
int kvm_track_add_page(struct kvm *kvm, gfn_t gfn, enum kvm_track_mode mode);
void kvm_track_remove_page(struct kvm *kvm, gfn_t gfn,
			   enum kvm_track_mode mode);

/* One page that was asked for, and one bit for each mode it is tracked in. */
struct kvm_track_seen {
	gfn_t gfn;
	unsigned int modes;
};

/* An instruction has a page, and one for each of its operands and their tables. */
#define KVM_TRACK_NR_SEEN	16

/* The access that ended KVM_RUN. */
struct kvm_track_question {
	struct kvm_track_execution of;
	struct kvm_track_said access;	/* and the answer */
	bool asks;	/* KVM_RUN is to end with it */
};

/* What a vCPU remembers of the access that is being emulated. */
struct kvm_vcpu_track {
	gpa_t gpa;		/* of the fault */
	gpa_t address;		/* the same, with shadow paging what the guest calls it */
	gva_t gva;		/* of the last access of the emulator */
	u64 error_code;
	enum kvm_track_mode mode;
	bool faulted;		/* a tracked page is why there is an emulation */
	bool retry;		/* a node said no */

	/* Found out while the VM had this generation; the oldest is replaced. */
	u64 generation;
	unsigned int oldest;
	struct kvm_track_seen seen[KVM_TRACK_NR_SEEN];

	/* The same for the last page that is tracked, and what one watcher wants. */
	u64 watch_generation;
	gfn_t watch_gfn;
	const void *watch;
	unsigned int watch_access;

	/* Of a watcher that is the VMM: what it is asked, and has said. */
	struct kvm_track_question question;
	struct kvm_track_replay replay;
};

#endif /* _ASM_X86_KVM_TRACK_H */
