/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ptcheck

#if !defined(_TRACE_PTCHECK_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_PTCHECK_H

#include <linux/tracepoint.h>

struct ptcheck_violation;

/* A rule of page table check has been broken. */
TRACE_EVENT(ptcheck_violation,

	TP_PROTO(const struct ptcheck_violation *v, int owner),

	TP_ARGS(v, owner),

	TP_STRUCT__entry(
		__field(const char *, rule)
		__field(unsigned long, pfn)
		__field(unsigned long, address)
		__field(u64, word)
		__field(int, owner)
		__field(unsigned long, ip)
	),

	TP_fast_assign(
		__entry->rule = ptcheck_rule_name(v->rule);
		__entry->pfn = v->pfn;
		__entry->address = v->at.addr;
		__entry->word = v->old;
		__entry->owner = owner;
		__entry->ip = v->at.ip;
	),

	TP_printk("rule=%s pfn=0x%lx address=0x%lx word=0x%llx owner=%d ip=%pS",
		  __entry->rule, __entry->pfn, __entry->address, __entry->word,
		  __entry->owner, (void *)__entry->ip)
);

#endif /* _TRACE_PTCHECK_H */

#include <trace/define_trace.h>
