// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation on the way to a running guest fails once: making the VM,
 * making its vCPU, and the first KVM_RUN, which maps what they need. Each must
 * be refused with ENOMEM and leave nothing behind, and work when asked again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vm_test.h"

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

int main(void)
{
	vm_test_begin();
	prepare();
	put(DEBUGFS "kmemleak", "clear");
	creation();
	first_run();
	leaks();
	return vm_test_end();
}
