// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of Address Space Isolation: misuse of each function, mapping,
 * entering, and every way of leaving.
 *
 * What runs inside a restricted address space must not use KUNIT_EXPECT_*():
 * they touch the test's own, unmapped, memory. Such tests collect their
 * observations in a struct seen on the stack and judge them outside.
 */
#include <kunit/test.h>
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/apic.h>
#include <asm/asi_audit.h>
#include <asm/nmi.h>

#include "asi.h"

static struct asi_class test_class = { .name = "test" };	/* listed */
static struct asi_class unlisted = { .name = "unlisted" };

struct fixture {
	int class_id;
	struct asi *asi;
	unsigned long *page;		/* never mapped unless a test does */
};

static u64 exits(enum asi_exit_cause cause)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(asi_cpu.exits[cause], cpu);
	return sum;
}

static int asi_test_init(struct kunit *test)
{
	struct fixture *f;

	if (!asi_enabled())
		kunit_skip(test, "ASI is off");

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->page = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->page);
	f->class_id = asi_register_class(&test_class);
	KUNIT_ASSERT_GT(test, f->class_id, 0);
	KUNIT_ASSERT_EQ(test, asi_init(&init_mm, f->class_id, &f->asi), 0);
	KUNIT_ASSERT_EQ(test, asi_map_task(f->asi), 0);
	return 0;
}

static void asi_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	asi_destroy(f->asi);
	if (f->class_id > 0)
		asi_unregister_class(f->class_id);
	free_page((unsigned long)f->page);
}

/* Each refused registration, by its errno. */
static void class_misuse(struct kunit *test)
{
	static const struct asi_class nameless = { };
	static const struct asi_class empty = { .name = "" };
	static const struct asi_class long_name = { .name = "sixteen-letters!" };
	static const struct asi_class more[] = {
		{ .name = "a" }, { .name = "b" }, { .name = "c" },
	};
	int id[ARRAY_SIZE(more)];
	int i;

	KUNIT_EXPECT_EQ(test, asi_register_class(NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_register_class(&nameless), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_register_class(&empty), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_register_class(&long_name), -EINVAL);
	if (!IS_ENABLED(CONFIG_ASI_STATIC_COARSE))
		KUNIT_EXPECT_EQ(test, asi_register_class(&unlisted), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_register_class(&test_class), -EEXIST);

	for (i = 0; i < ARRAY_SIZE(more); i++)
		id[i] = asi_register_class(&more[i]);
	KUNIT_EXPECT_EQ(test, id[ARRAY_SIZE(more) - 1], -ENOSPC);
	for (i = 0; i < ARRAY_SIZE(more); i++)
		if (id[i] > 0)
			asi_unregister_class(id[i]);
}

static void init_misuse(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct asi *asi = f->asi;

	KUNIT_EXPECT_EQ(test, asi_init(&init_mm, 0, &asi), -EINVAL);
	KUNIT_EXPECT_NULL(test, asi);
	KUNIT_EXPECT_EQ(test, asi_init(&init_mm, -1, &asi), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_init(&init_mm, ASI_MAX_CLASSES, &asi), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_init(NULL, f->class_id, &asi), -EINVAL);
	asi_destroy(NULL);
}

/* A process may have several instances of a class; references keep one alive. */
static void several_instances(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct asi *second;

	KUNIT_ASSERT_EQ(test, asi_init(&init_mm, f->class_id, &second), 0);
	KUNIT_EXPECT_PTR_NE(test, second, f->asi);
	KUNIT_EXPECT_NE(test, second->id, f->asi->id);
	asi_get(second);
	asi_destroy(second);
	KUNIT_EXPECT_EQ(test, asi_map(second, f->page, 8, ASI_KIND_OTHER), 0);
	asi_put(second);
}

static void map_misuse(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *hole = (void *)VMALLOC_START;
	char *page = (char *)f->page;

	KUNIT_EXPECT_EQ(test, asi_map(NULL, page, 8, ASI_KIND_OTHER), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, page, 0, ASI_KIND_OTHER), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, page, ~0UL, ASI_KIND_OTHER), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, (void *)0x1000, 8, ASI_KIND_OTHER),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, page, 8, ASI_KIND_TEXT), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, page, 8, ASI_NR_KINDS), -EINVAL);
	if (!asi_pt_lookup(asi_full_root(), asi_levels(), VMALLOC_START).entry)
		KUNIT_EXPECT_EQ(test, asi_map(f->asi, hole, 8, ASI_KIND_OTHER),
				-EFAULT);

	/* What the shared tables map is not anyone's to map again. */
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, &test_class, 8, ASI_KIND_OTHER),
			-EEXIST);

	KUNIT_ASSERT_EQ(test, asi_map(f->asi, page, PAGE_SIZE, ASI_KIND_OTHER), 0);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, page, PAGE_SIZE, ASI_KIND_VM),
			-EEXIST);
	asi_unmap(f->asi, page, PAGE_SIZE);
}

