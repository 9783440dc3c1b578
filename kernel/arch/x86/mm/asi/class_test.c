// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the classes of memory: each allocator, each class, and the way
 * from sensitive memory into a compartment and back.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched/mm.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "asi.h"
#include "check.h"
#include "compartment.h"

#define GLOBAL	__GFP_GLOBAL_NONSENSITIVE
#define LOCAL	__GFP_LOCAL_NONSENSITIVE

static const struct asi_class class_test_class = { .name = "class-test" };

/* The test's thread runs as @mm, which owns local memory; @other does too. */
struct fixture {
	int class_id;
	struct mm_struct *mm, *other_mm;
	struct asi *asi, *other;
	bool used;
};

static int make_instance(int class_id, struct mm_struct **mm, struct asi **asi)
{
	*mm = mm_alloc();
	if (!*mm)
		return -ENOMEM;
	return asi_own(*mm) ?: asi_init(*mm, class_id, asi);
}

static int class_test_init(struct kunit *test)
{
	struct fixture *f;
	int nid;

	if (!asi_enabled())
		kunit_skip(test, "ASI is off");

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->class_id = asi_register_class(&class_test_class);
	KUNIT_ASSERT_GT(test, f->class_id, 0);
	KUNIT_ASSERT_EQ(test, make_instance(f->class_id, &f->mm, &f->asi), 0);
	KUNIT_ASSERT_EQ(test, make_instance(f->class_id, &f->other_mm,
					    &f->other), 0);
	/* What an earlier test could not get may be there by now. */
	for_each_online_node(nid)
		asi_global_pools[nid].grow_after = jiffies;
	/* Tests end in a thread that exits without unusing it: see below. */
	mmget(f->mm);
	kthread_use_mm(f->mm);
	f->used = true;
	return 0;
}

static void class_test_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	/* The thread's exit put what mmget() got; here is what using it took. */
	if (f->used)
		mmdrop(f->mm);
	asi_destroy(f->asi);
	asi_destroy(f->other);
	if (f->class_id > 0)
		asi_unregister_class(f->class_id);
	if (f->mm)
		mmput(f->mm);
	if (f->other_mm)
		mmput(f->other_mm);
	flush_workqueue(asi_wq);
}

static bool sees(const struct asi *asi, const void *p)
{
	return asi_pt_lookup(asi->pt.root, asi_levels(),
			     (unsigned long)p).entry;
}

static struct compartment *where(const void *p)
{
	return compartment_of(PHYS_PFN(__pa(p)));
}

static void expect(struct kunit *test, const void *p, bool inside, bool mine,
		   bool others)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, !!where(p), inside);
	KUNIT_EXPECT_EQ(test, sees(f->asi, p), mine);
	KUNIT_EXPECT_EQ(test, sees(f->other, p), others);
}

static void expect_global(struct kunit *test, const void *p)
{
	expect(test, p, true, true, true);
}

static void expect_local(struct kunit *test, const void *p)
{
	expect(test, p, true, true, false);
}

static void expect_sensitive(struct kunit *test, const void *p)
{
	expect(test, p, false, false, false);
}

static void pages_of_each_order(struct kunit *test)
{
	unsigned int order;
	void *global, *local;

	for (order = 0; order <= COMPARTMENT_ORDER; order++) {
		global = (void *)__get_free_pages(GFP_KERNEL | GLOBAL, order);
		local = (void *)__get_free_pages(GFP_KERNEL | LOCAL | __GFP_COMP,
						 order);
		KUNIT_ASSERT_NOT_NULL(test, global);
		KUNIT_ASSERT_NOT_NULL(test, local);
		expect_global(test, global);
		expect_global(test, global + (PAGE_SIZE << order) - 1);
		expect_local(test, local);
		expect_local(test, local + (PAGE_SIZE << order) - 1);
		KUNIT_EXPECT_PTR_NE(test, where(global), where(local));
		free_pages((unsigned long)global, order);
		free_pages((unsigned long)local, order);
	}
}

static void unflagged_is_sensitive(struct kunit *test)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	void *object = kmalloc(64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_NOT_NULL(test, object);
	expect_sensitive(test, page);
	expect_sensitive(test, object);
	kfree(object);
	free_page((unsigned long)page);
}

