/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a module says about its variables. Implements "ASI annotation support for
 * dynamic modules" of the RFC.
 */
#ifndef _ASM_X86_ASI_MODULE_H
#define _ASM_X86_ASI_MODULE_H

#include <linux/elf.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>

#ifdef CONFIG_ASI

#define ASI_MODULE_SECTION	".data..asi_not_sensitive"

/*
 * A variable of a module that may be in every restricted address space: no secret
 * of anybody. Those of the kernel itself are in arch/x86/mm/asi/static.list.
 */
#ifdef MODULE
#define __asi_not_sensitive	__section(ASI_MODULE_SECTION)
#endif

/**
 * asi_module_section - remember the section of such variables
 * @mod: module that is being loaded
 * @name: of one of its sections
 * @s: header of that section
 */
static inline void asi_module_section(struct module *mod, const char *name,
				      const struct elf64_shdr *s)
{
	if (strcmp(name, ASI_MODULE_SECTION))
		return;
	/* Linked without module.lds.h: other variables share its pages. */
	if (!PAGE_ALIGNED(s->sh_addr | s->sh_size)) {
		pr_err("%s: %s is not made of pages and stays sensitive\n",
		       mod->name, name);
		return;
	}
	mod->arch.asi_vars = s->sh_addr;
	mod->arch.asi_vars_size = s->sh_size;
}

#else /* !CONFIG_ASI */

#ifdef MODULE
#define __asi_not_sensitive
#endif

static inline void asi_module_section(struct module *mod, const char *name,
				      const struct elf64_shdr *s) { }

#endif /* CONFIG_ASI */
#endif /* _ASM_X86_ASI_MODULE_H */