/* One page is mapped already: a range that it begins is another region. */
static void map_overlap(struct kunit *test)
{
	struct fixture *f = test->priv;
	char *two = (char *)__get_free_pages(GFP_KERNEL | __GFP_COMP, 1);

	KUNIT_ASSERT_NOT_NULL(test, two);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, two, PAGE_SIZE, ASI_KIND_OTHER), 0);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, two, PAGE_SIZE + 1, ASI_KIND_OTHER),
			-EEXIST);
	asi_unmap(f->asi, two, PAGE_SIZE);
	free_pages((unsigned long)two, 1);
}

static struct asi_pt_leaf restricted_leaf(struct asi *asi, const void *addr)
{
	return asi_pt_lookup(asi->pt.root, asi->pt.levels, (unsigned long)addr);
}

/* Of the image: code, constants and listed variables, whatever their address. */
static void image_is_listed(struct kunit *test)
{
	bool coarse = IS_ENABLED(CONFIG_ASI_STATIC_COARSE);
	enum asi_kind hidden = coarse ? ASI_KIND_DATA : ASI_NR_KINDS;
	static const int constant = 1;

	KUNIT_EXPECT_EQ(test, asi_image_kind((unsigned long)image_is_listed),
			ASI_KIND_TEXT);
	KUNIT_EXPECT_EQ(test, asi_image_kind((unsigned long)&constant),
			ASI_KIND_RODATA);
	KUNIT_EXPECT_EQ(test, asi_image_kind((unsigned long)&test_class),
			ASI_KIND_DATA);
	KUNIT_EXPECT_EQ(test, asi_image_kind((unsigned long)&unlisted), hidden);
	KUNIT_EXPECT_FALSE(test, asi_image_hides(__pa_symbol(&constant)));
	KUNIT_EXPECT_FALSE(test, asi_image_hides(__pa_symbol(&test_class)));
	KUNIT_EXPECT_EQ(test, asi_image_hides(__pa_symbol(&unlisted)), !coarse);
	KUNIT_EXPECT_FALSE(test, asi_image_hides(__pa(test)));

	KUNIT_EXPECT_TRUE(test, asi_percpu_listed((unsigned long)
						  raw_cpu_ptr(&asi_cpu)));
	KUNIT_EXPECT_FALSE(test, asi_percpu_listed((unsigned long)test));
}

static void expect_refused(struct kunit *test, const void *addr)
{
	struct fixture *f = test->priv;
	u64 before = atomic64_read(&asi_nr_refused);

	KUNIT_EXPECT_EQ(test, asi_map(f->asi, addr, 8, ASI_KIND_OTHER), -EPERM);
	KUNIT_EXPECT_EQ(test, asi_map(ASI_GLOBAL_NONSENSITIVE, addr, 8,
				      ASI_KIND_OTHER), -EPERM);
	KUNIT_EXPECT_EQ(test, restricted_leaf(f->asi, addr).entry, 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&asi_nr_refused), before + 2);
}

