/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two processors as far as switching address spaces goes: CR3, a TLB tagged with
 * PCIDs, store buffers, interrupts and NMIs. All of its state is in @machine, so
 * that it can be copied, compared and brought back.
 */
#ifndef _MODEL_MACHINE_H
#define _MODEL_MACHINE_H

#include "asi.h"
#include "coro.h"

#define NR_CPUS		2
#define NR_INSTANCES	3
#define NR_QUEUED	8
#define PERCPU_BYTES	512

/* What a cached translation may be one of; each is unmapped in its own way. */
enum mapping {
	MAP_INSTANCE,	/* in the instance: asi_flush() */
	MAP_KERNEL,	/* shared by all: flush_tlb_kernel_range() */
	MAP_FIXMAP,	/* this CPU's: flush_tlb_one_kernel() in an NMI */
	MAP_USER,	/* of the process: flush_tlb_mm_range() */
	NR_MAPPINGS,
};

/* Counts unmappings: what the tables hold, and what has been flushed. */
struct version {
	u8 now;
	u8 flushed;
};

/* The worst that a PCID may have cached: the oldest of each kind. */
struct cached {
	u64 owner;			/* id of the instance, 0: nothing */
	u8 version[NR_MAPPINGS];
	u8 unused[4];
};

/* Why a CPU has stopped; the explorer decides how it goes on. */
enum stop {
	STOP_LOCAL,	/* before something that other CPUs cannot see */
	STOP_SHARED,	/* before something that they can */
	STOP_CHOICE,	/* about to do one of several things */
	STOP_WAIT,	/* for its IPI to be handled */
	STOP_END,	/* of its program */
};

#define GO		0	/* on */
#define NMI_EMPTY	1	/* an NMI that does nothing of interest, */
#define NMI_EXIT	2	/* that leaves, like a page fault in it, */
#define NMI_FIXMAP	3	/* that changes a kernel mapping, like GHES does */
#define TAKE_IPI	4
#define NR_REPLIES	5

struct cpu {
	unsigned long cr3;
	unsigned long full_cr3;		/* of the running mm */
	struct cached tlb[ASI_NR_PCIDS];
	struct version fixmap;
	u64 user_gen;			/* what the full tables have caught up to */
	u8 unmapping;			/* what the next full barrier unmaps */
	u8 unmapped;			/* the version that has made */

	/* Values of asi_place.curr that other CPUs do not see yet. */
	struct asi *queue[NR_QUEUED];
	u8 nr_queued;
	struct asi *visible_curr;

	bool irqs_on;
	bool in_nmi;
	void (*ipi)(void *info);	/* to be handled here */
	void *ipi_info;

	struct task_struct task;
	u8 next_op;

	enum stop stop;
	u8 nr_choices;
	u8 reply;
	const char *where;
};

struct machine {
	char percpu[NR_CPUS][PERCPU_BYTES] __attribute__((aligned(64)));
	struct cpu cpu[NR_CPUS];
	struct asi instance[NR_INSTANCES];
	struct version instance_map[NR_INSTANCES];
	struct version kernel_map;
	struct version user_map;	/* of the process that has all instances */
	atomic64_t user_gen;		/* its context.tlb_gen */
	bool user_changes;		/* or reading it is of no interest */
	u8 users[NR_INSTANCES];		/* references of the model's threads */
	bool dying[NR_INSTANCES];
	u8 next_id;
	u8 running;
	int pinned;			/* CPU that goes next, or -1 */
	u8 nmis_left;
	bool has_pcid;
	const char *violation;
};

typedef void (*machine_program)(void);

extern struct machine machine;
extern struct coro coros[NR_CPUS];

void machine_init(machine_program program, unsigned int nmis, bool has_pcid,
		  bool user_changes);

/* What may happen next on @cpu: a mask of replies, 0 if it must wait. */
unsigned int machine_replies(unsigned int cpu);
void machine_reply(unsigned int cpu, unsigned int reply);
/* Makes the oldest store of @cpu visible. */
bool machine_can_drain(unsigned int cpu);
void machine_drain(unsigned int cpu);
bool machine_finished(void);
/* Two machines in the same state are equal after this, byte for byte. */
void machine_normalise(void);

/* The rest is for programs: what runs on the CPUs. */
struct cpu *this_cpu(void);
unsigned int model_choose(unsigned int nr, const char *where);
void model_point(const char *where);
void model_open_window(const char *where);
void model_unmap(unsigned int mapping, unsigned int instance);
void model_flushed(struct version *version);
void model_end(void);
void model_invlpg(void);
void model_vmexit(unsigned long host_cr3);
void model_check(void);

#endif /* _MODEL_MACHINE_H */
