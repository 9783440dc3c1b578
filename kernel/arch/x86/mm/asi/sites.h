/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ARCH_X86_MM_ASI_SITES_H
#define _ARCH_X86_MM_ASI_SITES_H

struct seq_file;

int asi_sites_show(struct seq_file *m);
void asi_sites_clear(void);

#endif /* _ARCH_X86_MM_ASI_SITES_H */