/* A page of a file in memory, and with it anonymous shared memory. */
static void files_are_refused(struct kunit *test)
{
	struct file *file = shmem_kernel_file_setup("asi-test", PAGE_SIZE, 0);
	struct page *page;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	page = shmem_read_mapping_page(file->f_mapping, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR(page));
	if (!IS_ERR(page)) {
		expect_refused(test, page_address(page));
		put_page(page);
	}
	fput(file);
}

/* Who asks to map what cannot be its own is refused, and that is counted. */
static void sensitive_is_refused(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long freed = __get_free_page(GFP_KERNEL);
	void *object = kmalloc(64, GFP_KERNEL);
	char *two = (char *)__get_free_pages(GFP_KERNEL | __GFP_COMP, 1);

	KUNIT_ASSERT_TRUE(test, freed && object && two);
	free_page(freed);
	expect_refused(test, (void *)freed);
	expect_refused(test, object);
	if (!IS_ENABLED(CONFIG_ASI_STATIC_COARSE))
		expect_refused(test, __va(__pa_symbol(&unlisted)));

	KUNIT_EXPECT_EQ(test, asi_map(f->asi, two, 2 * PAGE_SIZE,
				      ASI_KIND_OTHER), 0);
	asi_unmap(f->asi, two, 2 * PAGE_SIZE);
	free_pages((unsigned long)two, 1);
	kfree(object);
}

/* A range that ends up unmapped half-way is not mapped at all. */
static void map_unwinds(struct kunit *test)
{
	struct fixture *f = test->priv;
	char *area = vmalloc(PAGE_SIZE);

	/* The guard page behind the area is the hole. */
	KUNIT_ASSERT_NOT_NULL(test, area);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, area, 2 * PAGE_SIZE, ASI_KIND_OTHER),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, restricted_leaf(f->asi, area).entry, 0);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, area, PAGE_SIZE, ASI_KIND_OTHER), 0);
	asi_unmap(f->asi, area, PAGE_SIZE);
	vfree(area);
}

/* The same frame and permissions, never global; each user unmaps once. */
static void map_copies(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct asi_pt_leaf leaf, full;

	KUNIT_ASSERT_EQ(test, asi_map(f->asi, f->page, 8, ASI_KIND_OTHER), 0);
	KUNIT_ASSERT_EQ(test, asi_map(f->asi, f->page, 8, ASI_KIND_OTHER), 0);
	leaf = restricted_leaf(f->asi, f->page);
	full = asi_pt_lookup(asi_full_root(), asi_levels(), (unsigned long)f->page);
	KUNIT_EXPECT_EQ(test, asi_pte_phys(leaf.entry, leaf.level), __pa(f->page));
	KUNIT_EXPECT_EQ(test, leaf.write, full.write);
	KUNIT_EXPECT_EQ(test, leaf.exec, full.exec);
	KUNIT_EXPECT_EQ(test, leaf.entry & ASI_PTE_GLOBAL, 0);

	asi_unmap(f->asi, f->page, 8);
	KUNIT_EXPECT_NE(test, restricted_leaf(f->asi, f->page).entry, 0);
	asi_unmap(f->asi, f->page, 8);
	KUNIT_EXPECT_EQ(test, restricted_leaf(f->asi, f->page).entry, 0);
}

