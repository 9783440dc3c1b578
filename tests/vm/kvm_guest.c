// SPDX-License-Identifier: GPL-2.0
/* The tiny virtual machine monitor: see kvm_guest.h. */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "guest_payload.h"
#include "kvm_guest.h"
#include "../../kernel/include/uapi/linux/kvm_track.h"
#include "restricted.h"

#define PAGE_SIZE	4096UL
#define LARGE_SIZE	(2UL << 20)
#define MAX_CPUID	256
#define CPUID_HYPERVISOR	(1U << 31)	/* leaf 1, ECX */

#define PTE_PRESENT	0x1ULL
#define PTE_WRITE	0x2ULL
#define PTE_LARGE	0x80ULL

#define CR0_GUEST	0x80010033ULL	/* PG WP NE ET MP PE */
#define CR4_GUEST	0x20ULL		/* PAE */
#define EFER_GUEST	0x500ULL	/* LMA LME */
#define APIC_BASE	0xfee00c00ULL	/* enabled, x2APIC */
#define APIC_BASE_BSP	0x100ULL

/* Inside the hole below 4 GiB, out of the way of the memory slot. */
#define TSS_ADDR	0xfffbd000UL
#define IDENTITY_MAP	0xfffbc000ULL

bool guest_kvm_present(void)
{
	return access("/dev/kvm", R_OK | W_OK) == 0;
}

uint64_t guest_code_address(const void *where)
{
	return GUEST_CODE + ((const uint8_t *)where - guest_blob_start);
}

/* Maps the first GiB to itself with 2 MiB pages. */
static void build_page_tables(uint8_t *mem)
{
	uint64_t *pgd = (uint64_t *)(mem + GUEST_PGD);
	uint64_t *pud = (uint64_t *)(mem + GUEST_PUD);
	uint64_t *pmd = (uint64_t *)(mem + GUEST_PMD);
	unsigned int i;

	pgd[0] = GUEST_PUD | PTE_PRESENT | PTE_WRITE;
	pud[0] = GUEST_PMD | PTE_PRESENT | PTE_WRITE;
	for (i = 0; i < 512; i++)
		pmd[i] = i * LARGE_SIZE | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
}

static void set_gate(uint8_t *mem, unsigned int vector, const void *handler)
{
	uint64_t *gate = (uint64_t *)(mem + GUEST_IDT + 16 * vector);
	uint64_t addr = guest_code_address(handler);

	gate[0] = (addr & 0xffff) | GUEST_CS << 16 | 0x8e00ULL << 32 |
		  (addr >> 16 & 0xffff) << 48;
	gate[1] = addr >> 32;
}

static void build_descriptors(uint8_t *mem)
{
	uint64_t *gdt = (uint64_t *)(mem + GUEST_GDT);
	unsigned int vector;

	gdt[GUEST_CS / 8] = 0x00af9b000000ffffULL;
	gdt[GUEST_DS / 8] = 0x00cf93000000ffffULL;
	gdt[GUEST_TR / 8] = 0x00008b0000000067ULL | (uint64_t)GUEST_TSS << 16;
	for (vector = 0; vector < 256; vector++)
		set_gate(mem, vector, guest_unexpected);
	set_gate(mem, GUEST_VECTOR, guest_interrupt);
}

static int add_slot(struct guest_vm *vm)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = vm->mem_size,
		.userspace_addr = (uintptr_t)vm->mem,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		return -errno;
	return 0;
}

static int add_restricted_slot(struct guest_vm *vm)
{
	int err = restricted_slot(vm->fd, 0, 0, vm->mem_size, vm->mem_fd, 0,
				  vm->private ? vm->mem : NULL);

	if (!err && vm->private)
		err = restricted_convert(vm->fd, 0, vm->mem_size, 1);
	/* After GUEST_FRESH there is nothing yet. */
	return err ? err : restricted_populate(vm->fd, 0, vm->mem, GUEST_FRESH);
}

static int map_memory(struct guest_vm *vm, size_t size)
{
	vm->mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vm->mem == MAP_FAILED) {
		vm->mem = NULL;
		return -errno;
	}
	vm->mem_size = size;
	build_page_tables(vm->mem);
	build_descriptors(vm->mem);
	memcpy(vm->mem + GUEST_CODE, guest_blob_start,
	       guest_blob_end - guest_blob_start);
	return vm->mem_fd < 0 ? add_slot(vm) : add_restricted_slot(vm);
}

static int make_devices(struct guest_vm *vm)
{
	uint64_t identity_map = IDENTITY_MAP;
	struct kvm_pit_config pit = { 0 };

	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDR) ||
	    ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) ||
	    ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) ||
	    ioctl(vm->fd, KVM_CREATE_PIT2, &pit))
		return -errno;
	return 0;
}

