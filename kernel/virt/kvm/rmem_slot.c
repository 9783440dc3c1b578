// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots on restricted memory: binding, unbinding, faults, and what KVM
 * does when pages are about to go.
 *
 * The file may outlive the VM and the VM's slots hold a reference to it; there
 * is no reference the other way round.
 */
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/kvm_rmem.h>
#include <linux/pagemap.h>

#include "kvm_mm.h"

/* The guest's pages among the file's [@start, @end); without the slot. */
static struct kvm_gfn_range gfn_range(struct kvm_rmem *rmem, pgoff_t start,
				      pgoff_t end)
{
	struct kvm_memory_slot *slot = rmem->slot;
	pgoff_t last = rmem->pgoff + slot->npages;
	struct kvm_gfn_range range = {
		.start = slot->base_gfn + max(start, rmem->pgoff) - rmem->pgoff,
		.end = slot->base_gfn + min(end, last) - rmem->pgoff,
		.may_block = true,
		.attr_filter = KVM_FILTER_PRIVATE,
	};

	if (rmem->only)
		range.attr_filter |= KVM_FILTER_SHARED;
	return range;
}

/*
 * As for a notification about user memory: slots stay as they are until the
 * end, caches of single pages go first and are not filled again before it.
 */
static void invalidate_caches(struct kvm *kvm, struct kvm_gfn_range *range)
{
	spin_lock(&kvm->mn_invalidate_lock);
	kvm->mn_active_invalidate_count++;
	spin_unlock(&kvm->mn_invalidate_lock);

	gfn_to_pfn_cache_invalidate_start(kvm,
					  KVM_RMEM_HVA | gfn_to_gpa(range->start),
					  KVM_RMEM_HVA | gfn_to_gpa(range->end));
}

static void revalidate_caches(struct kvm *kvm)
{
	bool wake;

	spin_lock(&kvm->mn_invalidate_lock);
	/* A VM that goes sets it to 0, but not before kvm_rmem_unbind_all(). */
	if (!WARN_ON_ONCE(!kvm->mn_active_invalidate_count))
		kvm->mn_active_invalidate_count--;
	wake = !kvm->mn_active_invalidate_count;
	spin_unlock(&kvm->mn_invalidate_lock);
	if (wake)
		rcuwait_wake_up(&kvm->mn_memslots_update_rcuwait);
}

/*
 * What the VM has in the place of the slot, or NULL if that is not in use yet, or
 * no more: then nothing is mapped, and what KVM would look for may not be allocated.
 * While a slot is being deleted a copy is in its place, and KVM allocates for the
 * copy. The invalidation has been counted, which keeps the set of slots in force
 * until the end; readers in kvm->srcu would hold up those who wait to exchange it.
 */
static struct kvm_memory_slot *slot_in_use(struct kvm_rmem *rmem)
{
	struct kvm_memory_slot *slot = rmem->slot;
	struct kvm *kvm = rmem->kvm;
	struct kvm_memslots *slots;

	slots = rcu_dereference_protected(kvm->memslots[slot->as_id],
					  READ_ONCE(kvm->mn_active_invalidate_count));
	return id_to_memslot(slots, slot->id);
}

static void kvm_rmem_invalidate_start(struct restrictedmem_notifier *notifier,
				      pgoff_t start, pgoff_t end)
{
	struct kvm_rmem *rmem = container_of(notifier, struct kvm_rmem, notifier);
	struct kvm_gfn_range range = gfn_range(rmem, start, end);
	struct kvm *kvm = rmem->kvm;

	invalidate_caches(kvm, &range);
	range.slot = slot_in_use(rmem);
	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_begin(kvm);
	if (!range.slot)
		kvm_mmu_invalidate_range_add(kvm, range.start, range.end);
	else if (kvm_mmu_unmap_gfn_range(kvm, &range))
		kvm_flush_remote_tlbs(kvm);
	KVM_MMU_UNLOCK(kvm);
}

static void kvm_rmem_invalidate_end(struct restrictedmem_notifier *notifier,
				    pgoff_t start, pgoff_t end)
{
	struct kvm_rmem *rmem = container_of(notifier, struct kvm_rmem, notifier);
	struct kvm *kvm = rmem->kvm;

	KVM_MMU_LOCK(kvm);
	kvm_mmu_invalidate_end(kvm);
	KVM_MMU_UNLOCK(kvm);
	revalidate_caches(kvm);
}

/* A fault that has the page already starts again, and then fails. */
static void kvm_rmem_error(struct restrictedmem_notifier *notifier,
			   pgoff_t start, pgoff_t end)
{
	kvm_rmem_invalidate_start(notifier, start, end);
	kvm_rmem_invalidate_end(notifier, start, end);
}

static const struct restrictedmem_notifier_ops kvm_rmem_ops = {
	.invalidate_start	= kvm_rmem_invalidate_start,
	.invalidate_end		= kvm_rmem_invalidate_end,
	.error			= kvm_rmem_error,
};

/*
 * Whether @mem asks for restricted memory: then, and only then, a VM without
 * private memory may have a file behind a slot.
 */
bool kvm_rmem_wanted(const struct kvm_userspace_memory_region2 *mem)
{
	bool wanted = false;
	struct file *file;

	if (!(mem->flags & KVM_MEM_GUEST_MEMFD) || mem->userspace_addr)
		return false;
	file = fget(mem->guest_memfd);
	if (file) {
		wanted = file_is_restrictedmem(file);
		fput(file);
	}
	return wanted;
}

