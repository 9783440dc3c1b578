/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual machines of other processes. */
#ifndef BULKHEAD_ATTACH_H
#define BULKHEAD_ATTACH_H

#include <sys/types.h>

/*
 * A descriptor of VM number @index (from 0) of process @pid, of which *@nr becomes
 * the number it has, and *@pidfd one of the process. -ESRCH: no such process;
 * -ENOENT: it has no such VM; -EPERM, -EACCES: it may not be traced.
 */
int attach_vm(pid_t pid, unsigned int index, unsigned int *nr, int *pidfd);

#endif
