// SPDX-License-Identifier: GPL-2.0
/*
 * track_stress [SECONDS]
 *
 * Guests count in watched pages while watchers come, go, change their minds and
 * die, dirty logging goes on and off, and a slot moves. Each count must be right
 * at the end: no access may be lost, or happen twice, whoever looks at it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "track_guest.h"
#include "vm_test.h"

#define VCPUS		2
#define PLACES		600	/* over two pages for each vCPU */
#define ROUNDS		40
#define STRIDE		(4 * TRACK_PAGE)
#define AREA		(VCPUS * 4)	/* pages */
#define MOVING		0x10000000UL
#define MOVING_SIZE	(64 * TRACK_PAGE)

extern const uint8_t track_hammer[];

static volatile bool stop;
static struct guest_vm vm;
static unsigned long rounds[VCPUS], changes, moves;
static uint8_t *moving;

static void *count(void *arg)
{
	struct guest_vcpu *vcpu = arg;
	struct track_regs regs = { .rdi = PLACES, .rsi = ROUNDS,
		.rbx = TRACK_DATA + vcpu->id * STRIDE };
	int err = 0;

	while (!stop && !err) {
		track_load(vcpu, track_hammer, &regs);
		err = guest_vcpu_run(vcpu);
		rounds[vcpu->id] += ROUNDS;
	}
	check(!err, "vCPU %u: error %d", vcpu->id, err);
	return NULL;
}

/* Answers whatever is asked, the way chance will have it, but for good. */
static void answer_all(struct track *track, unsigned int *seed)
{
	struct kvm_track_event event;

	while (track_next(track, &event))
		if (event.flags & KVM_TRACK_WAITS)
			track_answer(track, event.id, rand_r(seed) % 4 ?
				     KVM_TRACK_CONTINUE : KVM_TRACK_RETRY,
				     NULL, 0);
}

static void change(struct track *track, unsigned int *seed)
{
	uint64_t gpa = rand_r(seed) % 8 ? TRACK_DATA : MOVING;
	unsigned int access = rand_r(seed) % 16;
	int err;

	err = track_set(track, gpa + rand_r(seed) % AREA * TRACK_PAGE,
			1 + rand_r(seed) % 3, access,
			rand_r(seed) % 3 ? KVM_TRACK_LOG : 0);
	if (err)
		check(false, "change: %d", err);
	__atomic_add_fetch(&changes, 1, __ATOMIC_RELAXED);
}

/* One life of a watcher; some end with questions open. */
static void *watch(void *arg)
{
	unsigned int seed = (uintptr_t)arg, i, n;
	struct track track;

	while (!stop) {
		must_track(&track, &vm, TRACK_CREATE(.nr_events = 64,
			.order = rand_r(&seed) % 3, .timeout_ms = 2000));
		n = rand_r(&seed) % 50;
		for (i = 0; i < n && !stop; i++) {
			change(&track, &seed);
			usleep(rand_r(&seed) % 2000);
			answer_all(&track, &seed);
		}
		track_close(&track);
	}
	return NULL;
}

static void set_slot(unsigned int slot, unsigned int flags, uint64_t gpa,
		     size_t size, void *memory)
{
	struct kvm_userspace_memory_region region = { .slot = slot,
		.flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)memory };

	if (ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &region))
		check(false, "slot %u: errno %d", slot, errno);
}

static void *change_slots(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!stop) {
		set_slot(0, rand_r(&seed) % 2 ? KVM_MEM_LOG_DIRTY_PAGES : 0, 0,
			 vm.mem_size, vm.mem);
		set_slot(1, 0, MOVING + rand_r(&seed) % 2 * MOVING_SIZE,
			 MOVING_SIZE, moving);
		if (!(rand_r(&seed) % 4)) {
			set_slot(1, 0, MOVING, 0, moving);
			set_slot(1, 0, MOVING, MOVING_SIZE, moving);
		}
		moves++;
		usleep(rand_r(&seed) % 20000);
	}
	return NULL;
}

static void check_counts(unsigned int vcpu)
{
	const uint64_t *place = (void *)(vm.mem + TRACK_DATA + vcpu * STRIDE);
	unsigned int i, wrong = 0;

	for (i = 0; i < PLACES; i++)
		wrong += place[i] != rounds[vcpu];
	check(rounds[vcpu] && !wrong, "vCPU %u: %lu rounds, %u of %u wrong",
	      vcpu, rounds[vcpu], wrong, PLACES);
}

static void begin(pthread_t *thread, void *(*what)(void *), void *arg)
{
	if (pthread_create(thread, NULL, what, arg))
		die("pthread_create");
}

static void storm(unsigned int seconds)
{
	pthread_t thread[VCPUS + 3];
	unsigned int i;

	track_vm_create(&vm, VCPUS);
	moving = mmap(NULL, MOVING_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (moving == MAP_FAILED)
		die("mmap");
	set_slot(1, 0, MOVING, MOVING_SIZE, moving);
	for (i = 0; i < VCPUS; i++)
		begin(&thread[i], count, &vm.vcpu[i]);
	begin(&thread[VCPUS], watch, (void *)1UL);
	begin(&thread[VCPUS + 1], watch, (void *)2UL);
	begin(&thread[VCPUS + 2], change_slots, (void *)3UL);
	sleep(seconds);
	stop = true;
	for (i = 0; i < VCPUS + 3; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < VCPUS; i++)
		check_counts(i);
	note("%lu changes, %lu moves", changes, moves);
	guest_vm_destroy(&vm);
	munmap(moving, MOVING_SIZE);
}

/* The VM goes first, its watchers after it. */
static void orphans(void)
{
	struct track track[3];
	struct guest_vm gone;
	unsigned int i;

	track_vm_create(&gone, 1);
	for (i = 0; i < 3; i++) {
		must_track(&track[i], &gone, TRACK_CREATE());
		must_set(&track[i], TRACK_DATA, 8, KVM_TRACK_WRITE, 0);
	}
	guest_vm_destroy(&gone);
	check(!track_set(&track[1], TRACK_DATA, 4, 0, 0),
	      "a watcher outlives its VM");
	for (i = 0; i < 3; i++)
		track_close(&track[i]);
}

int main(int argc, char **argv)
{
	vm_test_begin();
	storm(argc > 1 ? atoi(argv[1]) : 5);
	orphans();
	return vm_test_end();
}
