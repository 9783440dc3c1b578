// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel text is rewritten on the path of a running guest: function tracing,
 * kprobes, tracepoints and static keys, switched on and off again and again.
 */
#include <stdlib.h>
#include <string.h>

#include "tracefs.h"
#include "vm_test.h"

#define TARGET		"kvm_emulate_cpuid"
#define PROBE		TRACEFS "/events/kprobes/bulkhead/enable"
#define ROUNDS		2

static struct busy_vm busy;

static void function_tracer(void)
{
	must_write(TRACEFS "/trace", "");
	must_write(TRACEFS "/set_ftrace_filter",
		   TARGET " kvm_vcpu_ioctl kvm_arch_vcpu_load");
	must_write(TRACEFS "/current_tracer", "function");
	busy_vm_runs(&busy, "under the function tracer");
	check(traced(TARGET), "the tracer saw the guest leave");
	must_write(TRACEFS "/current_tracer", "nop");
	must_write(TRACEFS "/set_ftrace_filter", "");
	busy_vm_runs(&busy, "without it");
}

static void kprobe(void)
{
	const char *events = TRACEFS "/kprobe_events";

	if (!check(!append_text(events, "p:bulkhead " TARGET), "kprobe set"))
		return;
	must_write(TRACEFS "/trace", "");
	must_write(PROBE, "1");
	busy_vm_runs(&busy, "with a kprobe on its way");
	check(traced("bulkhead"), "the kprobe was hit");
	must_write(PROBE, "0");
	busy_vm_runs(&busy, "with the kprobe off");
	check(!append_text(events, "-:bulkhead"), "kprobe removed");
}

static void tracepoints(void)
{
	static const char * const switches[] = {
		TRACEFS "/events/kvm/kvm_entry/enable",
		TRACEFS "/events/kvm/kvm_exit/enable",
		TRACEFS "/events/kvm/kvm_cpuid/enable",
		TRACEFS "/events/kvm/kvm_msr/enable",
	};
	size_t i, nr = ARRAY_SIZE(switches);

	must_write(TRACEFS "/trace", "");
	for (i = 0; i < nr; i++)
		must_write(switches[i], "1");
	busy_vm_runs(&busy, "with tracepoints of KVM on");
	check(traced("kvm_exit"), "VM exits were traced");
	for (i = 0; i < nr; i++)
		must_write(switches[i], "0");
}

static void static_keys(void)
{
	must_write("/proc/sys/kernel/sched_schedstats", "1");
	busy_vm_runs(&busy, "with scheduler statistics");
	must_write("/proc/sys/kernel/sched_schedstats", "0");
	busy_vm_runs(&busy, "without scheduler statistics");
}

static void one_round(void)
{
	if (can_write(TRACEFS "/current_tracer") &&
	    can_write(TRACEFS "/set_ftrace_filter"))
		function_tracer();
	if (can_write(TRACEFS "/kprobe_events"))
		kprobe();
	if (can_write(TRACEFS "/events/kvm/enable"))
		tracepoints();
	if (can_write("/proc/sys/kernel/sched_schedstats"))
		static_keys();
}

static void no_such_symbol(void)
{
	int err = append_text(TRACEFS "/kprobe_events", "p:bulkhead no_such_fn");

	check(err < 0, "no probe on what is not there: %s", strerror(-err));
}

int main(int argc, char **argv)
{
	int i, rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;

	if (!tracefs_mounted())
		skip("no tracefs");
	vm_test_begin();
	busy_vm_start(&busy, 2, "mix");
	for (i = 0; i < rounds; i++)
		one_round();
	if (can_write(TRACEFS "/kprobe_events"))
		no_such_symbol();
	busy_vm_stop(&busy);
	return vm_test_end();
}
