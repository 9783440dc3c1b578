// SPDX-License-Identifier: GPL-2.0
/*
 * Guests that read, write, execute, cross pages, change their own code and use
 * every size of operand, and exactly what a watcher of their pages is told of it:
 * "R8+4" is a read of 4 bytes at offset 8 of the watched pages; w is before a
 * write, W after one, X an instruction.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guest_layout.h"
#include "restricted.h"
#include "track_guest.h"
#include "vm_test.h"

#define EVERYTHING	(KVM_TRACK_READ | KVM_TRACK_WRITE | KVM_TRACK_WRITTEN)
#define VALUE		0x1817161514131211UL

struct operand_case {
	const char *name;
	const uint8_t *code;
	const char *expected;
	uint64_t offset;	/* of the operand */
	struct track_regs regs;
	bool to_memory;		/* the value is expected there afterwards */
	bool stack;		/* the operand is what rsp points to */
	bool unhandled;		/* KVM's emulator does not know it */
};

#define CODE(name)	extern const uint8_t track_##name[]
CODE(load1); CODE(load2); CODE(load4); CODE(load8);
CODE(store1); CODE(store2); CODE(store4); CODE(store8);
CODE(add); CODE(lock_add); CODE(xchg); CODE(cmpxchg); CODE(cmpxchg16b);
CODE(rep_movs); CODE(rep_stos); CODE(lods); CODE(cmps);
CODE(push); CODE(pop); CODE(push_mem); CODE(call); CODE(sgdt);
CODE(load_ds); CODE(bts); CODE(movnti); CODE(endbr);
CODE(sse_load); CODE(sse_store);
CODE(three); CODE(long); CODE(same_offset); CODE(self); CODE(remap);

static const struct operand_case operands[] = {
	{ "load 1", track_load1, "R8+1", 8 },
	{ "load 2", track_load2, "R8+2", 8 },
	{ "load 4", track_load4, "R8+4", 8 },
	{ "load 8", track_load8, "R8+8", 8 },
	{ "load 8 over the end", track_load8, "Rffd+3 R1000+5", 0xffd },
	{ "store 1", track_store1, "w8+1=11 W8+1=11", 8 },
	{ "store 2", track_store2, "w8+2=11 W8+2=11", 8 },
	{ "store 4", track_store4, "w8+4=11 W8+4=11", 8 },
	{ "store 8", track_store8, "w8+8=11 W8+8=11", 8, .to_memory = true },
	{ "store 8 over the end", track_store8,
	  "wffd+3=11 w1000+5=14 Wffd+3=11 W1000+5=14", 0xffd,
	  .to_memory = true },
	{ "add", track_add, "R8+8 w8+8=11 W8+8=11", 8, .to_memory = true },
	{ "lock add", track_lock_add, "R8+8 w8+8=11 W8+8=11", 8,
	  .to_memory = true },
	{ "xchg", track_xchg, "R8+8 w8+8=11 W8+8=11", 8, .to_memory = true },
	{ "cmpxchg", track_cmpxchg, "R8+8 w8+8=11 W8+8=11", 8,
	  { .rax = 0, .rcx = VALUE }, .to_memory = true },
	{ "lock bts", track_bts, "R8+8 w8+8=20 W8+8=20", 8 },
	{ "movnti", track_movnti, "w8+8=11 W8+8=11", 8, .to_memory = true },
	{ "rep stos", track_rep_stos,
	  "w8+8=11 W8+8=11 w10+8=11 W10+8=11 w18+8=11 W18+8=11", 8,
	  { .rax = VALUE, .rcx = 3, .rdi = TRACK_DATA + 8 },
	  .to_memory = true },
	{ "rep movs", track_rep_movs,
	  "Rffe+1 wffe+1=0 Wffe+1=0 Rfff+1 wfff+1=0 Wfff+1=0 R1000+1 w1000+1=0 W1000+1=0",
	  0, { .rcx = 3, .rsi = TRACK_DATA + 0xffe, .rdi = TRACK_DATA + 0xffe } },
	{ "lods", track_lods, "R8+4", 0, { .rsi = TRACK_DATA + 8 } },
	{ "repe cmps", track_cmps, "R8+1 R9+1 Ra+1", 0,
	  { .rcx = 3, .rsi = TRACK_DATA + 8, .rdi = TRACK_FREE } },
	{ "push", track_push, "wff8+8=11 Wff8+8=11", 0x1000, .stack = true },
	{ "pop", track_pop, "R8+8", 8, .stack = true },
	{ "push memory", track_push_mem, "R8+8", 8 },
	{ "call", track_call, "wff8+8=? Wff8+8=?", 0x1000, .stack = true },
	{ "sgdt", track_sgdt, "w8+10=1f W8+10=1f", 8 },
	{ "movups load", track_sse_load, "R10+16", 0x10 },
	{ "movups store", track_sse_store, "w10+16=11 W10+16=11", 0x10,
	  .to_memory = true },
	{ "cmpxchg16b", track_cmpxchg16b, "R10+16 *10?", 0x10, .unhandled = true },
};

