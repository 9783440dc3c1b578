// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes of page tracking that do as they are told.
 *
 * Each open of /sys/kernel/debug/kvm_track_test is a node, on a VM that the writer
 * has a descriptor of. One command for each write:
 *
 *   register FD ORDER            the descriptor, and the order of the node
 *   unregister                   removes its pages first
 *   add MODE GFN [N]             N times, or as often as it works
 *   remove MODE GFN [N]          no more than has been added
 *   slot MODE GFN                adds the page when a slot that has it is created
 *   answer CALL ACTION N [HEX]   deny, drop or supply, the next N times
 *   log                          from now on, and forget what there is
 *
 * Reading tells how often each call was made and, with "log", the last calls as
 * NUMBER CALL GPA GVA BYTES [DATA]; numbers are common to all nodes.
 */
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/hex.h>
#include <linux/kvm_host.h>
#include <linux/module.h>
#include <linux/nonsensitive.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/xarray.h>

#include <asm/kvm_track.h>

#include "track_count.h"

#define LOG_CALLS	64
#define DATA_BYTES	16
#define MAX_COMMAND	128

/* The first ones are modes too, in the same order. */
enum call {
	CALL_PREREAD, CALL_PREWRITE, CALL_WRITE, CALL_PREEXEC,
	CALL_WALK = KVM_TRACK_NR_MODES,
	CALL_UNHANDLED,
	CALL_CREATE_SLOT,
	CALL_REMOVE_REGION,
	NR_CALLS,
};

static const char * const call_names[NR_CALLS] = {
	"preread", "prewrite", "write", "preexec",
	"walk", "unhandled", "create_slot", "remove_region",
};

enum action { ACTION_DENY, ACTION_DROP, ACTION_SUPPLY };

static const char * const action_names[] = { "deny", "drop", "supply" };

struct told {
	unsigned int number;
	enum call call;
	gpa_t gpa;
	gva_t gva;
	int bytes;
	u8 data[DATA_BYTES];
	unsigned int len;	/* of data */
};

struct answer {
	enum action action;
	atomic_t left;
	u8 data[DATA_BYTES];
};

struct test_node {
	struct kvm_track_node node;
	struct kvm *kvm;	/* NULL: not registered */
	struct mutex lock;	/* of commands */

	struct mutex pages_lock;	/* callbacks take it; of what follows */
	struct xarray pages;	/* gfn: what has been added, as in track_count.h */
	gfn_t slot_gfn;
	unsigned int slot_mode;	/* KVM_TRACK_NR_MODES: none */

	struct answer answer[NR_CALLS];
	atomic_t calls[NR_CALLS];

	spinlock_t log_lock;	/* of what follows */
	bool logs;
	unsigned int nr_log;
	struct told log[LOG_CALLS];
};

/* Sensitive memory: only a node that logs touches it. */
static atomic_t numbers;

static struct test_node *to_test(struct kvm_track_node *node)
{
	return container_of(node, struct test_node, node);
}

static void tell(struct test_node *t, enum call call, gpa_t gpa, gva_t gva,
		 int bytes, const u8 *data)
{
	struct told *told;

	atomic_inc(&t->calls[call]);
	if (!READ_ONCE(t->logs))
		return;
	spin_lock(&t->log_lock);
	told = &t->log[t->nr_log++ % LOG_CALLS];
	*told = (struct told) {
		.number = atomic_inc_return(&numbers),
		.call = call, .gpa = gpa, .gva = gva, .bytes = bytes,
		.len = data ? min(bytes, DATA_BYTES) : 0,
	};
	if (data)
		memcpy(told->data, data, told->len);
	spin_unlock(&t->log_lock);
}

/* Is it to be answered like this, this time? */
static bool answers(struct test_node *t, enum call call, enum action action)
{
	struct answer *answer = &t->answer[call];

	return answer->action == action &&
	       atomic_dec_if_positive(&answer->left) >= 0;
}

static bool test_preread(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			 gpa_t gpa, gva_t gva, u8 *new, int bytes, bool *ready)
{
	struct test_node *t = to_test(node);

	tell(t, CALL_PREREAD, gpa, gva, bytes, NULL);
	if (answers(t, CALL_PREREAD, ACTION_SUPPLY)) {
		memcpy(new, t->answer[CALL_PREREAD].data, min(bytes, DATA_BYTES));
		*ready = true;
	}
	return !answers(t, CALL_PREREAD, ACTION_DENY);
}

static bool test_prewrite(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			  gpa_t gpa, gva_t gva, const u8 *new, int bytes,
			  bool *drop)
{
	struct test_node *t = to_test(node);

	tell(t, CALL_PREWRITE, gpa, gva, bytes, new);
	if (answers(t, CALL_PREWRITE, ACTION_DROP))
		*drop = true;
	return !answers(t, CALL_PREWRITE, ACTION_DENY);
}

static void test_write(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
		       gpa_t gpa, gva_t gva, const u8 *new, int bytes)
{
	tell(to_test(node), CALL_WRITE, gpa, gva, bytes, new);
}

