// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of a watcher, and the vCPUs that wait for its answers.
 *
 * A vCPU waits in its own thread, out of kvm->srcu, so that slots can change
 * meanwhile, and interruptibly, so that a signal gets it out of KVM_RUN: the
 * access has not happened then, the question is withdrawn, and the instruction is
 * executed from its beginning when the vCPU runs again.
 */
#include <linux/kvm_host.h>
#include <linux/poll.h>
#include <asm/asi.h>

#include "kvm_cache_regs.h"
#include "track_watch.h"

/* A question, on the stack of who asks. */
struct track_wait {
	struct list_head link;
	struct completion done;
	u64 id;
	u32 access;
	u32 len;
	struct kvm_track_answer answer;
};

static void save_registers(struct kvm_vcpu *vcpu, struct kvm_track_registers *to)
{
	u64 *reg[] = {
		&to->rax, &to->rcx, &to->rdx, &to->rbx, &to->rsp, &to->rbp,
		&to->rsi, &to->rdi, &to->r8, &to->r9, &to->r10, &to->r11,
		&to->r12, &to->r13, &to->r14, &to->r15,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reg); i++)
		*reg[i] = kvm_register_read_raw(vcpu, i);
	to->rflags = kvm_get_rflags(vcpu);
	to->cr3 = kvm_read_cr3(vcpu);
}

static void fill_event(struct track_watch *watch, struct kvm_vcpu *vcpu,
		       struct kvm_track_event *event, const u8 *data)
{
	event->vcpu_id = vcpu->vcpu_id;
	event->rip = kvm_rip_read(vcpu);
	if (data)
		memcpy(event->data, data,
		       min_t(u32, event->len, KVM_TRACK_DATA_BYTES));
	if (watch->ring.registers)
		save_registers(vcpu, &event->regs);
}

/* Adds the event, and the question if there is one. */
static bool put_event(struct track_watch *watch, struct kvm_track_event *event,
		      struct track_wait *wait)
{
	lockdep_assert_held(&watch->ring_lock);
	event->id = watch->ring.head;
	if (!track_ring_put(&watch->ring, event))
		return false;
	if (wait) {
		wait->id = event->id;
		list_add_tail(&wait->link, &watch->waits);
	}
	return true;
}

/* A watcher that is over answers at once, with what it has declared. */
static bool put_or_finish(struct track_watch *watch,
			  struct kvm_track_event *event,
			  struct track_wait *wait)
{
	if (!watch->over)
		return put_event(watch, event, wait);
	if (wait)
		complete(&wait->done);
	return true;
}

/* False if there is no room: the caller is counted as blocked then. */
static bool post(struct track_watch *watch, struct kvm_track_event *event,
		 struct track_wait *wait)
{
	bool posted, wakes, broken;

	spin_lock(&watch->ring_lock);
	posted = put_or_finish(watch, event, wait);
	wakes = track_ring_wakes(&watch->ring) || !posted;
	broken = watch->ring.broken && !watch->over;
	if (!posted && wait)
		WRITE_ONCE(watch->ring.shared->blocked, ++watch->blocked);
	spin_unlock(&watch->ring_lock);

	if (wakes && wq_has_sleeper(&watch->readers)) {
		/* Who sleeps does so on a stack of its own: leave without a fault. */
		asi_exit(ASI_EXIT_EXPLICIT);
		wake_up_interruptible_poll(&watch->readers, EPOLLIN);
	}
	if (broken)
		track_watch_fail(watch);
	return posted || !wait;
}

static void unblock(struct track_watch *watch)
{
	spin_lock(&watch->ring_lock);
	WRITE_ONCE(watch->ring.shared->blocked, --watch->blocked);
	spin_unlock(&watch->ring_lock);
}

static bool has_room(struct track_watch *watch)
{
	bool room;

	spin_lock(&watch->ring_lock);
	room = watch->over || watch->ring.broken ||
	       track_ring_room(&watch->ring);
	spin_unlock(&watch->ring_lock);
	return room;
}

static long patience(const struct track_watch *watch)
{
	if (!watch->timeout_ms)
		return MAX_SCHEDULE_TIMEOUT;
	return msecs_to_jiffies(watch->timeout_ms);
}

/* 0: it is there; otherwise as wait_for_completion_interruptible_timeout(). */
static long post_question(struct track_watch *watch,
			  struct kvm_track_event *event,
			  struct track_wait *wait)
{
	long left;

	while (!post(watch, event, wait)) {
		left = wait_event_interruptible_timeout(watch->room,
							has_room(watch),
							patience(watch));
		unblock(watch);
		if (left < 0)
			return left;
		if (!left)
			return -ETIMEDOUT;
	}
	return 0;
}

