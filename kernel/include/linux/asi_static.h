/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sections that carry the name of their variable.
 *
 * Which static variables restricted address spaces map is a list of names,
 * arch/x86/mm/asi/static.list. The linker collects the variables, and can do so
 * only if each has a section of its own. The compiler gives it one, unless it
 * is told a section: the macros that do so are made to name it, or not to.
 *
 * Built-in code only: the loader of modules knows sections by their names.
 *
 * Macros only: this is included before anything else.
 */
#ifndef _LINUX_ASI_STATIC_H
#define _LINUX_ASI_STATIC_H

#if defined(CONFIG_ASI) && !defined(MODULE)
/* The end of the section name of a per-CPU variable. */
#define ASI_PERCPU_NAME(name)	"." #name
#define ASI_READ_MOSTLY
#define ASI_CACHELINE_ALIGNED
#define ASI_PHYS_BASE		.section .data.phys_base, "aw"
#else
#define ASI_PERCPU_NAME(...)
#define ASI_READ_MOSTLY		__section(".data..read_mostly")
#define ASI_CACHELINE_ALIGNED	__section(".data..cacheline_aligned")
#define ASI_PHYS_BASE
#endif

#endif /* _LINUX_ASI_STATIC_H */
