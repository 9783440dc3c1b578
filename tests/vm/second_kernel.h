/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel started from this one by kexec, in which the same program is process 1
 * and completes the result that the first kernel began. So that program has to be
 * the only one of its boot. The image comes from the initramfs, /kexec/bzImage or
 * the one for guests.
 */
#ifndef BULKHEAD_SECOND_KERNEL_H
#define BULKHEAD_SECOND_KERNEL_H

#include <stddef.h>

/* A descriptor, or -1: there is none. */
int second_kernel_image(void);

/* Packs an initramfs that runs @program. A descriptor. */
int second_kernel_initrd(const char *program);

/* This kernel's command line with "@program --after" as what to run. */
void second_kernel_line(char *line, size_t len, const char *program);

/* Returns 0 or a negative errno. @flags are of kexec_file_load(). */
int second_kernel_load(int kernel, int initrd, const char *line,
		       unsigned long flags);

/* In the second kernel: does @work, completes the result and switches off. */
int second_kernel_run(const char *program, int (*work)(void));

#endif
