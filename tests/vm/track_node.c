// SPDX-License-Identifier: GPL-2.0
/*
 * track_node [SECONDS]: page tracking as it is inside the kernel, by nodes of the
 * module kvm_track_test: each callback and what it is called with, each answer,
 * counts, several nodes, slots that come and go, and nodes that come and go while
 * guests count in their pages.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "track_guest.h"
#include "track_module.h"
#include "vm_test.h"

#define VALUE		0x1817161514131211UL
#define HEX		"1112131415161718"
#define GFN		(TRACK_DATA / TRACK_PAGE)
#define MOST		32767
#define LATE		0x10000000UL	/* where a slot comes and goes */
#define LATE_SIZE	(16 * TRACK_PAGE)
#define MOVED		"10000000"	/* as far again */
#define STORES		1500
#define PERIOD		2000	/* of slots, in microseconds */
#define PLACES		600
#define ROUNDS		20
#define STRIDE		(4 * TRACK_PAGE)
#define VCPUS		2
#define LIVES		10	/* of nodes, on a machine that is slow */

#define CODE(name)	extern const uint8_t track_##name[]
CODE(load8); CODE(store8); CODE(add); CODE(three); CODE(remap);
CODE(cmpxchg16b); CODE(hammer); CODE(stores);

static int run_at(struct guest_vm *vm, uint64_t rip, struct track_regs regs)
{
	int err;

	track_load_at(&vm->vcpu[0], rip, &regs);
	do {
		err = guest_vcpu_run(&vm->vcpu[0]);
	} while (err == -EINTR);
	return err;
}

static int run(struct guest_vm *vm, const uint8_t *code, uint64_t offset)
{
	const struct track_regs regs = { .rax = VALUE,
		.rbx = TRACK_DATA + offset };

	return run_at(vm, track_code_at(code), regs);
}

static uint64_t at(const struct guest_vm *vm, uint64_t offset)
{
	uint64_t value;

	memcpy(&value, vm->mem + TRACK_DATA + offset, sizeof(value));
	return value;
}

static int node_on(const struct guest_vm *vm, int order)
{
	int node = node_open();

	must_do(node, "register %d %d", vm->fd, order);
	must_do(node, "log");
	return node;
}

static void add_all(int node, uint64_t gpa)
{
	static const char * const modes[] = { "preread", "prewrite", "write",
		"preexec" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++)
		must_do(node, "add %s %lx", modes[i], gpa / TRACK_PAGE);
}

/* Takes what the node has logged. */
static void called(int node, const char *expected, uint64_t base,
		   const char *name)
{
	char text[2048];

	node_spell(node, base, text, sizeof(text));
	check(!strcmp(text, expected), "%s: %s", name, text);
	must_do(node, "log");
}

/* Each callback, with exactly these addresses, sizes and data. */
static void callbacks(void)
{
	const struct track_regs far = { .rax = 0x2000e3, .rbx = GUEST_PMD + 8 * 5,
		.rcx = 0xa00000 + 0x100018 };
	const struct track_regs some = { .rcx = 7 };
	struct guest_vm vm;
	int node;

	track_vm_create(&vm, 1);
	memcpy(vm.mem + TRACK_DATA + 0x100, track_three, 16);
	node = node_on(&vm, 0);
	add_all(node, TRACK_DATA);
	check(!run(&vm, track_load8, 8), "a load");
	called(node, "R8+8", TRACK_DATA, "a load");
	check(!run(&vm, track_store8, 8) && at(&vm, 8) == VALUE, "a store");
	called(node, "w8+8=" HEX " W8+8=" HEX, TRACK_DATA, "a store");
	check(!run_at(&vm, TRACK_DATA + 0x100, some), "instructions");
	called(node, "X100 X103 X107 X10a", TRACK_DATA, "instructions");
	check(!run_at(&vm, track_code_at(track_remap), far),
	      "another virtual address");
	called(node, "R18+4@b00018", TRACK_DATA, "another virtual address");
	check(!run(&vm, track_store8, TRACK_PAGE), "the page beside it");
	called(node, "", TRACK_DATA, "the page beside it");
	close(node);
	check(!run(&vm, track_store8, 8), "nothing is tracked without the node");
	guest_vm_destroy(&vm);
}

/* Walks of the processor write, or there are none. */
static bool npt(void)
{
	char text[8];

	return guest_cpu_is_amd() &&
	       read_text("/sys/module/kvm_amd/parameters/npt", text,
			 sizeof(text)) && (text[0] == '1' || text[0] == 'Y');
}