static void one_operand(struct guest_vm *vm, const struct track *track,
			const struct operand_case *c)
{
	struct guest_vcpu *vcpu = &vm->vcpu[0];
	struct track_regs regs = c->regs;
	uint64_t value;
	int err;

	if (!regs.rax && !regs.rcx && !regs.rsi)
		regs.rax = VALUE;
	regs.rbx = TRACK_DATA + c->offset;
	if (c->stack)
		regs.rsp = TRACK_DATA + c->offset;
	memset(vm->mem + TRACK_DATA, 0, 2 * TRACK_PAGE);
	track_load(vcpu, c->code, &regs);
	err = track_run(vcpu);
	if (c->unhandled)
		check(err == -EPROTO && vcpu->run->exit_reason ==
		      KVM_EXIT_INTERNAL_ERROR, "%s: not emulated", c->name);
	else
		check(!err, "%s: runs, error %d", c->name, err);
	track_told(track, c->expected, TRACK_DATA, c->name);
	memcpy(&value, vm->mem + TRACK_DATA + c->offset, sizeof(value));
	if (c->to_memory)
		check(value == VALUE, "%s: in memory: %lx", c->name, value);
}

static void all_operands(void)
{
	struct track track;
	struct guest_vm vm;
	size_t i;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, TRACK_DATA, 2, EVERYTHING, KVM_TRACK_LOG);
	for (i = 0; i < ARRAY_SIZE(operands); i++)
		one_operand(&vm, &track, &operands[i]);
	track_close(&track);
	guest_vm_destroy(&vm);
}

/* Each mode alone: no more is told than was asked for, and all of it works. */
static void single_modes(void)
{
	static const struct {
		unsigned int access;
		const char *expected;
	} modes[] = {
		{ KVM_TRACK_READ, "R8+8" },
		{ KVM_TRACK_WRITE, "w8+8=11" },
		{ KVM_TRACK_WRITTEN, "W8+8=11" },
		{ KVM_TRACK_EXEC, "" },
		{ 0, "" },
	};
	const struct track_regs regs = { .rax = VALUE, .rbx = TRACK_DATA + 8 };
	struct track track;
	struct guest_vm vm;
	uint64_t value;
	size_t i;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE());
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		memset(vm.mem + TRACK_DATA, 0, TRACK_PAGE);
		must_set(&track, TRACK_DATA, 1, modes[i].access, KVM_TRACK_LOG);
		track_load(&vm.vcpu[0], track_add, &regs);
		check(!track_run(&vm.vcpu[0]), "mode %u: runs", modes[i].access);
		track_told(&track, modes[i].expected, TRACK_DATA, "mode");
		memcpy(&value, vm.mem + TRACK_DATA + 8, sizeof(value));
		check(value == VALUE, "mode %u: %lx", modes[i].access, value);
	}
	track_close(&track);
	guest_vm_destroy(&vm);
}

static void execute(struct guest_vm *vm, const struct track *track,
		    uint64_t rip, const struct track_regs *regs, uint32_t result,
		    const char *expected, const char *name)
{
	struct guest_vcpu *vcpu = &vm->vcpu[0];
	int err;

	track_load_at(vcpu, rip, regs);
	err = track_run(vcpu);
	check(!err && guest_vcpu_told(vcpu) == result, "%s: told %x, error %d",
	      name, guest_vcpu_told(vcpu), err);
	track_told(track, expected, TRACK_DATA, name);
}

