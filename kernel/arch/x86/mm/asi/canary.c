// SPDX-License-Identifier: GPL-2.0-only
/*
 * Secrets planted by a test, and whether the audited tables reach them.
 *
 * A secret is known here by its complement only, so that the search does not
 * find itself. Each page frame that holds it is a sample. Searching all of
 * memory takes seconds and is done beforehand; an audit looks again into those.
 */
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/sections.h>

#include "audit.h"

#define NR_CANARIES	32		/* a bit each, see struct frame */
#define CANARY_WORDS	4
#define WORDS_PER_PAGE	(PAGE_SIZE / sizeof(u64))

struct canary {
	u64 complement[CANARY_WORDS];
	char kind[20];
};

struct frame {
	u32 held;		/* the secrets found by the last search */
	u32 reached;		/* those that an audit has found in it */
};

enum { PLANTED, RESTRICTED, FULL, NR_TALLIES };

static const char * const tally_names[NR_TALLIES] = {
	"planted", "reachable_restricted", "reachable_full"
};

static DEFINE_MUTEX(canary_lock);	/* adding, locating, showing */
static struct canary canaries[NR_CANARIES];
static unsigned int nr_canaries;
static bool is_candidate[256];		/* low byte of a word */

static struct frame __rcu *frames;	/* by number; from the first search on */
static unsigned long nr_frames;

static __no_kasan_or_inline bool is_secret(const struct canary *c,
					   const u64 *word)
{
	int i;

	for (i = 0; i < CANARY_WORDS; i++)
		if (word[i] != ~c->complement[i])
			return false;
	return true;
}

/* The secrets that page[@i] is a word of, as bits. */
static __no_kasan_or_inline u32 secrets_at(const u64 *page, unsigned int i)
{
	unsigned int n, k;
	u32 found = 0;

	for (n = 0; n < READ_ONCE(nr_canaries); n++)
		for (k = 0; k < CANARY_WORDS; k++)
			if (i - k <= WORDS_PER_PAGE - CANARY_WORDS &&
			    is_secret(&canaries[n], &page[i - k]))
				found |= BIT(n);
	return found;
}

/*
 * The secrets in a frame, as bits. They begin at multiples of 8 bytes, so one
 * word in four is enough to notice them. Free memory is looked into as well.
 */
static __no_sanitize_address u32 search_frame(unsigned long pfn)
{
	const u64 *page = __va(PFN_PHYS(pfn));
	unsigned int i;
	u32 found = 0;
	u64 probe;

	if (get_kernel_nofault(probe, page))
		return 0;
	for (i = CANARY_WORDS - 1; i < WORDS_PER_PAGE; i += CANARY_WORDS)
		if (unlikely(is_candidate[(u8)page[i]]))
			found |= secrets_at(page, i);
	return found;
}

/**
 * asi_canary_leaf - note which secrets a leaf of the audited tables reaches
 *
 * Context: interrupts off, full tables loaded, one at a time.
 */
void asi_canary_leaf(u64 phys, unsigned long size)
{
	struct frame *all = rcu_dereference_sched(frames);
	unsigned long pfn = PHYS_PFN(phys), end;

	if (!all)
		return;
	for (end = min(pfn + PHYS_PFN(size), nr_frames); pfn < end; pfn++)
		if (unlikely(all[pfn].held & ~all[pfn].reached))
			all[pfn].reached |= all[pfn].held & search_frame(pfn);
}

/**
 * asi_canary_add - a secret has been planted
 * @complement: its bitwise complement, 32 bytes
 * @kind: what it is called in what asi_canary_show() prints, one word
 *
 * Return: 0, -ENOSPC after 32, -EEXIST if it is known.
 */
int asi_canary_add(const u64 *complement, const char *kind)
{
	struct canary *c = canaries;
	unsigned int i;
	int err = 0;

	mutex_lock(&canary_lock);
	for (; c < canaries + nr_canaries; c++)
		if (!memcmp(c->complement, complement, sizeof(c->complement)))
			err = -EEXIST;
	if (!err && nr_canaries == NR_CANARIES)
		err = -ENOSPC;
	if (!err) {
		memcpy(c->complement, complement, sizeof(c->complement));
		strscpy(c->kind, kind);
		for (i = 0; i < CANARY_WORDS; i++)
			is_candidate[(u8)~complement[i]] = true;
		WRITE_ONCE(nr_canaries, nr_canaries + 1);
	}
	mutex_unlock(&canary_lock);
	return err;
}