/* What no page of data shows: walks, and instructions that are not known. */
static void odd_callbacks(void)
{
	struct guest_vm vm;
	int node, err;

	track_vm_create(&vm, 1);
	node = node_on(&vm, 0);
	must_do(node, "add prewrite %lx", GUEST_PMD / TRACK_PAGE);
	check(!run(&vm, track_store8, 8), "a store through a tracked table");
	check(!node_count(node, "prewrite") && (node_count(node, "walk") || !npt()),
	      "%u walks, no writes", node_count(node, "walk"));
	must_do(node, "remove prewrite %lx", GUEST_PMD / TRACK_PAGE);
	must_do(node, "add preread %lx", GFN);
	must_do(node, "answer unhandled deny 3");
	must_do(node, "log");
	err = run(&vm, track_cmpxchg16b, 0x10);
	check(err == -EPROTO && vm.vcpu[0].run->exit_reason ==
	      KVM_EXIT_INTERNAL_ERROR, "not emulated: error %d", err);
	check(node_count(node, "unhandled") == 4, "unhandled: %u calls",
	      node_count(node, "unhandled"));
	close(node);
	guest_vm_destroy(&vm);
}

/* No as often as it is said, then yes; bytes supplied; a write dropped. */
static void answers(void)
{
	uint64_t value = 1;
	struct guest_vm vm;
	int node;

	track_vm_create(&vm, 1);
	node = node_on(&vm, 0);
	add_all(node, TRACK_DATA);
	memcpy(vm.mem + TRACK_DATA + 8, &value, sizeof(value));
	must_do(node, "answer prewrite deny 3");
	check(!run(&vm, track_add, 8), "an addition denied three times");
	check(node_count(node, "prewrite") == 4 && node_count(node, "write") == 1 &&
	      at(&vm, 8) == VALUE + 1, "made once: %u, %u, %lx",
	      node_count(node, "prewrite"), node_count(node, "write"),
	      at(&vm, 8));
	must_do(node, "answer preread deny 2");
	check(!run(&vm, track_load8, 8), "a read denied twice");
	check(node_count(node, "preread") == 4 + 3, "asked for: %u",
	      node_count(node, "preread"));
	must_do(node, "answer preread supply 1 a1a2a3a4a5a6a7a8");
	check(!run(&vm, track_load8, 8), "a read of what a node supplies");
	check(guest_vcpu_told(&vm.vcpu[0]) == 0xa4a3a2a1, "supplied: %x",
	      guest_vcpu_told(&vm.vcpu[0]));
	must_do(node, "answer prewrite drop 1");
	must_do(node, "log");
	check(!run(&vm, track_store8, 0x20), "a store that is dropped");
	check(!at(&vm, 0x20), "in memory: %lx", at(&vm, 0x20));
	called(node, "w20+8=" HEX, TRACK_DATA, "and not written");
	memcpy(vm.mem + TRACK_DATA + 0x100, track_three, 16);
	must_do(node, "answer preexec deny 2");
	check(!run_at(&vm, TRACK_DATA + 0x100, (struct track_regs){ .rcx = 7 }) &&
	      guest_vcpu_told(&vm.vcpu[0]) == 12, "an instruction denied twice");
	called(node, "X100 X100 X100 X103 X107 X10a", TRACK_DATA, "told");
	close(node);
	guest_vm_destroy(&vm);
}

static void still(struct guest_vm *vm, int node, bool tracked, const char *name)
{
	unsigned int before = node_count(node, "prewrite"), more;

	check(!run(vm, track_store8, 0), "%s: runs", name);
	more = node_count(node, "prewrite") - before;
	check(more == tracked, "%s: %u calls", name, more);
}

/* As often removed as added, at most 32767 times, and only pages there can be. */
static void counts(void)
{
	struct guest_vm vm;
	int node, err;

	track_vm_create(&vm, 1);
	node = node_on(&vm, 0);
	must_do(node, "add prewrite %lx 3", GFN);
	must_do(node, "remove prewrite %lx 2", GFN);
	still(&vm, node, true, "added three times, removed twice");
	must_do(node, "remove prewrite %lx", GFN);
	still(&vm, node, false, "removed once more");
	check(node_do(node, "remove prewrite %lx", GFN) == -ENOENT,
	      "the test has nothing more to remove");
	must_do(node, "add prewrite %lx %d", GFN, MOST);
	err = node_do(node, "add prewrite %lx", GFN);
	check(err == -EOVERFLOW, "once more than can be counted: %d", err);
	still(&vm, node, true, "as often as can be counted");
	err = node_do(node, "add preread %lx", GFN);
	check(!err, "another mode is counted for itself: %d", err);
	must_do(node, "remove preread %lx", GFN);
	must_do(node, "remove prewrite %lx %d", GFN, MOST - 1);
	still(&vm, node, true, "all but one removed");
	must_do(node, "remove prewrite %lx", GFN);
	still(&vm, node, false, "all removed");
	err = node_do(node, "add prewrite %lx", 1UL << 52);
	check(err == -EINVAL, "a page that no guest can have: %d", err);
	close(node);
	guest_vm_destroy(&vm);
}

