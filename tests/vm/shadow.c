// SPDX-License-Identifier: GPL-2.0
/*
 * shadow [--expect-shadow] [COUNT]: every kind of VM exit there is a payload
 * for, one after the other. Meant for hosts that run guests on shadow page
 * tables (kvm_amd.npt=0, kvm_intel.ept=0), useful everywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "vm_test.h"

#define COUNT	200
#define NPT	"/sys/module/kvm_amd/parameters/npt"
#define EPT	"/sys/module/kvm_intel/parameters/ept"

static const char * const reasons[] = {
	"cpuid", "msr", "pio", "hlt", "hlt_pending", "eptfault", "hypercall",
	"mmio_user", "pio_user", "mix", "spin", "count",
};

static bool two_dimensional(void)
{
	char text[4];

	return read_text(guest_cpu_is_amd() ? NPT : EPT, text, sizeof(text)) &&
	       text[0] == 'Y';
}

static void run_all(struct guest_vcpu *vcpu, uint64_t count)
{
	uint64_t before, after;
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(reasons); i++) {
		before = after = 0;
		err = guest_vcpu_exits(vcpu, &before);
		run_payload(vcpu, reasons[i], count);
		guest_vcpu_exits(vcpu, &after);
		if (err || !strcmp(reasons[i], "spin") ||
		    !strcmp(reasons[i], "count") ||
		    !strcmp(reasons[i], "eptfault"))
			continue;
		check(after - before >= count, "%s: %lu exits", reasons[i],
		      after - before);
	}
}

int main(int argc, char **argv)
{
	bool expect = argc > 1 && !strcmp(argv[1], "--expect-shadow");
	uint64_t count = argc > 1 + expect ? atoi(argv[1 + expect]) : COUNT;
	struct guest_vm vm;
	int round;

	vm_test_begin();
	if (expect)
		check(!two_dimensional(), "guests run on shadow page tables");
	must_create(&vm, 1);
	for (round = 0; round < 2; round++) {
		run_all(&vm.vcpu[0], count);
		check(!guest_vm_drop_memory(&vm), "memory taken away");
	}
	guest_vm_destroy(&vm);
	return vm_test_end();
}
