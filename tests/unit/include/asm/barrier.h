/* SPDX-License-Identifier: GPL-2.0-only */
/* Ordered accesses; a test may watch every store as it watches WRITE_ONCE(). */
#ifndef _UNIT_ASM_BARRIER_H
#define _UNIT_ASM_BARRIER_H

#include <linux/compiler.h>

#define smp_load_acquire(where)	__atomic_load_n(where, __ATOMIC_ACQUIRE)
#define smp_store_release(where, value)					\
do {									\
	__atomic_store_n(where, value, __ATOMIC_RELEASE);		\
	if (unit_stored)						\
		unit_stored(where);					\
} while (0)

#endif /* _UNIT_ASM_BARRIER_H */