/* Requests that compartments cannot meet get what they would have got anyway. */
static void hints_never_fail(struct kunit *test)
{
	static const struct {
		gfp_t gfp;
		unsigned int order;
	} requests[] = {
		{ GFP_KERNEL | GLOBAL | LOCAL, 0 },
		{ GFP_KERNEL | GLOBAL | GFP_DMA32, 0 },
		{ GFP_KERNEL | LOCAL | __GFP_MOVABLE | __GFP_HIGHMEM, 0 },
		{ GFP_KERNEL | GLOBAL, COMPARTMENT_ORDER + 1 },
	};
	void *page;
	int i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		page = (void *)__get_free_pages(requests[i].gfp & ~__GFP_HIGHMEM,
						requests[i].order);
		KUNIT_ASSERT_NOT_NULL(test, page);
		expect_sensitive(test, page);
		free_pages((unsigned long)page, requests[i].order);
	}
}

static void no_owner_no_local(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *page, *object, *area;

	kthread_unuse_mm(f->mm);
	page = (void *)get_zeroed_page(GFP_KERNEL | LOCAL);
	object = kmalloc(64, GFP_KERNEL | LOCAL);
	area = __vmalloc(PAGE_SIZE, GFP_KERNEL | LOCAL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_ASSERT_NOT_NULL(test, area);
	expect_sensitive(test, page);
	expect_sensitive(test, object);
	KUNIT_EXPECT_FALSE(test, sees(f->asi, area));
	vfree(area);
	kfree(object);
	free_page((unsigned long)page);
	kthread_use_mm(f->mm);
}

/* A process that never had a VM. */
static void other_processes_own_none(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mm_struct *mm = mm_alloc();
	void *page, *object;

	KUNIT_ASSERT_NOT_NULL(test, mm);
	kthread_unuse_mm(f->mm);
	kthread_use_mm(mm);
	page = (void *)get_zeroed_page(GFP_KERNEL | LOCAL);
	object = kmalloc(64, GFP_KERNEL | LOCAL);
	KUNIT_EXPECT_TRUE(test, page && object);
	if (page && object) {
		expect_sensitive(test, page);
		expect_sensitive(test, object);
	}
	kfree(object);
	free_page((unsigned long)page);
	kthread_unuse_mm(mm);
	kthread_use_mm(f->mm);
	mmput(mm);
}

/* Neither of two classes is meant, for all that is known. */
static void both_classes(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *object = kmalloc(64, GFP_KERNEL | GLOBAL | LOCAL);
	void *large = kmalloc(3 * PAGE_SIZE, GFP_KERNEL | GLOBAL | LOCAL);
	void *area = __vmalloc(PAGE_SIZE, GFP_KERNEL | GLOBAL | LOCAL);

	KUNIT_ASSERT_TRUE(test, object && large && area);
	expect_sensitive(test, object);
	expect_sensitive(test, large);
	KUNIT_EXPECT_FALSE(test, sees(f->asi, area));
	KUNIT_EXPECT_NULL(test, where(page_address(vmalloc_to_page(area))));
	vfree(area);
	kfree(large);
	kfree(object);
}

static void cache_of_both_classes(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kmem_cache *cache;
	struct mm_struct *mm;
	struct asi *asi;
	void *object;

	cache = kmem_cache_create("asi_test_both", 200, 8,
				  SLAB_GLOBAL_NONSENSITIVE |
				  SLAB_LOCAL_NONSENSITIVE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	/* An owner that is younger than the cache. */
	KUNIT_ASSERT_EQ(test, make_instance(f->class_id, &mm, &asi), 0);
	kthread_unuse_mm(f->mm);
	kthread_use_mm(mm);
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, object);
	if (object) {
		expect_sensitive(test, object);
		KUNIT_EXPECT_FALSE(test, sees(asi, object));
	}
	kmem_cache_free(cache, object);
	kthread_unuse_mm(mm);
	kthread_use_mm(f->mm);
	kmem_cache_destroy(cache);
	asi_destroy(asi);
	mmput(mm);
	flush_workqueue(asi_wq);
}

static void atomic_allocations(struct kunit *test)
{
	void *pages[16];
	unsigned long flags;
	int i;

	local_irq_save(flags);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i] = (void *)__get_free_page(GFP_ATOMIC | GLOBAL);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		free_page((unsigned long)pages[i]);
	local_irq_restore(flags);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_EXPECT_NOT_NULL(test, pages[i]);
}

/* alloc_pages_exact() frees the end of what it takes, page by page. */
static void parts_are_freed(struct kunit *test)
{
	void *p = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL | GLOBAL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	expect_global(test, p);
	free_pages_exact(p, 5 * PAGE_SIZE);
}

