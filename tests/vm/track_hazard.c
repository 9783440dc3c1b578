// SPDX-License-Identifier: GPL-2.0
/*
 * track_hazard: where an access to a watched page could be missed, or the guest
 * fault on it for ever. System management mode, guests of the guest, pages that
 * become private, mappings made before anybody faults, dirty logging with its fast
 * fixing of faults, and large pages that it splits and puts together again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest_layout.h"
#include "guest_vmcb.h"
#include "restricted.h"
#include "track_guest.h"
#include "vm_test.h"

#define VALUE		0x1817161514131211UL
#define LATE		0x10000000UL
#define LATE_SIZE	(16 * TRACK_PAGE)
#define LARGE		(2UL << 20)
#define SMM_BASE	0x30000UL	/* code 0x8000 after it, state 0xfe00 */

/* Of later headers than the distribution has. */
#ifndef KVM_PRE_FAULT_MEMORY
#define KVM_CAP_PRE_FAULT_MEMORY	236
struct kvm_pre_fault_memory {
	uint64_t gpa;
	uint64_t size;
	uint64_t flags;
	uint64_t padding[5];
};

#define KVM_PRE_FAULT_MEMORY	_IOWR(KVMIO, 0xd5, struct kvm_pre_fault_memory)
#endif

#define CODE(name)	extern const uint8_t track_##name[]
CODE(load8); CODE(store8); CODE(three); CODE(inner); CODE(smm);

static void step(struct guest_vm *vm, const uint8_t *code, uint64_t gpa,
		 const char *what)
{
	const struct track_regs regs = { .rax = VALUE, .rbx = gpa };

	track_load(&vm->vcpu[0], code, &regs);
	check(!track_run(&vm->vcpu[0]), "%s: runs", what);
}

static bool has(const struct guest_vm *vm, int capability)
{
	return ioctl(vm->fd, KVM_CHECK_EXTENSION, capability) > 0;
}

/*
 * The address space of system management mode has slots and mappings of its own.
 * Its code ends by itself; nobody comes back from there.
 */
static void system_management_mode(void)
{
	struct kvm_userspace_memory_region region = { .slot = 1 << 16 };
	struct track track;
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	if (!has(&vm, KVM_CAP_X86_SMM)) {
		note("no system management mode");
		guest_vm_destroy(&vm);
		return;
	}
	region.memory_size = vm.mem_size;
	region.userspace_addr = (uintptr_t)vm.mem;
	check(!ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, &region),
	      "memory in system management mode");
	memcpy(vm.mem + SMM_BASE + 0x8000, track_smm, 32);
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_READ | KVM_TRACK_WRITE,
		 KVM_TRACK_LOG);
	step(&vm, track_store8, TRACK_DATA, "out of system management mode");
	track_told(&track, "w0+8=11", TRACK_DATA, "told");
	check(!ioctl(vm.vcpu[0].fd, KVM_SMI), "an SMI");
	check(!track_run(&vm.vcpu[0]) &&
	      guest_vcpu_told(&vm.vcpu[0]) == 0x5afe0051, "taken");
	track_told(&track, "R0+4 w0+4=51", TRACK_DATA, "told in the other mode");
	track_close(&track);
	guest_vm_destroy(&vm);
}

/*
 * A guest of the guest reads and writes the page, on the tables of the host or on
 * nested tables of the guest, which are shadowed.
 */
static void nested(bool tables)
{
	const char *what = tables ? "on tables of the guest" : "on the host's";
	struct track track;
	struct guest_vm vm;
	uint64_t cr3;

	track_vm_create(&vm, 1);
	cr3 = tables ? guest_build_nested_tables(vm.mem) : 0;
	guest_build_vmcb(vm.mem + GUEST_VMCB, track_code_at(track_inner),
			 cr3);
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_READ | KVM_TRACK_WRITE |
		 KVM_TRACK_WRITTEN, KVM_TRACK_LOG);
	run_payload(&vm.vcpu[0], "vmrun", 1);
	track_told(&track, "R0+8 w0+8=1 W0+8=1", TRACK_DATA, what);
	check(vm.mem[TRACK_DATA] == 1, "%s: written", what);
	must_set(&track, TRACK_DATA, 1, 0, 0);
	guest_build_vmcb(vm.mem + GUEST_VMCB, track_code_at(track_inner),
			 cr3);
	run_payload(&vm.vcpu[0], "vmrun", 1);
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, KVM_TRACK_LOG);
	guest_build_vmcb(vm.mem + GUEST_VMCB, track_code_at(track_inner),
			 cr3);
	run_payload(&vm.vcpu[0], "vmrun", 1);
	track_told(&track, "w0+8=1", TRACK_DATA, "after it has been mapped there");
	track_close(&track);
	guest_vm_destroy(&vm);
}

