// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the interface for consumers inside the kernel: pages, holes,
 * notifiers and their pairing, owners, memory that fails.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/set_memory.h>
#include <linux/swap.h>

#include "internal.h"

#define PAGES	(4 * HPAGE_PMD_NR)

struct probe {
	struct restrictedmem_notifier notifier;
	atomic_t starts, ends, errors;
	pgoff_t start, end;
	bool inside;		/* between a start and its end */
	bool broken;		/* two starts, two ends, or ranges that differ */
};

static struct probe *to_probe(struct restrictedmem_notifier *notifier)
{
	return container_of(notifier, struct probe, notifier);
}

static void probe_start(struct restrictedmem_notifier *notifier,
			pgoff_t start, pgoff_t end)
{
	struct probe *probe = to_probe(notifier);

	probe->broken |= probe->inside;
	probe->inside = true;
	probe->start = start;
	probe->end = end;
	atomic_inc(&probe->starts);
}

static void probe_end(struct restrictedmem_notifier *notifier, pgoff_t start,
		      pgoff_t end)
{
	struct probe *probe = to_probe(notifier);

	probe->broken |= !probe->inside || probe->start != start ||
			 probe->end != end;
	probe->inside = false;
	atomic_inc(&probe->ends);
}

static void probe_error(struct restrictedmem_notifier *notifier, pgoff_t start,
			pgoff_t end)
{
	struct probe *probe = to_probe(notifier);

	probe->start = start;
	probe->end = end;
	atomic_inc(&probe->errors);
}

static const struct restrictedmem_notifier_ops probe_ops = {
	.invalidate_start	= probe_start,
	.invalidate_end		= probe_end,
	.error			= probe_error,
};

static struct file *make(struct kunit *test, unsigned int flags)
{
	struct file *file = rmem_file_create(flags);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	i_size_write(file_inode(file), (loff_t)PAGES << PAGE_SHIFT);
	return file;
}

static void punch(struct file *file, pgoff_t start, pgoff_t end)
{
	rmem_punch(file_inode(file), start, end);
}

static void write_page(struct kunit *test, struct file *file, pgoff_t index,
		       u8 value)
{
	struct page *page;
	void *at;

	KUNIT_ASSERT_EQ(test, restrictedmem_get_page(file, index, &page, NULL),
			0);
	at = restrictedmem_map_local(page);
	memset(at, value, PAGE_SIZE);
	restrictedmem_unmap_local(at);
	put_page(page);
}

/* What is in all of the page, or -1. */
static int page_value(struct page *page)
{
	u8 *at = restrictedmem_map_local(page);
	int value = memchr_inv(at, at[0], PAGE_SIZE) ? -1 : at[0];

	restrictedmem_unmap_local(at);
	return value;
}

static int read_page(struct kunit *test, struct file *file, pgoff_t index)
{
	struct page *page;
	int value;

	KUNIT_ASSERT_EQ(test, restrictedmem_get_page(file, index, &page, NULL),
			0);
	value = page_value(page);
	put_page(page);
	return value;
}

static int watch(struct file *file, struct probe *probe, pgoff_t start,
		 pgoff_t end)
{
	return restrictedmem_register_notifier(file, &probe->notifier, start,
					       end);
}

static void unwatch(struct file *file, struct probe *probe)
{
	restrictedmem_unregister_notifier(file, &probe->notifier);
}

static void test_pages(struct kunit *test)
{
	struct file *file = make(test, 0);
	struct page *page, *again;
	int order = -1;

	KUNIT_EXPECT_EQ(test, restrictedmem_find_page(file, 5, &page), -ENOENT);
	KUNIT_EXPECT_EQ(test, read_page(test, file, 5), 0);
	KUNIT_ASSERT_EQ(test, restrictedmem_get_page(file, 5, &page, &order), 0);
	KUNIT_EXPECT_EQ(test, order, 0);
	KUNIT_ASSERT_EQ(test, restrictedmem_find_page(file, 5, &again), 0);
	KUNIT_EXPECT_PTR_EQ(test, page, again);
	put_page(again);
	put_page(page);
	KUNIT_EXPECT_EQ(test, restrictedmem_get_page(file, PAGES, &page, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, restrictedmem_get_page(file, ULONG_MAX, &page,
						     NULL), -EINVAL);
	KUNIT_EXPECT_TRUE(test, mapping_unevictable(file->f_mapping));
	fput(file);
}

static void test_large_pages(struct kunit *test)
{
	struct file *file = make(test, RMFD_HUGEPAGE);
	struct page *first, *page;
	int order = -1;

	KUNIT_ASSERT_EQ(test, restrictedmem_get_page(file, HPAGE_PMD_NR + 7,
						     &page, &order), 0);
	if (order != HPAGE_PMD_ORDER)
		kunit_skip(test, "no large page to be had");
	KUNIT_ASSERT_EQ(test, restrictedmem_get_page(file, HPAGE_PMD_NR, &first,
						     &order), 0);
	KUNIT_EXPECT_EQ(test, page_to_pfn(page), page_to_pfn(first) + 7);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(page_to_pfn(first), HPAGE_PMD_NR));
	put_page(first);
	put_page(page);
	fput(file);
}

