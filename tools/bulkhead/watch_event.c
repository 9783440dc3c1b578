// SPDX-License-Identifier: GPL-2.0-only
/* One access: judged, told and answered. See watch.h. */
#include <errno.h>
#include <string.h>

#include "watch.h"

static bool allowed(const struct watch *w, uint64_t rip)
{
	uint64_t start, end;
	size_t i;

	for (i = 0; i < w->options.nr_allowed; i++)
		if (symbols_find(&w->symbols, w->options.allowed[i], &start,
				 &end) && rip >= start && rip < end)
			return true;
	return false;
}

/* A write to what is protected. */
static enum outcome judge_write(const struct watch *w,
				const struct bulkhead_track_event *event)
{
	if (allowed(w, event->rip))
		return OUTCOME_ALLOWED;
	if (w->options.stop)
		return OUTCOME_STOPPED;
	/* KVM cannot leave away what it does not understand. */
	if (event->flags & BULKHEAD_TRACK_UNHANDLED)
		return OUTCOME_UNHANDLED;
	return OUTCOME_SKIPPED;
}

static enum outcome judge(const struct watch *w, const struct range *range,
			  const struct bulkhead_track_event *event)
{
	if (!(event->flags & BULKHEAD_TRACK_WAITS))
		return OUTCOME_DONE;
	if (range && range->protect && event->access == BULKHEAD_TRACK_WRITE)
		return judge_write(w, event);
	if (event->flags & BULKHEAD_TRACK_UNHANDLED)
		return OUTCOME_RELEASED;
	return OUTCOME_DONE;
}

static bool is_refused(enum outcome outcome)
{
	return outcome == OUTCOME_SKIPPED || outcome == OUTCOME_STOPPED ||
	       outcome == OUTCOME_UNHANDLED;
}

static void tell(struct watch *w, const struct bulkhead_track_event *event,
		 enum outcome outcome)
{
	double when = watch_now() - w->start;
	bool refused = is_refused(outcome);

	w->accesses++;
	w->refused += refused;
	heat_add(&w->heat, when, event->gpa, refused);
	if ((w->options.quiet || w->options.heat) && !refused)
		return;
	if (w->options.json)
		tell_json(&w->teller, when, event, outcome);
	else if (!w->options.heat || !w->options.color)
		tell_text(&w->teller, when, event, outcome);
}

/*
 * The guest executes an instruction that KVM cannot emulate: the only way on is
 * not to watch that page. What is protected stays so.
 */
static int release(struct watch *w, const struct bulkhead_track_event *event,
		   const struct range *range)
{
	struct bulkhead_track_range page = { .gfn = event->gpa >> 12,
		.npages = 1 };

	if (range && range->protect)
		page.access = BULKHEAD_TRACK_WRITE;
	w->released = true;
	w->released_at = watch_now();
	return bulkhead_track_set(w->track.fd, &page, 1);
}

int watch_again(struct watch *w)
{
	w->released = false;
	return bulkhead_track_set(w->track.fd, w->pages, w->nr_pages);
}

static void answer(struct watch *w, const struct bulkhead_track_event *event,
		   enum outcome outcome)
{
	static const uint32_t actions[] = {
		[OUTCOME_DONE] = BULKHEAD_TRACK_CONTINUE,
		[OUTCOME_ALLOWED] = BULKHEAD_TRACK_CONTINUE,
		[OUTCOME_SKIPPED] = BULKHEAD_TRACK_SKIP,
		[OUTCOME_RELEASED] = BULKHEAD_TRACK_RETRY,
		[OUTCOME_UNHANDLED] = BULKHEAD_TRACK_CONTINUE,
	};

	w->answer = (struct bulkhead_track_answer){ .id = event->id,
		.action = actions[outcome] };
	w->answers = 1;
}

int watch_answer(struct watch *w, bool await)
{
	int ret;

	if (!await && !w->answers)
		return 0;
	if (await)
		ret = bulkhead_track_answer_await(w->track.fd, &w->answer,
						  w->answers);
	else
		ret = bulkhead_track_answer(w->track.fd, &w->answer,
					    w->answers);
	w->answers = 0;
	/*
	 * A signal to the vCPU has made it withdraw its question, and it will ask
	 * again; one to this process is for the caller.
	 */
	return ret >= 0 || ret == -ENOENT || ret == -EINTR ? 0 : ret;
}

int watch_event(struct watch *w, const struct bulkhead_track_event *event)
{
	const struct range *range = ranges_match(&w->ranges, event);
	enum outcome outcome = judge(w, range, event);
	int err = 0;

	if (range)
		tell(w, event, outcome);
	/* The question stays open: whoever closes the watcher fails the VM. */
	if (outcome == OUTCOME_STOPPED) {
		w->stopped = true;
		return 0;
	}
	if (!(event->flags & BULKHEAD_TRACK_WAITS))
		return 0;
	if (outcome == OUTCOME_RELEASED)
		err = release(w, event, range);
	if (!err)
		answer(w, event, outcome);
	return err;
}
