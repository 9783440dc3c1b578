// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watchers: page tracking for user space, include/uapi/linux/kvm_track.h.
 *
 * A watcher ends when its descriptor is closed, when it leaves a question
 * unanswered for too long, or when it breaks the ring. If it still watches pages
 * then, it has failed: the VM is stopped if it was to be, and otherwise the pages
 * are released and everything goes on as if nobody had ever watched.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/file.h>
#include <linux/kvm_host.h>
#include <linux/kvm_rmem.h>
#include <linux/kvm_track_attach.h>
#include <linux/log2.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mmu.h"
#include "track_watch.h"

#define MAX_RANGES	4096
#define MAX_PAGES	(16UL * 1024 * 1024)
#define FLAGS_ALL	(KVM_TRACK_REGISTERS | KVM_TRACK_STOP | KVM_TRACK_EXIT)
#define ACCESS_ALL	(KVM_TRACK_READ | KVM_TRACK_WRITE | \
			 KVM_TRACK_WRITTEN | KVM_TRACK_EXEC | KVM_TRACK_WALK)
#define ACCESS_TRACKED	(ACCESS_ALL & ~KVM_TRACK_WALK)

static unsigned int access_of(struct track_watch *watch, gfn_t gfn)
{
	void *entry = xa_load(&watch->pages, gfn);

	return entry ? xa_to_value(entry) : 0;
}

/* Remembered as by kvm_track_modes(). */
unsigned int track_watch_access(struct track_watch *watch,
				struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct kvm_vcpu_track *seen = &vcpu->arch.track;
	u64 generation;

	/* Pairs with the release in kvm_track_changed(). */
	generation = atomic64_read_acquire(&vcpu->kvm->arch.track->generation);
	if (seen->watch_generation == generation && seen->watch == watch &&
	    seen->watch_gfn == gfn)
		return seen->watch_access;
	seen->watch_access = access_of(watch, gfn);
	seen->watch = watch;
	seen->watch_gfn = gfn;
	seen->watch_generation = generation;
	return seen->watch_access;
}

static unsigned int modes_of(unsigned int access)
{
	unsigned int modes = 0;

	if (access & KVM_TRACK_READ)
		modes |= BIT(KVM_TRACK_MODE_PREREAD);
	if (access & KVM_TRACK_WRITE)
		modes |= BIT(KVM_TRACK_MODE_PREWRITE);
	if (access & KVM_TRACK_WRITTEN)
		modes |= BIT(KVM_TRACK_MODE_WRITE);
	if (access & KVM_TRACK_EXEC)
		modes |= BIT(KVM_TRACK_MODE_PREEXEC);
	return modes;
}

/*
 * The watcher's own note is made first, or a vCPU could find the page tracked
 * and nobody who wants to know.
 */
static int set_page(struct track_watch *watch, gfn_t gfn, unsigned int access)
{
	unsigned int old = access_of(watch, gfn);
	unsigned int was = modes_of(old), is = modes_of(access);
	void *entry;
	int err;

	lockdep_assert_held(&watch->lock);
	entry = xa_store(&watch->pages, gfn, access ? xa_mk_value(access) : NULL,
			 GFP_KERNEL_ACCOUNT);
	if (xa_is_err(entry))
		return xa_err(entry);
	err = was == is ? 0 :
	      kvm_track_change(watch->kvm, gfn, was & ~is, is & ~was);
	if (err)
		/* There is an entry, or there was none: no memory is needed. */
		xa_store(&watch->pages, gfn, old ? xa_mk_value(old) : NULL,
			 GFP_KERNEL_ACCOUNT);
	return err;
}

static int clear_range(struct track_watch *watch, gfn_t first, gfn_t last)
{
	unsigned long gfn;
	void *entry;
	int err = 0;

	xa_for_each_range(&watch->pages, gfn, entry, first, last) {
		err = set_page(watch, gfn, 0);
		if (err)
			break;
		cond_resched();
	}
	return err;
}

