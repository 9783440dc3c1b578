// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nodes of page tracking: who is called, in which order, and what the answer
 * is when several are asked. Documentation/virt/kvm/page-track.rst.
 */
#include <linux/export.h>
#include <linux/kvm_host.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "track.h"

DEFINE_STATIC_KEY_FALSE(kvm_track_key);

static struct kvm_track *track_create(void)
{
	struct kvm_track *track = kzalloc(sizeof(*track), GFP_KERNEL_LOCAL);

	if (!track)
		return NULL;
	if (init_srcu_struct(&track->srcu)) {
		kfree(track);
		return NULL;
	}
	xa_init_flags(&track->pages, XA_FLAGS_ACCOUNT);
	INIT_LIST_HEAD(&track->nodes);
	mutex_init(&track->lock);
	/* What vCPUs remember begins with 0. */
	atomic64_set(&track->generation, 1);
	return track;
}

static void track_free(struct kvm_track *track)
{
	srcu_barrier(&track->srcu);
	cleanup_srcu_struct(&track->srcu);
	xa_destroy(&track->pages);
	kfree(track);
}

/* The VM is gone, and with it everybody who could have held a node. */
void __kvm_track_destroy(struct kvm *kvm)
{
	WARN_ON_ONCE(!list_empty(&kvm->arch.track->nodes));
	track_free(kvm->arch.track);
	kvm->arch.track = NULL;
}

static struct kvm_track *track_get(struct kvm *kvm)
{
	struct kvm_track *track, *other;

	/* What it points to is there: it is published by a cmpxchg() below. */
	track = smp_load_acquire(&kvm->arch.track);
	if (track)
		return track;
	track = track_create();
	if (!track)
		return NULL;
	other = cmpxchg(&kvm->arch.track, NULL, track);
	if (!other)
		return track;
	track_free(track);
	return other;
}

static void link_in_order(struct kvm_track *track, struct kvm_track_node *node)
{
	struct kvm_track_node *next;

	lockdep_assert_held(&track->lock);
	list_for_each_entry(next, &track->nodes, link)
		if (next->order > node->order)
			break;
	list_add_tail_rcu(&node->link, &next->link);
}

/**
 * kvm_track_register - have a node called for the tracked pages of a VM
 * @kvm: the VM; a reference is held until the node is unregistered
 * @node: the caller's, with the callbacks and the order filled in. Of nodes with
 *	  the same order the one registered first is called first.
 *
 * Context: process, no locks of KVM held.
 * Return: 0, or -ENOMEM.
 */
int kvm_track_register(struct kvm *kvm, struct kvm_track_node *node)
{
	struct kvm_track *track = track_get(kvm);

	if (!track)
		return -ENOMEM;
	kvm_get_kvm(kvm);
	mutex_lock(&track->lock);
	link_in_order(track, node);
	mutex_unlock(&track->lock);
	static_branch_inc(&kvm_track_key);
	return 0;
}
EXPORT_SYMBOL_GPL(kvm_track_register);

/*
 * The node is in no list any more, but may be in a callback until a grace period
 * of the VM's nodes has passed; so long the caller keeps the reference to @kvm.
 */
void kvm_track_unlink(struct kvm *kvm, struct kvm_track_node *node)
{
	struct kvm_track *track = kvm->arch.track;

	mutex_lock(&track->lock);
	list_del_rcu(&node->link);
	mutex_unlock(&track->lock);
	static_branch_dec(&kvm_track_key);
}

/**
 * kvm_track_unregister - undo kvm_track_register()
 * @kvm: the VM, which may go away in the course of this
 * @node: is in none of its callbacks any more on return. The pages it asked for
 *	  must have been removed, they would stay tracked.
 *
 * Context: process, not in a callback; waits for callbacks that sleep.
 */
void kvm_track_unregister(struct kvm *kvm, struct kvm_track_node *node)
{
	kvm_track_unlink(kvm, node);
	synchronize_srcu(&kvm->arch.track->srcu);
	kvm_put_kvm(kvm);
}
EXPORT_SYMBOL_GPL(kvm_track_unregister);

#define for_each_track_node(node, track)				\
	list_for_each_entry_srcu(node, &(track)->nodes, link,		\
				 srcu_read_lock_held(&(track)->srcu))

bool kvm_track_ask_read(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva, u8 *new,
			int bytes, bool *ready)
{
	struct kvm_track *track = vcpu->kvm->arch.track;
	struct kvm_track_node *node;
	bool yes = true;

	*ready = false;
	guard(srcu)(&track->srcu);
	for_each_track_node(node, track)
		if (node->preread)
			yes &= node->preread(node, vcpu, gpa, gva, new, bytes, ready);
	return yes;
}

bool kvm_track_ask_write(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva,
			 const u8 *new, int bytes, bool *drop)
{
	struct kvm_track *track = vcpu->kvm->arch.track;
	struct kvm_track_node *node;
	bool yes = true;

	*drop = false;
	guard(srcu)(&track->srcu);
	for_each_track_node(node, track)
		if (node->prewrite)
			yes &= node->prewrite(node, vcpu, gpa, gva, new, bytes, drop);
	return yes;
}

bool kvm_track_ask_exec(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva)
{
	struct kvm_track *track = vcpu->kvm->arch.track;
	struct kvm_track_node *node;
	bool yes = true;

	guard(srcu)(&track->srcu);
	for_each_track_node(node, track)
		if (node->preexec)
			yes &= node->preexec(node, vcpu, gpa, gva);
	return yes;
}

bool kvm_track_ask_unhandled(struct kvm_vcpu *vcpu)
{
	struct kvm_track *track = vcpu->kvm->arch.track;
	struct kvm_vcpu_track *fault = &vcpu->arch.track;
	struct kvm_track_node *node;
	bool yes = true;

	guard(srcu)(&track->srcu);
	for_each_track_node(node, track)
		if (node->unhandled)
			yes &= node->unhandled(node, vcpu, fault->gpa, fault->mode);
	return yes;
}

void kvm_track_tell_write(struct kvm_vcpu *vcpu, gpa_t gpa, gva_t gva,
			  const u8 *new, int bytes)
{
	struct kvm_track *track = vcpu->kvm->arch.track;
	struct kvm_track_node *node;

	guard(srcu)(&track->srcu);
	for_each_track_node(node, track)
		if (node->write)
			node->write(node, vcpu, gpa, gva, new, bytes);
}

void kvm_track_tell_walk(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_track *track = vcpu->kvm->arch.track;
	struct kvm_track_node *node;

	guard(srcu)(&track->srcu);
	for_each_track_node(node, track)
		if (node->walk)
			node->walk(node, vcpu, gpa);
}

/* Before the guest can see the slot, so that no access to it can be missed. */
void __kvm_track_create_slot(struct kvm *kvm, struct kvm_memory_slot *slot,
			     unsigned long npages)
{
	struct kvm_track *track = kvm->arch.track;
	struct kvm_track_node *node;

	guard(srcu)(&track->srcu);
	for_each_track_node(node, track)
		if (node->create_slot)
			node->create_slot(node, kvm, slot, npages);
}

void __kvm_track_delete_slot(struct kvm *kvm, struct kvm_memory_slot *slot)
{
	struct kvm_track *track = kvm->arch.track;
	struct kvm_track_node *node;

	guard(srcu)(&track->srcu);
	for_each_track_node(node, track)
		if (node->remove_region)
			node->remove_region(node, slot->base_gfn, slot->npages);
}
