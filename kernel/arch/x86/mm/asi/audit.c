// SPDX-License-Identifier: GPL-2.0-only
/*
 * The auditor: walk the tables that a VM entry is about to use, leaf by leaf,
 * from the CR3 in the CPU, and account for every byte.
 *
 * It runs at every Nth VM entry when armed through debugfs, with ASI off too:
 * the full tables must fail it, or it would prove nothing.
 */
#include <linux/kernel.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <asm/asi_audit.h>
#include <trace/events/asi.h>

#include "audit.h"

struct result {
	unsigned long leaves;
	u64 bytes[ASI_NR_KINDS];
	u64 leak_bytes;
	unsigned long first_leak;
};

struct audit {
	struct asi_pt_visitor visitor;
	struct asi *asi;
	struct result result;
};

u64 asi_audit_interval;
EXPORT_SYMBOL_GPL(asi_audit_interval);
static atomic64_t asi_audit_entries = ATOMIC64_INIT(0);

static DEFINE_RAW_SPINLOCK(audit_lock);
static struct result last;
static u64 nr_audits;
static u64 nr_leaky;
static u64 worst_leak;
static unsigned long worst_leak_va;

static void count_leak(struct result *r, unsigned long va, u64 bytes)
{
	r->leak_bytes += bytes;
	if (bytes && !r->first_leak)
		r->first_leak = va;
}

static void count_leaf(struct asi_pt_visitor *visitor, unsigned long va,
		       const struct asi_pt_leaf *leaf)
{
	struct audit *a = container_of(visitor, struct audit, visitor);
	struct asi_verdict v = asi_classify(a->asi, va, leaf);
	struct result *r = &a->result;

	r->leaves++;
	if (v.kind < ASI_NR_KINDS)
		r->bytes[v.kind] += asi_pt_size(leaf->level);
	count_leak(r, v.leak_va, v.leak_bytes);
	asi_canary_leaf(asi_pte_phys(leaf->entry, leaf->level),
			asi_pt_size(leaf->level));
}

/*
 * A table of the user half that the process no longer has is a leak even if
 * nothing is mapped there yet: it may be anything by now, and is not walked.
 *
 * The shadow of KASAN is a debug aid and maps the same zero tables over and over.
 */
static bool enter_table(struct asi_pt_visitor *visitor, unsigned long va,
			u64 entry, int level)
{
	struct audit *a = container_of(visitor, struct audit, visitor);

	if (a->asi && va < TASK_SIZE_MAX && (entry & ASI_PTE_SHARED) &&
	    !asi_user_owns(a->asi, va)) {
		count_leak(&a->result, va, PAGE_SIZE);
		return false;
	}
#ifdef CONFIG_KASAN
	/* With five levels the entry that holds its end holds the image too. */
	return va < KASAN_SHADOW_START ||
	       va + asi_pt_size(level) - 1 >= KASAN_SHADOW_END;
#else
	return true;
#endif
}

static void walk_and_judge(const u64 *root, struct asi *asi)
{
	static struct audit a;		/* audit_lock */

	a = (struct audit) {
		.visitor = { .leaf = count_leaf, .enter = enter_table },
		.asi = asi,
	};
	asi_pt_walk(root, asi_levels(), &a.visitor);

	last = a.result;
	nr_audits++;
	nr_leaky += !!last.leak_bytes;
	if (last.leak_bytes > worst_leak) {
		worst_leak = last.leak_bytes;
		worst_leak_va = last.first_leak;
	}
	trace_asi_audit(asi ? asi->id : 0, last.leaves, last.leak_bytes,
			last.first_leak);
}

/* Skipped if another CPU is at it, or changes @asi. */
static void audit_entry(const u64 *root, struct asi *asi)
{
	if (!raw_spin_trylock(&audit_lock))
		return;
	if (!asi) {
		walk_and_judge(root, NULL);
	} else if (spin_trylock(&asi->lock)) {
		walk_and_judge(root, asi);
		spin_unlock(&asi->lock);
	}
	raw_spin_unlock(&audit_lock);
}

/**
 * asi_audit_kvm_entry - the auditor's call from the VM entry path
 * @asi: instance about to be entered, or NULL with ASI off
 *
 * Context: interrupts off, before asi_enter().
 */
void asi_audit_kvm_entry(struct asi *asi)
{
	u64 interval = READ_ONCE(asi_audit_interval);

	if (!interval || atomic64_inc_return(&asi_audit_entries) % interval)
		return;
	asi_exit(ASI_EXIT_EXPLICIT);
	audit_entry(asi ? asi->pt.root : __va(read_cr3_pa()), asi);
}
EXPORT_SYMBOL_GPL(asi_audit_kvm_entry);

/** asi_audit_armed - the interval has been set; @armed says whether to 0 */
void asi_audit_armed(bool armed)
{
	static DEFINE_MUTEX(lock);
	static bool was;

	mutex_lock(&lock);
	if (armed && !was) {
		static_branch_enable(&asi_audit_key);
		static_branch_inc(&asi_entry_key);
	}
	if (!armed && was) {
		static_branch_dec(&asi_entry_key);
		static_branch_disable(&asi_audit_key);
	}
	was = armed;
	mutex_unlock(&lock);
}

/** asi_audit_show - the worst leak of all audits, and the last one's inventory */
void asi_audit_show(struct seq_file *m)
{
	int kind;

	seq_printf(m, "audits %llu\n", nr_audits);
	seq_printf(m, "leaks %llu\n", nr_leaky);
	seq_printf(m, "leaves %lu\n", last.leaves);
	seq_printf(m, "leak_bytes %llu\n", worst_leak);
	if (worst_leak)
		seq_printf(m, "first_leak 0x%lx\n", worst_leak_va);
	for (kind = 0; kind < ASI_NR_KINDS; kind++)
		seq_printf(m, "mapped.%s %llu\n", asi_kind_name(kind),
			   last.bytes[kind]);
}

/** asi_audit_clear - forget all audits so far */
void asi_audit_clear(void)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&audit_lock, flags);
	last = (struct result) { };
	nr_audits = 0;
	nr_leaky = 0;
	worst_leak = 0;
	worst_leak_va = 0;
	raw_spin_unlock_irqrestore(&audit_lock, flags);
}
