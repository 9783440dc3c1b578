// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system call, and what the holder of a file can do: allocate, punch, look
 * at the figures. There is no read, write, mmap or seek on purpose.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/syscalls.h>
#include <linux/types.h>
#include <uapi/linux/falloc.h>

#include "internal.h"

#define RMFD_ALL	(RMFD_CLOEXEC | RMFD_HUGEPAGE)

static long punch(struct inode *inode, loff_t offset, loff_t len)
{
	rmem_punch(inode, offset >> PAGE_SHIFT, (offset + len) >> PAGE_SHIFT);
	return 0;
}

/* Never grows the file: its size is set once, by ftruncate(). */
static long allocate(struct inode *inode, loff_t offset, loff_t len)
{
	int err;

	if (offset + len > i_size_read(inode))
		return -EINVAL;

	filemap_invalidate_lock_shared(inode->i_mapping);
	err = rmem_populate(inode, offset >> PAGE_SHIFT,
			    (offset + len) >> PAGE_SHIFT);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return err;
}

static long restrictedmem_fallocate(struct file *file, int mode, loff_t offset,
				    loff_t len)
{
	struct inode *inode = file_inode(file);
	long err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (!PAGE_ALIGNED(offset) || !PAGE_ALIGNED(len))
		return -EINVAL;

	if (mode & FALLOC_FL_PUNCH_HOLE)
		err = punch(inode, offset, len);
	else
		err = allocate(inode, offset, len);
	if (!err)
		file_modified(file);
	return err;
}

static void restrictedmem_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct restrictedmem_inode *rmem = file_rmem(file);

	seq_printf(m, "restrictedmem-flags:\t%#x\n", rmem->flags);
	seq_printf(m, "restrictedmem-pages:\t%lu\n", file->f_mapping->nrpages);
	seq_printf(m, "restrictedmem-bound:\t%d\n",
		   !RB_EMPTY_ROOT(&rmem->notifiers.rb_root));
}

static const struct file_operations restrictedmem_fops = {
	.fallocate	= restrictedmem_fallocate,
	.show_fdinfo	= restrictedmem_show_fdinfo,
};

bool file_is_restrictedmem(const struct file *file)
{
	return file->f_op == &restrictedmem_fops;
}
EXPORT_SYMBOL_GPL(file_is_restrictedmem);

/* A new file of size zero, with RMFD_* of @flags; not in any table yet. */
struct file *rmem_file_create(unsigned int flags)
{
	struct inode *inode = rmem_inode_create(flags);
	struct file *file;

	if (IS_ERR(inode))
		return ERR_CAST(inode);

	file = alloc_file_pseudo(inode, rmem_mnt, "restrictedmem",
				 O_RDWR | O_LARGEFILE, &restrictedmem_fops);
	if (IS_ERR(file))
		iput(inode);
	return file;
}

/*
 * memfd_restricted - a file of memory that only the kernel can touch
 *
 * Returns a file descriptor. EINVAL: a flag nobody knows. EMFILE, ENFILE,
 * ENOMEM: as of every call that makes one.
 */
SYSCALL_DEFINE1(memfd_restricted, unsigned int, flags)
{
	struct file *file;
	int fd;

	if (flags & ~RMFD_ALL)
		return -EINVAL;

	fd = get_unused_fd_flags(flags & RMFD_CLOEXEC ? O_CLOEXEC : 0);
	if (fd < 0)
		return fd;

	file = rmem_file_create(flags);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}
