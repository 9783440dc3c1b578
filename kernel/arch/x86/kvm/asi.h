/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM as a class of Address Space Isolation: one instance per VM.
 *
 * A vCPU enters it right before the guest and stays in it over every exit that
 * the kernel handles without touching anything sensitive.
 */
#ifndef __KVM_X86_ASI_H
#define __KVM_X86_ASI_H

#include <linux/kvm_host.h>
#include <asm/asi.h>
#include <asm/asi_audit.h>

#ifdef CONFIG_ASI

DECLARE_STATIC_KEY_FALSE(kvm_asi_count_key);

int kvm_asi_init_vm(struct kvm *kvm);
void kvm_asi_destroy_vm(struct kvm *kvm);
void kvm_asi_disown_cpuid(struct kvm_vcpu *vcpu);
void kvm_asi_drop_user(struct kvm_vcpu *vcpu);
int kvm_asi_prepare_run(struct kvm_vcpu *vcpu);
void kvm_asi_count_exit(struct kvm_vcpu *vcpu);
void __kvm_asi_count_run(struct kvm_vcpu *vcpu);
struct page *kvm_asi_alloc_global(unsigned int order);
void kvm_asi_free_global(void *addr, unsigned int order);

/* The vendor code's page that every exit touches; freed with the vCPU. */
static inline void kvm_asi_set_vendor_page(struct kvm_vcpu *vcpu, void *page)
{
	vcpu->arch.asi.vendor_page = page;
}

/*
 * The guest is about to run a guest of its own. The instance maps the memory of
 * the VM, which is harmless as long as only the VM could spy on itself; its
 * guest (L2) must not reach it (L1's).
 */
static __always_inline void kvm_asi_nested(struct kvm_vcpu *vcpu)
{
	if (asi_enabled() && unlikely(!vcpu->arch.asi.nested))
		kvm_asi_drop_user(vcpu);
}

/* Called with interrupts off, right before the guest's state is loaded. */
static __always_inline void kvm_asi_enter(struct kvm_vcpu *vcpu)
{
	struct asi *asi;

	if (!static_branch_unlikely(&asi_entry_key))
		return;
	asi = vcpu->kvm->arch.asi;
	if (static_branch_unlikely(&asi_audit_key))
		asi_audit_kvm_entry(asi);
	if (asi && asi_enter(asi))
		++vcpu->stat.asi_enters;
}

/* Called with interrupts off, right after the host's state is back. */
static __always_inline void kvm_asi_relax(struct kvm_vcpu *vcpu)
{
	if (!static_branch_unlikely(&asi_entry_key))
		return;
	if (asi_enabled())
		asi_relax();
	if (static_branch_unlikely(&kvm_asi_count_key))
		kvm_asi_count_exit(vcpu);
}

/*
 * Whether what the host loads now must not stay in the L1D for the guest. Whoever
 * leaves after this enters again, which flushes.
 */
static __always_inline bool kvm_asi_l1d_tainted(void)
{
	return !asi_restricted();
}

static inline void kvm_asi_count_run(struct kvm_vcpu *vcpu)
{
	if (static_branch_unlikely(&kvm_asi_count_key))
		__kvm_asi_count_run(vcpu);
}

#else /* !CONFIG_ASI */

static inline int kvm_asi_init_vm(struct kvm *kvm) { return 0; }
static inline void kvm_asi_destroy_vm(struct kvm *kvm) { }
static inline void kvm_asi_disown_cpuid(struct kvm_vcpu *vcpu) { }
static __always_inline void kvm_asi_nested(struct kvm_vcpu *vcpu) { }
static inline void kvm_asi_set_vendor_page(struct kvm_vcpu *vcpu, void *page) { }
static inline int kvm_asi_prepare_run(struct kvm_vcpu *vcpu) { return 0; }
static __always_inline void kvm_asi_enter(struct kvm_vcpu *vcpu) { }
static __always_inline void kvm_asi_relax(struct kvm_vcpu *vcpu) { }
static __always_inline bool kvm_asi_l1d_tainted(void) { return true; }
static inline struct page *kvm_asi_alloc_global(unsigned int order)
{
	return alloc_pages(GFP_KERNEL, order);
}

static inline void kvm_asi_free_global(void *addr, unsigned int order)
{
	free_pages((unsigned long)addr, order);
}

#endif /* CONFIG_ASI */
#endif /* __KVM_X86_ASI_H */
