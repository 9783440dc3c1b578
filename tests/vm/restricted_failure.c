// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a guest that fails: the guest stops where it touches it, nobody is
 * killed, the rest of the file stays what it is, and a hole makes the place
 * usable again. So too in a large page that somebody holds in one piece.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "restricted.h"
#include "vm_test.h"

#define PAGE		4096UL
#define LARGE		(2UL << 20)
#define SIZE		(16UL << 20)
#define FRESH		((SIZE - GUEST_FRESH) / PAGE)
#define FRAMES		(1UL << 19)	/* looked at: 2 GiB */

#define HWPOISON	"/sys/kernel/debug/hwpoison/"
#define SOFT_OFFLINE	"/sys/devices/system/memory/soft_offline_page"

/* Bits of /proc/kpageflags. */
#define LRU		(1ULL << 5)
#define UNEVICTABLE	(1ULL << 18)

static uint64_t before[FRAMES], after[FRAMES];

static size_t snapshot(uint64_t *flags)
{
	int fd = open("/proc/kpageflags", O_RDONLY);
	ssize_t len, all = 0;

	while ((len = read(fd, (char *)flags + all,
			   FRAMES * sizeof(*flags) - all)) > 0)
		all += len;
	close(fd);
	return all / sizeof(*flags);
}

static int write_number(const char *path, uint64_t number)
{
	char text[32];
	int fd = open(path, O_WRONLY), err = 0;

	snprintf(text, sizeof(text), "%#lx", number);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static uint32_t told(struct guest_vcpu *vcpu, const char *payload,
		     uint64_t rounds)
{
	run_payload(vcpu, payload, rounds);
	return guest_vcpu_told(vcpu);
}

/*
 * The @nth page frame that became the guest's between the two looks, or 0. Not
 * the first: those may be somebody else's.
 */
static uint64_t find_frame(size_t nr, size_t nth)
{
	const uint64_t ours = LRU | UNEVICTABLE;
	size_t i, found = 0;

	for (i = 0; i < nr; i++) {
		if ((after[i] & ours) != ours || (before[i] & UNEVICTABLE))
			continue;
		if (++found == nth)
			return i;
	}
	return 0;
}

static uint64_t fill(struct guest_vm *vm)
{
	snapshot(before);
	told(&vm->vcpu[0], "fill", FRESH);
	return find_frame(snapshot(after), 700);
}

/* Where the guest stopped, as KVM tells it. */
static uint64_t stopped_at(struct guest_vcpu *vcpu, const char *what)
{
	uint64_t *fault = (uint64_t *)&vcpu->run->hw;
	int err = guest_vcpu_do(vcpu, guest_payload("sum"), FRESH);

	check(err == -EHWPOISON, "%s: the guest stops: %s", what,
	      strerror(-err));
	check(vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT,
	      "%s: exit %u", what, vcpu->run->exit_reason);
	check(fault[1] >= GUEST_FRESH && fault[1] < SIZE && fault[2] == PAGE,
	      "%s: at %#lx, %lu bytes", what, fault[1], fault[2]);
	return fault[1];
}

static void hard(unsigned int flags, const char *what)
{
	const uint32_t all = FRESH * (FRESH + 1) / 2;
	uint64_t frame, where;
	struct guest_vm vm;
	long pages;
	int err;

	if (guest_vm_create_restricted(&vm, 1, SIZE, flags))
		die("create a VM");
	frame = fill(&vm);
	if (!check(frame, "%s: a frame of the guest's", what))
		goto out;
	pages = restricted_pages(vm.mem_fd);
	err = write_number(HWPOISON "corrupt-pfn", frame);
	check(!err, "%s: frame %#lx fails: %s", what, frame, strerror(-err));
	check(restricted_pages(vm.mem_fd) == pages - 1,
	      "%s: one page left the file", what);
	where = stopped_at(&vm.vcpu[0], what);
	check(!restricted_punch(vm.mem_fd, where, PAGE), "%s: a hole", what);
	check(told(&vm.vcpu[0], "sum", FRESH) ==
	      all - ((where - GUEST_FRESH) / PAGE + 1),
	      "%s: it goes on, with zeroes there", what);
	write_number(HWPOISON "unpoison-pfn", frame);
out:
	guest_vm_destroy(&vm);
}

/* Memory whose first touch waits for finish(). */
struct obstacle {
	int fd;
	char *page;
};

static bool make_obstacle(struct obstacle *o)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	o->fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (o->fd < 0)
		return false;
	o->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)o->page;
	reg.range.len = PAGE;
	if (o->page == MAP_FAILED || ioctl(o->fd, UFFDIO_API, &api) ||
	    ioctl(o->fd, UFFDIO_REGISTER, &reg))
		die("userfaultfd");
	return true;
}

