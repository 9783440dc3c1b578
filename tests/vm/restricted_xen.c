// SPDX-License-Identifier: GPL-2.0
/*
 * KVM's interface of Xen writes to guest memory what the VMM says: a VM has that
 * or restricted memory, and the second to come is refused.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "restricted.h"
#include "vm_test.h"

#define SIZE		(8UL << 20)
#define WHERE		(64UL << 20)
#define MSR		0x40000000

static int config(int vm_fd)
{
	static char page[4096];
	struct kvm_xen_hvm_config config = {
		.msr = MSR,
		.blob_addr_64 = (uintptr_t)page,
		.blob_size_64 = 1,
	};

	return ioctl(vm_fd, KVM_XEN_HVM_CONFIG, &config) ? -errno : 0;
}

static int shared_page(int vm_fd)
{
	struct kvm_xen_hvm_attr attr = {
		.type = KVM_XEN_ATTR_TYPE_SHARED_INFO,
		.u.shared_info.gfn = GUEST_FRESH / 4096,
	};

	return ioctl(vm_fd, KVM_XEN_HVM_SET_ATTR, &attr) ? -errno : 0;
}

static int vcpu_page(int vcpu_fd)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO,
		.u.gpa = GUEST_FRESH,
	};

	return ioctl(vcpu_fd, KVM_XEN_VCPU_SET_ATTR, &attr) ? -errno : 0;
}

static void answers(int err, int expected, const char *what)
{
	check(err == expected, "%s: %s", what, strerror(-err));
}

static void restricted_first(void)
{
	struct guest_vm vm;

	if (guest_vm_create_restricted(&vm, 1, SIZE, 0))
		die("create a VM");
	answers(config(vm.fd), -EPERM, "hypercall page");
	answers(shared_page(vm.fd), -EPERM, "shared page");
	answers(vcpu_page(vm.vcpu[0].fd), -EPERM, "page of a virtual CPU");
	run_payload(&vm.vcpu[0], "cpuid", 200);
	answers(config(vm.fd), -EPERM, "hypercall page of a sealed VM");
	guest_vm_destroy(&vm);
}

static void xen_first(void)
{
	int fd = restricted_open_sized(0, SIZE);
	struct guest_vm vm;

	must_create(&vm, 1);
	answers(config(vm.fd), 0, "hypercall page of an ordinary VM");
	answers(shared_page(vm.fd), 0, "its shared page");
	answers(restricted_slot(vm.fd, 7, WHERE, SIZE, fd, 0, NULL), -EPERM,
		"restricted memory after that");
	guest_vm_destroy(&vm);
	close(fd);
}

int main(void)
{
	struct guest_vm vm;
	int xen;

	if (!restricted_supported())
		skip("no memfd_restricted");
	vm_test_begin();
	must_create(&vm, 1);
	xen = ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_XEN_HVM);
	guest_vm_destroy(&vm);
	if (xen <= 0)
		skip("KVM without Xen's interface");
	restricted_first();
	xen_first();
	return vm_test_end();
}