static int fill_range(struct track_watch *watch, gfn_t first, gfn_t last,
		      unsigned int access)
{
	gfn_t gfn;
	int err = 0;

	for (gfn = first; !err && gfn <= last; gfn++) {
		err = fatal_signal_pending(current) ? -EINTR :
		      set_page(watch, gfn, access);
		cond_resched();
	}
	return err;
}

/* One zap for all of it, also for what was done before an error. */
static int set_range(struct track_watch *watch,
		     const struct kvm_track_range *range)
{
	gfn_t first = range->gfn, last = range->gfn + range->npages - 1;
	unsigned int access = range->access;
	int err;

	if (access && range->flags & KVM_TRACK_LOG)
		access |= WATCH_LOG;
	err = access ? fill_range(watch, first, last, access) :
		       clear_range(watch, first, last);
	kvm_track_changed(watch->kvm);
	kvm_zap_gfn_range(watch->kvm, first, last + 1);
	return err;
}

static bool is_private_range(struct kvm *kvm, const struct kvm_track_range *range)
{
	gfn_t gfn, last = range->gfn + range->npages - 1;

	if (!kvm_arch_has_private_mem(kvm))
		return false;
	guard(srcu)(&kvm->srcu);
	for (gfn = range->gfn; gfn <= last; gfn++) {
		if (kvm_mem_is_private(kvm, gfn) &&
		    !kvm_rmem_gfn(gfn_to_memslot(kvm, gfn), gfn))
			return true;
		cond_resched();
	}
	return false;
}

static int check_range(struct track_watch *watch,
		       const struct kvm_track_range *range)
{
	if (!range->npages || range->gfn > kvm_mmu_max_gfn() ||
	    range->npages - 1 > kvm_mmu_max_gfn() - range->gfn)
		return -EINVAL;
	if (range->access & ~ACCESS_ALL || range->flags & ~KVM_TRACK_LOG)
		return -EINVAL;
	if (!range->access)
		return 0;
	if (!(range->access & ACCESS_TRACKED))
		return -EINVAL;
	if (range->npages > MAX_PAGES)
		return -E2BIG;
	return is_private_range(watch->kvm, range) ? -EOPNOTSUPP : 0;
}

static int set_ranges(struct track_watch *watch,
		      const struct kvm_track_range *range, u32 nr)
{
	int err = 0;
	u32 i;

	for (i = 0; !err && i < nr; i++)
		err = check_range(watch, &range[i]);
	if (err)
		return err;
	mutex_lock(&watch->lock);
	for (i = 0; !err && i < nr; i++)
		err = watch->over ? -EIO : set_range(watch, &range[i]);
	mutex_unlock(&watch->lock);
	return err;
}

static long set_access(struct track_watch *watch, void __user *argp)
{
	struct kvm_track_access access;
	struct kvm_track_range *range;
	int err;

	if (copy_from_user(&access, argp, sizeof(access)))
		return -EFAULT;
	if (!access.nr || access.flags)
		return -EINVAL;
	if (access.nr > MAX_RANGES)
		return -E2BIG;
	range = vmemdup_array_user(u64_to_user_ptr(access.ranges), access.nr,
				   sizeof(*range));
	if (IS_ERR(range))
		return PTR_ERR(range);
	err = set_ranges(watch, range, access.nr);
	kvfree(range);
	return err;
}

/*
 * The watcher cannot or will not answer. Context: a vCPU that asked it, out of
 * kvm->srcu or not, or the last close.
 */
void track_watch_fail(struct track_watch *watch)
{
	bool watches;

	mutex_lock(&watch->lock);
	watches = !xa_empty(&watch->pages);
	if (watches && watch->stops)
		kvm_vm_dead(watch->kvm);
	track_watch_over(watch);
	if (watches) {
		/* Removing needs no memory. */
		WARN_ON_ONCE(clear_range(watch, 0, ULONG_MAX));
		kvm_track_changed(watch->kvm);
		kvm_zap_gfn_range(watch->kvm, 0, kvm_mmu_max_gfn() + 1);
	}
	mutex_unlock(&watch->lock);
}