static struct frame *all_frames(void)
{
	return rcu_dereference_protected(frames, lockdep_is_held(&canary_lock));
}

static bool is_static_data(unsigned long pfn)
{
	return PFN_PHYS(pfn) >= __pa_symbol(_sdata) &&
	       PFN_PHYS(pfn) < __pa_symbol(_end);
}

/* Memory that exists and that someone may have put a secret into. */
static bool is_searchable(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	return page && !PageHWPoison(page) &&
	       (!PageReserved(page) || is_static_data(pfn));
}

/**
 * asi_canary_locate - search physical memory for the secrets
 *
 * Context: may sleep; seconds per GiB under emulation. Return: 0 or -ENOMEM.
 */
int asi_canary_locate(void)
{
	struct frame *all;
	unsigned long pfn;
	int err = 0;

	mutex_lock(&canary_lock);
	all = all_frames();
	if (!all && nr_canaries) {
		nr_frames = max_pfn;
		all = vcalloc(nr_frames, sizeof(*all));
		err = all ? 0 : -ENOMEM;
		/* An audit may be under way. */
		rcu_assign_pointer(frames, all);
	}
	for (pfn = 0; all && pfn < nr_frames; pfn++) {
		WRITE_ONCE(all[pfn].held,
			   is_searchable(pfn) ? search_frame(pfn) : 0);
		cond_resched();
	}
	mutex_unlock(&canary_lock);
	return err;
}

/* In the full tables a frame is reachable through the direct map. */
static bool is_in_full_tables(unsigned long pfn)
{
	return asi_pt_lookup(asi_full_root(), asi_levels(),
			     (unsigned long)__va(PFN_PHYS(pfn))).entry;
}

/* Freed memory may have a new content: it counts while it has the old one. */
static void count_frame(unsigned long counts[][NR_CANARIES], unsigned long pfn,
			const struct frame *f)
{
	u32 planted = f->reached | (f->held & search_frame(pfn));
	const u32 secrets[NR_TALLIES] = {
		planted, f->reached, is_in_full_tables(pfn) ? planted : 0
	};
	int i, n;

	for (i = 0; i < NR_TALLIES; i++)
		for (n = 0; n < NR_CANARIES; n++)
			counts[i][n] += !!(secrets[i] & BIT(n));
}

static void show_tally(struct seq_file *m, const char *name,
		       const unsigned long *counts)
{
	unsigned long sum = 0;
	unsigned int n;

	for (n = 0; n < nr_canaries; n++)
		sum += counts[n];
	seq_printf(m, "%s %lu\n", name, sum);
	for (n = 0; n < nr_canaries; n++)
		seq_printf(m, "%s.%s %lu\n", name, canaries[n].kind, counts[n]);
}

/** asi_canary_show - frames that hold a secret, and who reaches them, by kind */
void asi_canary_show(struct seq_file *m)
{
	static unsigned long counts[NR_TALLIES][NR_CANARIES];
	const struct frame *all;
	unsigned long pfn;
	int i;

	mutex_lock(&canary_lock);
	memset(counts, 0, sizeof(counts));
	all = all_frames();
	for (pfn = 0; all && pfn < nr_frames; pfn++)
		if (all[pfn].held | all[pfn].reached)
			count_frame(counts, pfn, &all[pfn]);
	seq_printf(m, "secrets %u\n", nr_canaries);
	for (i = 0; i < NR_TALLIES; i++)
		show_tally(m, tally_names[i], counts[i]);
	mutex_unlock(&canary_lock);
}

/** asi_canary_clear - forget all secrets */
void asi_canary_clear(void)
{
	struct frame *all;

	mutex_lock(&canary_lock);
	all = rcu_replace_pointer(frames, NULL, lockdep_is_held(&canary_lock));
	/* Audits run with interrupts off. */
	synchronize_rcu();
	vfree(all);
	WRITE_ONCE(nr_canaries, 0);
	memset(canaries, 0, sizeof(canaries));
	memset(is_candidate, 0, sizeof(is_candidate));
	mutex_unlock(&canary_lock);
}
