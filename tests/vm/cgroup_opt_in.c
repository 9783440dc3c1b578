// SPDX-License-Identifier: GPL-2.0
/*
 * With asi=cgroup on the command line: who has an instance and who has none.
 * The flag of a memory cgroup counts for the processes below it, at the time
 * that a VM is created.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_test.h"

#define CGROUP		"/sys/fs/cgroup"
#define GROUP		CGROUP "/opted-in"
#define BELOW		GROUP "/below"

static void move_to(const char *group)
{
	char path[128], pid[16];
	int err;

	snprintf(path, sizeof(path), "%s/cgroup.procs", group);
	snprintf(pid, sizeof(pid), "%d", getpid());
	err = write_text(path, pid);
	check(!err, "moved to %s: %s", group, strerror(-err));
}

static bool is_set(const char *group)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), "%s/memory.asi", group);
	return read_text(path, text, sizeof(text)) && !strcmp(text, "1\n");
}

static uint64_t instances(void)
{
	uint64_t value = UINT64_MAX;

	asi_value("stats", "instances", &value);
	return value;
}

/* A VM of this process has @wanted instances, and runs. */
static void vm_here(uint64_t wanted, const char *where)
{
	struct guest_vm vm;

	must_create(&vm, 1);
	counts_right(&vm.vcpu[0], 100);
	check(instances() == wanted, "%s: %lu instances", where, instances());
	guest_vm_destroy(&vm);
}

/* The same in a process that has never been anywhere else. */
static void vm_in(const char *group, uint64_t wanted, const char *where)
{
	pid_t pid = fork();

	if (!pid) {
		move_to(group);
		vm_here(wanted, where);
		_exit(report_result());
	}
	child_passed(pid, where);
}

static void values(void)
{
	check(access(CGROUP "/memory.asi", F_OK) && errno == ENOENT,
	      "the root has no flag");
	check(!is_set(GROUP), "nobody is opted in by default");
	check(write_text(GROUP "/memory.asi", "2") == -EINVAL, "2 is no value");
	check(write_text(GROUP "/memory.asi", "yes") == -EINVAL, "nor is yes");
	check(!is_set(GROUP), "and nothing changed");
	check(!write_text(GROUP "/memory.asi", "1") && is_set(GROUP), "1 is");
	check(!write_text(GROUP "/memory.asi", "0") && !is_set(GROUP), "0 is");
}

static bool make_groups(void)
{
	return !write_text(CGROUP "/cgroup.subtree_control", "+memory") &&
	       !mkdir(GROUP, 0755) &&
	       !write_text(GROUP "/cgroup.subtree_control", "+memory") &&
	       !mkdir(BELOW, 0755);
}

/* The flag is looked at when a VM is made: neither later nor earlier counts. */
static void changes_while_it_lives(void)
{
	struct guest_vm vm;

	write_text(GROUP "/memory.asi", "1");
	move_to(BELOW);
	must_create(&vm, 1);
	write_text(GROUP "/memory.asi", "0");
	counts_right(&vm.vcpu[0], 100);
	check(instances() == 1, "opted out later: %lu instances", instances());

	move_to(CGROUP);
	check(!rmdir(BELOW) && !rmdir(GROUP), "the cgroups are gone");
	counts_right(&vm.vcpu[0], 100);
	run_payload(&vm.vcpu[0], "mix", 50);
	check(instances() == 1, "in no cgroup any more: %lu instances",
	      instances());
	guest_vm_destroy(&vm);
	check(!mkdir(GROUP, 0755) && !is_set(GROUP),
	      "another cgroup of that name starts anew");
	rmdir(GROUP);
}

int main(void)
{
	if (!guest_kvm_present() || !asi_enabled() || !asi_debugfs())
		skip("no /dev/kvm, or no address space isolation");
	if (!check(make_groups(), "memory cgroups"))
		return report_result();
	values();
	/* Without audits: these run on the full tables, as they should. */
	vm_here(0, "in the root");
	vm_in(BELOW, 0, "below a cgroup that is not opted in");

	vm_test_begin();
	write_text(GROUP "/memory.asi", "1");
	vm_in(BELOW, 1, "below a cgroup that is opted in");
	changes_while_it_lives();
	return vm_test_end();
}
