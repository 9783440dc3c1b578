// SPDX-License-Identifier: GPL-2.0-only
/*
 * restrictedmem=nodirectmap: what has been handed out is not in the direct map.
 *
 * A folio leaves it when it is given to the first consumer, just cleared, and
 * returns cleared, before it goes back to the page allocator. A large one leaves
 * with one entry of the direct map; that is split when only some of it returns,
 * and stays split. The kernel's own accesses map one page at a time, at an
 * address that only one CPU uses.
 */
#define pr_fmt(fmt) "restrictedmem: " fmt

#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>
#include <asm/tlbflush.h>

#include "internal.h"

DEFINE_STATIC_KEY_FALSE(rmem_nodirect);
static bool wanted __initdata;

/* Where a CPU has a page mapped, if any: an address and its entry. */
struct window {
	unsigned long addr;
	pte_t *pte;
};

static DEFINE_PER_CPU(struct window, windows);

static int __init parse_restrictedmem(char *arg)
{
	wanted = arg && !strcmp(arg, "nodirectmap");
	if (!wanted)
		pr_warn("restrictedmem=%s: expected nodirectmap\n", arg ?: "");
	return 0;
}
early_param("restrictedmem", parse_restrictedmem);

static int __init note_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct window *window = data;

	window->pte = pte;
	window->addr = addr;
	return 0;
}

static int __init open_window(int cpu)
{
	struct vm_struct *area = get_vm_area(PAGE_SIZE, VM_MAP);

	if (!area)
		return -ENOMEM;
	/* What was mapped for a failure below stays; nothing uses it. */
	return apply_to_page_range(&init_mm, (unsigned long)area->addr,
				   PAGE_SIZE, note_pte,
				   per_cpu_ptr(&windows, cpu));
}

/* At boot, before there can be a file. Returns 0 or -ENOMEM. */
int __init rmem_direct_init(void)
{
	int cpu, err;

	if (!wanted)
		return 0;
	for_each_possible_cpu(cpu) {
		err = open_window(cpu);
		if (err)
			return err;
	}
	static_branch_enable(&rmem_nodirect);
	pr_info("memory in use is not in the direct map\n");
	return 0;
}

static int take(struct folio *folio)
{
	unsigned long addr = (unsigned long)folio_address(folio);
	int err;

	/* One call for all of a large folio: it flushes, and splits nothing. */
	if (folio_test_large(folio))
		return set_memory_np(addr, folio_nr_pages(folio));
	err = set_direct_map_invalid_noflush(&folio->page);
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);
	return err;
}

static int give(struct folio *folio)
{
	unsigned long addr = (unsigned long)folio_address(folio);

	if (folio_test_large(folio))
		return set_memory_p(addr, folio_nr_pages(folio));
	return set_direct_map_default_noflush(&folio->page);
}

/*
 * Takes a locked folio out of the direct map. On return no CPU has it in its TLB.
 * May sleep. -ENOMEM: there is no memory for page tables; nothing has changed.
 */
int __rmem_direct_take(struct folio *folio)
{
	if (take(folio)) {
		WARN_ON_ONCE(give(folio));
		return -ENOMEM;
	}
	rmem_count(RMEM_HIDDEN, folio_nr_pages(folio));
	return 0;
}

/*
 * Puts it back, for the page allocator. May sleep. -ENOMEM: the entry of a large
 * page had to be split, and could not be; the folio must not be freed.
 */
int __rmem_direct_give(struct folio *folio)
{
	if (give(folio))
		return -ENOMEM;
	rmem_count(RMEM_HIDDEN, -folio_nr_pages(folio));
	return 0;
}

/**
 * restrictedmem_map_local - an address for a page, for the moment
 * @page: from restrictedmem_get_page() or restrictedmem_find_page()
 *
 * For task context. Until restrictedmem_unmap_local() the caller must not sleep,
 * nor ask for another one.
 */
void *restrictedmem_map_local(struct page *page)
{
	struct window *window;

	if (!static_branch_unlikely(&rmem_nodirect))
		return kmap_local_page(page);

	window = &get_cpu_var(windows);
	WARN_ON_ONCE(!pte_none(*window->pte));
	set_pte(window->pte, mk_pte(page, PAGE_KERNEL));
	return (void *)window->addr;
}
EXPORT_SYMBOL_GPL(restrictedmem_map_local);

/* Other CPUs have no use for the address, so only this one flushes it. */
void restrictedmem_unmap_local(void *addr)
{
	struct window *window;

	if (!static_branch_unlikely(&rmem_nodirect)) {
		kunmap_local(addr);
		return;
	}
	window = this_cpu_ptr(&windows);
	pte_clear(&init_mm, window->addr, window->pte);
	flush_tlb_one_kernel(window->addr);
	put_cpu_var(windows);
}
EXPORT_SYMBOL_GPL(restrictedmem_unmap_local);

/*
 * Clears a page of a kernel that has crashed, on its last CPU: whatever that had
 * mapped at its address of the moment, it will not come back to it.
 */
void rmem_direct_wipe(struct page *page)
{
	struct window *window = this_cpu_ptr(&windows);

	if (!static_branch_unlikely(&rmem_nodirect)) {
		clear_page(page_address(page));
		return;
	}
	set_pte(window->pte, mk_pte(page, PAGE_KERNEL));
	flush_tlb_one_kernel(window->addr);
	clear_page((void *)window->addr);
}

/**
 * restrictedmem_map - an address for a page, for as long as it takes
 * @page: any page of memory that the caller has a reference to
 *
 * As kmap(), also for a page that is not in the direct map. May sleep. NULL: there
 * is no memory.
 */
void *restrictedmem_map(struct page *page)
{
	if (!static_branch_unlikely(&rmem_nodirect) || kernel_page_present(page))
		return page_address(page);
	return vmap(&page, 1, VM_MAP, PAGE_KERNEL);
}
EXPORT_SYMBOL_GPL(restrictedmem_map);

/* @addr: anywhere in what restrictedmem_map() returned. May sleep. */
void restrictedmem_unmap(void *addr)
{
	if (is_vmalloc_addr(addr))
		vunmap((void *)PAGE_ALIGN_DOWN((unsigned long)addr));
}
EXPORT_SYMBOL_GPL(restrictedmem_unmap);
