/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM on restricted memory: what the rest of KVM asks of it.
 *
 * A slot is restricted if it has a binding (slot->rmem). Of a VM with private
 * memory only the private pages of the slot are; of any other VM all of them.
 * Restricted pages have no address in user space: gfn_to_hva() and all that is
 * built on it fail, and each access KVM makes itself goes through here.
 *
 * Callers are in the kvm->srcu critical section that gave them the slot.
 */
#ifndef _LINUX_KVM_RMEM_H
#define _LINUX_KVM_RMEM_H

#include <linux/highmem.h>
#include <linux/kvm_host.h>
#include <linux/restrictedmem.h>

/* One slot's share of a restricted file; lives as long as the slot. */
struct kvm_rmem {
	struct restrictedmem_notifier notifier;
	struct kvm *kvm;
	struct kvm_memory_slot *slot;
	struct file *file;
	pgoff_t pgoff;		/* in the file, of the first page of the slot */
	bool only;		/* there is no other memory behind the slot */
};

/*
 * In the place of a host virtual address: the guest physical one, marked so that
 * it is neither an address of user space nor an error. Those who hand such a
 * thing to user access get a fault.
 */
#define KVM_RMEM_HVA	BIT_ULL(62)

static inline bool kvm_is_rmem_hva(unsigned long hva)
{
	return IS_ENABLED(CONFIG_KVM_RESTRICTEDMEM) &&
	       hva >= KVM_RMEM_HVA && !(hva >> 63);
}

static inline gpa_t kvm_rmem_hva_to_gpa(unsigned long hva)
{
	return hva & ~KVM_RMEM_HVA;
}

#ifdef CONFIG_KVM_RESTRICTEDMEM

/* Nothing but restricted memory is behind @slot. */
static inline bool kvm_rmem_only(const struct kvm_memory_slot *slot)
{
	return slot && slot->rmem && slot->rmem->only;
}

/* What is behind @gfn of @slot is restricted memory. */
static inline bool kvm_rmem_gfn(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return slot && slot->rmem &&
	       (slot->rmem->only || kvm_mem_is_private(slot->rmem->kvm, gfn));
}

/* Where in its file the page behind @gfn is; @slot is restricted. */
static inline pgoff_t kvm_rmem_index(const struct kvm_memory_slot *slot,
				     gfn_t gfn)
{
	return gfn - slot->base_gfn + slot->rmem->pgoff;
}

/* virt/kvm/rmem_slot.c */
bool kvm_rmem_wanted(const struct kvm_userspace_memory_region2 *mem);
int kvm_memfd_bind(struct kvm *kvm, struct kvm_memory_slot *slot,
		   unsigned int fd, u64 offset);
void kvm_rmem_unbind(struct kvm_memory_slot *slot);
void kvm_rmem_unbind_all(struct kvm *kvm);
int kvm_memfd_get_pfn(struct kvm *kvm, struct kvm_memory_slot *slot, gfn_t gfn,
		      kvm_pfn_t *pfn, int *max_order);

int kvm_rmem_no_xen(struct kvm *kvm);

/* virt/kvm/rmem_access.c */
int kvm_rmem_read(const struct kvm_memory_slot *slot, gfn_t gfn, void *data,
		  int offset, int len);
int kvm_rmem_read_atomic(const struct kvm_memory_slot *slot, gfn_t gfn,
			 void *data, int offset, int len);
int kvm_rmem_write(const struct kvm_memory_slot *slot, gfn_t gfn,
		   const void *data, int offset, int len);
int __kvm_rmem_cmpxchg(struct kvm_vcpu *vcpu, gpa_t gpa, void *old, u64 new,
		       int bytes);
kvm_pfn_t kvm_rmem_pfn(const struct kvm_memory_slot *slot, gfn_t gfn,
		       bool atomic);
kvm_pfn_t kvm_rmem_hva_to_pfn(struct kvm *kvm, unsigned long hva);
bool kvm_rmem_cache_init(struct kvm_memslots *slots,
			 struct gfn_to_hva_cache *ghc, gpa_t gpa,
			 unsigned long len);

/* virt/kvm/rmem_populate.c */
void __kvm_rmem_seal(struct kvm *kvm);
long kvm_rmem_ioctl(struct kvm *kvm, unsigned int ioctl, void __user *argp);

/* Before the first instruction of the guest: its memory is its own now. */
static inline void kvm_rmem_seal(struct kvm *kvm)
{
	if (unlikely(!READ_ONCE(kvm->rmem.sealed)))
		__kvm_rmem_seal(kvm);
}

/* An address for any page of the guest's, as kmap() would give. */
static inline void *kvm_rmem_kmap(struct page *page)
{
	return restrictedmem_map(page);
}

static inline void kvm_rmem_kunmap(struct page *page, void *addr)
{
	restrictedmem_unmap(addr);
}

#else /* !CONFIG_KVM_RESTRICTEDMEM */

static inline bool kvm_rmem_only(const struct kvm_memory_slot *slot)
{
	return false;
}

