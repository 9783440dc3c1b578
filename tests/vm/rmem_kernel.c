// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of a sequence, made. A guest is one virtual CPU in protected mode
 * without paging, and its code lies in a slot of ordinary memory: it loads or
 * stores a byte and tells it by a port.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rmem_frames.h"
#include "rmem_kernel.h"
#include "restricted.h"

#define CODE_GPA	(64UL << 20)	/* far from what sequences use */
#define CODE_SLOT	RMEM_SLOTS
#define CODE_LOAD	0
#define CODE_STORE	16
#define PORT		0x10
#define TSS_ADDR	0xfffbd000UL
#define IDENTITY_MAP	0xfffbc000ULL
#define SHARED_SIZE	(RMEM_PAGES * RMEM_PAGE)
#define CR0_PE_ET	0x11
#define MAX_POPULATE	(1024 * RMEM_PAGE)
#define AGAIN		8	/* times that calls at once are made */

struct machine {
	int fd, vcpu;
	struct kvm_run *run;
	uint8_t *code;
	void *shared[RMEM_SLOTS];
};

static struct {
	struct rmem_target target;
	int kvm;
	int run_size;
	int handles[RMEM_HANDLES];
	struct machine vms[RMEM_VMS];
	uint8_t *source;	/* what is copied in */
} kernel;

static int result(long ret)
{
	return ret < 0 ? -errno : 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void *memory(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static void unmap(void *at, size_t size)
{
	if (at)
		munmap(at, size);
}

static void forget(struct machine *vm)
{
	memset(vm, 0, sizeof(*vm));
	vm->fd = -1;
	vm->vcpu = -1;
}

static void destroy(struct machine *vm)
{
	unsigned int i;

	unmap(vm->run, kernel.run_size);
	close_fd(&vm->vcpu);
	close_fd(&vm->fd);
	unmap(vm->code, RMEM_PAGE);
	for (i = 0; i < RMEM_SLOTS; i++)
		unmap(vm->shared[i], SHARED_SIZE);
	forget(vm);
}

/* mov (%esi),%al and mov %al,(%esi), each with an out %al after it. */
static int add_code(struct machine *vm)
{
	static const uint8_t load[] = { 0x8a, 0x06, 0xe6, PORT, 0xf4 };
	static const uint8_t store[] = { 0x88, 0x06, 0xe6, PORT, 0xf4 };
	struct kvm_userspace_memory_region region = {
		.slot = CODE_SLOT, .guest_phys_addr = CODE_GPA,
		.memory_size = RMEM_PAGE,
	};

	vm->code = memory(RMEM_PAGE);
	if (!vm->code)
		return -ENOMEM;
	memcpy(vm->code + CODE_LOAD, load, sizeof(load));
	memcpy(vm->code + CODE_STORE, store, sizeof(store));
	region.userspace_addr = (uintptr_t)vm->code;
	return result(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region));
}

static int set_flat_mode(struct machine *vm)
{
	struct kvm_segment code = { .limit = 0xffffffff, .selector = 8,
		.type = 11, .present = 1, .s = 1, .db = 1, .g = 1 };
	struct kvm_segment data = { .limit = 0xffffffff, .selector = 16,
		.type = 3, .present = 1, .s = 1, .db = 1, .g = 1 };
	struct kvm_sregs sregs;

	if (ioctl(vm->vcpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs = code;
	sregs.ds = data;
	sregs.es = data;
	sregs.fs = data;
	sregs.gs = data;
	sregs.ss = data;
	sregs.cr0 = CR0_PE_ET;
	return result(ioctl(vm->vcpu, KVM_SET_SREGS, &sregs));
}

static int add_vcpu(struct machine *vm)
{
	vm->vcpu = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
	if (vm->vcpu < 0)
		return -errno;
	vm->run = mmap(NULL, kernel.run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vm->vcpu, 0);
	if (vm->run == MAP_FAILED) {
		vm->run = NULL;
		return -errno;
	}
	return set_flat_mode(vm);
}

static int create(struct machine *vm, bool private)
{
	uint64_t identity_map = IDENTITY_MAP;
	int err;

	destroy(vm);
	vm->fd = ioctl(kernel.kvm, KVM_CREATE_VM,
		       private ? KVM_X86_SW_PROTECTED_VM : 0);
	if (vm->fd < 0)
		return -errno;
	err = result(ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDR));
	if (!err)
		err = result(ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR,
				   &identity_map));
	if (!err)
		err = add_code(vm);
	return err ? err : add_vcpu(vm);
}

static int open_file(const struct rmem_op *op)
{
	int fd;

	close_fd(&kernel.handles[op->handle]);
	fd = bulkhead_memfd_restricted(op->flags);
	if (fd >= 0)
		kernel.handles[op->handle] = fd;
	return fd < 0 ? fd : 0;
}

static int close_file(const struct rmem_op *op)
{
	int err = result(close(kernel.handles[op->handle]));

	kernel.handles[op->handle] = -1;
	return err;
}

static int replace(const struct rmem_op *op, int fd)
{
	if (fd < 0)
		return fd;
	close_fd(&kernel.handles[op->handle]);
	kernel.handles[op->handle] = fd;
	return 0;
}

static int dup_file(const struct rmem_op *op)
{
	int fd = dup(kernel.handles[op->from]);

	return replace(op, fd < 0 ? -errno : fd);
}

/* Through a socket and back. A descriptor, or a negative errno. */
static int pass(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec vec = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int socks[2], other = -EIO;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socks))
		return -errno;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	if (sendmsg(socks[0], &msg, 0) != 1)
		other = -errno;
	else if (recvmsg(socks[1], &msg, 0) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&other, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	close(socks[0]);
	close(socks[1]);
	return other;
}

