/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which PCID an instance uses on a CPU, and whether its translations are stale.
 *
 * Every CPU has a few PCIDs of its own for restricted tables and remembers, for
 * each, the instance that used it last and the generation it had caught up to.
 * An instance's generation rises when something is unmapped from it. Loading a
 * PCID whose instance and generation match needs no flush.
 *
 * Plain arithmetic, also built and model-checked in user space.
 */
#ifndef _ARCH_X86_MM_ASI_TLB_H
#define _ARCH_X86_MM_ASI_TLB_H

#include <linux/compiler.h>
#include <linux/types.h>

/*
 * PCIDs 1 to 6 are the full tables' (TLB_NR_DYN_ASIDS) and bit 11 marks the
 * user half under page table isolation. These lie between; entry code that
 * takes the low 11 bits of CR3 as a bit index never sees them, because a
 * restricted CR3 is left before user space.
 */
#define ASI_FIRST_PCID	16
#ifndef ASI_NR_PCIDS		/* the unit tests make do with fewer */
#define ASI_NR_PCIDS	8
#endif

struct asi_tlb_slot {
	u64 id;			/* instance, 0: none */
	u64 gen;		/* up to date with this generation, 0: stale */
};

struct asi_tlb {
	struct asi_tlb_slot slot[ASI_NR_PCIDS];
	unsigned int next;	/* slot to recycle */
};

struct asi_tlb_pick {
	unsigned int slot;
	bool flush;
};

/**
 * asi_tlb_pick - choose the slot for an instance about to be loaded
 * @tlb: this CPU's
 * @id: the instance, not 0
 * @gen: its generation, read before this call, at least 1
 *
 * A slot that must be flushed is marked stale until asi_tlb_done(), so that
 * whoever loads it in between (an NMI) flushes too.
 *
 * Context: preemption off; may be interrupted by itself.
 */
static __always_inline struct asi_tlb_pick
asi_tlb_pick(struct asi_tlb *tlb, u64 id, u64 gen)
{
	struct asi_tlb_pick pick = { .flush = true };
	/* Read before the search: an NMI in between recycles the same slot. */
	unsigned int next = tlb->next;
	unsigned int i;

	barrier();
	for (i = 0; i < ASI_NR_PCIDS; i++) {
		if (tlb->slot[i].id == id) {
			pick.slot = i;
			pick.flush = tlb->slot[i].gen != gen;
			return pick;
		}
	}

	pick.slot = next;
	tlb->slot[next].gen = 0;
	barrier();
	tlb->slot[next].id = id;
	barrier();
	tlb->next = (next + 1) % ASI_NR_PCIDS;
	return pick;
}

/**
 * asi_tlb_done - the slot has been loaded, with a flush if one was asked for
 * @tlb: this CPU's
 * @pick: from asi_tlb_pick()
 * @gen: the generation given there
 */
static __always_inline void
asi_tlb_done(struct asi_tlb *tlb, struct asi_tlb_pick pick, u64 gen)
{
	barrier();
	tlb->slot[pick.slot].gen = gen;
}

/* Make every slot stale: a mapping that all instances may share has changed. */
static __always_inline void asi_tlb_forget(struct asi_tlb *tlb)
{
	unsigned int i;

	for (i = 0; i < ASI_NR_PCIDS; i++)
		tlb->slot[i].gen = 0;
}

#endif /* _ARCH_X86_MM_ASI_TLB_H */
