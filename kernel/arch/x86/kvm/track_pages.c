// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages are tracked, and what a mapping of them may allow.
 *
 * There is one rule for both, denied_by(): an access it denies is never mapped
 * and always emulated, any other is mapped and never emulated. Were there two,
 * an access could be neither, and the guest would fault on it forever.
 *
 * Changes are counted first and zapped after. A fault that looked before is
 * zapped with the rest or, having waited for mmu_lock, finds itself stale.
 */
#include <linux/export.h>
#include <linux/kvm_host.h>
#include <linux/kvm_rmem.h>
#include <linux/xarray.h>

#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "mmu/spte.h"
#include "track.h"
#include "track_count.h"

/*
 * What to keep from the hardware for a page tracked in @modes, as ACC_*_MASK:
 * USER stands for reading, as in an SPTE of EPT. No paging mode can let a page be
 * written and not read, and only EPT, where the CPU has it, can let a page be
 * executed and not read.
 */
static unsigned int denied_by(unsigned int modes)
{
	bool exec_only = !(shadow_present_mask & PT_PRESENT_MASK);
	unsigned int denied = 0;

	if (modes & BIT(KVM_TRACK_MODE_PREREAD))
		denied |= ACC_USER_MASK | ACC_WRITE_MASK |
			  (exec_only ? 0 : ACC_EXEC_MASK);
	if (modes & (BIT(KVM_TRACK_MODE_PREWRITE) | BIT(KVM_TRACK_MODE_WRITE)))
		denied |= ACC_WRITE_MASK;
	if (modes & BIT(KVM_TRACK_MODE_PREEXEC))
		denied |= ACC_EXEC_MASK;
	return denied;
}

/*
 * One bit for each mode @gfn is tracked in. Private memory is none of KVM's
 * emulator's business unless it can get at it: what was tracked is so again when
 * the page is shared. A conversion zaps the page, so this is no second rule.
 */
static unsigned int modes_of(struct kvm *kvm, gfn_t gfn)
{
	void *entry = xa_load(&kvm->arch.track->pages, gfn);

	if (likely(!entry))
		return 0;
	if (kvm_mem_is_private(kvm, gfn) &&
	    !kvm_rmem_gfn(gfn_to_memslot(kvm, gfn), gfn))
		return 0;
	return track_count_modes(xa_to_value(entry), KVM_TRACK_NR_MODES);
}

static void count_users(struct kvm *kvm, unsigned int modes, int n)
{
	unsigned int mode;

	for (mode = 0; mode < KVM_TRACK_NR_MODES; mode++)
		if (modes & BIT(mode))
			atomic_add(n, &kvm->arch.track->users[mode]);
}

static void forget_seen(struct kvm_vcpu_track *track, u64 generation)
{
	unsigned int i;

	for (i = 0; i < KVM_TRACK_NR_SEEN; i++)
		track->seen[i].gfn = INVALID_GPA;
	track->generation = generation;
}

/*
 * The same for a vCPU, which asks for a handful of pages with each instruction;
 * looking them up, in memory that is sensitive, would cost more than the rest. The
 * generation is read before the modes and goes on after they have changed: what is
 * remembered can be too new for its generation, never too old. What is private may
 * change without it.
 */
unsigned int kvm_track_modes(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct kvm_vcpu_track *track = &vcpu->arch.track;
	struct kvm_track_seen *seen;
	u64 generation;

	if (kvm_arch_has_private_mem(vcpu->kvm))
		return modes_of(vcpu->kvm, gfn);
	/* Pairs with the release in kvm_track_changed(). */
	generation = atomic64_read_acquire(&vcpu->kvm->arch.track->generation);
	if (track->generation != generation)
		forget_seen(track, generation);
	for (seen = track->seen; seen < track->seen + KVM_TRACK_NR_SEEN; seen++)
		if (seen->gfn == gfn)
			return seen->modes;

	seen = &track->seen[track->oldest++ % KVM_TRACK_NR_SEEN];
	*seen = (struct kvm_track_seen) { gfn, modes_of(vcpu->kvm, gfn) };
	return seen->modes;
}

/*
 * After each change, and before the zap that makes it so. Pairs with the acquire
 * in kvm_track_modes().
 */
void kvm_track_changed(struct kvm *kvm)
{
	atomic64_fetch_inc_release(&kvm->arch.track->generation);
}

static unsigned int denied(struct kvm *kvm, gfn_t gfn)
{
	return denied_by(modes_of(kvm, gfn));
}

static unsigned int wanted(const struct kvm_page_fault *fault)
{
	if (fault->exec)
		return ACC_EXEC_MASK;
	return fault->write ? ACC_WRITE_MASK : ACC_USER_MASK;
}

static enum kvm_track_mode mode_of(const struct kvm_page_fault *fault)
{
	if (fault->exec)
		return KVM_TRACK_MODE_PREEXEC;
	return fault->write ? KVM_TRACK_MODE_PREWRITE : KVM_TRACK_MODE_PREREAD;
}

/*
 * Called before anything tries to make the fault go away, for every paging mode.
 * Whether the SPTE was present says nothing: the page may never have been.
 */
bool notrace __track_fault __kvm_track_fault(struct kvm_vcpu *vcpu,
					     struct kvm_page_fault *fault)
{
	struct kvm_vcpu_track *track = &vcpu->arch.track;

