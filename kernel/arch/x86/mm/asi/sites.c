// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the kernel leaves the restricted address space through a fault.
 *
 * A small table per CPU counts (instruction, object) pairs. It is the list of
 * what to look at next when the exit rate is too high, so the object is named
 * as well as can be done at the time of the fault.
 */
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../../../../mm/slab.h"
#include "asi.h"
#include "sites.h"

#define NR_SITES	128

struct site {
	unsigned long ip;
	unsigned long sample;		/* the last address */
	u64 count;
	char object[24];		/* a copy: slab caches come and go */
};

struct site_table {
	struct site site[NR_SITES];
	u64 dropped;
};

static DEFINE_PER_CPU(struct site_table, sites);

static const char *object_of(unsigned long address)
{
	struct slab *slab;

	if (address < TASK_SIZE_MAX)
		return "user";
	if (is_vmalloc_addr((void *)address))
		return "vmalloc";
	if (!virt_addr_valid(address))
		return "other";
	slab = virt_to_slab((void *)address);
	if (!slab)
		return PageReserved(virt_to_page((void *)address)) ?
			"reserved" : "page";
	return slab->slab_cache->name;
}

static bool same_site(const struct site *s, unsigned long ip,
		      const char *object)
{
	return s->ip == ip &&
	       !strncmp(s->object, object, sizeof(s->object) - 1);
}

/**
 * asi_site_record - count a faulting access
 * @ip: the instruction
 * @address: what it touched
 *
 * Context: full tables loaded, interrupts off. An NMI may lose one count.
 */
void asi_site_record(unsigned long ip, unsigned long address)
{
	struct site_table *table = this_cpu_ptr(&sites);
	const char *object = object_of(address);
	unsigned int i;

	for (i = 0; i < NR_SITES; i++) {
		struct site *s = &table->site[(ip + i) % NR_SITES];

		if (s->count && !same_site(s, ip, object))
			continue;
		s->ip = ip;
		s->sample = address;
		s->count++;
		strscpy(s->object, object);
		return;
	}
	table->dropped++;
}

static int by_count(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

/* Add one CPU's @s to the @nr in @all, which has room for @max. */
static int merge(struct site *all, int nr, int max, const struct site *s)
{
	int i;

	if (!s->count)
		return nr;

	for (i = 0; i < nr; i++) {
		if (same_site(&all[i], s->ip, s->object)) {
			all[i].count += s->count;
			return nr;
		}
	}
	if (nr < max)
		all[nr++] = *s;
	return nr;
}

/** asi_sites_show - print all sites, the most frequent first */
int asi_sites_show(struct seq_file *m)
{
	int max = NR_SITES * 2;
	struct site *all = kvcalloc(max, sizeof(*all), GFP_KERNEL);
	u64 dropped = 0;
	int cpu, i, nr = 0;

	if (!all)
		return -ENOMEM;

	for_each_possible_cpu(cpu) {
		struct site_table *table = per_cpu_ptr(&sites, cpu);

		dropped += table->dropped;
		for (i = 0; i < NR_SITES; i++)
			nr = merge(all, nr, max, &table->site[i]);
	}
	sort(all, nr, sizeof(*all), by_count, NULL);
	for (i = 0; i < nr; i++)
		seq_printf(m, "%llu %pS %s 0x%lx\n", all[i].count,
			   (void *)all[i].ip, all[i].object, all[i].sample);
	if (dropped)
		seq_printf(m, "%llu dropped - -\n", dropped);
	kvfree(all);
	return 0;
}

/** asi_sites_clear - start counting anew */
void asi_sites_clear(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&sites, cpu), 0, sizeof(struct site_table));
}
