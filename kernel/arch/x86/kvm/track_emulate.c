// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tracking in the emulator: every access to a tracked page that the
 * hardware was kept from is made by the emulator, which asks here first.
 *
 * An access over the end of a page is two, and both are asked for before either
 * is made. A node that says no ends the instruction with X86EMUL_RETRY_INSTR: no
 * register is written back, and the guest executes it again.
 */
#include <linux/kvm_host.h>

#include "kvm_cache_regs.h"
#include "kvm_emulate.h"
#include "mmu.h"
#include "mmu/page_track.h"
#include "track.h"
#include "x86.h"

#define MODES_READ	BIT(KVM_TRACK_MODE_PREREAD)
#define MODES_WRITE	(BIT(KVM_TRACK_MODE_PREWRITE) | BIT(KVM_TRACK_MODE_WRITE))

/* The part of an access that is in one page. */
struct piece {
	gva_t gva;
	gpa_t gpa;
	u8 *val;
	unsigned int bytes;
	unsigned int modes;
	bool done;	/* supplied or dropped by a node */
};

struct access {
	struct piece piece[2];
	unsigned int nr;
};

static u64 walk_flags(struct kvm_vcpu *vcpu, bool write,
		      enum kvm_track_path path)
{
	u64 flags = write ? PFERR_WRITE_MASK : 0;

	if (path == KVM_TRACK_SYSTEM)
		return flags | PFERR_IMPLICIT_ACCESS;
	if (kvm_x86_call(get_cpl)(vcpu) == 3)
		flags |= PFERR_USER_MASK;
	return flags;
}

/* The one operand whose address is that of the fault needs no walk. */
static bool is_faulting_operand(struct kvm_vcpu *vcpu, gva_t gva,
				enum kvm_track_path path)
{
	struct x86_emulate_ctxt *ctxt = vcpu->arch.emulate_ctxt;

	return path == KVM_TRACK_DATA && ctxt->gpa_available &&
	       emulator_can_use_gpa(ctxt) &&
	       offset_in_page(gva) == offset_in_page(ctxt->gpa_val);
}

static gpa_t translate(struct kvm_vcpu *vcpu, gva_t gva, bool write,
		       enum kvm_track_path path)
{
	struct kvm_mmu *mmu = vcpu->arch.walk_mmu;
	struct x86_exception ignored;

	if (is_faulting_operand(vcpu, gva, path))
		return vcpu->arch.emulate_ctxt->gpa_val;
	return mmu->gva_to_gpa(vcpu, mmu, gva, walk_flags(vcpu, write, path),
			       &ignored);
}

/* Modes of any page of it that count here, or 0: also if the guest faults. */
static unsigned int split(struct kvm_vcpu *vcpu, struct access *a, gva_t gva,
			  u8 *val, unsigned int bytes, bool write,
			  enum kvm_track_path path)
{
	unsigned int count = write ? MODES_WRITE : MODES_READ;
	unsigned int modes = 0, now;
	struct piece *p;

	/* A tracked write is why most instructions are here, with many reads. */
	if (!write && !kvm_track_uses(vcpu->kvm, KVM_TRACK_MODE_PREREAD))
		return 0;
	for (a->nr = 0; bytes; gva += now, val += now, bytes -= now) {
		if (WARN_ON_ONCE(a->nr == ARRAY_SIZE(a->piece)))
			return 0;
		now = min_t(unsigned int, bytes,
			    PAGE_SIZE - offset_in_page(gva));
		p = &a->piece[a->nr++];
		*p = (struct piece){ .gva = gva, .val = val, .bytes = now };
		p->gpa = translate(vcpu, gva, write, path);
		if (p->gpa == INVALID_GPA)
			return 0;
		p->modes = kvm_track_modes(vcpu, gpa_to_gfn(p->gpa)) & count;
		modes |= p->modes;
	}
	return modes;
}

static bool ask(struct kvm_vcpu *vcpu, struct piece *p, bool write)
{
	if (!write)
		return !p->modes ||
		       kvm_track_ask_read(vcpu, p->gpa, p->gva, p->val,
					  p->bytes, &p->done);
	if (!(p->modes & BIT(KVM_TRACK_MODE_PREWRITE)))
		return true;
	return kvm_track_ask_write(vcpu, p->gpa, p->gva, p->val, p->bytes,
				   &p->done);
}

