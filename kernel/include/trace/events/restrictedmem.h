/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM restrictedmem

#if !defined(_TRACE_RESTRICTEDMEM_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_RESTRICTEDMEM_H

#include <linux/fs.h>
#include <linux/tracepoint.h>

TRACE_EVENT(restrictedmem_alloc,
	TP_PROTO(struct inode *inode, pgoff_t index, unsigned int order,
		 unsigned long pfn),
	TP_ARGS(inode, index, order, pfn),
	TP_STRUCT__entry(
		__field(ino_t, ino)
		__field(pgoff_t, index)
		__field(unsigned int, order)
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		__entry->ino = inode->i_ino;
		__entry->index = index;
		__entry->order = order;
		__entry->pfn = pfn;
	),
	TP_printk("ino %lu page %lu order %u frame %#lx", __entry->ino,
		  __entry->index, __entry->order, __entry->pfn)
);

TRACE_EVENT(restrictedmem_punch,
	TP_PROTO(struct inode *inode, pgoff_t start, pgoff_t end),
	TP_ARGS(inode, start, end),
	TP_STRUCT__entry(
		__field(ino_t, ino)
		__field(pgoff_t, start)
		__field(pgoff_t, end)
	),
	TP_fast_assign(
		__entry->ino = inode->i_ino;
		__entry->start = start;
		__entry->end = end;
	),
	TP_printk("ino %lu pages %lu to %lu", __entry->ino, __entry->start,
		  __entry->end)
);

TRACE_EVENT(restrictedmem_error,
	TP_PROTO(struct inode *inode, pgoff_t index, unsigned long pfn),
	TP_ARGS(inode, index, pfn),
	TP_STRUCT__entry(
		__field(ino_t, ino)
		__field(pgoff_t, index)
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		__entry->ino = inode->i_ino;
		__entry->index = index;
		__entry->pfn = pfn;
	),
	TP_printk("ino %lu page %lu frame %#lx", __entry->ino, __entry->index,
		  __entry->pfn)
);

#endif

#include <trace/define_trace.h>
