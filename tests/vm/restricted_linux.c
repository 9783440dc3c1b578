// SPDX-License-Identifier: GPL-2.0
/*
 * restricted_linux [PAGES [MIB [KERNEL PARAMETERS...]]]
 *
 * Boots the Linux of /guest with all of its memory in a restricted file, on
 * pages of 4k or 2m, and judges what it says.
 *
 * watch=N among the parameters write-protects the first N pages of the kernel's
 * text as soon as it has said something: its own changes are told, and work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linux_guest.h"
#include "restricted.h"
#include "track_guest.h"
#include "vm_test.h"

#define MIB	(1UL << 20)

struct text_watch {
	struct track track;
	unsigned long pages;
	bool watching;
};

/* By now it has been unpacked, and not yet been patched. */
static void watch_text(struct linux_guest *guest)
{
	struct text_watch *text = guest->arg;

	if (text->watching)
		return;
	must_track(&text->track, guest->vm, TRACK_CREATE(
		   .nr_events = KVM_TRACK_MAX_EVENTS));
	must_set(&text->track, LINUX_TEXT, text->pages, KVM_TRACK_WRITE,
		 KVM_TRACK_LOG);
	text->watching = true;
}

static void judge_watch(struct text_watch *text)
{
	uint64_t end = LINUX_TEXT + text->pages * TRACK_PAGE;
	struct kvm_track_event event;
	unsigned long told = 0, odd = 0;

	if (!check(text->watching, "%lu pages of text are watched",
		   text->pages))
		return;
	for (; track_next(&text->track, &event); told++)
		odd += event.access != KVM_TRACK_WRITE || !event.len ||
		       event.gpa < LINUX_TEXT || event.gpa + event.len > end;
	note("%lu writes told, %llu lost, the last by %llx to %llx", told,
	     text->track.ring->lost, event.rip, event.gva);
	check(!odd, "nothing but writes to them is told");
	/* Alternatives and static branches are patched all over the text. */
	check(told > 0 || text->pages < 1000, "the kernel patches itself");
	track_close(&text->track);
}

static void boot(unsigned int flags, size_t memory, const char *parameters,
		 unsigned long watch)
{
	struct text_watch text = { .pages = watch };
	struct linux_guest guest = { .on_line = watch ? watch_text : NULL,
		.arg = &text };
	uint64_t large = 0, small = 0;
	struct guest_vm vm;
	int err;

	err = guest_vm_create_restricted(&vm, 1, memory, flags);
	if (err) {
		errno = -err;
		die("create a VM");
	}
	linux_guest_load(&guest, &vm, parameters);
	check(linux_guest_run(&guest), "the guest ended");
	check(guest.ok && !guest.failed, "and said that it was well");
	guest_vm_stat(&vm, "pages_2m", &large);
	guest_vm_stat(&vm, "pages_4k", &small);
	note("%ld of %zu pages, mapped as %lu large ones and %lu small ones",
	     restricted_pages(vm.mem_fd), memory / 4096, large, small);
	if (watch)
		judge_watch(&text);
	check(flags & RMFD_HUGEPAGE ? large > 0 : !large, "pages as asked for");
	guest_vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	unsigned int flags = argc > 1 && !strcmp(argv[1], "2m") ?
			     RMFD_HUGEPAGE : 0;
	size_t memory = (argc > 2 ? strtoul(argv[2], NULL, 0) : 96) * MIB;
	char parameters[800] = "";
	unsigned long watch = 0;
	int i;

	if (!restricted_supported())
		skip("no memfd_restricted");
	for (i = 3; i < argc; i++) {
		if (sscanf(argv[i], "watch=%lu", &watch) == 1)
			continue;
		strncat(parameters, " ", 2);
		strncat(parameters, argv[i], 200);
	}
	vm_test_begin();
	boot(flags, memory, parameters, watch);
	return vm_test_end();
}
