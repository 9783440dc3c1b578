// SPDX-License-Identifier: GPL-2.0
/*
 * fail_nth [vm|track]
 *
 * Every allocation on the way to a running guest fails once: making the VM,
 * making its vCPU, and the first KVM_RUN, which maps what they need; and on the way
 * to a watcher of its pages. Each must be refused with ENOMEM and leave nothing
 * behind, and work when asked again.
 *
 * What watches pages allocates a node of an xarray, and tries once more with other
 * flags if that fails: there all allocations fail from some point on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "track_guest.h"
#include "vm_test.h"

#define WATCHED		600	/* pages: some nodes in two xarrays */
#define MOST_BYTES	65536
#define STEP		256	/* less than a node */

#define DEBUGFS		"/sys/kernel/debug/"
#define MOST_ALLOCATIONS	1000

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/* Open all along: to open it takes memory, which is what fails. */
static int fail_nth = -1;

/* Let the @nth allocation from now on fail; 0 lets all of them succeed. */
static void arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth, text, len, 0) != len)
		die("fail-nth");
}

/* True if the armed failure has happened; disarms it otherwise. */
static bool fired(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 1)
		die("fail-nth");
	if (atoi(text) == 0)
		return true;
	arm(0);
	return false;
}

static void prepare(void)
{
	fail_nth = open("/proc/self/fail-nth", O_RDWR);
	if (fail_nth < 0)
		skip("this kernel injects no faults");
	if (!put(DEBUGFS "failslab/ignore-gfp-wait", "N") ||
	    !put(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N") ||
	    !put(DEBUGFS "fail_page_alloc/min-order", "0"))
		skip("this kernel injects no allocation failures");
	put(DEBUGFS "failslab/verbose", "0");
	put(DEBUGFS "fail_page_alloc/verbose", "0");
}

static int create_once(struct guest_vm *vm)
{
	return guest_vm_create(vm, 1, GUEST_MEM_SIZE);
}

static int run_once(struct guest_vm *vm)
{
	return guest_vcpu_do(&vm->vcpu[0], guest_payload("count"), 3);
}

/* Fail one allocation after the other until the VM comes up in spite of it. */
static void creation(void)
{
	unsigned int nth, refused = 0, odd = 0;
	struct guest_vm vm;
	int err;

	for (nth = 1; nth < MOST_ALLOCATIONS; nth++) {
		arm(nth);
		err = create_once(&vm);
		if (!fired())
			break;
		refused += err == -ENOMEM;
		odd += err && err != -ENOMEM;
		if (!err)
			guest_vm_destroy(&vm);
	}
	check(refused > 20 && !odd,
	      "creation: %u allocations failed, %u refused with ENOMEM, %u else",
	      nth - 1, refused, odd);
	check(!err && counts_right(&vm.vcpu[0], 50), "and works after that");
	if (!err)
		guest_vm_destroy(&vm);
}

static void first_run(void)
{
	unsigned int nth, refused = 0, odd = 0;
	struct guest_vm vm;
	int err = 0;

	for (nth = 1; nth < MOST_ALLOCATIONS; nth++) {
		must_create(&vm, 1);
		arm(nth);
		err = run_once(&vm);
		if (!fired())
			break;
		refused += err == -ENOMEM;
		odd += err && err != -ENOMEM && err != -EFAULT;
		err = err ? run_once(&vm) : 0;
		odd += err != 0;
		guest_vm_destroy(&vm);
	}
	check(refused > 5 && !odd,
	      "first run: %u allocations failed, %u refused with ENOMEM, %u else",
	      nth - 1, refused, odd);
	guest_vm_destroy(&vm);
}

static void watcher_creation(void)
{
	unsigned int nth, refused = 0, odd = 0;
	struct track track;
	struct guest_vm vm;
	int err = 0;

	track_vm_create(&vm, 1);
	for (nth = 1; nth < MOST_ALLOCATIONS; nth++) {
		arm(nth);
		err = track_open(&track, vm.fd, TRACK_CREATE());
		if (!fired())
			break;
		refused += err == -ENOMEM;
		odd += err && err != -ENOMEM;
		if (!err)
			track_close(&track);
	}
	check(refused > 3 && !odd,
	      "a watcher: %u allocations failed, %u refused with ENOMEM, %u else",
	      nth - 1, refused, odd);
	check(!err, "and is made after that");
	track_close(&track);
	guest_vm_destroy(&vm);
}

static int starved = -1, space = -1;

/* From now on this thread gets so many bytes of slab memory and then no more. */
static void starve(unsigned int bytes)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", bytes);

	if (write(space, text, len) != len || write(starved, "1", 1) != 1)
		die("failslab");
}