static void kmalloc_of_each_size(struct kunit *test)
{
	void *global, *local, *plain;
	size_t size;

	for (size = 8; size <= 4 * KMALLOC_MAX_CACHE_SIZE; size = size * 3 / 2) {
		global = kzalloc(size, GFP_KERNEL | GLOBAL);
		local = kzalloc(size, GFP_KERNEL_ACCOUNT | LOCAL);
		plain = kzalloc(size, GFP_KERNEL | GLOBAL | LOCAL);
		KUNIT_ASSERT_NOT_NULL(test, global);
		KUNIT_ASSERT_NOT_NULL(test, local);
		KUNIT_ASSERT_NOT_NULL(test, plain);
		KUNIT_EXPECT_GE(test, ksize(local), size);
		expect_global(test, global);
		expect_local(test, local);
		expect_sensitive(test, plain);
		kfree(global);
		kfree(local);
		kfree(plain);
	}
}

static void objects_of_a_cache(struct kmem_cache *cache, gfp_t gfp,
			       void **objects, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		objects[i] = kmem_cache_zalloc(cache, gfp);
}

static void named_caches(struct kunit *test)
{
	struct kmem_cache *global, *plain;
	void *objects[64], *other[64];
	int i;

	global = kmem_cache_create("asi_test_global", 200, 8,
				   SLAB_GLOBAL_NONSENSITIVE, NULL);
	plain = kmem_cache_create("asi_test_plain", 200, 8, 0, NULL);
	KUNIT_ASSERT_NOT_NULL(test, global);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	KUNIT_EXPECT_PTR_NE(test, global, plain);

	objects_of_a_cache(global, GFP_KERNEL, objects, 64);
	objects_of_a_cache(plain, GFP_KERNEL, other, 64);
	for (i = 0; i < 64; i++) {
		expect_global(test, objects[i]);
		expect_sensitive(test, other[i]);
		kmem_cache_free(global, objects[i]);
	}
	kmem_cache_free_bulk(plain, 64, other);
	kmem_cache_destroy(global);
	kmem_cache_destroy(plain);
}

/* An owner that comes after a template has a copy; the copy pins the template. */
static void local_caches(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct kmem_cache *template;
	struct mm_struct *mm;
	void *objects[64], *early;
	struct asi *asi;
	int i;

	template = kmem_cache_create("asi_test_local", 200, 8,
				     SLAB_LOCAL_NONSENSITIVE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, template);
	early = kmem_cache_alloc(template, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, early);
	expect_sensitive(test, early);

	KUNIT_ASSERT_EQ(test, make_instance(f->class_id, &mm, &asi), 0);
	kthread_unuse_mm(f->mm);
	kthread_use_mm(mm);
	KUNIT_EXPECT_EQ(test, kmem_cache_alloc_bulk(template, GFP_KERNEL, 64,
						    objects), 64);
	kthread_unuse_mm(mm);
	kthread_use_mm(f->mm);
	for (i = 0; i < 64; i++) {
		KUNIT_EXPECT_NOT_NULL(test, where(objects[i]));
		KUNIT_EXPECT_TRUE(test, sees(asi, objects[i]));
		KUNIT_EXPECT_FALSE(test, sees(f->asi, objects[i]));
	}
	kmem_cache_free_bulk(template, 32, objects);
	for (i = 32; i < 64; i++)
		kmem_cache_free(template, objects[i]);
	kmem_cache_free(template, early);

	kmem_cache_destroy(template);
	asi_destroy(asi);
	mmput(mm);
	flush_workqueue(asi_wq);
}

static void areas(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *global = __vmalloc(5 * PAGE_SIZE, GFP_KERNEL | GLOBAL);
	void *local = __vmalloc(5 * PAGE_SIZE, GFP_KERNEL | LOCAL);
	void *plain = vmalloc(5 * PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, global);
	KUNIT_ASSERT_NOT_NULL(test, local);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(global));
	KUNIT_EXPECT_TRUE(test, sees(f->asi, global));
	KUNIT_EXPECT_TRUE(test, sees(f->other, global));
	KUNIT_EXPECT_NOT_NULL(test, where(page_address(vmalloc_to_page(global))));
	KUNIT_EXPECT_TRUE(test, sees(f->asi, local + 4 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, sees(f->other, local));
	KUNIT_EXPECT_FALSE(test, sees(f->asi, plain));
	KUNIT_EXPECT_EQ(test, asi_vmalloc_kind(f->asi, (unsigned long)local),
			ASI_KIND_LOCAL);
	KUNIT_EXPECT_EQ(test, asi_vmalloc_kind(f->other, (unsigned long)local),
			ASI_NR_KINDS);
	vfree(global);
	vfree(local);
	vfree(plain);
	KUNIT_EXPECT_FALSE(test, sees(f->asi, global));
	KUNIT_EXPECT_FALSE(test, sees(f->asi, local));
}

