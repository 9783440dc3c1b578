// SPDX-License-Identifier: GPL-2.0
/*
 * Debug exceptions around a running guest: the guest single-stepped and stopped
 * at breakpoints by its VMM, the VMM stopped at hardware breakpoints by a
 * debugger and by perf, and sampled by perf at high frequency.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_test.h"

#define STEPS		50
#define HITS		20
#define SAMPLE_NS	200000
#define DR7_WRITE_1	0x10001UL	/* local breakpoint 0: 1 byte written */

/* What the hardware breakpoints watch. */
static volatile char watched;

static int set_guest_debug(struct guest_vcpu *vcpu, uint32_t control,
			   uint64_t address)
{
	struct kvm_guest_debug debug = { .control = control };

	debug.arch.debugreg[0] = address;
	debug.arch.debugreg[7] = 0x402;
	return ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug);
}

/* KVM_RUN until the guest is done; returns how often it stopped for debug. */
static unsigned int debug_stops(struct guest_vcpu *vcpu, unsigned int most)
{
	unsigned int stops = 0;

	while (stops < most && guest_vcpu_run(vcpu) == -EPROTO &&
	       vcpu->run->exit_reason == KVM_EXIT_DEBUG)
		stops++;
	return stops;
}

static void step_guest(struct guest_vcpu *vcpu)
{
	const struct guest_payload *count = guest_payload("count");
	unsigned int stops;

	guest_vcpu_load(vcpu, count, 1000);
	stops = debug_stops(vcpu, STEPS);
	check(stops == 0, "without debugging the guest never stops");
	guest_vcpu_load(vcpu, count, 1000);
	if (!check(!set_guest_debug(vcpu, KVM_GUESTDBG_ENABLE |
				    KVM_GUESTDBG_SINGLESTEP, 0),
		   "guest single-step on"))
		return;
	stops = debug_stops(vcpu, STEPS);
	check(stops == STEPS, "%u single steps", stops);
	check(!set_guest_debug(vcpu, 0, 0), "guest single-step off");
	counts_right(vcpu, 100);
}

static int perf_open(struct perf_event_attr *attr)
{
	attr->size = sizeof(*attr);
	return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
}

static uint64_t perf_count(int fd)
{
	uint64_t count = 0;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		note("perf counter cannot be read");
	return count;
}

/* The breakpoint stays loaded in the debug registers while the guest runs. */
static void perf_breakpoint(struct guest_vcpu *vcpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched,
		.bp_len = HW_BREAKPOINT_LEN_1,
		.sample_period = 1,
	};
	int fd = perf_open(&attr);
	unsigned int i, failed = 0;

	if (fd < 0) {
		note("no perf breakpoints: %s", strerror(errno));
		return;
	}
	for (i = 0; i < HITS; i++) {
		watched = i;
		failed += !!guest_vcpu_do(vcpu, guest_payload("mix"), 2);
	}
	check(!failed && perf_count(fd) == HITS, "perf saw %lu of %u writes",
	      perf_count(fd), HITS);
	close(fd);
}

static void perf_sampling(struct guest_vcpu *vcpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = SAMPLE_NS,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_CALLCHAIN,
	};
	int fd = perf_open(&attr);
	uint64_t before;

	if (fd < 0) {
		note("no perf sampling: %s", strerror(errno));
		return;
	}
	before = perf_count(fd);
	run_payload(vcpu, "mix", 300);
	run_payload(vcpu, "spin", 300000);
	check(perf_count(fd) > before, "the sampling clock ran: %lu ns",
	      perf_count(fd) - before);
	close(fd);
}

/* Traced child: writes to the watched byte between runs of its guest. */
static void live_traced(void)
{
	struct guest_vm vm;
	int i;

	must_create(&vm, 1);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	for (i = 0; i < HITS; i++) {
		watched = i;
		if (guest_vcpu_do(&vm.vcpu[0], guest_payload("mix"), 2))
			_exit(1);
	}
	guest_vm_destroy(&vm);
	_exit(0);
}

static long poke_debug(pid_t pid, int number, unsigned long value)
{
	size_t offset = offsetof(struct user, u_debugreg) +
			number * sizeof(unsigned long);

	return ptrace(PTRACE_POKEUSER, pid, offset, value);
}

/* Lets @pid go on until it ends; returns how often it met a breakpoint. */
static unsigned int count_traps(pid_t pid, int *status)
{
	unsigned int traps = 0;

	while (!ptrace(PTRACE_CONT, pid, 0, 0) &&
	       waitpid(pid, status, 0) == pid && WIFSTOPPED(*status))
		traps += WSTOPSIG(*status) == SIGTRAP;
	return traps;
}

static void debugger(void)
{
	unsigned int traps;
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		live_traced();
	waitpid(pid, &status, 0);
	check(poke_debug(pid, 0, 0xffffffff81000000UL) < 0,
	      "no breakpoint on kernel addresses");
	check(!poke_debug(pid, 0, (uintptr_t)&watched) &&
	      !poke_debug(pid, 7, DR7_WRITE_1), "hardware breakpoint set");
	traps = count_traps(pid, &status);
	check(traps == HITS, "debugger saw %u of %u writes", traps, HITS);
	check(WIFEXITED(status) && !WEXITSTATUS(status),
	      "the debugged VMM ended well");
}

/*
 * Single steps over whole KVM_RUNs: TF is set each time the kernel returns. Not
 * under Bochs, which takes the trap behind SYSCALL although SFMASK clears TF.
 */
static void step_vmm(void)
{
	unsigned int steps = 0;
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		live_traced();
	waitpid(pid, &status, 0);
	while (steps < 2000 && !ptrace(PTRACE_SINGLESTEP, pid, 0, 0) &&
	       waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		steps++;
	check(steps == 2000, "%u steps of the VMM", steps);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == pid && !WIFSIGNALED(status) &&
	       !WIFEXITED(status))
		;
}

int main(void)
{
	struct guest_vm vm;

	vm_test_begin();
	must_create(&vm, 1);
	step_guest(&vm.vcpu[0]);
	perf_breakpoint(&vm.vcpu[0]);
	perf_sampling(&vm.vcpu[0]);
	debugger();
	if (guest_cpu_is_amd())
		step_vmm();
	counts_right(&vm.vcpu[0], 100);
	guest_vm_destroy(&vm);
	return vm_test_end();
}