static long watch_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct track_watch *watch = file->private_data;
	void __user *argp = (void __user *)arg;
	struct kvm_track_answers answers;

	switch (cmd) {
	case KVM_TRACK_SET_ACCESS:
		return set_access(watch, argp);
	case KVM_TRACK_ANSWER:
		if (copy_from_user(&answers, argp, sizeof(answers)))
			return -EFAULT;
		if (answers.flags & ~KVM_TRACK_AWAIT || answers.nr > INT_MAX)
			return -EINVAL;
		return track_watch_answer(watch, &answers);
	default:
		return -ENOTTY;
	}
}

/* What poll() says of the descriptor. */
__poll_t track_watch_state(struct track_watch *watch)
{
	__poll_t mask = 0;

	spin_lock(&watch->ring_lock);
	if (track_ring_readable(&watch->ring))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (watch->over)
		mask |= EPOLLHUP;
	spin_unlock(&watch->ring_lock);
	return mask;
}

static __poll_t watch_poll(struct file *file, poll_table *wait)
{
	struct track_watch *watch = file->private_data;

	poll_wait(file, &watch->readers, wait);
	return track_watch_state(watch);
}

static vm_fault_t watch_fault(struct vm_fault *vmf)
{
	struct track_watch *watch = vmf->vma->vm_file->private_data;

	if (vmf->pgoff >= watch->size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;
	vmf->page = vmalloc_to_page(watch->memory + (vmf->pgoff << PAGE_SHIFT));
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct watch_vm_ops = {
	.fault = watch_fault,
};

/* By faults, as KVM's own rings: the class of the memory has no VM_USERMAP. */
static int watch_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct track_watch *watch = file->private_data;
	unsigned long pages = watch->size >> PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff > pages ||
	    vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_ops = &watch_vm_ops;
	return 0;
}

static void free_memory(struct track_watch *watch)
{
	xa_destroy(&watch->pages);
	vfree(watch->memory);
	kfree(watch);
}

static void watch_free(struct work_struct *work)
{
	struct track_watch *watch = container_of(work, struct track_watch,
						 free_work);
	struct kvm *kvm = watch->kvm;

	free_memory(watch);
	kvm_put_kvm(kvm);
}

static void watch_free_rcu(struct rcu_head *rcu)
{
	struct track_watch *watch = container_of(rcu, struct track_watch, rcu);

	INIT_WORK(&watch->free_work, watch_free);
	schedule_work(&watch->free_work);
}

/* What a vCPU has been told is not told whom it is from: there can be only one. */
static bool take_exits(struct track_watch *watch)
{
	return !watch->exits ||
	       !cmpxchg(&watch->kvm->arch.track->vmm, NULL, watch);
}

static void give_exits(struct track_watch *watch)
{
	if (watch->exits)
		WRITE_ONCE(watch->kvm->arch.track->vmm, NULL);
}

/* Does not wait for vCPUs that are asking somebody else right now. */
static int watch_release(struct inode *inode, struct file *file)
{
	struct track_watch *watch = file->private_data;

	track_watch_fail(watch);
	give_exits(watch);
	kvm_track_unlink(watch->kvm, &watch->node);
	call_srcu(&watch->kvm->arch.track->srcu, &watch->rcu, watch_free_rcu);
	return 0;
}

static const struct file_operations watch_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = watch_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = watch_poll,
	.mmap = watch_mmap,
	.release = watch_release,
	.llseek = noop_llseek,
};