static inline bool kvm_rmem_gfn(const struct kvm_memory_slot *slot, gfn_t gfn)
{
	return false;
}

static inline bool
kvm_rmem_wanted(const struct kvm_userspace_memory_region2 *mem)
{
	return false;
}

#define kvm_memfd_bind		kvm_gmem_bind
#define kvm_memfd_get_pfn	kvm_gmem_get_pfn

static inline void kvm_rmem_unbind(struct kvm_memory_slot *slot) { }
static inline void kvm_rmem_unbind_all(struct kvm *kvm) { }
static inline void kvm_rmem_seal(struct kvm *kvm) { }

static inline int kvm_rmem_no_xen(struct kvm *kvm)
{
	return 0;
}

#define kvm_rmem_kmap		kmap

static inline void kvm_rmem_kunmap(struct page *page, void *addr)
{
	(kunmap)(page);
}

static inline int kvm_rmem_read(const struct kvm_memory_slot *slot, gfn_t gfn,
				void *data, int offset, int len)
{
	return -EFAULT;
}

#define kvm_rmem_read_atomic	kvm_rmem_read

static inline int kvm_rmem_write(const struct kvm_memory_slot *slot, gfn_t gfn,
				 const void *data, int offset, int len)
{
	return -EFAULT;
}

static inline int __kvm_rmem_cmpxchg(struct kvm_vcpu *vcpu, gpa_t gpa,
				     void *old, u64 new, int bytes)
{
	return -EFAULT;
}

static inline kvm_pfn_t kvm_rmem_pfn(const struct kvm_memory_slot *slot,
				     gfn_t gfn, bool atomic)
{
	return KVM_PFN_ERR_FAULT;
}

static inline kvm_pfn_t kvm_rmem_hva_to_pfn(struct kvm *kvm, unsigned long hva)
{
	return KVM_PFN_ERR_FAULT;
}

static inline bool kvm_rmem_cache_init(struct kvm_memslots *slots,
				       struct gfn_to_hva_cache *ghc, gpa_t gpa,
				       unsigned long len)
{
	return false;
}

static inline long kvm_rmem_ioctl(struct kvm *kvm, unsigned int ioctl,
				  void __user *argp)
{
	return -ENOTTY;
}

#endif /* CONFIG_KVM_RESTRICTEDMEM */

/* gfn_to_hva_memslot_prot() for callers that know what to do with the result. */
static inline unsigned long kvm_rmem_hva_prot(struct kvm_memory_slot *slot,
					      gfn_t gfn, bool *writable)
{
	if (!kvm_rmem_gfn(slot, gfn))
		return gfn_to_hva_memslot_prot(slot, gfn, writable);
	if (writable)
		*writable = true;
	return KVM_RMEM_HVA | gfn_to_gpa(gfn);
}

static inline unsigned long kvm_rmem_hva(struct kvm_memory_slot *slot,
					 gfn_t gfn)
{
	if (!kvm_rmem_gfn(slot, gfn))
		return gfn_to_hva_memslot(slot, gfn);
	return KVM_RMEM_HVA | gfn_to_gpa(gfn);
}

/* The page of a cache that holds what kvm_rmem_hva() returned, otherwise 0. */
static inline kvm_pfn_t kvm_rmem_cache_pfn(struct gfn_to_pfn_cache *gpc)
{
	if (!kvm_is_rmem_hva(gpc->uhva))
		return 0;
	return kvm_rmem_hva_to_pfn(gpc->kvm, gpc->uhva);
}

static inline int kvm_rmem_read_hva(struct kvm_vcpu *vcpu, unsigned long hva,
				    void *data, int len)
{
	return kvm_vcpu_read_guest(vcpu, kvm_rmem_hva_to_gpa(hva), data, len);
}

/* __get_user() and __try_cmpxchg_user() on what kvm_rmem_hva_prot() returned. */
#define kvm_rmem_get_user(vcpu, x, ptr)					\
({									\
	__typeof__(ptr) __ptr = (ptr);					\
	__typeof__(x) *__x = &(x);					\
									\
	kvm_is_rmem_hva((unsigned long)__ptr) ?				\
		kvm_rmem_read_hva(vcpu, (unsigned long)__ptr, __x,	\
				  sizeof(*__x)) :			\
		__get_user(*__x, __ptr);				\
})

#define kvm_rmem_try_cmpxchg(vcpu, ptr, oldp, new, label)		\
({									\
	__typeof__(ptr) __uptr = (ptr);					\
	__typeof__(oldp) __oldp = (oldp);				\
	__typeof__(*__oldp) __nval = (new);				\
									\
	kvm_is_rmem_hva((unsigned long)__uptr) ?			\
		__kvm_rmem_cmpxchg(vcpu,				\
				   kvm_rmem_hva_to_gpa((unsigned long)__uptr), \
				   __oldp, __nval, sizeof(*__oldp)) :	\
		__try_cmpxchg_user(__uptr, __oldp, __nval, label);	\
})

#endif /* _LINUX_KVM_RMEM_H */