static long await_answer(struct track_watch *watch, struct track_wait *wait)
{
	long left = wait_for_completion_interruptible_timeout(&wait->done,
							      patience(watch));

	spin_lock(&watch->ring_lock);
	/* Nobody may answer what is about to leave the stack. */
	if (!list_empty(&wait->link))
		list_del_init(&wait->link);
	spin_unlock(&watch->ring_lock);
	if (completion_done(&wait->done))
		return 0;
	return left ?: -ETIMEDOUT;
}

/*
 * Returns what to do, an action of the UAPI. A watcher that lets its time run
 * out is over; whether the guest goes on without it is what it has declared.
 */
static u32 ask(struct track_watch *watch, struct kvm_vcpu *vcpu,
	       struct kvm_track_event *event, struct track_wait *wait)
{
	u32 declared = watch->stops ? KVM_TRACK_RETRY : KVM_TRACK_CONTINUE;
	long err;

	if (watch->exits)
		return READ_ONCE(watch->over) ? declared :
		       track_exit_ask(vcpu, event, declared, wait->answer.data);
	init_completion(&wait->done);
	INIT_LIST_HEAD(&wait->link);
	wait->access = event->access;
	wait->len = event->len;
	wait->answer = (struct kvm_track_answer){
		.action = declared,
	};
	kvm_vcpu_srcu_read_unlock(vcpu);
	err = post_question(watch, event, wait);
	if (!err)
		err = await_answer(watch, wait);
	if (err == -ETIMEDOUT)
		track_watch_fail(watch);
	kvm_vcpu_srcu_read_lock(vcpu);
	return err == -ERESTARTSYS ? KVM_TRACK_RETRY : wait->answer.action;
}

/*
 * Is the event for the watcher? An access that KVM cannot emulate may be of another
 * kind than it wants to hear of: where reads are tracked, all are emulated. The
 * guest cannot go on with it, and only who tracks the page can do something.
 */
static bool wants(unsigned int access, const struct kvm_track_event *event)
{
	if (event->flags & KVM_TRACK_UNHANDLED)
		return access;
	return access & event->access;
}

/* Tells the watcher of an access, and asks it if it wants to be asked. */
static u32 tell(struct track_watch *watch, struct kvm_vcpu *vcpu,
		struct kvm_track_event *event, const u8 *data,
		struct track_wait *wait)
{
	unsigned int access = track_watch_access(watch, vcpu,
						 gpa_to_gfn(event->gpa));

	if (!wants(access, event))
		return KVM_TRACK_CONTINUE;
	fill_event(watch, vcpu, event, data);
	if (wait && !(access & WATCH_LOG)) {
		event->flags |= KVM_TRACK_WAITS;
		return ask(watch, vcpu, event, wait);
	}
	post(watch, event, NULL);
	return KVM_TRACK_CONTINUE;
}

/* All but registers, which are copied only when all of them have been saved. */
static void begin_event(struct kvm_track_event *event, u32 access, gpa_t gpa,
			gva_t gva, u32 len)
{
	memset(event, 0, offsetof(struct kvm_track_event, regs));
	event->access = access;
	event->gpa = gpa;
	event->gva = gva;
	event->len = len;
}

static struct track_watch *to_watch(struct kvm_track_node *node)
{
	return container_of(node, struct track_watch, node);
}

static bool watch_preread(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			  gpa_t gpa, gva_t gva, u8 *new, int bytes, bool *ready)
{
	struct kvm_track_event event;
	struct track_wait wait;
	u32 action;

	begin_event(&event, KVM_TRACK_READ, gpa, gva, bytes);
	action = tell(to_watch(node), vcpu, &event, NULL, &wait);
	if (action == KVM_TRACK_SUPPLY) {
		memcpy(new, wait.answer.data, bytes);
		*ready = true;
	}
	return action != KVM_TRACK_RETRY;
}

static bool watch_prewrite(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			   gpa_t gpa, gva_t gva, const u8 *new, int bytes,
			   bool *drop)
{
	struct kvm_track_event event;
	struct track_wait wait;
	u32 action;

	begin_event(&event, KVM_TRACK_WRITE, gpa, gva, bytes);
	action = tell(to_watch(node), vcpu, &event, new, &wait);
	if (action == KVM_TRACK_SKIP)
		*drop = true;
	return action != KVM_TRACK_RETRY;
}

static void watch_write(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			gpa_t gpa, gva_t gva, const u8 *new, int bytes)
{
	struct kvm_track_event event;

	begin_event(&event, KVM_TRACK_WRITTEN, gpa, gva, bytes);
	tell(to_watch(node), vcpu, &event, new, NULL);
}

static bool watch_preexec(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			  gpa_t gpa, gva_t gva)
{
	struct kvm_track_event event;
	struct track_wait wait;

	begin_event(&event, KVM_TRACK_EXEC, gpa, gva, 0);
	return tell(to_watch(node), vcpu, &event, NULL, &wait) !=
	       KVM_TRACK_RETRY;
}

