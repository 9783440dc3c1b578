/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * KVM guests that run from restricted memory.
 *
 * KVM_SET_USER_MEMORY_REGION2 takes a file of memfd_restricted() where it takes
 * a guest_memfd: KVM_MEM_GUEST_MEMFD in flags, the file in guest_memfd. In a VM
 * with private memory it backs the private pages. In any other VM it is all
 * there is behind the slot, and userspace_addr must be zero.
 */
#ifndef _UAPI_LINUX_KVM_RESTRICTEDMEM_H
#define _UAPI_LINUX_KVM_RESTRICTEDMEM_H

#include <linux/kvm.h>
#include <linux/types.h>

/* KVM_CHECK_EXTENSION, on /dev/kvm and on a VM: 1 if all this is there. */
#define KVM_CAP_RESTRICTEDMEM		0x42480001

/* What KVM_RESTRICTEDMEM_POPULATE takes. */
struct kvm_restrictedmem_populate {
	__u64 gpa;		/* where it goes in the guest */
	__u64 size;		/* how many bytes */
	__u64 userspace_addr;	/* where it comes from */
	__u64 flags;		/* must be 0 */
};

/*
 * On a VM: initial contents of restricted memory. The three numbers are moved on
 * as far as it got: all of it if the call returns 0. After KVM_RESTRICTEDMEM_SEAL,
 * or the first KVM_RUN of any vCPU, no more: EPERM.
 */
#define KVM_RESTRICTEDMEM_POPULATE	_IOWR(KVMIO, 0xf0, struct kvm_restrictedmem_populate)
#define KVM_RESTRICTEDMEM_SEAL		_IO(KVMIO, 0xf1)

#endif
