// SPDX-License-Identifier: GPL-2.0-only
/*
 * Secrets planted by a test, and whether the audited tables reach them.
 *
 * A secret is known here by its complement only, so that the search does not
 * find itself. Searching all of memory takes seconds and is done beforehand;
 * an audit merely compares page frames.
 */
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "audit.h"

#define NR_CANARIES	16
#define CANARY_WORDS	4
#define NR_FRAMES	16		/* places one secret is remembered in */

struct canary {
	u64 complement[CANARY_WORDS];
	unsigned long pfn[NR_FRAMES];
	unsigned int nr_pfns;
	bool restricted;		/* an audit reached one of its frames */
};

static DEFINE_MUTEX(canary_lock);	/* adding and locating */
static struct canary canaries[NR_CANARIES];
static unsigned int nr_canaries;

static bool has_frame(const struct canary *c, unsigned long first,
		      unsigned long nr)
{
	unsigned int i;

	for (i = 0; i < READ_ONCE(c->nr_pfns); i++)
		if (c->pfn[i] - first < nr)
			return true;
	return false;
}

/** asi_canary_leaf - note which secrets a leaf of the audited tables reaches */
void asi_canary_leaf(u64 phys, unsigned long size)
{
	unsigned int nr = READ_ONCE(nr_canaries);
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (has_frame(&canaries[i], PHYS_PFN(phys), size >> PAGE_SHIFT))
			canaries[i].restricted = true;
}

/**
 * asi_canary_add - a secret has been planted
 * @complement: its bitwise complement, 32 bytes
 *
 * Return: 0, -ENOSPC after 16, -EEXIST if it is known.
 */
int asi_canary_add(const u64 *complement)
{
	unsigned int i;
	int err = 0;

	mutex_lock(&canary_lock);
	for (i = 0; i < nr_canaries; i++)
		if (!memcmp(canaries[i].complement, complement,
			    sizeof(canaries[i].complement)))
			err = -EEXIST;
	if (!err && nr_canaries == NR_CANARIES)
		err = -ENOSPC;
	if (!err) {
		memcpy(canaries[nr_canaries].complement, complement,
		       sizeof(canaries[0].complement));
		WRITE_ONCE(nr_canaries, nr_canaries + 1);
	}
	mutex_unlock(&canary_lock);
	return err;
}

static void compare(struct canary *c, const u64 *word, unsigned long pfn)
{
	int i;

	for (i = 1; i < CANARY_WORDS; i++)
		if (word[i] != ~c->complement[i])
			return;
	if (c->nr_pfns < NR_FRAMES) {
		c->pfn[c->nr_pfns] = pfn;
		WRITE_ONCE(c->nr_pfns, c->nr_pfns + 1);
	}
}

static void search_word(const u64 *word, unsigned long pfn)
{
	unsigned int n;

	for (n = 0; n < nr_canaries; n++)
		if (unlikely(*word == ~canaries[n].complement[0]))
			compare(&canaries[n], word, pfn);
}

static void search_page(const u64 *page, unsigned long pfn)
{
	unsigned int i;

	for (i = 0; i <= PAGE_SIZE / sizeof(u64) - CANARY_WORDS; i++)
		search_word(&page[i], pfn);
}

/* Memory that exists, is mapped, and that someone may have put a secret into. */
static bool searchable(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);
	u64 probe;

	return page && !PageBuddy(page) && !PageReserved(page) &&
	       !PageHWPoison(page) &&
	       !get_kernel_nofault(probe, (u64 *)page_address(page));
}

/**
 * asi_canary_locate - search physical memory for the secrets
 *
 * Words are read at 8-byte alignment. Context: may sleep; seconds per GiB under
 * emulation.
 */
void asi_canary_locate(void)
{
	unsigned long pfn;
	unsigned int i;

	mutex_lock(&canary_lock);
	for (i = 0; i < nr_canaries; i++)
		WRITE_ONCE(canaries[i].nr_pfns, 0);
	for (pfn = 0; nr_canaries && pfn < max_pfn; pfn++) {
		if (searchable(pfn))
			search_page(__va(PFN_PHYS(pfn)), pfn);
		cond_resched();
	}
	mutex_unlock(&canary_lock);
}

/* In the full tables a frame is reachable through the direct map. */
static bool reachable_full(const struct canary *c)
{
	unsigned int i;

	for (i = 0; i < c->nr_pfns; i++)
		if (asi_pt_lookup(asi_full_root(), asi_levels(),
				  (unsigned long)__va(PFN_PHYS(c->pfn[i]))).entry)
			return true;
	return false;
}

/** asi_canary_show - how many secrets there are, and who reaches them */
void asi_canary_show(struct seq_file *m)
{
	unsigned int i, full = 0, restricted = 0;

	mutex_lock(&canary_lock);
	for (i = 0; i < nr_canaries; i++) {
		full += reachable_full(&canaries[i]);
		restricted += canaries[i].restricted;
	}
	seq_printf(m, "planted %u\n", nr_canaries);
	seq_printf(m, "reachable_restricted %u\n", restricted);
	seq_printf(m, "reachable_full %u\n", full);
	mutex_unlock(&canary_lock);
}

/** asi_canary_clear - forget all secrets */
void asi_canary_clear(void)
{
	mutex_lock(&canary_lock);
	WRITE_ONCE(nr_canaries, 0);
	memset(canaries, 0, sizeof(canaries));
	mutex_unlock(&canary_lock);
}
