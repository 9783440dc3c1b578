// SPDX-License-Identifier: GPL-2.0-only
/*
 * Questions to the VMM, in the thread of the vCPU that asks: KVM_RUN ends, and the
 * next one takes the answer, as with a device that the VMM emulates.
 *
 * The access is refused meanwhile, as by any node that says no, so nothing is left
 * half done and nothing waits. With the answer the instruction is executed again, and
 * the access that was asked for finds it.
 */
#include <linux/kvm_host.h>

#include "kvm_cache_regs.h"
#include "track_watch.h"
#include "x86.h"

/* The VMM can write there at any time. */
static struct kvm_track_exit *shared(struct kvm_vcpu *vcpu)
{
	BUILD_BUG_ON(sizeof(struct kvm_track_exit) > sizeof(vcpu->run->padding));
	return (struct kvm_track_exit *)vcpu->run->padding;
}

static struct kvm_track_execution execution_of(struct kvm_vcpu *vcpu)
{
	return (struct kvm_track_execution) {
		.rip = kvm_rip_read(vcpu),
		.rcx = kvm_rcx_read(vcpu),
		.rsp = kvm_rsp_read(vcpu),
		.cr3 = kvm_read_cr3(vcpu),
		.mode = vcpu->arch.hflags,
		.generation = atomic64_read(&vcpu->kvm->arch.track->generation),
	};
}

static struct kvm_track_said access_of(const struct kvm_track_event *event)
{
	struct kvm_track_said access = {
		.gpa = event->gpa,
		.access = event->access,
		.len = event->len,
	};

	memcpy(access.data, event->data, sizeof(access.data));
	return access;
}

/* Each execution of an instruction ends with the first access nothing is said of. */
static void put_question(struct kvm_vcpu *vcpu,
			 const struct kvm_track_event *event, u32 declared)
{
	struct kvm_track_question *question = &vcpu->arch.track.question;
	struct kvm_track_exit *exit = shared(vcpu);

	if (question->asks)
		return;
	question->asks = true;
	question->access = access_of(event);
	question->of = execution_of(vcpu);
	*exit = (struct kvm_track_exit) {
		.gpa = event->gpa,
		.gva = event->gva,
		.access = event->access,
		.flags = event->flags,
		.len = event->len,
		.action = declared,
	};
	memcpy(exit->data, event->data, sizeof(exit->data));
}

/* What has been said of an access, and the @data for it; else it is asked for. */
u32 track_exit_ask(struct kvm_vcpu *vcpu, const struct kvm_track_event *event,
		   u32 declared, u8 *data)
{
	const struct kvm_track_said access = access_of(event), *said;

	said = kvm_track_replay_use(&vcpu->arch.track.replay, &access);
	if (!said) {
		put_question(vcpu, event, declared);
		return KVM_TRACK_RETRY;
	}
	memcpy(data, said->data, sizeof(said->data));
	return said->action;
}

/*
 * The guest may have changed its tables, and the vCPU has not been told yet. With
 * steal time it is told by a flag in the guest's memory.
 */
static bool has_old_translations(struct kvm_vcpu *vcpu)
{
	return kvm_test_request(KVM_REQ_TLB_FLUSH, vcpu) ||
	       kvm_test_request(KVM_REQ_TLB_FLUSH_CURRENT, vcpu) ||
	       kvm_test_request(KVM_REQ_TLB_FLUSH_GUEST, vcpu) ||
	       kvm_test_request(KVM_REQ_HV_TLB_FLUSH, vcpu) ||
	       kvm_test_request(KVM_REQ_MMU_SYNC, vcpu) ||
	       vcpu->arch.st.msr_val & KVM_MSR_ENABLED;
}

/*
 * What the guest would do at once, without going there: the instruction that is not
 * finished is emulated anew, from the bytes that are known of it, at the address that
 * faulted. Not if anything may have become of that meanwhile: other registers, other
 * translations, an event to deliver. Nor for what was no access to the operand: then
 * the bytes, or the address, are not known.
 */
static int execute_again(struct kvm_vcpu *vcpu)
{
	const struct fetch_cache *fetch = &vcpu->arch.emulate_ctxt->fetch;
	const struct kvm_vcpu_track *track = &vcpu->arch.track;
	u8 bytes[sizeof(fetch->data)];
	int len = fetch->end - fetch->data;

	if (!track->faulted || track->question.access.access == KVM_TRACK_EXEC ||
	    track->error_code & (PFERR_FETCH_MASK | PFERR_GUEST_PAGE_MASK) ||
	    vcpu->arch.emulate_regs_need_sync_from_vcpu ||
	    has_old_translations(vcpu) || kvm_is_exception_pending(vcpu) ||
	    kvm_event_needs_reinjection(vcpu))
		return 1;
	memcpy(bytes, fetch->data, len);
	return x86_emulate_instruction(vcpu, track->address, EMULTYPE_PF, bytes,
				       len);
}

/* Has the VMM made the vCPU go elsewhere? */
static bool has_left(const struct kvm_track_execution *then,
		     const struct kvm_track_execution *now)
{
	return then->rip != now->rip || then->cr3 != now->cr3 ||
	       then->mode != now->mode;
}

/* Begins KVM_RUN, and returns as it does. An answer that is wrong can be put right. */
static int complete_question(struct kvm_vcpu *vcpu)
{
	/*
	 * What the VMM has set to be watched before it answers is older than the
	 * answer; and an instruction with REP has gone on to the iteration that asked.
	 */
	const struct kvm_track_execution now = execution_of(vcpu);
	struct kvm_track_question *question = &vcpu->arch.track.question;
	struct kvm_track_said *said = &question->access;

	said->action = READ_ONCE(shared(vcpu)->action);
	if (!track_action_fits(said->action, said->access, said->len)) {
		vcpu->arch.complete_userspace_io = complete_question;
		return -EINVAL;
	}
	/* Refused, it is not executed again because of what has been said. */
	if (said->action == KVM_TRACK_RETRY || has_left(&question->of, &now))
		return 1;
	if (said->action == KVM_TRACK_SUPPLY)
		memcpy(said->data, shared(vcpu)->data, sizeof(said->data));
	if (!kvm_track_replay_say(&vcpu->arch.track.replay, &now, said))
		return -E2BIG;
	return execute_again(vcpu);
}

/* After a no: 1, the guest goes on; or 0, the VMM is asked first. */
int kvm_track_go_on(struct kvm_vcpu *vcpu)
{
	if (!vcpu->arch.track.question.asks)
		return 1;
	vcpu->arch.track.question.asks = false;
	vcpu->run->exit_reason = KVM_EXIT_TRACK;
	vcpu->arch.complete_userspace_io = complete_question;
	return 0;
}

/* Context: as all of this file, the vCPU's thread, in kvm->srcu. */
void __kvm_track_replay(struct kvm_vcpu *vcpu)
{
	const struct kvm_track_execution of = execution_of(vcpu);

	kvm_track_replay_begin(&vcpu->arch.track.replay, &of);
}
