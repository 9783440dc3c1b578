// SPDX-License-Identifier: GPL-2.0
/*
 * Ordinary guests that run from restricted memory: on small and on large pages,
 * while holes are punched under them, and after some of it has failed. What a
 * slot takes for a file, who may have it, and how contents come in.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "restricted.h"
#include "vm_test.h"

#define PAGE		4096UL
#define LARGE		(2UL << 20)
#define SIZE		(16UL << 20)
#define FRESH		((SIZE - GUEST_FRESH) / PAGE)
#define SECONDS		5
#define MANY		20	/* a slow machine takes longer */

static void create(struct guest_vm *vm, unsigned int nr_vcpus,
		   unsigned int flags)
{
	int err = guest_vm_create_restricted(vm, nr_vcpus, SIZE, flags);

	if (!err)
		return;
	errno = -err;
	die("create a VM");
}

/* What 1 + 2 + ... + @n is to a guest. */
static uint32_t sum_to(uint64_t n)
{
	return n * (n + 1) / 2;
}

static uint32_t told(struct guest_vcpu *vcpu, const char *payload,
		     uint64_t rounds)
{
	run_payload(vcpu, payload, rounds);
	return guest_vcpu_told(vcpu);
}

/* KVM reads code, walks page tables and writes a clock, all of it in there. */
static void runs(unsigned int flags, const char *what)
{
	static const char * const all[] = {
		"cpuid", "msr", "pio", "mix", "hypercall", "hlt",
		"hlt_pending", "pio_user", "mmio_user",
	};
	uint64_t large = 0, small = 0;
	struct guest_vm vm;
	uint32_t version;
	long pages;
	size_t i;

	create(&vm, 1, flags);
	pages = restricted_pages(vm.mem_fd);
	check(pages * PAGE == GUEST_FRESH, "%s: %ld pages to begin with", what,
	      pages);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		run_payload(&vm.vcpu[0], all[i], 20);
	told(&vm.vcpu[0], "fill", FRESH);
	check(told(&vm.vcpu[0], "sum", FRESH) == sum_to(FRESH),
	      "%s: what the guest wrote is there", what);
	check(restricted_pages(vm.mem_fd) == (long)(SIZE / PAGE),
	      "%s: all pages are there", what);
	version = told(&vm.vcpu[0], "clock", 10);
	check(version && version % 2 == 0, "%s: clock, version %u", what,
	      version);
	guest_vm_stat(&vm, "pages_2m", &large);
	guest_vm_stat(&vm, "pages_4k", &small);
	note("%s: %lu large mappings, %lu small ones", what, large, small);
	if (flags & RMFD_HUGEPAGE)
		check(large >= 5, "%s: large mappings", what);
	else
		check(!large, "%s: no large mappings", what);
	guest_vm_destroy(&vm);
}

/* Holes are zero for the guest; the rest of a large page stays. */
static void holes(unsigned int flags, const char *what)
{
	const uint64_t first = 100, count = 700;
	struct guest_vm vm;
	uint32_t expected;

	create(&vm, 1, flags);
	told(&vm.vcpu[0], "fill", FRESH);
	check(!restricted_punch(vm.mem_fd, GUEST_FRESH + first * PAGE,
				count * PAGE), "%s: a hole", what);
	expected = sum_to(FRESH) - sum_to(first + count) + sum_to(first);
	check(told(&vm.vcpu[0], "sum", FRESH) == expected,
	      "%s: zero in the hole, and nowhere else", what);
	check(!guest_vm_drop_memory(&vm), "%s: all of it", what);
	check(told(&vm.vcpu[0], "sum", FRESH) == 0, "%s: is zero", what);
	guest_vm_destroy(&vm);
}