static int check_create(const struct kvm_track_create *create)
{
	if (create->version != KVM_TRACK_VERSION)
		return -EINVAL;
	if (create->flags & ~FLAGS_ALL ||
	    memchr_inv(create->reserved, 0, sizeof(create->reserved)))
		return -EINVAL;
	if (!is_power_of_2(create->nr_events) ||
	    create->nr_events < KVM_TRACK_MIN_EVENTS ||
	    create->nr_events > KVM_TRACK_MAX_EVENTS)
		return -EINVAL;
	if (!create->batch || create->batch > create->nr_events)
		return -EINVAL;
	if (create->flags & KVM_TRACK_EXIT && create->timeout_ms)
		return -EINVAL;
	return create->timeout_ms > INT_MAX ? -EINVAL : 0;
}

static struct track_watch *watch_create(struct kvm *kvm,
					const struct kvm_track_create *create)
{
	struct track_watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL_LOCAL);

	if (!watch)
		return NULL;
	watch->size = PAGE_SIZE + PAGE_ALIGN(create->nr_events *
					     sizeof(struct kvm_track_event));
	watch->memory = __vmalloc(watch->size, GFP_KERNEL_LOCAL | __GFP_ZERO);
	if (!watch->memory) {
		kfree(watch);
		return NULL;
	}
	track_ring_init(&watch->ring, watch->memory, PAGE_SIZE,
			create->nr_events, create->batch,
			create->flags & KVM_TRACK_REGISTERS);
	xa_init_flags(&watch->pages, XA_FLAGS_ACCOUNT);
	mutex_init(&watch->lock);
	spin_lock_init(&watch->ring_lock);
	INIT_LIST_HEAD(&watch->waits);
	init_waitqueue_head(&watch->readers);
	init_waitqueue_head(&watch->room);
	watch->kvm = kvm;
	watch->stops = create->flags & KVM_TRACK_STOP;
	watch->exits = create->flags & KVM_TRACK_EXIT;
	watch->timeout_ms = create->timeout_ms;
	watch->node.order = create->order;
	track_watch_set_callbacks(&watch->node);
	return watch;
}

/* The file takes the watcher over; it is published last. */
static int watch_publish(struct track_watch *watch)
{
	struct file *file;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	file = anon_inode_getfile("kvm-track", &watch_fops, watch, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

/*
 * Having the descriptor is not enough: a VMM may have passed it to somebody who is
 * to do less than it. The mm outlives the VM, its user namespace the mm.
 */
bool __kvm_track_may_attach(const struct kvm *kvm, unsigned int ioctl)
{
	return ioctl == KVM_TRACK_CREATE &&
	       ns_capable(kvm->mm->user_ns, CAP_SYS_PTRACE);
}

/* The watcher is undone by its file from then on. */
static int watch_start(struct track_watch *watch)
{
	struct kvm *kvm = watch->kvm;
	int ret = kvm_track_register(kvm, &watch->node);

	if (ret)
		goto err_free;
	ret = -EBUSY;
	if (!take_exits(watch))
		goto err_unregister;
	ret = watch_publish(watch);
	if (ret >= 0)
		return ret;

	give_exits(watch);
err_unregister:
	kvm_track_unregister(kvm, &watch->node);
err_free:
	free_memory(watch);
	return ret;
}

/*
 * KVM_TRACK_CREATE: a descriptor, or -EFAULT, -EINVAL, -EPERM, -EBUSY, -ENOMEM,
 * -EMFILE ...
 */
int kvm_track_ioctl(struct kvm *kvm, void __user *argp)
{
	struct kvm_track_create create;
	struct track_watch *watch;
	int ret;

	if (copy_from_user(&create, argp, sizeof(create)))
		return -EFAULT;
	ret = check_create(&create);
	if (ret)
		return ret;
	/* Who else would answer? */
	if (create.flags & KVM_TRACK_EXIT && kvm->mm != current->mm)
		return -EPERM;
	watch = watch_create(kvm, &create);
	return watch ? watch_start(watch) : -ENOMEM;
}

int kvm_track_version(void)
{
	return KVM_TRACK_VERSION;
}
