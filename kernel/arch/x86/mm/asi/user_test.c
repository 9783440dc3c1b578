// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of user memory in restricted address spaces.
 *
 * Each test has a process of its own: its thread takes on a new mm, which it
 * leaves when it ends, or before. As in asi_test.c, what runs restricted touches
 * the stack and nothing of the test's.
 */
#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "asi.h"

/* Whole entries of the root, whatever the number of levels; page by page below. */
#define AREA_SIZE	(4 * PMD_SIZE)

static const struct asi_class test_class = { .name = "user_test" };

struct fixture {
	int class_id;
	struct mm_struct *mm;
	struct asi *asi;
	bool used;			/* by the test's thread, as its mm */
	unsigned long far;		/* nothing else is below its entry */
};

/* An address in the @i-th entry of the root from the middle of user space. */
static unsigned long far_address(int i)
{
	return asi_pt_size(asi_levels()) * (64 + i);
}

static int user_test_init(struct kunit *test)
{
	struct fixture *f;

	if (!asi_enabled())
		kunit_skip(test, "ASI is off");
	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->far = far_address(0);
	f->mm = mm_alloc();
	KUNIT_ASSERT_NOT_NULL(test, f->mm);
	f->mm->task_size = TASK_SIZE;
	arch_pick_mmap_layout(f->mm, &current->signal->rlim[RLIMIT_STACK]);
	/* Undone by the test or when its thread ends. */
	kthread_use_mm(f->mm);
	f->used = true;
	f->class_id = asi_register_class(&test_class);
	KUNIT_ASSERT_GT(test, f->class_id, 0);
	KUNIT_ASSERT_EQ(test, asi_init(f->mm, f->class_id, &f->asi), 0);
	if (asi_map_user(f->asi) == -EOPNOTSUPP)
		kunit_skip(test, "user memory is not to be mapped here");
	asi_unmap_user(f->asi);
	return 0;
}

static void user_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	asi_destroy(f->asi);
	if (f->class_id > 0)
		asi_unregister_class(f->class_id);
	/* The thread's exit puts f->mm; this is what using it took. */
	if (f->used)
		mmdrop(f->mm);
}

