// SPDX-License-Identifier: GPL-2.0
/*
 * track_tables [text=PAGES] [ask] [mem=MIB] [KERNEL PARAMETERS...]
 *
 * Boots the Linux of /guest and watches its page tables, from the first thing it says
 * to its end, as a tool of introspection would: all that are reachable from the root
 * of the kernel, those of processes when one is met, new ones when they are linked.
 * The copy of them that is kept by what is told must be what the guest has.
 *
 * ask: every write is answered; otherwise those to tables of pages are only told.
 * text=PAGES: so many pages of the kernel's text are write-protected as well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "asi_stats.h"
#include "guest_tables.h"
#include "linux_guest.h"
#include "track_guest.h"
#include "vm_test.h"

#define MIB		(1UL << 20)
#define CR4_LA57	(1UL << 12)
#define PATIENCE	100	/* ms */
#define EVERY		4	/* questions, between two comparisons */

struct watch {
	struct track track;
	struct guest_tables tables;
	pthread_mutex_t lock;	/* of the tables */
	pthread_t thread;
	uint64_t text_end;
	bool ask, watching, over;
	unsigned long told, asked, text, odd, unknown, compared, differ;
	uint64_t differ_at, root;
	struct kvm_track_event last_odd;
};

static void compare(struct watch *watch)
{
	watch->compared++;
	watch->differ += guest_tables_differ(&watch->tables, &watch->differ_at);
}

static bool is_text(const struct watch *watch, const struct kvm_track_event *event)
{
	return event->gpa >= LINUX_TEXT && event->gpa < watch->text_end;
}

static void take_event(struct watch *watch, const struct kvm_track_event *event)
{
	watch->told++;
	watch->unknown += !!(event->flags & KVM_TRACK_UNHANDLED);
	if (event->flags & KVM_TRACK_WAITS && watch->asked++ % EVERY == 0)
		compare(watch);
	guest_tables_root(&watch->tables, event->regs.cr3, false);
	if (is_text(watch, event)) {
		watch->text++;
	} else if (event->access != KVM_TRACK_WRITE || !event->len ||
		   event->len > KVM_TRACK_DATA_BYTES ||
		   !guest_tables_have(&watch->tables, event->gpa)) {
		watch->odd++;
		watch->last_odd = *event;
	} else {
		guest_tables_write(&watch->tables, event->gpa, event->data,
				   event->len);
	}
}

/* All there is, from @event on. */
static void take_all(struct watch *watch, struct kvm_track_event *event)
{
	pthread_mutex_lock(&watch->lock);
	do {
		take_event(watch, event);
		if (event->flags & KVM_TRACK_WAITS)
			track_answer(&watch->track, event->id,
				     KVM_TRACK_CONTINUE, NULL, 0);
	} while (track_next(&watch->track, event));
	pthread_mutex_unlock(&watch->lock);
}

static void *take_events(void *arg)
{
	struct watch *watch = arg;
	struct kvm_track_event event;

	while (!__atomic_load_n(&watch->over, __ATOMIC_ACQUIRE))
		if (track_await(&watch->track, &event, PATIENCE))
			take_all(watch, &event);
	return NULL;
}

static void start(struct watch *watch, struct guest_vm *vm, uint64_t cr4)
{
	must_track(&watch->track, vm, TRACK_CREATE(
		   .nr_events = KVM_TRACK_MAX_EVENTS, .batch = 1024,
		   .flags = KVM_TRACK_REGISTERS));
	watch->tables = (struct guest_tables){ .track = &watch->track,
		.memory = vm->mem, .size = vm->mem_size,
		.levels = cr4 & CR4_LA57 ? 5 : 4,
		.leaf_flags = watch->ask ? 0 : KVM_TRACK_LOG };
	guest_tables_init(&watch->tables);
	if (watch->text_end > LINUX_TEXT)
		must_set(&watch->track, LINUX_TEXT,
			 (watch->text_end - LINUX_TEXT) / TRACK_PAGE,
			 KVM_TRACK_WRITE, watch->tables.leaf_flags);
	errno = pthread_create(&watch->thread, NULL, take_events, watch);
	if (errno)
		die("thread");
	watch->watching = true;
}

/* A VMM sees processes here that change no table while they are watched. */
static void on_line(struct linux_guest *guest)
{
	struct watch *watch = guest->arg;
	bool first = !watch->watching;
	struct kvm_sregs sregs;

	if (ioctl(guest->vm->vcpu[0].fd, KVM_GET_SREGS, &sregs))
		die("registers");
	if (first) {
		watch->root = sregs.cr3 & ~(TRACK_PAGE - 1);
		start(watch, guest->vm, sregs.cr4);
	}
	pthread_mutex_lock(&watch->lock);
	guest_tables_root(&watch->tables, sregs.cr3, first);
	pthread_mutex_unlock(&watch->lock);
}