/* The number of the only call of @node to @call, or 0. */
static unsigned int when(int node, const char *call)
{
	struct node_call calls[64];
	size_t i, n = node_calls(node, calls, ARRAY_SIZE(calls));
	unsigned int found = 0;

	for (i = 0; i < n; i++)
		if (!strcmp(calls[i].call, call))
			found = found ? 0 : calls[i].number;
	return found;
}

/* By order, then by age; all of them, whatever one says; the last word counts. */
static void several(void)
{
	int late, early, younger, none = node_open();
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	late = node_on(&vm, 5);
	early = node_on(&vm, -1);
	younger = node_on(&vm, 5);
	add_all(late, TRACK_DATA);
	check(!run(&vm, track_store8, 8), "three nodes");
	check(when(early, "prewrite") && when(early, "prewrite") <
	      when(late, "prewrite") && when(late, "prewrite") <
	      when(younger, "prewrite"), "in their order: %u %u %u",
	      when(early, "prewrite"), when(late, "prewrite"),
	      when(younger, "prewrite"));
	must_do(early, "answer prewrite deny 1");
	check(!run(&vm, track_store8, 8) && node_count(younger, "prewrite") == 3,
	      "the last one is asked though the first one says no");
	must_do(early, "answer preread supply 1 0101010101010101");
	must_do(younger, "answer preread supply 1 0202020202020202");
	check(!run(&vm, track_load8, 8), "two nodes supply");
	check(guest_vcpu_told(&vm.vcpu[0]) == 0x02020202, "the last one: %x",
	      guest_vcpu_told(&vm.vcpu[0]));
	check(node_do(early, "register %d 0", vm.fd) == -EBUSY &&
	      node_do(none, "register %d 0", vm.vcpu[0].fd) == -EINVAL &&
	      node_do(none, "register 999 0") == -EBADF &&
	      node_do(none, "add preread 1") == -ENXIO &&
	      node_do(late, "add walk 1") == -EINVAL, "nonsense is refused");
	close(none);
	close(late);
	check(!run(&vm, track_store8, 8) && node_count(early, "prewrite") == 3,
	      "its pages go with a node");
	close(early);
	close(younger);
	guest_vm_destroy(&vm);
}

static void set_slot(const struct guest_vm *vm, uint64_t gpa, size_t size,
		     void *memory)
{
	struct kvm_userspace_memory_region region = { .slot = 1,
		.guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)memory };

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		die("slot at %#lx", gpa);
}

static volatile bool stop;

static void *store_all(void *arg)
{
	struct track_regs regs = { .rdi = STORES, .rbx = LATE };

	track_load(arg, track_stores, &regs);
	check(!guest_vcpu_run(arg), "stores while a slot comes and goes");
	stop = true;
	return NULL;
}

static void begin(pthread_t *thread, void *(*what)(void *), void *arg)
{
	if (pthread_create(thread, NULL, what, arg))
		die("pthread_create");
}

/*
 * A guest stores where there is no memory, which its VMM is told of, until there is
 * some, which a node has asked for before: each store is told to one of them. Were
 * the slot there before its page is tracked, some would be told to nobody.
 */
static void stores_into_slots(struct guest_vm *vm, int node, void *memory)
{
	uint64_t exits = vm->vcpu[0].user_exits;
	unsigned int told, slots = 0;
	pthread_t thread;

	told = node_count(node, "write");
	stop = false;
	begin(&thread, store_all, &vm->vcpu[0]);
	for (; !stop; slots++) {
		set_slot(vm, LATE, LATE_SIZE, memory);
		usleep(PERIOD);
		set_slot(vm, LATE, 0, memory);
		/* What create_slot() has added; the next slot is new again. */
		must_do(node, "remove write %lx", LATE / TRACK_PAGE);
		usleep(PERIOD);
	}
	pthread_join(thread, NULL);
	told = node_count(node, "write") - told;
	exits = vm->vcpu[0].user_exits - exits - 1;
	note("%u slots", slots);
	check(told && exits && told + exits == STORES,
	      "%u stores told, %lu to the VMM", told, exits);
}

