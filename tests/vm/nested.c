// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with a guest of its own: from then on the restricted address space of
 * the VM must not map its memory, which the inner guest could otherwise reach.
 * Other VMs of the same process keep theirs.
 */
#include <errno.h>
#include <string.h>

#include "guest_payload.h"
#include "vm_test.h"

#define ROUNDS	5

/* The control area of the VMCB, and the state save area behind it. */
#define INTERCEPTS_4	0x010
#define ASID		0x058
#define SAVE_AREA	0x400

#define INTERCEPT_VMRUN		1U
#define INTERCEPT_VMMCALL	2U

#define CODE_64BIT	0xa9b
#define DATA		0xc93

struct segment {
	uint16_t selector, attrib;
	uint32_t limit;
	uint64_t base;
};

static void put_segment(uint8_t *save, unsigned int offset, uint16_t selector,
			uint16_t attrib)
{
	struct segment s = { selector, attrib, 0xffffffff, 0 };

	memcpy(save + offset, &s, sizeof(s));
}

static void put(uint8_t *area, unsigned int offset, uint64_t value)
{
	memcpy(area + offset, &value, sizeof(value));
}

/* The inner guest runs on the tables of the outer one, and calls back at once. */
static void build_vmcb(uint8_t *vmcb)
{
	uint8_t *save = vmcb + SAVE_AREA;
	uint32_t intercepts = INTERCEPT_VMRUN | INTERCEPT_VMMCALL;

	memset(vmcb, 0, 4096);
	memcpy(vmcb + INTERCEPTS_4, &intercepts, sizeof(intercepts));
	put(vmcb, ASID, 1);
	put_segment(save, 0x00, GUEST_DS, DATA);	/* ES */
	put_segment(save, 0x10, GUEST_CS, CODE_64BIT);
	put_segment(save, 0x20, GUEST_DS, DATA);	/* SS */
	put_segment(save, 0x30, GUEST_DS, DATA);	/* DS */
	put(save, 0x0d0, 0x500 | EFER_SVME);		/* EFER */
	put(save, 0x148, 0x20);				/* CR4 */
	put(save, 0x150, GUEST_PGD);			/* CR3 */
	put(save, 0x158, 0x80010033);			/* CR0 */
	put(save, 0x160, 0x400);			/* DR7 */
	put(save, 0x168, 0xffff0ff0);			/* DR6 */
	put(save, 0x170, 2);				/* RFLAGS */
	put(save, 0x178, guest_code_address(guest_of_guest));
	put(save, 0x1d8, GUEST_STACKS);			/* RSP */
}

static bool nesting_is_on(void)
{
	char text[8];

	return guest_cpu_is_amd() &&
	       read_text("/sys/module/kvm_amd/parameters/nested", text,
			 sizeof(text)) && (text[0] == '1' || text[0] == 'Y');
}

static void nest(struct guest_vm *vm, unsigned int id)
{
	struct guest_vcpu *vcpu = &vm->vcpu[id];
	uint64_t before = guest_vcpu_result(vcpu)->counter, runs;

	build_vmcb(vm->mem + GUEST_VMCB);
	if (!run_payload(vcpu, "vmrun", ROUNDS))
		note("exit code %#x of the inner guest, KVM's exit %u",
		     vm->mem[GUEST_VMCB + VMCB_EXIT_CODE],
		     vcpu->run->exit_reason);
	runs = guest_vcpu_result(vcpu)->counter - before;
	check(runs == ROUNDS, "the inner guest ran %lu times", runs);
}

int main(void)
{
	struct guest_vm vm, other;
	uint64_t user;

	vm_test_begin();
	if (!nesting_is_on())
		skip("no nested virtualization on this machine");
	must_create(&vm, 2);
	must_create(&other, 1);

	user = asi_enabled() ? mapped_while(&vm.vcpu[0], "cpuid", "user") : 1;
	check(user > 0, "%lu bytes of user memory mapped before", user);
	nest(&vm, 0);
	if (asi_enabled()) {
		user = mapped_while(&vm.vcpu[0], "cpuid", "user");
		check(!user, "%lu bytes after, on the same vCPU", user);
		user = mapped_while(&vm.vcpu[1], "cpuid", "user");
		check(!user, "%lu bytes after, on the other", user);
		user = mapped_while(&other.vcpu[0], "cpuid", "user");
		check(user > 0, "%lu bytes in the other VM", user);
	}
	nest(&vm, 1);
	counts_right(&vm.vcpu[0], 100);
	guest_vm_destroy(&vm);
	guest_vm_destroy(&other);
	return vm_test_end();
}
