// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM as a class of Address Space Isolation.
 *
 * A VM's instance maps what KVM touches on the hot path of its vCPUs and
 * nothing of any other VM: every object in it has pages to itself. Implements
 * "Restricted address space for VM execution".
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": asi: " fmt

#include <linux/mutex.h>
#include <linux/slab.h>
#include <asm/hardirq.h>

#include "asi.h"
#include "hyperv.h"
#include "i8254.h"
#include "kvm_emulate.h"
#include "lapic.h"
#include "x86.h"

static DEFINE_MUTEX(class_lock);		/* and of asi_user of every VM */
static int class_id;
static unsigned int class_users;

/*
 * The full tables were loaded since the guest last ran, so that the L1D may
 * hold what the guest must not read. ORs into what KVM tracks itself.
 */
static void post_enter(struct asi *asi)
{
	kvm_set_cpu_l1tf_flush_l1d();
}

static const struct asi_class kvm_class = {
	.name = "kvm",
	.post_asi_enter = post_enter,
};

/* The class is registered while VMs exist: kvm.ko may be unloaded after that. */
static int get_class(void)
{
	int id;

	mutex_lock(&class_lock);
	id = class_users ? class_id : asi_register_class(&kvm_class);
	if (id > 0) {
		class_id = id;
		class_users++;
	}
	mutex_unlock(&class_lock);
	return id;
}

static void put_class(void)
{
	mutex_lock(&class_lock);
	if (!--class_users)
		asi_unregister_class(class_id);
	mutex_unlock(&class_lock);
}

/* Map an object that has its pages alone; it must not be freed before the VM. */
static int own(struct kvm *kvm, const void *addr, size_t size)
{
	return asi_map(kvm->arch.asi, addr, size, ASI_KIND_VM);
}

/*
 * User memory of the VMM, and with it the guest's, which KVM reads and writes
 * through addresses of the VMM. It belongs to nobody else. A machine on which it
 * is better left out pays an exit for each such access.
 */
static int map_user(struct kvm *kvm)
{
	int err = asi_map_user(kvm->arch.asi);

	kvm->arch.asi_user = !err;
	return err == -EOPNOTSUPP ? 0 : err;
}

/* Make the VM's instance; with ASI off the VM simply has none. */
int kvm_asi_init_vm(struct kvm *kvm)
{
	int id, err;

	if (!asi_enabled() || !asi_wanted())
		return 0;

	id = get_class();
	if (id < 0)
		return id;

	err = asi_init(kvm->mm, id, &kvm->arch.asi);
	if (err)
		goto err_put_class;
	err = own(kvm, kvm, kvm_x86_ops.vm_size);
	if (err)
		goto err_destroy;
	err = map_user(kvm);
	if (err)
		goto err_destroy;
	/* Most likely the thread that the guest's devices will wake. */
	err = asi_map_task(kvm->arch.asi);
	if (err)
		goto err_destroy;
	return 0;

err_destroy:
	asi_destroy(kvm->arch.asi);
	kvm->arch.asi = NULL;
err_put_class:
	put_class();
	return err;
}

/*
 * Must come before anything that the instance maps is freed. No vCPU can be
 * running: every vCPU holds the VM.
 */
void kvm_asi_destroy_vm(struct kvm *kvm)
{
	struct asi *asi = kvm->arch.asi;

	if (!asi)
		return;
	kvm->arch.asi = NULL;
	asi_destroy(asi);
	put_class();
}

/**
 * kvm_asi_drop_user - the VM has a guest of its own: unmap its memory, for good
 * @vcpu: is about to enter guest mode
 *
 * Whoever else enters guest mode waits until no CPU reaches it any more. A VM
 * that has had an L2 is taken to have one always. Implements "Unmap guest memory
 * from ASI address space when using nested".
 *
 * Context: may sleep.
 */
void kvm_asi_drop_user(struct kvm_vcpu *vcpu)
{
	struct kvm_arch *ka = &vcpu->kvm->arch;

	mutex_lock(&class_lock);
	if (ka->asi_user)
		asi_unmap_user(ka->asi);
	ka->asi_user = false;
	mutex_unlock(&class_lock);
	vcpu->arch.asi.nested = true;
}
EXPORT_SYMBOL_GPL(kvm_asi_drop_user);

struct vcpu_object {
	const void *addr;
	size_t size;
};

