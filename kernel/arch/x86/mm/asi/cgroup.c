// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opting in by memory cgroup: with asi=cgroup only the processes below a cgroup
 * whose memory.asi is 1 get restricted address spaces.
 *
 * Implements "Added ASI memory cgroup flag" of the RFC. The flag is kept here,
 * by the serial number of the cgroup, which is never used again: what a removed
 * cgroup leaves behind means nothing.
 */
#include <linux/cgroup.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include "asi.h"

static bool by_cgroup __ro_after_init;

/* css->id to the serial number of the css that is opted in. */
static DEFINE_XARRAY(opted_in);

/* asi=cgroup is on the command line. Return: that ASI is wanted, then. */
bool __init asi_opt_in_by_cgroup(void)
{
	by_cgroup = true;
	return true;
}

static bool is_opted_in(const struct cgroup_subsys_state *css)
{
	void *entry = xa_load(&opted_in, css->id);

	return entry && xa_to_value(entry) == css->serial_nr;
}

static u64 asi_read(struct cgroup_subsys_state *css, struct cftype *cft)
{
	return is_opted_in(css);
}

/* Counts for what starts later: instances that exist stay. */
static int asi_write(struct cgroup_subsys_state *css, struct cftype *cft,
		     u64 val)
{
	if (val > 1)
		return -EINVAL;
	if (!val) {
		if (is_opted_in(css))
			xa_erase(&opted_in, css->id);
		return 0;
	}
	return xa_err(xa_store(&opted_in, css->id, xa_mk_value(css->serial_nr),
			       GFP_KERNEL));
}

/**
 * asi_wanted - whether the current process may have instances
 *
 * Context: any. Return: true unless asi=cgroup and no cgroup it is in has
 * memory.asi set.
 */
bool asi_wanted(void)
{
	struct cgroup_subsys_state *css;
	bool wanted = false;

	if (!by_cgroup)
		return true;

	rcu_read_lock();
	for (css = task_css(current, memory_cgrp_id); css && !wanted;
	     css = css->parent)
		wanted = is_opted_in(css);
	rcu_read_unlock();
	return wanted;
}
EXPORT_SYMBOL_GPL(asi_wanted);

#define ASI_FILE {				\
	.name = "asi",				\
	.flags = CFTYPE_NOT_ON_ROOT,		\
	.read_u64 = asi_read,			\
	.write_u64 = asi_write,			\
}

static struct cftype default_files[] = { ASI_FILE, { } };
static struct cftype legacy_files[] = { ASI_FILE, { } };

static int __init asi_cgroup_init(void)
{
	int err;

	if (!asi_enabled())
		return 0;
	err = cgroup_add_dfl_cftypes(&memory_cgrp_subsys, default_files);
	return err ?: cgroup_add_legacy_cftypes(&memory_cgrp_subsys,
						legacy_files);
}
subsys_initcall(asi_cgroup_init);
