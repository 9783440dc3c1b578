/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * memfd_restricted(2): memory that is nobody's to map, read or write, and that
 * reaches its user through an interface of the kernel.
 */
#ifndef _UAPI_LINUX_RESTRICTEDMEM_H
#define _UAPI_LINUX_RESTRICTEDMEM_H

/* Flags of memfd_restricted(). */
#define RMFD_CLOEXEC		0x0001U	/* close on exec */
#define RMFD_HUGEPAGE		0x0002U	/* 2 MiB pages where they can be had */

/* statfs() of such a file: "RESM". */
#define RESTRICTEDMEM_MAGIC	0x5245534d

#endif
