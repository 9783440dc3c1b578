// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM exits by reason and by what became of them, for the exit rate that ASI is
 * measured by.
 *
 * Not a probe of the kvm_exit tracepoint: its list of probes is sensitive memory,
 * and counting would cause what it counts.
 */
#include <linux/debugfs.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <asm/svm.h>
#include <asm/vmx.h>

#include "asi.h"
#include "x86.h"

#define NR_REASONS	1200		/* SVM's go to 0x403, VMX's to 75 */

static atomic64_t nr_exits[NR_REASONS + 1];
static atomic64_t nr_runs;

DEFINE_STATIC_KEY_FALSE(kvm_asi_count_key);
EXPORT_SYMBOL_GPL(kvm_asi_count_key);

/*
 * Until the guest ran again. The first three leave the restricted address space
 * whatever is mapped in it, so that the last is what annotation can improve.
 */
enum outcome {
	TO_USER,		/* KVM_RUN returned */
	SWITCHED,		/* the thread gave up its CPU, or lost it */
	MAPPED,		/* a page of guest memory, which may have been allocated for it */
	IN_KERNEL,
	NR_OUTCOMES
};

static const char *const outcome_names[NR_OUTCOMES] = {
	[TO_USER] = "user",
	[SWITCHED] = "switched",
	[MAPPED] = "mapped",
	[IN_KERNEL] = "kernel",
};

struct tally {
	atomic64_t all;
	atomic64_t left;	/* the restricted address space */
};

static struct tally tallies[NR_OUTCOMES];

static bool on_vmx(void)
{
	return boot_cpu_has(X86_FEATURE_VMX);
}

static void count_reason(struct kvm_vcpu *vcpu)
{
	u32 reason, intr_info, error_code;
	u64 info1, info2;

	kvm_x86_call(get_exit_info)(vcpu, &reason, &info1, &info2, &intr_info,
				    &error_code);
	if (on_vmx())
		reason &= 0xffff;
	atomic64_inc(&nr_exits[min_t(u32, reason, NR_REASONS)]);
}

static void take_marks(struct kvm_vcpu *vcpu, struct kvm_asi_marks *marks)
{
	marks->runs = vcpu->arch.asi.runs;
	marks->switches = current->nvcsw + current->nivcsw;
	marks->touches = vcpu->stat.pf_fixed;
	marks->left = asi_exits_here();
}

static enum outcome outcome(const struct kvm_asi_marks *before,
			    const struct kvm_asi_marks *now)
{
	if (before->runs != now->runs)
		return TO_USER;
	if (before->switches != now->switches)
		return SWITCHED;
	if (before->touches != now->touches)
		return MAPPED;
	return IN_KERNEL;
}

/*
 * What became of an exit is known at the next one. A thread that stayed on its CPU
 * in between had the count of that CPU to itself.
 */
static void count_outcome(struct kvm_vcpu *vcpu)
{
	struct kvm_asi_marks *before = &vcpu->arch.asi.marks, now;
	enum outcome became;

	take_marks(vcpu, &now);
	if (before->taken) {
		became = outcome(before, &now);
		atomic64_inc(&tallies[became].all);
		if (before->left != now.left)
			atomic64_inc(&tallies[became].left);
		asi_site_close(became == IN_KERNEL);
	}
	*before = now;
	before->taken = true;
}

/* Right after a VM exit, interrupts off. */
void kvm_asi_count_exit(struct kvm_vcpu *vcpu)
{
	count_reason(vcpu);
	count_outcome(vcpu);
}
EXPORT_SYMBOL_GPL(kvm_asi_count_exit);

/* Each call of KVM_RUN ends with an exit for user space, or a signal. */
void __kvm_asi_count_run(struct kvm_vcpu *vcpu)
{
	atomic64_inc(&nr_runs);
	vcpu->arch.asi.runs++;
}

#ifdef CONFIG_DEBUG_FS

struct reason_name {
	unsigned int reason;
	const char *name;
};

static const struct reason_name vmx_names[] = { VMX_EXIT_REASONS };
static const struct reason_name svm_names[] = { SVM_EXIT_REASONS };

static const char *reason_name(unsigned int reason)
{
	const struct reason_name *names = vmx_names;
	int i, nr = ARRAY_SIZE(vmx_names);

	if (!on_vmx()) {
		names = svm_names;
		nr = ARRAY_SIZE(svm_names);
	}
	for (i = 0; i < nr; i++)
		if (names[i].reason == reason)
			return names[i].name;
	return "unknown";
}

static int exits_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i <= NR_REASONS; i++)
		if (atomic64_read(&nr_exits[i]))
			seq_printf(m, "%s %llu\n", reason_name(i),
				   atomic64_read(&nr_exits[i]));
	seq_printf(m, "KVM_RUN %llu\n", atomic64_read(&nr_runs));
	return 0;
}

static int outcomes_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < NR_OUTCOMES; i++) {
		seq_printf(m, "%s %llu\n", outcome_names[i],
			   atomic64_read(&tallies[i].all));
		seq_printf(m, "%s.left %llu\n", outcome_names[i],
			   atomic64_read(&tallies[i].left));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(outcomes);

static int exits_open(struct inode *inode, struct file *file)
{
	return single_open(file, exits_show, NULL);
}

static void clear_counts(void)
{
	int i;

	atomic64_set(&nr_runs, 0);
	for (i = 0; i <= NR_REASONS; i++)
		atomic64_set(&nr_exits[i], 0);
	for (i = 0; i < NR_OUTCOMES; i++) {
		atomic64_set(&tallies[i].all, 0);
		atomic64_set(&tallies[i].left, 0);
	}
}

static DEFINE_MUTEX(count_lock);
static bool counting;			/* count_lock */

/* 1 starts counting at zero, 0 stops. */
static ssize_t exits_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *ppos)
{
	bool on;
	int err;

	err = kstrtobool_from_user(buf, len, &on);
	if (err)
		return err;

	mutex_lock(&count_lock);
	if (on)
		clear_counts();
	if (on && !counting) {
		static_branch_enable(&kvm_asi_count_key);
		static_branch_inc(&asi_entry_key);
	}
	if (!on && counting) {
		static_branch_dec(&asi_entry_key);
		static_branch_disable(&kvm_asi_count_key);
	}
	counting = on;
	mutex_unlock(&count_lock);
	return len;
}

static const struct file_operations exits_fops = {
	.owner = THIS_MODULE,
	.open = exits_open,
	.read = seq_read,
	.write = exits_write,
	.llseek = seq_lseek,
	.release = single_release,
};

#ifndef MODULE
static int __init kvm_asi_exits_init(void)
{
	debugfs_create_file("kvm_exits", 0600, asi_debugfs_dir, NULL,
			    &exits_fops);
	debugfs_create_file("kvm_outcomes", 0400, asi_debugfs_dir, NULL,
			    &outcomes_fops);
	return 0;
}
late_initcall(kvm_asi_exits_init);
#endif

#endif /* CONFIG_DEBUG_FS */
