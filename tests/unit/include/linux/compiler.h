/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's single accesses; a test may watch every store. */
#ifndef _UNIT_LINUX_COMPILER_H
#define _UNIT_LINUX_COMPILER_H

#undef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))

#define barrier()	__asm__ __volatile__("" : : : "memory")

/* Called after each WRITE_ONCE(), unless NULL. */
extern void (*unit_stored)(const volatile void *where);

#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value)						\
do {									\
	*(volatile __typeof__(x) *)&(x) = (value);			\
	if (unit_stored)						\
		unit_stored(&(x));					\
} while (0)

#endif /* _UNIT_LINUX_COMPILER_H */
