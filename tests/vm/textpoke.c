// SPDX-License-Identifier: GPL-2.0
/*
 * Kernel text is rewritten on the path of a running guest: function tracing,
 * kprobes, tracepoints and static keys, switched on and off again and again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "vm_test.h"

#define TRACEFS		"/sys/kernel/tracing"
#define TARGET		"kvm_emulate_cpuid"
#define PROBE		TRACEFS "/events/kprobes/bulkhead/enable"
#define ROUNDS		2

static struct busy_vm busy;

static bool have_tracefs(void)
{
	if (!access(TRACEFS "/trace", R_OK))
		return true;
	mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	return !access(TRACEFS "/trace", R_OK);
}

static bool have(const char *path)
{
	return !access(path, W_OK);
}

/* Appends, as kprobe_events wants it. Returns 0 or -errno. */
static int append_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static void must_write(const char *path, const char *text)
{
	int err = write_text(path, text);

	if (err)
		check(false, "'%s' to %s: %s", text, path, strerror(-err));
}

static bool traced(const char *what)
{
	char line[512];
	bool found = false;
	FILE *f = fopen(TRACEFS "/trace", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = line[0] != '#' && strstr(line, what);
	if (f)
		fclose(f);
	return found;
}

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
	if (have(TRACEFS "/current_tracer") &&
	    have(TRACEFS "/set_ftrace_filter"))
		function_tracer();
	if (have(TRACEFS "/kprobe_events"))
		kprobe();
	if (have(TRACEFS "/events/kvm/enable"))
		tracepoints();
	if (have("/proc/sys/kernel/sched_schedstats"))
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

	if (!have_tracefs())
		skip("no tracefs");
	vm_test_begin();
	busy_vm_start(&busy, 2, "mix");
	for (i = 0; i < rounds; i++)
		one_round();
	if (have(TRACEFS "/kprobe_events"))
		no_such_symbol();
	busy_vm_stop(&busy);
	return vm_test_end();
}
