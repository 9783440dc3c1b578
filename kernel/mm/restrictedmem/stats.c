// SPDX-License-Identifier: GPL-2.0-only
/*
 * What restricted memory is doing, all files together: the lines of
 * /sys/kernel/debug/restrictedmem. Each is a sum since boot, but for "pages"
 * and "not_in_direct_map", which say what is there now.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "internal.h"

#define CREATE_TRACE_POINTS
#include <trace/events/restrictedmem.h>

atomic_long_t rmem_stats[RMEM_NR_STATS];

static const char * const names[RMEM_NR_STATS] = {
	[RMEM_PAGES]	= "pages",
	[RMEM_SMALL]	= "small_allocated",
	[RMEM_LARGE]	= "large_allocated",
	[RMEM_HOLES]	= "holes",
	[RMEM_UNSPLIT]	= "holes_unsplit",
	[RMEM_KEPT]	= "kept_aside",
	[RMEM_FAILED]	= "failed",
	[RMEM_HIDDEN]	= "not_in_direct_map",
};

static int restrictedmem_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < RMEM_NR_STATS; i++)
		seq_printf(m, "%s %ld\n", names[i],
			   atomic_long_read(&rmem_stats[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(restrictedmem);

static int __init rmem_stats_init(void)
{
	debugfs_create_file("restrictedmem", 0400, NULL, NULL,
			    &restrictedmem_fops);
	return 0;
}
late_initcall(rmem_stats_init);
