// SPDX-License-Identifier: GPL-2.0
/* A guest for page tracking: see track_guest.h. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guest_layout.h"
#include "report.h"
#include "track_guest.h"

uint64_t track_code_at(const uint8_t *code)
{
	return TRACK_CODE + (code - track_code_start);
}

int track_load_at(struct guest_vcpu *vcpu, uint64_t rip,
		  const struct track_regs *regs)
{
	struct kvm_regs set = {
		.rip = rip,
		.rflags = 2,
		.rax = regs->rax, .rbx = regs->rbx, .rcx = regs->rcx,
		.rsi = regs->rsi, .rdi = regs->rdi,
		.rsp = regs->rsp ?: GUEST_STACKS + (vcpu->id + 1) * TRACK_PAGE,
	};

	/* An exit to user space finishes its instruction at the next entry. */
	vcpu->run->immediate_exit = 1;
	ioctl(vcpu->fd, KVM_RUN, 0);
	vcpu->run->immediate_exit = 0;
	return ioctl(vcpu->fd, KVM_SET_REGS, &set) ? -errno : 0;
}

int track_load(struct guest_vcpu *vcpu, const uint8_t *code,
	       const struct track_regs *regs)
{
	return track_load_at(vcpu, track_code_at(code), regs);
}

void track_vm_create(struct guest_vm *vm, unsigned int nr_vcpus)
{
	int err = guest_vm_create(vm, nr_vcpus, GUEST_MEM_SIZE);

	if (err) {
		errno = -err;
		die("create a VM");
	}
	memcpy(vm->mem + TRACK_CODE, track_code_start,
	       track_code_end - track_code_start);
}

void must_track(struct track *track, const struct guest_vm *vm,
		struct kvm_track_create create)
{
	int err = track_open(track, vm->fd, create);

	if (err) {
		errno = -err;
		die("create a watcher");
	}
}

void must_set(const struct track *track, uint64_t gpa, uint64_t npages,
	      unsigned int access, unsigned int flags)
{
	int err = track_set(track, gpa, npages, access, flags);

	if (err) {
		errno = -err;
		die("watch %lu pages at %#lx", npages, gpa);
	}
}
