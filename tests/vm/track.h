/* SPDX-License-Identifier: GPL-2.0 */
/* Page tracking as user space has it. Functions return 0 or a negative errno. */
#ifndef BULKHEAD_TRACK_H
#define BULKHEAD_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../kernel/include/uapi/linux/kvm_track.h"

struct track {
	int fd;
	struct kvm_track_ring *ring;
	const struct kvm_track_event *events;
	size_t size;
};

/* What most tests ask for; each of it can be replaced. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define TRACK_CREATE(...) ((struct kvm_track_create){			\
	.version = KVM_TRACK_VERSION, .nr_events = 1024, .batch = 1,	\
	##__VA_ARGS__ })

int track_open(struct track *track, int vm_fd, struct kvm_track_create create);
void track_close(struct track *track);

int track_set(const struct track *track, uint64_t gpa, uint64_t npages,
	      unsigned int access, unsigned int flags);

/* The next event, taken from the ring; false if there is none. */
bool track_next(const struct track *track, struct kvm_track_event *event);

/* Waits for it; false after @ms milliseconds, or when the watcher is over. */
bool track_await(const struct track *track, struct kvm_track_event *event,
		 int ms);

/* One answer: 0, or what is wrong with it. */
int track_answer(const struct track *track, uint64_t id, unsigned int action,
		 const void *data, unsigned int len);

/*
 * Lets go on who waits for the answer to *@id, unless that is NULL, and waits for
 * the next event; a signal ends that, and is an error if there was no answer.
 */
int track_answer_await(const struct track *track, const __u64 *id);

/* Snippets of track_code.S. */
extern const uint8_t track_code_start[], track_code_end[];

#endif