/* vmap() as a class takes pages of that class only. */
static void mapped_pages(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct page *pages[2] = {
		alloc_page(GFP_KERNEL | GLOBAL), alloc_page(GFP_KERNEL | GLOBAL),
	};
	struct page *plain = alloc_page(GFP_KERNEL);
	void *va;

	KUNIT_ASSERT_TRUE(test, pages[0] && pages[1] && plain);
	va = vmap(pages, 2, VM_MAP | VM_GLOBAL_NONSENSITIVE, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_TRUE(test, sees(f->asi, va));
	vunmap(va);

	swap(pages[1], plain);
	va = vmap(pages, 2, VM_MAP | VM_GLOBAL_NONSENSITIVE, PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_FALSE(test, sees(f->asi, va));
	vunmap(va);
	__free_page(pages[0]);
	__free_page(pages[1]);
	__free_page(plain);
}

static void percpu(struct kunit *test)
{
	struct fixture *f = test->priv;
	u64 __percpu *many[64];
	u64 __percpu *plain = alloc_percpu(u64);
	int i, cpu;

	KUNIT_ASSERT_NOT_NULL(test, (void *)plain);
	for (i = 0; i < ARRAY_SIZE(many); i++) {
		many[i] = __alloc_percpu_gfp(8 << (i % 8), 8 << (i % 4),
					     GFP_KERNEL | GLOBAL);
		KUNIT_ASSERT_NOT_NULL(test, (void *)many[i]);
		for_each_possible_cpu(cpu) {
			KUNIT_EXPECT_TRUE(test, sees(f->asi, per_cpu_ptr(many[i], cpu)));
			KUNIT_EXPECT_EQ(test, *per_cpu_ptr(many[i], cpu), 0);
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)
				per_cpu_ptr(many[i], cpu), 8 << (i % 4)));
			*per_cpu_ptr(many[i], cpu) = ~0ULL;
		}
	}
	for (i = 0; i < ARRAY_SIZE(many); i++)
		free_percpu(many[i]);
	free_percpu(plain);
}

/* Back to sensitive memory: unmapped, out of the map, and zero. */
static void emptied_compartments_return(struct kunit *test)
{
	void *block = (void *)__get_free_pages(GFP_KERNEL | GLOBAL,
					       COMPARTMENT_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, block);
	expect_global(test, block);
	memset(block, 0xa5, COMPARTMENT_SIZE);
	asi_shrink();
	expect_global(test, block);
	free_pages((unsigned long)block, COMPARTMENT_ORDER);
	KUNIT_EXPECT_GE(test, asi_shrink(), 1);
	expect_sensitive(test, block);
}

/* New memory of a class holds nothing of what was there before. */
static void new_compartments_are_zero(struct kunit *test)
{
	void *block = (void *)__get_free_pages(GFP_KERNEL, COMPARTMENT_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, block);
	memset(block, 0xa5, COMPARTMENT_SIZE);
	free_pages((unsigned long)block, COMPARTMENT_ORDER);
	asi_shrink();
	block = (void *)__get_free_pages(GFP_KERNEL | LOCAL, COMPARTMENT_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, block);
	if (!page_poisoning_enabled())
		KUNIT_EXPECT_NULL(test, memchr_inv(block, 0, COMPARTMENT_SIZE));
	free_pages((unsigned long)block, COMPARTMENT_ORDER);
}

/* What outlives its owner stays out of everybody else's hands until freed. */
static void owner_dies_first(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mm_struct *mm;
	struct asi *asi;
	void *page;

	KUNIT_ASSERT_EQ(test, make_instance(f->class_id, &mm, &asi), 0);
	kthread_unuse_mm(f->mm);
	kthread_use_mm(mm);
	page = (void *)get_zeroed_page(GFP_KERNEL | LOCAL);
	kthread_unuse_mm(mm);
	kthread_use_mm(f->mm);
	KUNIT_ASSERT_NOT_NULL(test, page);

	asi_destroy(asi);
	mmput(mm);
	flush_workqueue(asi_wq);
	KUNIT_EXPECT_NOT_NULL(test, where(page));
	KUNIT_EXPECT_FALSE(test, sees(f->asi, page));
	free_page((unsigned long)page);
	flush_workqueue(asi_wq);
	expect_sensitive(test, page);
}

