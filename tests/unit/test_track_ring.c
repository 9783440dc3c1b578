// SPDX-License-Identifier: GPL-2.0-only
/* The ring of page tracking against a plain queue, and the counts of a page. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "track_count.h"
#include "track_ring.h"

#define OFFSET		4096
#define MAX_SIZE	64
#define MODES		4

void (*unit_stored)(const volatile void *where);

static struct {
	struct track_ring ring;
	_Alignas(64) uint8_t memory[OFFSET + MAX_SIZE *
				    sizeof(struct kvm_track_event)];
	struct kvm_track_ring *shared;
	const struct kvm_track_event *events;
} w;

static void init_world_of(uint32_t size, uint32_t batch, bool registers)
{
	memset(&w, 0, sizeof(w));
	track_ring_init(&w.ring, w.memory, OFFSET, size, batch, registers);
	w.shared = (void *)w.memory;
	w.events = (void *)(w.memory + OFFSET);
}

static void init_world(uint32_t size, uint32_t batch)
{
	init_world_of(size, batch, true);
}

static struct kvm_track_event event_of(uint64_t id, uint32_t flags)
{
	struct kvm_track_event event = { .id = id, .flags = flags,
		.gpa = id * 3, .gva = ~id, .regs.cr3 = id };

	return event;
}

static bool put(uint32_t flags)
{
	struct kvm_track_event event = event_of(w.ring.head, flags);

	return track_ring_put(&w.ring, &event);
}

/* What a reader does with the next event. */
static void take(uint64_t id, uint32_t flags)
{
	struct kvm_track_event event = event_of(id, flags);

	assert_int_equal(w.shared->tail, id);
	assert_true(w.shared->head > id);
	assert_memory_equal(&w.events[id % w.shared->nr_events], &event,
			    sizeof(event));
	w.shared->tail++;
}

static void describes_itself(void **state)
{
	init_world(32, 1);
	assert_int_equal(w.shared->version, KVM_TRACK_VERSION);
	assert_int_equal(w.shared->nr_events, 32);
	assert_int_equal(w.shared->event_size, sizeof(struct kvm_track_event));
	assert_int_equal(w.shared->offset, OFFSET);
	assert_int_equal(track_ring_room(&w.ring), 32);
	assert_false(track_ring_readable(&w.ring));
}

static void is_a_queue(void **state)
{
	uint64_t written = 0, read = 0, lost = 0;
	int i;

	srand(1);
	init_world(16, 1);
	for (i = 0; i < 200000; i++) {
		if (rand() % 2 && written - read < 16) {
			assert_true(put(0));
			written++;
		} else if (rand() % 2 && written - read == 16) {
			assert_false(put(0));
			assert_int_equal(w.shared->lost, ++lost);
		} else if (read < written) {
			take(read++, 0);
		}
		assert_int_equal(w.shared->head, written);
		assert_int_equal(track_ring_room(&w.ring), 16 - (written - read));
		assert_int_equal(track_ring_readable(&w.ring), written != read);
	}
	assert_true(lost > 100);
}

/* One that somebody waits for is never lost: he waits for room. */
static void questions_are_not_lost(void **state)
{
	int i;

	init_world(16, 1);
	for (i = 0; i < 16; i++)
		assert_true(put(KVM_TRACK_WAITS));
	assert_false(put(KVM_TRACK_WAITS));
	assert_int_equal(w.shared->lost, 0);
	take(0, KVM_TRACK_WAITS);
	assert_true(put(KVM_TRACK_WAITS));
}

static void one_wake_up_per_batch(void **state)
{
	int i, wakes = 0;

	init_world(64, 8);
	for (i = 0; i < 64; i++) {
		assert_true(put(0));
		wakes += track_ring_wakes(&w.ring);
	}
	assert_int_equal(wakes, 8);
}

static void questions_wake_at_once(void **state)
{
	init_world(64, 64);
	assert_true(put(0));
	assert_false(track_ring_wakes(&w.ring));
	assert_true(put(KVM_TRACK_WAITS));
	assert_true(track_ring_wakes(&w.ring));
	assert_false(track_ring_wakes(&w.ring));
	assert_true(put(0));
	assert_false(track_ring_wakes(&w.ring));
}

