/* SPDX-License-Identifier: GPL-2.0-only */
/* The auditor's call from the path that runs a guest. */
#ifndef _ASM_X86_ASI_AUDIT_H
#define _ASM_X86_ASI_AUDIT_H

#include <linux/jump_label.h>
#include <linux/types.h>

struct asi;
struct dentry;

/*
 * On while ASI is enabled or the auditor armed: the one branch that a guest
 * entry pays for both when it has neither.
 */
DECLARE_STATIC_KEY_FALSE(asi_entry_key);
DECLARE_STATIC_KEY_FALSE(asi_audit_key);

u64 asi_exits_here(void);
void asi_site_close(bool avoidable);

#ifdef CONFIG_DEBUG_FS
extern struct dentry *asi_debugfs_dir;
void asi_audit_kvm_entry(struct asi *asi);
#else
static inline void asi_audit_kvm_entry(struct asi *asi) { }
#endif

#endif /* _ASM_X86_ASI_AUDIT_H */
