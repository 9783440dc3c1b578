// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: telling people what has been found.
 */
#define pr_fmt(fmt) "page_table_check: " fmt

#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/mmdebug.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "internal.h"
#include "report.h"

#define CREATE_TRACE_POINTS
#include <trace/events/ptcheck.h>

/* Places that have reported a rule: the next time is only counted. */
#define NR_SITES_BITS	6
static unsigned long sites[1 << NR_SITES_BITS];

atomic_long_t ptcheck_violations[PTCHECK_NR_RULES];
atomic_long_t ptcheck_unprinted;

static const char * const op_names[PTCHECK_NR_OPS + 1] = {
	[PTCHECK_MAP_READ]	= "map read-only",
	[PTCHECK_MAP_WRITE]	= "map writable",
	[PTCHECK_UNMAP_READ]	= "unmap read-only",
	[PTCHECK_UNMAP_WRITE]	= "unmap writable",
	[PTCHECK_UPGRADE]	= "make writable",
	[PTCHECK_DOWNGRADE]	= "make read-only",
	[PTCHECK_NR_OPS]	= "none",
};

const char *ptcheck_op_name(enum ptcheck_op op)
{
	return op_names[op];
}

/* Once per rule and place, until the table is full; then no new ones. */
static bool is_new(const struct ptcheck_violation *v)
{
	unsigned long key = v->at.ip * PTCHECK_NR_RULES + v->rule;
	unsigned int i, at = hash_long(key, NR_SITES_BITS);
	unsigned long seen;

	for (i = 0; i < ARRAY_SIZE(sites); i++) {
		seen = cmpxchg(&sites[(at + i) % ARRAY_SIZE(sites)], 0, key);
		if (!seen)
			return true;
		if (seen == key)
			return false;
	}
	return false;
}

/* Who has the page table; 0: nobody any more, or there is none. */
static int owner_of(const struct mm_struct *mm)
{
#ifdef CONFIG_MEMCG
	struct task_struct *p;

	guard(rcu)();
	p = mm ? rcu_dereference(mm->owner) : NULL;
	return p ? task_tgid_nr(p) : 0;
#else
	return mm && mm == current->mm ? task_tgid_nr(current) : 0;
#endif
}

static void print_facts(const struct ptcheck_violation *v)
{
	struct ptcheck_counts c = ptcheck_counts(v->old);

	pr_err("%s: %s\n", ptcheck_rule_name(v->rule), ptcheck_rule_text(v->rule));
	pr_err("pfn 0x%lx at 0x%lx of process %d, by %s[%d] in %pS\n", v->pfn,
	       v->at.addr, owner_of(v->at.mm), current->comm, task_tgid_nr(current),
	       (void *)v->at.ip);
	if (v->entry)
		pr_err("entry of a restricted table: 0x%llx\n", v->entry);
	else
		pr_err("now: %s, %s page; before: anonymous %u (writable %u), file %u\n",
		       ptcheck_op_name(v->op), v->anon ? "anonymous" : "file",
		       c.anon, c.write, c.file);
}

/**
 * ptcheck_print - print a violation, with the stack and the history of the page
 * @v: what has been found
 */
void ptcheck_print(const struct ptcheck_violation *v)
{
	print_facts(v);
	if (v->pfn && pfn_valid(v->pfn))
		dump_page(pfn_to_page(v->pfn), ptcheck_rule_name(v->rule));
	dump_stack();
}

/** ptcheck_show_facts - the same as "key value" lines for programs */
void ptcheck_show_facts(struct seq_file *m, const struct ptcheck_violation *v)
{
	struct ptcheck_counts c = ptcheck_counts(v->old);

	seq_printf(m, "rule %s\npfn %lu\naddress 0x%lx\n",
		   ptcheck_rule_name(v->rule), v->pfn, v->at.addr);
	seq_printf(m, "operation %s\ntype %s\n", ptcheck_op_name(v->op),
		   v->anon ? "anonymous" : "file");
	seq_printf(m, "anonymous %u\nwritable %u\nfile %u\n", c.anon, c.write,
		   c.file);
	seq_printf(m, "site %pS\n", (void *)v->at.ip);
}

/* Nothing can be printed after it. */
static bool is_last(const struct ptcheck_violation *v)
{
	return ptcheck_policy() == PTCHECK_PANIC &&
	       v->rule != PTCHECK_UFFD_WP_WRITE;
}

/**
 * ptcheck_violate - a rule has been broken
 * @found: what is known
 *
 * Counted and traced each time; printed once per place, or whenever it is the
 * last thing that somebody does.
 *
 * Context: any that page tables are changed in, locks held.
 */
void ptcheck_violate(const struct ptcheck_violation *found)
{
	struct ptcheck_violation v = *found;

	if (v.at.ptep)
		ptcheck_find_entry(v.at.ptep, &v.at.mm, &v.at.addr);
	atomic_long_inc(&ptcheck_violations[v.rule]);
	trace_ptcheck_violation(&v, owner_of(v.at.mm));
	ptcheck_remember(&v);
	if (is_new(&v) || is_last(&v))
		ptcheck_print(&v);
	else
		atomic_long_inc(&ptcheck_unprinted);
	ptcheck_punish(&v);
}
EXPORT_SYMBOL_GPL(ptcheck_violate);
