// SPDX-License-Identifier: GPL-2.0
/*
 * probe_storm [ROUNDS]: breakpoints in the kernel on the way from VM exit to VM
 * entry, and in interrupts on that way, set and taken away while guests run. The
 * handler of each writes to the trace, which is not mapped: a fault inside of a
 * breakpoint, where the interrupted code may have to go back in.
 *
 * A probe on the first instruction of a function would be a function trace, so
 * they sit on the next one. Every other round they may turn into jumps.
 *
 * An entry meets both breakpoints of the critical section. Each leaves and has
 * to go back in, or the guest would run on the full tables: at least two entries,
 * and a third if handling the last exit has left.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tracefs.h"
#include "vm_test.h"

#define PROBES		TRACEFS "/kprobe_events"
#define ENABLE		TRACEFS "/events/kprobes/enable"
#define OPTIMIZE	"/proc/sys/debug/kprobes-optimization"
#define LIST		"/sys/kernel/debug/kprobes/list"
#define ROUNDS		6
#define PATIENCE	30	/* seconds until every probe of a round is hit */
#define FIRST_OFFSET	5	/* what function tracing patches ends there */
#define LAST_OFFSET	64

struct probe {
	const char *function;
	const char *where;
	unsigned int offset;
	uint64_t hits;		/* in the rounds that are over */
};

/* The first is hit at every VM entry. */
static struct probe probes[] = {
	{ "kvm_wait_lapic_expire", "critical section" },
	{ "kvm_load_guest_xsave_state", "critical section" },
	{ "kvm_emulate_cpuid", "handling of an exit" },
	{ "kvm_emulate_rdmsr", "handling of an exit" },
	{ "kvm_emulate_hypercall", "handling of an exit" },
	{ "asi_site_record", "page fault that leaves" },
	{ "hrtimer_interrupt", "interrupt" },
	{ "update_process_times", "interrupt" },
};

static struct busy_vm busy;
static struct guest_vm vm;
static unsigned long batches, wrong, optimized;
static uint64_t entries, entered;	/* of the last round */

static int set_probe(const struct probe *p, unsigned int offset)
{
	char text[128];

	snprintf(text, sizeof(text), "p:at_%s %s+%u", p->function, p->function,
		 offset);
	return append_text(PROBES, text);
}

static int remove_probe(const struct probe *p)
{
	char text[128];

	snprintf(text, sizeof(text), "-:at_%s", p->function);
	return append_text(PROBES, text);
}

/* The kernel knows where instructions begin, and refuses all other places. */
static bool find_offset(struct probe *p)
{
	unsigned int offset;

	for (offset = FIRST_OFFSET; offset <= LAST_OFFSET; offset++) {
		if (set_probe(p, offset))
			continue;
		p->offset = offset;
		return check(!remove_probe(p), "breakpoint at %s+%u: %s",
			     p->function, offset, p->where);
	}
	return check(false, "%s takes no breakpoint", p->function);
}

/* Hits of @p since it was set, 0 if it is not. */
static uint64_t hits(const struct probe *p)
{
	FILE *f = fopen(TRACEFS "/kprobe_profile", "re");
	char event[128];
	uint64_t count = 0;
	bool found = false;

	while (f && !found && fscanf(f, "%127s %lu%*[^\n]", event, &count) == 2)
		found = !strncmp(event, "at_", 3) &&
			!strcmp(event + 3, p->function);
	if (f)
		fclose(f);
	return found ? count : 0;
}

/* Exits of every kind that meets a probe, and arithmetic that must be right. */
static void run_guest(struct guest_vcpu *vcpu)
{
	uint64_t before = guest_vcpu_result(vcpu)->counter;

	batches++;
	wrong += guest_vcpu_do(vcpu, guest_payload("hypercall"), 10) ||
		 guest_vcpu_do(vcpu, guest_payload("mix"), 10) ||
		 guest_vcpu_do(vcpu, guest_payload("count"), 1000) ||
		 guest_vcpu_result(vcpu)->counter - before != 1000;
}

static bool all_hit(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!hits(&probes[i]))
			return false;
	return true;
}

/* Lines of the kernel's list of kprobes that say @what. */
static unsigned int listed(const char *what)
{
	unsigned int count = 0;
	char line[512];
	FILE *f = fopen(LIST, "re");

	while (f && fgets(line, sizeof(line), f))
		count += !!strstr(line, what);
	if (f)
		fclose(f);
	return count;
}

static uint64_t entered_so_far(void)
{
	uint64_t value = 0;

	asi_value("stats", "enters", &value);
	return value;
}

/* Runs with all probes on until each was hit. */
static void run_probed(void)
{
	uint64_t hits_before = hits(&probes[0]), before = entered_so_far();
	time_t end = time(NULL) + PATIENCE;

	do {
		run_guest(&vm.vcpu[0]);
	} while (!all_hit() && time(NULL) < end);
	optimized += listed("[OPTIMIZED]");
	entered = entered_so_far() - before;
	entries = hits(&probes[0]) - hits_before;
}

/* Returns how many operations went wrong. */
static unsigned int one_round(bool jumps)
{
	unsigned int failed = 0;
	size_t i;

	if (can_write(OPTIMIZE))
		must_write(OPTIMIZE, jumps ? "1" : "0");
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		failed += !!set_probe(&probes[i], probes[i].offset);
	failed += listed("[FTRACE]");
	must_write(ENABLE, "1");
	run_probed();
	must_write(ENABLE, "0");
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		probes[i].hits += hits(&probes[i]);
		failed += !!remove_probe(&probes[i]);
	}
	run_guest(&vm.vcpu[0]);
	return failed;
}

static void run_rounds(int rounds)
{
	unsigned int failed = 0;
	size_t i;
	int n;

	for (n = 0; n < rounds; n++)
		failed += one_round(n % 2);
	check(!failed, "%d rounds of setting and removing, %u failures", rounds,
	      failed);
	note("%lu breakpoints turned into jumps", optimized);
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		check(probes[i].hits >= (uint64_t)rounds, "%s was hit %lu times",
		      probes[i].function, probes[i].hits);
	check(batches && !wrong, "guest ran %lu times, %lu times wrong", batches,
	      wrong);
}

/* With nobody else about, the numbers are exact. */
static void count_entries(void)
{
	check(!one_round(false), "a round by itself");
	check(entries && entered >= 2 * entries,
	      "%lu VM entries entered the restricted space %lu times", entries,
	      entered);
}

int main(int argc, char **argv)
{
	bool placed = true;
	size_t i;

	if (!tracefs_mounted() || !can_write(PROBES))
		skip("no kprobes");
	if (!asi_enabled())
		skip("no address space isolation");
	vm_test_begin();
	must_create(&vm, 1);
	busy_vm_start(&busy, 2, "mix");
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		placed &= find_offset(&probes[i]);
	if (placed)
		run_rounds(argc > 1 ? atoi(argv[1]) : ROUNDS);
	busy_vm_runs(&busy, "after all the breakpoints");
	busy_vm_stop(&busy);
	if (placed)
		count_entries();
	guest_vm_destroy(&vm);
	return vm_test_end();
}
