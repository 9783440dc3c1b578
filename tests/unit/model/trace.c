// SPDX-License-Identifier: GPL-2.0-only
/* Names for what the explorer has done. */
#include <stddef.h>
#include <stdio.h>

#include "machine.h"
#include "trace.h"

#define NAME	64

bool trace_on;

static char names[NR_CPUS][NAME];

static const char * const replies[NR_REPLIES] = {
	[GO]		= "goes on",
	[NMI_EMPTY]	= "NMI",
	[NMI_EXIT]	= "NMI that leaves",
	[NMI_FIXMAP]	= "NMI that flushes a kernel mapping",
	[TAKE_IPI]	= "takes the IPI",
};

static void name_slot(char *name, size_t offset, const char *what)
{
	size_t slot = offset / sizeof(struct asi_tlb_slot);

	if (slot >= ASI_NR_PCIDS)
		snprintf(name, NAME, "%s of tlb.next", what);
	else
		snprintf(name, NAME, "%s of tlb.slot[%zu].%s", what, slot,
			 offset % sizeof(struct asi_tlb_slot) ? "gen" : "id");
}

const char *trace_access(const void *address, const char *what)
{
	char *name = names[machine.running];
	size_t place = (const char *)address - (char *)model_local(&asi_place);
	size_t cpu = (const char *)address - (char *)model_local(&asi_cpu);

	if (!trace_on)
		return what;
	if (place < sizeof(struct asi_place))
		snprintf(name, NAME, "%s of asi_place.%s", what,
			 place ? "cr3" : "curr");
	else if (cpu < offsetof(struct asi_cpu, tlb))
		snprintf(name, NAME, "%s of full_cr3", what);
	else if (cpu < sizeof(struct asi_cpu))
		name_slot(name, cpu - offsetof(struct asi_cpu, tlb), what);
	else
		snprintf(name, NAME, "%s of the task's state", what);
	return name;
}

const char *trace_cr3(unsigned long cr3, bool noflush)
{
	char *name = names[machine.running];

	if (!trace_on)
		return "write of CR3";
	snprintf(name, NAME, "write of CR3 = %#lx%s", cr3,
		 noflush ? ", no flush" : "");
	return name;
}

void trace_step(unsigned int cpu, int reply)
{
	const struct cpu *c = &machine.cpu[cpu];

	if (reply < 0)
		printf("#   CPU %u: its curr becomes visible\n", cpu);
	else if (c->stop == STOP_CHOICE)
		printf("#   CPU %u: %s %d\n", cpu, c->where, reply);
	else
		printf("#   CPU %u: before %s: %s\n", cpu, c->where,
		       replies[reply]);
}
