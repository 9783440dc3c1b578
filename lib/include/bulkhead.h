/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libbulkhead: what a kernel with Bulkhead offers, for C and C++.
 *
 * Functions return 0 or what they say, or a negative errno; errno itself is not
 * part of the contract. They keep no state, so any thread may call any of them,
 * and print nothing. Offsets and sizes are in bytes. What the kernel checks, such
 * as alignment, the library leaves to it: libbulkhead(3) lists the errors.
 *
 * A kernel without Bulkhead answers -ENOSYS, -ENOTTY or -EINVAL;
 * bulkhead_rmem_supported() and bulkhead_track_supported() ask.
 */
#ifndef BULKHEAD_H
#define BULKHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BULKHEAD_VERSION_MAJOR	0
#define BULKHEAD_VERSION_MINOR	1

/* Flags of bulkhead_memfd_restricted(): RMFD_* of <linux/restrictedmem.h>. */
#define BULKHEAD_RMEM_CLOEXEC	0x0001U
#define BULKHEAD_RMEM_HUGEPAGE	0x0002U

/* ---- Restricted memory: the file (rmem.c) ---- */

/*
 * memfd_restricted(2). A file descriptor; -EINVAL: a flag nobody knows; -ENOSYS;
 * -EMFILE, -ENFILE, -ENOMEM. The file has no size yet.
 */
int bulkhead_memfd_restricted(unsigned int flags);

/*
 * The same with @size, which can be set once. Also -EINVAL: not a multiple of the
 * page size, or zero. On failure nothing is left open.
 */
int bulkhead_rmem_create(unsigned int flags, uint64_t size);

/*
 * Makes the pages of a range be there. -EINVAL: not aligned, or past the end;
 * -EINTR: a signal, what is there stays, call again; -ENOMEM; -EHWPOISON.
 */
int bulkhead_rmem_allocate(int fd, uint64_t offset, uint64_t size);

/*
 * Takes the pages of a range away, also under a guest: what it finds there next
 * is zero. What lies past the end is ignored. -EINVAL: not aligned.
 */
int bulkhead_rmem_punch(int fd, uint64_t offset, uint64_t size);

/* Pages of 4 KiB the file has. */
int64_t bulkhead_rmem_pages(int fd);

struct bulkhead_rmem_info {
	uint64_t size;		/* bytes; 0: not set yet */
	uint64_t pages;		/* of 4 KiB, there now */
	unsigned int flags;	/* as it was made with, without CLOEXEC */
	bool bound;		/* some of it is behind a memory slot */
};

/* -EINVAL: not a restricted file; -ENOENT: no /proc. @info is filled or left. */
int bulkhead_rmem_info(int fd, struct bulkhead_rmem_info *info);

/* ---- Restricted memory: KVM (rmem_kvm.c) ---- */

/* @fd: /dev/kvm or a VM. 1 if guests can run from restricted memory, 0 if not. */
int bulkhead_rmem_supported(int fd);

struct bulkhead_rmem_slot {
	uint32_t id;		/* as in KVM_SET_USER_MEMORY_REGION */
	int fd;			/* the restricted file */
	uint64_t gpa;		/* where the guest has it */
	uint64_t size;
	uint64_t offset;	/* in the file */
	/*
	 * What is behind shared pages of a VM with private memory. NULL in any
	 * other VM: there the file is all there is.
	 */
	void *shared;
};

/*
 * Puts a range of a file behind a memory slot. -EBUSY: some of the range is bound,
 * or the file is another VM's; -EINVAL: a size of zero (it would remove the slot),
 * a range that is not in the file, or a slot that is in use; -EEXIST: the guest has
 * another slot there; -EBADF; -ENOMEM.
 */
int bulkhead_rmem_bind(int vm_fd, const struct bulkhead_rmem_slot *slot);

/* Removes the slot @id. Its contents stay in the file. */
int bulkhead_rmem_unbind(int vm_fd, uint32_t id);

/*
 * Copies initial contents into restricted memory of a VM that is not sealed. On
 * failure, and if @done is no NULL pointer, it says how many bytes are in.
 * -EPERM: sealed; -EINVAL: no restricted memory there; -EFAULT: @from cannot be
 * read; -EINTR: a signal, go on after what is @done; -EHWPOISON; -ENOMEM.
 */
int bulkhead_rmem_populate(int vm_fd, uint64_t gpa, const void *from,
			   size_t size, size_t *done);

/* No more contents come in; the first KVM_RUN does the same. */
int bulkhead_rmem_seal(int vm_fd);

/* Pages of a VM with private memory become private, or shared again. */
int bulkhead_rmem_convert(int vm_fd, uint64_t gpa, uint64_t size, bool private_);

/* ---- Page tracking (track.c) ---- */

/* Accesses: KVM_TRACK_* of <linux/kvm_track.h>. */
#define BULKHEAD_TRACK_READ	0x01U
#define BULKHEAD_TRACK_WRITE	0x02U
#define BULKHEAD_TRACK_WRITTEN	0x04U	/* after a write; never waits */
#define BULKHEAD_TRACK_EXEC	0x08U
#define BULKHEAD_TRACK_WALK	0x10U	/* by a page walk; never waits */

/* Flags of struct bulkhead_track_options. */
#define BULKHEAD_TRACK_REGISTERS	0x01U	/* events have registers */
#define BULKHEAD_TRACK_STOP		0x02U	/* no watcher, no VM */

