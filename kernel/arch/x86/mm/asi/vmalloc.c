// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses for virtually contiguous memory of the two classes.
 *
 * The last two entries of 512 GiB of the vmalloc area are set apart. All
 * instances share the tables below the first; each owner has 1 GiB below the
 * second, whose table its instances share. So neither allocating nor freeing
 * such memory changes any restricted table. Implements "Global non-sensitive
 * vmalloc/vmap support" and "Support for locally non-sensitive vmalloc
 * allocations" of the RFC.
 */
#include <linux/bitmap.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/asi_vmalloc.h>
#include <asm/pgalloc.h>
#include <asm/pgtable.h>

#include "asi.h"
#include "compartment.h"

#define SLOT_SIZE	BIT(P4D_SHIFT)
#define AREA_SIZE	PUD_SIZE
#define NR_AREAS	(SLOT_SIZE / AREA_SIZE)

unsigned long asi_vmalloc_start = ~0UL;

static DEFINE_SPINLOCK(areas_lock);
static DECLARE_BITMAP(areas_in_use, NR_AREAS);

static unsigned long local_start(void)
{
	return asi_vmalloc_start + SLOT_SIZE;
}

/* There must be a table at @level for what shares the entry above. */
static int populate(unsigned long va, int level)
{
	pgd_t *pgd = pgd_offset_k(va);
	p4d_t *p4d = p4d_alloc(&init_mm, pgd, va);
	pud_t *pud;

	if (!p4d)
		return -ENOMEM;
	pud = pud_alloc(&init_mm, p4d, va);
	if (!pud)
		return -ENOMEM;
	if (level >= ASI_PT_1G)
		return 0;
	return pmd_alloc(&init_mm, pud, va) ? 0 : -ENOMEM;
}

/** asi_vmalloc_setup - set the addresses apart; boot only */
void __init asi_vmalloc_setup(void)
{
	unsigned long end = ALIGN_DOWN(VMALLOC_END, SLOT_SIZE);
	unsigned long start = end - 2 * SLOT_SIZE;

	if (start < VMALLOC_START + SLOT_SIZE)
		return;
	if (populate(start, ASI_PT_1G) || populate(start + SLOT_SIZE, ASI_PT_1G))
		return;
	asi_vmalloc_start = start;
}

/** asi_vmalloc_share - let a new instance see global areas and its owner's */
int asi_vmalloc_share(struct asi *asi)
{
	int err;

	if (asi_vmalloc_start == ~0UL)
		return 0;
	err = asi_share(asi, asi_vmalloc_start, asi_vmalloc_start + SLOT_SIZE,
			ASI_PT_512G);
	if (err || !asi->owner || !asi->owner->area)
		return err;
	return asi_share(asi, asi->owner->area, asi->owner->area + AREA_SIZE,
			 ASI_PT_1G);
}

/** asi_vmalloc_kind - what an address is to @asi; ASI_NR_KINDS: not its own */
enum asi_kind asi_vmalloc_kind(const struct asi *asi, unsigned long va)
{
	if (va < asi_vmalloc_start || va >= asi_vmalloc_start + 2 * SLOT_SIZE)
		return ASI_NR_KINDS;
	if (va < local_start())
		return ASI_KIND_GLOBAL;
	if (asi->owner && asi->owner->area &&
	    va - asi->owner->area < AREA_SIZE)
		return ASI_KIND_LOCAL;
	return ASI_NR_KINDS;
}

/* What the last owner's RCU callbacks have not freed yet is in the way. */
static bool is_vacant(unsigned long va)
{
	unsigned long end = va + AREA_SIZE;
	struct asi_pt_leaf leaf;

	for (; va < end; va += asi_pt_size(leaf.level)) {
		leaf = asi_pt_lookup(asi_full_root(), asi_levels(), va);
		if (leaf.entry)
			return false;
	}
	return true;
}

/**
 * asi_vmalloc_claim - addresses for one owner
 *
 * Return: the first of 1 GiB; 0 if there are none left, or no memory for their
 * table: the owner's areas are sensitive then.
 */
unsigned long asi_vmalloc_claim(void)
{
	unsigned long index, va;

	if (asi_vmalloc_start == ~0UL)
		return 0;
	spin_lock(&areas_lock);
	for_each_clear_bit(index, areas_in_use, NR_AREAS)
		if (is_vacant(local_start() + index * AREA_SIZE))
			break;
	if (index < NR_AREAS)
		__set_bit(index, areas_in_use);
	spin_unlock(&areas_lock);
	if (index == NR_AREAS)
		return 0;

	va = local_start() + index * AREA_SIZE;
	if (!populate(va, ASI_PT_2M))
		return va;
	asi_vmalloc_disclaim(va);
	return 0;
}

/** asi_vmalloc_disclaim - give them back, after the owner's last area; or 0 */
void asi_vmalloc_disclaim(unsigned long area)
{
	if (!area)
		return;
	spin_lock(&areas_lock);
	__clear_bit((area - local_start()) / AREA_SIZE, areas_in_use);
	spin_unlock(&areas_lock);
}

/* Out of line half of asi_vmalloc_range(). */
void __asi_vmalloc_range(unsigned long size, unsigned long vm_flags,
			 unsigned long *start, unsigned long *end)
{
	unsigned long room = vm_flags & VM_GLOBAL_NONSENSITIVE ? SLOT_SIZE : AREA_SIZE;
	struct asi_owner *owner;

	/* One area must not take what many others need. */
	if (asi_vmalloc_start == ~0UL || size > room / 4 ||
	    (vm_flags & VM_NONSENSITIVE) == VM_NONSENSITIVE)
		return;
	if (vm_flags & VM_GLOBAL_NONSENSITIVE) {
		*start = asi_vmalloc_start;
		*end = local_start();
		return;
	}
	owner = current->mm ? asi_owner_of(current->mm) : NULL;
	if (!owner || !owner->area)
		return;
	*start = owner->area;
	*end = owner->area + AREA_SIZE;
}

/* Whether a page is of the class of an area for @owner; NULL: global. */
static bool is_of(const struct page *page, const struct asi_owner *owner)
{
	const struct compartment *c = compartment_of(page_to_pfn(page));

	return c && c->pool->owner == owner;
}

static struct asi_owner *owner_for(unsigned long vm_flags)
{
	if (!(vm_flags & VM_LOCAL_NONSENSITIVE) || !current->mm)
		return NULL;
	return asi_owner_of(current->mm);
}

/* Out of line half of asi_vmap_flags(). */
unsigned long __asi_vmap_flags(unsigned long vm_flags, struct page **pages,
			       unsigned int count)
{
	struct asi_owner *owner = owner_for(vm_flags);
	unsigned int i;

	for (i = 0; i < count; i++)
		if (!is_of(pages[i], owner))
			return vm_flags & ~VM_NONSENSITIVE;
	return vm_flags;
}

/* Out of line half of asi_vmalloc_flags(). Nothing is mapped yet. */
unsigned long __asi_vmalloc_flags(const struct vm_struct *area)
{
	struct asi_owner *owner = owner_for(area->flags);
	unsigned long flags = area->flags;
	unsigned int i;

	for (i = 0; i < area->nr_pages; i++) {
		if (is_of(area->pages[i], owner))
			continue;
		clear_highpage(area->pages[i]);
		flags |= VM_FLUSH_RESET_PERMS;
	}
	return flags;
}