/* Punches at random under guests that write, until they have got somewhere. */
static void storm(unsigned int flags, const char *what)
{
	struct guest_worker worker[2];
	time_t end = time(NULL) + SECONDS;
	unsigned long punched = 0;
	struct guest_vm vm;
	size_t at, len;
	int i;

	create(&vm, 2, flags);
	for (i = 0; i < 2; i++)
		if (guest_worker_start(&worker[i], &vm.vcpu[i], "churn", 2))
			die("start a virtual CPU");
	while (time(NULL) < end || punched < MANY) {
		at = rand() % FRESH;
		len = 1 + rand() % 600;
		if (restricted_punch(vm.mem_fd, GUEST_FRESH + at * PAGE,
				     len * PAGE))
			break;
		restricted_allocate(vm.mem_fd, GUEST_FRESH + at * PAGE, PAGE);
		punched++;
		usleep(500);
	}
	check(punched >= MANY, "%s: %lu holes", what, punched);
	for (i = 0; i < 2; i++)
		check(guest_worker_progress(&worker[i], 2, 60),
		      "%s: virtual CPU %d gets on", what, i);
	for (i = 0; i < 2; i++)
		stops_well(&worker[i], what);
	told(&vm.vcpu[0], "fill", FRESH);
	check(told(&vm.vcpu[1], "sum", FRESH) == sum_to(FRESH),
	      "%s: memory is sound", what);
	guest_vm_destroy(&vm);
}

static void no_slot(struct guest_vm *vm, int expected, int fd, uint64_t gpa,
		    size_t size, uint64_t offset, void *user, const char *what)
{
	int err = restricted_slot(vm->fd, 7, gpa, size, fd, offset, user);

	check(err == expected, "%s: %s", what, strerror(-err));
}

static void what_a_slot_takes(void)
{
	const uint64_t gpa = 1UL << 30;
	int fd = restricted_open_sized(0, SIZE);
	int null = open("/dev/null", O_RDWR);
	int memfd = memfd_create("other", 0);
	struct guest_vm vm;

	create(&vm, 1, 0);
	if (ftruncate(memfd, SIZE))
		die("ftruncate");
	no_slot(&vm, -EINVAL, -1, gpa, SIZE, 0, NULL, "no file");
	no_slot(&vm, -EINVAL, null, gpa, SIZE, 0, NULL, "a device");
	no_slot(&vm, -EINVAL, memfd, gpa, SIZE, 0, NULL, "a memfd");
	no_slot(&vm, -EINVAL, fd, gpa, SIZE, 0, vm.mem, "user memory as well");
	no_slot(&vm, -EINVAL, fd, gpa, SIZE, PAGE, NULL, "past the end");
	no_slot(&vm, -EINVAL, fd, gpa, 2 * SIZE, 0, NULL, "more than there is");
	no_slot(&vm, -EINVAL, fd, gpa, SIZE, 1, NULL, "from byte 1");
	no_slot(&vm, -EINVAL, fd, gpa, SIZE, -PAGE, NULL, "an overflow");
	no_slot(&vm, 0, fd, gpa, LARGE, LARGE, NULL, "some of it");
	no_slot(&vm, -EINVAL, fd, gpa, LARGE, LARGE, NULL, "change the slot");
	check(!restricted_slot_remove(vm.fd, 7), "remove it");
	no_slot(&vm, 0, fd, gpa + PAGE, LARGE, 0, NULL, "unlike aligned");
	check(!restricted_slot_remove(vm.fd, 7), "remove it");
	guest_vm_destroy(&vm);
	close(memfd);
	close(null);
	close(fd);
}

/* A file is one VM's, and what was in it is nobody else's. */
static void who_may_have_it(void)
{
	const uint64_t gpa = 1UL << 30;
	struct guest_vm a, b;

	create(&a, 1, 0);
	create(&b, 1, 0);
	told(&a.vcpu[0], "fill", FRESH);
	no_slot(&a, -EBUSY, a.mem_fd, gpa, SIZE, 0, NULL, "twice in one VM");
	no_slot(&b, -EBUSY, a.mem_fd, gpa, SIZE, 0, NULL, "in two VMs");
	check(!restricted_slot_remove(a.fd, 0), "the first gives it up");
	no_slot(&b, -EBUSY, a.mem_fd, gpa, SIZE, 0, NULL, "with its contents");
	no_slot(&a, 0, a.mem_fd, 0, SIZE, 0, NULL, "the first takes it back");
	check(!restricted_slot_remove(a.fd, 7), "and gives it up");
	check(!restricted_punch(a.mem_fd, 0, SIZE), "its contents go");
	no_slot(&b, 0, a.mem_fd, gpa, SIZE, 0, NULL, "empty");
	no_slot(&a, -EBUSY, a.mem_fd, 0, SIZE, 0, NULL, "the other way round");
	guest_vm_destroy(&a);
	guest_vm_destroy(&b);
}