static int pass_file(const struct rmem_op *op)
{
	return replace(op, pass(kernel.handles[op->from]));
}

static int set_size(const struct rmem_op *op)
{
	return result(ftruncate(kernel.handles[op->handle], op->size));
}

static int allocate(const struct rmem_op *op)
{
	return bulkhead_rmem_allocate(kernel.handles[op->handle], op->offset,
				      op->size);
}

static int punch(const struct rmem_op *op)
{
	return bulkhead_rmem_punch(kernel.handles[op->handle], op->offset,
				   op->size);
}

static int child_punch(const struct rmem_op *op)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(-punch(op));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -EIO;
	return -WEXITSTATUS(status);
}

static int zero_range(const struct rmem_op *op)
{
	return result(fallocate(kernel.handles[op->handle],
				FALLOC_FL_ZERO_RANGE, op->offset, op->size));
}

static int read_file(const struct rmem_op *op)
{
	char byte;

	return result(read(kernel.handles[op->handle], &byte, 1));
}

static int map_file(const struct rmem_op *op)
{
	void *map = mmap(NULL, RMEM_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 kernel.handles[op->handle], 0);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, RMEM_PAGE);
	return 0;
}

static int make_vm(const struct rmem_op *op)
{
	return create(&kernel.vms[op->vm], op->flags);
}

static int destroy_vm(const struct rmem_op *op)
{
	int err = kernel.vms[op->vm].fd < 0 ? -EBADF : 0;

	destroy(&kernel.vms[op->vm]);
	return err;
}

static int unbind_slot(const struct rmem_op *op)
{
	struct machine *vm = &kernel.vms[op->vm];
	int err = bulkhead_rmem_unbind(vm->fd, op->slot);

	if (err)
		return err;
	unmap(vm->shared[op->slot], SHARED_SIZE);
	vm->shared[op->slot] = NULL;
	return 0;
}

static int bind_slot(const struct rmem_op *op)
{
	struct machine *vm = &kernel.vms[op->vm];
	struct bulkhead_rmem_slot slot = {
		.id = op->slot, .fd = kernel.handles[op->handle],
		.gpa = op->gpa, .size = op->size, .offset = op->offset,
	};
	int err;

	if (op->flags) {
		slot.shared = memory(SHARED_SIZE);
		if (!slot.shared)
			return -ENOMEM;
	}
	err = bulkhead_rmem_bind(vm->fd, &slot);
	if (err)
		unmap(slot.shared, SHARED_SIZE);
	else
		vm->shared[op->slot] = slot.shared;
	return err;
}

static int populate(const struct rmem_op *op)
{
	const void *source = kernel.source;

	if (op->size > MAX_POPULATE)
		return -E2BIG;
	memset(kernel.source, op->value, op->size);
	/* Where nothing is mapped. */
	if (op->flags)
		source = (void *)16;
	return bulkhead_rmem_populate(kernel.vms[op->vm].fd, op->gpa, source,
				      op->size, NULL);
}

static int seal(const struct rmem_op *op)
{
	return bulkhead_rmem_seal(kernel.vms[op->vm].fd);
}

static int convert(const struct rmem_op *op)
{
	return bulkhead_rmem_convert(kernel.vms[op->vm].fd, op->gpa, op->size,
				     op->flags);
}

static int count_pages(const struct rmem_op *op, struct rmem_answer *answer)
{
	int64_t pages = bulkhead_rmem_pages(kernel.handles[op->handle]);

	if (pages < 0)
		return pages;
	answer->value = pages;
	return 0;
}

/* An exit that is to go on at the next entry goes on, and no further. */
static void finish_exit(struct machine *vm)
{
	vm->run->immediate_exit = 1;
	ioctl(vm->vcpu, KVM_RUN, 0);
	vm->run->immediate_exit = 0;
}

static int run(struct machine *vm, struct rmem_answer *answer)
{
	int ret;

	do {
		ret = ioctl(vm->vcpu, KVM_RUN, 0);
	} while (ret && (errno == EINTR || errno == EAGAIN));
	if (ret)
		return -errno;
	switch (vm->run->exit_reason) {
	case KVM_EXIT_IO:
		answer->value = *((uint8_t *)vm->run + vm->run->io.data_offset);
		break;
	case KVM_EXIT_MMIO:
		answer->value = RMEM_NO_MEMORY;
		break;
	default:
		return -EPROTO;
	}
	finish_exit(vm);
	return 0;
}

