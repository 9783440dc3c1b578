/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address Space Isolation in the linker script: the variables that are listed in
 * arch/x86/mm/asi/static.list have pages to themselves. For vmlinux.lds.S, after
 * asm-generic/vmlinux.lds.h.
 */
#ifndef _ARCH_X86_MM_ASI_STATIC_LDS_S
#define _ARCH_X86_MM_ASI_STATIC_LDS_S

#ifdef CONFIG_ASI

#include <generated/asi_static.h>

#define ASI_AREA(name, variables)		\
	. = ALIGN(PAGE_SIZE);			\
	__start_asi_##name = .;			\
	variables				\
	. = ALIGN(PAGE_SIZE);			\
	__end_asi_##name = .;

#define ASI_DATA	ASI_AREA(data, ASI_STATIC_DATA)
#define ASI_BSS		ASI_AREA(bss, ASI_STATIC_BSS)

/* Listed, and collected as a whole where the list is. */
#undef TRACEPOINT_STR
#define TRACEPOINT_STR()

/*
 * As in asm-generic/vmlinux.lds.h, for sections that end in the name of their
 * variable; what must be at offset 0 is listed.
 */
#undef PERCPU_INPUT
#define PERCPU_INPUT(cacheline)						\
	__per_cpu_start = .;						\
	__start_asi_percpu = .;						\
	*(.data..percpu..first .data..percpu..first.*)			\
	. = ALIGN(cacheline);						\
	ASI_STATIC_PERCPU						\
	. = ALIGN(PAGE_SIZE);						\
	__end_asi_percpu = .;						\
	*(.data..percpu..page_aligned .data..percpu..page_aligned.*)	\
	. = ALIGN(cacheline);						\
	*(.data..percpu..read_mostly .data..percpu..read_mostly.*)	\
	. = ALIGN(cacheline);						\
	*(.data..percpu .data..percpu.[0-9a-zA-Z_]*)			\
	*(.data..percpu..shared_aligned .data..percpu..shared_aligned.*) \
	__per_cpu_end = .;

#else /* !CONFIG_ASI */

#define ASI_DATA
#define ASI_BSS

#endif /* CONFIG_ASI */
#endif /* _ARCH_X86_MM_ASI_STATIC_LDS_S */