/* Nobody has written to pages that were there before the first owner. */
static void filled_before(void)
{
	int fd = restricted_open_sized(0, SIZE);
	struct guest_vm vm;

	create(&vm, 1, 0);
	check(fd >= 0 && !restricted_allocate(fd, 0, SIZE), "a file is filled");
	no_slot(&vm, 0, fd, 1UL << 30, SIZE, 0, NULL, "and bound after that");
	guest_vm_destroy(&vm);
	close(fd);
}

static void how_contents_come_in(void)
{
	const char text[] = "not there";
	struct guest_vm vm;
	char *gone;
	int err;

	create(&vm, 1, 0);
	gone = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	err = restricted_populate(vm.fd, GUEST_FRESH, gone, PAGE);
	check(err == -EFAULT, "from nowhere: %s", strerror(-err));
	munmap(gone, PAGE);
	err = restricted_populate(vm.fd, GUEST_FRESH, "\x05", 1);
	check(!err, "a byte: %s", strerror(-err));
	err = restricted_populate(vm.fd, GUEST_FRESH + PAGE - 2, text, 9);
	check(!err, "across pages: %s", strerror(-err));
	err = restricted_populate(vm.fd, GUEST_FRESH + PAGE, "\0\0\0\0\0\0\0", 8);
	check(!err, "zeroes: %s", strerror(-err));
	err = restricted_populate(vm.fd, SIZE - 1, text, 2);
	check(err == -EINVAL, "past the slot: %s", strerror(-err));
	err = restricted_populate(vm.fd, -PAGE, text, 2 * PAGE);
	check(err == -EINVAL, "an overflow: %s", strerror(-err));
	check(told(&vm.vcpu[0], "sum", 2) == 5, "the guest has it");
	err = restricted_populate(vm.fd, GUEST_FRESH, text, 1);
	check(err == -EPERM, "after it ran: %s", strerror(-err));
	guest_vm_destroy(&vm);

	must_create(&vm, 1);
	err = restricted_populate(vm.fd, 0, text, 1);
	check(err == -EINVAL, "ordinary memory: %s", strerror(-err));
	check(!ioctl(vm.fd, KVM_RESTRICTEDMEM_SEAL, 0), "sealed");
	err = restricted_populate(vm.fd, 0, text, 1);
	check(err == -EPERM, "when sealed: %s", strerror(-err));
	guest_vm_destroy(&vm);
}

/* User space asks KVM about guest memory and is told nothing of it. */
static void nothing_comes_out(void)
{
	struct kvm_translation translation = { .linear_address = GUEST_CODE };
	struct kvm_dirty_log log = { 0 };
	struct guest_vm vm;

	create(&vm, 1, 0);
	told(&vm.vcpu[0], "fill", 10);
	check(!ioctl(vm.vcpu[0].fd, KVM_TRANSLATE, &translation) &&
	      translation.physical_address == GUEST_CODE,
	      "KVM walks the guest's page tables");
	check(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log) && errno == ENOENT,
	      "no dirty log");
	guest_vm_destroy(&vm);
}

/* A secret that is nowhere but in the memory of @vm; its complement is left. */
static void plant(struct guest_vm *vm, uint8_t *complement)
{
	volatile uint8_t *wipe;
	uint8_t secret[32];
	size_t i;

	if (getrandom(complement, 32, 0) != 32)
		die("getrandom");
	for (i = 0; i < 32; i++)
		secret[i] = ~complement[i];
	check(!restricted_populate(vm->fd, GUEST_FRESH, secret, 32), "a secret");
	for (wipe = secret, i = 0; i < 32; i++)
		wipe[i] = 0;
}

