// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: where the words are.
 *
 * One of 8 bytes per page, and a block for each 2 MiB that knows where those of
 * its pages begin: found from a page frame with one load, whatever else is kept
 * per page, and not freed before the machine ends. An instance of address space
 * isolation may see them: they say of a page what its struct page says, and that
 * is mapped as well.
 */
#define pr_fmt(fmt) "page_table_check: " fmt

#include <linux/gfp.h>
#include <linux/kmemleak.h>
#include <linux/memblock.h>
#include <linux/memory.h>
#include <linux/nonsensitive.h>
#include <linux/printk.h>
#include <linux/vmalloc.h>

#include "internal.h"

struct ptcheck_block *ptcheck_blocks __ro_after_init;
unsigned long ptcheck_nr_blocks __ro_after_init;

static void *zeroed(size_t size, int nid)
{
	return __vmalloc_node(size, 1, GFP_KERNEL | __GFP_ZERO |
			      __GFP_GLOBAL_NONSENSITIVE, nid,
			      __builtin_return_address(0));
}

/* Words for the pages of a section that has none. */
static int fill_section(unsigned long pfn, int nid)
{
	unsigned long end = min((pfn + PAGES_PER_SECTION) >> PTCHECK_BLOCK_ORDER,
				ptcheck_nr_blocks);
	unsigned long index = pfn >> PTCHECK_BLOCK_ORDER;
	atomic64_t *words;

	if (index >= end || ptcheck_blocks[index].words)
		return 0;
	words = zeroed(PAGES_PER_SECTION * sizeof(*words), nid);
	if (!words)
		return -ENOMEM;
	/* Nothing points to their beginning from here on. */
	kmemleak_not_leak(words);
	words -= index << PTCHECK_BLOCK_ORDER;
	for (; index < end; index++)
		/* Zero before they are found: whoever follows the pointer. */
		smp_store_release(&ptcheck_blocks[index].words, words);
	return 0;
}

/* Memory that comes at run time: before any of it is allocated. */
static int going_online(struct notifier_block *nb, unsigned long action, void *arg)
{
	const struct memory_notify *range = arg;
	unsigned long pfn = ALIGN_DOWN(range->start_pfn, PAGES_PER_SECTION);
	int err = 0;

	if (action != MEM_GOING_ONLINE)
		return NOTIFY_OK;
	for (; pfn < range->start_pfn + range->nr_pages && !err;
	     pfn += PAGES_PER_SECTION)
		err = fill_section(pfn, pfn_to_nid(pfn));
	return notifier_from_errno(err);
}

static struct notifier_block memory_nb = {
	.notifier_call = going_online,
};

/**
 * ptcheck_make_blocks - all words, zero
 *
 * Memory beyond what the firmware announced has no blocks, and is not checked.
 *
 * Context: boot, before the first user. Return: 0 or -ENOMEM.
 */
int __init ptcheck_make_blocks(void)
{
	unsigned long nr = DIV_ROUND_UP(max_possible_pfn, PTCHECK_BLOCK_PAGES);
	unsigned long section;
	int err = 0;

	ptcheck_blocks = zeroed(nr * sizeof(*ptcheck_blocks), NUMA_NO_NODE);
	if (!ptcheck_blocks)
		return -ENOMEM;
	ptcheck_nr_blocks = nr;
	for (section = 0; section <= __highest_present_section_nr && !err; section++)
		if (present_section_nr(section))
			err = fill_section(section_nr_to_pfn(section),
					   early_pfn_to_nid(section_nr_to_pfn(section)));
	return err ?: register_memory_notifier(&memory_nb);
}
