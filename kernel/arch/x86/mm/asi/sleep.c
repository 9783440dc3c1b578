// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers of sleeping threads.
 *
 * The timers of a CPU are a tree, and whoever adds or removes one touches its
 * neighbours: so does every tick. The timer of a thread that sleeps is on the
 * stack of that thread, which no other address space maps. While ASI is enabled
 * it is in global memory instead; there is nothing in it but pointers and times.
 */
#include <linux/asi_sleep.h>
#include <linux/init.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

static struct kmem_cache *sleepers;

/* For one sleep; NULL: the one on the stack must do. */
static struct hrtimer_sleeper *alloc_sleeper(void)
{
	/* The caller has said what it waits for: it must not sleep for memory. */
	return sleepers ? kmem_cache_alloc(sleepers, GFP_NOWAIT | __GFP_NOWARN) :
			  NULL;
}

static void copy_expiry(struct hrtimer *to, const struct hrtimer *from)
{
	to->_softexpires = from->_softexpires;
	to->node.expires = from->node.expires;
}

static void make_like(struct hrtimer_sleeper *t, const struct hrtimer *timer,
		      enum hrtimer_mode mode)
{
	if (timer->is_hard)
		mode |= HRTIMER_MODE_HARD;
	hrtimer_init_sleeper(t, timer->base->clockid, mode);
	copy_expiry(&t->timer, timer);
}

/**
 * asi_sleeper_get - a sleeper in global memory instead of one on the stack
 * @on_stack: set up for an absolute time, but not started; or NULL
 *
 * Context: any. Return: what to sleep with, for asi_sleeper_put(): @on_stack,
 * which is no longer needed otherwise, or another one.
 */
struct hrtimer_sleeper *asi_sleeper_get(struct hrtimer_sleeper *on_stack)
{
	struct hrtimer_sleeper *t = on_stack ? alloc_sleeper() : NULL;

	if (!t)
		return on_stack;
	make_like(t, &on_stack->timer, HRTIMER_MODE_ABS);
	destroy_hrtimer_on_stack(&on_stack->timer);
	return t;
}

/** asi_sleeper_put - done with a sleeper, which is cancelled */
void asi_sleeper_put(struct hrtimer_sleeper *t)
{
	if (object_is_on_stack(t))
		destroy_hrtimer_on_stack(&t->timer);
	else
		kmem_cache_free(sleepers, t);
}

/**
 * asi_schedule_hrtimeout - sleep until a time, with the timer in global memory
 * @expires: when, in nanoseconds; not 0
 * @delta: slack, in nanoseconds
 * @mode: of the timer
 * @clock_id: of the timer
 *
 * The rest of schedule_hrtimeout_range_clock(), while ASI is enabled.
 *
 * Context: the state of the task says what it waits for: nothing may sleep here
 * before schedule() does.
 * Return: 0 when the time has come, -EINTR if something else woke the task.
 */
int __sched asi_schedule_hrtimeout(ktime_t expires, u64 delta,
				   const enum hrtimer_mode mode,
				   clockid_t clock_id)
{
	struct hrtimer_sleeper on_stack, *t = alloc_sleeper();
	int ret;

	if (t) {
		hrtimer_init_sleeper(t, clock_id, mode);
	} else {
		t = &on_stack;
		hrtimer_init_sleeper_on_stack(t, clock_id, mode);
	}
	hrtimer_set_expires_range_ns(&t->timer, expires, delta);
	hrtimer_sleeper_start_expires(t, mode);
	if (likely(t->task))
		schedule();

	hrtimer_cancel(&t->timer);
	ret = t->task ? -EINTR : 0;
	asi_sleeper_put(t);
	__set_current_state(TASK_RUNNING);
	return ret;
}

/* Out of line half of asi_nanosleep(). The caller may want to know until when. */
int __sched __asi_nanosleep(asi_nanosleep_t nanosleep,
			    struct hrtimer_sleeper *on_stack,
			    enum hrtimer_mode mode)
{
	struct hrtimer_sleeper *t = alloc_sleeper();
	int ret;

	if (!t)
		return nanosleep(on_stack, mode);
	make_like(t, &on_stack->timer, mode);
	ret = nanosleep(t, mode);
	copy_expiry(&on_stack->timer, &t->timer);
	kmem_cache_free(sleepers, t);
	return ret;
}

static int __init asi_sleep_init(void)
{
	if (asi_enabled())
		sleepers = KMEM_CACHE(hrtimer_sleeper,
				      SLAB_GLOBAL_NONSENSITIVE);
	return 0;
}
core_initcall(asi_sleep_init);
