// SPDX-License-Identifier: GPL-2.0-only
/*
 * Break the rules of page table check on purpose, and keep them.
 *
 * Write the name of a case into /sys/kernel/debug/ptcheck_break: it makes entries by
 * the same calls that real ones are made with, and for the same pages, in tables of
 * the writer for addresses that it has no right to touch; larger ones are in no table.
 * Reading tells the page frame and the address that the last
 * case was about. Nothing here knows which engine there is.
 */
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/ptcheck_move.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uaccess.h>

#define ADDRESS		0x600000000000UL
#define LARGE_ORDER	9
#define STAGE_SIZE	(2 * PMD_SIZE)

/* A page, and entries that may map it. */
struct stage {
	struct mm_struct *mm;
	struct page *page;
	unsigned int order;
	pte_t *pte[2];		/* three entries, one entry */
	pte_t in_no_table[4];
	pmd_t pmd;
	pud_t pud;
};

struct scene {
	const char *name;
	unsigned int order;
	bool anon;
	void (*play)(struct stage *s);
};

static unsigned long last_pfn, last_address;

static unsigned long address_of(int slot)
{
	return ADDRESS + ((unsigned long)slot << PMD_SHIFT);
}

static void set_type(struct stage *s, bool anon)
{
	WRITE_ONCE(s->page->mapping, anon ? (void *)PAGE_MAPPING_ANON : NULL);
}

static pte_t entry_for(struct page *page, bool write)
{
	return mk_pte(page, write ? PAGE_SHARED : PAGE_READONLY);
}

static void map_page(struct stage *s, int slot, struct page *page, bool write)
{
	set_pte_at(s->mm, address_of(slot), s->pte[slot], entry_for(page, write));
}

static void map(struct stage *s, int slot, bool write)
{
	map_page(s, slot, s->page, write);
}

static void unmap(struct stage *s, int slot)
{
	ptep_get_and_clear(s->mm, address_of(slot), s->pte[slot]);
}

static void protect(struct stage *s, int slot)
{
	ptep_set_wrprotect(s->mm, address_of(slot), s->pte[slot]);
}

static void upgrade(struct stage *s, int slot)
{
	ptcheck_set_pte(s->pte[slot], pte_mkwrite_novma(*s->pte[slot]));
}

/* Behind everybody's back. */
static void forget(struct stage *s, int slot)
{
	native_set_pte(s->pte[slot], __pte(0));
}

static void map_large(struct stage *s, bool write)
{
	pmd_t pmd = pmd_mkhuge(mk_pmd(s->page, write ? PAGE_SHARED : PAGE_READONLY));

	set_pmd_at(s->mm, address_of(0), &s->pmd, pmd);
}

static void unmap_large(struct stage *s)
{
	pmdp_huge_get_and_clear(s->mm, address_of(0), &s->pmd);
}

static void map_hugetlb(struct stage *s, bool write)
{
	set_huge_pte_at(s->mm, address_of(0), s->pte[0],
			pte_mkhuge(entry_for(s->page, write)), PMD_SIZE);
}

static void unmap_hugetlb(struct stage *s)
{
	huge_ptep_get_and_clear(s->mm, address_of(0), s->pte[0], PMD_SIZE);
}

static void two(struct stage *s, bool first, bool second)
{
	map(s, 0, first);
	map(s, 1, second);
	unmap(s, 1);
	unmap(s, 0);
}

static void anon_write_write(struct stage *s) { two(s, WRITE, WRITE); }
static void anon_read_write(struct stage *s) { two(s, READ, WRITE); }
static void anon_write_read(struct stage *s) { two(s, WRITE, READ); }
static void anon_read_read(struct stage *s) { two(s, READ, READ); }

static void anon_upgrade(struct stage *s)
{
	map(s, 0, READ);
	map(s, 1, READ);
	upgrade(s, 1);
	unmap(s, 1);
	unmap(s, 0);
}

static void type_change(struct stage *s, bool anon)
{
	set_type(s, anon);
	map(s, 0, READ);
	set_type(s, !anon);
	map(s, 1, READ);
	unmap(s, 1);
	set_type(s, anon);
	unmap(s, 0);
}

static void anon_as_file(struct stage *s) { type_change(s, true); }
static void file_as_anon(struct stage *s) { type_change(s, false); }

static void underflow(struct stage *s)
{
	native_set_pte(s->pte[0], entry_for(s->page, READ));
	unmap(s, 0);
}

static void wrong_type(struct stage *s)
{
	map(s, 0, READ);
	set_type(s, false);
	unmap(s, 0);
	set_type(s, true);
	native_set_pte(s->pte[0], entry_for(s->page, READ));
	unmap(s, 0);
}

static void replace_page(struct stage *s)
{
	set_type(s, false);
	__free_pages(s->page, s->order);
	s->page = NULL;
}