/* Flags of struct bulkhead_track_range. */
#define BULKHEAD_TRACK_LOG	0x01U	/* tell, and do not wait */

/* Flags of struct bulkhead_track_event. */
#define BULKHEAD_TRACK_WAITS		0x01U	/* for an answer */
#define BULKHEAD_TRACK_UNHANDLED	0x02U	/* KVM cannot emulate it */

/* Answers. */
#define BULKHEAD_TRACK_CONTINUE	0U	/* it happens */
#define BULKHEAD_TRACK_RETRY	1U	/* the instruction is executed again */
#define BULKHEAD_TRACK_SUPPLY	2U	/* a read gets the data of the answer */
#define BULKHEAD_TRACK_SKIP	3U	/* a write leaves the memory as it is */

#define BULKHEAD_TRACK_DATA_BYTES	64

/* @fd: /dev/kvm or a VM. The version of page tracking, 0 if there is none. */
int bulkhead_track_supported(int fd);

struct bulkhead_track_options {
	uint32_t flags;
	uint32_t nr_events;	/* of the ring: a power of two, 16 to 65536 */
	uint32_t batch;		/* events that nobody waits for, per wake-up */
	uint32_t timeout_ms;	/* for an answer; 0 is for ever */
	int32_t order;		/* of several watchers the lowest is asked first */
};

/*
 * A descriptor that watches the VM; it may be another process's, see
 * libbulkhead(3). @options may be NULL: 1024 events, told one by one, no limit of
 * time. -EINVAL: an option out of its range; -EIO: the VM is over, or the
 * caller may not trace the process it belongs to; -EMFILE, -ENOMEM.
 */
int bulkhead_track_create(int vm_fd,
			  const struct bulkhead_track_options *options);

/* A descriptor and its ring. The caller's, for one thread at a time. */
struct bulkhead_track {
	int fd;
	void *ring;
	size_t size;
};

/*
 * The same, with the ring mapped. -EINVAL also for a ring of another version. On
 * failure nothing is left open.
 */
int bulkhead_track_open(struct bulkhead_track *track, int vm_fd,
			const struct bulkhead_track_options *options);

/*
 * Unmaps and closes. A watcher that still has pages has failed its VM: set the
 * access of all of them to 0 before, or mean it.
 */
void bulkhead_track_close(struct bulkhead_track *track);

struct bulkhead_track_range {
	uint64_t gfn;		/* guest physical address / 4096 */
	uint64_t npages;
	uint32_t access;	/* in place of what it was; 0: not watched */
	uint32_t flags;
};

/*
 * Sets what is told, for each page of @nr ranges. -EINVAL: no ranges, no pages, an
 * unknown bit; -E2BIG: more than 4096 ranges, or 2^24 pages in one; -EOPNOTSUPP:
 * private memory; -EIO: the watcher is over; -EOVERFLOW, -ENOMEM, -EINTR.
 */
int bulkhead_track_set(int fd, const struct bulkhead_track_range *ranges,
		       size_t nr);

struct bulkhead_track_registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags, cr3;
};

/* What one instruction does to one page. */
struct bulkhead_track_event {
	uint64_t id;		/* for the answer; counts up */
	uint32_t vcpu;
	uint32_t access;	/* one bit */
	uint64_t gpa;
	uint64_t gva;		/* all ones: not known */
	uint64_t rip;
	uint32_t len;		/* may be more than data has room for */
	uint32_t flags;
	uint8_t data[BULKHEAD_TRACK_DATA_BYTES];	/* of a write */
	struct bulkhead_track_registers regs;
};

/* Takes the next event out of the ring: 1, or 0 if there is none. */
int bulkhead_track_next(struct bulkhead_track *track,
			struct bulkhead_track_event *event);

/*
 * Waits until there are events: 1, or 0 after @timeout_ms milliseconds (negative:
 * never). -EIO: there are none, and there will be none; -EINTR: a signal. The
 * descriptor can be given to poll(2) and epoll(7) as well.
 */
int bulkhead_track_wait(const struct bulkhead_track *track, int timeout_ms);

/* Events that the ring had no room for. */
uint64_t bulkhead_track_lost(const struct bulkhead_track *track);

struct bulkhead_track_answer {
	uint64_t id;
	uint32_t action;
	uint32_t len;		/* of data, as in the event; 0 but for SUPPLY */
	uint8_t data[BULKHEAD_TRACK_DATA_BYTES];
};

/*
 * Answers @nr events and returns how many answers were taken; if that is fewer, the
 * next one was wrong. -ENOENT: nobody waits for it (any more); -EINVAL: it does
 * not fit the event.
 */
int bulkhead_track_answer(int fd, const struct bulkhead_track_answer *answers,
			  size_t nr);

/*
 * The same, and if none was wrong it then waits until there are events: one call for
 * each question where bulkhead_track_wait() would be a second one. @nr may be 0.
 * -EINTR: a signal, and there were no answers; with answers a signal ends the waiting,
 * too. If there is nothing in the ring then, bulkhead_track_wait() tells whether the
 * watcher is over. A kernel without it answers -EINVAL.
 */
int bulkhead_track_answer_await(int fd,
				const struct bulkhead_track_answer *answers,
				size_t nr);

#ifdef __cplusplus
}
#endif

#endif