static void guests_of_guests(void)
{
	if (!guest_can_nest()) {
		note("no nested virtualization");
		return;
	}
	nested(false);
	if (guest_can_nest_tables())
		nested(true);
}

/*
 * A slot with a guest_memfd behind it; everything else is shared. Closing the
 * memfd takes its memory from the guest.
 */
static bool create_private(struct guest_vm *vm, int *memfd)
{
	struct kvm_userspace_memory_region2 region = { .slot = 1,
		.flags = KVM_MEM_GUEST_MEMFD, .guest_phys_addr = LATE,
		.memory_size = LATE_SIZE };
	struct kvm_create_guest_memfd create = { .size = LATE_SIZE };
	void *memory;

	if (guest_vm_create_private(vm, 1, GUEST_MEM_SIZE, 0))
		return false;
	if (restricted_convert(vm->fd, 0, vm->mem_size, 0))
		die("share all memory");
	memcpy(vm->mem + TRACK_CODE, track_code_start,
	       track_code_end - track_code_start);
	memory = mmap(NULL, LATE_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	region.userspace_addr = (uintptr_t)memory;
	*memfd = ioctl(vm->fd, KVM_CREATE_GUEST_MEMFD, &create);
	region.guest_memfd = *memfd;
	if (memory == MAP_FAILED || *memfd < 0 ||
	    ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION2, &region))
		die("a slot with a guest_memfd");
	return true;
}

/*
 * KVM cannot emulate an access to private memory. A watched page that becomes
 * private must not be denied to the guest, which would not get on; and is watched
 * again when it is shared again.
 */
static void private_memory(void)
{
	const unsigned int access = KVM_TRACK_READ | KVM_TRACK_WRITE;
	struct track track;
	struct guest_vm vm;
	int err, memfd;

	if (!create_private(&vm, &memfd)) {
		note("no private memory");
		return;
	}
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, LATE, 1, access, KVM_TRACK_LOG);
	step(&vm, track_store8, LATE, "shared");
	track_told(&track, "w0+8=11", LATE, "shared");
	check(!restricted_convert(vm.fd, LATE, LATE_SIZE, 1), "made private");
	step(&vm, track_store8, LATE, "private");
	step(&vm, track_load8, LATE, "private");
	track_told(&track, "", LATE, "private");
	err = track_set(&track, LATE + TRACK_PAGE, 1, access, 0);
	check(err == -EOPNOTSUPP, "to watch a private page: %d", err);
	check(!restricted_convert(vm.fd, LATE, LATE_SIZE, 0), "shared again");
	step(&vm, track_load8, LATE, "shared again");
	track_told(&track, "R0+8", LATE, "shared again");
	check(!restricted_convert(vm.fd, LATE, LATE_SIZE, 1), "private again");
	err = track_set(&track, LATE, 1, 0, 0);
	check(!err, "to stop watching it: %d", err);
	check(!restricted_convert(vm.fd, LATE, LATE_SIZE, 0), "shared again");
	step(&vm, track_load8, LATE, "watched no more");
	track_told(&track, "", LATE, "watched no more");
	track_close(&track);
	guest_vm_destroy(&vm);
	close(memfd);
}

static const struct {
	unsigned int access;
	const char *store, *load;	/* what is told of each */
} kinds[] = {
	{ KVM_TRACK_READ, "", "R0+8" },
	{ KVM_TRACK_WRITE, "w0+8=11", "" },
	{ KVM_TRACK_WRITTEN, "W0+8=11", "" },
	{ KVM_TRACK_EXEC, "", "" },
	{ KVM_TRACK_READ | KVM_TRACK_EXEC, "", "R0+8" },
};

static void store_and_load(struct guest_vm *vm, const struct track *track,
			   unsigned int kind, const char *when)
{
	step(vm, track_store8, TRACK_DATA, when);
	track_told(track, kinds[kind].store, TRACK_DATA, when);
	step(vm, track_load8, TRACK_DATA, when);
	track_told(track, kinds[kind].load, TRACK_DATA, when);
	check(guest_vcpu_told(&vm->vcpu[0]) == (uint32_t)VALUE,
	      "%s: access %u: the value", when, kinds[kind].access);
}

static bool prefault(struct guest_vm *vm)
{
	struct kvm_pre_fault_memory range = { .gpa = TRACK_DATA - TRACK_PAGE,
		.size = 3 * TRACK_PAGE };
	int ret;

	do {
		ret = ioctl(vm->vcpu[0].fd, KVM_PRE_FAULT_MEMORY, &range);
	} while (!ret && range.size);
	return !ret;
}

