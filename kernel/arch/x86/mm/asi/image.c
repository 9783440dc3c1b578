// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of the address space, from the kernel image on, in restricted ones: of
 * the image text, read-only data, and the variables that static.list names; of
 * modules what module.c and thunk.c say; all of the fixmap.
 *
 * One set of tables, made at boot, which every instance enters at the 1 GiB
 * level, so that a module is mapped and unmapped in one place. For the image they
 * do not follow the full tables and need not: nothing of what they map is ever
 * freed, new text is poked through addresses of its own, and what the full tables
 * take away at the end of boot (writing text, executing data) is denied here from
 * the start. Of the fixmap they share the full tables' own.
 */
#include <linux/gfp.h>
#include <linux/init.h>
#include <vdso/datapage.h>
#include <asm/page.h>
#include <asm/sections.h>
#include <asm/vvar.h>

#include "asi.h"

struct part {
	const char *start;
	const char *end;
	u64 deny;
	enum asi_kind kind;
};

static const struct part parts[] = {
	{ _text, _etext, ASI_PTE_WRITE, ASI_KIND_TEXT },
	{ __start_rodata, __end_rodata, ASI_PTE_WRITE | ASI_PTE_NX,
		ASI_KIND_RODATA },
#ifdef CONFIG_ASI_STATIC_COARSE
	{ _text, _end, 0, ASI_KIND_DATA },
#else
	{ __start_asi_data, __end_asi_data, ASI_PTE_NX, ASI_KIND_DATA },
	{ __start_asi_bss, __end_asi_bss, ASI_PTE_NX, ASI_KIND_DATA },
	/* The time of day for user space, which every process can read. */
	{ &__vvar_page, &__vvar_page + PAGE_SIZE, ASI_PTE_NX, ASI_KIND_DATA },
#endif
};

/* After boot asi_instances_lock. */
static struct asi_pt image;

/* The early tables map the image up to the next 2 MiB; ours to the next page. */
static unsigned long end_of(const struct part *p)
{
	return ALIGN((unsigned long)p->end,
		     IS_ENABLED(CONFIG_ASI_STATIC_COARSE) ? PMD_SIZE : PAGE_SIZE);
}

/** asi_image_tree - whether @pt is the tree of the image, which belongs to nobody */
bool asi_image_tree(const struct asi_pt *pt)
{
	return pt == &image;
}

/**
 * asi_image_map - map a range at the end of the address space in all instances
 * @start: first address, page aligned
 * @end: one past the last one, page aligned
 * @deny: see asi_map_leaf()
 *
 * Tables that this needs stay for ever; there is one per 2 MiB at most.
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM, -EFAULT if the full tables have a hole there or -EEXIST if
 * something else is mapped, with a part of the range mapped.
 */
int asi_image_map(unsigned long start, unsigned long end, u64 deny)
{
	unsigned long va = start;
	void *spare = NULL;
	int err = 0;

	mutex_lock(&asi_instances_lock);
	while (va < end && !err) {
		err = asi_map_leaf(&image, &va, end, deny, &spare);
		if (err != -EAGAIN)
			continue;
		spare = (void *)get_zeroed_page(GFP_KERNEL);
		err = spare ? 0 : -ENOMEM;
	}
	mutex_unlock(&asi_instances_lock);
	free_page((unsigned long)spare);
	return err;
}

/**
 * asi_image_unmap - take a range out of all instances
 * @start: first address, page aligned
 * @end: one past the last one, page aligned
 *
 * No CPU can reach it through any instance once this returns. What was not
 * mapped need not have been.
 *
 * Context: may sleep.
 */
void asi_image_unmap(unsigned long start, unsigned long end)
{
	struct asi *asi;

	mutex_lock(&asi_instances_lock);
	asi_pt_clear(&image, start, end);
	list_for_each_entry(asi, &asi_instances, instances)
		asi_flush(asi);
	mutex_unlock(&asi_instances_lock);
}

/**
 * asi_image_setup - make the tables that asi_image_share() hands out
 *
 * Context: boot, after the last change of where the image is.
 * Return: 0 or -errno.
 */
int __init asi_image_setup(void)
{
	int i, err = 0;

	/* Modules and the fixmap must not share a table. */
	BUILD_BUG_ON(MODULES_END % PMD_SIZE);
	if (IS_ENABLED(CONFIG_ASI_STATIC_COARSE))
		return 0;

	image.levels = asi_levels();
	image.root = (u64 *)get_zeroed_page(GFP_KERNEL);
	if (!image.root)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(parts) && !err; i++)
		err = asi_image_map((unsigned long)parts[i].start,
				    end_of(&parts[i]), parts[i].deny);
	return err ?: asi_share_from(&image, asi_full_root(), MODULES_END, 0,
				     ASI_PT_2M);
}

/**
 * asi_image_share - map the image, modules and the fixmap in an instance
 * @asi: instance that no CPU has entered yet
 *
 * Return: 0 or -ENOMEM.
 */
int asi_image_share(struct asi *asi)
{
	if (IS_ENABLED(CONFIG_ASI_STATIC_COARSE))
		return asi_share(asi, __START_KERNEL_map, 0, ASI_PT_512G);

	return asi_share_from(&asi->pt, image.root, __START_KERNEL_map, 0,
			      ASI_PT_1G);
}

static enum asi_kind module_kind(unsigned long va)
{
	if (IS_ENABLED(CONFIG_ASI_STATIC_COARSE) || asi_module_maps(va) ||
	    asi_thunk_maps(va))
		return ASI_KIND_MODULE;
	return ASI_NR_KINDS;
}

/**
 * asi_image_kind - what an address of the image or of a module is
 * @va: any address
 *
 * By the linker's symbols and the loader's list of modules, not by the tables.
 *
 * Return: ASI_NR_KINDS if no restricted address space may map it as a part of
 * either.
 */
enum asi_kind asi_image_kind(unsigned long va)
{
	int i;

	if (va >= MODULES_VADDR && va < MODULES_END)
		return module_kind(va);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (va >= (unsigned long)parts[i].start && va < end_of(&parts[i]))
			return parts[i].kind;
	return ASI_NR_KINDS;
}

/**
 * asi_image_hides - whether a page is data of the image that is not listed
 * @phys: address of a page that still belongs to the image
 *
 * No address space may map it, by whatever address.
 */
bool asi_image_hides(u64 phys)
{
	if (phys < __pa_symbol(_sdata) || phys >= __pa_symbol(_end))
		return false;
	return asi_image_kind(phys - __pa_symbol(_sdata) +
			      (unsigned long)_sdata) == ASI_NR_KINDS;
}
