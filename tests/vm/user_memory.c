// SPDX-License-Identifier: GPL-2.0
/*
 * user_memory [nouser]
 *
 * User memory of a VMM in the restricted address space of its VM: mapped there
 * and in no other, and gone from there as soon as it is unmapped, while threads
 * of the VMM change everything about it and its virtual CPUs run. With nouser,
 * for a host that was told so, it is never there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vm_test.h"

#define PAGE		4096UL
#define MIB		(1UL << 20)
#define STORM		(4 * MIB)
#define SECONDS		10

/* Each in an entry of its own of the top-level table: of four levels, of five. */
static const uintptr_t far_apart[] = {
	0x100000000000, 0x200000000000, 0x300000000000,
	0x4000000000000, 0x8000000000000, 0x20000000000000,
};

static volatile bool stop;
static unsigned long storms;

static void touch(volatile char *mem, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE)
		mem[at]++;
}

/*
 * Takes a range that has a top-level entry alone, in various ways, and gives it
 * back. The hint is all there is: with four levels the upper ones end up
 * elsewhere.
 */
static void come_and_go(uintptr_t where)
{
	char *mem = mmap((void *)where, STORM, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED)
		return;
	touch(mem, 16 * PAGE);
	mprotect(mem, 8 * PAGE, PROT_READ);
	madvise(mem, STORM, where & MIB ? MADV_HUGEPAGE : MADV_COLD);
	madvise(mem + 4 * PAGE, 8 * PAGE, MADV_DONTNEED);
	mprotect(mem, STORM, PROT_READ | PROT_WRITE);
	touch(mem, 16 * PAGE);
	mem = mremap(mem, STORM, 2 * STORM, MREMAP_MAYMOVE);
	if (mem == MAP_FAILED)
		return;
	touch(mem, 16 * PAGE);
	munmap(mem, 2 * STORM);
	storms++;
}

/* The guest's own memory comes, goes and changes its protection. */
static void shake_guest(struct guest_vm *vm)
{
	char *fresh = (char *)vm->mem + GUEST_FRESH;
	size_t size = vm->mem_size - GUEST_FRESH;

	guest_vm_drop_memory(vm);
	touch(fresh, size / 4);
	mprotect(fresh, size / 2, PROT_READ);
	mprotect(vm->mem, GUEST_FRESH, PROT_READ);
	mprotect(vm->mem, vm->mem_size, PROT_READ | PROT_WRITE);
}

static void *storm(void *vm)
{
	size_t i;

	for (i = 0; !stop; i++) {
		come_and_go(far_apart[i % ARRAY_SIZE(far_apart)]);
		shake_guest(vm);
	}
	return NULL;
}

/* Guests run, count right and write where memory is missing, all the while. */
static void in_a_storm(void)
{
	unsigned int good = 0, failed = 0;
	time_t end = time(NULL) + SECONDS;
	struct guest_vm vm;
	pthread_t thread;
	int err;

	must_create(&vm, 1);
	if (pthread_create(&thread, NULL, storm, &vm))
		die("pthread_create");
	while (time(NULL) < end) {
		err = guest_vcpu_do(&vm.vcpu[0], guest_payload("mix"), 5);
		/* Read-only memory that a guest writes to is its VMM's fault. */
		failed += err && err != -EFAULT;
		good += !err;
		/* Let the other thread get somewhere on a single processor. */
		usleep(1000);
	}
	stop = true;
	pthread_join(thread, NULL);
	check(good > 2 && !failed, "%u runs, %u failed", good, failed);
	check(storms > 2, "%lu ranges came and went", storms);
	counts_right(&vm.vcpu[0], 1000);
	run_payload(&vm.vcpu[0], "eptfault", 100);
	guest_vm_destroy(&vm);
}

/* Bytes and volatile: the secret must not stay behind elsewhere. */
static void plant(volatile uint8_t *where, const uint8_t *complement)
{
	size_t i;

	for (i = 0; i < 32; i++)
		where[i] = ~complement[i];
}

static void *one_page(int flags)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  flags | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	memset(page, 1, PAGE);
	return page;
}

/* How many of the one secret @vm reaches, by the auditor's account. */
static uint64_t reached(struct guest_vm *vm, const uint8_t *complement)
{
	uint64_t full = 0, restricted = UINT64_MAX;
	char hex[65];
	int i;

	for (i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", complement[i]);
	asi_write("canary", "0");
	check(!asi_write("canary", hex), "the secret is known");
	mapped_while(&vm->vcpu[0], "cpuid", "user");
	asi_value("canary", "reachable_restricted", &restricted);
	asi_value("canary", "reachable_full", &full);
	check(full == 1, "%lu secrets in memory", full);
	asi_write("canary", "0");
	return restricted;
}

/* Another VMM with a secret in its memory, until it is killed. */
static pid_t other_vmm(const uint8_t *complement, volatile bool *ready)
{
	struct guest_vm vm;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	plant(one_page(MAP_PRIVATE), complement);
	must_create(&vm, 1);
	*ready = !guest_vcpu_do(&vm.vcpu[0], guest_payload("mix"), 20);
	pause();
	_exit(1);
}

static void each_its_own(uint64_t expected)
{
	volatile bool *ready = one_page(MAP_SHARED);
	uint8_t theirs[32], ours[32];
	struct guest_vm vm;
	uint64_t found;
	pid_t pid;
	int tries;

	if (getrandom(theirs, 32, 0) != 32 || getrandom(ours, 32, 0) != 32)
		die("getrandom");
	*ready = false;
	pid = other_vmm(theirs, ready);
	for (tries = 0; !*ready && tries < 2000; tries++)
		usleep(10000);
	check(*ready, "another VMM runs");

	must_create(&vm, 1);
	found = reached(&vm, theirs);
	check(found == 0, "%lu secrets of the other VMM reached", found);
	plant(one_page(MAP_PRIVATE), ours);
	found = reached(&vm, ours);
	check(found == expected, "%lu secrets of our own", found);
	guest_vm_destroy(&vm);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static char *populate(uintptr_t where, size_t size)
{
	char *mem = mmap((void *)where, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

/*
 * Whole entries of the top level, with four levels and with five. What the VMM
 * has when the VM is made is mapped at once; later it is as the VMM has it.
 */
static void unmapped_is_gone(void)
{
	char *four = populate(far_apart[0], STORM);
	char *five = populate(far_apart[3], STORM);
	uint64_t with, without;
	struct guest_vm vm;

	must_create(&vm, 1);
	with = mapped_while(&vm.vcpu[0], "mix", "user");
	munmap(four, STORM);
	munmap(five, STORM);
	without = mapped_while(&vm.vcpu[0], "mix", "user");
	check(without && without + 2 * STORM <= with + STORM / 4,
	      "%lu bytes with two ranges, %lu without", with, without);
	four = populate(far_apart[0], PAGE);
	counts_right(&vm.vcpu[0], 100);
	munmap(four, PAGE);
	guest_vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	bool nouser = argc > 1 && !strcmp(argv[1], "nouser");
	struct guest_vm vm;
	uint64_t user;

	vm_test_begin();
	if (asi_enabled()) {
		must_create(&vm, 1);
		user = mapped_while(&vm.vcpu[0], "mix", "user");
		check(nouser ? !user : user > 0, "%lu bytes of user memory",
		      user);
		guest_vm_destroy(&vm);
		each_its_own(nouser ? 0 : 1);
		if (!nouser)
			unmapped_is_gone();
	}
	in_a_storm();
	return vm_test_end();
}