/* Everything the host supports, with the right APIC ID in it. */
static int set_cpuid(struct guest_vcpu *vcpu)
{
	struct kvm_cpuid_entry2 *entry;
	struct kvm_cpuid2 *cpuid;
	unsigned int i;
	int err = 0;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_CPUID * sizeof(*entry));
	if (!cpuid)
		return -ENOMEM;
	cpuid->nent = MAX_CPUID;
	if (ioctl(vcpu->vm->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid)) {
		err = -errno;
		goto out;
	}
	for (i = 0; i < cpuid->nent; i++) {
		entry = &cpuid->entries[i];
		if (entry->function == 1) {
			entry->ebx = (entry->ebx & 0xffffff) | vcpu->id << 24;
			/* A guest: no PMU of the host's model is to be tried. */
			entry->ecx |= CPUID_HYPERVISOR;
		}
		if (entry->function == 0xb)
			entry->edx = vcpu->id;
	}
	if (ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid))
		err = -errno;
out:
	free(cpuid);
	return err;
}

static void set_segments(struct kvm_sregs *sregs)
{
	struct kvm_segment code = { .limit = 0xffffffff, .selector = GUEST_CS,
		.type = 11, .present = 1, .s = 1, .l = 1, .g = 1 };
	struct kvm_segment data = { .limit = 0xffffffff, .selector = GUEST_DS,
		.type = 3, .present = 1, .s = 1, .db = 1, .g = 1 };
	struct kvm_segment task = { .base = GUEST_TSS, .limit = 0x67,
		.selector = GUEST_TR, .type = 11, .present = 1 };

	sregs->cs = code;
	sregs->ds = data;
	sregs->es = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->ss = data;
	sregs->tr = task;
	sregs->gdt = (struct kvm_dtable){ .base = GUEST_GDT, .limit = 0x1f };
	sregs->idt = (struct kvm_dtable){ .base = GUEST_IDT, .limit = 0xfff };
}

static int set_long_mode(struct guest_vcpu *vcpu)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return -errno;
	set_segments(&sregs);
	sregs.cr0 = CR0_GUEST;
	sregs.cr3 = GUEST_PGD;
	sregs.cr4 = CR4_GUEST;
	sregs.efer = EFER_GUEST;
	sregs.apic_base = APIC_BASE | (vcpu->id ? 0 : APIC_BASE_BSP);
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) ||
	    ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable))
		return -errno;
	return 0;
}

static int create_vcpu(struct guest_vm *vm, unsigned int id)
{
	struct guest_vcpu *vcpu = &vm->vcpu[id];
	int size, err;

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);
	if (vcpu->fd < 0)
		return -errno;
	vm->nr_vcpus = id + 1;
	size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < 0)
		return -errno;
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return -errno;
	}
	vcpu->run_size = size;
	err = set_cpuid(vcpu);
	return err ? err : set_long_mode(vcpu);
}

static int populate_vm(struct guest_vm *vm, unsigned int nr_vcpus, size_t size)
{
	unsigned int id;
	int err;

	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM,
		       vm->private ? KVM_X86_SW_PROTECTED_VM : 0);
	if (vm->fd < 0)
		return -errno;
	err = make_devices(vm);
	if (!err)
		err = map_memory(vm, size);
	for (id = 0; !err && id < nr_vcpus; id++)
		err = create_vcpu(vm, id);
	return err;
}

/* The VM owns @mem_fd from here on. */
static int create_vm(struct guest_vm *vm, unsigned int nr_vcpus, size_t size,
		     int mem_fd, bool private)
{
	int err;

	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->mem_fd = mem_fd;
	vm->private = private;
	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	err = vm->kvm_fd < 0 ? -errno : populate_vm(vm, nr_vcpus, size);
	if (err)
		guest_vm_destroy(vm);
	return err;
}

static bool size_is_good(unsigned int nr_vcpus, size_t size)
{
	return nr_vcpus && nr_vcpus <= GUEST_MAX_VCPUS && size > GUEST_FRESH &&
	       size <= GUEST_MMIO && size % LARGE_SIZE == 0;
}

int guest_vm_create(struct guest_vm *vm, unsigned int nr_vcpus, size_t size)
{
	if (!size_is_good(nr_vcpus, size))
		return -EINVAL;
	return create_vm(vm, nr_vcpus, size, -1, false);
}

static int create_on_file(struct guest_vm *vm, unsigned int nr_vcpus,
			  size_t size, unsigned int flags, bool private)
{
	int mem_fd;

	if (!size_is_good(nr_vcpus, size))
		return -EINVAL;
	mem_fd = restricted_open_sized(flags | RMFD_CLOEXEC, size);
	if (mem_fd < 0)
		return mem_fd;
	return create_vm(vm, nr_vcpus, size, mem_fd, private);
}

int guest_vm_create_restricted(struct guest_vm *vm, unsigned int nr_vcpus,
			       size_t size, unsigned int flags)
{
	return create_on_file(vm, nr_vcpus, size, flags, false);
}

int guest_vm_create_private(struct guest_vm *vm, unsigned int nr_vcpus,
			    size_t size, unsigned int flags)
{
	return create_on_file(vm, nr_vcpus, size, flags, true);
}

