/* SPDX-License-Identifier: GPL-2.0-only */
/* A broken invariant ends the test program. */
#ifndef _UNIT_LINUX_BUG_H
#define _UNIT_LINUX_BUG_H

#include <linux/compiler.h>
#include <linux/types.h>

void unit_warn(const char *file, int line, const char *condition);

#define WARN_ON_ONCE(condition) ({					\
	bool __warn = !!(condition);					\
									\
	if (__warn)							\
		unit_warn(__FILE__, __LINE__, #condition);		\
	__warn;								\
})

#endif /* _UNIT_LINUX_BUG_H */
