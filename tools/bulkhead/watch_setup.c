// SPDX-License-Identifier: GPL-2.0-only
/* What `bulkhead watch` does before the first event: see watch.h. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "attach.h"
#include "watch.h"

#define RING_EVENTS	8192

/* What there is to do about an error. */
struct advice {
	int err;
	const char *what;
};

static const char *advice(const struct advice *list, int err)
{
	for (; list->what; list++)
		if (list->err == err)
			return list->what;
	return strerror(-err);
}

/* --kaslr-offset: how far the kernel is from where its System.map says. */
static int shift_symbols(struct watch *w)
{
	const char *text = w->options.kaslr, *equals;
	uint64_t start, end, number;
	char name[128], *rest;

	if (!text)
		return 0;
	equals = strchr(text, '=');
	errno = 0;
	number = strtoull(equals ? equals + 1 : text, &rest, 0);
	if (errno || *rest || rest == text) {
		complain("--kaslr-offset: '%s' is neither a number nor SYMBOL=NUMBER",
			 text);
		return -EINVAL;
	}
	if (equals) {
		snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
		if (!symbols_find(&w->symbols, name, &start, &end)) {
			complain("--kaslr-offset: %s has no symbol '%s'",
				 w->options.map, name);
			return -EINVAL;
		}
		number -= start;
	}
	w->symbols.shift = number;
	return 0;
}

static int load_map(struct watch *w)
{
	const char *path = w->options.map;
	unsigned int line;
	FILE *file;
	int err;

	if (!path)
		return 0;
	file = fopen(path, "re");
	if (!file) {
		complain("%s: %s: give the System.map of the guest's kernel", path,
			 strerror(errno));
		return -errno;
	}
	err = symbols_read(&w->symbols, file, &line);
	fclose(file);
	if (err == -EINVAL)
		complain("%s: line %u is not 'ADDRESS TYPE NAME': is it a System.map?",
			 path, line);
	else if (err)
		complain("%s: %s", path, strerror(-err));
	if (!err)
		err = shift_symbols(w);
	if (err)
		return err;
	if (!image_init(&w->image, &w->symbols, w->options.text_gpa)) {
		complain("%s: no _text before _end: this is no System.map of a kernel",
			 path);
		return -EINVAL;
	}
	return 0;
}

static int add_range(struct watch *w, const struct wanted *wanted)
{
	struct range range;
	const char *wrong;

	wrong = range_parse(&range, wanted->text, &w->image,
			    BULKHEAD_TRACK_WRITE);
	if (!wrong && wanted->protect && range.access != BULKHEAD_TRACK_WRITE)
		wrong = "is to be protected, which is from writes";
	/* A kernel that was moved was moved in physical memory, too. */
	if (!wrong && w->symbols.shift && !w->options.has_text_gpa &&
	    !strstr(wanted->text, "gpa:"))
		wrong = "has moved: give 'Kernel code' of its /proc/iomem as --text-gpa";
	if (wrong) {
		complain("'%s' %s", wanted->text, wrong);
		return -EINVAL;
	}
	range.protect = wanted->protect;
	ranges_add(&w->ranges, &range);
	return 0;
}

static int add_ranges(struct watch *w)
{
	uint64_t start, end;
	size_t i;
	int err = 0;

	for (i = 0; !err && i < w->options.nr_wanted; i++)
		err = add_range(w, &w->options.wanted[i]);
	for (i = 0; !err && i < w->options.nr_allowed; i++) {
		const char *name = w->options.allowed[i];

		if (symbols_find(&w->symbols, name, &start, &end))
			continue;
		complain("--allow: %s has no symbol '%s'", w->options.map, name);
		err = -EINVAL;
	}
	w->ranges.log = w->options.log;
	w->nr_pages = ranges_pages(&w->ranges, w->pages);
	return err;
}

