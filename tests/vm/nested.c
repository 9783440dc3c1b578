// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with a guest of its own: from then on the restricted address space of
 * the VM must not map its memory, which the inner guest could otherwise reach.
 * Other VMs of the same process keep theirs.
 */
#include "guest_payload.h"
#include "guest_vmcb.h"
#include "vm_test.h"

#define ROUNDS	5

static void nest(struct guest_vm *vm, unsigned int id)
{
	struct guest_vcpu *vcpu = &vm->vcpu[id];
	uint64_t before = guest_vcpu_result(vcpu)->counter, runs;

	guest_build_vmcb(vm->mem + GUEST_VMCB, guest_code_address(guest_of_guest), 0);
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
	if (!guest_can_nest())
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
