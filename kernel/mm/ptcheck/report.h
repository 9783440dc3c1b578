/* SPDX-License-Identifier: GPL-2.0-only */
/* Page table check: what becomes of a violation. */
#ifndef _MM_PTCHECK_REPORT_H
#define _MM_PTCHECK_REPORT_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <asm/pgtable_types.h>

#include "word.h"

struct mm_struct;
struct seq_file;

/* From lax to strict: run time moves down this list only. */
enum ptcheck_policy {
	PTCHECK_REPORT,
	PTCHECK_KILL,
	PTCHECK_PANIC,
	PTCHECK_NR_POLICIES,
};

/**
 * struct ptcheck_place - which entry is spoken of
 * @mm: whose table it is; NULL: nobody's
 * @addr: what it maps in @mm; or NULL's in the kernel
 * @ptep: instead of these two: they are looked for when they are needed
 * @ip: who changes it
 */
struct ptcheck_place {
	struct mm_struct *mm;
	unsigned long addr;
	const pte_t *ptep;
	unsigned long ip;
};

/**
 * struct ptcheck_violation - everything that is known about one
 * @rule: that has been broken
 * @at: the entry
 * @pfn: page frame
 * @old: its word before
 * @op: what has been done to it; PTCHECK_NR_OPS: nothing to the word
 * @anon: what kind of page it is now
 * @entry: of a restricted table
 */
struct ptcheck_violation {
	enum ptcheck_rule rule;
	struct ptcheck_place at;
	unsigned long pfn;
	u64 old;
	enum ptcheck_op op;
	bool anon;
	u64 entry;
};

extern atomic_long_t ptcheck_violations[PTCHECK_NR_RULES];
extern atomic_long_t ptcheck_unprinted;

void ptcheck_violate(const struct ptcheck_violation *v);

enum ptcheck_policy ptcheck_policy(void);
const char *ptcheck_policy_name(enum ptcheck_policy policy);
int ptcheck_policy_parse(const char *name, size_t len);
int ptcheck_policy_tighten(enum ptcheck_policy policy);
void ptcheck_policy_boot(enum ptcheck_policy policy);
void ptcheck_punish(const struct ptcheck_violation *v);

void ptcheck_print(const struct ptcheck_violation *v);
void ptcheck_show_facts(struct seq_file *m, const struct ptcheck_violation *v);
const char *ptcheck_op_name(enum ptcheck_op op);
void ptcheck_remember(const struct ptcheck_violation *v);

#endif /* _MM_PTCHECK_REPORT_H */