/* Of a large page that loses some, the rest keeps contents and place. */
static void test_punch(struct kunit *test)
{
	static const unsigned int flags[] = { 0, RMFD_HUGEPAGE };
	struct file *file;
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		file = make(test, flags[i]);
		write_page(test, file, 10, 1);
		write_page(test, file, 11, 2);
		write_page(test, file, 12, 3);
		punch(file, 11, 12);
		KUNIT_EXPECT_EQ(test, read_page(test, file, 10), 1);
		KUNIT_EXPECT_EQ(test, read_page(test, file, 11), 0);
		KUNIT_EXPECT_EQ(test, read_page(test, file, 12), 3);
		punch(file, 0, PAGES);
		KUNIT_EXPECT_EQ(test, file->f_mapping->nrpages, 0);
		fput(file);
	}
}

/* Who still holds a page that went has no secret in it. */
static void test_cleared(struct kunit *test)
{
	struct file *file = make(test, 0);
	struct page *page;

	write_page(test, file, 3, 0x5a);
	KUNIT_ASSERT_EQ(test, restrictedmem_find_page(file, 3, &page), 0);
	punch(file, 3, 4);
	KUNIT_EXPECT_EQ(test, page_value(page), 0);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	put_page(page);
	fput(file);
}

/*
 * Memory that has something in it, back with the page allocator: all that can be
 * had without waiting, because which of it comes back first is not ours to say.
 */
static void spoil_memory(struct kunit *test)
{
	unsigned int order = HPAGE_PMD_ORDER;
	struct page *page, *next, *all = NULL;

	while ((page = alloc_pages(GFP_NOWAIT | __GFP_NOWARN, order))) {
		memset(page_address(page), 0xa5, PAGE_SIZE << order);
		page->private = (unsigned long)all;
		all = page;
	}
	for (; all; all = next) {
		next = (struct page *)all->private;
		all->private = 0;
		__free_pages(all, order);
	}
}

/* What the page allocator left there, before anybody gets it. */
static bool is_stale(struct file *file, pgoff_t index)
{
	struct folio *folio = filemap_get_folio(file->f_mapping, index);
	bool stale = page_value(folio_file_page(folio, index)) != 0;

	folio_put(folio);
	return stale;
}

/* Allocated pages are not cleared, and nobody can see that. */
static void test_first_use(struct kunit *test)
{
	static const unsigned int flags[] = { 0, RMFD_HUGEPAGE };
	int i, stale, wrong, index;
	struct page *page;
	struct file *file;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		file = make(test, flags[i]);
		spoil_memory(test);
		KUNIT_ASSERT_EQ(test, rmem_populate(file_inode(file), 0, PAGES),
				0);
		KUNIT_EXPECT_EQ(test, restrictedmem_find_page(file, 9, &page),
				-ENOENT);
		/* The pieces of a large page that nobody had are like it. */
		punch(file, 3, 5);
		for (stale = 0, index = 5; index < PAGES; index++)
			stale += is_stale(file, index);
		for (wrong = 0, index = 0; index < PAGES; index++)
			wrong += read_page(test, file, index) != 0;
		kunit_info(test, "%d pages had something in them\n", stale);
		KUNIT_EXPECT_EQ(test, wrong, 0);
		if (!want_init_on_alloc(GFP_KERNEL))
			KUNIT_EXPECT_GT(test, stale, 0);
		fput(file);
	}
}

/* A kernel thread's files go a moment after it has closed them. */
static bool all_are_gone(void)
{
	int tries;

	for (tries = 0; tries < 100 && restrictedmem_active(); tries++)
		msleep(20);
	return !restrictedmem_active();
}

