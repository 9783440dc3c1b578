// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in a guest's restricted memory before it runs: firmware, a kernel.
 * It comes in here, until the VM is sealed, and there is no way out.
 */
#include <linux/kvm_host.h>
#include <linux/kvm_rmem.h>
#include <linux/uaccess.h>
#include <uapi/linux/kvm_restrictedmem.h>

/* Waits for a populate in progress: nothing comes in after the first KVM_RUN. */
void __kvm_rmem_seal(struct kvm *kvm)
{
	mutex_lock(&kvm->slots_lock);
	WRITE_ONCE(kvm->rmem.sealed, true);
	mutex_unlock(&kvm->slots_lock);
}

/* In one page. Bytes that cannot be read from @src are zeroes. */
static int populate_page(struct kvm *kvm, gpa_t gpa, const void __user *src,
			 unsigned int len)
{
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, gpa_to_gfn(gpa));
	unsigned long left;
	kvm_pfn_t pfn;
	void *addr;

	if (!kvm_rmem_gfn(slot, gpa_to_gfn(gpa)))
		return -EINVAL;
	pfn = kvm_rmem_pfn(slot, gpa_to_gfn(gpa), false);
	if (pfn == KVM_PFN_ERR_HWPOISON)
		return -EHWPOISON;
	if (is_error_noslot_pfn(pfn))
		return -ENOMEM;

	addr = restrictedmem_map(pfn_to_page(pfn));
	if (!addr) {
		put_page(pfn_to_page(pfn));
		return -ENOMEM;
	}
	left = copy_from_user(addr + offset_in_page(gpa), src, len);
	restrictedmem_unmap(addr);
	put_page(pfn_to_page(pfn));
	return left ? -EFAULT : 0;
}

static int populate_range(struct kvm *kvm,
			  struct kvm_restrictedmem_populate *range)
{
	unsigned int len;
	int err;

	while (range->size) {
		if (signal_pending(current))
			return -EINTR;
		len = min_t(u64, range->size,
			    PAGE_SIZE - offset_in_page(range->gpa));
		err = populate_page(kvm, range->gpa,
				    u64_to_user_ptr(range->userspace_addr), len);
		if (err)
			return err;
		range->gpa += len;
		range->userspace_addr += len;
		range->size -= len;
		cond_resched();
	}
	return 0;
}

static int populate(struct kvm *kvm, struct kvm_restrictedmem_populate *range)
{
	int idx, err;

	if (range->flags || range->gpa + range->size < range->gpa)
		return -EINVAL;

	mutex_lock(&kvm->slots_lock);
	if (kvm->rmem.sealed) {
		err = -EPERM;
	} else {
		idx = srcu_read_lock(&kvm->srcu);
		err = populate_range(kvm, range);
		srcu_read_unlock(&kvm->srcu, idx);
	}
	mutex_unlock(&kvm->slots_lock);
	return err;
}

static int populate_ioctl(struct kvm *kvm,
			  struct kvm_restrictedmem_populate __user *argp)
{
	struct kvm_restrictedmem_populate range;
	int err;

	if (copy_from_user(&range, argp, sizeof(range)))
		return -EFAULT;
	err = populate(kvm, &range);
	if (copy_to_user(argp, &range, sizeof(range)))
		return -EFAULT;
	return err;
}

/* The ioctls of a VM that are about restricted memory; -ENOTTY: not these. */
long kvm_rmem_ioctl(struct kvm *kvm, unsigned int ioctl, void __user *argp)
{
	switch (ioctl) {
	case KVM_RESTRICTEDMEM_POPULATE:
		return populate_ioctl(kvm, argp);
	case KVM_RESTRICTEDMEM_SEAL:
		kvm_rmem_seal(kvm);
		return 0;
	default:
		return -ENOTTY;
	}
}
