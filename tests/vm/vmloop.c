// SPDX-License-Identifier: GPL-2.0
/*
 * vmloop REASON COUNT [--vcpus N] [--vms N] [--kib N]
 *
 * Makes guests leave the virtual CPU COUNT times for one REASON and prints what
 * a round trip costs and how often it left the restricted address space, as one
 * line of JSON. Guests time themselves, so tsc_per_exit is the whole round trip
 * without KVM_RUN; host_tsc_per_exit includes entering and leaving KVM_RUN.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asi_stats.h"
#include "guest_payload.h"
#include "kvm_guest.h"
#include "report.h"

#define MAX_VMS		8
#define WARM_UP		32
#define WARM_UP_ROUNDS	4

struct loop {
	struct guest_vcpu *vcpu;
	pthread_t thread;
	uint64_t guest_tsc;
	int error;
};

struct totals {
	uint64_t guest_tsc;
	uint64_t host_tsc;
	uint64_t vm_exits;
	uint64_t asi_exits;
	uint64_t user_exits;
	uint64_t table_bytes;
	bool have_vm_exits;
	bool have_asi;
};

static const char *reason;
static const struct guest_payload *payload;
static bool resident;
static uint64_t count;
static unsigned int nr_vcpus = 1, nr_vms = 1;
static size_t mem_size = GUEST_MEM_SIZE;
static unsigned int settle_ms;

static struct guest_vm vms[MAX_VMS];
static struct loop loops[MAX_VMS * GUEST_MAX_VCPUS];

/* Rounds the payload may do at once: each eptfault needs a page of its own. */
static uint64_t most_rounds(const struct guest_vm *vm)
{
	if (payload->entry == guest_eptfault)
		return guest_vm_fresh_pages(vm);
	return UINT64_MAX;
}

static int run_rounds(struct loop *loop, uint64_t rounds)
{
	const struct guest_result *result = guest_vcpu_result(loop->vcpu);
	uint64_t most = most_rounds(loop->vcpu->vm), batch;
	int err = 0;

	for (; rounds && !err; rounds -= batch) {
		batch = rounds < most ? rounds : most;
		if (most != UINT64_MAX)
			err = guest_vm_drop_memory(loop->vcpu->vm);
		/* Only the guest's mapping is missing then, not the memory. */
		if (!err && resident)
			guest_vm_touch_memory(loop->vcpu->vm);
		if (!err)
			err = guest_vcpu_do(loop->vcpu, payload, batch);
		if (!err)
			loop->guest_tsc += result->end - result->start;
	}
	return err;
}

static void *run_loop(void *arg)
{
	struct loop *loop = arg;

	loop->error = run_rounds(loop, count);
	return NULL;
}

static unsigned int nr_loops(void)
{
	return nr_vms * nr_vcpus;
}

static void make_vms(void)
{
	unsigned int i, j;
	int err;

	for (i = 0; i < nr_vms; i++) {
		err = guest_vm_create(&vms[i], nr_vcpus, mem_size);
		if (err) {
			errno = -err;
			die("create VM %u", i);
		}
		for (j = 0; j < nr_vcpus; j++)
			loops[i * nr_vcpus + j].vcpu = &vms[i].vcpu[j];
	}
}

/* The first exits of a VM fill caches and tables: not what is measured. */
static void warm_up(void)
{
	unsigned int i, j;

	for (i = 0; i < nr_loops(); i++) {
		for (j = 0; j < WARM_UP_ROUNDS; j++)
			loops[i].error |= run_rounds(&loops[i], WARM_UP);
		loops[i].guest_tsc = 0;
		loops[i].vcpu->host_tsc = 0;
		loops[i].vcpu->user_exits = 0;
	}
}

static void run_all(void)
{
	unsigned int i;

	/* One loop runs right here: a single vCPU needs no second thread. */
	for (i = 1; i < nr_loops(); i++)
		if (pthread_create(&loops[i].thread, NULL, run_loop, &loops[i]))
			die("pthread_create");
	run_loop(&loops[0]);
	for (i = 1; i < nr_loops(); i++)
		pthread_join(loops[i].thread, NULL);
}

