// SPDX-License-Identifier: GPL-2.0
/*
 * nmi_storm COUNT: guests run and count right while somebody outside of the
 * machine sends NMIs (run-vm --nmi-every), until each CPU has taken COUNT of
 * them. Fails if they do not come.
 *
 * They strike guests and the handling of exits. The critical section they cannot:
 * SVM holds them back while GIF is clear. For that there are nmi_reenters in
 * asi_test.c and the model in tests/unit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vm_test.h"

#define MAX_CPUS	8
#define ROUNDS		20000	/* of counting between two looks at the clock */
#define PATIENCE	20	/* seconds without a single NMI */

struct nmis {
	unsigned int nr_cpus;
	unsigned long of_cpu[MAX_CPUS];
};

/* The line "NMI: N..." of /proc/interrupts, one number per CPU. */
static struct nmis read_nmis(void)
{
	FILE *f = fopen("/proc/interrupts", "re");
	struct nmis now = { 0 };
	char line[512], *next = NULL;

	while (f && !next && fgets(line, sizeof(line), f)) {
		next = strstr(line, "NMI:");
		if (next)
			next += strlen("NMI:");
	}
	while (next && now.nr_cpus < MAX_CPUS) {
		char *from = next;
		unsigned long n = strtoul(from, &next, 10);

		if (next == from)
			break;
		now.of_cpu[now.nr_cpus++] = n;
	}
	if (f)
		fclose(f);
	return now;
}

/* What the CPU that was struck least often has taken since @before. */
static unsigned long fewest(const struct nmis *before)
{
	struct nmis now = read_nmis();
	unsigned long fewest = now.nr_cpus ? -1UL : 0;
	unsigned int i;

	for (i = 0; i < now.nr_cpus; i++)
		if (now.of_cpu[i] - before->of_cpu[i] < fewest)
			fewest = now.of_cpu[i] - before->of_cpu[i];
	return fewest;
}

/* The guest's arithmetic is checked quietly: there will be many rounds. */
static bool counted(struct guest_vcpu *vcpu)
{
	uint64_t before = guest_vcpu_result(vcpu)->counter;

	return !guest_vcpu_do(vcpu, guest_payload("count"), ROUNDS) &&
	       guest_vcpu_result(vcpu)->counter - before == ROUNDS &&
	       !guest_vcpu_do(vcpu, guest_payload("mix"), 10);
}

static void run_until(struct guest_vcpu *vcpu, unsigned long wanted)
{
	struct nmis before = read_nmis();
	unsigned long rounds = 0, wrong = 0, seen = 0, now = 0;
	time_t last = time(NULL);

	for (; now < wanted && time(NULL) - last < PATIENCE; rounds++) {
		wrong += !counted(vcpu);
		now = fewest(&before);
		if (now > seen)
			last = time(NULL);
		seen = now;
	}
	check(now >= wanted, "each of %u CPUs took %lu NMIs or more of %lu",
	      before.nr_cpus, now, wanted);
	check(rounds && !wrong, "guest counted %lu times, %lu times wrong",
	      rounds, wrong);
}

/* VM exits because of an NMI: the guest itself was struck. */
static void check_struck_guests(void)
{
	uint64_t struck = 0;

	if (!asi_enabled() || !asi_debugfs())
		return;
	asi_value("kvm_exits", "nmi", &struck);
	check(struck > 0, "%lu NMIs struck a guest", struck);
	asi_write("kvm_exits", "0");
}

static void check_entered(uint64_t before)
{
	uint64_t now = 0;

	if (!asi_enabled() || !asi_debugfs())
		return;
	asi_value("stats", "enters", &now);
	check(now > before, "entered the restricted space %lu times meanwhile",
	      now - before);
}

int main(int argc, char **argv)
{
	static struct busy_vm busy;
	uint64_t enters = 0;
	struct guest_vm vm;

	if (argc != 2 || !atoi(argv[1])) {
		fprintf(stderr, "usage: nmi_storm COUNT\n");
		return 2;
	}
	vm_test_begin();
	asi_value("stats", "enters", &enters);
	asi_write("kvm_exits", "1");
	must_create(&vm, 1);
	busy_vm_start(&busy, 2, "mix");
	run_until(&vm.vcpu[0], atoi(argv[1]));
	busy_vm_runs(&busy, "after that");
	busy_vm_stop(&busy);
	guest_vm_destroy(&vm);
	check_struck_guests();
	check_entered(enters);
	return vm_test_end();
}
