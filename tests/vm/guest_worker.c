// SPDX-License-Identifier: GPL-2.0
/* Names of the payloads, and threads that keep a virtual CPU busy. */
#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "guest_payload.h"
#include "kvm_guest.h"
#include "report.h"

static const struct guest_payload payloads[] = {
	{ "cpuid", guest_cpuid },
	{ "msr", guest_msr },
	{ "pio", guest_pio },
	{ "hlt", guest_hlt },
	{ "hlt_pending", guest_hlt_pending },
	{ "eptfault", guest_eptfault },
	{ "refault", guest_eptfault },
	{ "vmcall", guest_vmcall },
	{ "vmmcall", guest_vmmcall },
	{ "vmrun", guest_vmrun },
	{ "mmio_user", guest_mmio_user },
	{ "pio_user", guest_pio_user },
	{ "spin", guest_spin },
	{ "mix", guest_mix },
	{ "count", guest_count },
	{ "fill", guest_fill },
	{ "sum", guest_sum },
	{ "churn", guest_churn },
	{ "clock", guest_clock },
};

bool guest_cpu_is_amd(void)
{
	unsigned int max, ebx, ecx, edx;

	__cpuid(0, max, ebx, ecx, edx);
	return ebx == signature_AMD_ebx;
}

const struct guest_payload *guest_payload(const char *name)
{
	size_t i;

	if (!strcmp(name, "hypercall"))
		name = guest_cpu_is_amd() ? "vmmcall" : "vmcall";
	for (i = 0; i < ARRAY_SIZE(payloads); i++)
		if (!strcmp(payloads[i].name, name))
			return &payloads[i];
	return NULL;
}

static void *work(void *arg)
{
	struct guest_worker *worker = arg;

	while (!worker->stop && !worker->error) {
		worker->error = guest_vcpu_do(worker->vcpu, worker->payload,
					      worker->batch);
		worker->batches += !worker->error;
	}
	return NULL;
}

int guest_worker_start(struct guest_worker *worker, struct guest_vcpu *vcpu,
		       const char *payload, uint64_t batch)
{
	memset(worker, 0, sizeof(*worker));
	worker->vcpu = vcpu;
	worker->batch = batch;
	worker->payload = guest_payload(payload);
	if (!worker->payload)
		return -EINVAL;
	return -pthread_create(&worker->thread, NULL, work, worker);
}

int guest_worker_stop(struct guest_worker *worker)
{
	worker->stop = true;
	pthread_join(worker->thread, NULL);
	return worker->error;
}

bool guest_worker_progress(struct guest_worker *worker, uint64_t more,
			   unsigned int seconds)
{
	const struct timespec tick = { .tv_nsec = 10 * 1000 * 1000 };
	uint64_t goal = worker->batches + more;
	unsigned int ticks = seconds * 100;

	while (worker->batches < goal && !worker->error && ticks--)
		nanosleep(&tick, NULL);
	return worker->batches >= goal;
}
