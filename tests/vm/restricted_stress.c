// SPDX-License-Identifier: GPL-2.0
/*
 * restricted_stress [SECONDS]
 *
 * Everything at once on one file: pages are allocated and punched, slots come
 * and go, another VM asks for the file, descriptors are duplicated and closed,
 * and the VM that runs from it is killed in the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "restricted.h"
#include "vm_test.h"

#define PAGE		4096UL
#define GUEST		(16UL << 20)
#define SIZE		(2 * GUEST)	/* the second half has no guest in it */
#define FRESH		((GUEST - GUEST_FRESH) / PAGE)

struct shared {
	struct guest_vm vm, other;
	int fd;
	volatile bool stop;
	unsigned long unexpected;
};

typedef void (*action_t)(struct shared *s, unsigned int *seed);

struct actor {
	struct shared *shared;
	action_t action;
	pthread_t thread;
	unsigned int seed;
	unsigned long done;
};

static size_t some_page(unsigned int *seed)
{
	return GUEST_FRESH + rand_r(seed) % ((SIZE - GUEST_FRESH) / PAGE) * PAGE;
}

static void allocate(struct shared *s, unsigned int *seed)
{
	size_t at = some_page(seed), len = (1 + rand_r(seed) % 700) * PAGE;
	int err = restricted_allocate(s->fd, at, len);

	s->unexpected += err && err != (at + len > SIZE ? -EINVAL : -ENOMEM);
}

static void punch(struct shared *s, unsigned int *seed)
{
	size_t len = (1 + rand_r(seed) % 700) * PAGE;

	s->unexpected += !!restricted_punch(s->fd, some_page(seed), len);
}

/* A slot over some of the second half. */
static void slot(struct shared *s, unsigned int *seed)
{
	size_t at = GUEST + rand_r(seed) % 2048 * PAGE;
	int err = restricted_slot(s->vm.fd, 3, 1UL << 30, 8UL << 20, s->fd, at,
				  NULL);

	s->unexpected += !!err;
	err = restricted_slot_remove(s->vm.fd, 3);
	s->unexpected += !!err;
}

static void other_vm(struct shared *s, unsigned int *seed)
{
	size_t at = rand_r(seed) % 4096 * PAGE;
	int err = restricted_slot(s->other.fd, 3, 1UL << 30, 8UL << 20, s->fd,
				  at, NULL);

	s->unexpected += err != -EBUSY;
}

static void descriptors(struct shared *s, unsigned int *seed)
{
	char path[64], text[512];
	int fd = dup(s->fd), info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	s->unexpected += read(info, text, sizeof(text)) <= 0;
	s->unexpected += restricted_pages(fd) < 0;
	close(info);
	close(fd);
	usleep(rand_r(seed) % 2000);
}

static void *act(void *arg)
{
	struct actor *actor = arg;

	while (!actor->shared->stop) {
		actor->action(actor->shared, &actor->seed);
		actor->done++;
	}
	return NULL;
}

static const struct {
	action_t action;
	const char *name;
} actions[] = {
	{ allocate, "allocations" }, { punch, "holes" }, { punch, "holes" },
	{ slot, "slots" }, { other_vm, "refusals" },
	{ descriptors, "descriptors" },
};

static void create(struct shared *s, unsigned int flags)
{
	memset(s, 0, sizeof(*s));
	if (guest_vm_create_restricted(&s->vm, 2, GUEST, flags))
		die("create a VM");
	must_create(&s->other, 1);
	/* A file of its own, that it gives up for ours with twice the size. */
	s->fd = restricted_open_sized(flags, SIZE);
	if (s->fd < 0 || restricted_slot_remove(s->vm.fd, 0) ||
	    restricted_slot(s->vm.fd, 0, 0, GUEST, s->fd, 0, NULL) ||
	    restricted_populate(s->vm.fd, 0, s->vm.mem, GUEST_FRESH))
		die("another file for the VM");
}

static void all_at_once(unsigned int flags, unsigned int seconds,
			const char *what)
{
	struct actor actors[ARRAY_SIZE(actions)];
	struct guest_worker worker[2];
	struct shared s;
	size_t i;

	create(&s, flags);
	for (i = 0; i < 2; i++)
		if (guest_worker_start(&worker[i], &s.vm.vcpu[i], "churn", 2))
			die("start a virtual CPU");
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		actors[i] = (struct actor){ .shared = &s, .seed = i + 1,
					    .action = actions[i].action };
		if (pthread_create(&actors[i].thread, NULL, act, &actors[i]))
			die("pthread_create");
	}
	sleep(seconds);
	for (i = 0; i < 2; i++)
		check(guest_worker_progress(&worker[i], 2, 120),
		      "%s: virtual CPU %zu gets on", what, i);
	s.stop = true;
	for (i = 0; i < ARRAY_SIZE(actions); i++) {
		pthread_join(actors[i].thread, NULL);
		check(actors[i].done, "%s: %lu %s", what, actors[i].done,
		      actions[i].name);
	}
	check(!s.unexpected, "%s: %lu answers nobody expects", what,
	      s.unexpected);
	for (i = 0; i < 2; i++)
		stops_well(&worker[i], what);
	run_payload(&s.vm.vcpu[0], "fill", FRESH);
	run_payload(&s.vm.vcpu[1], "sum", FRESH);
	check(guest_vcpu_told(&s.vm.vcpu[1]) ==
	      (uint32_t)(FRESH * (FRESH + 1) / 2), "%s: memory is sound", what);
	check(!restricted_punch(s.fd, 0, SIZE) && !restricted_pages(s.fd),
	      "%s: all of it goes", what);
	guest_vm_destroy(&s.vm);
	guest_vm_destroy(&s.other);
	close(s.fd);
}

static void be_killed(void)
{
	struct guest_worker worker;
	unsigned int seed = 1;
	struct shared s;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	create(&s, RMFD_HUGEPAGE);
	guest_worker_start(&worker, &s.vm.vcpu[0], "churn", 2);
	for (;;) {
		allocate(&s, &seed);
		punch(&s, &seed);
	}
}

static void killed(void)
{
	int i, status;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		pid = fork();
		if (!pid)
			be_killed();
		usleep(200000 + 50000 * i);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		check(WIFSIGNALED(status), "killed, round %d", i);
	}
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? atoi(argv[1]) : 8;

	if (!restricted_supported())
		skip("no memfd_restricted");
	vm_test_begin();
	all_at_once(0, seconds, "4K");
	all_at_once(RMFD_HUGEPAGE, seconds, "2M");
	killed();
	return vm_test_end();
}
