// SPDX-License-Identifier: GPL-2.0-only
/* track.c: what it asks of KVM, what it makes of the answers and of the ring. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bulkhead.h>

#include "../../kernel/include/uapi/linux/kvm_track.h"
#include "kernel.h"

#define EVENTS	16
#define SIZE	(4096 + EVENTS * sizeof(struct kvm_track_event))

static const struct bulkhead_track_options small = {
	.nr_events = EVENTS, .batch = 3, .flags = BULKHEAD_TRACK_STOP,
	.timeout_ms = 250, .order = -7,
};

static void asks_for_the_version(void **state)
{
	(void)state;
	kernel_answers(1);
	assert_int_equal(bulkhead_track_supported(5), 1);
	assert_int_equal(asked.fd, 5);
	assert_int_equal(asked.request, KVM_CHECK_EXTENSION);
	assert_int_equal(asked.value, KVM_CAP_TRACK);
	kernel_answers(0);
	assert_int_equal(bulkhead_track_supported(5), 0);
	kernel_answers(-EIO);
	assert_int_equal(bulkhead_track_supported(5), -EIO);
}

static void creates(void **state)
{
	struct kvm_track_create create;

	(void)state;
	kernel_answers(42);
	assert_int_equal(bulkhead_track_create(5, &small), 42);
	assert_int_equal(asked.request, KVM_TRACK_CREATE);
	memcpy(&create, asked.arg, sizeof(create));
	assert_int_equal(create.version, KVM_TRACK_VERSION);
	assert_int_equal(create.flags, KVM_TRACK_STOP);
	assert_int_equal(create.nr_events, EVENTS);
	assert_int_equal(create.batch, 3);
	assert_int_equal(create.timeout_ms, 250);
	assert_int_equal(create.order, -7);
	assert_int_equal(create.reserved[0] | create.reserved[3], 0);
	kernel_answers(-EIO);
	assert_int_equal(bulkhead_track_create(5, NULL), -EIO);
	memcpy(&create, asked.arg, sizeof(create));
	assert_int_equal(create.nr_events, 1024);
	assert_int_equal(create.batch, 1);
	assert_int_equal(create.timeout_ms, 0);
}

static void sets_access(void **state)
{
	struct bulkhead_track_range ranges[2] = { { .gfn = 1, .npages = 2 } };
	struct kvm_track_access access;

	(void)state;
	kernel_answers(0);
	assert_int_equal(bulkhead_track_set(9, ranges, 2), 0);
	assert_int_equal(asked.fd, 9);
	assert_int_equal(asked.request, KVM_TRACK_SET_ACCESS);
	memcpy(&access, asked.arg, sizeof(access));
	assert_int_equal(access.ranges, (uintptr_t)ranges);
	assert_int_equal(access.nr, 2);
	assert_int_equal(access.flags, 0);
	kernel_answers(-EOPNOTSUPP);
	assert_int_equal(bulkhead_track_set(9, ranges, 1), -EOPNOTSUPP);
	/* As a number of 32 bits it would be another. */
	assert_int_equal(bulkhead_track_set(9, ranges, 1ULL << 32), -E2BIG);
	assert_int_equal(asked.calls, 2);
}

static void answers(void **state)
{
	struct bulkhead_track_answer some[3] = { { .id = 1 } };
	struct kvm_track_answers all;

	(void)state;
	kernel_answers(2);
	assert_int_equal(bulkhead_track_answer(9, some, 3), 2);
	assert_int_equal(asked.request, KVM_TRACK_ANSWER);
	memcpy(&all, asked.arg, sizeof(all));
	assert_int_equal(all.answers, (uintptr_t)some);
	assert_int_equal(all.nr, 3);
	assert_int_equal(all.flags, 0);
	kernel_answers(-ENOENT);
	assert_int_equal(bulkhead_track_answer(9, some, 1), -ENOENT);
	assert_int_equal(bulkhead_track_answer(9, some, 1ULL << 31), -EINVAL);
	assert_int_equal(asked.calls, 2);
}

/* One call for both; without any answer it only waits. */
static void answers_and_waits(void **state)
{
	struct bulkhead_track_answer one = { .id = 1 };
	struct kvm_track_answers all;

	(void)state;
	kernel_answers(1);
	assert_int_equal(bulkhead_track_answer_await(9, &one, 1), 1);
	assert_int_equal(asked.fd, 9);
	assert_int_equal(asked.request, KVM_TRACK_ANSWER);
	memcpy(&all, asked.arg, sizeof(all));
	assert_int_equal(all.answers, (uintptr_t)&one);
	assert_int_equal(all.nr, 1);
	assert_int_equal(all.flags, KVM_TRACK_AWAIT);
	kernel_answers(-EINTR);
	assert_int_equal(bulkhead_track_answer_await(9, NULL, 0), -EINTR);
	memcpy(&all, asked.arg, sizeof(all));
	assert_int_equal(all.nr, 0);
	assert_int_equal(all.flags, KVM_TRACK_AWAIT);
	assert_int_equal(bulkhead_track_answer_await(9, &one, 1ULL << 31),
			 -EINVAL);
	assert_int_equal(asked.calls, 2);
}

/* A ring as the kernel makes it, in a file. */
static struct kvm_track_ring *make_ring(int *fd)
{
	struct kvm_track_ring *ring;

	*fd = memfd_create("ring", 0);
	if (*fd < 0 || ftruncate(*fd, SIZE))
		fail();
	ring = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_ptr_not_equal(ring, MAP_FAILED);
	ring->version = KVM_TRACK_VERSION;
	ring->nr_events = EVENTS;
	ring->event_size = sizeof(struct kvm_track_event);
	ring->offset = 4096;
	return ring;
}

