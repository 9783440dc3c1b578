// SPDX-License-Identifier: GPL-2.0
/* Linked into a selftest that is otherwise unchanged with --wrap: see the header. */
#include <sys/ioctl.h>

#include "interrupts.h"

int __wrap_ioctl(int fd, unsigned long request, void *arg);

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	return request == KVM_SET_REGS ? set_regs(fd, arg) :
	       __real_ioctl(fd, request, arg);
}
