// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that are executed again until all of their accesses have been answered:
 * each access is asked for once per execution, and gets the answer to itself.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <uapi/linux/kvm_track.h>
#include <asm/kvm_track_replay.h>

#define MAX_ACCESSES	KVM_TRACK_NR_SAID
#define RIP		0x1000

static struct kvm_track_replay replay;

static struct kvm_track_said access_of(u64 gpa, u32 access, u8 data)
{
	return (struct kvm_track_said) { .gpa = gpa, .access = access,
		.len = 8, .data = { data } };
}

static struct kvm_track_execution execution(u64 rip, u64 rcx, u64 generation)
{
	return (struct kvm_track_execution) { .rip = rip, .rcx = rcx,
		.generation = generation };
}

static void init_world(void)
{
	memset(&replay, 0, sizeof(replay));
}

static void begin(u64 rip, u64 rcx, u64 generation)
{
	const struct kvm_track_execution of = execution(rip, rcx, generation);

	kvm_track_replay_begin(&replay, &of);
}

static bool say(u64 rip, u64 rcx, u64 generation, struct kvm_track_said said,
		u32 action)
{
	const struct kvm_track_execution of = execution(rip, rcx, generation);

	said.action = action;
	return kvm_track_replay_say(&replay, &of, &said);
}

static const struct kvm_track_said *use(struct kvm_track_said asked)
{
	return kvm_track_replay_use(&replay, &asked);
}

/* Executes it until nothing is left to ask; how many questions that took. */
static unsigned int execute(const struct kvm_track_said *access, unsigned int nr,
			    u64 rcx)
{
	const struct kvm_track_said *said;
	unsigned int asked = 0, i;

	for (;;) {
		begin(RIP, rcx, 1);
		for (i = 0; i < nr; i++) {
			said = use(access[i]);
			if (!said)
				break;
			assert_int_equal(said->action, access[i].action);
		}
		if (i == nr)
			return asked;
		asked++;
		assert_int_equal(asked, i + 1);
		assert_true(say(RIP, rcx, 1, access[i], access[i].action));
	}
}

/* Also if two of them are alike, and if it is executed many times in a row. */
static void asks_once(void **state)
{
	struct kvm_track_said access[MAX_ACCESSES];
	unsigned int round, nr, i;

	srand(3);
	init_world();
	for (round = 0; round < 20000; round++) {
		nr = rand() % MAX_ACCESSES + 1;
		for (i = 0; i < nr; i++) {
			access[i] = access_of(rand() % 3, 1 << rand() % 2,
					      rand() % 2);
			access[i].action = KVM_TRACK_CONTINUE;
		}
		assert_int_equal(execute(access, nr, rand() % 2), nr);
	}
}

static void answers_are_its_own(void **state)
{
	struct kvm_track_said access[MAX_ACCESSES];
	unsigned int i;

	init_world();
	for (i = 0; i < MAX_ACCESSES; i++) {
		access[i] = access_of(i / 2, i % 2 ? KVM_TRACK_READ :
				      KVM_TRACK_WRITE, i);
		access[i].action = i;
	}
	assert_int_equal(execute(access, MAX_ACCESSES, 0), MAX_ACCESSES);
}

static void end_is_told(void **state)
{
	unsigned int i;

	init_world();
	for (i = 0; i < MAX_ACCESSES; i++)
		assert_true(say(RIP, 0, 1, access_of(i, 1, 0), 0));
	assert_false(say(RIP, 0, 1, access_of(i, 1, 0), 0));
	assert_int_equal(replay.nr, MAX_ACCESSES);
	/* The next instruction begins with nothing. */
	assert_true(say(RIP + 1, 0, 1, access_of(0, 1, 0), 0));
	assert_int_equal(replay.nr, 1);
}

static void completed_is_forgotten(void **state)
{
	init_world();
	say(RIP, 0, 1, access_of(0, KVM_TRACK_WRITE, 0), 0);
	begin(RIP, 0, 1);
	assert_non_null(use(access_of(0, KVM_TRACK_WRITE, 0)));
	assert_null(use(access_of(0, KVM_TRACK_WRITE, 0)));
	begin(RIP, 0, 1);
	assert_null(use(access_of(0, KVM_TRACK_WRITE, 0)));
}

static void iterations_are_apart(void **state)
{
	init_world();
	say(RIP, 5, 1, access_of(0, KVM_TRACK_WRITE, 0), 0);
	begin(RIP, 5, 1);
	assert_non_null(use(access_of(0, KVM_TRACK_WRITE, 0)));
	say(RIP, 4, 1, access_of(1, KVM_TRACK_WRITE, 0), 0);
	begin(RIP, 4, 1);
	assert_null(use(access_of(0, KVM_TRACK_WRITE, 0)));
	assert_non_null(use(access_of(1, KVM_TRACK_WRITE, 0)));
}

/* The handler asks for the same page, and the instruction comes back. */
static void interrupts_wait(void **state)
{
	init_world();
	say(RIP, 0, 1, access_of(0, KVM_TRACK_WRITE, 0), 0);
	begin(RIP + 64, 0, 1);
	assert_null(use(access_of(0, KVM_TRACK_WRITE, 0)));
	begin(RIP, 0, 1);
	assert_non_null(use(access_of(0, KVM_TRACK_WRITE, 0)));
}

/* Whoever else gets there first, with other registers or in another place. */
static void others_are_asked(void **state)
{
	static const struct kvm_track_execution others[] = {
		{ .rip = RIP, .rcx = 9 }, { .rip = RIP, .rsp = 8 },
		{ .rip = RIP, .cr3 = 0x2000 }, { .rip = RIP, .mode = 64 },
		{ .rip = RIP + 1 },
	};
	const struct kvm_track_execution of = { .rip = RIP };
	const struct kvm_track_said said = access_of(0, KVM_TRACK_EXEC, 0);
	unsigned int i;

	init_world();
	assert_true(kvm_track_replay_say(&replay, &of, &said));
	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		kvm_track_replay_begin(&replay, &others[i]);
		assert_null(use(said));
	}
	kvm_track_replay_begin(&replay, &of);
	assert_non_null(use(said));
}

static void watched_anew_is_asked_anew(void **state)
{
	init_world();
	say(RIP, 0, 1, access_of(0, KVM_TRACK_WRITE, 0), 0);
	begin(RIP, 0, 2);
	assert_null(use(access_of(0, KVM_TRACK_WRITE, 0)));
}

static void other_data_is_asked_for(void **state)
{
	init_world();
	say(RIP, 0, 1, access_of(0, KVM_TRACK_WRITE, 1), 0);
	say(RIP, 0, 1, access_of(0, KVM_TRACK_READ, 1), 0);
	begin(RIP, 0, 1);
	assert_null(use(access_of(0, KVM_TRACK_WRITE, 2)));
	assert_non_null(use(access_of(0, KVM_TRACK_WRITE, 1)));
	/* What a read finds is not known when it is asked for. */
	assert_non_null(use(access_of(0, KVM_TRACK_READ, 2)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_once),
		cmocka_unit_test(answers_are_its_own),
		cmocka_unit_test(end_is_told),
		cmocka_unit_test(completed_is_forgotten),
		cmocka_unit_test(iterations_are_apart),
		cmocka_unit_test(interrupts_wait),
		cmocka_unit_test(others_are_asked),
		cmocka_unit_test(watched_anew_is_asked_anew),
		cmocka_unit_test(other_data_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