static void free_mapped(struct stage *s)
{
	map(s, 0, READ);
	replace_page(s);
	forget(s, 0);
}

static void free_mapped_tail(struct stage *s)
{
	map_page(s, 0, s->page + 3, READ);
	replace_page(s);
	forget(s, 0);
}

/* What was freed last is allocated first, if nobody comes between. */
static void alloc_mapped(struct stage *s)
{
	struct page *page = s->page;

	set_type(s, false);
	preempt_disable();
	__free_pages(page, 0);
	map(s, 0, READ);
	s->page = alloc_pages(GFP_NOWAIT | __GFP_COMP, 0);
	preempt_enable();
	if (s->page != page)
		unmap(s, 0);
	forget(s, 0);
}

static void slab_page(struct stage *s)
{
	void *object = kmalloc(64, GFP_KERNEL);

	if (!object)
		return;
	last_pfn = page_to_pfn(virt_to_page(object));
	map_page(s, 0, virt_to_page(object), READ);
	unmap(s, 0);
	kfree(object);
}

static void table_page(struct stage *s)
{
	__SetPageTable(s->page);
	map(s, 0, READ);
	unmap(s, 0);
	__ClearPageTable(s->page);
}

static void uffd_wp_write(struct stage *s)
{
	pte_t pte = entry_for(s->page, WRITE);

	set_pte_at(s->mm, address_of(0), s->pte[0],
		   __pte(pte_val(pte) | _PAGE_UFFD_WP));
	unmap(s, 0);
}

/* As an entry that comes back writable when its page has moved. */
static pte_t migration_entry(struct stage *s)
{
	return swp_entry_to_pte(make_writable_migration_entry(page_to_pfn(s->page)));
}

static void uffd_wp_migration(struct stage *s)
{
	set_pte_at(s->mm, address_of(0), s->pte[0],
		   pte_swp_mkuffd_wp(migration_entry(s)));
	unmap(s, 0);
}

static void unseen_protect(struct stage *s)
{
	map(s, 0, WRITE);
	native_set_pte(s->pte[0], pte_wrprotect(*s->pte[0]));
	unmap(s, 0);
}

static void large_tail(struct stage *s)
{
	map_large(s, WRITE);
	map_page(s, 1, s->page + 77, READ);
	unmap(s, 1);
	unmap_large(s);
}

static void tail_then_large(struct stage *s)
{
	last_pfn = page_to_pfn(s->page) + 77;
	map_page(s, 1, s->page + 77, WRITE);
	map_large(s, READ);
	unmap_large(s);
	unmap(s, 1);
}

/* Wrong for each of its pages, and said once. */
static void large_twice(struct stage *s)
{
	pmd_t first;

	map_large(s, WRITE);
	first = s->pmd;
	native_set_pmd(&s->pmd, __pmd(0));
	map_large(s, READ);
	unmap_large(s);
	native_set_pmd(&s->pmd, first);
	unmap_large(s);
}

static void large_upgrade(struct stage *s)
{
	pmd_t pmd;

	map_large(s, READ);
	map_page(s, 1, s->page + 77, READ);
	pmd = pmd_mkwrite_novma(s->pmd);
	ptcheck_pmd_change(s->mm, address_of(0), &s->pmd, pmd);
	native_set_pmd(&s->pmd, pmd);
	unmap(s, 1);
	unmap_large(s);
}

/*
 * An entry of 1 GiB goes that never came. With memory of others in it: one that
 * did come would be in conflict with them.
 */
static void pud_underflow(struct stage *s)
{
	unsigned long pfn = ALIGN_DOWN(page_to_pfn(s->page), PTRS_PER_PMD * PTRS_PER_PTE);
	pud_t pud = pud_mkhuge(pfn_pud(pfn, PAGE_READONLY));

	last_pfn = pfn;
	native_set_pud(&s->pud, pud);
	pudp_huge_get_and_clear(s->mm, address_of(0), &s->pud);
}

static void hugetlb_tail(struct stage *s)
{
	map_hugetlb(s, WRITE);
	last_pfn = page_to_pfn(s->page) + 77;
	map_page(s, 1, s->page + 77, WRITE);
	unmap(s, 1);
	unmap_hugetlb(s);
}

static void hugetlb_head(struct stage *s)
{
	map_hugetlb(s, READ);
	map_page(s, 1, s->page, WRITE);
	unmap(s, 1);
	unmap_hugetlb(s);
}

/* What is not present maps nothing, whatever it will become. */
static void migrate(struct stage *s)
{
	map(s, 0, WRITE);
	unmap(s, 0);
	set_pte_at(s->mm, address_of(0), s->pte[0], migration_entry(s));
	map(s, 1, WRITE);
	unmap(s, 1);
	map(s, 0, WRITE);
	unmap(s, 0);
}

