// SPDX-License-Identifier: GPL-2.0-only
/* The arithmetic of tlb.h: slots, generations, recycling. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "tlb.h"

/* Load @id at @gen; returns whether that took a flush. */
static bool load(struct asi_tlb *tlb, u64 id, u64 gen, unsigned int *slot)
{
	struct asi_tlb_pick pick = asi_tlb_pick(tlb, id, gen);

	assert_true(pick.slot < ASI_NR_PCIDS);
	asi_tlb_done(tlb, pick, gen);
	if (slot)
		*slot = pick.slot;
	return pick.flush;
}

static void first_load_flushes(void **state)
{
	struct asi_tlb tlb = { .next = 0 };
	unsigned int slot, again;

	assert_true(load(&tlb, 7, 1, &slot));
	assert_false(load(&tlb, 7, 1, &again));
	assert_int_equal(slot, again);
}

static void raised_generation_flushes_once(void **state)
{
	struct asi_tlb tlb = { .next = 0 };

	load(&tlb, 7, 1, NULL);
	assert_true(load(&tlb, 7, 2, NULL));
	assert_false(load(&tlb, 7, 2, NULL));
	/* Far away in either direction is just as different. */
	assert_true(load(&tlb, 7, UINT64_MAX, NULL));
	assert_true(load(&tlb, 7, 1, NULL));
}

/* Until asi_tlb_done(), whoever comes in between has to flush, too. */
static void pick_alone_promises_nothing(void **state)
{
	struct asi_tlb tlb = { .next = 0 };
	struct asi_tlb_pick pick, other;

	pick = asi_tlb_pick(&tlb, 7, 1);
	other = asi_tlb_pick(&tlb, 7, 1);
	assert_true(pick.flush && other.flush);
	assert_int_equal(pick.slot, other.slot);

	load(&tlb, 7, 1, NULL);
	asi_tlb_pick(&tlb, 7, 2);
	assert_true(asi_tlb_pick(&tlb, 7, 2).flush);
}

static void instances_have_slots_of_their_own(void **state)
{
	struct asi_tlb tlb = { .next = 0 };
	unsigned int slot, used = 0;
	u64 id;

	for (id = 1; id <= ASI_NR_PCIDS; id++) {
		assert_true(load(&tlb, id, 5, &slot));
		assert_false(used & 1U << slot);
		used |= 1U << slot;
	}
	for (id = 1; id <= ASI_NR_PCIDS; id++)
		assert_false(load(&tlb, id, 5, NULL));
}

/* The same generation means nothing for another instance. */
static void recycled_slot_flushes(void **state)
{
	struct asi_tlb tlb = { .next = 0 };
	u64 id;

	for (id = 1; id <= ASI_NR_PCIDS; id++)
		load(&tlb, id, 5, NULL);
	for (id = 1; id <= 3 * ASI_NR_PCIDS; id++)
		assert_true(load(&tlb, 100 + id, 5, NULL));
	for (id = 1; id <= ASI_NR_PCIDS; id++)
		assert_true(load(&tlb, id, 5, NULL));
}

static void recycling_takes_turns(void **state)
{
	struct asi_tlb tlb = { .next = 0 };
	unsigned int slot, previous;
	u64 id;

	load(&tlb, 1, 1, &previous);
	for (id = 2; id < 5 * ASI_NR_PCIDS; id++) {
		load(&tlb, id, 1, &slot);
		assert_int_equal(slot, (previous + 1) % ASI_NR_PCIDS);
		previous = slot;
	}
}

static void forget_makes_every_slot_stale(void **state)
{
	struct asi_tlb tlb = { .next = 0 };
	u64 id;

	for (id = 1; id <= ASI_NR_PCIDS; id++)
		load(&tlb, id, id, NULL);
	asi_tlb_forget(&tlb);
	for (id = 1; id <= ASI_NR_PCIDS; id++) {
		assert_true(load(&tlb, id, id, NULL));
		assert_false(load(&tlb, id, id, NULL));
	}
}

/* Against what the PCIDs really hold, for a long time. */
static void never_reuses_what_is_stale(void **state)
{
	struct { u64 id, gen; } cached[ASI_NR_PCIDS] = { { 0, 0 } };
	struct asi_tlb tlb = { .next = 0 };
	u64 gens[3 * ASI_NR_PCIDS], random = 1;
	unsigned int i, slot, id;
	unsigned long reused = 0;

	for (i = 0; i < ARRAY_SIZE(gens); i++)
		gens[i] = 1;
	for (i = 0; i < 200000; i++) {
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		id = (random >> 33) % ((random >> 60) + 1);
		if ((random >> 40) % 8 == 0)
			gens[id]++;
		if ((random >> 44) % 64 == 0) {
			asi_tlb_forget(&tlb);
			memset(cached, 0, sizeof(cached));
		}
		if (!load(&tlb, id + 1, gens[id], &slot)) {
			assert_true(cached[slot].id == id + 1);
			assert_true(cached[slot].gen == gens[id]);
			reused++;
		}
		cached[slot].id = id + 1;
		cached[slot].gen = gens[id];
	}
	/* And it is worth having. */
	assert_true(reused > 50000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_load_flushes),
		cmocka_unit_test(raised_generation_flushes_once),
		cmocka_unit_test(pick_alone_promises_nothing),
		cmocka_unit_test(instances_have_slots_of_their_own),
		cmocka_unit_test(recycled_slot_flushes),
		cmocka_unit_test(recycling_takes_turns),
		cmocka_unit_test(forget_makes_every_slot_stale),
		cmocka_unit_test(never_reuses_what_is_stale),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