static bool test_preexec(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			 gpa_t gpa, gva_t gva)
{
	struct test_node *t = to_test(node);

	tell(t, CALL_PREEXEC, gpa, gva, 0, NULL);
	return !answers(t, CALL_PREEXEC, ACTION_DENY);
}

static void test_walk(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
		      gpa_t gpa)
{
	tell(to_test(node), CALL_WALK, gpa, 0, 0, NULL);
}

/* The mode stands where others have the address. */
static bool test_unhandled(struct kvm_track_node *node, struct kvm_vcpu *vcpu,
			   gpa_t gpa, enum kvm_track_mode mode)
{
	struct test_node *t = to_test(node);

	tell(t, CALL_UNHANDLED, gpa, mode, 0, NULL);
	return !answers(t, CALL_UNHANDLED, ACTION_DENY);
}

/* What the node has added, one more or one less; the page follows. */
static int change_page(struct test_node *t, enum kvm_track_mode mode, gfn_t gfn,
		       bool add)
{
	void *entry = xa_load(&t->pages, gfn);
	u64 counts = entry ? xa_to_value(entry) : 0;
	int err = 0;

	lockdep_assert_held(&t->pages_lock);
	if (!add && !track_count_down(&counts, mode))
		return -ENOENT;
	if (add)
		err = kvm_track_add_page(t->kvm, gfn, mode);
	else
		kvm_track_remove_page(t->kvm, gfn, mode);
	if (err)
		return err;
	if (add)
		track_count_up(&counts, mode);
	entry = xa_store(&t->pages, gfn, counts ? xa_mk_value(counts) : NULL,
			 GFP_KERNEL);
	if (xa_is_err(entry) && add)
		kvm_track_remove_page(t->kvm, gfn, mode);
	return xa_err(entry);
}

static void test_create_slot(struct kvm_track_node *node, struct kvm *kvm,
			     struct kvm_memory_slot *slot, unsigned long npages)
{
	struct test_node *t = to_test(node);

	tell(t, CALL_CREATE_SLOT, gfn_to_gpa(slot->base_gfn), 0, npages, NULL);
	mutex_lock(&t->pages_lock);
	if (t->slot_mode < KVM_TRACK_NR_MODES && t->slot_gfn >= slot->base_gfn &&
	    t->slot_gfn - slot->base_gfn < npages)
		WARN_ON_ONCE(change_page(t, t->slot_mode, t->slot_gfn, true));
	mutex_unlock(&t->pages_lock);
}

static void test_remove_region(struct kvm_track_node *node, gfn_t gfn,
			       unsigned long npages)
{
	tell(to_test(node), CALL_REMOVE_REGION, gfn_to_gpa(gfn), 0, npages, NULL);
}

static int command_register(struct test_node *t, const char *args)
{
	unsigned int fd;
	struct file *file;
	int err = -EINVAL;

	if (t->kvm)
		return -EBUSY;
	if (sscanf(args, "%u %d", &fd, &t->node.order) != 2)
		return -EINVAL;
	file = fget(fd);
	if (!file)
		return -EBADF;
	if (file_is_kvm(file)) {
		t->kvm = file->private_data;
		err = kvm_track_register(t->kvm, &t->node);
		if (err)
			t->kvm = NULL;
	}
	fput(file);
	return err;
}

static bool remove_one(struct test_node *t, gfn_t gfn)
{
	int mode;

	for (mode = 0; mode < KVM_TRACK_NR_MODES; mode++)
		if (!change_page(t, mode, gfn, false))
			return true;
	return false;
}

static void remove_all(struct test_node *t)
{
	unsigned long gfn;
	void *entry;

	mutex_lock(&t->pages_lock);
	t->slot_mode = KVM_TRACK_NR_MODES;
	xa_for_each(&t->pages, gfn, entry)
		while (remove_one(t, gfn))
			cond_resched();
	mutex_unlock(&t->pages_lock);
}

static int command_unregister(struct test_node *t, const char *args)
{
	if (!t->kvm)
		return -ENXIO;
	remove_all(t);
	kvm_track_unregister(t->kvm, &t->node);
	t->kvm = NULL;
	return 0;
}

static int find_name(const char *name, const char * const *names, int nr)
{
	int i = match_string(names, nr, name);

	return i < 0 ? -EINVAL : i;
}

/* MODE GFN [N] */
static int parse_page(const char *args, int *mode, gfn_t *gfn, unsigned int *n)
{
	char name[16];

	*n = 1;
	if (sscanf(args, "%15s %llx %u", name, gfn, n) < 2)
		return -EINVAL;
	*mode = find_name(name, call_names, KVM_TRACK_NR_MODES);
	return min(*mode, 0);
}

static int change_pages(struct test_node *t, const char *args, bool add)
{
	unsigned int n;
	gfn_t gfn;
	int mode, err;

	err = t->kvm ? parse_page(args, &mode, &gfn, &n) : -ENXIO;
	mutex_lock(&t->pages_lock);
	for (; !err && n; n--) {
		err = change_page(t, mode, gfn, add);
		cond_resched();
	}
	mutex_unlock(&t->pages_lock);
	return err;
}

static int command_add(struct test_node *t, const char *args)
{
	return change_pages(t, args, true);
}

