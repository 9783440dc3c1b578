/* SPDX-License-Identifier: GPL-2.0-only */
/* The steps of a violation, in words. */
#ifndef _MODEL_TRACE_H
#define _MODEL_TRACE_H

#include <stdbool.h>

/* Off while exploring: then the names below cost nothing and say little. */
extern bool trace_on;

/* Names for places to stop at; valid until the CPU stops again. */
const char *trace_access(const void *address, const char *what);
const char *trace_cr3(unsigned long cr3, bool noflush);

/* @reply is what @cpu is about to be told, or -1 for a store becoming visible. */
void trace_step(unsigned int cpu, int reply);

#endif /* _MODEL_TRACE_H */
