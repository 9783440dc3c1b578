// SPDX-License-Identifier: GPL-2.0-only
/* `bulkhead watch`: see watch.h and bulkhead-watch(1). */
#include <errno.h>
#include <stdint.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "watch.h"

#define AT_ONCE		1024	/* events between two looks around */
#define DRAW_SECONDS	0.5
#define RELEASE_SECONDS	0.1

/* Why it ended. */
enum end {
	END_NOT, END_TIME, END_EVENTS, END_SIGNAL, END_STOPPED, END_VM,
	END_FAILED,
};

double watch_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void name_place(void *arg, uint64_t gpa, char *text, size_t size)
{
	tell_place(arg, gpa, text, size);
}

static void draw_heat(struct watch *w)
{
	/* In the place of the last one. */
	if (w->heat_lines)
		printf("\033[%uF", w->heat_lines);
	w->heat_lines = heat_text(&w->heat, stdout, w->options.color, name_place,
				  &w->image);
	fflush(stdout);
	w->drawn = watch_now();
}

#define START_JSON \
	"\"time\": %jd, \"pid\": %d, \"vm\": %u, \"pages\": %ju"

static void announce(const struct watch *w)
{
	uint64_t pages = 0;
	size_t i;

	for (i = 0; i < w->nr_pages; i++)
		pages += w->pages[i].npages;
	if (w->options.json)
		printf("{\"type\": \"start\", " START_JSON "}\n",
		       (intmax_t)time(NULL), w->options.pid, w->options.vm,
		       pages);
	else
		fprintf(stderr, "Watching %ju pages of VM %u of process %d\n",
			pages, w->options.vm, w->options.pid);
	fflush(stdout);
}

static const char *const endings[] = {
	[END_TIME] = "the time is over",
	[END_EVENTS] = "all accesses asked for",
	[END_SIGNAL] = "interrupted",
	[END_STOPPED] = "the VM has been stopped",
	[END_VM] = "the process of the VM has ended",
	[END_FAILED] = "failed",
};

#define COUNTS_JSON \
	"\"accesses\": %ju, \"refused\": %ju, \"lost\": %ju"

static void summarize(const struct watch *w, enum end end)
{
	if (w->options.json)
		printf("{\"type\": \"end\", \"why\": \"%s\", " COUNTS_JSON "}\n",
		       endings[end], w->accesses, w->refused, w->lost);
	else
		fprintf(stderr, "%ju accesses, %ju refused, %ju lost: %s\n",
			w->accesses, w->refused, w->lost, endings[end]);
	fflush(stdout);
}

/*
 * Takes what there is, but not forever if more comes meanwhile; the last answer is
 * left for who waits next.
 */
static enum end take_events(struct watch *w)
{
	struct bulkhead_track_event event;
	unsigned int i;

	for (i = 0; i < AT_ONCE && bulkhead_track_next(&w->track, &event); i++) {
		if (watch_answer(w, false) || watch_event(w, &event))
			return END_FAILED;
		if (w->stopped)
			return END_STOPPED;
		if (w->options.events && w->accesses >= w->options.events)
			return END_EVENTS;
	}
	return fflush(stdout) || ferror(stdout) ? END_SIGNAL : END_NOT;
}

static enum end tick(struct watch *w)
{
	double now = watch_now();

	if (w->released && now - w->released_at >= RELEASE_SECONDS &&
	    watch_again(w))
		return END_FAILED;
	if (w->options.heat && w->options.color &&
	    now - w->drawn >= DRAW_SECONDS)
		draw_heat(w);
	if (w->options.seconds && now - w->start >= w->options.seconds)
		return END_TIME;
	return END_NOT;
}

/* What comes with time, and neither with an event nor a signal. */
static enum end look_around(struct watch *w)
{
	struct pollfd vm = { .fd = w->pidfd, .events = POLLIN };

	if (poll(&vm, 1, 0) > 0)
		return END_VM;
	/* Nobody but the kernel ends a watcher that is open. */
	if (bulkhead_track_wait(&w->track, 0) == -EIO) {
		complain("nothing is watched any more: no answer for %g s; see --timeout",
			 w->options.timeout);
		return END_FAILED;
	}
	return tick(w);
}

static enum end one_round(struct watch *w)
{
	enum end end;

	if (watch_answer(w, true))
		return END_FAILED;
	end = take_events(w);
	if (end)
		return end;
	if (watch_interrupted())
		return END_SIGNAL;
	return watch_ticked() ? look_around(w) : END_NOT;
}

/* With --stop a guest must not run unwatched because something went wrong here. */
static bool in_peace(const struct watch *w, enum end end)
{
	return end != END_STOPPED && !(end == END_FAILED && w->options.stop);
}

/*
 * In peace nothing is watched any more, and who waits goes on with the end of the
 * watcher. Otherwise its end stops the VM.
 */
static void release_all(struct watch *w, enum end end)
{
	size_t i;

	/* What has been told to be refused must not happen after all. */
	watch_answer(w, false);
	for (i = 0; in_peace(w, end) && i < w->nr_pages; i++) {
		struct bulkhead_track_range none = { .gfn = w->pages[i].gfn,
			.npages = w->pages[i].npages };

		bulkhead_track_set(w->track.fd, &none, 1);
	}
	w->lost = bulkhead_track_lost(&w->track);
	bulkhead_track_close(&w->track);
	close(w->pidfd);
}

static bool write_heat(struct watch *w)
{
	char title[128];
	int err;

	snprintf(title, sizeof(title), "Accesses to memory of VM %u of process %d",
		 w->options.vm, w->options.pid);
	if (w->svg.file)
		heat_svg(&w->heat, w->svg.file, title, name_place, &w->image);
	if (w->html.file)
		heat_html(&w->heat, w->html.file, title, name_place, &w->image);
	err = output_commit(&w->svg);
	if (err)
		complain("%s: %s", w->options.svg, strerror(-err));
	if (!err) {
		err = output_commit(&w->html);
		if (err)
			complain("%s: %s", w->options.html, strerror(-err));
	}
	output_drop(&w->html);
	return !err;
}

int watch_main(int argc, char **argv)
{
	static struct watch watch;
	int status = options_parse(&watch.options, argc, argv);
	enum end end = END_NOT;

	if (status >= 0)
		return status;
	if (watch_setup(&watch))
		return STATUS_FAILED;
	announce(&watch);
	while (!end)
		end = one_round(&watch);
	release_all(&watch, end);
	if (watch.options.heat)
		draw_heat(&watch);
	if (!write_heat(&watch))
		end = END_FAILED;
	summarize(&watch, end);
	symbols_free(&watch.symbols);
	if (end == END_FAILED)
		return STATUS_FAILED;
	return watch.refused ? STATUS_CAUGHT : STATUS_DONE;
}
