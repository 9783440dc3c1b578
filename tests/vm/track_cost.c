// SPDX-License-Identifier: GPL-2.0
/*
 * track_cost [COUNT]
 *
 * What a write to a tracked page costs beside an exit to user space: answered in
 * the kernel by a node that says yes, told to a watcher that is not waited for,
 * answered by one in another thread and by the VMM in that of the vCPU; and a write to
 * the page beside it, before and while that is tracked. Ticks of the guest's clock, as
 * lines of JSON.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest_layout.h"
#include "track_guest.h"
#include "track_module.h"
#include "vm_test.h"

#define ROUNDS	5

extern const uint8_t track_stores[];

static struct guest_vm vm;
static struct track track;
static volatile bool stop;

static double stores(uint64_t gpa, uint64_t n)
{
	const struct track_regs regs = { .rdi = n, .rbx = gpa };

	track_load(&vm.vcpu[0], track_stores, &regs);
	check(!guest_vcpu_run(&vm.vcpu[0]), "%lu stores to %#lx", n, gpa);
	return (double)guest_vcpu_told(&vm.vcpu[0]) / n;
}

/* Of several rounds the least: work left by earlier programs runs beside one. */
static double cost(uint64_t gpa, uint64_t n)
{
	double least = stores(gpa, n / ROUNDS), ticks;
	int i;

	for (i = 1; i < ROUNDS; i++) {
		ticks = stores(gpa, n / ROUNDS);
		if (ticks < least)
			least = ticks;
	}
	return least;
}

static void *answer(void *arg)
{
	struct kvm_track_event event;
	bool asked = false;

	(void)arg;
	while (!track_answer_await(&track, asked ? &event.id : NULL)) {
		asked = track_next(&track, &event) &&
			event.flags & KVM_TRACK_WAITS;
		if (stop)
			break;
	}
	track_answer(&track, event.id, KVM_TRACK_CONTINUE, NULL, 0);
	return NULL;
}

static double answered(uint64_t n)
{
	pthread_t thread;
	double ticks;

	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	if (pthread_create(&thread, NULL, answer, NULL))
		die("pthread_create");
	stores(TRACK_DATA, 16);
	ticks = cost(TRACK_DATA, n);
	stop = true;
	stores(TRACK_DATA, 1);
	pthread_join(thread, NULL);
	return ticks;
}

/* Answered in the vCPU's own thread: what is proposed there is done. */
static double answered_here(uint64_t n)
{
	struct track own;
	double ticks;

	must_track(&own, &vm, TRACK_CREATE(.flags = KVM_TRACK_EXIT));
	must_set(&own, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	stores(TRACK_DATA, 16);
	ticks = cost(TRACK_DATA, n);
	track_close(&own);
	return ticks;
}

static void print_cost(const char *name, double ticks, const char *baseline,
		       double baseline_ticks)
{
	char line[160];

	snprintf(line, sizeof(line),
		 "{\"track\": \"%s\", \"tsc\": %.1f, \"baseline\": \"%s\", \"baseline_tsc\": %.1f}",
		 name, ticks, baseline, baseline_ticks);
	report_data(line);
}

/* Yes, by a node inside the kernel; 0 if there is none to be had. */
static double answered_in_kernel(uint64_t n)
{
	unsigned int before;
	double ticks;
	int node;

	if (!track_module_load())
		return 0;
	node = node_open();
	must_do(node, "register %d 0", vm.fd);
	must_do(node, "add prewrite %lx", TRACK_DATA / TRACK_PAGE);
	stores(TRACK_DATA, 16);
	before = node_count(node, "prewrite");
	ticks = cost(TRACK_DATA, n);
	check(node_count(node, "prewrite") - before == n / ROUNDS * ROUNDS,
	      "each was asked for");
	close(node);
	check(track_module_unload(), "module unloaded");
	return ticks;
}

/* Told of what has happened, with nobody to wait for. */
static double told(uint64_t n, double *beside)
{
	uint64_t exits, before;

	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITTEN, 0);
	stores(TRACK_DATA + TRACK_PAGE, 16);
	guest_vcpu_exits(&vm.vcpu[0], &before);
	*beside = cost(TRACK_DATA + TRACK_PAGE, n);
	guest_vcpu_exits(&vm.vcpu[0], &exits);
	check(exits - before < n / 4, "a page beside it: %lu exits",
	      exits - before);
	stores(TRACK_DATA, 16);
	return cost(TRACK_DATA, n);
}

int main(int argc, char **argv)
{
	double mmio, beside, plain, in_kernel, logged;
	uint64_t n = argc > 1 ? atoi(argv[1]) : 500;

	if (!guest_kvm_present())
		skip("no KVM");
	track_vm_create(&vm, 1);
	stores(TRACK_DATA, 16);
	plain = cost(TRACK_DATA, n);
	stores(GUEST_MMIO, 16);
	mmio = cost(GUEST_MMIO, n);
	in_kernel = answered_in_kernel(n);
	if (in_kernel)
		print_cost("write_kernel", in_kernel, "mmio_exit", mmio);
	must_track(&track, &vm, TRACK_CREATE(.batch = 64));
	logged = told(n, &beside);
	print_cost("write_told", logged, "mmio_exit", mmio);
	print_cost("write_watcher", answered(n), "mmio_exit", mmio);
	track_close(&track);
	print_cost("write_user", answered_here(n), "mmio_exit", mmio);
	print_cost("write_beside", beside, "plain", plain);
	guest_vm_destroy(&vm);
	return report_result();
}