/* Hibernation is refused while there is a file, and only then. */
static void test_active(struct kunit *test)
{
	struct file *a, *b;

	KUNIT_EXPECT_TRUE(test, all_are_gone());
	a = make(test, 0);
	b = make(test, RMFD_HUGEPAGE);
	KUNIT_EXPECT_TRUE(test, restrictedmem_active());
	fput(a);
	msleep(100);
	KUNIT_EXPECT_TRUE(test, restrictedmem_active());
	fput(b);
	KUNIT_EXPECT_TRUE(test, all_are_gone());
}

static bool in_direct_map(struct page *page)
{
	return kernel_page_present(page);
}

/* What lists of the kernel's still held is looked at again a little later. */
static bool comes_back(struct page *page)
{
	int tries;

	for (tries = 0; tries < 100 && !in_direct_map(page); tries++)
		msleep(20);
	return in_direct_map(page);
}

/* Out when it is handed out, back when it is free; the rest stays out. */
static void test_direct_map(struct kunit *test)
{
	static const unsigned int flags[] = { 0, RMFD_HUGEPAGE };
	struct page *page, *next;
	struct file *file;
	int i;

	if (!static_branch_unlikely(&rmem_nodirect))
		kunit_skip(test, "without restrictedmem=nodirectmap");
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		file = make(test, flags[i]);
		KUNIT_ASSERT_EQ(test, rmem_populate(file_inode(file), 0, PAGES),
				0);
		write_page(test, file, 10, 1);
		write_page(test, file, 11, 2);
		KUNIT_ASSERT_EQ(test, restrictedmem_find_page(file, 10, &page),
				0);
		KUNIT_ASSERT_EQ(test, restrictedmem_find_page(file, 11, &next),
				0);
		KUNIT_EXPECT_FALSE(test, in_direct_map(page));
		KUNIT_EXPECT_FALSE(test, in_direct_map(next));
		put_page(next);
		put_page(page);
		punch(file, 10, 11);
		KUNIT_EXPECT_TRUE(test, comes_back(page));
		KUNIT_EXPECT_FALSE(test, in_direct_map(next));
		KUNIT_EXPECT_EQ(test, read_page(test, file, 11), 2);
		punch(file, 0, PAGES);
		KUNIT_EXPECT_TRUE(test, comes_back(next));
		fput(file);
	}
}

/* Who still holds a page keeps it out, and lets it in again. */
static void test_direct_map_kept(struct kunit *test)
{
	struct file *file = make(test, 0);
	struct page *page;

	if (!static_branch_unlikely(&rmem_nodirect)) {
		fput(file);
		kunit_skip(test, "without restrictedmem=nodirectmap");
	}
	write_page(test, file, 3, 0x5a);
	KUNIT_ASSERT_EQ(test, restrictedmem_find_page(file, 3, &page), 0);
	punch(file, 3, 4);
	KUNIT_EXPECT_FALSE(test, in_direct_map(page));
	put_page(page);
	KUNIT_EXPECT_TRUE(test, comes_back(page));
	fput(file);
}

static void test_notifiers(struct kunit *test)
{
	struct probe a = { .notifier.ops = &probe_ops };
	struct probe b = { .notifier.ops = &probe_ops };
	struct file *file = make(test, 0);

	KUNIT_EXPECT_EQ(test, watch(file, &a, 0, PAGES + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, watch(file, &a, 5, 5), -EINVAL);
	KUNIT_ASSERT_EQ(test, watch(file, &a, 0, 10), 0);
	KUNIT_ASSERT_EQ(test, watch(file, &b, 9, PAGES), 0);
	punch(file, 0, 9);
	KUNIT_EXPECT_EQ(test, atomic_read(&a.ends), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&b.starts), 0);
	punch(file, 9, 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&a.ends), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&b.ends), 1);
	unwatch(file, &a);
	punch(file, 0, PAGES);
	KUNIT_EXPECT_EQ(test, atomic_read(&a.starts), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&b.starts), 2);
	unwatch(file, &b);
	KUNIT_EXPECT_FALSE(test, a.broken || a.inside || b.broken || b.inside);
	fput(file);
}