static int map_vcpu_objects(struct kvm_vcpu *vcpu)
{
	struct kvm_lapic *apic = vcpu->arch.apic;
	const struct vcpu_object objects[] = {
		{ vcpu, ksize(vcpu) },
		{ vcpu->run, PAGE_SIZE },
		{ vcpu->arch.pio_data, PAGE_SIZE },
		{ vcpu->arch.asi.vendor_page, PAGE_SIZE },
		{ vcpu->arch.emulate_ctxt, sizeof(*vcpu->arch.emulate_ctxt) },
		{ vcpu->arch.mce_banks, ksize(vcpu->arch.mce_banks) },
		{ vcpu->arch.mci_ctl2_banks,
			ksize(vcpu->arch.mci_ctl2_banks) },
		{ to_hv_vcpu(vcpu), sizeof(struct kvm_vcpu_hv) },
		{ vcpu->kvm->arch.vpit, sizeof(struct kvm_pit) },
		{ apic, sizeof(*apic) },
		{ apic ? apic->regs : NULL, PAGE_SIZE },
	};
	int i, err;

	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		err = objects[i].addr ?
			own(vcpu->kvm, objects[i].addr, objects[i].size) : 0;
		if (err)
			goto err_unmap;
	}
	return 0;

err_unmap:
	while (i--)
		if (objects[i].addr)
			asi_unmap(vcpu->kvm->arch.asi, objects[i].addr,
				  objects[i].size);
	return err;
}

/* Move the CPUID table to pages of its own. */
static int adopt_cpuid(struct kvm_vcpu *vcpu, size_t size)
{
	void *table = kvzalloc(asi_own_size(size), GFP_KERNEL_ACCOUNT);
	int err;

	if (!table)
		return -ENOMEM;
	memcpy(table, vcpu->arch.cpuid_entries, size);
	err = own(vcpu->kvm, table, size);
	if (err) {
		kvfree(table);
		return err;
	}
	kvfree(vcpu->arch.cpuid_entries);
	vcpu->arch.cpuid_entries = table;
	return 0;
}

static size_t fpstate_size(const struct fpstate *fpstate)
{
	return fpstate->size + offsetof(struct fpstate, regs);
}

/*
 * What user space may still make KVM replace: the CPUID table, and the FPU state,
 * which grows with what CPUID says that the guest has.
 */
static int map_cpuid(struct kvm_vcpu *vcpu)
{
	size_t size = vcpu->arch.cpuid_nent * sizeof(*vcpu->arch.cpuid_entries);
	struct fpstate *fpstate = vcpu->arch.guest_fpu.fpstate;
	int err;

	err = own(vcpu->kvm, fpstate, fpstate_size(fpstate));
	if (err)
		return err;
	err = size ? adopt_cpuid(vcpu, size) : 0;
	if (err) {
		asi_unmap(vcpu->kvm->arch.asi, fpstate, fpstate_size(fpstate));
		return err;
	}
	vcpu->arch.asi.cpuid = size ? vcpu->arch.cpuid_entries : ZERO_SIZE_PTR;
	vcpu->arch.asi.cpuid_size = size;
	return 0;
}

/* Both may be about to be freed, while the VM lives. */
void kvm_asi_disown_cpuid(struct kvm_vcpu *vcpu)
{
	struct fpstate *fpstate = vcpu->arch.guest_fpu.fpstate;
	struct kvm_vcpu_asi *v = &vcpu->arch.asi;
	struct asi *asi = vcpu->kvm->arch.asi;

	if (!v->cpuid)
		return;
	asi_unmap(asi, fpstate, fpstate_size(fpstate));
	if (v->cpuid_size)
		asi_unmap(asi, v->cpuid, v->cpuid_size);
	v->cpuid = NULL;
}

/*
 * What a vCPU and the thread that runs it need before they may enter. Cheap
 * once done; runs with the vCPU loaded and may sleep. A vCPU keeps its objects
 * until the VM goes, and the instance with them.
 */
int kvm_asi_prepare_run(struct kvm_vcpu *vcpu)
{
	struct asi *asi = vcpu->kvm->arch.asi;
	int err;

	kvm_asi_count_run(vcpu);
	if (!asi)
		return 0;

	if (!vcpu->arch.asi.mapped) {
		err = map_vcpu_objects(vcpu);
		if (err)
			return err;
		vcpu->arch.asi.mapped = true;
	}
	if (!vcpu->arch.asi.cpuid) {
		err = map_cpuid(vcpu);
		if (err)
			return err;
	}
	return asi_map_task(asi);
}

/*
 * Pages without content worth stealing, which every VM's entry path reads.
 * Compound, so that each of them can be seen to be in use.
 */
struct page *kvm_asi_alloc_global(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, order);

	if (page && asi_enabled() &&
	    asi_map(ASI_GLOBAL_NONSENSITIVE, page_address(page),
		    PAGE_SIZE << order, ASI_KIND_OTHER)) {
		__free_pages(page, order);
		return NULL;
	}
	return page;
}
EXPORT_SYMBOL_GPL(kvm_asi_alloc_global);

void kvm_asi_free_global(void *addr, unsigned int order)
{
	if (asi_enabled())
		asi_unmap(ASI_GLOBAL_NONSENSITIVE, addr, PAGE_SIZE << order);
	free_pages((unsigned long)addr, order);
}
EXPORT_SYMBOL_GPL(kvm_asi_free_global);
