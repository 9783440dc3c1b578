/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address Space Isolation, for code that is not x86: architectures without it
 * see empty inlines.
 */
#ifndef _LINUX_ASI_H
#define _LINUX_ASI_H

#ifdef CONFIG_X86
#include <asm/asi.h>
#else
#define asi_exit(cause)		((void)(cause))
#define asi_own_size(size)	(size)
#define asi_own_align(align)	(align)
#endif

#endif /* _LINUX_ASI_H */