static bool ask_all(struct kvm_vcpu *vcpu, struct access *a, bool write)
{
	unsigned int i;
	bool yes = true;

	for (i = 0; i < a->nr; i++)
		yes &= ask(vcpu, &a->piece[i], write);
	return yes;
}

/* Makes what is left of an access that the emulator cannot make as a whole. */
static int make_rest(struct kvm_vcpu *vcpu, struct access *a, bool write)
{
	unsigned int i;

	for (i = 0; i < a->nr; i++) {
		struct piece *p = &a->piece[i];

		if (p->done)
			continue;
		if (write ? !emulator_write_phys(vcpu, p->gpa, p->val, p->bytes) :
		    kvm_vcpu_read_guest(vcpu, p->gpa, p->val, p->bytes))
			return X86EMUL_UNHANDLEABLE;
	}
	return X86EMUL_CONTINUE;
}

static bool any_done(const struct access *a)
{
	return a->piece[0].done || (a->nr > 1 && a->piece[1].done);
}

bool __kvm_track_access(struct kvm_vcpu *vcpu, gva_t gva, void *val,
			unsigned int bytes, bool write,
			enum kvm_track_path path, int *rc)
{
	struct access a;

	vcpu->arch.track.gva = gva;
	if (!split(vcpu, &a, gva, val, bytes, write, path))
		return false;
	if (!ask_all(vcpu, &a, write)) {
		vcpu->arch.track.retry = true;
		*rc = X86EMUL_RETRY_INSTR;
		return true;
	}
	/* Only operands are written by what tells nodes of it afterwards. */
	if (!any_done(&a) && !(write && path != KVM_TRACK_DATA))
		return false;
	*rc = make_rest(vcpu, &a, write);
	return true;
}

/*
 * Instructions are also fetched to be skipped, when an exit has done their work.
 * Those of a tracked page never get so far as to exit by themselves: it is a
 * fault, on the page or on the way to it, that the emulator executes them for.
 */
bool __kvm_track_fetch(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva)
{
	struct kvm_vcpu_track *track = &vcpu->arch.track;

	if (!track->faulted ||
	    !kvm_track_uses(vcpu->kvm, KVM_TRACK_MODE_PREEXEC))
		return true;
	if (!(kvm_track_modes(vcpu, gpa_to_gfn(gpa)) &
	      BIT(KVM_TRACK_MODE_PREEXEC)))
		return true;
	if (kvm_track_ask_exec(vcpu, gpa, gva))
		return true;
	track->retry = true;
	return false;
}

/* An access over the end of a page is told of in parts, the second one here too. */
static gva_t gva_of(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	gva_t gva = vcpu->arch.track.gva;

	if (offset_in_page(gpa) < offset_in_page(gva))
		gva += PAGE_SIZE;
	return (gva & PAGE_MASK) | offset_in_page(gpa);
}

void __kvm_track_written(struct kvm_vcpu *vcpu, gpa_t gpa, const void *val,
			 int bytes)
{
	if (kvm_track_modes(vcpu, gpa_to_gfn(gpa)) &
	    BIT(KVM_TRACK_MODE_WRITE))
		kvm_track_tell_write(vcpu, gpa, gva_of(vcpu, gpa), val, bytes);
}

/*
 * Of an instruction that is unknown to the emulator nobody can say what it would
 * have done. To inject #UD, as KVM does to user mode, would be a lie.
 */
bool __kvm_track_failed(struct kvm_vcpu *vcpu, int emulation_type, int *ret)
{
	if (__kvm_track_retry(vcpu, ret))
		return true;
	if (!vcpu->arch.track.faulted || emulation_type & EMULTYPE_SKIP ||
	    vcpu->arch.emulate_ctxt->have_exception)
		return false;
	if (!kvm_track_ask_unhandled(vcpu)) {
		*ret = kvm_track_go_on(vcpu);
		return true;
	}
	kvm_prepare_emulation_failure_exit(vcpu);
	*ret = 0;
	return true;
}

bool __kvm_track_retry(struct kvm_vcpu *vcpu, int *ret)
{
	if (!vcpu->arch.track.retry)
		return false;
	vcpu->arch.track.retry = false;
	/* What the emulator has in its copy of the registers must not get out. */
	vcpu->arch.emulate_regs_need_sync_to_vcpu = false;
	/* Nor a store that it has made before to a device. */
	vcpu->mmio_needed = false;
	*ret = kvm_track_go_on(vcpu);
	return true;
}