/* Aligned 2 MiB go in as one leaf if the full tables have one. */
static void map_large(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_NOWARN,
					PMD_SHIFT - PAGE_SHIFT);
	struct asi_pt_leaf leaf, full;
	char *addr;

	if (!page)
		kunit_skip(test, "no 2 MiB of contiguous memory");
	addr = page_address(page);
	full = asi_pt_lookup(asi_full_root(), asi_levels(), (unsigned long)addr);

	KUNIT_EXPECT_EQ(test, asi_map(f->asi, addr, PMD_SIZE, ASI_KIND_OTHER), 0);
	leaf = restricted_leaf(f->asi, addr + PMD_SIZE - 1);
	KUNIT_EXPECT_EQ(test, leaf.level, min_t(int, full.level, ASI_PT_2M));
	asi_unmap(f->asi, addr, PMD_SIZE);

	/* Small first: its table stays and must not be in the way of the large. */
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, addr, PAGE_SIZE, ASI_KIND_OTHER), 0);
	asi_unmap(f->asi, addr, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, asi_map(f->asi, addr, PMD_SIZE, ASI_KIND_OTHER), 0);
	asi_unmap(f->asi, addr, PMD_SIZE);
	__free_pages(page, PMD_SHIFT - PAGE_SHIFT);
}

/* A global mapping reaches instances that exist and those that come. */
static void map_global(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct asi *later;

	KUNIT_ASSERT_EQ(test, asi_map(ASI_GLOBAL_NONSENSITIVE, f->page, 8,
				      ASI_KIND_OTHER), 0);
	KUNIT_ASSERT_EQ(test, asi_init(&init_mm, f->class_id, &later), 0);
	KUNIT_EXPECT_NE(test, restricted_leaf(f->asi, f->page).entry, 0);
	KUNIT_EXPECT_NE(test, restricted_leaf(later, f->page).entry, 0);
	asi_unmap(ASI_GLOBAL_NONSENSITIVE, f->page, 8);
	KUNIT_EXPECT_EQ(test, restricted_leaf(f->asi, f->page).entry, 0);
	KUNIT_EXPECT_EQ(test, restricted_leaf(later, f->page).entry, 0);
	asi_destroy(later);
}

struct seen {
	bool first;		/* restricted at the first point of interest */
	bool then;
	bool last;
	unsigned long cr3;
	long value;
};

static noinline struct seen enter_and_leave(struct asi *asi)
{
	unsigned long flags;
	struct seen s;

	local_irq_save(flags);
	asi_enter(asi);
	s.first = asi_restricted();
	s.cr3 = __native_read_cr3();
	s.value = asi_enter(asi);
	asi_relax();
	s.then = asi_restricted();
	asi_exit(ASI_EXIT_EXPLICIT);
	asi_exit(ASI_EXIT_EXPLICIT);
	s.last = asi_restricted();
	local_irq_restore(flags);
	return s;
}

static void enter_exit(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 before = exits(ASI_EXIT_EXPLICIT);
	struct seen s = enter_and_leave(f->asi);

	KUNIT_EXPECT_TRUE(test, s.first);
	KUNIT_EXPECT_EQ(test, s.cr3 & CR3_ADDR_MASK, f->asi->pgd_pa);
	KUNIT_EXPECT_EQ(test, s.value, 0);
	KUNIT_EXPECT_TRUE(test, s.then);
	KUNIT_EXPECT_FALSE(test, s.last);
	KUNIT_EXPECT_EQ(test, exits(ASI_EXIT_EXPLICIT), before + 1);
	KUNIT_EXPECT_EQ(test, __read_cr3() & CR3_ADDR_MASK, __pa(current->active_mm->pgd));
}

static noinline struct seen switch_directly(struct asi *a, struct asi *b)
{
	unsigned long flags;
	struct seen s;

	local_irq_save(flags);
	asi_enter(a);
	s.first = asi_enter(b);
	s.cr3 = __native_read_cr3();
	asi_relax();
	asi_exit(ASI_EXIT_EXPLICIT);
	s.last = asi_restricted();
	local_irq_restore(flags);
	return s;
}

static void enter_another(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct asi *b;
	struct seen s;

	KUNIT_ASSERT_EQ(test, asi_init(&init_mm, f->class_id, &b), 0);
	KUNIT_ASSERT_EQ(test, asi_map_task(b), 0);
	s = switch_directly(f->asi, b);
	KUNIT_EXPECT_TRUE(test, s.first);
	KUNIT_EXPECT_EQ(test, s.cr3 & CR3_ADDR_MASK, b->pgd_pa);
	KUNIT_EXPECT_FALSE(test, s.last);
	asi_destroy(b);
}

