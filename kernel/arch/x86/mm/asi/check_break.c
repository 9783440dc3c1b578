// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves that no restricted table may get, shown to page table check: loading
 * this asks about each, and the parameters say how many were asked about and how
 * many got the wrong answer. None is put into a table. And compartments that come
 * or are given back, or so it is said: one that is mapped, one that is not; and
 * text of the kernel that can be written by its address in the direct map.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "asi.h"
#include "check.h"
#include "compartment.h"

static unsigned int asked, wrong;
module_param(asked, uint, 0444);
module_param(wrong, uint, 0444);

static const struct asi_class class = { .name = "check" };

static u64 leaf_for(const void *va)
{
	return __pa(va) | ASI_PTE_PRESENT | ASI_PTE_WRITE | ASI_PTE_ACCESSED |
	       ASI_PTE_DIRTY | ASI_PTE_NX;
}

/* Upper levels of the direct map deny nothing. */
static struct asi_pt_leaf look(const void *va)
{
	unsigned int level;
	const pte_t *pte = lookup_address((unsigned long)va, &level);
	u64 entry = pte ? pte_val(*pte) : 0;

	return (struct asi_pt_leaf) {
		.entry = entry & ASI_PTE_PRESENT ? entry : 0, .level = level,
		.write = entry & ASI_PTE_WRITE, .exec = !(entry & ASI_PTE_NX),
	};
}

/* Of a leaf that is made of @seen; the answer should be @right. */
static void ask_of(struct asi *asi, const void *va, u64 entry,
		   struct asi_pt_leaf *seen, int right)
{
	unsigned long flags;
	int answer;

	spin_lock_irqsave(&asi->lock, flags);
	answer = asi_check_leaf(&asi->pt, (unsigned long)va, ASI_PT_4K, entry, seen);
	spin_unlock_irqrestore(&asi->lock, flags);
	asked++;
	wrong += answer != right;
}

static void ask(struct asi *asi, const void *va, u64 entry, bool may)
{
	struct asi_pt_leaf seen = look(va);

	ask_of(asi, va, entry, &seen, may ? 0 : -EPERM);
}

/*
 * What the full tables had when the leaf was made of them, and no longer have:
 * nothing is reported until it is made again, and still wrong.
 */
static void ask_late(struct asi *asi, const void *global, const void *ordinary)
{
	const void *hole = (void *)(VMALLOC_START - PAGE_SIZE);
	u64 good = leaf_for(global), exec = good & ~ASI_PTE_NX;
	struct asi_pt_leaf seen = look(global);

	seen.entry &= ~ASI_PTE_NX;
	seen.exec = true;
	ask_of(asi, global, exec, &seen, -ESTALE);
	wrong += seen.exec;
	ask_of(asi, global, exec, &seen, -EPERM);
	/* It was not there, and is; and the other way round. */
	seen = look(hole);
	ask_of(asi, global, good, &seen, -ESTALE);
	ask_of(asi, global, good, &seen, 0);
	ask_of(asi, hole, good, &seen, -ESTALE);
	wrong += seen.entry != 0;
	/* The processor has written to it. */
	seen = look(global);
	seen.entry ^= ASI_PTE_ACCESSED | ASI_PTE_DIRTY;
	ask_of(asi, global, good, &seen, 0);
	/* That cannot be what was there. */
	seen = look(ordinary);
	ask_of(asi, global, leaf_for(ordinary), &seen, -EPERM);
}

static void ask_all(struct asi *asi, void *global, void *ordinary)
{
	void *text = __va(__pa_symbol((unsigned long)kfree & PAGE_MASK));
	u64 good = leaf_for(global);

	ask(asi, global, good, true);
	ask(asi, global, good & ~ASI_PTE_WRITE, true);
	/* Another frame, and one that the full tables do not map there. */
	ask(asi, global, leaf_for(ordinary), false);
	ask(asi, (void *)(VMALLOC_START - PAGE_SIZE), good, false);
	/* More than the full tables allow. */
	ask(asi, global, good | ASI_PTE_USER, false);
	ask(asi, global, good | ASI_PTE_GLOBAL, false);
	ask(asi, global, good & ~ASI_PTE_NX, false);
	/* Memory of no class, and no reason for it. */
	ask(asi, ordinary, leaf_for(ordinary), false);
	/* The kernel's text, by its other address. */
	ask(asi, text, leaf_for(text), false);
}

/* Memory of the process: its own instance may see it, nobody else's. */
static void ask_others(struct asi *asi)
{
	void *local = (void *)__get_free_page(GFP_KERNEL | __GFP_LOCAL_NONSENSITIVE);
	struct asi *other = kmemdup(asi, sizeof(*asi), GFP_KERNEL);

	if (local && other) {
		other->owner = NULL;
		spin_lock_init(&other->lock);
		INIT_LIST_HEAD(&other->regions);
		ask(asi, local, leaf_for(local), true);
		ask(other, local, leaf_for(local), false);
	}
	kfree(other);
	free_page((unsigned long)local);
}

/* Said of what is at @va, 2 MiB of a class, or of none: it comes, and it goes. */
static void change_class(const void *va)
{
	const struct compartment c = {
		.pfn = ALIGN_DOWN(PHYS_PFN(__pa(va)), COMPARTMENT_PAGES),
	};

	if (!va)
		return;
	asi_check_fresh(&c);
	mutex_lock(&asi_instances_lock);
	asi_check_gone(&c);
	mutex_unlock(&asi_instances_lock);
}

/* As if somebody had changed the attributes of a page of text, of all things. */
static void write_text(void)
{
	unsigned long va = (unsigned long)__va(__pa_symbol((unsigned long)kfree & PAGE_MASK));
	unsigned int level;
	pte_t *entry = lookup_address(va, &level);
	pteval_t old;

	if (WARN_ON_ONCE(!entry))
		return;
	old = pte_val(*entry);
	WRITE_ONCE(entry->pte, old | _PAGE_RW | _PAGE_DIRTY);
	__asi_attr_changed(va, 1);
	WRITE_ONCE(entry->pte, old);
	__asi_attr_changed(va, 1);
}

static int try_instance(void *global, void *ordinary)
{
	void *block = (void *)__get_free_pages(GFP_KERNEL, COMPARTMENT_ORDER);
	int id = asi_register_class(&class);
	struct asi *asi = NULL;
	int err = id;

	if (id < 0)
		goto out_free;
	err = asi_own(current->mm) ?: asi_init(current->mm, id, &asi);
	if (!err) {
		ask_all(asi, global, ordinary);
		ask_late(asi, global, ordinary);
		ask_others(asi);
		change_class(global);
		change_class(block);
		write_text();
		asi_destroy(asi);
	}
	asi_unregister_class(id);
out_free:
	free_pages((unsigned long)block, COMPARTMENT_ORDER);
	return err;
}

static int __init check_break_init(void)
{
	void *global = (void *)__get_free_page(GFP_KERNEL | __GFP_GLOBAL_NONSENSITIVE);
	void *ordinary = (void *)__get_free_page(GFP_KERNEL);
	int err = -ENOMEM;

	if (global && ordinary)
		err = try_instance(global, ordinary);
	free_page((unsigned long)global);
	free_page((unsigned long)ordinary);
	return err;
}
module_init(check_break_init);

static void __exit check_break_exit(void)
{
}
module_exit(check_break_exit);

MODULE_DESCRIPTION("Leaves that no restricted table may get");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(ASI_TEST);
