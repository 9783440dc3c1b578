/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM asi

#if !defined(_TRACE_ASI_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_ASI_H

#include <linux/tracepoint.h>

/* The kernel touched something that the restricted address space lacks. */
TRACE_EVENT(asi_exit_fault,

	TP_PROTO(unsigned long ip, unsigned long address,
		 unsigned long error_code),

	TP_ARGS(ip, address, error_code),

	TP_STRUCT__entry(
		__field(unsigned long, ip)
		__field(unsigned long, address)
		__field(unsigned long, error_code)
	),

	TP_fast_assign(
		__entry->ip = ip;
		__entry->address = address;
		__entry->error_code = error_code;
	),

	TP_printk("ip=%pS address=0x%lx error_code=0x%lx",
		  (void *)__entry->ip, __entry->address, __entry->error_code)
);

/* One walk of the auditor over the tables live at a VM entry. */
TRACE_EVENT(asi_audit,

	TP_PROTO(u64 id, unsigned long leaves, u64 leak_bytes,
		 unsigned long first_leak),

	TP_ARGS(id, leaves, leak_bytes, first_leak),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(unsigned long, leaves)
		__field(u64, leak_bytes)
		__field(unsigned long, first_leak)
	),

	TP_fast_assign(
		__entry->id = id;
		__entry->leaves = leaves;
		__entry->leak_bytes = leak_bytes;
		__entry->first_leak = first_leak;
	),

	TP_printk("id=%llu leaves=%lu leak_bytes=%llu first_leak=0x%lx",
		  __entry->id, __entry->leaves, __entry->leak_bytes,
		  __entry->first_leak)
);

#endif /* _TRACE_ASI_H */

#include <trace/define_trace.h>
