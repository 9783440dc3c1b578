// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's own accesses to restricted memory: the emulator's operands and code,
 * walks of guest page tables, clock pages. They have a reference to the page and
 * an address of the kernel's, and never go through user space.
 */
#include <linux/kvm_host.h>
#include <linux/kvm_rmem.h>

static int get_page_of(const struct kvm_memory_slot *slot, gfn_t gfn,
		       struct page **page)
{
	return restrictedmem_get_page(slot->rmem->file,
				      kvm_rmem_index(slot, gfn), page, NULL);
}

static void copy_from(struct page *page, void *data, int offset, int len)
{
	void *addr = restrictedmem_map_local(page);

	memcpy(data, addr + offset, len);
	restrictedmem_unmap_local(addr);
	put_page(page);
}

/*
 * Reads @len bytes at @offset of a page that kvm_rmem_gfn() holds for restricted.
 * May sleep. Returns 0 or -EFAULT.
 */
int kvm_rmem_read(const struct kvm_memory_slot *slot, gfn_t gfn, void *data,
		  int offset, int len)
{
	struct page *page;

	if (get_page_of(slot, gfn, &page))
		return -EFAULT;
	copy_from(page, data, offset, len);
	return 0;
}

/* The same in any context, of a page that is there already. */
int kvm_rmem_read_atomic(const struct kvm_memory_slot *slot, gfn_t gfn,
			 void *data, int offset, int len)
{
	struct page *page;

	if (restrictedmem_find_page(slot->rmem->file, kvm_rmem_index(slot, gfn),
				    &page))
		return -EFAULT;
	copy_from(page, data, offset, len);
	return 0;
}

/* Writes; otherwise as kvm_rmem_read(). Such slots have no dirty log. */
int kvm_rmem_write(const struct kvm_memory_slot *slot, gfn_t gfn,
		   const void *data, int offset, int len)
{
	struct page *page;
	void *addr;

	if (get_page_of(slot, gfn, &page))
		return -EFAULT;
	addr = restrictedmem_map_local(page);
	memcpy(addr + offset, data, len);
	restrictedmem_unmap_local(addr);
	put_page(page);
	return 0;
}

static bool try_cmpxchg_bytes(void *where, void *old, u64 new, int bytes)
{
	switch (bytes) {
	case 1:
		return try_cmpxchg((u8 *)where, (u8 *)old, (u8)new);
	case 2:
		return try_cmpxchg((u16 *)where, (u16 *)old, (u16)new);
	case 4:
		return try_cmpxchg((u32 *)where, (u32 *)old, (u32)new);
	default:
		return try_cmpxchg((u64 *)where, (u64 *)old, new);
	}
}

/*
 * Atomically replaces @bytes (1, 2, 4 or 8, in one page) at @gpa by @new if they
 * are what @old points to. Returns 0; 1 if they were not, and puts them there;
 * -EFAULT: that is no restricted memory.
 */
int __kvm_rmem_cmpxchg(struct kvm_vcpu *vcpu, gpa_t gpa, void *old, u64 new,
		       int bytes)
{
	gfn_t gfn = gpa_to_gfn(gpa);
	struct kvm_memory_slot *slot = kvm_vcpu_gfn_to_memslot(vcpu, gfn);
	struct page *page;
	void *addr;
	bool done;

	if (!kvm_rmem_gfn(slot, gfn) || get_page_of(slot, gfn, &page))
		return -EFAULT;
	addr = restrictedmem_map_local(page);
	done = try_cmpxchg_bytes(addr + offset_in_page(gpa), old, new, bytes);
	restrictedmem_unmap_local(addr);
	put_page(page);
	return !done;
}
EXPORT_SYMBOL_GPL(__kvm_rmem_cmpxchg);

/* The page as __gfn_to_pfn_memslot() would return it: with a reference. */
kvm_pfn_t kvm_rmem_pfn(const struct kvm_memory_slot *slot, gfn_t gfn,
		       bool atomic)
{
	struct page *page;
	int err;

	if (atomic)
		return KVM_PFN_ERR_FAULT;
	err = get_page_of(slot, gfn, &page);
	if (err == -EHWPOISON)
		return KVM_PFN_ERR_HWPOISON;
	return err ? KVM_PFN_ERR_FAULT : page_to_pfn(page);
}

/* hva_to_pfn() of what kvm_rmem_hva() returned, if it still is restricted. */
kvm_pfn_t kvm_rmem_hva_to_pfn(struct kvm *kvm, unsigned long hva)
{
	gfn_t gfn = gpa_to_gfn(kvm_rmem_hva_to_gpa(hva));
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, gfn);

	if (!kvm_rmem_gfn(slot, gfn))
		return KVM_PFN_ERR_FAULT;
	return kvm_rmem_pfn(slot, gfn, false);
}

/*
 * Prepares a cache of a host virtual address, if there is none: then each access
 * looks the slot up. False: there is one, or there is no memory.
 */
bool kvm_rmem_cache_init(struct kvm_memslots *slots,
			 struct gfn_to_hva_cache *ghc, gpa_t gpa,
			 unsigned long len)
{
	gfn_t first = gpa_to_gfn(gpa);
	gfn_t last = gpa_to_gfn(gpa + len - 1);
	struct kvm_memory_slot *a = __gfn_to_memslot(slots, first);
	struct kvm_memory_slot *b = __gfn_to_memslot(slots, last);

	if (!kvm_rmem_gfn(a, first) && !kvm_rmem_gfn(b, last))
		return false;
	if (!kvm_is_visible_memslot(a) || !kvm_is_visible_memslot(b))
		return false;

	ghc->hva = KVM_RMEM_HVA | gpa;
	ghc->memslot = NULL;
	ghc->gpa = gpa;
	ghc->len = len;
	return true;
}
