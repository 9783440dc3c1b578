// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching ASI on or off at boot, and telling which it was.
 */
#define pr_fmt(fmt) "x86/asi: " fmt

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <asm/asi_audit.h>
#include <asm/cpufeature.h>
#include <asm/hypervisor.h>
#include <asm/sections.h>
#include <asm/set_memory.h>
#include <asm/setup.h>

#include "asi.h"

static bool asi_asked_for __initdata = IS_ENABLED(CONFIG_ASI_DEFAULT_ON);
static enum { USER_AUTO, USER_ON, USER_OFF } user_policy __ro_after_init;

DEFINE_STATIC_KEY_FALSE(asi_entry_key);
EXPORT_SYMBOL_GPL(asi_entry_key);

DEFINE_STATIC_KEY_FALSE(asi_audit_key);
EXPORT_SYMBOL_GPL(asi_audit_key);

static void __init parse_word(const char *word)
{
	if (!strcmp(word, "on"))
		asi_asked_for = true;
	else if (!strcmp(word, "off"))
		asi_asked_for = false;
	else if (!strcmp(word, "cgroup"))
		asi_asked_for = asi_opt_in_by_cgroup();
	else if (!strcmp(word, "user"))
		user_policy = USER_ON;
	else if (!strcmp(word, "nouser"))
		user_policy = USER_OFF;
	else
		pr_err("asi=%s: expected on, off, cgroup, user or nouser\n", word);
}

static int __init asi_parse_param(char *arg)
{
	char *word;

	if (!arg)
		return -EINVAL;
	while ((word = strsep(&arg, ",")))
		parse_word(word);
	return 0;
}
early_param("asi", asi_parse_param);

/**
 * asi_user_wanted - whether instances map user memory of their process
 *
 * SMAP is what keeps the kernel, speculating or not, from reading user memory
 * where it does not mean to. Hyper-V's flush by hypercall names the full tables
 * and would leave restricted PCIDs alone.
 */
bool asi_user_wanted(void)
{
	if (user_policy == USER_OFF || hypervisor_is_type(X86_HYPER_MS_HYPERV))
		return false;
	return user_policy == USER_ON || cpu_feature_enabled(X86_FEATURE_SMAP);
}

/**
 * asi_check_boottime_disable - decide before kernel memory is mapped
 *
 * The decision cannot come later: with ASI no kernel mapping is global.
 */
void __init asi_check_boottime_disable(void)
{
	if (!asi_asked_for) {
		pr_info("off\n");
		return;
	}
	if (hypervisor_is_type(X86_HYPER_XEN_PV)) {
		pr_info("off, Xen PV owns the page tables\n");
		return;
	}
	/* It changes the direct map at every allocation, also at ours. */
	if (debug_pagealloc_enabled()) {
		pr_info("off, debug_pagealloc changes the direct map all the time\n");
		return;
	}
	setup_force_cpu_cap(X86_FEATURE_ASI);
	pr_info("on\n");
}

static ssize_t enabled_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%d\n", asi_enabled());
}

static struct kobj_attribute enabled_attr = __ATTR_RO(enabled);

static struct attribute *asi_attrs[] = { &enabled_attr.attr, NULL };

static const struct attribute_group asi_attr_group = {
	.name = "asi",
	.attrs = asi_attrs,
};

/*
 * Every instance maps the kernel image. The early tables did so with global
 * entries and up to the next 2 MiB; parts have been freed since (the SMP lock
 * table, the rest of brk) and belong to others now. What is freed later takes
 * its alias along, see free_kernel_image_pages().
 */
static void __init trim_image(void)
{
	unsigned long start = PFN_ALIGN(_text);
	unsigned long end = ALIGN(_brk_end, PMD_SIZE);
	unsigned long va;

	set_memory_nonglobal(start, (end - start) >> PAGE_SHIFT);
	for (va = start; va < end; va += PAGE_SIZE)
		if (!PageReserved(pfn_to_page(PHYS_PFN(__pa_symbol(va)))))
			set_memory_np_noalias(va, 1);
}

static int __init asi_boot(void)
{
	int err;

	err = sysfs_create_group(mm_kobj, &asi_attr_group);
	if (err)
		pr_warn("no sysfs group: %d\n", err);
	if (!asi_enabled())
		return 0;

	trim_image();
	err = asi_global_setup();
	if (err)
		panic("x86/asi: no memory for the global mappings: %d", err);
	static_branch_inc(&asi_entry_key);
	return 0;
}
subsys_initcall(asi_boot);
