/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_KVM_RMEM_TYPES_H
#define _LINUX_KVM_RMEM_TYPES_H

#include <linux/types.h>

struct kvm_rmem;

/* What a VM has to do with restricted memory. */
struct kvm_rmem_vm {
	u64 owner;		/* for restrictedmem_bind(); under slots_lock */
	bool sealed;		/* written under slots_lock, never cleared */
	bool xen;		/* the same: it has the Xen interface */
};

#endif