static void swapped(struct stage *s)
{
	pte_t pte = swp_entry_to_pte(swp_entry(0, 1));

	map(s, 1, WRITE);
	set_pte_at(s->mm, address_of(0), s->pte[0], pte);
	set_pte_at(s->mm, address_of(0), s->pte[0], pte_swp_mkuffd_wp(pte));
	unmap(s, 0);
	unmap(s, 1);
}

static void file_shared(struct stage *s) { two(s, WRITE, WRITE); }

/* What fork does. */
static void protect_and_share(struct stage *s)
{
	map(s, 0, WRITE);
	protect(s, 0);
	map(s, 1, READ);
	unmap(s, 0);
	upgrade(s, 1);
	unmap(s, 1);
}

static void move(struct stage *s)
{
	map(s, 0, WRITE);
	unmap(s, 0);
	map(s, 1, WRITE);
	unmap(s, 1);
}

/* As execve() moves a stack down by less than it is long. */
static void move_overlap(struct stage *s)
{
	pte_t moved, *pte = s->pte[0];
	int i;

	for (i = 1; i < 3; i++)
		set_pte_at(s->mm, ADDRESS + i * PAGE_SIZE, &pte[i],
			   entry_for(s->page, READ));
	ptcheck_ptes_move(s->mm, ADDRESS, pte, 2, ADDRESS + PAGE_SIZE);
	for (i = 0; i < 2; i++) {
		moved = ptcheck_move_from(s->mm, ADDRESS + (i + 1) * PAGE_SIZE,
					  &pte[i + 1]);
		ptcheck_move_to(s->mm, ADDRESS + i * PAGE_SIZE, &pte[i], moved);
	}
	for (i = 0; i < 2; i++)
		ptep_get_and_clear(s->mm, ADDRESS + i * PAGE_SIZE, &pte[i]);
}

static void rewrite(struct stage *s)
{
	map(s, 0, READ);
	map(s, 0, WRITE);
	map(s, 0, READ);
	map(s, 1, READ);
	unmap(s, 1);
	unmap(s, 0);
}

static void inaccessible(struct stage *s)
{
	map(s, 0, WRITE);
	set_pte_at(s->mm, address_of(1), s->pte[1], mk_pte(s->page, PAGE_NONE));
	unmap(s, 1);
	unmap(s, 0);
}

static void zero_page(struct stage *s)
{
	pte_t pte = pte_mkspecial(entry_for(ZERO_PAGE(0), READ));

	set_pte_at(s->mm, address_of(0), s->pte[0], pte);
	set_pte_at(s->mm, address_of(1), s->pte[1], pte);
	unmap(s, 1);
	unmap(s, 0);
}

static void retype_unmapped(struct stage *s)
{
	map(s, 0, WRITE);
	unmap(s, 0);
	set_type(s, false);
	map(s, 0, WRITE);
	unmap(s, 0);
	set_type(s, true);
}

static void split_large(struct stage *s)
{
	map_large(s, WRITE);
	unmap_large(s);
	map(s, 0, WRITE);
	map_page(s, 1, s->page + 77, WRITE);
	unmap(s, 1);
	unmap(s, 0);
}

static void hugetlb_alone(struct stage *s)
{
	map_hugetlb(s, WRITE);
	unmap_hugetlb(s);
	map_page(s, 1, s->page + 77, WRITE);
	unmap(s, 1);
}

/* Frames without memory, and those without a struct page among them. */
static void no_memory(struct stage *s)
{
	unsigned long pfn;

	for (pfn = 0; pfn < SZ_16G >> PAGE_SHIFT; pfn += PAGES_PER_SECTION) {
		if (pfn_valid(pfn))
			continue;
		set_pte_at(s->mm, address_of(0), s->pte[0], pfn_pte(pfn, PAGE_SHARED));
		protect(s, 0);
		unmap(s, 0);
	}
}

static void free_unmapped(struct stage *s)
{
	map(s, 0, WRITE);
	unmap(s, 0);
	replace_page(s);
}

