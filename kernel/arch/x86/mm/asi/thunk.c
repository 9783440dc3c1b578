// SPDX-License-Identifier: GPL-2.0-only
/*
 * Thunks for indirect branches that the kernel writes into the area of modules.
 *
 * Processors with Indirect Target Selection need indirect branches in the upper
 * half of a cache line. Where the compiler did not put one there, the kernel
 * calls a thunk on a page that it has allocated for that. Entry code does so, too:
 * without those pages in every instance the first interrupt would fault for ever.
 */
#include <linux/cpufeature.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/xarray.h>
#include <asm/insn.h>
#include <asm/insn-eval.h>

#include "asi.h"

static DEFINE_XARRAY(thunks);		/* pages of them, by address */

static bool wanted(void)
{
	return cpu_feature_enabled(X86_FEATURE_INDIRECT_THUNK_ITS) &&
	       !IS_ENABLED(CONFIG_ASI_STATIC_COARSE);
}

static int map_page(unsigned long va)
{
	unsigned long page = va & PAGE_MASK;

	return xa_err(xa_store(&thunks, PFN_DOWN(page), xa_mk_value(1),
			       GFP_KERNEL)) ?:
	       asi_image_map(page, page + PAGE_SIZE, ASI_PTE_WRITE);
}

/* Where the branch goes that now is where an indirect one was; 0: nobody knows. */
static unsigned long __init target_of(const s32 *site)
{
	unsigned long addr = (unsigned long)site + *site;
	struct insn insn;

	if (insn_decode_kernel(&insn, (void *)addr) ||
	    insn.immediate.nbytes != 4)
		return 0;
	return addr + insn.length + insn.immediate.value;
}

/**
 * asi_thunks_setup - map the thunks of the kernel image in every instance
 *
 * Context: boot, after the alternatives were applied.
 * Return: 0 or -errno.
 */
int __init asi_thunks_setup(void)
{
	unsigned long va;
	int err = 0;
	s32 *site;

	if (!wanted())
		return 0;
	for (site = __retpoline_sites; site < __retpoline_sites_end && !err;
	     site++) {
		va = target_of(site);
		if (va >= MODULES_VADDR && va < MODULES_END &&
		    !asi_thunk_maps(va))
			err = map_page(va);
	}
	return err;
}

#ifdef CONFIG_MODULES
/**
 * asi_thunks_map - map those of a module; what is left out costs exits
 *
 * Context: may sleep.
 */
void asi_thunks_map(const struct module *mod)
{
	int i;

	for (i = 0; wanted() && i < mod->its_num_pages; i++)
		if (map_page((unsigned long)mod->its_page_array[i]))
			return;
}

/** asi_thunks_unmap - undo it, before they are freed */
void asi_thunks_unmap(const struct module *mod)
{
	unsigned long va;
	int i;

	for (i = 0; wanted() && i < mod->its_num_pages; i++) {
		va = (unsigned long)mod->its_page_array[i];
		asi_image_unmap(va, va + PAGE_SIZE);
		xa_erase(&thunks, PFN_DOWN(va));
	}
}
#endif

/** asi_thunk_maps - whether @va is on such a page; any context */
bool asi_thunk_maps(unsigned long va)
{
	return xa_load(&thunks, PFN_DOWN(va));
}