/* Code in watched pages: every instruction, and one over the end twice. */
static void execution(void)
{
	const struct track_regs regs = { .rax = 9, .rcx = 7,
		.rbx = TRACK_FREE };
	struct track_regs same = { .rbx = TRACK_FREE + 0x40 };
	uint32_t value = 0x5a5a;
	struct track track;
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE());
	memcpy(vm.mem + TRACK_DATA, track_three, 16);
	memcpy(vm.mem + TRACK_DATA + 0xffc, track_long, 16);
	memcpy(vm.mem + TRACK_DATA + 0x40, track_same_offset, 16);
	memcpy(vm.mem + TRACK_DATA + 0x80, track_endbr, 8);
	memcpy(vm.mem + TRACK_FREE + 0x40, &value, sizeof(value));
	must_set(&track, TRACK_DATA, 2, KVM_TRACK_EXEC, KVM_TRACK_LOG);
	execute(&vm, &track, TRACK_DATA, &regs, 12, "X0 X3 X7 Xa",
		"four instructions");
	/* Where functions begin. */
	execute(&vm, &track, TRACK_DATA + 0x80, &regs, 9, "X80 X84", "endbr64");
	execute(&vm, &track, TRACK_DATA + 0xffc, &regs, 0x55667788,
		"Xffc X1000 X1006", "an instruction over the end");
	/* The code would be loaded if one address were taken for the other. */
	execute(&vm, &track, TRACK_DATA + 0x40, &same, value, "X40 X42",
		"operand and instruction at one offset");
	must_set(&track, TRACK_DATA, 2, KVM_TRACK_EXEC | EVERYTHING,
		 KVM_TRACK_LOG);
	execute(&vm, &track, TRACK_DATA, &regs, 12, "X0 X3 X7 Xa",
		"fetching is no reading");
	track_close(&track);
	guest_vm_destroy(&vm);
}

/* Code that changes the code that comes next, in a page where both show. */
static void self_modifying(void)
{
	const struct track_regs regs = { 0 };
	struct track track;
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE());
	memcpy(vm.mem + TRACK_DATA, track_self, 32);
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_EXEC | KVM_TRACK_WRITE,
		 KVM_TRACK_LOG);
	execute(&vm, &track, TRACK_DATA, &regs, 2, "X0 w8+1=2 X7 Xc",
		"self-modifying code");
	memcpy(vm.mem + TRACK_DATA, track_self, 32);
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, KVM_TRACK_LOG);
	execute(&vm, &track, TRACK_DATA, &regs, 2, "w8+1=2",
		"the same with writes alone");
	track_close(&track);
	guest_vm_destroy(&vm);
}

/* What an instruction reads without saying so. */
static void descriptors(void)
{
	const struct track_regs regs = { .rax = GUEST_DS };
	struct track track;
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, GUEST_GDT, 1, KVM_TRACK_READ, KVM_TRACK_LOG);
	track_load(&vm.vcpu[0], track_load_ds, &regs);
	check(!track_run(&vm.vcpu[0]), "a segment is loaded");
	track_told(&track, "R10+8", GUEST_GDT, "from its descriptor");
	track_close(&track);
	guest_vm_destroy(&vm);
}

/*
 * The page tables themselves: what the guest writes is told, what the processor
 * does on its walks is not, or only if asked for, and the guest gets on.
 */
static void page_tables(void)
{
	const uint64_t entry = GUEST_PMD + 8 * 5;
	const struct track_regs regs = { .rax = 0x2000e3, .rbx = entry,
		.rcx = 0xa00000 + (TRACK_FREE & 0x1fffff) };
	uint32_t value = 0x600d;
	char text[1024];
	struct track track;
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	memcpy(vm.mem + TRACK_FREE, &value, sizeof(value));
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, GUEST_PMD, 1, KVM_TRACK_WRITE, KVM_TRACK_LOG);
	track_load(&vm.vcpu[0], track_remap, &regs);
	check(!track_run(&vm.vcpu[0]) && guest_vcpu_told(&vm.vcpu[0]) == value,
	      "a mapping made in a watched page table: %x",
	      guest_vcpu_told(&vm.vcpu[0]));
	track_told(&track, "w28+8=e3", GUEST_PMD, "its entry");
	must_set(&track, GUEST_PMD, 1, KVM_TRACK_WRITE | KVM_TRACK_WALK,
		 KVM_TRACK_LOG);
	track_load(&vm.vcpu[0], track_remap, &regs);
	check(!track_run(&vm.vcpu[0]), "walks watched");
	track_spell(&track, text, sizeof(text), GUEST_PMD);
	check(strstr(text, "w28+8=e3"), "the write is among them");
	note("with walks: %.200s", text);
	track_close(&track);
	guest_vm_destroy(&vm);
}