/* Small pages: a large leaf is not shared below the top level. */
static unsigned long *map_area(unsigned long where, unsigned long value)
{
	unsigned long got, at;

	got = vm_mmap(NULL, where, AREA_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
	if (got != where)
		return NULL;
	for (at = 0; at < AREA_SIZE; at += PAGE_SIZE)
		if (put_user(value, (unsigned long __user *)(where + at)))
			return NULL;
	return (unsigned long *)where;
}

static u64 root_entry(struct asi *asi, unsigned long va)
{
	return asi->pt.root[asi_pt_index(va, asi_levels())];
}

static bool is_mapped(struct asi *asi, unsigned long va)
{
	return asi_pt_lookup(asi->pt.root, asi_levels(), va).entry;
}

struct seen {
	bool before;		/* restricted before the access */
	bool after;
	int err;
	unsigned long value;
};

static noinline struct seen touch(struct asi *asi, unsigned long va)
{
	unsigned long flags;
	struct seen s = { };

	local_irq_save(flags);
	pagefault_disable();
	asi_enter(asi);
	asi_relax();
	s.before = asi_restricted();
	s.err = __get_user(s.value, (unsigned long __user *)va);
	s.after = asi_restricted();
	asi_exit(ASI_EXIT_EXPLICIT);
	pagefault_enable();
	local_irq_restore(flags);
	return s;
}

static void expect_inside(struct kunit *test, struct asi *asi, unsigned long va,
			  unsigned long value, bool stays)
{
	struct seen s = touch(asi, va);

	KUNIT_EXPECT_TRUE(test, s.before);
	KUNIT_EXPECT_EQ(test, s.err, 0);
	KUNIT_EXPECT_EQ(test, s.value, value);
	KUNIT_EXPECT_EQ(test, s.after, stays);
}

static void misuse(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct asi *other;

	KUNIT_EXPECT_EQ(test, asi_map_user(NULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map_user(ASI_GLOBAL_NONSENSITIVE), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map_user_range(f->asi, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map_user_range(f->asi, PMD_SIZE, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map_user_range(f->asi, 8, PMD_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map_user_range(f->asi, 0, PMD_SIZE + 8),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map_user_range(f->asi, 0, TASK_SIZE_MAX +
						 PAGE_SIZE), -EINVAL);
	KUNIT_EXPECT_EQ(test, asi_map_user_range(f->asi, PAGE_OFFSET,
						 PAGE_OFFSET + PMD_SIZE), -EINVAL);

	/* Equal ranges count users, others must not overlap. */
	KUNIT_ASSERT_EQ(test, asi_map_user_range(f->asi, PMD_SIZE, PUD_SIZE), 0);
	KUNIT_EXPECT_EQ(test, asi_map_user_range(f->asi, PMD_SIZE, PUD_SIZE), 0);
	KUNIT_EXPECT_EQ(test, asi_map_user_range(f->asi, 0, 2 * PMD_SIZE),
			-EEXIST);
	KUNIT_EXPECT_EQ(test, asi_map_user(f->asi), -EEXIST);
	asi_unmap_user_range(f->asi, PMD_SIZE, PUD_SIZE);
	asi_unmap_user_range(f->asi, PMD_SIZE, PUD_SIZE);
	KUNIT_EXPECT_EQ(test, asi_map_user(f->asi), 0);
	asi_unmap_user(f->asi);

	KUNIT_ASSERT_EQ(test, asi_init(&init_mm, f->class_id, &other), 0);
	KUNIT_EXPECT_EQ(test, asi_map_user(other), -EINVAL);
	asi_destroy(other);
}

/* Who is not of the process must not enter where its memory is mapped. */
static void strangers_stay_out(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, asi_map_user(f->asi), 0);
	kthread_unuse_mm(f->mm);
	KUNIT_EXPECT_EQ(test, asi_map_task(f->asi), -EPERM);
	kthread_use_mm(f->mm);
	KUNIT_EXPECT_EQ(test, asi_map_task(f->asi), 0);
}

/* Unmapped it leaves every time; mapped, what is new leaves once. */
static void fault_fills(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, asi_map_task(f->asi), 0);
	KUNIT_ASSERT_NOT_NULL(test, map_area(f->far, 1));
	expect_inside(test, f->asi, f->far, 1, false);
	expect_inside(test, f->asi, f->far, 1, false);
	KUNIT_EXPECT_EQ(test, root_entry(f->asi, f->far), 0);

	KUNIT_ASSERT_EQ(test, asi_map_user(f->asi), 0);
	expect_inside(test, f->asi, f->far, 1, true);
	KUNIT_ASSERT_NOT_NULL(test, map_area(far_address(1), 2));
	expect_inside(test, f->asi, far_address(1), 2, false);
	expect_inside(test, f->asi, far_address(1), 2, true);
	expect_inside(test, f->asi, far_address(1) + PMD_SIZE, 2, true);

	asi_unmap_user(f->asi);
	expect_inside(test, f->asi, f->far, 1, false);
	KUNIT_EXPECT_EQ(test, root_entry(f->asi, f->far), 0);
}

/* The entry of the root goes before the table does, and what comes next is new. */
static void unmap_whole_entry(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long i;

	KUNIT_ASSERT_EQ(test, asi_map_user(f->asi), 0);
	KUNIT_ASSERT_EQ(test, asi_map_task(f->asi), 0);
	for (i = 1; i < 20; i++) {
		KUNIT_ASSERT_NOT_NULL(test, map_area(f->far, i));
		touch(f->asi, f->far);
		expect_inside(test, f->asi, f->far, i, true);
		KUNIT_EXPECT_EQ(test, vm_munmap(f->far, AREA_SIZE), 0);
		KUNIT_EXPECT_EQ(test, root_entry(f->asi, f->far), 0);
		KUNIT_EXPECT_EQ(test, touch(f->asi, f->far).err, -EFAULT);
	}
}

/* Other entries of the root stay when one goes. */
static void unmap_spares_others(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, map_area(f->far, 1));
	KUNIT_ASSERT_NOT_NULL(test, map_area(far_address(1), 2));
	KUNIT_ASSERT_EQ(test, asi_map_user(f->asi), 0);
	KUNIT_ASSERT_EQ(test, asi_map_task(f->asi), 0);
	vm_munmap(far_address(1), AREA_SIZE);
	KUNIT_EXPECT_EQ(test, root_entry(f->asi, far_address(1)), 0);
	expect_inside(test, f->asi, f->far, 1, true);
}

/* What the process may no longer do, the kernel cannot inside either. */
static void protection_follows(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct asi_pt_leaf leaf;

	KUNIT_ASSERT_NOT_NULL(test, map_area(f->far, 1));
	KUNIT_ASSERT_EQ(test, asi_map_user(f->asi), 0);
	leaf = asi_pt_lookup(f->asi->pt.root, asi_levels(), f->far);
	KUNIT_EXPECT_TRUE(test, leaf.write);
	vm_munmap(f->far + PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, is_mapped(f->asi, f->far + PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, is_mapped(f->asi, f->far));
	KUNIT_EXPECT_NE(test, root_entry(f->asi, f->far), 0);
}

/* An instance may outlive the process's memory. It keeps nothing of it. */
static void mm_exits_first(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i, left = 0;
	unsigned long flags;
	bool filled;

	KUNIT_ASSERT_NOT_NULL(test, map_area(f->far, 1));
	KUNIT_ASSERT_NOT_NULL(test, map_area(far_address(1), 1));
	KUNIT_ASSERT_EQ(test, asi_map_user(f->asi), 0);
	KUNIT_EXPECT_NE(test, root_entry(f->asi, f->far), 0);
	kthread_unuse_mm(f->mm);
	f->used = false;
	mmput(f->mm);
	for (i = 0; i < 256; i++)
		left += f->asi->pt.root[i] != 0;
	KUNIT_EXPECT_EQ(test, left, 0);
	local_irq_save(flags);
	filled = asi_user_fill(f->asi, f->far);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, root_entry(f->asi, f->far), 0);
	KUNIT_EXPECT_FALSE(test, filled);
}

/* A range is mapped in whole tables, to its edges and no further. */
static void range_ends_where_it_should(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned long start = f->far + PMD_SIZE, end = start + PMD_SIZE;

	KUNIT_ASSERT_EQ(test, asi_map_task(f->asi), 0);
	KUNIT_ASSERT_EQ(test, asi_map_user_range(f->asi, start,
						 end + PAGE_SIZE), 0);
	KUNIT_ASSERT_NOT_NULL(test, map_area(f->far, 1));
	touch(f->asi, start);
	expect_inside(test, f->asi, start, 1, true);
	expect_inside(test, f->asi, end - PAGE_SIZE, 1, true);
	expect_inside(test, f->asi, start - PAGE_SIZE, 1, false);
	expect_inside(test, f->asi, end, 1, false);
	KUNIT_EXPECT_FALSE(test, is_mapped(f->asi, start - PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, is_mapped(f->asi, end));

	/* Freed with the area, shared again with the next one. */
	vm_munmap(f->far, AREA_SIZE);
	KUNIT_EXPECT_FALSE(test, is_mapped(f->asi, start));
	KUNIT_ASSERT_NOT_NULL(test, map_area(f->far, 2));
	touch(f->asi, start);
	expect_inside(test, f->asi, start, 2, true);
	asi_unmap_user_range(f->asi, start, end + PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, is_mapped(f->asi, start));
	expect_inside(test, f->asi, start, 2, false);
}

/* The auditor's question, answered also for what should not be there. */
static void auditor_knows(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *spare = NULL;
	unsigned long flags;
	u64 entry;

	KUNIT_ASSERT_NOT_NULL(test, map_area(f->far, 1));
	KUNIT_ASSERT_EQ(test, asi_map_user(f->asi), 0);
	entry = root_entry(f->asi, f->far);
	spin_lock_irqsave(&f->asi->lock, flags);
	asi_pt_set(&f->asi->pt, far_address(1), asi_levels(), entry, &spare);
	spin_unlock_irqrestore(&f->asi->lock, flags);

	KUNIT_EXPECT_TRUE(test, asi_user_owns(f->asi, f->far));
	KUNIT_EXPECT_FALSE(test, asi_user_owns(f->asi, far_address(1)));
	KUNIT_EXPECT_FALSE(test, asi_user_owns(f->asi, far_address(2)));
	KUNIT_EXPECT_FALSE(test, asi_user_owns(f->asi, PAGE_OFFSET));
	/* And taken out as soon as somebody looks. */
	__asi_tables_freed(f->mm, 0, TLB_FLUSH_ALL);
	KUNIT_EXPECT_EQ(test, root_entry(f->asi, far_address(1)), 0);
	KUNIT_EXPECT_EQ(test, root_entry(f->asi, f->far), entry);
}

static struct kunit_case user_cases[] = {
	KUNIT_CASE(misuse),
	KUNIT_CASE(strangers_stay_out),
	KUNIT_CASE(fault_fills),
	KUNIT_CASE(unmap_whole_entry),
	KUNIT_CASE(unmap_spares_others),
	KUNIT_CASE(protection_follows),
	KUNIT_CASE(mm_exits_first),
	KUNIT_CASE(range_ends_where_it_should),
	KUNIT_CASE(auditor_knows),
	{ }
};

static struct kunit_suite user_suite = {
	.name = "asi_user",
	.init = user_test_init,
	.exit = user_test_exit,
	.test_cases = user_cases,
};

kunit_test_suite(user_suite);

MODULE_DESCRIPTION("KUnit tests of user memory in restricted address spaces");
MODULE_LICENSE("GPL");
