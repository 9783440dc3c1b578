/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tracking: what the rest of KVM calls. All of it is patched out while no
 * VM has a node.
 */
#ifndef __KVM_X86_TRACK_H
#define __KVM_X86_TRACK_H

#include <linux/jump_label.h>
#include <linux/kvm_host.h>
#include <linux/srcu.h>
#include <linux/xarray.h>

#include <asm/kvm_track.h>

#include "kvm_emulate.h"

struct kvm_page_fault;
struct x86_exception;

/* How the emulator gets at memory. */
enum kvm_track_path {
	KVM_TRACK_DATA,		/* operands of the instruction */
	KVM_TRACK_STD,		/* what it implies, as the code at hand may */
	KVM_TRACK_SYSTEM,	/* what it implies, as the kernel may */
};

/* Of a VM that has or had a node; lives as long as the VM. */
struct kvm_track {
	struct xarray pages;	/* gfn: counts of track_count.h */
	atomic_t users[KVM_TRACK_NR_MODES];	/* of pages, at least: all there are */
	atomic64_t generation;	/* from 1 on; of pages, and of those of watchers */
	const void *vmm;	/* the watcher that KVM_RUN ends for, if any */
	struct list_head nodes;
	struct mutex lock;	/* of the list */
	struct srcu_struct srcu;
};

/* Whether any page of a VM with a node is tracked in @mode. */
static inline bool kvm_track_uses(const struct kvm *kvm, enum kvm_track_mode mode)
{
	return atomic_read(&kvm->arch.track->users[mode]);
}

/*
 * What page faults call keeps all registers of its caller, who would have to save
 * some for it otherwise even while no VM has a node and nothing is called. A VM that
 * has none is found out about there. The compiler knows how to write such a function,
 * and not how to call one. They are notrace: what traces returns keeps no more than
 * the value.
 */
#define __track_fault __no_caller_saved_registers
#define track_call(function, first, second, third)			\
({									\
	unsigned long __result;						\
									\
	asm volatile("call %P[call]"					\
		     : "=a" (__result), ASM_CALL_CONSTRAINT		\
		     : [call] "i" (function), "D" (first), "S" (second), \
		       "d" (third)					\
		     : "memory", "cc");					\
	__result;							\
})

#ifdef CONFIG_KVM_TRACK

#if !__has_attribute(__no_caller_saved_registers__)
#error "page tracking: this compiler cannot keep all registers of a caller"
#endif

DECLARE_STATIC_KEY_FALSE(kvm_track_key);

/* track.c */
void kvm_track_unlink(struct kvm *kvm, struct kvm_track_node *node);
bool kvm_track_ask_read(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva, u8 *new,
			int bytes, bool *ready);
bool kvm_track_ask_write(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva,
			 const u8 *new, int bytes, bool *drop);
bool kvm_track_ask_exec(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva);
bool kvm_track_ask_unhandled(struct kvm_vcpu *vcpu);
void kvm_track_tell_write(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva,
			  const u8 *new, int bytes);
void kvm_track_tell_walk(struct kvm_vcpu *vcpu, gpa_t gpa);
void __kvm_track_create_slot(struct kvm *kvm, struct kvm_memory_slot *slot,
			     unsigned long npages);
void __kvm_track_delete_slot(struct kvm *kvm, struct kvm_memory_slot *slot);
void __kvm_track_destroy(struct kvm *kvm);

/* track_pages.c */
unsigned int kvm_track_modes(struct kvm_vcpu *vcpu, gfn_t gfn);
void kvm_track_changed(struct kvm *kvm);
int kvm_track_change(struct kvm *kvm, gfn_t gfn, unsigned int remove,
		     unsigned int add);
bool __track_fault __kvm_track_fault(struct kvm_vcpu *vcpu,
				     struct kvm_page_fault *fault);
bool __track_fault __kvm_track_fault_stale(struct kvm_vcpu *vcpu,
					   struct kvm_page_fault *fault);
bool __track_fault __kvm_track_never_mapped(struct kvm *kvm, gfn_t gfn);
unsigned int __track_fault __kvm_track_pte_access(struct kvm *kvm, gfn_t gfn,
						  unsigned int access);
int __track_fault __kvm_track_max_level(struct kvm *kvm, gfn_t gfn, int level);

/* track_emulate.c */
bool __kvm_track_access(struct kvm_vcpu *vcpu, gva_t gva, void *val,
			unsigned int bytes, bool write,
			enum kvm_track_path path, int *rc);
