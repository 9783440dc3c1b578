/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs on the machine around switch.c and tlb.c: vCPUs, flushes, and the
 * handlers of interrupts and NMIs.
 */
#ifndef _MODEL_SOFTWARE_H
#define _MODEL_SOFTWARE_H

#include "machine.h"

enum op_kind {
	OP_END,
	OP_RUN,		/* a vCPU of the instance */
	OP_FAULT,	/* the same, with a fault in the critical section */
	OP_FLUSH,	/* unmap something in the instance */
	OP_KERNEL,	/* unmap something that all instances share */
	OP_EXIT,	/* go back to the full tables */
	OP_MM,		/* go to another process */
	OP_RENEW,	/* free the instance, make another at the same address */
	OP_ANY,		/* any of the above, on any instance */
	OP_USER,	/* unmap memory of the process that has the instances */
};

struct op {
	enum op_kind kind;
	unsigned int instance;
};

#define MAX_OPS	6

/* What each CPU does, one operation after the other. */
struct scenario {
	const char *name;
	struct op ops[NR_CPUS][MAX_OPS];
	unsigned int nmis;
	bool no_pcid;
	bool user;		/* has OP_USER */
	bool deep;		/* for an idle hour */
};

extern const struct asi_class software_class;
extern const struct scenario *software_scenario;

void software_run(void);
void software_ipi(void);
void software_nmi(unsigned int kind);

#endif /* _MODEL_SOFTWARE_H */
