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
 * bulkhead_rmem_supported() asks.
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

#ifdef __cplusplus
}
#endif

#endif
