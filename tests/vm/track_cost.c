// SPDX-License-Identifier: GPL-2.0
/*
 * track_cost [COUNT]
 *
 * What a write to a watched page costs, told without waiting and answered by a
 * watcher, beside an exit to user space; and one to the page beside it, before and
 * while that is watched. Ticks of the guest's clock, as lines of JSON.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest_layout.h"
#include "track_guest.h"
#include "vm_test.h"

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
	ticks = stores(TRACK_DATA, n);
	stop = true;
	stores(TRACK_DATA, 1);
	pthread_join(thread, NULL);
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

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? atoi(argv[1]) : 500, exits, before;
	double mmio, beside, plain;

	if (!guest_kvm_present())
		skip("no KVM");
	track_vm_create(&vm, 1);
	stores(TRACK_DATA, 16);
	plain = stores(TRACK_DATA, n);
	stores(GUEST_MMIO, 16);
	mmio = stores(GUEST_MMIO, n);
	must_track(&track, &vm, TRACK_CREATE(.batch = 64));
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITTEN, 0);
	stores(TRACK_DATA + TRACK_PAGE, 16);
	guest_vcpu_exits(&vm.vcpu[0], &before);
	beside = stores(TRACK_DATA + TRACK_PAGE, n);
	guest_vcpu_exits(&vm.vcpu[0], &exits);
	check(exits - before < n / 4, "a page beside it: %lu exits",
	      exits - before);
	stores(TRACK_DATA, 16);
	print_cost("write_kernel", stores(TRACK_DATA, n), "mmio_exit", mmio);
	print_cost("write_user", answered(n), "mmio_exit", mmio);
	print_cost("write_beside", beside, "plain", plain);
	track_close(&track);
	guest_vm_destroy(&vm);
	return report_result();
}
