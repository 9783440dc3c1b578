/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bochs 2.7 takes no interrupt while a guest runs that has interrupts off and does
 * not switch them on: the host's timer waits until the guest leaves for another
 * reason, which one that spins never does. Selftests have guests with interrupts
 * off. Nothing sends them any, so they may as well have them on.
 */
#ifndef BULKHEAD_KSELFTEST_INTERRUPTS_H
#define BULKHEAD_KSELFTEST_INTERRUPTS_H

#include <linux/kvm.h>

#define RFLAGS_IF	(1UL << 9)

int __real_ioctl(int fd, unsigned long request, void *arg);

static inline int set_regs(int vcpu, const struct kvm_regs *regs)
{
	struct kvm_regs on = *regs;

	on.rflags |= RFLAGS_IF;
	return __real_ioctl(vcpu, KVM_SET_REGS, &on);
}

#endif
