/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a module is linked on x86: variables that restricted address spaces map
 * share their pages with no others.
 */
#ifndef _ASM_X86_MODULE_LDS_H
#define _ASM_X86_MODULE_LDS_H

#ifdef CONFIG_ASI
SECTIONS {
	.data..asi_not_sensitive : ALIGN(4096) {
		*(.data..asi_not_sensitive)
		. = ALIGN(4096);
	}
}
#endif

#endif /* _ASM_X86_MODULE_LDS_H */
