// SPDX-License-Identifier: GPL-2.0-only
/* Watchers of guest pages: bulkhead.h has the contracts. */
#include <assert.h>
#include <bulkhead.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kernel/include/uapi/linux/kvm_track.h"
#include "internal.h"

#define PAGE	4096UL

/* Ours and the kernel's are handed to each other as they are. */
#define SAME_SIZE(ours, kernels) \
	static_assert(sizeof(struct ours) == sizeof(struct kernels), #ours)
#define SAME_PLACE(ours, field, kernels, other) \
	static_assert(offsetof(struct ours, field) == \
		      offsetof(struct kernels, other), #field)

SAME_SIZE(bulkhead_track_range, kvm_track_range);
SAME_PLACE(bulkhead_track_range, npages, kvm_track_range, npages);
SAME_PLACE(bulkhead_track_range, access, kvm_track_range, access);
SAME_PLACE(bulkhead_track_range, flags, kvm_track_range, flags);
SAME_SIZE(bulkhead_track_answer, kvm_track_answer);
SAME_PLACE(bulkhead_track_answer, action, kvm_track_answer, action);
SAME_PLACE(bulkhead_track_answer, len, kvm_track_answer, len);
SAME_PLACE(bulkhead_track_answer, data, kvm_track_answer, data);
SAME_SIZE(bulkhead_track_event, kvm_track_event);
SAME_PLACE(bulkhead_track_event, vcpu, kvm_track_event, vcpu_id);
SAME_PLACE(bulkhead_track_event, access, kvm_track_event, access);
SAME_PLACE(bulkhead_track_event, gpa, kvm_track_event, gpa);
SAME_PLACE(bulkhead_track_event, gva, kvm_track_event, gva);
SAME_PLACE(bulkhead_track_event, rip, kvm_track_event, rip);
SAME_PLACE(bulkhead_track_event, len, kvm_track_event, len);
SAME_PLACE(bulkhead_track_event, flags, kvm_track_event, flags);
SAME_PLACE(bulkhead_track_event, data, kvm_track_event, data);
SAME_PLACE(bulkhead_track_event, regs.r8, kvm_track_event, regs.r8);
SAME_PLACE(bulkhead_track_event, regs.rsp, kvm_track_event, regs.rsp);
SAME_PLACE(bulkhead_track_event, regs.cr3, kvm_track_event, regs.cr3);

static_assert(BULKHEAD_TRACK_READ == KVM_TRACK_READ, "accesses");
static_assert(BULKHEAD_TRACK_WRITE == KVM_TRACK_WRITE, "accesses");
static_assert(BULKHEAD_TRACK_WRITTEN == KVM_TRACK_WRITTEN, "accesses");
static_assert(BULKHEAD_TRACK_EXEC == KVM_TRACK_EXEC, "accesses");
static_assert(BULKHEAD_TRACK_WALK == KVM_TRACK_WALK, "accesses");
static_assert(BULKHEAD_TRACK_REGISTERS == KVM_TRACK_REGISTERS, "flags");
static_assert(BULKHEAD_TRACK_STOP == KVM_TRACK_STOP, "flags");
static_assert(BULKHEAD_TRACK_LOG == KVM_TRACK_LOG, "flags");
static_assert(BULKHEAD_TRACK_WAITS == KVM_TRACK_WAITS, "flags");
static_assert(BULKHEAD_TRACK_UNHANDLED == KVM_TRACK_UNHANDLED, "flags");
static_assert(BULKHEAD_TRACK_CONTINUE == KVM_TRACK_CONTINUE, "answers");
static_assert(BULKHEAD_TRACK_RETRY == KVM_TRACK_RETRY, "answers");
static_assert(BULKHEAD_TRACK_SUPPLY == KVM_TRACK_SUPPLY, "answers");
static_assert(BULKHEAD_TRACK_SKIP == KVM_TRACK_SKIP, "answers");
static_assert(BULKHEAD_TRACK_DATA_BYTES == KVM_TRACK_DATA_BYTES, "data");

static const struct bulkhead_track_options defaults = {
	.nr_events = 1024,
	.batch = 1,
};

EXPORT int bulkhead_track_supported(int fd)
{
	return result(ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_TRACK));
}

EXPORT int bulkhead_track_create(int vm_fd,
				 const struct bulkhead_track_options *options)
{
	const struct bulkhead_track_options *o = options ? options : &defaults;
	struct kvm_track_create create = {
		.version = KVM_TRACK_VERSION,
		.flags = o->flags,
		.nr_events = o->nr_events,
		.batch = o->batch,
		.timeout_ms = o->timeout_ms,
		.order = o->order,
	};

	return result(ioctl(vm_fd, KVM_TRACK_CREATE, &create));
}

static bool same_version(const struct kvm_track_ring *ring, uint32_t nr_events)
{
	return ring->version == KVM_TRACK_VERSION &&
	       ring->event_size == sizeof(struct bulkhead_track_event) &&
	       ring->nr_events == nr_events;
}

static int map_ring(struct bulkhead_track *track, uint32_t nr_events)
{
	size_t size = PAGE + nr_events * sizeof(struct bulkhead_track_event);

	track->size = (size + PAGE - 1) & ~(PAGE - 1);
	track->ring = mmap(NULL, track->size, PROT_READ | PROT_WRITE,
			   MAP_SHARED, track->fd, 0);
	if (track->ring == MAP_FAILED)
		return -errno;
	if (same_version(track->ring, nr_events))
		return 0;
	munmap(track->ring, track->size);
	return -EINVAL;
}

EXPORT int bulkhead_track_open(struct bulkhead_track *track, int vm_fd,
			       const struct bulkhead_track_options *options)
{
	int err;

	if (!track)
		return -EINVAL;
	if (!options)
		options = &defaults;
	track->fd = bulkhead_track_create(vm_fd, options);
	if (track->fd < 0)
		return track->fd;
	err = map_ring(track, options->nr_events);
	if (err)
		close(track->fd);
	return err;
}

EXPORT void bulkhead_track_close(struct bulkhead_track *track)
{
	munmap(track->ring, track->size);
	close(track->fd);
}

EXPORT int bulkhead_track_set(int fd, const struct bulkhead_track_range *ranges,
			      size_t nr)
{
	struct kvm_track_access access = {
		.ranges = (uintptr_t)ranges,
		.nr = nr,
	};

	if (nr > UINT_MAX)
		return -E2BIG;
	return result(ioctl(fd, KVM_TRACK_SET_ACCESS, &access));
}

/*
 * A vCPU says that it waits for room before it looks for it, so either it sees the
 * tail or it is seen here.
 */
static void tell_of_room(const struct bulkhead_track *track)
{
	const struct kvm_track_ring *ring = track->ring;
	struct kvm_track_answers none = { .nr = 0 };

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ring->blocked, __ATOMIC_RELAXED))
		ioctl(track->fd, KVM_TRACK_ANSWER, &none);
}