static void test_wide_notice(struct kunit *test)
{
	struct probe a = { .notifier.ops = &probe_ops };
	struct file *file = make(test, RMFD_HUGEPAGE);

	KUNIT_ASSERT_EQ(test, watch(file, &a, 0, PAGES), 0);
	punch(file, HPAGE_PMD_NR + 1, HPAGE_PMD_NR + 2);
	KUNIT_EXPECT_EQ(test, a.start, HPAGE_PMD_NR);
	KUNIT_EXPECT_EQ(test, a.end, 2 * HPAGE_PMD_NR);
	unwatch(file, &a);
	fput(file);
}

static void test_owners(struct kunit *test)
{
	struct probe a = { .notifier.ops = &probe_ops };
	struct probe b = { .notifier.ops = &probe_ops };
	u64 one = restrictedmem_new_owner(), two = restrictedmem_new_owner();
	struct file *file = make(test, 0);

	KUNIT_EXPECT_NE(test, one, two);
	KUNIT_ASSERT_EQ(test, restrictedmem_bind(file, &a.notifier, 0, 10, one),
			0);
	KUNIT_EXPECT_EQ(test, restrictedmem_bind(file, &b.notifier, 9, 20, one),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, restrictedmem_bind(file, &b.notifier, 10, 20, two),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, watch(file, &b, 0, 20), 0);
	unwatch(file, &b);
	write_page(test, file, 30, 1);
	unwatch(file, &a);
	KUNIT_EXPECT_EQ(test, restrictedmem_bind(file, &b.notifier, 10, 20, two),
			-EBUSY);
	punch(file, 0, PAGES);
	KUNIT_ASSERT_EQ(test, restrictedmem_bind(file, &b.notifier, 10, 20, two),
			0);
	unwatch(file, &b);
	fput(file);
}

#ifdef CONFIG_MEMORY_FAILURE
static int fail_page(struct kunit *test, struct file *file, pgoff_t index)
{
	unsigned long pfn;
	struct page *page;

	/* Pages on their way to the LRU lists cannot be told apart there. */
	lru_add_drain_all();
	KUNIT_ASSERT_EQ(test, restrictedmem_get_page(file, index, &page, NULL),
			0);
	pfn = page_to_pfn(page);
	put_page(page);
	return memory_failure(pfn, MF_SW_SIMULATED);
}

static void test_failure(struct kunit *test)
{
	static const unsigned int flags[] = { 0, RMFD_HUGEPAGE };
	struct page *page;
	struct file *file;
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct probe a = { .notifier.ops = &probe_ops };

		file = make(test, flags[i]);
		KUNIT_ASSERT_EQ(test, watch(file, &a, 0, PAGES), 0);
		write_page(test, file, 40, 1);
		write_page(test, file, 41, 2);
		KUNIT_EXPECT_EQ(test, fail_page(test, file, 41), 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&a.errors), 1);
		KUNIT_EXPECT_EQ(test, a.start, 41);
		KUNIT_EXPECT_EQ(test, a.end, 42);
		KUNIT_EXPECT_EQ(test, restrictedmem_get_page(file, 41, &page,
							     NULL), -EHWPOISON);
		KUNIT_EXPECT_EQ(test, read_page(test, file, 40), 1);
		punch(file, 41, 42);
		KUNIT_EXPECT_EQ(test, read_page(test, file, 41), 0);
		unwatch(file, &a);
		fput(file);
	}
}

/* A large page that somebody holds stays in one piece; its owner is told. */
static void test_unsplit_failure(struct kunit *test)
{
	struct file *file = make(test, RMFD_HUGEPAGE);
	struct probe a = { .notifier.ops = &probe_ops };
	struct page *held, *page;
	int order = 0;

	KUNIT_ASSERT_EQ(test, watch(file, &a, 0, PAGES), 0);
	write_page(test, file, 40, 1);
	write_page(test, file, 41, 2);
	KUNIT_ASSERT_EQ(test, restrictedmem_get_page(file, 100, &held, &order),
			0);
	KUNIT_EXPECT_EQ(test, order, HPAGE_PMD_ORDER);
	if (order != HPAGE_PMD_ORDER)
		goto out;
	KUNIT_EXPECT_EQ(test, fail_page(test, file, 41), -EHWPOISON);
	KUNIT_EXPECT_EQ(test, atomic_read(&a.errors), 1);
	KUNIT_EXPECT_EQ(test, a.start, 41);
	KUNIT_EXPECT_EQ(test, a.end, 42);
	KUNIT_EXPECT_EQ(test, restrictedmem_get_page(file, 41, &page, NULL),
			-EHWPOISON);
	KUNIT_EXPECT_EQ(test, read_page(test, file, 40), 1);
	KUNIT_ASSERT_EQ(test, restrictedmem_get_page(file, 42, &page, &order),
			0);
	put_page(page);
	KUNIT_EXPECT_EQ(test, order, 0);
out:
	put_page(held);
	punch(file, 41, 42);
	KUNIT_EXPECT_EQ(test, read_page(test, file, 41), 0);
	KUNIT_EXPECT_EQ(test, read_page(test, file, 40), 1);
	unwatch(file, &a);
	fput(file);
}

