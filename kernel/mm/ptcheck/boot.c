// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: whether there is any, said once at boot.
 *
 *	page_table_check={ on | off }[,{ panic | kill | report }]
 *
 * Implements the parameter and the options of the source. When it is built to be
 * enforced, "off" is refused: an option that a command line undoes enforces
 * nothing.
 */
#define pr_fmt(fmt) "page_table_check: " fmt

#include <linux/export.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/page_ext.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <asm/cpufeature.h>

#include "internal.h"
#include "report.h"

DEFINE_STATIC_KEY_TRUE(page_table_check_disabled);
EXPORT_SYMBOL(page_table_check_disabled);

static bool enabled __initdata = IS_ENABLED(CONFIG_PAGE_TABLE_CHECK_ENFORCED);

static int __init parse_switch(const char *word, size_t len)
{
	char text[8] = "";
	bool on;

	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, word, len);
	if (kstrtobool(text, &on))
		return -EINVAL;
	if (!on && IS_ENABLED(CONFIG_PAGE_TABLE_CHECK_ENFORCED))
		pr_warn("off: refused, this kernel is built to enforce it\n");
	else
		enabled = on;
	if (enabled)
		setup_force_cpu_cap(X86_FEATURE_PTCHECK);
	return 0;
}

/* As the source has it, a parameter without a value is an error. */
static int __init parse_parameter(char *value)
{
	const char *word = value;
	int policy;
	size_t len;

	if (!value)
		return -EINVAL;
	for (;; word += len + 1) {
		len = strcspn(word, ",");
		policy = ptcheck_policy_parse(word, len);
		if (policy >= 0)
			ptcheck_policy_boot(policy);
		else if (parse_switch(word, len))
			pr_warn("%s: expected on or off, and panic, kill or report\n",
				value);
		if (!word[len])
			return 0;
	}
}
early_param("page_table_check", parse_parameter);

/* Before there is a process: nothing is mapped that would not be counted. */
static int __init start(void)
{
	if (!enabled)
		return 0;
	if (ptcheck_make_words())
		panic("page_table_check: no memory for the words\n");
	static_branch_disable(&page_table_check_disabled);
	pr_info("on, a violation means: %s\n",
		ptcheck_policy_name(ptcheck_policy()));
	return 0;
}
early_initcall(start);

static bool __init is_needed(void)
{
	return false;
}

/* The words are not in there, but Linux wants to ask. */
struct page_ext_operations page_table_check_ops __initdata = {
	.need = is_needed,
};