static u64 owner_of(struct kvm *kvm)
{
	lockdep_assert_held(&kvm->slots_lock);
	if (!kvm->rmem.owner)
		kvm->rmem.owner = restrictedmem_new_owner();
	return kvm->rmem.owner;
}

/*
 * Before the VMM sets up anything of Xen's: what it says is written there into
 * guest memory, also after the VM was sealed. A VM has that or restricted
 * memory, whichever came first; -EPERM for the other. Takes slots_lock.
 */
int kvm_rmem_no_xen(struct kvm *kvm)
{
	int err = 0;

	mutex_lock(&kvm->slots_lock);
	if (kvm->rmem.owner)
		err = -EPERM;
	else
		kvm->rmem.xen = true;
	mutex_unlock(&kvm->slots_lock);
	return err;
}

static int rmem_bind(struct kvm *kvm, struct kvm_memory_slot *slot,
		     struct file *file, u64 offset)
{
	pgoff_t start = offset >> PAGE_SHIFT;
	struct kvm_rmem *rmem;
	int err;

	if (kvm->rmem.xen)
		return -EPERM;
	rmem = kzalloc(sizeof(*rmem), GFP_KERNEL_LOCAL);
	if (!rmem)
		return -ENOMEM;

	rmem->notifier.ops = &kvm_rmem_ops;
	rmem->kvm = kvm;
	rmem->slot = slot;
	rmem->file = file;
	rmem->pgoff = start;
	rmem->only = !kvm_arch_has_private_mem(kvm);
	err = restrictedmem_bind(file, &rmem->notifier, start,
				 start + slot->npages, owner_of(kvm));
	if (err) {
		kfree(rmem);
		return err;
	}
	if (rmem->only)
		slot->userspace_addr = KVM_RMEM_HVA | gfn_to_gpa(slot->base_gfn);
	slot->rmem = rmem;
	return 0;
}

/*
 * Puts a file behind @slot, which nobody has seen yet: a guest_memfd of this VM,
 * or a restricted file. Holds slots_lock. Returns 0; -EBADF; -EINVAL: another
 * kind of file, or a range that is not in it; -EBUSY: some of the range is bound,
 * or the file is another VM's; -EPERM: the VM has the interface of Xen; -ENOMEM.
 */
int kvm_memfd_bind(struct kvm *kvm, struct kvm_memory_slot *slot,
		   unsigned int fd, u64 offset)
{
	struct file *file = fget(fd);
	int err;

	if (!file)
		return -EBADF;
	if (file_is_restrictedmem(file)) {
		err = rmem_bind(kvm, slot, file, offset);
		if (err)
			fput(file);
		return err;
	}
	fput(file);
	if (!kvm_arch_has_private_mem(kvm))
		return -EINVAL;
	return kvm_gmem_bind(kvm, slot, fd, offset);
}

/*
 * The slot is unreachable and what it had mapped is zapped. A cache of a single
 * page knows it by an address that says nothing of the file: another slot there
 * would make it valid again.
 */
void kvm_rmem_unbind(struct kvm_memory_slot *slot)
{
	struct kvm_rmem *rmem = slot->rmem;
	gpa_t start = gfn_to_gpa(slot->base_gfn);

	if (!rmem)
		return;
	gfn_to_pfn_cache_invalidate_start(rmem->kvm, KVM_RMEM_HVA | start,
					  KVM_RMEM_HVA |
					  (start + (slot->npages << PAGE_SHIFT)));
	restrictedmem_unregister_notifier(rmem->file, &rmem->notifier);
	fput(rmem->file);
	slot->rmem = NULL;
	kfree(rmem);
}

/*
 * The VM goes: nobody uses it, and the MMU notifier has zapped the last mapping
 * and is gone; earlier, a hole would give away pages that are still mapped. As the
 * notifier's calls do, a hole that is under way ends first, and none finds the VM
 * any more. From then on the caller alone has the counts of invalidations, which
 * it reads and resets without their locks, and the page tables, to take them down.
 */
void kvm_rmem_unbind_all(struct kvm *kvm)
{
	struct kvm_memory_slot *slot;
	int i, bkt;

	for (i = 0; i < kvm_arch_nr_memslot_as_ids(kvm); i++)
		kvm_for_each_memslot(slot, bkt, __kvm_memslots(kvm, i))
			kvm_rmem_unbind(slot);
}

/* A large page is one for the guest only where both are aligned alike. */
static int usable_order(gfn_t gfn, pgoff_t index, int order)
{
	return (gfn ^ index) & ((1UL << order) - 1) ? 0 : order;
}

/*
 * The page behind @gfn, for a mapping that checks mmu_invalidate_seq. As
 * kvm_gmem_get_pfn(), which it calls for a guest_memfd: *@max_order may be left
 * out, the caller gets a reference. Fails with -EHWPOISON, -EINVAL or -ENOMEM.
 */
int kvm_memfd_get_pfn(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn,
		      kvm_pfn_t *pfn, int *max_order)
{
	struct kvm_rmem *rmem = slot->rmem;
	struct page *page;
	pgoff_t index;
	int order, err;

	if (!rmem)
		return kvm_gmem_get_pfn(kvm, slot, gfn, pfn, max_order);

	index = kvm_rmem_index(slot, gfn);
	err = restrictedmem_get_page(rmem->file, index, &page, &order);
	if (err)
		return err;
	*pfn = page_to_pfn(page);
	if (max_order)
		*max_order = usable_order(gfn, index, order);
	return 0;
}
EXPORT_SYMBOL_GPL(kvm_memfd_get_pfn);