static void stop(struct watch *watch)
{
	struct kvm_track_event event;

	__atomic_store_n(&watch->over, true, __ATOMIC_RELEASE);
	pthread_join(watch->thread, NULL);
	while (track_next(&watch->track, &event))
		take_event(watch, &event);
	compare(watch);
}

/* One write that the guest has not made, as one that was missed would be. */
static bool sees_a_miss(struct watch *watch)
{
	static const uint64_t entry = 0x1230;	/* not present */

	guest_tables_write(&watch->tables, watch->root, &entry, sizeof(entry));
	return guest_tables_differ(&watch->tables, &watch->differ_at) == 1 &&
	       watch->differ_at == watch->root;
}

static void judge(struct watch *watch)
{
	const struct guest_tables *tables = &watch->tables;

	note("%lu tables of %lu roots, %lu at a time; %lu compared",
	     tables->ever, tables->roots + 1, tables->most, watch->compared);
	note("%lu writes told, %lu of them answered, %lu to text, %llu lost",
	     watch->told, watch->asked, watch->text, watch->track.ring->lost);
	note("%lu links, %lu leaves, %lu of nothing", tables->links,
	     tables->leaves, tables->others);
	check(!watch->track.ring->lost, "nothing is lost");
	check(!watch->odd, "all of it writes to tables: %lu not, %u at %llx by %llx",
	      watch->odd, watch->last_odd.access, watch->last_odd.gpa,
	      watch->last_odd.rip);
	check(!watch->unknown, "%lu by instructions nobody knows",
	      watch->unknown);
	check(!tables->odd, "all entries make sense: %lu not, %lx at %lx",
	      tables->odd, tables->odd_entry, tables->odd_at);
	check(!watch->differ, "the copy is what the guest has: %lu not, at %lx",
	      watch->differ, watch->differ_at);
	check(watch->differ || sees_a_miss(watch), "and one miss would be seen");
	check(tables->roots > 0 && tables->links > 0 && tables->leaves > 1000 &&
	      tables->ever > tables->most && watch->compared > 10,
	      "tables came, were used, and went");
	check(watch->text > 0 || watch->text_end < LINUX_TEXT + 4 * MIB,
	      "the kernel patches itself");
}

static void boot(struct watch *watch, size_t memory, const char *parameters)
{
	struct linux_guest guest = { .on_line = on_line, .arg = watch };
	uint64_t exits = 0, emulated = 0;
	struct guest_vm vm;
	int err;

	err = guest_vm_create(&vm, 1, memory);
	if (err) {
		errno = -err;
		die("create a VM");
	}
	linux_guest_load(&guest, &vm, parameters);
	check(linux_guest_run(&guest), "the guest ended");
	check(guest.ok && !guest.failed, "and said that it was well");
	guest_vcpu_stat(&vm.vcpu[0], "exits", &exits);
	guest_vcpu_stat(&vm.vcpu[0], "insn_emulation", &emulated);
	note("%lu VM exits, %lu instructions emulated", exits, emulated);
	if (check(watch->watching, "its tables are watched")) {
		stop(watch);
		judge(watch);
		track_close(&watch->track);
		guest_tables_free(&watch->tables);
	}
	guest_vm_destroy(&vm);
}

static bool is_set(const char *path)
{
	FILE *f = fopen(path, "r");
	int c = f ? fgetc(f) : 'N';

	if (f)
		fclose(f);
	return c == 'Y' || c == '1';
}

/* Then all that needs a walk is emulated, and not all can be. */
static bool walks_write(void)
{
	if (guest_cpu_is_amd())
		return is_set("/sys/module/kvm_amd/parameters/npt");
	return is_set("/sys/module/kvm_intel/parameters/ept") &&
	       is_set("/sys/module/kvm_intel/parameters/eptad");
}

int main(int argc, char **argv)
{
	struct watch watch = { .lock = PTHREAD_MUTEX_INITIALIZER };
	unsigned long memory = 96, text = 0;
	char parameters[800] = "nokaslr";
	int i;

	for (i = 1; i < argc; i++) {
		if (sscanf(argv[i], "text=%lu", &text) == 1 ||
		    sscanf(argv[i], "mem=%lu", &memory) == 1)
			continue;
		if (!strcmp(argv[i], "ask")) {
			watch.ask = true;
			continue;
		}
		strncat(parameters, " ", 2);
		strncat(parameters, argv[i], 200);
	}
	if (walks_write())
		skip("the processor's page walks write: boot with kvm_amd.npt=0, kvm_intel.ept=0 or kvm_intel.eptad=0");
	watch.text_end = LINUX_TEXT + text * TRACK_PAGE;
	vm_test_begin();
	/* Of a hundred thousand VM entries one in fifty is more than is needed. */
	asi_write("audit_interval", "1000");
	boot(&watch, memory * MIB, parameters);
	return vm_test_end();
}