/* Touch @word inside, after the critical section. */
static noinline struct seen touch_relaxed(struct asi *asi, unsigned long *word)
{
	unsigned long flags;
	struct seen s;

	local_irq_save(flags);
	asi_enter(asi);
	asi_relax();
	s.first = asi_restricted();
	s.value = READ_ONCE(*word);
	s.then = asi_restricted();
	asi_exit(ASI_EXIT_EXPLICIT);
	local_irq_restore(flags);
	return s;
}

/* Never mapped, mapped, and since-unmapped memory. */
static void fault_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct seen s;

	*f->page = 0x5eed;
	s = touch_relaxed(f->asi, f->page);
	KUNIT_EXPECT_TRUE(test, s.first);
	KUNIT_EXPECT_EQ(test, s.value, 0x5eed);
	KUNIT_EXPECT_FALSE(test, s.then);

	KUNIT_ASSERT_EQ(test, asi_map(f->asi, f->page, 8, ASI_KIND_OTHER), 0);
	s = touch_relaxed(f->asi, f->page);
	KUNIT_EXPECT_EQ(test, s.value, 0x5eed);
	KUNIT_EXPECT_TRUE(test, s.then);

	asi_unmap(f->asi, f->page, 8);
	s = touch_relaxed(f->asi, f->page);
	KUNIT_EXPECT_EQ(test, s.value, 0x5eed);
	KUNIT_EXPECT_FALSE(test, s.then);
}

static noinline struct seen touch_hole(struct asi *asi, unsigned long *hole)
{
	unsigned long flags, word;
	struct seen s;

	local_irq_save(flags);
	asi_enter(asi);
	asi_relax();
	s.value = get_kernel_nofault(word, hole);
	s.then = asi_restricted();
	asi_exit(ASI_EXIT_EXPLICIT);
	local_irq_restore(flags);
	return s;
}

