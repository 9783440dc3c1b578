// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: what a violation costs whoever committed it.
 */
#define pr_fmt(fmt) "page_table_check: " fmt

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/panic.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "internal.h"
#include "report.h"

static int policy = PTCHECK_PANIC;

static const char * const names[PTCHECK_NR_POLICIES] = {
	[PTCHECK_REPORT]	= "report",
	[PTCHECK_KILL]		= "kill",
	[PTCHECK_PANIC]		= "panic",
};

enum ptcheck_policy ptcheck_policy(void)
{
	return READ_ONCE(policy);
}

const char *ptcheck_policy_name(enum ptcheck_policy which)
{
	return names[which];
}

/**
 * ptcheck_policy_parse - the policy of that name
 * @name: first character
 * @len: how many of them
 *
 * Return: a policy or -EINVAL.
 */
int ptcheck_policy_parse(const char *name, size_t len)
{
	int i;

	for (i = 0; i < PTCHECK_NR_POLICIES; i++)
		if (strlen(names[i]) == len && !strncmp(names[i], name, len))
			return i;
	return -EINVAL;
}

/* At boot any policy can be had. */
void ptcheck_policy_boot(enum ptcheck_policy which)
{
	policy = which;
}

/**
 * ptcheck_policy_tighten - another policy from now on
 * @which: at least as strict as the one there is
 *
 * Return: 0 or -EPERM. Context: any.
 */
int ptcheck_policy_tighten(enum ptcheck_policy which)
{
	int old = READ_ONCE(policy);

	do {
		if (which < old)
			return -EPERM;
	} while (!try_cmpxchg(&policy, &old, which));
	return 0;
}

static bool is_mortal(struct task_struct *p)
{
	return !(p->flags & PF_KTHREAD) && !is_global_init(p);
}

static bool kill_task(struct task_struct *p)
{
	if (!is_mortal(p))
		return false;
	pr_err("killed %s[%d]\n", p->comm, task_tgid_nr(p));
	do_send_sig_info(SIGKILL, SEND_SIG_PRIV, p, PIDTYPE_TGID);
	return true;
}

/* Every process that could go on to use the mapping. */
static bool kill_users(struct mm_struct *mm)
{
	struct task_struct *p;
	bool killed = false;

	guard(rcu)();
	for_each_process(p)
		if (process_shares_mm(p, mm))
			killed |= kill_task(p);
	return killed;
}

/**
 * ptcheck_punish - apply the policy
 * @v: the violation, printed if it is to be
 *
 * Where "kill" finds nobody to kill the machine goes: a page that is freed by the
 * kernel itself while it is mapped leaves no process that could be trusted more
 * than others.
 *
 * Context: any that page tables are changed in.
 */
void ptcheck_punish(const struct ptcheck_violation *v)
{
	/* Linux warns of these and goes on: nothing is shared that must not be. */
	if (v->rule == PTCHECK_UFFD_WP_WRITE)
		return;
	switch (ptcheck_policy()) {
	case PTCHECK_REPORT:
		return;
	case PTCHECK_KILL:
		/* Who is interrupted by it has nothing to do with it. */
		if (v->at.mm ? kill_users(v->at.mm) : in_task() && kill_task(current))
			return;
		fallthrough;
	default:
		panic("page_table_check: %s\n", ptcheck_rule_text(v->rule));
	}
}