static bool is_touched(struct obstacle *o)
{
	struct pollfd poll_fd = { .fd = o->fd, .events = POLLIN };

	return poll(&poll_fd, 1, 20000) == 1 && poll_fd.revents == POLLIN;
}

static void finish(struct obstacle *o)
{
	struct uffdio_zeropage zero = {
		.range.start = (uintptr_t)o->page, .range.len = PAGE,
	};

	check(!ioctl(o->fd, UFFDIO_ZEROPAGE, &zero), "the holder goes on");
	close(o->fd);
}

/* A thread that has a page of the guest's in its hands while it copies. */
struct holder {
	struct obstacle obstacle;
	struct guest_vm *vm;
	uint64_t where;
	pthread_t thread;
	int err;
};

static void *hold(void *arg)
{
	struct holder *h = arg;

	h->err = restricted_populate(h->vm->fd, h->where, h->obstacle.page,
				     PAGE);
	return NULL;
}

/* Has KVM map a range without running the guest. */
static int map_early(struct guest_vcpu *vcpu, uint64_t gpa, uint64_t size)
{
	struct {
		uint64_t gpa, size, flags, padding[5];
	} range = { .gpa = gpa, .size = size };

	return ioctl(vcpu->fd, _IOWR(KVMIO, 0xd5, range), &range) ? -errno : 0;
}

static uint64_t mapped_large(struct guest_vm *vm)
{
	uint64_t large = 0;

	guest_vm_stat(vm, "pages_2m", &large);
	return large;
}

/* Some of a large page fails that is mapped and held: it cannot be split. */
static void fail_held(struct holder *h, uint64_t frame)
{
	uint64_t large = mapped_large(h->vm);
	long pages = restricted_pages(h->vm->mem_fd);
	int err;

	check(large == 1, "held: %lu large mappings", large);
	if (pthread_create(&h->thread, NULL, hold, h))
		die("start a thread");
	check(is_touched(&h->obstacle), "held: somebody has the page");
	err = write_number(HWPOISON "corrupt-pfn", frame);
	check(err == -EHWPOISON, "held: frame %#lx fails: %s", frame,
	      strerror(-err));
	check(!mapped_large(h->vm), "held: the guest has lost the mapping");
	check(restricted_pages(h->vm->mem_fd) == pages,
	      "held: nothing left the file");
	finish(&h->obstacle);
	pthread_join(h->thread, NULL);
	check(!h->err, "held: its copy is made: %s", strerror(-h->err));
}

static void held(void)
{
	struct holder h = { .where = SIZE - LARGE };
	struct guest_vm vm;
	uint64_t frame, where;
	int err;

	if (guest_vm_create_restricted(&vm, 1, SIZE, RMFD_HUGEPAGE))
		die("create a VM");
	h.vm = &vm;
	snapshot(before);
	err = map_early(&vm.vcpu[0], h.where, LARGE);
	if (err || !make_obstacle(&h.obstacle)) {
		note("held: nothing to hold a page with: %s", strerror(-err));
		goto out;
	}
	frame = find_frame(snapshot(after), 256);
	if (!check(frame, "held: a frame of the guest's"))
		goto out;
	fail_held(&h, frame);
	where = stopped_at(&vm.vcpu[0], "held");
	check(where >= h.where, "held: in the large page");
	check(!restricted_punch(vm.mem_fd, where, PAGE), "held: a hole");
	check(told(&vm.vcpu[0], "sum", FRESH) == 0, "held: it goes on");
	write_number(HWPOISON "unpoison-pfn", frame);
out:
	guest_vm_destroy(&vm);
}

/* The page cannot move, so it stays in use, and nothing is lost. */
static void soft(void)
{
	const uint32_t all = FRESH * (FRESH + 1) / 2;
	struct guest_vm vm;
	uint64_t frame;
	int err;

	if (guest_vm_create_restricted(&vm, 1, SIZE, 0))
		die("create a VM");
	frame = fill(&vm);
	err = write_number(SOFT_OFFLINE, frame * PAGE);
	check(frame && err == -EBUSY, "soft offline is refused: %s",
	      strerror(-err));
	check(told(&vm.vcpu[0], "sum", FRESH) == all, "nothing is lost");
	guest_vm_destroy(&vm);
}

int main(void)
{
	if (!restricted_supported())
		skip("no memfd_restricted");
	if (access(HWPOISON "corrupt-pfn", W_OK))
		skip("memory cannot be made to fail");
	vm_test_begin();
	hard(0, "4K");
	hard(RMFD_HUGEPAGE, "2M");
	held();
	soft();
	return vm_test_end();
}