/* A fault that the full tables have too is still one: a guard page, a hole. */
static void fault_remains(struct kunit *test)
{
	struct fixture *f = test->priv;
	char *area = vmalloc(PAGE_SIZE);
	struct seen s;

	KUNIT_ASSERT_NOT_NULL(test, area);
	s = touch_hole(f->asi, (unsigned long *)(area + PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, s.value, -EFAULT);
	KUNIT_EXPECT_FALSE(test, s.then);
	s = touch_hole(f->asi, (unsigned long *)(task_stack_page(current) - 8));
	KUNIT_EXPECT_EQ(test, s.value, -EFAULT);
	vfree(area);
}

static noinline struct seen touch_critical(struct asi *asi, unsigned long *word)
{
	unsigned long flags;
	struct seen s;

	local_irq_save(flags);
	asi_enter(asi);
	s.value = READ_ONCE(*word);
	s.first = asi_restricted();
	asi_reenter();
	s.then = asi_restricted();
	asi_relax();
	asi_exit(ASI_EXIT_EXPLICIT);
	local_irq_restore(flags);
	return s;
}

/* The critical section itself faults: out, and back before it matters. */
static void fault_in_critical_section(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct seen s;

	*f->page = 0x5eed;
	s = touch_critical(f->asi, f->page);
	KUNIT_EXPECT_EQ(test, s.value, 0x5eed);
	KUNIT_EXPECT_FALSE(test, s.first);
	KUNIT_EXPECT_TRUE(test, s.then);
}

static unsigned long *nmi_word;
static int nmi_count;

static int nmi_touch(unsigned int cmd, struct pt_regs *regs)
{
	unsigned long *word = READ_ONCE(nmi_word);

	if (!word)
		return NMI_DONE;
	nmi_count += READ_ONCE(*word) == 0x5eed;
	WRITE_ONCE(nmi_word, NULL);
	return NMI_HANDLED;
}

static noinline struct seen nmi_critical(struct asi *asi, unsigned long *word)
{
	unsigned long flags;
	struct seen s;
	int i;

	local_irq_save(flags);
	asi_enter(asi);
	WRITE_ONCE(nmi_word, word);
	apic->send_IPI_self(NMI_VECTOR);
	for (i = 0; i < 1000000 && READ_ONCE(nmi_word); i++)
		cpu_relax();
	s.value = READ_ONCE(nmi_count);
	s.first = asi_restricted();
	asi_relax();
	asi_exit(ASI_EXIT_EXPLICIT);
	local_irq_restore(flags);
	return s;
}

/* An NMI that leaves in the critical section goes back in when it ends. */
static void nmi_reenters(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 before = exits(ASI_EXIT_FAULT);
	struct seen s;
	int i;

	*f->page = 0x5eed;
	nmi_count = 0;
	KUNIT_ASSERT_EQ(test, register_nmi_handler(NMI_LOCAL, nmi_touch, 0,
						   "asi_test"), 0);
	for (i = 1; i <= 100; i++) {
		s = nmi_critical(f->asi, f->page);
		KUNIT_EXPECT_EQ(test, s.value, i);
		KUNIT_EXPECT_TRUE(test, s.first);
	}
	unregister_nmi_handler(NMI_LOCAL, "asi_test");
	KUNIT_EXPECT_GE(test, exits(ASI_EXIT_FAULT), before + 100);
}

struct irq_touch {
	struct irq_work work;
	unsigned long *word;
	unsigned long value;
};

static void irq_touch(struct irq_work *work)
{
	struct irq_touch *t = container_of(work, struct irq_touch, work);

	WRITE_ONCE(t->value, READ_ONCE(*t->word));
}

static noinline struct seen irq_relaxed(struct asi *asi, struct irq_touch *t)
{
	unsigned long flags;
	struct seen s;
	int i;

	local_irq_save(flags);
	irq_work_queue(&t->work);
	asi_enter(asi);
	asi_relax();
	s.first = asi_restricted();
	local_irq_restore(flags);
	for (i = 0; i < 1000000 && irq_work_is_busy(&t->work); i++)
		cpu_relax();
	s.value = READ_ONCE(t->value);
	s.then = asi_restricted();
	asi_exit(ASI_EXIT_EXPLICIT);
	return s;
}

/* An interrupt after the critical section leaves for good. */
static void irq_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct irq_touch t = { .word = f->page };
	struct seen s;

	init_irq_work(&t.work, irq_touch);
	*f->page = 0x5eed;
	preempt_disable();
	s = irq_relaxed(f->asi, &t);
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, s.first);
	KUNIT_EXPECT_EQ(test, s.value, 0x5eed);
	KUNIT_EXPECT_FALSE(test, s.then);
}

/* The scheduler leaves, whether or not another task runs. */
static void schedule_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 before = exits(ASI_EXIT_SCHEDULE);
	unsigned long flags;

	local_irq_save(flags);
	asi_enter(f->asi);
	asi_relax();
	local_irq_restore(flags);
	schedule();
	KUNIT_EXPECT_FALSE(test, asi_restricted());
	KUNIT_EXPECT_GE(test, exits(ASI_EXIT_SCHEDULE) + exits(ASI_EXIT_FAULT),
			before + 1);
}

/* Flushing a kernel mapping drives this CPU out and makes its PCIDs stale. */
static void kernel_flush_leaves(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long flags;
	bool inside, flushed = true;
	int i;

	local_irq_save(flags);
	asi_enter(f->asi);
	asi_relax();
	inside = asi_restricted();
	flush_tlb_one_kernel((unsigned long)f->page);
	inside &= !asi_restricted();
	for (i = 0; i < ASI_NR_PCIDS; i++)
		flushed &= !this_cpu_read(asi_cpu.tlb.slot[i].gen);
	local_irq_restore(flags);
	KUNIT_EXPECT_TRUE(test, inside);
	KUNIT_EXPECT_TRUE(test, flushed);
}