/* An instance sees what was there before it, and what comes after. */
static void instances_come_and_go(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct mm_struct *mm;
	void *before, *after;
	struct asi *asi;

	before = (void *)__get_free_pages(GFP_KERNEL | GLOBAL, COMPARTMENT_ORDER);
	KUNIT_ASSERT_EQ(test, make_instance(f->class_id, &mm, &asi), 0);
	after = (void *)__get_free_pages(GFP_KERNEL | GLOBAL, COMPARTMENT_ORDER);
	KUNIT_ASSERT_TRUE(test, before && after);
	KUNIT_EXPECT_TRUE(test, sees(asi, before));
	KUNIT_EXPECT_TRUE(test, sees(asi, after));
	asi_destroy(asi);
	mmput(mm);
	free_pages((unsigned long)before, COMPARTMENT_ORDER);
	free_pages((unsigned long)after, COMPARTMENT_ORDER);
}

/* What was missed is mapped by the exit that it costs. */
static void a_hole_is_filled(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *page = (void *)get_zeroed_page(GFP_KERNEL | GLOBAL);
	unsigned long start = (unsigned long)page & ~(COMPARTMENT_SIZE - 1);
	unsigned long flags;
	bool filled;

	KUNIT_ASSERT_NOT_NULL(test, page);
	spin_lock_irqsave(&f->asi->lock, flags);
	asi_pt_clear(&f->asi->pt, start, start + COMPARTMENT_SIZE);
	spin_unlock_irqrestore(&f->asi->lock, flags);
	asi_flush(f->asi);
	KUNIT_EXPECT_FALSE(test, sees(f->asi, page));

	local_irq_save(flags);
	filled = asi_compartment_fill(f->asi, (unsigned long)page);
	local_irq_restore(flags);
	KUNIT_EXPECT_TRUE(test, filled);
	expect_global(test, page);
	free_page((unsigned long)page);
}

static bool writes(const struct asi *asi, const void *p)
{
	return asi_pt_lookup(asi->pt.root, asi_levels(),
			     (unsigned long)p).write;
}

