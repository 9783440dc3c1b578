// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: its files in /sys/kernel/debug/page_table_check.
 *
 *	policy		the one there is; a stricter one can be written
 *	violations	how many of each rule since boot, and how many were not
 *			printed because their like had been
 *	last		the facts of the last one
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

#include "internal.h"
#include "report.h"

/* Innermost: a violation may be found under any lock. */
static DEFINE_RAW_SPINLOCK(last_lock);
static struct ptcheck_violation last;

/* What "last" shows from now on. */
void ptcheck_remember(const struct ptcheck_violation *v)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&last_lock, flags);
	last = *v;
	raw_spin_unlock_irqrestore(&last_lock, flags);
}

static int last_show(struct seq_file *m, void *unused)
{
	struct ptcheck_violation v;

	raw_spin_lock_irq(&last_lock);
	v = last;
	raw_spin_unlock_irq(&last_lock);
	if (v.rule)
		ptcheck_show_facts(m, &v);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(last);

static int violations_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = PTCHECK_ALLOWED + 1; i < PTCHECK_NR_RULES; i++)
		seq_printf(m, "%s %ld\n", ptcheck_rule_name(i),
			   atomic_long_read(&ptcheck_violations[i]));
	seq_printf(m, "unprinted %ld\n", atomic_long_read(&ptcheck_unprinted));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(violations);

static int policy_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%s\n", ptcheck_policy_name(ptcheck_policy()));
	return 0;
}

static int policy_open(struct inode *inode, struct file *file)
{
	return single_open(file, policy_show, NULL);
}

static ssize_t policy_write(struct file *file, const char __user *buf,
			    size_t count, loff_t *pos)
{
	char text[16] = "";
	int policy, err;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	policy = ptcheck_policy_parse(text, strcspn(text, "\n"));
	if (policy < 0)
		return policy;
	err = ptcheck_policy_tighten(policy);
	return err ?: count;
}

static const struct file_operations policy_fops = {
	.owner		= THIS_MODULE,
	.open		= policy_open,
	.read		= seq_read,
	.write		= policy_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int __init make_files(void)
{
	struct dentry *dir;

	if (ptcheck_off())
		return 0;
	dir = debugfs_create_dir("page_table_check", NULL);
	debugfs_create_file("policy", 0600, dir, NULL, &policy_fops);
	debugfs_create_file("violations", 0400, dir, NULL, &violations_fops);
	debugfs_create_file("last", 0400, dir, NULL, &last_fops);
	return 0;
}
late_initcall(make_files);