static int entered, left;

static void count_enter(struct asi *asi)
{
	entered++;
}

static void count_exit(struct asi *asi)
{
	left++;
}

/* Each hook runs once per switch. */
static void hooks_run(struct kunit *test)
{
	struct fixture *f = test->priv;

	entered = 0;
	left = 0;
	test_class.post_asi_enter = count_enter;
	test_class.pre_asi_exit = count_exit;
	enter_and_leave(f->asi);
	test_class.post_asi_enter = NULL;
	test_class.pre_asi_exit = NULL;
	KUNIT_EXPECT_EQ(test, entered, 1);
	KUNIT_EXPECT_EQ(test, left, 1);
}

/*
 * For a test that looks at the oops: a bug in the critical section of a
 * restricted address space. "null" or "guard" in debugfs asi/bug.
 */
static const struct asi_class bug_class[] = {
	{ .name = "guard" }, { .name = "null" },
};

static noinline void asi_test_null(void)
{
	unsigned long *null = NULL;

	OPTIMIZER_HIDE_VAR(null);
	WRITE_ONCE(null[1], 1);
}

/* Past the end of the stack; not KASAN's to report. */
static noinline void asi_test_guard(void)
{
	unsigned long word;

	asm volatile("movq (%1), %0" : "=r" (word)
		     : "r" (task_stack_page(current) - sizeof(word)) : "memory");
}

static ssize_t bug_write(struct file *file, const char __user *ubuf,
			 size_t len, loff_t *ppos)
{
	struct asi *asi;
	char text[8] = "";
	int id;

	if (len >= sizeof(text) || copy_from_user(text, ubuf, len))
		return -EINVAL;
	if (!asi_enabled())
		return -EOPNOTSUPP;
	id = asi_register_class(&bug_class[text[0] == 'n']);
	if (id < 0)
		return id;
	if (asi_init(current->mm, id, &asi) || asi_map_task(asi))
		return -ENOMEM;

	/* The instance and the class stay: the task does not come back. */
	local_irq_disable();
	asi_enter(asi);
	if (!strncmp(text, "null", 4))
		asi_test_null();
	asi_test_guard();
	return -EIO;
}

static const struct file_operations bug_fops = { .write = bug_write };

static int __init bug_init(void)
{
	debugfs_create_file("bug", 0200, asi_debugfs_dir, NULL, &bug_fops);
	return 0;
}
late_initcall(bug_init);

static struct kunit_case asi_cases[] = {
	KUNIT_CASE(class_misuse),
	KUNIT_CASE(init_misuse),
	KUNIT_CASE(several_instances),
	KUNIT_CASE(map_misuse),
	KUNIT_CASE(map_overlap),
	KUNIT_CASE(image_is_listed),
	KUNIT_CASE(files_are_refused),
	KUNIT_CASE(sensitive_is_refused),
	KUNIT_CASE(map_unwinds),
	KUNIT_CASE(map_copies),
	KUNIT_CASE(map_large),
	KUNIT_CASE(map_global),
	KUNIT_CASE(enter_exit),
	KUNIT_CASE(enter_another),
	KUNIT_CASE(fault_leaves),
	KUNIT_CASE(fault_remains),
	KUNIT_CASE(fault_in_critical_section),
	KUNIT_CASE(nmi_reenters),
	KUNIT_CASE(irq_leaves),
	KUNIT_CASE(schedule_leaves),
	KUNIT_CASE(kernel_flush_leaves),
	KUNIT_CASE(hooks_run),
	{ }
};

static struct kunit_suite asi_suite = {
	.name = "asi",
	.init = asi_test_init,
	.exit = asi_test_exit,
	.test_cases = asi_cases,
};

kunit_test_suite(asi_suite);

MODULE_DESCRIPTION("KUnit tests of Address Space Isolation");
MODULE_LICENSE("GPL");
