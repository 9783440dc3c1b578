// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/asi: counters, exit sites, the auditor and its canaries.
 * Documentation/arch/x86/asi.rst describes each file. Not an ABI.
 */
#include <linux/debugfs.h>
#include <linux/hex.h>
#include <linux/init.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/asi_audit.h>

#include "audit.h"
#include "compartment.h"
#include "sites.h"

struct dentry *asi_debugfs_dir;
EXPORT_SYMBOL_GPL(asi_debugfs_dir);

static const char * const cause_names[ASI_NR_EXIT_CAUSES] = {
	[ASI_EXIT_FAULT]	= "fault",
	[ASI_EXIT_EXPLICIT]	= "explicit",
	[ASI_EXIT_SCHEDULE]	= "schedule",
	[ASI_EXIT_USER]		= "user",
};

static void sum_cpu(struct asi_cpu *sum, int cpu)
{
	const struct asi_cpu *c = per_cpu_ptr(&asi_cpu, cpu);
	int i;

	sum->enters += c->enters;
	sum->enters_noflush += c->enters_noflush;
	for (i = 0; i < ASI_NR_EXIT_CAUSES; i++)
		sum->exits[i] += c->exits[i];
}

static void show_instances(struct seq_file *m)
{
	unsigned long nr = 0, bytes = 0;
	struct asi *asi;

	mutex_lock(&asi_instances_lock);
	list_for_each_entry(asi, &asi_instances, instances) {
		bytes += asi_table_bytes(asi);
		nr++;
	}
	mutex_unlock(&asi_instances_lock);
	seq_printf(m, "instances %lu\n", nr);
	seq_printf(m, "table_bytes %lu\n", nr ? bytes / nr : 0);
}

static int stats_show(struct seq_file *m, void *unused)
{
	struct asi_cpu sum = { };
	int i;

	for_each_possible_cpu(i)
		sum_cpu(&sum, i);
	seq_printf(m, "enters %llu\n", sum.enters);
	seq_printf(m, "enters_noflush %llu\n", sum.enters_noflush);
	for (i = 0; i < ASI_NR_EXIT_CAUSES; i++)
		seq_printf(m, "exit_%s %llu\n", cause_names[i], sum.exits[i]);
	show_instances(m);
	seq_printf(m, "refused %llu\n", atomic64_read(&asi_nr_refused));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int exits_show(struct seq_file *m, void *unused)
{
	return asi_sites_show(m);
}

static int alloc_cost_show(struct seq_file *m, void *unused)
{
	return asi_cost_show(m);
}
DEFINE_SHOW_ATTRIBUTE(alloc_cost);

static int audit_show(struct seq_file *m, void *unused)
{
	asi_audit_show(m);
	return 0;
}

static int compartments_show(struct seq_file *m, void *unused)
{
	asi_compartments_show(m);
	return 0;
}

static int canary_show(struct seq_file *m, void *unused)
{
	asi_canary_show(m);
	return 0;
}

/* Writing anything to a file that collects starts it anew. */
static ssize_t exits_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *ppos)
{
	asi_sites_clear();
	return len;
}

static ssize_t audit_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *ppos)
{
	asi_audit_clear();
	return len;
}

static ssize_t compartments_write(struct file *file, const char __user *buf,
				  size_t len, loff_t *ppos)
{
	asi_shrink();
	return len;
}

#define COMPLEMENT_DIGITS	64

/* "DIGITS KIND" or "DIGITS": DIGITS are the complement of a secret. */
static int add_canary(const char *text)
{
	const char *kind = text + COMPLEMENT_DIGITS;
	u64 complement[4];

	if (strlen(text) < COMPLEMENT_DIGITS || (*kind && *kind != ' ') ||
	    hex2bin((u8 *)complement, text, sizeof(complement)))
		return -EINVAL;
	return asi_canary_add(complement, *kind ? kind + 1 : "unnamed");
}

/*
 * "0" forgets all canaries, "1" locates them in physical memory, anything else
 * adds one.
 */
static ssize_t canary_write(struct file *file, const char __user *ubuf,
			    size_t len, loff_t *ppos)
{
	char text[COMPLEMENT_DIGITS + 32];
	ssize_t n;
	int err = 0;

	if (len >= sizeof(text))
		return -EINVAL;
	n = strncpy_from_user(text, ubuf, len);
	if (n < 0)
		return n;
	text[n] = '\0';
	strim(text);

	if (!strcmp(text, "0"))
		asi_canary_clear();
	else if (!strcmp(text, "1"))
		err = asi_canary_locate();
	else
		err = add_canary(text);
	return err ?: len;
}

#define DEFINE_ASI_FILE(name)						\
static int name##_open(struct inode *inode, struct file *file)		\
{									\
	return single_open(file, name##_show, inode->i_private);	\
}									\
static const struct file_operations name##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = name##_open,						\
	.read = seq_read,						\
	.write = name##_write,						\
	.llseek = seq_lseek,						\
	.release = single_release,					\
}

DEFINE_ASI_FILE(exits);
DEFINE_ASI_FILE(audit);
DEFINE_ASI_FILE(canary);
DEFINE_ASI_FILE(compartments);

static int interval_get(void *data, u64 *val)
{
	*val = asi_audit_interval;
	return 0;
}

/* Arming searches for the canaries first: an audit cannot. */
static int interval_set(void *data, u64 val)
{
	int err = val ? asi_canary_locate() : 0;

	if (err)
		return err;
	WRITE_ONCE(asi_audit_interval, val);
	asi_audit_armed(val);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(interval_fops, interval_get, interval_set, "%llu\n");

static int __init asi_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("asi", NULL);

	asi_debugfs_dir = dir;
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	debugfs_create_file("alloc_cost", 0400, dir, NULL, &alloc_cost_fops);
	debugfs_create_file("exits", 0600, dir, NULL, &exits_fops);
	debugfs_create_file("audit", 0600, dir, NULL, &audit_fops);
	debugfs_create_file_unsafe("audit_interval", 0600, dir, NULL,
				   &interval_fops);
	debugfs_create_file("compartments", 0600, dir, NULL,
			    &compartments_fops);
	debugfs_create_file("canary", 0600, dir, NULL, &canary_fops);
	return 0;
}
fs_initcall(asi_debugfs_init);