static int open_track(struct watch *w, int vm)
{
	static const struct advice advices[] = {
		{ -ENOTTY, "no page tracking: boot a kernel with CONFIG_KVM_TRACK" },
		{ -EINVAL, "other version of page tracking: take this kernel's bulkhead" },
		{ -EIO, "stopped, or not allowed: run it as root" },
		{ }
	};
	struct bulkhead_track_options options = {
		.flags = (w->options.registers ? BULKHEAD_TRACK_REGISTERS : 0) |
			 (w->options.stop ? BULKHEAD_TRACK_STOP : 0),
		.nr_events = RING_EVENTS,
		.batch = w->options.log ? RING_EVENTS / 8 : 1,
		.timeout_ms = w->options.timeout * 1000,
	};
	int err = bulkhead_track_open(&w->track, vm, &options);

	if (err)
		complain("VM %u of process %d: %s", w->options.vm,
			 w->options.pid, advice(advices, err));
	return err;
}

static int attach(struct watch *w)
{
	static const struct advice advices[] = {
		{ -ESRCH, "there is no such process" },
		{ -EPERM, "not allowed: run it as root" },
		{ -EACCES, "not allowed: run it as root" },
		{ -ENOSYS, "this kernel has no pidfd_getfd(): boot Linux 5.6 or later" },
		{ }
	};
	unsigned int nr;
	int vm, err;

	vm = attach_vm(w->options.pid, w->options.vm, &nr, &w->pidfd);
	if (vm == -ENOENT)
		complain("process %d has %u VMs: give the PID of QEMU, and --vm from 0",
			 w->options.pid, nr);
	else if (vm < 0)
		complain("process %d: %s", w->options.pid, advice(advices, vm));
	if (vm < 0)
		return vm;
	err = open_track(w, vm);
	/* The watcher keeps the VM, this would keep more of it. */
	close(vm);
	if (err)
		close(w->pidfd);
	return err;
}

static bool interrupted, ticked;

static void note_signal(int signal)
{
	__atomic_store_n(signal == SIGALRM ? &ticked : &interrupted, true,
			 __ATOMIC_RELAXED);
}

bool watch_interrupted(void)
{
	return __atomic_load_n(&interrupted, __ATOMIC_RELAXED);
}

bool watch_ticked(void)
{
	return __atomic_exchange_n(&ticked, false, __ATOMIC_RELAXED);
}

/*
 * One that comes just before the tool begins to wait is seen with the next tick.
 * Waiting for events ends with any of them all the same; output goes on.
 */
static int watch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM };
	const struct itimerval tick = {
		.it_value.tv_usec = WATCH_TICK_MS * 1000,
		.it_interval.tv_usec = WATCH_TICK_MS * 1000,
	};
	struct sigaction action = { .sa_handler = note_signal,
		.sa_flags = SA_RESTART };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return setitimer(ITIMER_REAL, &tick, NULL) ? -errno : 0;
}

static int set_pages(struct watch *w)
{
	static const struct advice advices[] = {
		{ -E2BIG, "more than 64 GiB in one range: name what matters" },
		{ -EINVAL, "the guest cannot have such addresses" },
		{ -EOPNOTSUPP, "private memory cannot be watched" },
		{ -EIO, "the VM is over" },
		{ }
	};
	int err = bulkhead_track_set(w->track.fd, w->pages, w->nr_pages);

	if (err)
		complain("process %d: %s", w->options.pid, advice(advices, err));
	return err;
}

static int open_outputs(struct watch *w)
{
	const char *path = w->options.svg;
	int err = output_open(&w->svg, path);

	if (!err) {
		path = w->options.html;
		err = output_open(&w->html, path);
	}
	if (err) {
		complain("%s: %s", path, strerror(-err));
		output_drop(&w->svg);
	}
	return err;
}

int watch_setup(struct watch *w)
{
	int err = load_map(w);

	if (!err)
		err = add_ranges(w);
	if (!err)
		err = open_outputs(w);
	if (err)
		return err;
	w->teller = (struct teller){ .out = stdout, .image = &w->image,
		.color = w->options.color, .registers = w->options.registers };
	heat_init(&w->heat, w->pages, w->nr_pages, w->options.interval);
	err = watch_signals();
	if (!err)
		err = attach(w);
	if (!err) {
		w->start = watch_now();
		err = set_pages(w);
		if (err)
			bulkhead_track_close(&w->track);
	}
	if (err) {
		output_drop(&w->svg);
		output_drop(&w->html);
	}
	return err;
}
