/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of events that a watcher shares with the kernel. Compiles in user
 * space too.
 *
 * The other side can write to all of it at any time. The kernel reads nothing
 * back but tail, and believes it only as far as it is possible.
 */
#ifndef __KVM_TRACK_RING_H
#define __KVM_TRACK_RING_H

#include <linux/types.h>
#include <uapi/linux/kvm_track.h>

struct track_ring {
	struct kvm_track_ring *shared;
	struct kvm_track_event *events;
	u64 head;	/* the shared one is a copy of it */
	u64 tail;	/* as last seen */
	u64 woken;	/* head when the reader was last woken */
	u64 lost;
	u32 size;	/* a power of two */
	u32 batch;
	bool registers;	/* events have them */
	bool broken;	/* tail was where it cannot be */
	bool urgent;	/* somebody waits for an answer to what is not read yet */
};

void track_ring_init(struct track_ring *ring, void *shared, u32 events_offset,
		     u32 size, u32 batch, bool registers);
u32 track_ring_room(struct track_ring *ring);
bool track_ring_put(struct track_ring *ring,
		    const struct kvm_track_event *event);
bool track_ring_wakes(struct track_ring *ring);
bool track_ring_readable(struct track_ring *ring);

#endif /* __KVM_TRACK_RING_H */
