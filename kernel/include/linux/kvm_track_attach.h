/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may ask what of a VM: a watcher of its pages need not be its VMM.
 *
 * KVM answers ioctls of a VM only to the process that made it, whoever else has
 * the descriptor. KVM_TRACK_CREATE is answered to those who may trace that process,
 * too: they could have it made there.
 */
#ifndef _LINUX_KVM_TRACK_ATTACH_H
#define _LINUX_KVM_TRACK_ATTACH_H

#include <linux/kvm_host.h>
#include <linux/sched.h>

#ifdef CONFIG_KVM_TRACK

/* True if @ioctl is that of a watcher and the caller may trace the VMM. */
bool __kvm_track_may_attach(const struct kvm *kvm, unsigned int ioctl);

#else

static inline bool __kvm_track_may_attach(const struct kvm *kvm,
					  unsigned int ioctl)
{ return false; }

#endif /* CONFIG_KVM_TRACK */

/* False: @ioctl of the VM is not for the calling process. */
static inline bool kvm_track_may_ask(const struct kvm *kvm, unsigned int ioctl)
{
	return likely(kvm->mm == current->mm) ||
	       __kvm_track_may_attach(kvm, ioctl);
}

#endif /* _LINUX_KVM_TRACK_ATTACH_H */