static int command_remove(struct test_node *t, const char *args)
{
	return change_pages(t, args, false);
}

static int command_slot(struct test_node *t, const char *args)
{
	unsigned int n;
	int mode, err;
	gfn_t gfn;

	err = parse_page(args, &mode, &gfn, &n);
	if (err)
		return err;
	mutex_lock(&t->pages_lock);
	t->slot_mode = mode;
	t->slot_gfn = gfn;
	mutex_unlock(&t->pages_lock);
	return 0;
}

static int command_answer(struct test_node *t, const char *args)
{
	char name[16], action[8], hex[2 * DATA_BYTES + 1] = "";
	struct answer *answer;
	int call, what;
	unsigned int n;

	if (sscanf(args, "%15s %7s %u %32s", name, action, &n, hex) < 3)
		return -EINVAL;
	call = find_name(name, call_names, NR_CALLS);
	what = find_name(action, action_names, ARRAY_SIZE(action_names));
	if (call < 0 || what < 0)
		return -EINVAL;
	answer = &t->answer[call];
	if (hex2bin(answer->data, hex, strlen(hex) / 2))
		return -EINVAL;
	answer->action = what;
	atomic_set(&answer->left, n);
	return 0;
}

static int command_log(struct test_node *t, const char *args)
{
	spin_lock(&t->log_lock);
	t->nr_log = 0;
	t->logs = true;
	spin_unlock(&t->log_lock);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct test_node *t, const char *args);
} commands[] = {
	{ "register", command_register },
	{ "unregister", command_unregister },
	{ "add", command_add },
	{ "remove", command_remove },
	{ "slot", command_slot },
	{ "answer", command_answer },
	{ "log", command_log },
};

static int run_command(struct test_node *t, char *text)
{
	char *name = strsep(&text, " ");
	int i, err;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name))
			continue;
		mutex_lock(&t->lock);
		err = commands[i].run(t, text ?: "");
		mutex_unlock(&t->lock);
		return err;
	}
	return -EINVAL;
}

static struct test_node *test_of(struct file *file)
{
	return ((struct seq_file *)file->private_data)->private;
}

static ssize_t test_command(struct file *file, const char __user *buf,
			    size_t count, loff_t *pos)
{
	char text[MAX_COMMAND] = "";
	int err;

	if (count >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, buf, count))
		return -EFAULT;
	err = run_command(test_of(file), strim(text));
	return err ?: count;
}

static void show_told(struct seq_file *m, const struct told *told)
{
	seq_printf(m, "%u %s %llx %lx %d", told->number, call_names[told->call],
		   told->gpa, told->gva, told->bytes);
	if (told->len)
		seq_printf(m, " %*phN", told->len, told->data);
	seq_putc(m, '\n');
}

static int test_show(struct seq_file *m, void *unused)
{
	struct test_node *t = m->private;
	unsigned int i;

	for (i = 0; i < NR_CALLS; i++)
		seq_printf(m, "%s %d\n", call_names[i], atomic_read(&t->calls[i]));
	spin_lock(&t->log_lock);
	i = t->nr_log > LOG_CALLS ? t->nr_log - LOG_CALLS : 0;
	for (; i < t->nr_log; i++)
		show_told(m, &t->log[i % LOG_CALLS]);
	spin_unlock(&t->log_lock);
	return 0;
}

static const struct kvm_track_node callbacks = {
	.preread = test_preread,
	.prewrite = test_prewrite,
	.write = test_write,
	.preexec = test_preexec,
	.walk = test_walk,
	.unhandled = test_unhandled,
	.create_slot = test_create_slot,
	.remove_region = test_remove_region,
};

/* Local memory of whoever opens it: a vCPU that calls the node reads it. */
static int test_open(struct inode *inode, struct file *file)
{
	struct test_node *t = kzalloc(sizeof(*t), GFP_KERNEL_LOCAL);
	int err;

	if (!t)
		return -ENOMEM;
	t->node = callbacks;
	t->slot_mode = KVM_TRACK_NR_MODES;
	mutex_init(&t->lock);
	mutex_init(&t->pages_lock);
	spin_lock_init(&t->log_lock);
	xa_init(&t->pages);
	err = single_open(file, test_show, t);
	if (err)
		kfree(t);
	return err;
}

static int test_release(struct inode *inode, struct file *file)
{
	struct test_node *t = test_of(file);

	command_unregister(t, "");
	kfree(t);
	return single_release(inode, file);
}

static const struct file_operations test_fops = {
	.owner		= THIS_MODULE,
	.open		= test_open,
	.read		= seq_read,
	.write		= test_command,
	.llseek		= seq_lseek,
	.release	= test_release,
};

static struct dentry *entry;

static int __init track_test_init(void)
{
	entry = debugfs_create_file("kvm_track_test", 0600, NULL, NULL,
				    &test_fops);
	return 0;
}
module_init(track_test_init);

static void __exit track_test_exit(void)
{
	debugfs_remove(entry);
}
module_exit(track_test_exit);

MODULE_DESCRIPTION("Nodes of page tracking that do as they are told");
MODULE_LICENSE("GPL");