static void put(struct kvm_track_ring *ring, uint32_t vcpu)
{
	struct kvm_track_event *events = (void *)((char *)ring + ring->offset);
	struct kvm_track_event *event = &events[ring->head % EVENTS];

	*event = (struct kvm_track_event){ .id = ring->head, .vcpu_id = vcpu };
	ring->head++;
}

/* ftruncate() is the test's own call, the ioctl the library's. */
static struct kvm_track_ring *open_ring(struct bulkhead_track *track)
{
	struct kvm_track_ring *ring;
	int fd;

	kernel_is_real();
	ring = make_ring(&fd);
	kernel_answers(fd);
	assert_int_equal(bulkhead_track_open(track, 5, &small), 0);
	assert_int_equal(track->fd, fd);
	return ring;
}

static void reads_the_ring(void **state)
{
	struct bulkhead_track_event event;
	struct bulkhead_track track;
	struct kvm_track_ring *ring = open_ring(&track);
	unsigned int i;

	(void)state;
	assert_int_equal(bulkhead_track_next(&track, &event), 0);
	for (i = 0; i < 3 * EVENTS; i++) {
		put(ring, i);
		assert_int_equal(bulkhead_track_next(&track, &event), 1);
		assert_int_equal(event.id, i);
		assert_int_equal(event.vcpu, i);
		assert_int_equal(ring->tail, i + 1);
	}
	for (i = 0; i < EVENTS; i++)
		put(ring, i);
	for (i = 0; i < EVENTS; i++) {
		assert_int_equal(bulkhead_track_next(&track, &event), 1);
		assert_int_equal(event.vcpu, i);
	}
	assert_int_equal(bulkhead_track_next(&track, &event), 0);
	ring->lost = 12;
	assert_int_equal(bulkhead_track_lost(&track), 12);
	assert_int_equal(asked.calls, 1);
	bulkhead_track_close(&track);
	assert_int_equal(fcntl(track.fd, F_GETFD), -1);
	munmap(ring, SIZE);
}

/* Whoever waits for room is told as soon as there is all of it. */
static void tells_of_room(void **state)
{
	struct bulkhead_track_event event;
	struct kvm_track_answers none;
	struct bulkhead_track track;
	struct kvm_track_ring *ring = open_ring(&track);

	(void)state;
	put(ring, 0);
	ring->blocked = 1;
	assert_int_equal(bulkhead_track_next(&track, &event), 1);
	assert_int_equal(asked.calls, 1);
	kernel_answers(0);
	assert_int_equal(bulkhead_track_next(&track, &event), 0);
	assert_int_equal(asked.calls, 2);
	assert_int_equal(asked.request, KVM_TRACK_ANSWER);
	memcpy(&none, asked.arg, sizeof(none));
	assert_int_equal(none.nr, 0);
	bulkhead_track_close(&track);
	munmap(ring, SIZE);
}

/* A ring that is laid out otherwise is nothing to read from. */
static void refuses_other_rings(void **state)
{
	struct bulkhead_track track;
	struct kvm_track_ring *ring;
	unsigned int i;
	int fd;

	(void)state;
	for (i = 0; i < 3; i++) {
		kernel_reset(NULL);
		kernel_is_real();
		ring = make_ring(&fd);
		ring->version += i == 0;
		ring->event_size += 8 * (i == 1);
		ring->nr_events *= 1 + (i == 2);
		kernel_answers(fd);
		assert_int_equal(bulkhead_track_open(&track, 5, &small),
				 -EINVAL);
		assert_int_equal(fcntl(fd, F_GETFD), -1);
		munmap(ring, SIZE);
	}
}

/* What cannot be mapped is closed. */
static void closes_what_it_cannot_map(void **state)
{
	struct bulkhead_track track;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	kernel_answers(fd[0]);
	assert_int_equal(bulkhead_track_open(&track, 5, &small), -EACCES);
	assert_int_equal(fcntl(fd[0], F_GETFD), -1);
	close(fd[1]);
	kernel_answers(-ENOMEM);
	assert_int_equal(bulkhead_track_open(&track, 5, &small), -ENOMEM);
	assert_int_equal(bulkhead_track_open(NULL, 5, &small), -EINVAL);
}

static void waits(void **state)
{
	struct bulkhead_track track;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	track.fd = fd[0];
	assert_int_equal(bulkhead_track_wait(&track, 0), 0);
	assert_int_equal(write(fd[1], "", 1), 1);
	assert_int_equal(bulkhead_track_wait(&track, -1), 1);
	close(fd[1]);
	/* The end is told after the last event. */
	assert_int_equal(bulkhead_track_wait(&track, -1), 1);
	assert_int_equal(read(fd[0], fd, 1), 1);
	assert_int_equal(bulkhead_track_wait(&track, -1), -EIO);
	close(track.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(asks_for_the_version, kernel_reset),
		cmocka_unit_test_setup(creates, kernel_reset),
		cmocka_unit_test_setup(sets_access, kernel_reset),
		cmocka_unit_test_setup(answers, kernel_reset),
		cmocka_unit_test_setup(answers_and_waits, kernel_reset),
		cmocka_unit_test_setup(reads_the_ring, kernel_reset),
		cmocka_unit_test_setup(tells_of_room, kernel_reset),
		cmocka_unit_test_setup(refuses_other_rings, kernel_reset),
		cmocka_unit_test_setup(closes_what_it_cannot_map, kernel_reset),
		cmocka_unit_test_setup(waits, kernel_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
