// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules in restricted address spaces: their text and read-only data.
 *
 * Not their variables, those that become read-only after their initialization
 * included, and not what runs once: nobody is in a restricted address space then.
 * Whatever else is executed in their area (trampolines of function tracing, slots
 * of kprobes, BPF programs) reads sensitive data anyway; it costs an exit.
 *
 * Implements "ASI annotation support for dynamic modules" of the RFC.
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/preempt.h>

#include "asi.h"

struct part {
	enum mod_mem_type type;
	u64 deny;
};

static const struct part parts[] = {
	{ MOD_TEXT, ASI_PTE_WRITE },
	{ MOD_RODATA, ASI_PTE_WRITE | ASI_PTE_NX },
};

static unsigned long start_of(const struct module *mod, const struct part *p)
{
	return (unsigned long)mod->mem[p->type].base;
}

static unsigned long end_of(const struct module *mod, const struct part *p)
{
	return start_of(mod, p) + PAGE_ALIGN(mod->mem[p->type].size);
}

/* What could not be mapped for want of memory costs exits. */
static void map_module(const struct module *mod)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		err = asi_image_map(start_of(mod, &parts[i]),
				    end_of(mod, &parts[i]), parts[i].deny);
		WARN_ON_ONCE(err && err != -ENOMEM);
	}
	asi_thunks_map(mod);
}

static void unmap_module(const struct module *mod)
{
	int i;

	asi_thunks_unmap(mod);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		asi_image_unmap(start_of(mod, &parts[i]),
				end_of(mod, &parts[i]));
}

/* The loader has set final permissions before the one and frees after the other. */
static int module_event(struct notifier_block *nb, unsigned long state,
			void *mod)
{
	if (state == MODULE_STATE_COMING)
		map_module(mod);
	if (state == MODULE_STATE_GOING)
		unmap_module(mod);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };

/**
 * asi_modules_setup - from here on modules are mapped in every instance
 *
 * Context: boot, before the first module.
 * Return: 0 or -errno.
 */
int __init asi_modules_setup(void)
{
	if (IS_ENABLED(CONFIG_ASI_STATIC_COARSE))
		return 0;
	return register_module_notifier(&module_nb);
}

/**
 * asi_module_maps - whether @va is memory of a module that may be mapped
 *
 * By the loader's list, in which a module is until right before it is freed.
 *
 * Context: any.
 */
bool asi_module_maps(unsigned long va)
{
	const struct module *mod;
	bool found = false;
	int i;

	preempt_disable();
	mod = __module_address(va);
	for (i = 0; mod && i < ARRAY_SIZE(parts); i++)
		found |= within_module_mem_type(va, mod, parts[i].type);
	preempt_enable();
	return found;
}