/* One page of two is read-only for all who see it, old and new. */
static void expect_read_only(struct kunit *test, const char *pages)
{
	struct fixture *f = test->priv;
	struct mm_struct *mm;
	struct asi *asi;

	KUNIT_ASSERT_EQ(test, make_instance(f->class_id, &mm, &asi), 0);
	expect_global(test, pages);
	expect_global(test, pages + PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, sees(asi, pages));
	KUNIT_EXPECT_FALSE(test, writes(f->asi, pages));
	KUNIT_EXPECT_FALSE(test, writes(asi, pages));
	KUNIT_EXPECT_TRUE(test, writes(f->asi, pages + PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, writes(asi, pages + PAGE_SIZE));
	asi_destroy(asi);
	mmput(mm);
}

/* A page that has changed has no bearing on the one beside it. */
static void attributes_change(struct kunit *test)
{
	struct fixture *f = test->priv;
	char *pages = (char *)__get_free_pages(GFP_KERNEL | GLOBAL, 1);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	expect_global(test, pages);
	KUNIT_EXPECT_EQ(test, set_memory_ro((unsigned long)pages, 1), 0);
	expect_read_only(test, pages);
	KUNIT_EXPECT_EQ(test, set_memory_rw((unsigned long)pages, 1), 0);
	KUNIT_EXPECT_TRUE(test, writes(f->asi, pages));

	KUNIT_EXPECT_EQ(test, set_direct_map_invalid_noflush(virt_to_page(pages)), 0);
	flush_tlb_kernel_range((unsigned long)pages,
			       (unsigned long)pages + PAGE_SIZE);
	expect(test, pages, true, false, false);
	expect_global(test, pages + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, set_direct_map_default_noflush(virt_to_page(pages)), 0);
	expect_global(test, pages);
	free_pages((unsigned long)pages, 1);
}

/* Whether @page may be mapped writable or not, by who has seen what @seen says. */
static int may_map(struct asi *asi, const void *page, bool write,
		   struct asi_pt_leaf *seen)
{
	u64 entry = __pa(page) | ASI_PTE_PRESENT | ASI_PTE_NX |
		    (write ? ASI_PTE_WRITE : 0);

	guard(spinlock_irqsave)(&asi->lock);
	return __asi_check_leaf(&asi->pt, (unsigned long)page, ASI_PT_4K, entry,
				seen);
}

/* Between the walk of who makes a leaf and that of the check: late, not wrong. */
static void attributes_overtake(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *page = (void *)get_zeroed_page(GFP_KERNEL | GLOBAL);
	struct asi_pt_leaf seen;

	if (!IS_ENABLED(CONFIG_PTCHECK))
		kunit_skip(test, "no page table check");
	KUNIT_ASSERT_NOT_NULL(test, page);
	seen = asi_pt_lookup(asi_full_root(), asi_levels(), (unsigned long)page);
	KUNIT_EXPECT_EQ(test, may_map(f->asi, page, true, &seen), 0);

	KUNIT_EXPECT_EQ(test, set_memory_ro((unsigned long)page, 1), 0);
	KUNIT_EXPECT_EQ(test, may_map(f->asi, page, true, &seen), -ESTALE);
	KUNIT_EXPECT_EQ(test, seen.level, ASI_PT_4K);
	KUNIT_EXPECT_FALSE(test, seen.write);
	KUNIT_EXPECT_EQ(test, may_map(f->asi, page, false, &seen), 0);

	KUNIT_EXPECT_EQ(test, set_direct_map_invalid_noflush(virt_to_page(page)), 0);
	KUNIT_EXPECT_EQ(test, may_map(f->asi, page, false, &seen), -ESTALE);
	KUNIT_EXPECT_EQ(test, seen.entry, 0);
	KUNIT_EXPECT_EQ(test, set_direct_map_default_noflush(virt_to_page(page)), 0);
	KUNIT_EXPECT_EQ(test, set_memory_rw((unsigned long)page, 1), 0);
	free_page((unsigned long)page);
}

/* Its block is shared by then: the way out is another one, and as thorough. */
static void changed_compartments_return(struct kunit *test)
{
	struct fixture *f = test->priv;
	char *page = (char *)__get_free_pages(GFP_KERNEL | GLOBAL, COMPARTMENT_ORDER);

	if (!page || !where(page))
		kunit_skip(test, "no compartment of its own");
	KUNIT_EXPECT_EQ(test, set_memory_ro((unsigned long)page, 1), 0);
	KUNIT_EXPECT_TRUE(test, sees(f->asi, page));
	KUNIT_EXPECT_EQ(test, set_memory_rw((unsigned long)page, 1), 0);
	free_pages((unsigned long)page, COMPARTMENT_ORDER);
	asi_shrink();
	expect(test, page, false, false, false);
}

/* An owner's memory is no other's to map. */
static void local_memory_stays_local(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *page = (void *)get_zeroed_page(GFP_KERNEL | LOCAL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	expect_local(test, page);
	KUNIT_EXPECT_EQ(test, asi_map(f->other, page, 8, ASI_KIND_OTHER),
			-EPERM);
	KUNIT_EXPECT_EQ(test, asi_map(ASI_GLOBAL_NONSENSITIVE, page, 8,
				      ASI_KIND_OTHER), -EPERM);
	expect_local(test, page);
	free_page((unsigned long)page);
}

static struct kunit_case class_cases[] = {
	KUNIT_CASE(pages_of_each_order),
	KUNIT_CASE(unflagged_is_sensitive),
	KUNIT_CASE(hints_never_fail),
	KUNIT_CASE(no_owner_no_local),
	KUNIT_CASE(other_processes_own_none),
	KUNIT_CASE(both_classes),
	KUNIT_CASE(cache_of_both_classes),
	KUNIT_CASE(atomic_allocations),
	KUNIT_CASE(parts_are_freed),
	KUNIT_CASE(kmalloc_of_each_size),
	KUNIT_CASE(named_caches),
	KUNIT_CASE(local_caches),
	KUNIT_CASE(areas),
	KUNIT_CASE(mapped_pages),
	KUNIT_CASE(percpu),
	KUNIT_CASE(emptied_compartments_return),
	KUNIT_CASE(new_compartments_are_zero),
	KUNIT_CASE(owner_dies_first),
	KUNIT_CASE(instances_come_and_go),
	KUNIT_CASE(a_hole_is_filled),
	KUNIT_CASE(local_memory_stays_local),
	KUNIT_CASE(attributes_change),
	KUNIT_CASE(attributes_overtake),
	KUNIT_CASE(changed_compartments_return),
	{ }
};

static struct kunit_suite class_suite = {
	.name = "asi_class",
	.init = class_test_init,
	.exit = class_test_exit,
	.test_cases = class_cases,
};

kunit_test_suite(class_suite);