void guest_vm_destroy(struct guest_vm *vm)
{
	unsigned int id;

	for (id = 0; id < vm->nr_vcpus; id++) {
		if (vm->vcpu[id].run)
			munmap(vm->vcpu[id].run, vm->vcpu[id].run_size);
		close(vm->vcpu[id].fd);
	}
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->mem)
		munmap(vm->mem, vm->mem_size);
	if (vm->mem_fd >= 0)
		close(vm->mem_fd);
	if (vm->kvm_fd >= 0)
		close(vm->kvm_fd);
	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->mem_fd = -1;
	vm->kvm_fd = -1;
}

size_t guest_vm_fresh_pages(const struct guest_vm *vm)
{
	return (vm->mem_size - GUEST_FRESH) / PAGE_SIZE;
}

int guest_vm_drop_memory(struct guest_vm *vm)
{
	if (vm->mem_fd >= 0)
		return restricted_punch(vm->mem_fd, GUEST_FRESH,
					vm->mem_size - GUEST_FRESH);
	if (madvise(vm->mem + GUEST_FRESH, vm->mem_size - GUEST_FRESH,
		    MADV_DONTNEED))
		return -errno;
	return 0;
}

void guest_vm_touch_memory(struct guest_vm *vm)
{
	memset(vm->mem + GUEST_FRESH, 1, vm->mem_size - GUEST_FRESH);
}

int guest_vcpu_load(struct guest_vcpu *vcpu,
		    const struct guest_payload *payload, uint64_t rounds)
{
	struct kvm_regs regs = {
		.rip = guest_code_address(payload->entry),
		.rsp = GUEST_STACKS + (vcpu->id + 1) * PAGE_SIZE,
		.rflags = 2,
		.rdi = rounds,
		.rsi = GUEST_RESULTS + vcpu->id * GUEST_RESULT_SIZE,
		.r8 = GUEST_FRESH,
	};

	/* An exit to user space finishes its instruction at the next entry. */
	vcpu->run->immediate_exit = 1;
	ioctl(vcpu->fd, KVM_RUN, 0);
	vcpu->run->immediate_exit = 0;
	return ioctl(vcpu->fd, KVM_SET_REGS, &regs) ? -errno : 0;
}

static int unexpected_exit(struct guest_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	struct kvm_regs regs = { 0 };

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	snprintf(vcpu->end, sizeof(vcpu->end), "exit %u (%llu, %llu) at 0x%llx",
		 run->exit_reason, run->hw.hardware_exit_reason,
		 run->exit_reason == KVM_EXIT_INTERNAL_ERROR ?
		 run->internal.data[0] : 0, regs.rip);
	return -EPROTO;
}

/* 1: go on, 0: done, or a negative errno. */
static int user_exit(struct guest_vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_TRACK:
		if (vcpu->answer)
			vcpu->answer(vcpu);
		return 1;
	case KVM_EXIT_MMIO:
		return 1;
	case KVM_EXIT_IO:
		if (vcpu->run->io.port == GUEST_PORT_DONE)
			return 0;
		return vcpu->run->io.port == GUEST_PORT_USER ? 1 : -EFAULT;
	default:
		return unexpected_exit(vcpu);
	}
}

int guest_vcpu_run(struct guest_vcpu *vcpu)
{
	uint64_t start;
	int ret, err;

	do {
		start = __rdtsc();
		ret = ioctl(vcpu->fd, KVM_RUN, 0);
		err = errno;
		vcpu->host_tsc += __rdtsc() - start;
		vcpu->user_exits++;
		if (ret < 0)
			return -err;
		ret = user_exit(vcpu);
	} while (ret > 0);
	return ret;
}

/* An error that is none: the same KVM_RUN again goes on. */
static bool again(const struct guest_vcpu *vcpu, int err)
{
	if (err == -EFAULT)
		return vcpu->vm->retry_faults &&
		       vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT;
	return err == -EINTR || err == -EAGAIN;
}

int guest_vcpu_do(struct guest_vcpu *vcpu, const struct guest_payload *payload,
		  uint64_t rounds)
{
	int err = guest_vcpu_load(vcpu, payload, rounds);

	if (err)
		return err;
	do {
		err = guest_vcpu_run(vcpu);
	} while (again(vcpu, err));
	return err;
}

const char *guest_vcpu_error(const struct guest_vcpu *vcpu, int err)
{
	return err == -EPROTO ? vcpu->end : strerror(-err);
}

uint32_t guest_vcpu_told(const struct guest_vcpu *vcpu)
{
	uint32_t told;

	memcpy(&told, (uint8_t *)vcpu->run + vcpu->run->io.data_offset,
	       sizeof(told));
	return told;
}

const struct guest_result *guest_vcpu_result(const struct guest_vcpu *vcpu)
{
	return (const void *)(vcpu->vm->mem + GUEST_RESULTS +
			      vcpu->id * GUEST_RESULT_SIZE);
}