/* Held to the end, it is never given to anybody else. */
static void test_unsplit_failure_kept(struct kunit *test)
{
	struct file *file = make(test, RMFD_HUGEPAGE);
	struct page *held;
	int order = 0;

	write_page(test, file, 41, 2);
	KUNIT_ASSERT_EQ(test, restrictedmem_get_page(file, 100, &held, &order),
			0);
	KUNIT_EXPECT_EQ(test, order, HPAGE_PMD_ORDER);
	if (order == HPAGE_PMD_ORDER) {
		fail_page(test, file, 41);
		punch(file, 0, HPAGE_PMD_NR);
		KUNIT_EXPECT_EQ(test, page_count(held), 2);
		KUNIT_EXPECT_EQ(test, page_value(held), 0);
		KUNIT_EXPECT_EQ(test, read_page(test, file, 41), 0);
	}
	put_page(held);
	fput(file);
}
#else
static void test_failure(struct kunit *test)
{
	kunit_skip(test, "no memory failure handling");
}

static void test_unsplit_failure(struct kunit *test)
{
	kunit_skip(test, "no memory failure handling");
}

static void test_unsplit_failure_kept(struct kunit *test)
{
	kunit_skip(test, "no memory failure handling");
}
#endif

struct storm {
	struct file *file;
	struct completion done;
};

static int storm_thread(void *data)
{
	struct storm *storm = data;
	struct page *page;
	pgoff_t index;
	int i;

	for (i = 0; i < 300; i++) {
		index = (i * 37) % PAGES;
		if (!restrictedmem_get_page(storm->file, index, &page, NULL))
			put_page(page);
		punch(storm->file, index, min_t(pgoff_t, index + i, PAGES));
		cond_resched();
	}
	complete(&storm->done);
	return 0;
}

/* Notifiers come and go under holes: each sees starts and ends in pairs. */
static void test_pairs(struct kunit *test)
{
	struct storm storm = { .file = make(test, RMFD_HUGEPAGE) };
	struct probe probe;
	bool broken = false;
	int i;

	init_completion(&storm.done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(storm_thread, &storm,
						    "rmem-test")));
	for (i = 0; !try_wait_for_completion(&storm.done); i++) {
		probe = (struct probe){ .notifier.ops = &probe_ops };
		if (restrictedmem_register_notifier(storm.file, &probe.notifier,
						    i % 100, PAGES - i % 50))
			break;
		cond_resched();
		restrictedmem_unregister_notifier(storm.file, &probe.notifier);
		broken |= probe.broken || probe.inside ||
			  atomic_read(&probe.starts) != atomic_read(&probe.ends);
	}
	KUNIT_EXPECT_FALSE(test, broken);
	kunit_info(test, "%d notifiers came and went\n", i);
	fput(storm.file);
}

static struct kunit_case restrictedmem_cases[] = {
	KUNIT_CASE(test_pages),
	KUNIT_CASE(test_large_pages),
	KUNIT_CASE(test_punch),
	KUNIT_CASE(test_cleared),
	KUNIT_CASE(test_first_use),
	KUNIT_CASE(test_active),
	KUNIT_CASE(test_direct_map),
	KUNIT_CASE(test_direct_map_kept),
	KUNIT_CASE(test_notifiers),
	KUNIT_CASE(test_wide_notice),
	KUNIT_CASE(test_owners),
	KUNIT_CASE(test_failure),
	KUNIT_CASE(test_unsplit_failure),
	KUNIT_CASE(test_unsplit_failure_kept),
	KUNIT_CASE(test_pairs),
	{}
};

static struct kunit_suite restrictedmem_suite = {
	.name = "restrictedmem",
	.test_cases = restrictedmem_cases,
};

kunit_test_suite(restrictedmem_suite);