EXPORT int bulkhead_track_next(struct bulkhead_track *track,
			       struct bulkhead_track_event *event)
{
	struct kvm_track_ring *ring = track->ring;
	const struct bulkhead_track_event *events;
	uint64_t tail = ring->tail;

	if (tail == __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE)) {
		tell_of_room(track);
		return 0;
	}
	events = (const void *)((const char *)track->ring + ring->offset);
	*event = events[tail & (ring->nr_events - 1)];
	__atomic_store_n(&ring->tail, tail + 1, __ATOMIC_RELEASE);
	return 1;
}

EXPORT int bulkhead_track_wait(const struct bulkhead_track *track,
			       int timeout_ms)
{
	struct pollfd fd = { .fd = track->fd, .events = POLLIN };
	int ret = poll(&fd, 1, timeout_ms);

	if (ret < 0)
		return -errno;
	if (!ret)
		return 0;
	return fd.revents & POLLIN ? 1 : -EIO;
}

EXPORT uint64_t bulkhead_track_lost(const struct bulkhead_track *track)
{
	const struct kvm_track_ring *ring = track->ring;

	return __atomic_load_n(&ring->lost, __ATOMIC_RELAXED);
}

static int answer(int fd, const struct bulkhead_track_answer *answers,
		  size_t nr, uint32_t flags)
{
	struct kvm_track_answers all = {
		.answers = (uintptr_t)answers,
		.nr = nr,
		.flags = flags,
	};

	if (nr > INT_MAX)
		return -EINVAL;
	return result(ioctl(fd, KVM_TRACK_ANSWER, &all));
}

EXPORT int bulkhead_track_answer(int fd,
				 const struct bulkhead_track_answer *answers,
				 size_t nr)
{
	return answer(fd, answers, nr, 0);
}

EXPORT int bulkhead_track_answer_await(int fd,
				       const struct bulkhead_track_answer *answers,
				       size_t nr)
{
	return answer(fd, answers, nr, KVM_TRACK_AWAIT);
}
