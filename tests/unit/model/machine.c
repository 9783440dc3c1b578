// SPDX-License-Identifier: GPL-2.0-only
/* The hardware of the model, and the kernel functions that are next to it. */
#include <stddef.h>
#include <string.h>

#include "machine.h"
#include "software.h"
#include "trace.h"

#define CR3_TABLE	0x000ffffffffff000UL
#define CR3_PCID	0xfffUL
#define FULL_CR3	0x7000001UL
#define UNMAP_KERNEL	(1 + NR_INSTANCES)
#define UNMAP_USER	(2 + NR_INSTANCES)

struct machine machine;
struct coro coros[NR_CPUS];

extern char __start_model_percpu[], __stop_model_percpu[];

struct cpu *this_cpu(void)
{
	return &machine.cpu[machine.running];
}

struct task_struct *model_current(void)
{
	return &this_cpu()->task;
}

static void *percpu_of(unsigned int cpu, const void *percpu)
{
	return machine.percpu[cpu] + ((const char *)percpu - __start_model_percpu);
}

void *model_local(void *percpu)
{
	return percpu_of(machine.running, percpu);
}

static struct asi *local_curr(unsigned int cpu)
{
	return *(struct asi **)percpu_of(cpu, &asi_place.curr);
}

/* The run ends here; the explorer reports it. */
void model_violation(const char *what)
{
	machine.violation = what;
	for (;;)
		coro_yield(&coros[machine.running]);
}

void model_require(bool condition, const char *otherwise)
{
	if (!condition)
		model_violation(otherwise);
}

bool model_has(int feature)
{
	return feature == X86_FEATURE_ASI ||
	       (feature == X86_FEATURE_PCID && machine.has_pcid);
}

/* How to go on. */

unsigned int machine_replies(unsigned int cpu)
{
	struct cpu *c = &machine.cpu[cpu];
	unsigned int take = c->ipi && c->irqs_on ? 1U << TAKE_IPI : 0;
	unsigned int replies = 1U << GO | take;

	switch (c->stop) {
	case STOP_CHOICE:
		return (1U << c->nr_choices) - 1;
	case STOP_END:
		return take;
	case STOP_WAIT:
		return take | (machine.cpu[!cpu].ipi ? 0 : 1U << GO);
	default:
		if (machine.nmis_left && !c->in_nmi)
			replies |= 1U << NMI_EMPTY | 1U << NMI_EXIT |
				   1U << NMI_FIXMAP;
		return replies;
	}
}

void machine_reply(unsigned int cpu, unsigned int reply)
{
	machine.running = cpu;
	machine.cpu[cpu].reply = reply;
	coro_resume(&coros[cpu]);
}

static unsigned int stop(enum stop kind, const char *where)
{
	struct cpu *c = this_cpu();
	unsigned int reply;
	bool alone = kind == STOP_LOCAL || kind == STOP_CHOICE;

	c->stop = kind;
	c->where = where;
	machine.pinned = alone ? (int)machine.running : -1;
	if (kind == STOP_LOCAL && machine_replies(machine.running) == 1U << GO)
		return GO;
	coro_yield(&coros[machine.running]);
	reply = c->reply;
	c->reply = GO;
	return reply;
}

/* Before what @where says: anything that can interrupt, any number of times. */
static void point(enum stop kind, const char *where)
{
	unsigned int reply;

	while ((reply = stop(kind, where)) != GO) {
		if (reply == TAKE_IPI) {
			software_ipi();
		} else {
			machine.nmis_left--;
			software_nmi(reply);
		}
	}
}

void model_point(const char *where)
{
	point(STOP_SHARED, where);
}

unsigned int model_choose(unsigned int nr, const char *where)
{
	this_cpu()->nr_choices = nr;
	return stop(STOP_CHOICE, where);
}

/* The program is over; only IPIs keep the CPU busy. */
void model_end(void)
{
	for (;;) {
		stop(STOP_END, "the end");
		software_ipi();
	}
}

/* Interrupts are on, between two operations: what must always be true then. */
void model_open_window(const char *where)
{
	struct asi *curr = local_curr(machine.running);
	unsigned long table = this_cpu()->cr3 & CR3_TABLE;

	if (curr)
		model_require(table == curr->pgd_pa,
			      "curr says restricted, CR3 does not");
	else
		model_require(this_cpu()->cr3 == this_cpu()->full_cr3,
			      "curr says full, CR3 does not");
	point(STOP_SHARED, where);
}

/* The compiler calls these before each access of instrumented code. */

static void access(const void *address, const char *what)
{
	const char *area = machine.percpu[machine.running];
	const char *at = address;
	const char *counters = (char *)percpu_of(machine.running, &asi_cpu) +
			       offsetof(struct asi_cpu, enters);
	const char *task = (char *)&this_cpu()->task;
	bool percpu = at >= area && at < area + PERCPU_BYTES;

	if (percpu && at >= counters && at < counters + sizeof(struct asi_cpu) -
	    offsetof(struct asi_cpu, enters))
		return;
	if (percpu || (at >= task && at < task + sizeof(struct task_struct)))
		point(STOP_LOCAL, trace_access(at, what));
}

