// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the kernel leaves the restricted address space through a fault.
 *
 * A small table per CPU counts (instruction, object) pairs. It is the list of
 * what to look at next when the exit rate is too high, so the object is named
 * as well as can be done at the time of the fault.
 */
#include <linux/kallsyms.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/sort.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/asi_audit.h>
#include <asm/sections.h>

#include "../../../../mm/slab.h"
#include "asi.h"
#include "sites.h"

#define NR_SITES	128

struct site {
	unsigned long ip;
	unsigned long sample;		/* the last address */
	u64 count;
	u64 avoidable;			/* of these, see asi_site_close() */
	char object[24];		/* a copy: slab caches come and go */
};

struct site_table {
	struct site site[NR_SITES];
	struct site *open;		/* the last, until it is closed */
	u64 dropped;
};

static DEFINE_PER_CPU(struct site_table, asi_sites);

static const char *object_of(unsigned long address)
{
	struct slab *slab;

	if (address < TASK_SIZE_MAX)
		return "user";
	if (is_vmalloc_addr((void *)address))
		return "vmalloc";
	if (__is_kernel(address))
		return "data";
	if (is_kernel_percpu_address(address))
		return "percpu";
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
	struct site_table *table = this_cpu_ptr(&asi_sites);
	const char *object = object_of(address);
	unsigned int i;

	for (i = 0; i < NR_SITES; i++) {
		struct site *s = &table->site[(ip + i) % NR_SITES];

		if (s->count && !same_site(s, ip, object))
			continue;
		s->ip = ip;
		s->sample = address;
		s->count++;
		table->open = s;
		strscpy(s->object, object);
		return;
	}
	table->dropped++;
}

/**
 * asi_exits_here - how often this CPU has left restricted address spaces
 *
 * Context: cannot migrate.
 */
u64 asi_exits_here(void)
{
	const struct asi_cpu *cpu = raw_cpu_ptr(&asi_cpu);
	u64 sum = 0;
	int cause;

	for (cause = 0; cause < ASI_NR_EXIT_CAUSES; cause++)
		sum += cpu->exits[cause];
	return sum;
}
EXPORT_SYMBOL_GPL(asi_exits_here);

/**
 * asi_site_close - what became of the last exit of this CPU is known
 * @avoidable: nothing but the access itself made it leave
 *
 * Context: interrupts off. Also in restricted address spaces, which map the table.
 */
void asi_site_close(bool avoidable)
{
	struct site_table *table = this_cpu_ptr(&asi_sites);

	if (table->open && avoidable)
		table->open->avoidable++;
	table->open = NULL;
}
EXPORT_SYMBOL_GPL(asi_site_close);

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
			all[i].avoidable += s->avoidable;
			return nr;
		}
	}
	if (nr < max)
		all[nr++] = *s;
	return nr;
}

/* All CPUs' sites in one table, with the per-CPU variable of each if it is one. */
struct summary {
	struct site site[NR_SITES * 2];
	unsigned long offset[NR_SITES * 2];	/* into static per-CPU memory */
	char variable[NR_SITES * 2][KSYM_NAME_LEN];
	unsigned long best[NR_SITES * 2];	/* where @variable starts */
	int nr;
	u64 dropped;
};

static void summarize(struct summary *all)
{
	int cpu, i;

	for_each_possible_cpu(cpu) {
		struct site_table *table = per_cpu_ptr(&asi_sites, cpu);

		all->dropped += table->dropped;
		for (i = 0; i < NR_SITES; i++)
			all->nr = merge(all->site, all->nr,
					ARRAY_SIZE(all->site), &table->site[i]);
	}
	sort(all->site, all->nr, sizeof(all->site[0]), by_count, NULL);
}

/* Where in static per-CPU memory @address is, or its size. */
static unsigned long percpu_offset(unsigned long address)
{
	unsigned long size = __per_cpu_end - __per_cpu_start;
	unsigned long offset;
	int cpu;

	for_each_possible_cpu(cpu) {
		offset = address - (unsigned long)
			 per_cpu_ptr((void __percpu *)__per_cpu_start, cpu);
		if (offset < size)
			return offset;
	}
	return size;
}

/* Symbols of per-CPU memory are small numbers, which no lookup by address takes. */
static int name_percpu(void *data, const char *name, unsigned long address)
{
	struct summary *all = data;
	int i;

	if (address >= (unsigned long)__per_cpu_end)
		return 0;
	for (i = 0; i < all->nr; i++) {
		if (address > all->offset[i] || address < all->best[i])
			continue;
		strscpy(all->variable[i], name);
		all->best[i] = address;
	}
	return 0;
}

static void find_variables(struct summary *all)
{
	bool any = false;
	int i;

	for (i = 0; i < all->nr; i++) {
		if (strcmp(all->site[i].object, "percpu"))
			continue;
		all->offset[i] = percpu_offset(all->site[i].sample);
		any = true;
	}
	if (any)
		kallsyms_on_each_symbol(name_percpu, all);
}

static void show_object(struct seq_file *m, const struct summary *all, int i)
{
	const struct site *s = &all->site[i];

	if (!strcmp(s->object, "data"))
		seq_printf(m, "data:%ps", (void *)s->sample);
	else if (!strcmp(s->object, "percpu"))
		seq_printf(m, "percpu:%s", all->variable[i]);
	else
		seq_puts(m, s->object);
}

/** asi_sites_show - print all sites, the most frequent first */
int asi_sites_show(struct seq_file *m)
{
	struct summary *all = kvzalloc(sizeof(*all), GFP_KERNEL);
	int i;

	if (!all)
		return -ENOMEM;

	summarize(all);
	find_variables(all);
	for (i = 0; i < all->nr; i++) {
		seq_printf(m, "%llu %llu %pS ", all->site[i].count,
			   all->site[i].avoidable, (void *)all->site[i].ip);
		show_object(m, all, i);
		seq_printf(m, " 0x%lx\n", all->site[i].sample);
	}
	if (all->dropped)
		seq_printf(m, "%llu 0 dropped - -\n", all->dropped);
	kvfree(all);
	return 0;
}

/** asi_sites_clear - start counting anew */
void asi_sites_clear(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&asi_sites, cpu), 0, sizeof(struct site_table));
}