static const struct scene scenes[] = {
	{ "anon_write_write", 0, true, anon_write_write },
	{ "anon_read_write", 0, true, anon_read_write },
	{ "anon_write_read", 0, true, anon_write_read },
	{ "anon_upgrade", 0, true, anon_upgrade },
	{ "anon_as_file", 0, true, anon_as_file },
	{ "file_as_anon", 0, false, file_as_anon },
	{ "underflow", 0, false, underflow },
	{ "anon_underflow", 0, true, underflow },
	{ "wrong_type", 0, true, wrong_type },
	{ "free_mapped", 0, false, free_mapped },
	{ "free_mapped_tail", 3, false, free_mapped_tail },
	{ "alloc_mapped", 0, false, alloc_mapped },
	{ "slab_page", 0, false, slab_page },
	{ "table_page", 0, false, table_page },
	{ "uffd_wp_write", 0, true, uffd_wp_write },
	{ "uffd_wp_migration", 0, true, uffd_wp_migration },
	{ "unseen_protect", 0, true, unseen_protect },
	{ "large_tail", LARGE_ORDER, true, large_tail },
	{ "tail_then_large", LARGE_ORDER, true, tail_then_large },
	{ "large_twice", LARGE_ORDER, true, large_twice },
	{ "large_upgrade", LARGE_ORDER, true, large_upgrade },
	{ "pud_underflow", 0, false, pud_underflow },
	{ "hugetlb_tail", LARGE_ORDER, true, hugetlb_tail },
	{ "hugetlb_head", LARGE_ORDER, true, hugetlb_head },
	{ "legal_anon_read_read", 0, true, anon_read_read },
	{ "legal_file_shared", 0, false, file_shared },
	{ "legal_protect_and_share", 0, true, protect_and_share },
	{ "legal_move", 0, true, move },
	{ "legal_move_overlap", 0, true, move_overlap },
	{ "legal_rewrite", 0, true, rewrite },
	{ "legal_migrate", 0, true, migrate },
	{ "legal_swapped", 0, true, swapped },
	{ "legal_inaccessible", 0, true, inaccessible },
	{ "legal_zero_page", 0, false, zero_page },
	{ "legal_retype_unmapped", 0, true, retype_unmapped },
	{ "legal_split_large", LARGE_ORDER, true, split_large },
	{ "legal_hugetlb_alone", LARGE_ORDER, true, hugetlb_alone },
	{ "legal_no_memory", 0, false, no_memory },
	{ "legal_free_unmapped", 0, true, free_unmapped },
};

static int remember(pte_t *ptep, unsigned long addr, void *entry)
{
	*(pte_t **)entry = ptep;
	return 0;
}

/*
 * Entries that nothing else will use. The check of Linux ends who breaks a rule, whose
 * tables are then taken down with what is in them: there they are in none.
 */
static int set_up(struct stage *s)
{
	unsigned long at;
	int slot, err = 0;

	s->mm = current->mm;
	s->pte[0] = &s->in_no_table[0];
	s->pte[1] = &s->in_no_table[3];
	if (!IS_ENABLED(CONFIG_PTCHECK))
		return 0;
	at = vm_mmap(NULL, ADDRESS, STAGE_SIZE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, 0);
	if (IS_ERR_VALUE(at))
		return at;
	for (slot = 0; slot < ARRAY_SIZE(s->pte) && !err; slot++)
		err = apply_to_page_range(s->mm, address_of(slot), PAGE_SIZE,
					  remember, &s->pte[slot]);
	if (err)
		vm_munmap(ADDRESS, STAGE_SIZE);
	return err;
}

static void tear_down(void)
{
	if (IS_ENABLED(CONFIG_PTCHECK))
		vm_munmap(ADDRESS, STAGE_SIZE);
}

static int play_on(struct stage *s, const struct scene *scene)
{
	int err = set_up(s);

	if (err)
		return err;
	s->order = scene->order;
	s->page = alloc_pages(GFP_KERNEL | __GFP_COMP, scene->order);
	if (s->page) {
		last_pfn = page_to_pfn(s->page);
		last_address = ADDRESS;
		set_type(s, scene->anon);
		scene->play(s);
		if (s->page)
			replace_page(s);
	} else {
		err = -ENOMEM;
	}
	tear_down();
	return err;
}

static int play(const struct scene *scene)
{
	struct stage *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err;

	if (!s)
		return -ENOMEM;
	err = play_on(s, scene);
	kfree(s);
	return err;
}

static ssize_t break_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	char name[32] = "";
	int i, err;

	if (count >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, buf, count))
		return -EFAULT;
	for (i = 0; i < ARRAY_SIZE(scenes); i++) {
		if (strcmp(scenes[i].name, strim(name)))
			continue;
		err = play(&scenes[i]);
		return err ?: count;
	}
	return -ENOENT;
}

static int break_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "pfn %lu\naddress 0x%lx\n", last_pfn, last_address);
	return 0;
}

static int break_open(struct inode *inode, struct file *file)
{
	return single_open(file, break_show, NULL);
}

static const struct file_operations break_fops = {
	.owner		= THIS_MODULE,
	.open		= break_open,
	.read		= seq_read,
	.write		= break_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static struct dentry *entry;

static int __init break_init(void)
{
	entry = debugfs_create_file("ptcheck_break", 0600, NULL, NULL, &break_fops);
	return 0;
}
module_init(break_init);

static void __exit break_exit(void)
{
	debugfs_remove(entry);
}
module_exit(break_exit);

MODULE_DESCRIPTION("Break the rules of page table check on purpose");
MODULE_LICENSE("GPL");