static void watch_walk(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
		       gpa_t gpa)
{
	struct kvm_track_event event;

	begin_event(&event, KVM_TRACK_WALK, gpa, ~0ULL, 0);
	tell(to_watch(node), vcpu, &event, NULL, NULL);
}

static bool watch_unhandled(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			    gpa_t gpa, enum kvm_track_mode mode)
{
	static const u32 access[KVM_TRACK_NR_MODES] = {
		[KVM_TRACK_MODE_PREREAD] = KVM_TRACK_READ,
		[KVM_TRACK_MODE_PREWRITE] = KVM_TRACK_WRITE,
		[KVM_TRACK_MODE_WRITE] = KVM_TRACK_WRITTEN,
		[KVM_TRACK_MODE_PREEXEC] = KVM_TRACK_EXEC,
	};
	struct kvm_track_event event;
	struct track_wait wait;

	begin_event(&event, access[mode], gpa, ~0ULL, 0);
	event.flags = KVM_TRACK_UNHANDLED;
	return tell(to_watch(node), vcpu, &event, NULL, &wait) !=
	       KVM_TRACK_RETRY;
}

void track_watch_set_callbacks(struct kvm_track_node *node)
{
	node->preread = watch_preread;
	node->prewrite = watch_prewrite;
	node->write = watch_write;
	node->preexec = watch_preexec;
	node->walk = watch_walk;
	node->unhandled = watch_unhandled;
}

/* Nobody is asked any more, and whoever waits goes on as was declared. */
void track_watch_over(struct track_watch *watch)
{
	struct track_wait *wait, *next;

	spin_lock(&watch->ring_lock);
	WRITE_ONCE(watch->over, true);
	list_for_each_entry_safe(wait, next, &watch->waits, link) {
		list_del_init(&wait->link);
		complete(&wait->done);
	}
	spin_unlock(&watch->ring_lock);
	wake_up_interruptible_all(&watch->room);
	wake_up_interruptible_poll(&watch->readers, EPOLLIN | EPOLLHUP);
}

/* Can it be done with an access of @len bytes, or 0 if nothing is known of it? */
bool track_action_fits(u32 action, u32 access, u32 len)
{
	switch (action) {
	case KVM_TRACK_CONTINUE:
	case KVM_TRACK_RETRY:
		return true;
	case KVM_TRACK_SUPPLY:
		return access == KVM_TRACK_READ && len &&
		       len <= KVM_TRACK_DATA_BYTES;
	case KVM_TRACK_SKIP:
		return access == KVM_TRACK_WRITE && len;
	default:
		return false;
	}
}

/* Does the answer fit the question, with as much data as it takes? */
static bool fits(const struct kvm_track_answer *answer,
		 const struct track_wait *wait)
{
	u32 len = answer->action == KVM_TRACK_SUPPLY ? wait->len : 0;

	return answer->len == len &&
	       track_action_fits(answer->action, wait->access, wait->len);
}

static struct track_wait *find_wait(struct track_watch *watch, u64 id)
{
	struct track_wait *wait;

	list_for_each_entry(wait, &watch->waits, link)
		if (wait->id == id)
			return wait;
	return NULL;
}

static int take_answer(struct track_watch *watch,
		       const struct kvm_track_answer *answer)
{
	struct track_wait *wait;
	int err = 0;

	spin_lock(&watch->ring_lock);
	wait = find_wait(watch, answer->id);
	if (!wait) {
		err = -ENOENT;
	} else if (!fits(answer, wait)) {
		err = -EINVAL;
	} else {
		wait->answer = *answer;
		list_del_init(&wait->link);
		complete(&wait->done);
	}
	spin_unlock(&watch->ring_lock);
	return err;
}

/* As poll() has it, for one that has nothing else to wait for. */
static int await_event(struct track_watch *watch)
{
	int err;

	err = wait_event_interruptible(watch->readers,
				       track_watch_state(watch));
	/* Not to be restarted: the answers have been taken. */
	return err ? -EINTR : 0;
}

/*
 * Takes answers until one is wrong: -ENOENT if nobody waits for it (any more),
 * -EINVAL if it does not fit the event, -EFAULT. With KVM_TRACK_AWAIT it then
 * waits until there is an event or the VM is gone, or for a signal: -EINTR. Returns
 * how many were right, or the error if none was.
 */
long track_watch_answer(struct track_watch *watch,
			const struct kvm_track_answers *answers)
{
	struct kvm_track_answer __user *from = u64_to_user_ptr(answers->answers);
	struct kvm_track_answer answer;
	u32 done;
	int err = 0;

	wake_up_interruptible_all(&watch->room);
	for (done = 0; !err && done < answers->nr; done += !err) {
		if (copy_from_user(&answer, &from[done], sizeof(answer)))
			err = -EFAULT;
		else
			err = take_answer(watch, &answer);
		cond_resched();
	}
	if (!err && answers->flags & KVM_TRACK_AWAIT)
		err = await_event(watch);
	return done ?: err;
}
