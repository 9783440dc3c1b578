/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Timers of sleeping threads: what schedule_hrtimeout_range_clock() calls.
 *
 * See arch/x86/mm/asi/sleep.c.
 */
#ifndef _LINUX_ASI_SLEEP_H
#define _LINUX_ASI_SLEEP_H

#include <linux/asi.h>
#include <linux/hrtimer.h>

#ifdef CONFIG_ASI

int asi_schedule_hrtimeout(ktime_t expires, u64 delta,
			   const enum hrtimer_mode mode, clockid_t clock_id);

struct hrtimer_sleeper *asi_sleeper_get(struct hrtimer_sleeper *on_stack);
void asi_sleeper_put(struct hrtimer_sleeper *t);

typedef int (*asi_nanosleep_t)(struct hrtimer_sleeper *, enum hrtimer_mode);

int __asi_nanosleep(asi_nanosleep_t nanosleep, struct hrtimer_sleeper *t,
		    enum hrtimer_mode mode);

/* Whether a sleeper's timer must not be on its stack. */
static __always_inline bool asi_sleeps(void)
{
	return asi_enabled();
}

/* Let @nanosleep sleep with a timer like the one on the stack. */
static __always_inline int asi_nanosleep(asi_nanosleep_t nanosleep,
					 struct hrtimer_sleeper *t,
					 enum hrtimer_mode mode)
{
	return asi_sleeps() ? __asi_nanosleep(nanosleep, t, mode) :
			      nanosleep(t, mode);
}

#else /* !CONFIG_ASI */

static inline int asi_schedule_hrtimeout(ktime_t expires, u64 delta,
					 const enum hrtimer_mode mode,
					 clockid_t clock_id)
{
	return -EINVAL;
}

static inline bool asi_sleeps(void)
{
	return false;
}

#define asi_nanosleep(nanosleep, t, mode)	nanosleep(t, mode)

static inline struct hrtimer_sleeper *
asi_sleeper_get(struct hrtimer_sleeper *on_stack)
{
	return on_stack;
}

static inline void asi_sleeper_put(struct hrtimer_sleeper *t)
{
	destroy_hrtimer_on_stack(&t->timer);
}

#endif /* CONFIG_ASI */
#endif /* _LINUX_ASI_SLEEP_H */
