// SPDX-License-Identifier: GPL-2.0
/* The frame of the VM tests: see vm_test.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm_test.h"

#define AUDIT_INTERVAL	"50"
#define PATIENCE	60	/* seconds without progress: a debug kernel is slow */
#define BATCH		20
#define DESTROY_WAIT	500	/* times 10 ms */

static uint64_t audits_before, leaks_before, instances_before;
static int kmsg = -1;

void vm_test_begin(void)
{
	if (!guest_kvm_present())
		skip("no /dev/kvm");
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg >= 0)
		lseek(kmsg, 0, SEEK_END);
	if (!asi_enabled() || !asi_debugfs())
		return;
	asi_value("audit", "audits", &audits_before);
	asi_value("audit", "leaks", &leaks_before);
	asi_value("stats", "instances", &instances_before);
	check(!asi_write("audit_interval", AUDIT_INTERVAL), "audits switched on");
}

/* A warning that taints nothing is still one a test must not cause. */
static bool is_complaint(const char *line)
{
	static const char * const signs[] = {
		"WARNING: ", "BUG: ", "Oops: ", "INFO: rcu", "unchecked MSR",
		"possible recursive locking", "UBSAN: ", "Bad page state",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signs); i++)
		if (strstr(line, signs[i]))
			return true;
	return false;
}

static void check_kernel_log(void)
{
	unsigned int complaints = 0;
	char line[2048];
	ssize_t len;

	if (kmsg < 0)
		return;
	while ((len = read(kmsg, line, sizeof(line) - 1)) > 0 ||
	       (len < 0 && errno == EPIPE)) {
		line[len > 0 ? len : 0] = '\0';
		if (!is_complaint(line))
			continue;
		complaints++;
		note("kernel: %.*s", (int)strcspn(line, "\n"), line);
	}
	close(kmsg);
	check(!complaints, "the kernel complained %u times", complaints);
}

/* The last reference to a VM may be dropped a little later than its fd. */
static bool instances_gone(void)
{
	uint64_t now = 0;
	int tries;

	for (tries = 0; tries < DESTROY_WAIT; tries++) {
		asi_value("stats", "instances", &now);
		if (now <= instances_before)
			return true;
		usleep(10000);
	}
	return false;
}

/* What the auditor found, for whoever has to find out why. */
static void note_audit(void)
{
	char text[2048], *line, *save;

	if (!read_text(ASI_DEBUGFS "/audit", text, sizeof(text)))
		return;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		note("audit: %s", line);
}

static void check_audits(void)
{
	uint64_t audits = 0, leaks = UINT64_MAX;

	if (!asi_enabled() || !asi_debugfs())
		return;
	asi_value("audit", "audits", &audits);
	asi_value("audit", "leaks", &leaks);
	if (!check(leaks == leaks_before, "%lu leaks in %lu audits", leaks - leaks_before,
		   audits - audits_before))
		note_audit();
	check(audits > audits_before, "audits took place");
	asi_write("audit_interval", "0");
	check(instances_gone(), "no address space is left over");
}

int vm_test_end(void)
{
	check_audits();
	check_kernel_log();
	return report_result();
}

void must_create(struct guest_vm *vm, unsigned int nr_vcpus)
{
	int err = guest_vm_create(vm, nr_vcpus, GUEST_MEM_SIZE);

	if (!err)
		return;
	errno = -err;
	die("create a VM");
}

void busy_vm_start(struct busy_vm *busy, unsigned int nr_vcpus,
		   const char *payload)
{
	unsigned int i;

	must_create(&busy->vm, nr_vcpus);
	for (i = 0; i < nr_vcpus; i++)
		if (guest_worker_start(&busy->worker[i], &busy->vm.vcpu[i],
				       payload, BATCH))
			die("start a virtual CPU");
}

bool busy_vm_runs(struct busy_vm *busy, const char *when)
{
	bool good = true;
	unsigned int i;

	for (i = 0; i < busy->vm.nr_vcpus; i++)
		good &= guest_worker_progress(&busy->worker[i], 2, PATIENCE);
	return check(good, "guest runs %s", when);
}

void busy_vm_stop(struct busy_vm *busy)
{
	unsigned int i;

	for (i = 0; i < busy->vm.nr_vcpus; i++)
		stops_well(&busy->worker[i], "busy");
	guest_vm_destroy(&busy->vm);
}

bool run_payload(struct guest_vcpu *vcpu, const char *payload, uint64_t rounds)
{
	int err = guest_vcpu_do(vcpu, guest_payload(payload), rounds);

	return check(!err, "%s: %s", payload, guest_vcpu_error(vcpu, err));
}

bool stops_well(struct guest_worker *worker, const char *what)
{
	int err = guest_worker_stop(worker);

	return check(!err, "%s: virtual CPU %u stopped: %s", what,
		     worker->vcpu->id, guest_vcpu_error(worker->vcpu, err));
}

bool counts_right(struct guest_vcpu *vcpu, uint64_t rounds)
{
	uint64_t before = guest_vcpu_result(vcpu)->counter, counted;
	int err = guest_vcpu_do(vcpu, guest_payload("count"), rounds);

	counted = guest_vcpu_result(vcpu)->counter - before;
	return check(!err && counted == rounds, "guest counted %lu of %lu: %s",
		     counted, rounds, guest_vcpu_error(vcpu, err));
}

uint64_t mapped_while(struct guest_vcpu *vcpu, const char *payload,
		      const char *kind)
{
	uint64_t before = 0, after = 0, bytes = UINT64_MAX;
	char name[64];

	snprintf(name, sizeof(name), "mapped.%s", kind);
	asi_value("audit", "audits", &before);
	asi_write("audit_interval", "1");
	run_payload(vcpu, payload, 20);
	asi_write("audit_interval", AUDIT_INTERVAL);
	asi_value("audit", "audits", &after);
	check(after > before, "%lu audits of %s", after - before, payload);
	check(asi_value("audit", name, &bytes), "the auditor tells %s", name);
	return bytes;
}

bool child_passed(int pid, const char *what)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return check(WIFEXITED(status) && !WEXITSTATUS(status),
		     "%s: wait status %#x", what, status);
}