static int guest_access(const struct rmem_op *op, struct rmem_answer *answer)
{
	bool store = op->kind == OP_GUEST_WRITE;
	struct machine *vm = &kernel.vms[op->vm];
	struct kvm_regs regs = {
		.rip = CODE_GPA + (store ? CODE_STORE : CODE_LOAD),
		.rsi = op->gpa,
		.rax = store ? op->value : 0,
		.rflags = 2,
	};

	if (vm->fd < 0)
		return -EBADF;
	if (ioctl(vm->vcpu, KVM_SET_REGS, &regs))
		return -errno;
	return run(vm, answer);
}

static int fail_page(const struct rmem_op *op)
{
	return rmem_frame_fail(kernel.handles[op->handle],
			       op->offset / RMEM_PAGE);
}

static int offline_page(const struct rmem_op *op)
{
	return rmem_frame_offline(kernel.handles[op->handle],
				  op->offset / RMEM_PAGE);
}

static int (* const calls[OP_KINDS])(const struct rmem_op *op) = {
	[OP_OPEN] = open_file,
	[OP_CLOSE] = close_file,
	[OP_DUP] = dup_file,
	[OP_PASS] = pass_file,
	[OP_SIZE] = set_size,
	[OP_ALLOCATE] = allocate,
	[OP_PUNCH] = punch,
	[OP_CHILD_PUNCH] = child_punch,
	[OP_ZERO_RANGE] = zero_range,
	[OP_READ] = read_file,
	[OP_MAP] = map_file,
	[OP_VM] = make_vm,
	[OP_VM_GONE] = destroy_vm,
	[OP_BIND] = bind_slot,
	[OP_UNBIND] = unbind_slot,
	[OP_POPULATE] = populate,
	[OP_SEAL] = seal,
	[OP_CONVERT] = convert,
	[OP_FAIL] = fail_page,
	[OP_OFFLINE] = offline_page,
};

static struct rmem_answer kernel_call(struct rmem_target *target,
				      const struct rmem_op *op)
{
	struct rmem_answer answer = { 0 };

	(void)target;
	if (op->kind == OP_PAGES)
		answer.err = count_pages(op, &answer);
	else if (op->kind == OP_GUEST_READ || op->kind == OP_GUEST_WRITE)
		answer.err = guest_access(op, &answer);
	else
		answer.err = calls[op->kind](op);
	return answer;
}

struct caller {
	struct rmem_target *target;
	const struct rmem_op *op;
	struct rmem_answer *answer;
	pthread_barrier_t *start;
};

static bool differ(const struct rmem_answer *a, const struct rmem_answer *b)
{
	return a->err != b->err || a->value != b->value;
}

/* All such calls can be made again and have the same answer; or else that one. */
static void *call_again(void *arg)
{
	struct caller *caller = arg;
	struct rmem_answer answer;
	unsigned int i;

	pthread_barrier_wait(caller->start);
	*caller->answer = kernel_call(caller->target, caller->op);
	for (i = 1; i < AGAIN; i++) {
		answer = kernel_call(caller->target, caller->op);
		if (!differ(&answer, caller->answer))
			continue;
		*caller->answer = answer;
		break;
	}
	return NULL;
}

static void kernel_both(struct rmem_target *target, const struct rmem_op *a,
			const struct rmem_op *b, struct rmem_answer *answers)
{
	pthread_barrier_t start;
	struct caller one = { target, a, &answers[0], &start };
	struct caller other = { target, b, &answers[1], &start };
	pthread_t thread;

	pthread_barrier_init(&start, NULL, 2);
	if (pthread_create(&thread, NULL, call_again, &other)) {
		answers[0] = kernel_call(target, a);
		answers[1] = kernel_call(target, b);
	} else {
		call_again(&one);
		pthread_join(thread, NULL);
	}
	pthread_barrier_destroy(&start);
}

static void kernel_reset(struct rmem_target *target)
{
	unsigned int i;

	(void)target;
	for (i = 0; i < RMEM_VMS; i++)
		destroy(&kernel.vms[i]);
	for (i = 0; i < RMEM_HANDLES; i++)
		close_fd(&kernel.handles[i]);
	rmem_frames_reset();
}

struct rmem_target *rmem_kernel_open(void)
{
	unsigned int i;

	memset(&kernel, 0, sizeof(kernel));
	for (i = 0; i < RMEM_VMS; i++)
		forget(&kernel.vms[i]);
	for (i = 0; i < RMEM_HANDLES; i++)
		kernel.handles[i] = -1;
	kernel.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	kernel.source = memory(MAX_POPULATE);
	if (kernel.kvm < 0 || !kernel.source)
		return NULL;
	kernel.run_size = ioctl(kernel.kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	kernel.target.reset = kernel_reset;
	kernel.target.call = kernel_call;
	kernel.target.both = kernel_both;
	kernel.target.has_failures = rmem_frames_open();
	kernel.target.has_private = !create(&kernel.vms[0], true);
	return &kernel.target;
}

void rmem_kernel_close(struct rmem_target *target)
{
	kernel_reset(target);
	rmem_frames_close();
	unmap(kernel.source, MAX_POPULATE);
	close(kernel.kvm);
}
