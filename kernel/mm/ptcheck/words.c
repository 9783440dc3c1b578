// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page table check: where the words are.
 *
 * One of 8 bytes per page, found from a page frame with one addition: an array with
 * addresses for all memory that there can be, and pages behind those of what there is.
 * They are not freed before the machine ends. An instance of address space isolation
 * may see them: they say of a page what its struct page says, and that is mapped as
 * well.
 */
#define pr_fmt(fmt) "page_table_check: " fmt

#include <linux/gfp.h>
#include <linux/memblock.h>
#include <linux/memory.h>
#include <linux/nonsensitive.h>
#include <linux/printk.h>
#include <linux/vmalloc.h>

#include "internal.h"

#define WORDS_PER_PAGE	(PAGE_SIZE / sizeof(*ptcheck_words))

atomic64_t *ptcheck_words __ro_after_init;
unsigned long ptcheck_nr_words __ro_after_init;

static struct vm_struct *area __ro_after_init;

/* A page of words, for the page frames from @pfn on. */
static int fill_page(unsigned long pfn, int nid)
{
	unsigned long start = (unsigned long)&ptcheck_words[pfn];
	struct page *page;
	int err;

	if (vmalloc_to_page((void *)start))
		return 0;
	page = alloc_pages_node(nid, GFP_KERNEL | __GFP_ZERO |
				__GFP_GLOBAL_NONSENSITIVE, 0);
	if (!page)
		return -ENOMEM;
	err = vm_area_map_pages(area, start, start + PAGE_SIZE, &page);
	if (err)
		__free_page(page);
	return err;
}

/* Words for the pages of a section. */
static int fill_section(unsigned long pfn, int nid)
{
	unsigned long end = min(pfn + PAGES_PER_SECTION, ptcheck_nr_words);
	int err = 0;

	for (; pfn < end && !err; pfn += WORDS_PER_PAGE)
		err = fill_page(pfn, nid);
	return err;
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
 * ptcheck_make_words - all words, zero
 *
 * Memory beyond what the firmware announced has none, and is not checked.
 *
 * Context: boot, before the first user. Return: 0 or -ENOMEM.
 */
int __init ptcheck_make_words(void)
{
	unsigned long nr = round_up(max_possible_pfn, WORDS_PER_PAGE);
	unsigned long section;
	int err = 0;

	area = get_vm_area(nr * sizeof(*ptcheck_words),
			   VM_SPARSE | VM_GLOBAL_NONSENSITIVE);
	if (!area)
		return -ENOMEM;
	ptcheck_words = area->addr;
	ptcheck_nr_words = nr;
	for (section = 0; section <= __highest_present_section_nr && !err; section++)
		if (present_section_nr(section))
			err = fill_section(section_nr_to_pfn(section),
					   early_pfn_to_nid(section_nr_to_pfn(section)));
	return err ?: register_memory_notifier(&memory_nb);
}