static void feed(void)
{
	if (write(starved, "0", 1) != 1)
		die("make-it-fail");
}

static bool prepare_famine(void)
{
	starved = open("/proc/self/make-it-fail", O_RDWR);
	space = open(DEBUGFS "failslab/space", O_WRONLY);
	return starved >= 0 && space >= 0 &&
	       put(DEBUGFS "failslab/task-filter", "Y") &&
	       put(DEBUGFS "failslab/times", "-1") &&
	       put(DEBUGFS "failslab/probability", "100");
}

/* No page of those is tracked: a guest that writes to one leaves it once at most. */
static bool is_free(struct guest_vm *vm, uint64_t gpa)
{
	extern const uint8_t track_stores[];
	const struct track_regs regs = { .rdi = 100, .rbx = gpa };
	uint64_t before = 0, after = UINT64_MAX;

	guest_vcpu_exits(&vm->vcpu[0], &before);
	track_load(&vm->vcpu[0], track_stores, &regs);
	if (track_run(&vm->vcpu[0]))
		return false;
	guest_vcpu_exits(&vm->vcpu[0], &after);
	return after - before < 50;
}

/* The ioctl copies one range, for which there is memory, and must need no more. */
static int release_all(const struct track *track)
{
	int err;

	starve(2 * sizeof(struct kvm_track_range));
	err = track_set(track, TRACK_DATA, WATCHED, 0, 0);
	feed();
	return err;
}

static void watching(void)
{
	unsigned int bytes, refused = 0, odd = 0;
	struct track track;
	struct guest_vm vm;
	int err = -1;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE());
	for (bytes = 0; err && bytes < MOST_BYTES; bytes += STEP) {
		starve(bytes);
		err = track_set(&track, TRACK_DATA, WATCHED,
				KVM_TRACK_READ | KVM_TRACK_WRITE, KVM_TRACK_LOG);
		feed();
		refused += err == -ENOMEM;
		odd += err && err != -ENOMEM;
		if (!err)
			break;
		odd += release_all(&track) != 0;
		odd += !is_free(&vm, TRACK_DATA) +
		       !is_free(&vm, TRACK_DATA + (refused % WATCHED) * 4096);
	}
	check(refused > 20 && !odd && !err,
	      "%u pages: refused %u times, odd %u times, then %d", WATCHED,
	      refused, odd, err);
	check(!is_free(&vm, TRACK_DATA) && !is_free(&vm, TRACK_DATA +
	      (WATCHED - 1) * 4096), "watched when asked again");
	err = release_all(&track);
	check(!err && is_free(&vm, TRACK_DATA), "released without memory: %d", err);
	track_close(&track);
	guest_vm_destroy(&vm);
}

/* What kmemleak cannot find a pointer to; two scans, since the first may err. */
static void leaks(void)
{
	static char text[4096];
	int fd;

	if (!put(DEBUGFS "kmemleak", "scan"))
		return;
	sleep(6);
	put(DEBUGFS "kmemleak", "scan");
	fd = open(DEBUGFS "kmemleak", O_RDONLY);
	check(fd >= 0 && read(fd, text, sizeof(text) - 1) == 0,
	      "kmemleak has nothing to say: %s", text);
	close(fd);
}

static void all_of_tracking(void)
{
	watcher_creation();
	check(prepare_famine(), "memory can be withheld");
	watching();
	put(DEBUGFS "failslab/probability", "0");
}

int main(int argc, char **argv)
{
	const char *part = argc > 1 ? argv[1] : "";

	vm_test_begin();
	prepare();
	put(DEBUGFS "kmemleak", "clear");
	if (strcmp(part, "track")) {
		creation();
		first_run();
	}
	if (strcmp(part, "vm"))
		all_of_tracking();
	leaks();
	return vm_test_end();
}