	if (!kvm_tracks(vcpu->kvm) || !fault->slot || fault->rsvd ||
	    !(denied_by(kvm_track_modes(vcpu, fault->gfn)) & wanted(fault)))
		return false;
	if (fault->prefetch)
		return true;
	track->gpa = gfn_to_gpa(fault->gfn) | offset_in_page(fault->addr);
	track->address = fault->addr;
	track->error_code = fault->error_code;
	track->mode = mode_of(fault);
	track->faulted = true;
	if (fault->error_code & PFERR_GUEST_PAGE_MASK)
		kvm_track_tell_walk(vcpu, track->gpa);
	return true;
}

bool notrace __track_fault
__kvm_track_fault_stale(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	lockdep_assert_held(&vcpu->kvm->mmu_lock);
	return kvm_tracks(vcpu->kvm) && fault->slot &&
	       (denied(vcpu->kvm, fault->gfn) & wanted(fault));
}

bool notrace __track_fault __kvm_track_never_mapped(struct kvm *kvm, gfn_t gfn)
{
	const unsigned int both = ACC_USER_MASK | ACC_EXEC_MASK;

	lockdep_assert_held(&kvm->mmu_lock);
	return kvm_tracks(kvm) && (denied(kvm, gfn) & both) == both;
}

unsigned int notrace __track_fault
__kvm_track_pte_access(struct kvm *kvm, gfn_t gfn, unsigned int access)
{
	lockdep_assert_held(&kvm->mmu_lock);
	return kvm_tracks(kvm) ? access & ~denied(kvm, gfn) : access;
}

int notrace __track_fault
__kvm_track_max_level(struct kvm *kvm, gfn_t gfn, int level)
{
	struct kvm_track *track;
	unsigned long first, pages;

	if (!kvm_tracks(kvm))
		return level;
	track = kvm->arch.track;
	for (; level > PG_LEVEL_4K; level--) {
		pages = KVM_PAGES_PER_HPAGE(level);
		first = gfn & ~(pages - 1);
		if (!xa_find(&track->pages, &first, first + pages - 1,
			     XA_PRESENT))
			break;
	}
	return level;
}

static int count_modes(u64 *counts, unsigned int remove, unsigned int add)
{
	unsigned int mode;

	for (mode = 0; mode < KVM_TRACK_NR_MODES; mode++) {
		if (remove & BIT(mode) &&
		    WARN_ON_ONCE(!track_count_down(counts, mode)))
			return -EINVAL;
		if (add & BIT(mode) && !track_count_up(counts, mode))
			return -EOVERFLOW;
	}
	return 0;
}

/**
 * kvm_track_change - count the modes of a page, without touching its mapping
 * @kvm: a VM with a node
 * @gfn: the page, with memory behind it or not
 * @remove: a bit for each mode to be counted down
 * @add: and for each to be counted up
 *
 * The caller calls kvm_zap_gfn_range() on the page afterwards.
 *
 * Context: process.
 * Return: 0; with nothing changed -EINVAL for a page that no guest can have,
 * -EOVERFLOW, or -ENOMEM, the latter only if something is added.
 */
int kvm_track_change(struct kvm *kvm, gfn_t gfn, unsigned int remove,
		     unsigned int add)
{
	struct xarray *pages = &kvm->arch.track->pages;
	void *old, *entry, *new;
	u64 counts;
	int err;

	if (gfn > kvm_mmu_max_gfn())
		return -EINVAL;
	/* There is no page that is tracked and not counted. */
	count_users(kvm, add, 1);
	do {
		old = xa_load(pages, gfn);
		counts = old ? xa_to_value(old) : 0;
		err = count_modes(&counts, remove, add);
		if (err)
			break;
		new = counts ? xa_mk_value(counts) : NULL;
		entry = xa_cmpxchg(pages, gfn, old, new, GFP_KERNEL_ACCOUNT);
		err = xa_err(entry);
	} while (!err && entry != old);
	count_users(kvm, err ? add : remove, -1);
	if (!err)
		kvm_track_changed(kvm);
	return err;
}

/**
 * kvm_track_add_page - track one more user of a page in one mode
 * @kvm: a VM with a node
 * @gfn: the page
 * @mode: the mode
 *
 * On return no vCPU can make such an access without the nodes being called.
 *
 * Context: process; takes mmu_lock. Allowed in create_slot().
 * Return: 0, -EINVAL, -EOVERFLOW or -ENOMEM as of kvm_track_change().
 */
int kvm_track_add_page(struct kvm *kvm, gfn_t gfn, enum kvm_track_mode mode)
{
	int err = kvm_track_change(kvm, gfn, 0, BIT(mode));

	if (!err)
		kvm_zap_gfn_range(kvm, gfn, gfn + 1);
	return err;
}
EXPORT_SYMBOL_GPL(kvm_track_add_page);

/**
 * kvm_track_remove_page - undo one kvm_track_add_page()
 * @kvm: the VM
 * @gfn: the page
 * @mode: the mode
 *
 * The mapping comes back with the next fault, a large one where it can.
 */
void kvm_track_remove_page(struct kvm *kvm, gfn_t gfn, enum kvm_track_mode mode)
{
	if (!kvm_track_change(kvm, gfn, BIT(mode), 0))
		kvm_zap_gfn_range(kvm, gfn, gfn + 1);
}
EXPORT_SYMBOL_GPL(kvm_track_remove_page);