static bool no_direct_map(void)
{
	char text[4096];

	return read_text("/proc/cmdline", text, sizeof(text)) &&
	       strstr(text, "restrictedmem=nodirectmap");
}

/*
 * Nobody's restricted address space has it, its own VM's neither; the kernel has
 * it once, in the direct map, or nowhere.
 */
static void out_of_reach(void)
{
	uint64_t full = 0, restricted = UINT64_MAX;
	struct guest_vm vm, other;
	uint8_t complement[32];
	char hex[65];
	int i;

	create(&vm, 1, RMFD_HUGEPAGE);
	must_create(&other, 1);
	plant(&vm, complement);
	for (i = 0; i < 32; i++)
		sprintf(hex + 2 * i, "%02x", complement[i]);
	asi_write("canary", "0");
	check(!asi_write("canary", hex), "the secret is known");
	mapped_while(&vm.vcpu[0], "mix", "user");
	mapped_while(&other.vcpu[0], "mix", "user");
	asi_value("canary", "reachable_restricted", &restricted);
	asi_value("canary", "reachable_full", &full);
	check(full == !no_direct_map() && !restricted,
	      "in the full tables %lu times, in restricted ones %lu times", full,
	      restricted);
	asi_write("canary", "0");
	guest_vm_destroy(&vm);
	guest_vm_destroy(&other);
}

static long hidden_pages(void)
{
	char text[1024];
	const char *at;

	if (!read_text("/sys/kernel/debug/restrictedmem", text, sizeof(text)))
		return -1;
	at = strstr(text, "not_in_direct_map ");
	return at ? atol(at + strlen("not_in_direct_map ")) : -1;
}

/* KiB of the direct map that small pages map. */
static long small_direct_map(void)
{
	char text[8192];
	const char *at;

	if (!read_text("/proc/meminfo", text, sizeof(text)))
		return -1;
	at = strstr(text, "DirectMap4k:");
	return at ? atol(at + strlen("DirectMap4k:")) : -1;
}

/* restrictedmem=nodirectmap: what a guest has had is out, and comes back. */
static void direct_map(unsigned int flags, const char *what)
{
	const bool none = no_direct_map();
	long pages, tries, small = small_direct_map();
	struct guest_vm vm;

	create(&vm, 1, flags);
	told(&vm.vcpu[0], "fill", FRESH);
	small = small_direct_map() - small;
	if (flags & RMFD_HUGEPAGE)
		check(!small, "%s: %ld KiB were split for it", what, small);
	else
		note("%s: %ld KiB were split for it", what, small);
	pages = hidden_pages();
	check(pages == (none ? (long)(SIZE / PAGE) : 0),
	      "%s: %ld pages are not in the direct map", what, pages);
	restricted_punch(vm.mem_fd, SIZE - LARGE + PAGE, PAGE);
	check(told(&vm.vcpu[0], "sum", FRESH) ==
	      sum_to(FRESH) - (FRESH - LARGE / PAGE + 2),
	      "%s: the rest is there after a hole", what);
	guest_vm_destroy(&vm);
	/* What somebody held is looked at again ten times a second. */
	for (tries = 0; tries < 100 && hidden_pages(); tries++)
		usleep(50000);
	check(!hidden_pages(), "%s: all of them are back", what);
}

int main(void)
{
	if (!restricted_supported())
		skip("no memfd_restricted");
	vm_test_begin();
	runs(0, "4K");
	runs(RMFD_HUGEPAGE, "2M");
	holes(0, "4K");
	holes(RMFD_HUGEPAGE, "2M");
	what_a_slot_takes();
	who_may_have_it();
	filled_before();
	how_contents_come_in();
	nothing_comes_out();
	if (asi_enabled() && asi_debugfs())
		out_of_reach();
	if (hidden_pages() >= 0) {
		direct_map(0, "4K");
		direct_map(RMFD_HUGEPAGE, "2M");
	}
	storm(0, "4K");
	storm(RMFD_HUGEPAGE, "2M");
	return vm_test_end();
}