static void tail_is_not_believed(void **state)
{
	static const uint64_t wrong[] = { 0, 3, 1000, -1, -1000, 1UL << 63 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		init_world(16, 1);
		assert_true(put(0));
		assert_true(put(0));
		w.shared->tail = 1;
		assert_int_equal(track_ring_room(&w.ring), 15);
		w.shared->tail = wrong[i];
		assert_false(put(0));
		assert_true(w.ring.broken);
		assert_int_equal(track_ring_room(&w.ring), 0);
		/* For good: what is in between is anybody's guess. */
		w.shared->tail = 2;
		assert_false(put(0));
	}
}

/* Nothing the reader writes elsewhere moves the kernel. */
static void header_is_not_read(void **state)
{
	uint64_t n;

	init_world(16, 1);
	for (n = 0; n < 1000; n++) {
		w.shared->head = rand();
		w.shared->nr_events = rand();
		w.shared->offset = rand();
		w.shared->lost = rand();
		assert_true(put(0));
		assert_int_equal(w.shared->head, n + 1);
		w.shared->nr_events = 16;
		take(n, 0);
	}
}

/* What was not asked for is not copied, and all the rest is. */
static void registers_stay_away(void **state)
{
	struct kvm_track_event event;

	init_world_of(16, 1, false);
	event = event_of(0, 0);
	memset(&event.regs, 0x55, sizeof(event.regs));
	assert_true(track_ring_put(&w.ring, &event));
	memset(&event.regs, 0, sizeof(event.regs));
	assert_memory_equal(&w.events[0], &event, sizeof(event));
}

static uint64_t published;

static void check_published(const volatile void *where)
{
	struct kvm_track_event event;

	if (where != &w.shared->head)
		return;
	event = event_of(w.shared->head - 1, 0);
	assert_memory_equal(&w.events[(w.shared->head - 1) % 16], &event,
			    sizeof(event));
	published++;
}

static void head_comes_last(void **state)
{
	uint64_t n;

	init_world(16, 1);
	published = 0;
	unit_stored = check_published;
	for (n = 0; n < 100; n++) {
		assert_true(put(0));
		take(n, 0);
	}
	unit_stored = NULL;
	assert_int_equal(published, 100);
}

static void numbers_wrap(void **state)
{
	uint64_t n;

	init_world(16, 4);
	w.ring.head = w.ring.woken = -8ULL;
	w.ring.tail = w.shared->head = w.shared->tail = -8ULL;
	for (n = 0; n < 16; n++)
		assert_true(put(0));
	assert_int_equal(w.shared->head, 8);
	assert_false(put(0));
	assert_false(w.ring.broken);
}

static void counts_are_apart(void **state)
{
	unsigned int model[MODES] = { 0 }, mode, i;
	u64 counts = 0;

	srand(2);
	for (i = 0; i < 500000; i++) {
		mode = rand() % MODES;
		if (rand() % 1000 < 502) {
			assert_int_equal(track_count_up(&counts, mode),
					 model[mode] < TRACK_COUNT_MAX);
			model[mode] += model[mode] < TRACK_COUNT_MAX;
		} else {
			assert_int_equal(track_count_down(&counts, mode),
					 model[mode] > 0);
			model[mode] -= model[mode] > 0;
		}
		assert_int_equal(track_count(counts, mode), model[mode]);
		assert_int_equal(track_count_modes(counts, MODES) >> mode & 1,
				 model[mode] > 0);
	}
}

static void counts_end(void **state)
{
	u64 counts = 0, before;
	unsigned int mode, i;

	for (mode = 0; mode < MODES; mode++) {
		assert_false(track_count_down(&counts, mode));
		for (i = 0; i < TRACK_COUNT_MAX; i++)
			assert_true(track_count_up(&counts, mode));
		before = counts;
		assert_false(track_count_up(&counts, mode));
		assert_int_equal(counts, before);
	}
	/* What an entry of an xarray has room for. */
	assert_true(counts <= INT64_MAX);
	assert_int_equal(track_count_modes(counts, MODES), 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(describes_itself),
		cmocka_unit_test(is_a_queue),
		cmocka_unit_test(questions_are_not_lost),
		cmocka_unit_test(one_wake_up_per_batch),
		cmocka_unit_test(questions_wake_at_once),
		cmocka_unit_test(tail_is_not_believed),
		cmocka_unit_test(header_is_not_read),
		cmocka_unit_test(registers_stay_away),
		cmocka_unit_test(head_comes_last),
		cmocka_unit_test(numbers_wrap),
		cmocka_unit_test(counts_are_apart),
		cmocka_unit_test(counts_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
