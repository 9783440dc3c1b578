/* SPDX-License-Identifier: GPL-2.0-only */
/* The auditor: what is mapped in the tables that a VM entry uses. */
#ifndef _ARCH_X86_MM_ASI_AUDIT_H
#define _ARCH_X86_MM_ASI_AUDIT_H

#include <linux/types.h>

#include "asi.h"

struct seq_file;

/* Verdict on one leaf: a kind, or that it should not be there. */
struct asi_verdict {
	enum asi_kind kind;
	u64 leak_bytes;
	unsigned long leak_va;		/* of the first offending page */
};

struct asi_verdict asi_classify(struct asi *asi, unsigned long va,
				const struct asi_pt_leaf *leaf);
const char *asi_kind_name(enum asi_kind kind);

void asi_audit_show(struct seq_file *m);
void asi_audit_clear(void);
void asi_audit_armed(bool armed);

void asi_canary_leaf(u64 phys, unsigned long size);
int asi_canary_add(const u64 *complement, const char *kind);
int asi_canary_locate(void);
void asi_canary_show(struct seq_file *m);
void asi_canary_clear(void);

extern u64 asi_audit_interval;

#endif /* _ARCH_X86_MM_ASI_AUDIT_H */
