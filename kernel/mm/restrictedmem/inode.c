// SPDX-License-Identifier: GPL-2.0-only
/*
 * The inode of a restricted file, and the file system these live in, which is
 * mounted nowhere. It is not an overlay on tmpfs: size, policy and pages are its
 * own, so stat() and statfs() speak of one and the same object.
 */
#include <linux/anon_inodes.h>
#include <linux/mempolicy.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

struct vfsmount *rmem_mnt __ro_after_init;
static struct kmem_cache *rmem_inode_cache __ro_after_init;
static atomic_long_t rmem_inodes;
static atomic64_t last_owner;
static const struct inode_operations rmem_iops;

/* True while any restricted memory exists: it must not be written to a disk. */
bool restrictedmem_active(void)
{
	return atomic_long_read(&rmem_inodes) > 0;
}

/* A number no other caller gets, for restrictedmem_bind(). */
u64 restrictedmem_new_owner(void)
{
	return atomic64_inc_return(&last_owner);
}
EXPORT_SYMBOL_GPL(restrictedmem_new_owner);

static void rmem_inode_init_once(void *object)
{
	struct restrictedmem_inode *rmem = object;

	inode_init_once(&rmem->inode);
}

static struct inode *rmem_alloc_inode(struct super_block *sb)
{
	struct restrictedmem_inode *rmem;

	rmem = alloc_inode_sb(sb, rmem_inode_cache, GFP_KERNEL);
	if (!rmem)
		return NULL;

	rmem->flags = 0;
	rmem->policy = NULL;
	rmem->notifiers = RB_ROOT_CACHED;
	rmem->owner = 0;
	rmem->user = NULL;
	init_rwsem(&rmem->notify_lock);
	xa_init(&rmem->failed);
	return &rmem->inode;
}

static void rmem_free_inode(struct inode *inode)
{
	kmem_cache_free(rmem_inode_cache, to_rmem(inode));
}

static void rmem_evict_inode(struct inode *inode)
{
	struct restrictedmem_inode *rmem = to_rmem(inode);

	WARN_ON_ONCE(!RB_EMPTY_ROOT(&rmem->notifiers.rb_root));
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	xa_destroy(&rmem->failed);
	mpol_put(rmem->policy);
	rmem_account_end(inode);
	/* The root of the file system is one of these, too. */
	if (inode->i_op == &rmem_iops)
		atomic_long_dec(&rmem_inodes);
}

static const struct super_operations rmem_super_ops = {
	.alloc_inode	= rmem_alloc_inode,
	.free_inode	= rmem_free_inode,
	.evict_inode	= rmem_evict_inode,
	.drop_inode	= generic_delete_inode,
	.statfs		= simple_statfs,
};

static int rmem_getattr(struct mnt_idmap *idmap, const struct path *path,
			struct kstat *stat, u32 request_mask,
			unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);

	generic_fillattr(idmap, request_mask, inode, stat);
	stat->blocks = (u64)inode->i_mapping->nrpages <<
		       (PAGE_SHIFT - SECTOR_SHIFT);
	if (rmem_is_huge(to_rmem(inode)))
		stat->blksize = HPAGE_PMD_SIZE;
	return 0;
}

/* The size is set once, in whole pages; a size of zero is no size yet. */
static int check_size(struct inode *inode, loff_t size)
{
	if (inode->i_size)
		return -EPERM;
	return PAGE_ALIGNED(size) ? 0 : -EINVAL;
}

static int rmem_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		err = check_size(inode, attr->ia_size);
		if (err)
			return err;
		i_size_write(inode, attr->ia_size);
	}
	setattr_copy(idmap, inode, attr);
	return 0;
}

static const struct inode_operations rmem_iops = {
	.getattr	= rmem_getattr,
	.setattr	= rmem_setattr,
};

/*
 * Faults come from vCPU threads and from helpers of the VMM, whose policies say
 * nothing about the file: its pages follow what its maker had in force.
 */
static int inherit_policy(struct restrictedmem_inode *rmem)
{
#ifdef CONFIG_NUMA
	struct mempolicy *policy = mpol_dup(current->mempolicy);

	if (IS_ERR(policy))
		return PTR_ERR(policy);
	rmem->policy = policy;
#endif
	return 0;
}

/* Pages that stay where they are, and that nothing but the file itself drops. */
static void init_mapping(struct address_space *mapping, bool huge)
{
	mapping->a_ops = &rmem_aops;
	mapping_set_gfp_mask(mapping, GFP_HIGHUSER);
	mapping_set_inaccessible(mapping);
	if (huge)
		mapping_set_large_folios(mapping);
}

/* A new inode of size zero. */
struct inode *rmem_inode_create(unsigned int flags)
{
	struct inode *inode;
	int err;

	inode = anon_inode_make_secure_inode(rmem_mnt->mnt_sb,
					     "[restrictedmem]", NULL);
	if (IS_ERR(inode))
		return inode;

	inode->i_mode |= S_IFREG;
	inode->i_op = &rmem_iops;
	atomic_long_inc(&rmem_inodes);
	to_rmem(inode)->flags = flags;
	rmem_account_init(to_rmem(inode));
	init_mapping(inode->i_mapping, rmem_is_huge(to_rmem(inode)));
	err = inherit_policy(to_rmem(inode));
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

static int rmem_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, RESTRICTEDMEM_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &rmem_super_ops;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type rmem_fs = {
	.name			= "restrictedmem",
	.init_fs_context	= rmem_init_fs_context,
	.kill_sb		= kill_anon_super,
};

static int __init rmem_init(void)
{
	int err = rmem_direct_init();

	if (err)
		return err;

	rmem_inode_cache = kmem_cache_create("restrictedmem_inode",
					     sizeof(struct restrictedmem_inode),
					     0, SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					     rmem_inode_init_once);
	if (!rmem_inode_cache)
		return -ENOMEM;

	rmem_mnt = kern_mount(&rmem_fs);
	if (IS_ERR(rmem_mnt)) {
		kmem_cache_destroy(rmem_inode_cache);
		return PTR_ERR(rmem_mnt);
	}
	return 0;
}
fs_initcall(rmem_init);
