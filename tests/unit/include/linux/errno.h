/* SPDX-License-Identifier: GPL-2.0-only */
/* Also what the C library's own <errno.h> includes, so no more than this. */
#include_next <linux/errno.h>