#define INSTRUMENT(size)						\
void __tsan_read##size(void *address);					\
void __tsan_write##size(void *address);					\
void __tsan_read##size(void *address)					\
{									\
	access(address, "read");					\
}									\
void __tsan_write##size(void *address)					\
{									\
	access(address, "write");					\
}

INSTRUMENT(1)
INSTRUMENT(2)
INSTRUMENT(4)
INSTRUMENT(8)
INSTRUMENT(16)

/* Copies of structures; the ones that matter are not copied. */
void __tsan_read_range(void *address, size_t size);
void __tsan_write_range(void *address, size_t size);
void __tsan_read_range(void *address, size_t size)
{
	access(address, "read");
}

void __tsan_write_range(void *address, size_t size)
{
	access(address, "write");
}

void __tsan_init(void);
void __tsan_init(void)
{
}

/* Stores and barriers. Only asi_place.curr is looked at by other CPUs. */

bool machine_can_drain(unsigned int cpu)
{
	return machine.cpu[cpu].nr_queued;
}

void machine_drain(unsigned int cpu)
{
	struct cpu *c = &machine.cpu[cpu];

	c->visible_curr = c->queue[0];
	memmove(c->queue, c->queue + 1, sizeof(c->queue) - sizeof(c->queue[0]));
	c->queue[--c->nr_queued] = NULL;
}

void model_stored(void *where)
{
	struct cpu *c = this_cpu();

	if (where != model_local(&asi_place.curr))
		return;
	if (c->nr_queued == NR_QUEUED)
		machine_drain(machine.running);
	c->queue[c->nr_queued++] = local_curr(machine.running);
}

/*
 * What this CPU unmaps is seen by others no later than its next full barrier:
 * which is the latest, hence the worst, that has to be modelled.
 */
void model_full_barrier(void)
{
	struct cpu *c = this_cpu();
	u8 unmapping = c->unmapping;

	while (c->nr_queued)
		machine_drain(machine.running);
	c->unmapping = 0;
	if (unmapping == UNMAP_KERNEL)
		c->unmapped = ++machine.kernel_map.now;
	else if (unmapping == UNMAP_USER)
		c->unmapped = ++machine.user_map.now;
	else if (unmapping)
		c->unmapped = ++machine.instance_map[unmapping - 1].now;
}

void model_unmap(unsigned int mapping, unsigned int instance)
{
	struct cpu *c = this_cpu();

	if (mapping == MAP_INSTANCE)
		c->unmapping = 1 + instance;
	else if (mapping == MAP_KERNEL)
		c->unmapping = UNMAP_KERNEL;
	else if (mapping == MAP_USER)
		c->unmapping = UNMAP_USER;
	else
		c->fixmap.now++;
}

/* This CPU has flushed what it unmapped last. */
void model_flushed(struct version *version)
{
	model_full_barrier();
	if (version->flushed < this_cpu()->unmapped)
		version->flushed = this_cpu()->unmapped;
	model_check();
}

void *model_of_cpu(void *percpu, int cpu)
{
	struct cpu *c = &machine.cpu[cpu];

	if (cpu == machine.running)
		return model_local(percpu);
	model_require(percpu == &asi_place.curr, "reads more of another CPU");
	point(STOP_SHARED, "read of the other CPU's curr");
	return &c->visible_curr;
}

s64 model_atomic_read(const atomic64_t *v)
{
	if (v != &machine.user_gen || machine.user_changes)
		point(STOP_SHARED, "read of tlb_gen");
	return v->counter;
}

s64 model_atomic_inc(atomic64_t *v)
{
	point(STOP_SHARED, "increment of tlb_gen");
	model_full_barrier();
	return ++v->counter;
}

/* CR3 and the TLB. */

/* Index of the instance whose tables @cr3 points at, or -1 for full ones. */
static int instance_of(unsigned long cr3)
{
	int i;

	for (i = 0; i < NR_INSTANCES; i++)
		if (machine.instance[i].pgd_pa == (cr3 & CR3_TABLE))
			return i;
	return -1;
}

static struct cached *cached_of(struct cpu *c)
{
	unsigned int slot = (c->cr3 & CR3_PCID) - ASI_FIRST_PCID;

	if (!machine.has_pcid)
		slot = 0;
	model_require(slot < ASI_NR_PCIDS, "a PCID that is not ours");
	return &c->tlb[slot];
}

static void check_cpu(struct cpu *c)
{
	int i = instance_of(c->cr3);
	struct cached *t;

	if (i < 0)
		return;
	t = cached_of(c);
	model_require(t->owner == machine.instance[i].id,
		      "translations of another instance");
	model_require(t->version[MAP_INSTANCE] >= machine.instance_map[i].flushed,
		      "a translation older than a completed asi_flush()");
	model_require(t->version[MAP_KERNEL] >= machine.kernel_map.flushed,
		      "a translation older than a completed kernel flush");
	model_require(t->version[MAP_FIXMAP] >= c->fixmap.flushed,
		      "a translation older than a fixmap change");
	model_require(t->version[MAP_USER] >= machine.user_map.flushed,
		      "a translation older than a completed user flush");
}

