// SPDX-License-Identifier: GPL-2.0
/* See rmem_frames.h. An instance of the tracer of our own is read as it fills. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../fuzz/rmem_model.h"
#include "asi_stats.h"
#include "report.h"
#include "rmem_frames.h"
#include "tracefs.h"

#define TRACER		TRACEFS "/instances/restricted"
#define CORRUPT		"/sys/kernel/debug/hwpoison/corrupt-pfn"
#define REPAIR		"/sys/kernel/debug/hwpoison/unpoison-pfn"
#define SOFT_OFFLINE	"/sys/devices/system/memory/soft_offline_page"
#define FILES		(RMEM_HANDLES + RMEM_VMS * RMEM_SLOTS + 50)
#define FAILURES	256

struct file {
	uint64_t ino;
	uint64_t frame[RMEM_PAGES];	/* 0: none */
};

static struct {
	FILE *trace;
	struct file files[FILES];
	unsigned int next;		/* to be used for a file not seen yet */
	uint64_t failed[FAILURES];
	unsigned int failures;
} frames;

/* The oldest one makes room: files that exist are fewer. */
static struct file *file_of(uint64_t ino)
{
	struct file *file;

	for (file = frames.files; file < frames.files + FILES; file++)
		if (file->ino == ino)
			return file;
	file = &frames.files[frames.next++ % FILES];
	memset(file, 0, sizeof(*file));
	file->ino = ino;
	return file;
}

static void remember(uint64_t ino, uint64_t page, unsigned int order,
		     uint64_t frame)
{
	struct file *file = file_of(ino);
	uint64_t i;

	for (i = 0; i < 1UL << order && page + i < RMEM_PAGES; i++)
		file->frame[page + i] = frame + i;
}

static void forget(uint64_t ino, uint64_t page, uint64_t end)
{
	struct file *file = file_of(ino);

	for (; page < end && page < RMEM_PAGES; page++)
		file->frame[page] = 0;
}

static void read_line(const char *line)
{
	uint64_t ino, page, last;
	unsigned int order;
	const char *at;

	at = strstr(line, "restrictedmem_alloc: ");
	if (at && sscanf(at, "%*s ino %" SCNu64 " page %" SCNu64
			 " order %u frame %" SCNx64, &ino, &page, &order,
			 &last) == 4)
		remember(ino, page, order, last);
	at = strstr(line, "restrictedmem_punch: ");
	if (at && sscanf(at, "%*s ino %" SCNu64 " pages %" SCNu64 " to %" SCNu64,
			 &ino, &page, &last) == 3)
		forget(ino, page, last);
	at = strstr(line, "restrictedmem_error: ");
	if (at && sscanf(at, "%*s ino %" SCNu64 " page %" SCNu64, &ino,
			 &page) == 2)
		forget(ino, page, page + 1);
}

static void catch_up(void)
{
	char line[256];

	while (fgets(line, sizeof(line), frames.trace))
		read_line(line);
	clearerr(frames.trace);
}

uint64_t rmem_frame_of(int fd, uint64_t page)
{
	struct stat stat;

	catch_up();
	if (page >= RMEM_PAGES || fstat(fd, &stat))
		return 0;
	return file_of(stat.st_ino)->frame[page];
}

static int write_number(const char *path, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%#" PRIx64, number);
	return write_text(path, text);
}

int rmem_frame_fail(int fd, uint64_t page)
{
	uint64_t frame;

	if (fcntl(fd, F_GETFD) < 0)
		return -EBADF;
	frame = rmem_frame_of(fd, page);
	if (!frame)
		return -ENOENT;
	if (frames.failures < FAILURES)
		frames.failed[frames.failures++] = frame;
	return write_number(CORRUPT, frame);
}

int rmem_frame_offline(int fd, uint64_t page)
{
	uint64_t frame;

	if (fcntl(fd, F_GETFD) < 0)
		return -EBADF;
	frame = rmem_frame_of(fd, page);
	return frame ? write_number(SOFT_OFFLINE, frame * RMEM_PAGE) : -ENOENT;
}

void rmem_frames_reset(void)
{
	if (!frames.trace)
		return;
	catch_up();
	memset(frames.files, 0, sizeof(frames.files));
	while (frames.failures)
		write_number(REPAIR, frames.failed[--frames.failures]);
}

static bool start_tracer(void)
{
	if (!tracefs_mounted() || (mkdir(TRACER, 0700) && errno != EEXIST))
		return false;
	return !write_text(TRACER "/buffer_size_kb", "4096") &&
	       !write_text(TRACER "/events/restrictedmem/enable", "1");
}

bool rmem_frames_open(void)
{
	int fd;

	memset(&frames, 0, sizeof(frames));
	if (!can_write(CORRUPT) || !can_write(SOFT_OFFLINE) || !start_tracer())
		return false;
	fd = open(TRACER "/trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	frames.trace = fdopen(fd, "re");
	return frames.trace;
}

void rmem_frames_close(void)
{
	if (!frames.trace)
		return;
	rmem_frames_reset();
	fclose(frames.trace);
	frames.trace = NULL;
	rmdir(TRACER);
}
