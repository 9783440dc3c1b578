// SPDX-License-Identifier: GPL-2.0
/*
 * restricted_cost [MIB]
 *
 * What restricted memory costs beside a guest_memfd, in a VM with private memory:
 * making pages, punching all and making them again, converting to shared and
 * back, first touch by the guest and the faults that takes. One JSON line for
 * each; where the time stamp counter counts instructions, those are instructions
 * per MiB. No VM entry is audited: that would be most of what is measured.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "restricted.h"
#include "vm_test.h"

#define PAGE	4096UL
#define MIB	(1UL << 20)
#define SLOT	5
#define WHERE	(64UL << 20)	/* in the guest, large pages fit */

struct subject {
	const char *name;
	struct guest_vm vm;
	size_t size;
	int fd;
};

static int guest_memfd(int vm_fd, size_t size)
{
	struct kvm_create_guest_memfd create = { .size = size };

	return ioctl(vm_fd, KVM_CREATE_GUEST_MEMFD, &create);
}

static void tell(const struct subject *s, const char *what, uint64_t start)
{
	uint64_t tsc = __rdtsc() - start;
	char line[160];

	snprintf(line, sizeof(line),
		 "{\"rmem\": \"%s\", \"kind\": \"%s\", \"tsc_per_mib\": %lu}",
		 what, s->name, tsc / (s->size / MIB));
	report_data(line);
}

static void tell_faults(const struct subject *s, uint64_t faults)
{
	char line[160];

	snprintf(line, sizeof(line),
		 "{\"rmem\": \"faults\", \"kind\": \"%s\", \"count\": %lu, \"mib\": %zu}",
		 s->name, faults, s->size / MIB);
	report_data(line);
}

static void must(int err, const char *what)
{
	if (!err)
		return;
	errno = -err;
	die("%s", what);
}

static int allocate(const struct subject *s)
{
	return fallocate(s->fd, FALLOC_FL_KEEP_SIZE, 0, s->size) ? -errno : 0;
}

static void files(const struct subject *s)
{
	uint64_t start = __rdtsc();

	must(allocate(s), "allocate");
	tell(s, "populate", start);
	start = __rdtsc();
	must(restricted_punch(s->fd, 0, s->size), "punch");
	must(allocate(s), "allocate again");
	tell(s, "punch", start);
	must(restricted_punch(s->fd, 0, s->size), "punch");
}

static uint64_t pages_touched(struct subject *s)
{
	uint64_t faults = 0;

	guest_vcpu_stat(&s->vm.vcpu[0], "pf_taken", &faults);
	return faults;
}

/* The payload writes a word to each page. */
static void touch(struct subject *s)
{
	struct guest_vcpu *vcpu = &s->vm.vcpu[0];
	struct kvm_regs regs;

	must(guest_vcpu_load(vcpu, guest_payload("fill"), s->size / PAGE),
	     "registers");
	if (ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		die("registers");
	regs.r8 = WHERE;
	ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	must(guest_vcpu_run(vcpu), "touch");
}

static void guests(struct subject *s)
{
	uint64_t faults, start;

	must(restricted_convert(s->vm.fd, WHERE, s->size, 1), "private");
	faults = pages_touched(s);
	start = __rdtsc();
	touch(s);
	tell(s, "first_touch", start);
	tell_faults(s, pages_touched(s) - faults);
	start = __rdtsc();
	must(restricted_convert(s->vm.fd, WHERE, s->size, 0), "shared");
	must(restricted_convert(s->vm.fd, WHERE, s->size, 1), "private");
	tell(s, "convert", start);
}

static void measure(const char *name, size_t size, int flags)
{
	struct subject s = { .name = name, .size = size };
	void *shared;
	int err;

	err = guest_vm_create_private(&s.vm, 1, 16 * MIB, 0);
	if (err == -EINVAL)
		skip("no VMs with private memory");
	must(err, "create a VM");
	s.fd = flags < 0 ? guest_memfd(s.vm.fd, size) :
	       restricted_open_sized(flags, size);
	if (s.fd < 0)
		die("%s", name);
	shared = mmap((void *)(1UL << 40), size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(restricted_slot(s.vm.fd, SLOT, WHERE, size, s.fd, 0, shared),
	     "a slot");
	files(&s);
	guests(&s);
	check(true, "%s is measured", name);
	guest_vm_destroy(&s.vm);
	munmap(shared, size);
	close(s.fd);
}

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 0) : 256) * MIB;

	if (!restricted_supported())
		skip("no memfd_restricted");
	measure("guest_memfd", size, -1);
	measure("4k", size, 0);
	measure("2m", size, RMFD_HUGEPAGE);
	return report_result();
}