/* Mapped before the guest asks: by its VMM, or by KVM around a page it asks for. */
static void mapped_early(void)
{
	struct track track;
	struct guest_vm vm;
	unsigned int i;

	track_vm_create(&vm, 1);
	memset(vm.mem + TRACK_DATA - 8 * TRACK_PAGE, 0, 16 * TRACK_PAGE);
	must_track(&track, &vm, TRACK_CREATE());
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		must_set(&track, TRACK_DATA, 1, kinds[i].access, KVM_TRACK_LOG);
		if (has(&vm, KVM_CAP_PRE_FAULT_MEMORY))
			check(prefault(&vm), "mapped by the VMM");
		step(&vm, track_load8, TRACK_DATA - TRACK_PAGE, "before it");
		step(&vm, track_store8, TRACK_DATA + TRACK_PAGE, "behind it");
		store_and_load(&vm, &track, i, "mapped early");
	}
	track_close(&track);
	guest_vm_destroy(&vm);
}

static void set_logging(const struct guest_vm *vm, bool on)
{
	struct kvm_userspace_memory_region region = {
		.flags = on ? KVM_MEM_LOG_DIRTY_PAGES : 0,
		.memory_size = vm->mem_size,
		.userspace_addr = (uintptr_t)vm->mem };

	check(!ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region),
	      "dirty logging %s", on ? "on" : "off");
}

/* True if it was; protects it again. */
static bool dirty(const struct guest_vm *vm, uint64_t gpa)
{
	static uint64_t bitmap[GUEST_MEM_SIZE / TRACK_PAGE / 64];
	struct kvm_dirty_log log = { .dirty_bitmap = bitmap };
	uint64_t page = gpa / TRACK_PAGE;

	return !ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) &&
	       bitmap[page / 64] >> page % 64 & 1;
}

/*
 * Dirty logging takes the right to write from a mapping, and a fault gives it back
 * without a lock, whatever else the mapping denies.
 */
static void dirty_logging(void)
{
	struct track track;
	struct guest_vm vm;
	unsigned int i, round;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE());
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		must_set(&track, TRACK_DATA, 1, kinds[i].access, KVM_TRACK_LOG);
		set_logging(&vm, true);
		for (round = 0; round < 3; round++) {
			store_and_load(&vm, &track, i, "dirty logging");
			step(&vm, track_store8, TRACK_DATA + TRACK_PAGE,
			     "the page beside it");
			check(dirty(&vm, TRACK_DATA), "it is dirty");
		}
		set_logging(&vm, false);
		store_and_load(&vm, &track, i, "afterwards");
	}
	track_close(&track);
	guest_vm_destroy(&vm);
}

static uint64_t large_mappings(const struct guest_vm *vm)
{
	uint64_t large = 0;

	guest_vm_stat(vm, "pages_2m", &large);
	return large;
}

static void touch_all(struct guest_vm *vm)
{
	uint64_t pages = guest_vm_fresh_pages(vm);

	run_payload(&vm->vcpu[0], "fill", pages);
	check(guest_vcpu_told(&vm->vcpu[0]) == pages + 1, "all memory touched");
}

/*
 * Dirty logging splits large mappings and puts them together again when it ends:
 * not over a watched page, nor with more rights for it than it had.
 */
static void split_and_merge(void)
{
	uint64_t before, with;
	struct track track;
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	/* What is in use already would be made a large page when nobody expects it. */
	madvise(vm.mem + GUEST_FRESH, vm.mem_size - GUEST_FRESH, MADV_HUGEPAGE);
	touch_all(&vm);
	before = large_mappings(&vm);
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, KVM_TRACK_LOG);
	set_logging(&vm, true);
	touch_all(&vm);
	track_told(&track, "w0+8=1", TRACK_DATA, "while large pages are split");
	set_logging(&vm, false);
	touch_all(&vm);
	track_told(&track, "w0+8=1", TRACK_DATA, "when they are large again");
	with = large_mappings(&vm);
	if (before)
		check(with == before - 1, "large pages: %lu, %lu with a watched one",
		      before, with);
	must_set(&track, TRACK_DATA, 1, 0, 0);
	touch_all(&vm);
	check(large_mappings(&vm) == before, "%lu of %lu afterwards",
	      large_mappings(&vm), before);
	track_close(&track);
	guest_vm_destroy(&vm);
}

int main(void)
{
	vm_test_begin();
	system_management_mode();
	guests_of_guests();
	private_memory();
	mapped_early();
	dirty_logging();
	split_and_merge();
	return vm_test_end();
}
