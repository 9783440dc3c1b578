// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules in restricted address spaces: their text and read-only data, and the
 * variables that they declare __asi_not_sensitive.
 *
 * Not their other variables, those that become read-only after their initialization
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
	unsigned long start;
	unsigned long end;
	u64 deny;
};

#define NR_PARTS	3

static struct part part_of(unsigned long start, unsigned long size, u64 deny)
{
	return (struct part) { start, start + PAGE_ALIGN(size), deny };
}

static void parts_of(const struct module *mod, struct part parts[NR_PARTS])
{
	const struct module_memory *text = &mod->mem[MOD_TEXT];
	const struct module_memory *rodata = &mod->mem[MOD_RODATA];

	parts[0] = part_of((unsigned long)text->base, text->size, ASI_PTE_WRITE);
	parts[1] = part_of((unsigned long)rodata->base, rodata->size,
			   ASI_PTE_WRITE | ASI_PTE_NX);
	parts[2] = part_of(mod->arch.asi_vars, mod->arch.asi_vars_size,
			   ASI_PTE_NX);
}

/* What could not be mapped for want of memory costs exits. */
static void map_module(const struct module *mod)
{
	struct part parts[NR_PARTS];
	int i, err;

	parts_of(mod, parts);
	for (i = 0; i < NR_PARTS; i++) {
		err = asi_image_map(parts[i].start, parts[i].end, parts[i].deny);
		WARN_ON_ONCE(err && err != -ENOMEM);
	}
	asi_thunks_map(mod);
}

static void unmap_module(const struct module *mod)
{
	struct part parts[NR_PARTS];
	int i;

	asi_thunks_unmap(mod);
	parts_of(mod, parts);
	for (i = 0; i < NR_PARTS; i++)
		if (parts[i].start != parts[i].end)
			asi_image_unmap(parts[i].start, parts[i].end);
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
	struct part parts[NR_PARTS] = { };
	const struct module *mod;
	bool found = false;
	int i;

	preempt_disable();
	mod = __module_address(va);
	if (mod)
		parts_of(mod, parts);
	for (i = 0; i < NR_PARTS; i++)
		found |= va >= parts[i].start && va < parts[i].end;
	preempt_enable();
	return found;
}
