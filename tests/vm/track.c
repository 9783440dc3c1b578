// SPDX-License-Identifier: GPL-2.0
/* Page tracking as user space has it: see track.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "track.h"

static int map_ring(struct track *track, unsigned int nr_events)
{
	track->size = 4096 + nr_events * sizeof(struct kvm_track_event);
	track->ring = mmap(NULL, track->size, PROT_READ | PROT_WRITE,
			   MAP_SHARED, track->fd, 0);
	if (track->ring == MAP_FAILED)
		return -errno;
	track->events = (void *)((uint8_t *)track->ring + track->ring->offset);
	return 0;
}

int track_open(struct track *track, int vm_fd, struct kvm_track_create create)
{
	int err;

	track->fd = ioctl(vm_fd, KVM_TRACK_CREATE, &create);
	if (track->fd < 0)
		return -errno;
	err = map_ring(track, create.nr_events);
	if (err)
		close(track->fd);
	return err;
}

void track_close(struct track *track)
{
	munmap(track->ring, track->size);
	close(track->fd);
}

int track_set(const struct track *track, uint64_t gpa, uint64_t npages,
	      unsigned int access, unsigned int flags)
{
	struct kvm_track_range range = { .gfn = gpa >> 12, .npages = npages,
		.access = access, .flags = flags };
	struct kvm_track_access set = { .ranges = (uintptr_t)&range, .nr = 1 };

	return ioctl(track->fd, KVM_TRACK_SET_ACCESS, &set) ? -errno : 0;
}

bool track_next(const struct track *track, struct kvm_track_event *event)
{
	struct kvm_track_ring *ring = track->ring;
	uint64_t tail = ring->tail;

	if (tail == __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE))
		return false;
	*event = track->events[tail % ring->nr_events];
	__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

bool track_await(const struct track *track, struct kvm_track_event *event,
		 int ms)
{
	struct pollfd fd = { .fd = track->fd, .events = POLLIN };

	if (track_next(track, event))
		return true;
	if (poll(&fd, 1, ms) <= 0)
		return false;
	return track_next(track, event);
}

int track_answer(const struct track *track, uint64_t id, unsigned int action,
		 const void *data, unsigned int len)
{
	struct kvm_track_answer answer = { .id = id, .action = action,
		.len = len };
	struct kvm_track_answers answers = { .answers = (uintptr_t)&answer,
		.nr = 1 };

	if (data)
		memcpy(answer.data, data, len);
	return ioctl(track->fd, KVM_TRACK_ANSWER, &answers) == 1 ? 0 : -errno;
}

int track_answer_await(const struct track *track, const __u64 *id)
{
	struct kvm_track_answer answer = { .id = id ? *id : 0 };
	struct kvm_track_answers answers = { .answers = (uintptr_t)&answer,
		.nr = !!id, .flags = KVM_TRACK_AWAIT };

	return ioctl(track->fd, KVM_TRACK_ANSWER, &answers) < 0 ? -errno : 0;
}
