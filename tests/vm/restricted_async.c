// SPDX-License-Identifier: GPL-2.0
/*
 * Ways to a file that do not wait: io_uring and AIO are refused as read() and
 * write() are. And the system call by the table of 32-bit programs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "report.h"
#include "restricted.h"

/* The library has no call for the other table. */
#define NR_MEMFD_RESTRICTED	1451

#define PAGE	4096UL
#define SIZE	(16 * PAGE)

static char buffer[PAGE];

struct ring {
	struct io_uring_params params;
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
};

static char *map_ring(int fd, size_t size, off_t offset)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 offset);

	if (map == MAP_FAILED)
		die("map a ring");
	return map;
}

static bool open_ring(struct ring *ring)
{
	struct io_uring_params *p = &ring->params;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(SYS_io_uring_setup, 4, p);
	if (ring->fd < 0)
		return false;
	ring->sq = map_ring(ring->fd, p->sq_off.array + p->sq_entries * 4,
			    IORING_OFF_SQ_RING);
	ring->cq = map_ring(ring->fd, p->cq_off.cqes +
			    p->cq_entries * sizeof(struct io_uring_cqe),
			    IORING_OFF_CQ_RING);
	ring->sqes = (void *)map_ring(ring->fd, p->sq_entries *
				      sizeof(*ring->sqes), IORING_OFF_SQES);
	return true;
}

static unsigned int *word(char *ring, unsigned int offset)
{
	return (unsigned int *)(ring + offset);
}

/* One request, and what became of it. */
static int submit(struct ring *ring, const struct io_uring_sqe *sqe)
{
	struct io_uring_params *p = &ring->params;
	unsigned int *tail = word(ring->sq, p->sq_off.tail);
	unsigned int *head = word(ring->cq, p->cq_off.head);
	struct io_uring_cqe *cqes = (void *)(ring->cq + p->cq_off.cqes);
	unsigned int at = *tail & *word(ring->sq, p->sq_off.ring_mask);
	int res;

	ring->sqes[at] = *sqe;
	word(ring->sq, p->sq_off.array)[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) != 1)
		return -errno;
	res = cqes[*head & *word(ring->cq, p->cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return res;
}

static void refused(struct ring *ring, struct io_uring_sqe sqe, int expected,
		    const char *what)
{
	int res = submit(ring, &sqe);

	check(res == expected, "io_uring, %s: %s", what, strerror(-res));
}

static struct io_uring_sqe request(int opcode, int fd, void *addr, size_t len)
{
	return (struct io_uring_sqe){ .opcode = opcode, .fd = fd,
		.addr = (uintptr_t)addr, .len = len };
}

/* Pages of a process to do transfers with: the address that KVM uses has none. */
static void no_registered_buffer(struct ring *ring)
{
	struct iovec vec = { (void *)(1UL << 62), PAGE };
	long ret = syscall(SYS_io_uring_register, ring->fd,
			   IORING_REGISTER_BUFFERS, &vec, 1);

	check(ret < 0 && errno == EFAULT, "io_uring, such a buffer: %s",
	      strerror(ret < 0 ? errno : 0));
}

static void by_ring(int fd)
{
	struct iovec vec = { buffer, PAGE };
	struct io_uring_sqe splice;
	struct ring ring;
	int pipes[2];

	if (!open_ring(&ring)) {
		note("no io_uring here: %s", strerror(errno));
		return;
	}
	if (pipe(pipes) || write(pipes[1], "x", 1) != 1)
		die("pipe");
	no_registered_buffer(&ring);
	refused(&ring, request(IORING_OP_NOP, -1, NULL, 0), 0, "nothing");
	refused(&ring, request(IORING_OP_READ, fd, buffer, PAGE), -EINVAL,
		"read");
	refused(&ring, request(IORING_OP_WRITE, fd, buffer, PAGE), -EINVAL,
		"write");
	refused(&ring, request(IORING_OP_READV, fd, &vec, 1), -EINVAL, "readv");
	refused(&ring, request(IORING_OP_WRITEV, fd, &vec, 1), -EINVAL,
		"writev");
	splice = request(IORING_OP_SPLICE, pipes[1], NULL, PAGE);
	splice.splice_fd_in = fd;
	splice.off = splice.splice_off_in = -1;
	refused(&ring, splice, -EINVAL, "splice from");
	splice = request(IORING_OP_SPLICE, fd, NULL, 1);
	splice.splice_fd_in = pipes[0];
	splice.off = splice.splice_off_in = -1;
	refused(&ring, splice, -EINVAL, "splice to");
	close(pipes[0]);
	close(pipes[1]);
	close(ring.fd);
}

static void refused_aio(aio_context_t context, struct iocb iocb,
			const char *what)
{
	struct iocb *list = &iocb;
	long ret = syscall(SYS_io_submit, context, 1, &list);

	check(ret < 0 && errno == EINVAL, "AIO, %s: %s", what,
	      strerror(ret < 0 ? errno : 0));
}

static void by_aio(int fd)
{
	struct iovec vec = { buffer, PAGE };
	const struct {
		int opcode;
		void *addr;
		size_t len;
		const char *what;
	} all[] = {
		{ IOCB_CMD_PREAD, buffer, PAGE, "read" },
		{ IOCB_CMD_PWRITE, buffer, PAGE, "write" },
		{ IOCB_CMD_PREADV, &vec, 1, "readv" },
		{ IOCB_CMD_PWRITEV, &vec, 1, "writev" },
		{ IOCB_CMD_FSYNC, NULL, 0, "fsync" },
	};
	aio_context_t context = 0;
	size_t i;

	if (syscall(SYS_io_setup, 4, &context)) {
		note("no AIO here: %s", strerror(errno));
		return;
	}
	for (i = 0; i < ARRAY_SIZE(all); i++)
		refused_aio(context, (struct iocb){
			.aio_fildes = fd,
			.aio_lio_opcode = all[i].opcode,
			.aio_buf = (uintptr_t)all[i].addr,
			.aio_nbytes = all[i].len,
		}, all[i].what);
	syscall(SYS_io_destroy, context);
}

static long call_32(long nr, long arg)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret) : "a" (nr), "b" (arg) :
		     "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static void by_the_other_table(void)
{
	long fd = call_32(NR_MEMFD_RESTRICTED, RMFD_CLOEXEC);

	if (fd == -ENOSYS) {
		note("no 32-bit system calls here");
		return;
	}
	check(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC, "int 0x80: %ld", fd);
	check(!ftruncate(fd, SIZE) && !restricted_allocate(fd, 0, SIZE),
	      "and the file is as good as any");
	close(fd);
	fd = call_32(NR_MEMFD_RESTRICTED, 4);
	check(fd == -EINVAL, "int 0x80 with an unknown flag: %s",
	      strerror(-fd));
	fd = call_32(NR_MEMFD_RESTRICTED + 1, 0);
	check(fd == -ENOSYS, "the number after it: %s", strerror(-fd));
}

int main(void)
{
	int fd = restricted_open_sized(0, SIZE);

	if (fd == -ENOSYS)
		skip("no memfd_restricted");
	restricted_allocate(fd, 0, SIZE);
	by_ring(fd);
	by_aio(fd);
	by_the_other_table();
	check(restricted_pages(fd) == SIZE / PAGE, "the file is what it was");
	close(fd);
	return report_result();
}