/* Told of slots before the guest can see them, and after. */
static void slots(void)
{
	struct guest_vm vm;
	void *memory;
	int node;

	track_vm_create(&vm, 1);
	memory = mmap(NULL, LATE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	node = node_on(&vm, 0);
	must_do(node, "slot write %lx", LATE / TRACK_PAGE);
	set_slot(&vm, LATE, LATE_SIZE, memory);
	called(node, "C0+16", LATE, "a slot created");
	check(!run(&vm, track_store8, LATE - TRACK_DATA), "the first store");
	called(node, "W0+8=" HEX, LATE, "the first store");
	set_slot(&vm, 2 * LATE, LATE_SIZE, memory);
	called(node, "C" MOVED "+16 D0+16", LATE, "moved");
	set_slot(&vm, 2 * LATE, 0, memory);
	called(node, "D" MOVED "+16", LATE, "deleted");
	must_do(node, "remove write %lx", LATE / TRACK_PAGE);
	stores_into_slots(&vm, node, memory);
	close(node);
	guest_vm_destroy(&vm);
	munmap(memory, LATE_SIZE);
}

static unsigned long rounds[VCPUS];

static void *count(void *arg)
{
	struct guest_vcpu *vcpu = arg;
	struct track_regs regs = { .rdi = PLACES, .rsi = ROUNDS,
		.rbx = TRACK_DATA + vcpu->id * STRIDE };
	int err = 0;

	rounds[vcpu->id] = 0;
	do {
		track_load(vcpu, track_hammer, &regs);
		err = guest_vcpu_run(vcpu);
		rounds[vcpu->id] += ROUNDS;
	} while (!stop && !err);
	check(!err, "vCPU %u: error %d", vcpu->id, err);
	return NULL;
}

static void check_counts(const struct guest_vm *vm, unsigned int vcpu)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < PLACES; i++)
		wrong += at(vm, vcpu * STRIDE + i * 8) != rounds[vcpu];
	check(rounds[vcpu] && !wrong, "vCPU %u: %lu rounds, %u of %u wrong",
	      vcpu, rounds[vcpu], wrong, PLACES);
}

/* One life of a node on pages that are being counted in; a few noes. */
static void live(const struct guest_vm *vm, unsigned int *seed,
		 unsigned int *calls)
{
	static const char * const modes[] = { "preread", "prewrite", "write" };
	const char *mode = modes[rand_r(seed) % 3];
	uint64_t gfn = GFN + rand_r(seed) % VCPUS * (STRIDE / TRACK_PAGE);
	int node = node_open();

	must_do(node, "register %d %d", vm->fd, rand_r(seed) % 3);
	must_do(node, "answer preread deny %d", rand_r(seed) % 8);
	must_do(node, "answer prewrite deny %d", rand_r(seed) % 8);
	must_do(node, "add %s %lx 2", mode, gfn);
	usleep(rand_r(seed) % 2000);
	must_do(node, "remove %s %lx", mode, gfn);
	if (rand_r(seed) % 2)
		must_do(node, "unregister");
	*calls += node_count(node, "preread") + node_count(node, "prewrite") +
		  node_count(node, "write");
	close(node);
}

/* Nodes come and go while vCPUs hammer their pages: no count may be off. */
static void storm(unsigned int seconds)
{
	unsigned int i, seed = 1, lives = 0, calls = 0;
	time_t end = time(NULL) + seconds;
	pthread_t thread[VCPUS];
	struct guest_vm vm;
	int resident;

	track_vm_create(&vm, VCPUS);
	/* Or each of the others would patch the kernel. */
	resident = node_on(&vm, 1);
	stop = false;
	for (i = 0; i < VCPUS; i++)
		begin(&thread[i], count, &vm.vcpu[i]);
	for (; lives < LIVES || time(NULL) < end; lives++)
		live(&vm, &seed, &calls);
	stop = true;
	for (i = 0; i < VCPUS; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < VCPUS; i++)
		check_counts(&vm, i);
	check(lives && calls, "%u nodes, %u calls", lives, calls);
	close(resident);
	guest_vm_destroy(&vm);
}

/* The descriptors of the VM are gone, the VM is not before its last node is. */
static void orphan(void)
{
	struct guest_vm vm;
	int node[2], i;

	track_vm_create(&vm, 1);
	for (i = 0; i < 2; i++) {
		node[i] = node_on(&vm, i);
		add_all(node[i], TRACK_DATA);
	}
	check(!run(&vm, track_store8, 0) && node_count(node[1], "write") == 1,
	      "two nodes");
	guest_vm_destroy(&vm);
	check(!node_do(node[0], "add preread %lx 2", GFN + 1) &&
	      !node_do(node[0], "remove write %lx", GFN) &&
	      !node_do(node[0], "unregister"), "a node outlives its VM's descriptors");
	close(node[0]);
	check(!track_module_unload(), "a node in use keeps the module");
	close(node[1]);
}

int main(int argc, char **argv)
{
	vm_test_begin();
	if (!track_module_load())
		skip("there is no test module");
	callbacks();
	odd_callbacks();
	answers();
	counts();
	several();
	slots();
	storm(argc > 1 ? atoi(argv[1]) : 3);
	orphan();
	check(track_module_unload(), "module unloaded");
	return vm_test_end();
}
