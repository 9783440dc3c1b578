// SPDX-License-Identifier: GPL-2.0
/*
 * Tracing must not put the full CR3 into HOST_CR3. A tracer writes to memory
 * that is not mapped: a fault, which leaves, and asi_reenter() makes good for
 * it. Between asi_enter() and the read of CR3 for the VMCS nothing would: the
 * guest would exit to the full tables while the CPU is believed restricted.
 *
 * So the function that reads it can be neither traced nor probed; and with
 * everything else traced, each exit must find itself restricted, which shows in
 * that it has to enter again. Believed restricted it would not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tracefs.h"
#include "vm_test.h"

#define READER		"__get_current_cr3_fast"
#define TRACEABLE	"kvm_emulate_cpuid"
#define BLACKLIST	"/sys/kernel/debug/kprobes/blacklist"
#define FUNCTIONS	TRACEFS "/available_filter_functions"
#define PROBES		TRACEFS "/kprobe_events"
#define FILTER		TRACEFS "/set_ftrace_filter"
#define EXITS		300

struct counters {
	uint64_t vm_exits;
	uint64_t entered;	/* from the VM entry path, not by asi_reenter() */
	uint64_t all_entered;
	uint64_t audits;
	uint64_t leaks;
};

/* True if a line of @path has @word between blanks. */
static bool has_word(const char *path, const char *word)
{
	char line[512], *save, *part;
	bool found = false;
	FILE *f = fopen(path, "re");

	while (f && !found && fgets(line, sizeof(line), f))
		for (part = strtok_r(line, " \t\n", &save); part && !found;
		     part = strtok_r(NULL, " \t\n", &save))
			found = !strcmp(part, word);
	if (f)
		fclose(f);
	return found;
}

static void no_probe(const char *where)
{
	char text[128];
	int err;

	snprintf(text, sizeof(text), "p:bulkhead_reader %s", where);
	err = append_text(PROBES, text);
	if (!check(err == -EINVAL, "no kprobe on %s: %s", where, strerror(-err)))
		append_text(PROBES, "-:bulkhead_reader");
}

static void reader_is_left_alone(void)
{
	int err;

	check(has_word("/proc/kallsyms", READER), "this kernel has " READER);
	no_probe(READER);
	no_probe(READER "+4");
	check(has_word(BLACKLIST, READER), READER " is blacklisted for kprobes");
	check(!has_word(FUNCTIONS, READER), READER " cannot be traced");
	err = write_text(FILTER, READER "\n");
	check(err == -EINVAL, "no trace filter for it: %s", strerror(-err));
}

/* The same questions about a function that allows it, or they prove nothing. */
static void others_are_not(void)
{
	check(!append_text(PROBES, "p:bulkhead_other " TRACEABLE),
	      "a kprobe on " TRACEABLE);
	check(!append_text(PROBES, "-:bulkhead_other"), "and off");
	check(!has_word(BLACKLIST, TRACEABLE), TRACEABLE " is not blacklisted");
	check(has_word(FUNCTIONS, TRACEABLE), TRACEABLE " can be traced");
}

static void read_counters(const struct guest_vcpu *vcpu, struct counters *c)
{
	check(!guest_vcpu_exits(vcpu, &c->vm_exits) &&
	      !guest_vcpu_stat(vcpu, "asi_enters", &c->entered) &&
	      asi_value("stats", "enters", &c->all_entered) &&
	      asi_value("audit", "audits", &c->audits) &&
	      asi_value("audit", "leaks", &c->leaks), "counters can be read");
}

/* Exits of one kind that the kernel handles, and what they added to @c. */
static void do_exits(struct guest_vcpu *vcpu, struct counters *c)
{
	struct counters before, after;

	read_counters(vcpu, &before);
	run_payload(vcpu, "cpuid", EXITS);
	read_counters(vcpu, &after);
	c->vm_exits = after.vm_exits - before.vm_exits;
	c->entered = after.entered - before.entered;
	c->all_entered = after.all_entered - before.all_entered;
	c->audits = after.audits - before.audits;
	c->leaks = after.leaks - before.leaks;
}

/* An audit leaves, so that it must not be armed where entering is counted. */
static void run_traced(struct guest_vcpu *vcpu, const char *filter)
{
	const char *what = *filter ? filter : "everything";
	struct counters c;

	must_write(FILTER, filter);
	must_write(TRACEFS "/trace", "");
	must_write(TRACEFS "/current_tracer", "function");
	must_write(ASI_DEBUGFS "/audit_interval", "0");
	do_exits(vcpu, &c);
	must_write(TRACEFS "/tracing_on", "0");
	check(traced(TRACEABLE), "tracing %s: the guest was seen to leave", what);
	must_write(TRACEFS "/tracing_on", "1");
	check(c.vm_exits >= EXITS && c.entered >= c.vm_exits * 9 / 10,
	      "tracing %s: %lu exits, entered again after %lu (in all %lu)", what,
	      c.vm_exits, c.entered, c.all_entered);
	must_write(ASI_DEBUGFS "/audit_interval", "1");
	do_exits(vcpu, &c);
	check(c.audits >= EXITS && !c.leaks, "tracing %s: %lu audits, %lu leaks",
	      what, c.audits, c.leaks);
	must_write(TRACEFS "/current_tracer", "nop");
	must_write(FILTER, "");
	counts_right(vcpu, 100);
}

/* What an exit costs when nothing is traced: on VMX this one costs nothing. */
static void run_untraced(struct guest_vcpu *vcpu)
{
	struct counters c;

	must_write(ASI_DEBUGFS "/audit_interval", "0");
	do_exits(vcpu, &c);
	note("untraced: %lu exits, entered again after %lu", c.vm_exits,
	     c.entered);
}

int main(void)
{
	struct guest_vm vm;

	if (!tracefs_mounted() || !can_write(PROBES) || !can_write(FILTER))
		skip("no function tracer or no kprobes");
	if (!asi_enabled() || !asi_debugfs())
		skip("no address space isolation");
	vm_test_begin();
	must_create(&vm, 1);
	reader_is_left_alone();
	others_are_not();
	run_untraced(&vm.vcpu[0]);
	run_traced(&vm.vcpu[0], "kvm_* vmx_* svm_* handle_*");
	run_traced(&vm.vcpu[0], "");
	guest_vm_destroy(&vm);
	return vm_test_end();
}