static void add_counters(struct totals *sum)
{
	uint64_t exits;
	unsigned int i;

	memset(sum, 0, sizeof(*sum));
	sum->have_vm_exits = true;
	for (i = 0; i < nr_loops(); i++) {
		if (guest_vcpu_exits(loops[i].vcpu, &exits))
			sum->have_vm_exits = false;
		else
			sum->vm_exits += exits;
		sum->guest_tsc += loops[i].guest_tsc;
		sum->host_tsc += loops[i].vcpu->host_tsc;
		sum->user_exits += loops[i].vcpu->user_exits;
	}
	sum->have_asi = asi_exits(&sum->asi_exits) &&
			asi_value("stats", "table_bytes", &sum->table_bytes);
}

/* "name": value, or null where the kernel does not tell. */
static void put_count(FILE *f, const char *name, bool known, uint64_t value)
{
	if (known)
		fprintf(f, ", \"%s\": %lu", name, value);
	else
		fprintf(f, ", \"%s\": null", name);
}

static void print_result(const struct totals *before, const struct totals *sum)
{
	uint64_t ops = count * nr_loops();
	uint64_t vm_exits = sum->vm_exits - before->vm_exits;
	uint64_t asi = sum->asi_exits - before->asi_exits;
	double per = sum->have_vm_exits && vm_exits ? vm_exits : ops;
	char line[512];
	FILE *f = fmemopen(line, sizeof(line), "w");

	if (!f)
		die("fmemopen");
	fprintf(f, "{\"reason\": \"%s\", \"count\": %lu, ", reason, count);
	fprintf(f, "\"vms\": %u, \"vcpus\": %u, ", nr_vms, nr_vcpus);
	fprintf(f, "\"tsc_per_op\": %.1f, ", (double)sum->guest_tsc / ops);
	fprintf(f, "\"tsc_per_exit\": %.1f, ", sum->guest_tsc / per);
	fprintf(f, "\"host_tsc_per_exit\": %.1f", sum->host_tsc / per);
	put_count(f, "user_exits", true, sum->user_exits);
	put_count(f, "vm_exits", sum->have_vm_exits, vm_exits);
	put_count(f, "table_bytes", sum->have_asi, sum->table_bytes);
	put_count(f, "asi_exits", sum->have_asi, asi);
	if (sum->have_asi)
		fprintf(f, ", \"p_per_1000\": %.3f}", 1000.0 * asi / per);
	else
		fprintf(f, ", \"p_per_1000\": null}");
	fclose(f);
	report_data(line);
}

static int usage(void)
{
	fprintf(stderr, "usage: vmloop REASON COUNT [--vcpus N] [--vms N] "
		"[--kib N] [--settle MS]\nREASON: cpuid msr pio hlt hlt_pending eptfault refault "
		"hypercall mmio_user pio_user spin mix\n");
	return 2;
}

static bool parse_option(int opt, unsigned long value)
{
	switch (opt) {
	case 'c':
		nr_vcpus = value;
		return value && value <= GUEST_MAX_VCPUS;
	case 'v':
		nr_vms = value;
		return value && value <= MAX_VMS;
	case 'k':
		mem_size = value << 10;
		return true;
	case 's':
		settle_ms = value;
		return true;
	default:
		return false;
	}
}

static bool parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "vcpus", required_argument, NULL, 'c' },
		{ "vms", required_argument, NULL, 'v' },
		{ "kib", required_argument, NULL, 'k' },
		{ "settle", required_argument, NULL, 's' },
		{ 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!parse_option(opt, optarg ? strtoul(optarg, NULL, 0) : 0))
			return false;
	if (argc - optind != 2)
		return false;
	reason = argv[optind];
	payload = guest_payload(reason);
	resident = !strcmp(reason, "refault");
	count = strtoull(argv[optind + 1], NULL, 0);
	return payload && count;
}

int main(int argc, char **argv)
{
	struct totals before, after;
	unsigned int i;

	if (!parse(argc, argv))
		return usage();
	if (!guest_kvm_present())
		skip("no /dev/kvm");
	make_vms();
	warm_up();
	usleep(settle_ms * 1000);
	add_counters(&before);
	run_all();
	add_counters(&after);
	print_result(&before, &after);
	for (i = 0; i < nr_loops(); i++)
		check(!loops[i].error, "%s loop %u: %s", reason, i,
		      strerror(-loops[i].error));
	for (i = 0; i < nr_vms; i++)
		guest_vm_destroy(&vms[i]);
	return report_result();
}
