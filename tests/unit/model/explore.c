// SPDX-License-Identifier: GPL-2.0-only
/* Depth first search over the states of the machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore.h"
#include "trace.h"

/* Not a reply: the oldest store of the CPU becomes visible. */
#define DRAIN		31

struct move {
	u8 cpu;
	u8 reply;
};

/* How a state was reached first. */
struct node {
	u32 parent;
	struct move move;
};

/* A state to be continued; the stacks follow. */
struct saved {
	struct saved *next;
	u32 node;
	size_t live[NR_CPUS];
	struct machine machine;
	char stacks[];
};

struct search {
	struct node *nodes;
	u32 nr_nodes;
	u64 *seen;			/* open addressing; 0 is free */
	unsigned long nr_slots;
	struct saved *todo;
	struct explored result;
};

static void *allocate(size_t size)
{
	void *memory = malloc(size);

	if (!memory)
		abort();
	return memory;
}

static u64 hash_bytes(u64 hash, const void *bytes, size_t size)
{
	const u64 *words = bytes;
	size_t i;

	for (i = 0; i < size / sizeof(u64); i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	return hash;
}

static u64 hash_state(void)
{
	unsigned int cpu;
	size_t size;
	void *live;
	u64 hash;

	machine_normalise();
	hash = hash_bytes(1, &machine, sizeof(machine));
	for (cpu = 0; cpu < NR_CPUS; cpu++) {
		live = coro_live(&coros[cpu], &size);
		hash = hash_bytes(hash ^ size, live, size);
	}
	return hash ?: 1;
}

static void save(struct search *s, u32 node)
{
	size_t size[NR_CPUS], total = 0;
	void *live[NR_CPUS];
	struct saved *saved;
	unsigned int cpu;

	for (cpu = 0; cpu < NR_CPUS; cpu++) {
		live[cpu] = coro_live(&coros[cpu], &size[cpu]);
		total += size[cpu];
	}
	saved = allocate(sizeof(*saved) + total);
	saved->node = node;
	saved->machine = machine;
	total = 0;
	for (cpu = 0; cpu < NR_CPUS; cpu++) {
		saved->live[cpu] = size[cpu];
		memcpy(saved->stacks + total, live[cpu], size[cpu]);
		total += size[cpu];
	}
	saved->next = s->todo;
	s->todo = saved;
}

static void restore(const struct saved *saved)
{
	size_t offset = 0;
	unsigned int cpu;

	machine = saved->machine;
	for (cpu = 0; cpu < NR_CPUS; cpu++) {
		coro_restore(&coros[cpu], saved->stacks + offset,
			     saved->live[cpu]);
		offset += saved->live[cpu];
	}
}

static bool insert(u64 *slots, unsigned long nr_slots, u64 hash)
{
	unsigned long i = hash & (nr_slots - 1);

	while (slots[i] && slots[i] != hash)
		i = (i + 1) & (nr_slots - 1);
	if (slots[i])
		return false;
	slots[i] = hash;
	return true;
}

static void grow(struct search *s)
{
	unsigned long nr_slots = s->nr_slots ? 2 * s->nr_slots : 1 << 16;
	u64 *slots = calloc(nr_slots, sizeof(*slots));
	unsigned long i;

	s->nodes = realloc(s->nodes, nr_slots / 2 * sizeof(*s->nodes));
	if (!slots || !s->nodes)
		abort();
	for (i = 0; i < s->nr_slots; i++)
		if (s->seen[i])
			insert(slots, nr_slots, s->seen[i]);
	free(s->seen);
	s->seen = slots;
	s->nr_slots = nr_slots;
}

/* The state the machine is in now, if nothing has led there before. */
static void add_state(struct search *s, u32 parent, struct move move)
{
	if (s->nr_nodes >= s->nr_slots / 2)
		grow(s);
	if (!insert(s->seen, s->nr_slots, hash_state()))
		return;
	s->nodes[s->nr_nodes] = (struct node) { parent, move };
	save(s, s->nr_nodes++);
}

static unsigned int moves_of_cpu(unsigned int cpu, struct move *moves)
{
	unsigned int replies = machine_replies(cpu);
	unsigned int nr = 0, reply;

	for (reply = 0; replies >> reply; reply++)
		if (replies >> reply & 1)
			moves[nr++] = (struct move) { cpu, reply };
	if (machine.pinned < 0 && machine_can_drain(cpu))
		moves[nr++] = (struct move) { cpu, DRAIN };
	return nr;
}

static unsigned int moves_of(struct move *moves)
{
	unsigned int nr = 0, cpu;

	if (machine.pinned >= 0)
		return moves_of_cpu(machine.pinned, moves);
	for (cpu = 0; cpu < NR_CPUS; cpu++)
		nr += moves_of_cpu(cpu, moves + nr);
	return nr;
}

static void make_move(struct move move)
{
	if (move.reply == DRAIN)
		machine_drain(move.cpu);
	else
		machine_reply(move.cpu, move.reply);
}

static void start(const struct scenario *scenario)
{
	software_scenario = scenario;
	machine_init(software_run, scenario->nmis, !scenario->no_pcid,
		     scenario->user);
}

/* From the start along the moves that have led to @node, and one more. */
static void replay(const struct search *s, const struct scenario *scenario,
		   u32 node, struct move last)
{
	struct move *path = allocate((s->nr_nodes + 1) * sizeof(*path));
	unsigned int nr = 0;

	path[nr++] = last;
	for (; node; node = s->nodes[node].parent)
		path[nr++] = s->nodes[node].move;
	start(scenario);
	trace_on = true;
	while (nr--) {
		int reply = path[nr].reply == DRAIN ? -1 : path[nr].reply;

		trace_step(path[nr].cpu, reply);
		make_move(path[nr]);
	}
	trace_on = false;
	printf("#   violation: %s\n", machine.violation);
	free(path);
}

/* From @state; the search ends with a violation. */
static void visit(struct search *s, const struct scenario *scenario,
		  const struct saved *state, bool verbose)
{
	struct move moves[NR_CPUS * 32];
	unsigned int i, nr;

	restore(state);
	nr = moves_of(moves);
	if (!nr && !machine_finished())
		s->result.violation = "nobody can go on";
	for (i = 0; i < nr && !s->result.violation; i++) {
		restore(state);
		make_move(moves[i]);
		s->result.moves++;
		s->result.violation = machine.violation;
		if (!machine.violation)
			add_state(s, state->node, moves[i]);
		else if (verbose)
			replay(s, scenario, state->node, moves[i]);
	}
}

struct explored explore(const struct scenario *scenario, unsigned long limit,
			bool verbose)
{
	struct search s = { .nodes = NULL };
	struct saved *state;

	start(scenario);
	add_state(&s, 0, (struct move) { 0, 0 });
	while ((state = s.todo)) {
		s.todo = state->next;
		if (s.nr_nodes > limit)
			s.result.violation = "too many states";
		if (!s.result.violation)
			visit(&s, scenario, state, verbose);
		free(state);
	}
	s.result.states = s.nr_nodes;
	free(s.nodes);
	free(s.seen);
	return s.result;
}