bool __kvm_track_fetch(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva);
void __kvm_track_written(struct kvm_vcpu *vcpu, gpa_t gpa, const void *val,
			 int bytes);
bool __kvm_track_failed(struct kvm_vcpu *vcpu, int emulation_type, int *ret);
bool __kvm_track_retry(struct kvm_vcpu *vcpu, int *ret);

/* track_exit.c */
void __kvm_track_replay(struct kvm_vcpu *vcpu);
int kvm_track_go_on(struct kvm_vcpu *vcpu);

/* track_watch.c */
int kvm_track_ioctl(struct kvm *kvm, void __user *argp);
int kvm_track_version(void);

/* False in all but a few hosts, at no cost. */
static inline bool kvm_any_tracks(void)
{
	return static_branch_unlikely(&kvm_track_key);
}

static inline bool kvm_tracks(struct kvm *kvm)
{
	/* Pairs with the cmpxchg() that publishes it. */
	return kvm_any_tracks() && smp_load_acquire(&kvm->arch.track);
}

#else

static inline bool kvm_any_tracks(void) { return false; }

static inline bool kvm_tracks(struct kvm *kvm) { return false; }

static inline bool __kvm_track_fault(struct kvm_vcpu *vcpu,
				     struct kvm_page_fault *fault)
{ return false; }

static inline bool __kvm_track_fault_stale(struct kvm_vcpu *vcpu,
					   struct kvm_page_fault *fault)
{ return false; }

static inline bool __kvm_track_never_mapped(struct kvm *kvm, gfn_t gfn)
{ return false; }

static inline unsigned int __kvm_track_pte_access(struct kvm *kvm, gfn_t gfn,
						  unsigned int access)
{ return access; }

static inline int __kvm_track_max_level(struct kvm *kvm, gfn_t gfn, int level)
{ return level; }

static inline bool __kvm_track_access(struct kvm_vcpu *vcpu, gva_t gva,
				      void *val, unsigned int bytes, bool write,
				      enum kvm_track_path path, int *rc)
{ return false; }

static inline bool __kvm_track_fetch(struct kvm_vcpu *vcpu, gpa_t gpa,
				     gva_t gva)
{ return true; }

static inline void __kvm_track_written(struct kvm_vcpu *vcpu, gpa_t gpa,
				       const void *val, int bytes) { }

static inline bool __kvm_track_failed(struct kvm_vcpu *vcpu,
				      int emulation_type, int *ret)
{ return false; }

static inline bool __kvm_track_retry(struct kvm_vcpu *vcpu, int *ret)
{ return false; }

static inline void __kvm_track_create_slot(struct kvm *kvm,
					   struct kvm_memory_slot *slot,
					   unsigned long npages) { }

static inline void __kvm_track_delete_slot(struct kvm *kvm,
					   struct kvm_memory_slot *slot) { }

static inline int kvm_track_ioctl(struct kvm *kvm, void __user *argp)
{ return -ENOTTY; }

static inline int kvm_track_version(void) { return 0; }

#endif /* CONFIG_KVM_TRACK */

/* A fault is about to be handled: is it because of one? */
static inline void kvm_track_begin_fault(struct kvm_vcpu *vcpu)
{
#ifdef CONFIG_KVM_TRACK
	if (!static_branch_unlikely(&kvm_track_key))
		return;
	vcpu->arch.track.retry = false;
	vcpu->arch.track.faulted = false;
#endif
}

/* An instruction is about to be emulated, or what is left of it. */
static inline void kvm_track_begin(struct kvm_vcpu *vcpu, int emulation_type)
{
#ifdef CONFIG_KVM_TRACK
	if (!static_branch_unlikely(&kvm_track_key))
		return;
	vcpu->arch.track.retry = false;
	vcpu->arch.track.question.asks = false;
	if (!(emulation_type & EMULTYPE_PF))
		vcpu->arch.track.faulted = false;
	if (vcpu->arch.track.replay.nr && !(emulation_type & EMULTYPE_NO_DECODE))
		__kvm_track_replay(vcpu);
#endif
}

/* True if the access that faulted is tracked: it must be emulated. */
static inline bool kvm_track_fault(struct kvm_vcpu *vcpu,
				   struct kvm_page_fault *fault)
{
	return kvm_any_tracks() &&
	       (u8)track_call(__kvm_track_fault, vcpu, fault, 0);
}

