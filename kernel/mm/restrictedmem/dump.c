// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies of all memory: /proc/kcore, and the dump that a crash kernel makes. What
 * is in restricted files is in neither.
 *
 * Pages are found by what their struct page says, without a lock or reference:
 * the reader of /proc/kcore looks at pages that come and go, and a kernel that
 * has crashed can trust no list and wait for no lock. So every pointer may be
 * wild, and is followed such that this does no harm.
 */
#define pr_fmt(fmt) "restrictedmem: " fmt

#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "internal.h"

/*
 * Whether @page is in a restricted file, now. Any context. @page has a struct
 * page that can be read, and may be anybody's.
 */
bool restrictedmem_has_page(struct page *page)
{
	const struct address_space_operations *aops;
	struct address_space *mapping;
	struct folio *folio;

	if (!restrictedmem_active())
		return false;
	folio = page_folio(page);
	if (get_kernel_nofault(mapping, &folio->mapping) || !mapping ||
	    ((unsigned long)mapping & PAGE_MAPPING_FLAGS))
		return false;
	return !get_kernel_nofault(aops, &mapping->a_ops) && aops == &rmem_aops;
}

/*
 * The kernel has crashed, and another one is about to be started that can read
 * all memory: clears what restricted files have. On the last CPU that runs, with
 * interrupts off. Takes as long as writing to that memory once.
 */
void restrictedmem_wipe(void)
{
	unsigned long pfn, wiped = 0;
	struct page *page;

	if (!restrictedmem_active())
		return;
	for (pfn = 0; pfn < max_pfn; pfn++) {
		page = pfn_to_online_page(pfn);
		if (!page || !restrictedmem_has_page(page) ||
		    PageHWPoison(page))
			continue;
		rmem_direct_wipe(page);
		wiped++;
	}
	pr_info("%lu pages cleared\n", wiped);
}
