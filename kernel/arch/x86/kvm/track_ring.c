// SPDX-License-Identifier: GPL-2.0-only
/* The ring of events: see track_ring.h. Callers serialize, here is no lock. */
#include <linux/compiler.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "track_ring.h"

/*
 * @shared: zeroed memory, the events @events_offset into it
 * @size: events, a power of two
 * @batch: events that nobody waits for per wake-up, 1 to @size
 * @registers: whether to copy the second half of an event
 */
void track_ring_init(struct track_ring *ring, void *shared, u32 events_offset,
		     u32 size, u32 batch, bool registers)
{
	*ring = (struct track_ring){
		.shared = shared,
		.events = shared + events_offset,
		.size = size,
		.batch = batch,
		.registers = registers,
	};
	ring->shared->version = KVM_TRACK_VERSION;
	ring->shared->nr_events = size;
	ring->shared->event_size = sizeof(struct kvm_track_event);
	ring->shared->offset = events_offset;
}

/* Events not read yet. A reader that claims the impossible is told nothing more. */
static u64 unread(struct track_ring *ring)
{
	u64 tail;

	/* The reader is done with the slots before they are written again. */
	tail = smp_load_acquire(&ring->shared->tail);
	/* It only goes on, and not beyond what there is. */
	if (tail - ring->tail > ring->head - ring->tail)
		ring->broken = true;
	if (ring->broken)
		return ring->size;
	ring->tail = tail;
	return ring->head - tail;
}

/* Events that fit. */
u32 track_ring_room(struct track_ring *ring)
{
	return ring->size - unread(ring);
}

/*
 * Adds a copy of @event; its id must be ring->head. False if there is no room;
 * one that nobody waits for is counted as lost then.
 */
bool track_ring_put(struct track_ring *ring,
		    const struct kvm_track_event *event)
{
	struct kvm_track_event *slot;

	if (!track_ring_room(ring)) {
		if (!(event->flags & KVM_TRACK_WAITS))
			WRITE_ONCE(ring->shared->lost, ++ring->lost);
		return false;
	}
	slot = &ring->events[ring->head & (ring->size - 1)];
	if (ring->registers)
		*slot = *event;
	else
		memcpy(slot, event, offsetof(struct kvm_track_event, regs));
	if (event->flags & KVM_TRACK_WAITS)
		ring->urgent = true;
	/* The event is there before the reader is told so. */
	smp_store_release(&ring->shared->head, ++ring->head);
	return true;
}

/* True if the reader is to be woken now, and has not been for these events. */
bool track_ring_wakes(struct track_ring *ring)
{
	if (!ring->urgent && ring->head - ring->woken < ring->batch)
		return false;
	ring->urgent = false;
	ring->woken = ring->head;
	return true;
}

/* True if there is anything to read: a reader that polls is not kept waiting. */
bool track_ring_readable(struct track_ring *ring)
{
	return unread(ring) != 0;
}