/* True if it has become so since; mmu_lock is held. */
static inline bool kvm_track_fault_stale(struct kvm_vcpu *vcpu,
					 struct kvm_page_fault *fault)
{
	return kvm_any_tracks() &&
	       (u8)track_call(__kvm_track_fault_stale, vcpu, fault, 0);
}

/* True if no SPTE can deny what is tracked and nothing more. */
static inline bool kvm_track_never_mapped(struct kvm *kvm, gfn_t gfn)
{
	return kvm_any_tracks() &&
	       (u8)track_call(__kvm_track_never_mapped, kvm, gfn, 0);
}

/* What of @access a mapping of @gfn may allow. */
static inline unsigned int kvm_track_pte_access(struct kvm *kvm, gfn_t gfn,
						unsigned int access)
{
	if (!kvm_any_tracks())
		return access;
	return track_call(__kvm_track_pte_access, kvm, gfn, access);
}

/* The largest mapping at @gfn, @level at most, with no tracked page in it. */
static inline int kvm_track_max_level(struct kvm *kvm, gfn_t gfn, int level)
{
	if (!kvm_any_tracks())
		return level;
	return track_call(__kvm_track_max_level, kvm, gfn, level);
}

/*
 * The emulator is about to read or write. True if that is done, or is not to be
 * done, and *@rc is the result.
 */
static inline bool kvm_track_access(struct kvm_vcpu *vcpu, gva_t gva, void *val,
				    unsigned int bytes, bool write,
				    enum kvm_track_path path, int *rc)
{
	return kvm_tracks(vcpu->kvm) &&
	       __kvm_track_access(vcpu, gva, val, bytes, write, path, rc);
}

/* The emulator is about to fetch an instruction. False: the guest shall. */
static inline bool kvm_track_fetch(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva)
{
	return !kvm_tracks(vcpu->kvm) || __kvm_track_fetch(vcpu, gpa, gva);
}

/* The emulator has written. */
static inline void kvm_track_written(struct kvm_vcpu *vcpu, gpa_t gpa,
				     const void *val, int bytes)
{
	if (kvm_tracks(vcpu->kvm))
		__kvm_track_written(vcpu, gpa, val, bytes);
}

/* The emulator has given up. True: *@ret is what KVM_RUN is to go on with. */
static inline bool kvm_track_failed(struct kvm_vcpu *vcpu, int emulation_type,
				    int *ret)
{
	return kvm_tracks(vcpu->kvm) &&
	       __kvm_track_failed(vcpu, emulation_type, ret);
}

/* True if nothing of what has been emulated is to be kept; *@ret as above. */
static inline bool kvm_track_retry(struct kvm_vcpu *vcpu, int *ret)
{
	return kvm_tracks(vcpu->kvm) && __kvm_track_retry(vcpu, ret);
}

/*
 * True if the address of the fault is that of the operand. KVM takes any access with
 * the same offset in its page for it; but it may have been the instruction, a guest
 * page table, or what a call pushes when it has read where to go.
 */
static inline bool kvm_track_operand_fault(struct kvm_vcpu *vcpu)
{
#ifdef CONFIG_KVM_TRACK
	u64 error_code = vcpu->arch.track.error_code;

	if (!kvm_tracks(vcpu->kvm) || !vcpu->arch.track.faulted)
		return true;
	return error_code & PFERR_WRITE_MASK &&
	       !(error_code & (PFERR_FETCH_MASK | PFERR_GUEST_PAGE_MASK)) &&
	       vcpu->arch.emulate_ctxt->dst.type == OP_MEM;
#else
	return true;
#endif
}

static inline void kvm_track_create_slot(struct kvm *kvm,
					 struct kvm_memory_slot *slot,
					 unsigned long npages)
{
	if (kvm_tracks(kvm))
		__kvm_track_create_slot(kvm, slot, npages);
}

static inline void kvm_track_delete_slot(struct kvm *kvm,
					 struct kvm_memory_slot *slot)
{
	if (kvm_tracks(kvm))
		__kvm_track_delete_slot(kvm, slot);
}

static inline void kvm_track_destroy(struct kvm *kvm)
{
#ifdef CONFIG_KVM_TRACK
	if (kvm->arch.track)
		__kvm_track_destroy(kvm);
#endif
}

#endif /* __KVM_X86_TRACK_H */