static uint64_t large_mappings(const struct guest_vm *vm)
{
	uint64_t large = 0;

	guest_vm_stat(vm, "pages_2m", &large);
	return large;
}

/* The guest numbers the pages after GUEST_FRESH, one of which may be watched. */
static void number_pages(struct guest_vm *vm, const struct track *track,
			 const char *expected, const char *what)
{
	uint64_t pages = guest_vm_fresh_pages(vm);

	run_payload(&vm->vcpu[0], "fill", pages);
	check(guest_vcpu_told(&vm->vcpu[0]) == pages + 1, "%s", what);
	track_told(track, expected, TRACK_DATA, what);
	run_payload(&vm->vcpu[0], "sum", pages);
	check(guest_vcpu_told(&vm->vcpu[0]) == pages * (pages + 1) / 2,
	      "%s: the sum is right", what);
	while (track->ring->tail != track->ring->head)
		track->ring->tail++;
}

/*
 * A large page around a watched one is split, and whole again afterwards. The
 * memory is a restricted file's, where large pages are sure.
 */
static void large_pages(void)
{
	uint64_t before, with, after;
	struct track track;
	struct guest_vm vm;

	if (guest_vm_create_restricted(&vm, 1, 16UL << 20, RMFD_HUGEPAGE)) {
		note("no restricted memory");
		return;
	}
	must_track(&track, &vm, TRACK_CREATE());
	number_pages(&vm, &track, "", "nothing watched");
	before = large_mappings(&vm);
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, KVM_TRACK_LOG);
	number_pages(&vm, &track, "w0+8=1", "one page of a large one watched");
	with = large_mappings(&vm);
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_READ | KVM_TRACK_EXEC,
		 KVM_TRACK_LOG);
	number_pages(&vm, &track, "", "reads watched");
	must_set(&track, TRACK_DATA, 1, 0, 0);
	number_pages(&vm, &track, "", "nothing watched any more");
	after = large_mappings(&vm);
	check(before >= 5 && with == before - 1 && after == before,
	      "large pages: %lu, watched %lu, afterwards %lu", before, with,
	      after);
	track_close(&track);
	guest_vm_destroy(&vm);
}

/* Private memory that KVM can get at is watched like any other. */
static void private_memory(void)
{
	struct track track;
	struct guest_vm vm;

	if (guest_vm_create_private(&vm, 1, 16UL << 20, 0)) {
		note("no private memory");
		return;
	}
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, KVM_TRACK_LOG);
	number_pages(&vm, &track, "w0+8=1", "a private page watched");
	track_close(&track);
	guest_vm_destroy(&vm);
}

/* Dirty logging protects and unprotects the same mappings for its own reasons. */
static void dirty_logging(void)
{
	const struct track_regs regs = { .rax = VALUE, .rbx = TRACK_DATA };
	struct kvm_userspace_memory_region region = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES };
	static uint64_t bitmap[GUEST_MEM_SIZE / 4096 / 64];
	struct kvm_dirty_log log = { .dirty_bitmap = bitmap };
	struct track track;
	struct guest_vm vm;
	int i;

	track_vm_create(&vm, 1);
	region.memory_size = vm.mem_size;
	region.userspace_addr = (uintptr_t)vm.mem;
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, KVM_TRACK_LOG);
	check(!ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &region),
	      "dirty logging on");
	for (i = 0; i < 3; i++) {
		track_load(&vm.vcpu[0], track_store8, &regs);
		check(!track_run(&vm.vcpu[0]), "a store, round %d", i);
		track_told(&track, "w0+8=11", TRACK_DATA, "told");
		check(!ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log) &&
		      bitmap[TRACK_DATA / TRACK_PAGE / 64] >>
		      TRACK_DATA / TRACK_PAGE % 64 & 1, "and dirty");
	}
	track_close(&track);
	guest_vm_destroy(&vm);
}

int main(void)
{
	vm_test_begin();
	all_operands();
	single_modes();
	execution();
	self_modifying();
	descriptors();
	page_tables();
	large_pages();
	private_memory();
	dirty_logging();
	return vm_test_end();
}