void model_check(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < NR_CPUS; cpu++)
		check_cpu(&machine.cpu[cpu]);
}

/* The processor fills at once what it may fill at any time. */
static void load_cr3(struct cpu *c, unsigned long cr3, bool flush)
{
	int i = instance_of(cr3);
	struct cached *t;

	c->cr3 = cr3;
	if (!machine.has_pcid)
		c->tlb[0].owner = 0;
	if (i < 0)
		return;
	t = cached_of(c);
	if (flush || !t->owner)
		*t = (struct cached) {
			.owner = machine.instance[i].id,
			.version = { machine.instance_map[i].now,
				     machine.kernel_map.now, c->fixmap.now,
				     machine.user_map.now },
		};
	model_check();
}

void native_write_cr3(unsigned long cr3)
{
	struct cpu *c = this_cpu();
	bool noflush = cr3 & X86_CR3_PCID_NOFLUSH;

	cr3 &= ~X86_CR3_PCID_NOFLUSH;
	point(STOP_SHARED, trace_cr3(cr3, noflush));
	model_full_barrier();
	model_require(machine.has_pcid || !noflush, "bit 63 without PCIDs");
	model_require(instance_of(cr3) >= 0 || cr3 == c->full_cr3,
		      "the full CR3 of another mm");
	load_cr3(c, cr3, !noflush);
}

unsigned long __native_read_cr3(void)
{
	point(STOP_LOCAL, "read of CR3");
	return this_cpu()->cr3;
}

/* The guest leaves: the processor loads what the VMCS says, without a flush. */
void model_vmexit(unsigned long host_cr3)
{
	point(STOP_SHARED, "guest");
	model_full_barrier();
	load_cr3(this_cpu(), host_cr3, false);
}

void model_invlpg(void)
{
	model_require(instance_of(this_cpu()->cr3) < 0,
		      "INVLPG on a restricted PCID");
}

/* Interrupts. */

unsigned long native_save_fl(void)
{
	return this_cpu()->irqs_on ? X86_EFLAGS_IF : 0;
}

void native_irq_disable(void)
{
	this_cpu()->irqs_on = false;
}

void native_irq_enable(void)
{
	this_cpu()->irqs_on = true;
}

static void send_ipi(unsigned int cpu, void (*func)(void *info), void *info)
{
	model_full_barrier();
	model_require(!machine.cpu[cpu].ipi, "the model has one IPI per CPU");
	machine.cpu[cpu].ipi = func;
	machine.cpu[cpu].ipi_info = info;
}

/* In the order of smp_call_function_many_cond(): others, this one, wait. */
void on_each_cpu_cond(bool (*cond)(int cpu, void *info), void (*func)(void *info),
		      void *info, bool wait)
{
	unsigned int self = machine.running;
	bool sent = !cond || cond(!self, info);

	model_require(wait, "flushes wait");
	if (sent)
		send_ipi(!self, func, info);
	if (!cond || cond(self, info)) {
		native_irq_disable();
		func(info);
		native_irq_enable();
	}
	if (sent)
		point(STOP_WAIT, "end of the IPI");
}

/* The whole. */

bool machine_finished(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < NR_CPUS; cpu++)
		if (machine.cpu[cpu].stop != STOP_END || machine.cpu[cpu].ipi)
			return false;
	return true;
}

void machine_normalise(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < NR_CPUS; cpu++)
		memset((char *)percpu_of(cpu, &asi_cpu) +
		       offsetof(struct asi_cpu, enters), 0,
		       sizeof(struct asi_cpu) - offsetof(struct asi_cpu, enters));
}

void machine_init(machine_program program, unsigned int nmis, bool has_pcid,
		  bool user_changes)
{
	unsigned int i;

	memset(&machine, 0, sizeof(machine));
	machine.nmis_left = nmis;
	machine.has_pcid = has_pcid;
	machine.user_changes = user_changes;
	machine.pinned = -1;
	machine.next_id = NR_INSTANCES + 1;
	for (i = 0; i < NR_INSTANCES; i++) {
		machine.instance[i].id = i + 1;
		machine.instance[i].pgd_pa = (i + 1) << 20;
		machine.instance[i].tlb_gen.counter = 1;
		machine.instance[i].user_gen = &machine.user_gen;
		machine.instance[i].class = &software_class;
	}
	for (i = 0; i < NR_CPUS; i++) {
		machine.cpu[i].full_cr3 = FULL_CR3;
		machine.cpu[i].cr3 = FULL_CR3;
		machine.cpu[i].irqs_on = true;
		machine.cpu[i].stop = STOP_CHOICE;
		machine.cpu[i].nr_choices = 1;
		machine.cpu[i].where = "start";
		coro_init(&coros[i], program);
	}
	model_require(__stop_model_percpu - __start_model_percpu <= PERCPU_BYTES,
		      "PERCPU_BYTES is too small");
}
