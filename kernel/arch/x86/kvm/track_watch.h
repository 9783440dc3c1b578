/* SPDX-License-Identifier: GPL-2.0-only */
/* A watcher: one open tracking descriptor. */
#ifndef __KVM_X86_TRACK_WATCH_H
#define __KVM_X86_TRACK_WATCH_H

#include <linux/completion.h>
#include <linux/kvm_host.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "track.h"
#include "track_ring.h"

struct track_watch {
	struct kvm_track_node node;
	struct kvm *kvm;
	struct xarray pages;	/* gfn: access of the UAPI, and WATCH_LOG */
	struct mutex lock;	/* of changes of pages */

	spinlock_t ring_lock;	/* of what follows up to room */
	struct track_ring ring;
	struct list_head waits;
	unsigned int blocked;	/* vCPUs that wait for room */
	bool over;		/* nobody is asked any more */

	wait_queue_head_t readers;
	wait_queue_head_t room;
	bool stops;		/* the VM, if the watcher fails it */
	bool exits;		/* KVM_RUN, and the VMM answers */
	u32 timeout_ms;
	void *memory;		/* the ring */
	size_t size;

	struct rcu_head rcu;
	struct work_struct free_work;
};

#define WATCH_LOG	BIT(8)

/* track_watch.c */
void track_watch_fail(struct track_watch *watch);
__poll_t track_watch_state(struct track_watch *watch);
unsigned int track_watch_access(struct track_watch *watch,
				struct kvm_vcpu *vcpu, gfn_t gfn);

/* track_wait.c */
void track_watch_over(struct track_watch *watch);
long track_watch_answer(struct track_watch *watch,
			const struct kvm_track_answers *answers);
bool track_action_fits(u32 action, u32 access, u32 len);
void track_watch_set_callbacks(struct kvm_track_node *node);

/* track_exit.c */
u32 track_exit_ask(struct kvm_vcpu *vcpu, const struct kvm_track_event *event,
		   u32 declared, u8 *data);

#endif /* __KVM_X86_TRACK_WATCH_H */
