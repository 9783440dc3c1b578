// SPDX-License-Identifier: GPL-2.0
/*
 * A restricted file in the hands of user space: every way to its contents is
 * refused, each with its errno, and what is allowed keeps to its rules.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "restricted.h"

#define PAGE	4096UL
#define LARGE	(2UL << 20)
#define SIZE	(4 * LARGE)

static int sized(unsigned int flags)
{
	int fd = restricted_open_sized(flags, SIZE);

	if (fd < 0)
		die("memfd_restricted");
	return fd;
}

/* @ret is what a call returned that must have failed with @err. */
static void fails(long ret, int err, const char *what)
{
	int got = ret < 0 ? errno : 0;

	check(got == err, "%s: %s", what, strerror(got));
}

static void flags_are_checked(void)
{
	unsigned int bit;
	int fd;

	for (bit = 2; bit < 32; bit++) {
		fd = restricted_open(1U << bit);
		if (fd != -EINVAL)
			break;
	}
	check(bit == 32, "unknown flags are refused");

	fd = restricted_open(0);
	check(fd >= 0 && !(fcntl(fd, F_GETFD) & FD_CLOEXEC),
	      "without flags it survives exec");
	check((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR, "open for both");
	close(fd);
	fd = restricted_open(RMFD_CLOEXEC | RMFD_HUGEPAGE);
	check(fd >= 0 && fcntl(fd, F_GETFD) & FD_CLOEXEC, "RMFD_CLOEXEC");
	close(fd);
}

static void io_is_refused(int fd)
{
	char buffer[64] = "";
	struct iovec vec = { buffer, sizeof(buffer) };

	fails(read(fd, buffer, 64), EINVAL, "read");
	fails(write(fd, buffer, 64), EINVAL, "write");
	fails(readv(fd, &vec, 1), EINVAL, "readv");
	fails(writev(fd, &vec, 1), EINVAL, "writev");
	fails(pread(fd, buffer, 64, 0), ESPIPE, "pread");
	fails(pwrite(fd, buffer, 64, 0), ESPIPE, "pwrite");
	fails(preadv2(fd, &vec, 1, 0, 0), ESPIPE, "preadv2");
	fails(lseek(fd, 0, SEEK_SET), ESPIPE, "lseek");
	fails(lseek(fd, 0, SEEK_DATA), ESPIPE, "lseek for data");
	fails(ioctl(fd, BLKGETSIZE64, buffer), ENOTTY, "ioctl");
}

static void maps_are_refused(int fd)
{
	static const int kinds[] = { MAP_SHARED, MAP_PRIVATE,
				     MAP_SHARED_VALIDATE };
	void *map;
	size_t i;

	for (i = 0; i < 3; i++) {
		map = mmap(NULL, PAGE, PROT_READ, kinds[i], fd, 0);
		fails(map == MAP_FAILED ? -1 : 0, ENODEV, "mmap to read");
		map = mmap(NULL, PAGE, PROT_WRITE, kinds[i], fd, 0);
		fails(map == MAP_FAILED ? -1 : 0, ENODEV, "mmap to write");
	}
	map = mmap(NULL, PAGE, PROT_EXEC, MAP_PRIVATE, fd, 0);
	fails(map == MAP_FAILED ? -1 : 0, EPERM, "mmap to execute");
}

static void copies_are_refused(int fd)
{
	char path[] = "/tmp/restricted.XXXXXX";
	int other = mkstemp(path);
	loff_t at = 0, to = LARGE;
	int pipes[2];
	off_t off = 0;

	if (other < 0 || pipe(pipes) || write(other, "x", 1) != 1 ||
	    write(pipes[1], "x", 1) != 1)
		die("files to copy to");
	unlink(path);
	fails(splice(fd, NULL, pipes[1], NULL, PAGE, 0), EINVAL, "splice from");
	fails(splice(pipes[0], NULL, fd, NULL, 1, 0), EINVAL, "splice to");
	fails(splice(fd, &at, pipes[1], NULL, PAGE, 0), EINVAL,
	      "splice from an offset");
	fails(sendfile(other, fd, NULL, PAGE), EINVAL, "sendfile from");
	fails(sendfile(other, fd, &off, PAGE), ESPIPE,
	      "sendfile from an offset");
	lseek(other, 0, SEEK_SET);
	fails(sendfile(fd, other, NULL, 1), EINVAL, "sendfile to");
	fails(copy_file_range(fd, NULL, other, NULL, PAGE, 0), EXDEV,
	      "copy_file_range from");
	fails(copy_file_range(other, NULL, fd, NULL, 1, 0), EXDEV,
	      "copy_file_range to");
	fails(copy_file_range(fd, &at, fd, &to, PAGE, 0), EINVAL,
	      "copy_file_range inside");
	close(pipes[0]);
	close(pipes[1]);
	close(other);
}

/* Another opening of the same inode would be as good as the first. */
static void reopening_is_refused(int fd)
{
	char path[64];
	int other;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fails(open(path, O_RDONLY), ENXIO, "re-open to read");
	fails(open(path, O_RDWR), ENXIO, "re-open to write");
	fails(open(path, O_RDWR | O_TRUNC), ENXIO, "re-open to truncate");
	fails(truncate(path, 0), EPERM, "truncate by name");
	fails(linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/link", AT_SYMLINK_FOLLOW),
	      EXDEV, "a name for it");
	other = open(path, O_PATH);
	check(other >= 0, "O_PATH");
	fails(fallocate(other, 0, 0, PAGE), EBADF, "allocate through O_PATH");
	fails(ftruncate(other, PAGE), EBADF, "truncate through O_PATH");
	close(other);
	fails(execve(path, (char *[]){ "x", NULL }, (char *[]){ NULL }), EACCES,
	      "execute it");
	fchmod(fd, 0777);
	fails(execve(path, (char *[]){ "x", NULL }, (char *[]){ NULL }), EACCES,
	      "make it executable and execute it");
}

/* A stopped child, for who traces it to look into. */
static pid_t traced_child(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return pid;
}

static void a_debugger_gets_nothing(void *address)
{
	pid_t pid = traced_child();
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, pid, address, NULL);
	fails(word, EIO, "PTRACE_PEEKDATA of it");
	fails(ptrace(PTRACE_POKEDATA, pid, address, NULL), EIO,
	      "PTRACE_POKEDATA of it");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* What takes references to the pages of a process. */
static void no_pages_to_pin(void *address)
{
	struct iovec vec = { address, PAGE };
	char path[] = "/tmp/direct.XXXXXX";
	int file = mkstemp(path);
	char *mem = "/proc/self/mem";
	int fd = open(mem, O_RDONLY | O_CLOEXEC);
	char byte;

	unlink(path);
	fails(pread(fd, &byte, 1, (off_t)(uintptr_t)address), EIO,
	      "/proc/PID/mem there");
	fails(write(file, address, PAGE), EFAULT, "write() of it to a file");
	if (ftruncate(file, PAGE) || fcntl(file, F_SETFL, O_DIRECT))
		note("no O_DIRECT here");
	else
		fails(read(file, address, PAGE), EFAULT, "O_DIRECT into it");
	fails(writev(file, &vec, 1), EFAULT, "writev() of it");
	fails(mlock(address, PAGE), ENOMEM, "mlock of it");
	close(fd);
	close(file);
}

/* There is no address to hand to what takes one. */
static void no_address_leads_there(void)
{
	struct iovec local = { &local, sizeof(local) };
	struct iovec remote = { (void *)(1UL << 62), PAGE };
	int pipes[2];

	a_debugger_gets_nothing(remote.iov_base);
	no_pages_to_pin(remote.iov_base);

	if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) < 0 &&
	    errno == ENOSYS)
		note("no process_vm_readv here");
	else
		fails(-1, EFAULT, "process_vm_readv of the address KVM uses");
	if (pipe(pipes))
		die("pipe");
	fails(vmsplice(pipes[1], &remote, 1, 0), EFAULT, "vmsplice of it");
	close(pipes[0]);
	close(pipes[1]);
}

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec vec = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -1;
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec vec = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

/* A descriptor can be given away; the receiver gets no more than it is. */
static void passing_changes_nothing(int fd)
{
	int socks[2], status = -1, other;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, socks))
		die("socketpair");
	pid = fork();
	if (!pid) {
		other = receive_fd(socks[1]);
		_exit(other < 0 || read(other, &status, 1) != -1 ||
		      restricted_allocate(other, 0, PAGE) ||
		      restricted_pages(other) < 1);
	}
	check(!send_fd(socks[0], fd), "the descriptor is sent");
	waitpid(pid, &status, 0);
	check(!status, "what another process has is no more than this");
	other = dup(fd);
	io_is_refused(other);
	close(other);
	close(socks[0]);
	close(socks[1]);
}

static void poll_and_advice(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };
	struct statfs fs;
	long before;

	check(poll(&poll_fd, 1, 0) == 1 && poll_fd.revents == (POLLIN | POLLOUT),
	      "poll says nothing: %#x", poll_fd.revents);
	fails(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), EPERM, "epoll");
	close(epoll);
	restricted_allocate(fd, 0, LARGE);
	before = restricted_pages(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	readahead(fd, 0, LARGE);
	check(restricted_pages(fd) == before, "advice drops nothing");
	check(!fstatfs(fd, &fs) && fs.f_type == RESTRICTEDMEM_MAGIC,
	      "its file system says so");
	fails(flock(fd, LOCK_EX), 0, "flock is harmless");
	fails(fsync(fd), EINVAL, "fsync");
}

static void size_is_set_once(void)
{
	int fd = restricted_open(0);
	struct stat st;

	fails(fallocate(fd, 0, 0, PAGE), EINVAL, "allocate without a size");
	fails(ftruncate(fd, PAGE + 1), EINVAL, "a size of a page and a byte");
	fails(ftruncate(fd, 0), 0, "no size yet");
	fails(ftruncate(fd, SIZE), 0, "the size");
	fails(ftruncate(fd, 2 * SIZE), EPERM, "a larger one");
	fails(ftruncate(fd, PAGE), EPERM, "a smaller one");
	fails(ftruncate(fd, 0), EPERM, "none again");
	fails(ftruncate(fd, SIZE), EPERM, "the same once more");
	fails(fallocate(fd, 0, SIZE, PAGE), EINVAL, "grow by allocation");
	fails(fallocate(fd, 0, 0, SIZE + PAGE), EINVAL, "grow at the end");
	check(!fstat(fd, &st) && st.st_size == SIZE && S_ISREG(st.st_mode),
	      "fstat: %ld bytes", (long)st.st_size);
	check(!st.st_blocks, "and nothing in them");
	close(fd);
}

/* What the file tells of itself, and of other files nothing. */
static void tells_what_it_is(unsigned int flags)
{
	struct bulkhead_rmem_info info = { .pages = 99 };
	int other = memfd_create("other", 0);
	int fd = restricted_open(flags);
	int err;

	err = bulkhead_rmem_info(fd, &info);
	check(!err && !info.size && !info.pages &&
	      info.flags == (flags & ~RMFD_CLOEXEC) && !info.bound,
	      "a new file: %s, flags %#x", strerror(-err), info.flags);
	if (ftruncate(fd, SIZE) || restricted_allocate(fd, LARGE, LARGE))
		die("fill a file");
	err = bulkhead_rmem_info(fd, &info);
	check(!err && info.size == SIZE && info.pages == LARGE / PAGE,
	      "later: %s, %lu bytes, %lu pages", strerror(-err), info.size,
	      info.pages);
	check(bulkhead_rmem_info(other, &info) == -EINVAL, "of another file");
	close(other);
	close(fd);
}

static void ranges_are_checked(int fd)
{
	const int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	fails(fallocate(fd, hole, 1, PAGE), EINVAL, "a hole from byte 1");
	fails(fallocate(fd, hole, 0, PAGE - 1), EINVAL, "a hole of 4095 bytes");
	fails(fallocate(fd, hole, 0, 0), EINVAL, "a hole of nothing");
	fails(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP,
	      "a hole without KEEP_SIZE");
	fails(fallocate(fd, hole, SIZE, PAGE), 0, "a hole past the end");
	fails(fallocate(fd, hole, SIZE - PAGE, 1UL << 40), 0,
	      "a hole over the end");
	fails(fallocate(fd, 0, 1, PAGE), EINVAL, "allocate from byte 1");
	fails(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, PAGE), EOPNOTSUPP,
	      "ZERO_RANGE");
	fails(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, PAGE), EOPNOTSUPP,
	      "COLLAPSE_RANGE");
}

static void pages_come_and_go(unsigned int flags, const char *what)
{
	long large = flags & RMFD_HUGEPAGE ? LARGE / PAGE : 1;
	int fd = sized(flags);
	long pages;

	restricted_allocate(fd, 0, PAGE);
	pages = restricted_pages(fd);
	check(pages == large || pages == 1, "%s: %ld for the first", what,
	      pages);
	check(!restricted_allocate(fd, 0, SIZE), "%s: all of it", what);
	check(restricted_pages(fd) == (long)(SIZE / PAGE), "%s: is there", what);
	check(!restricted_punch(fd, LARGE + 3 * PAGE, 5 * PAGE), "%s: a hole",
	      what);
	pages = restricted_pages(fd);
	check(pages == (long)(SIZE / PAGE) - 5, "%s: %ld pages left", what,
	      pages);
	check(!restricted_punch(fd, PAGE, 2 * LARGE), "%s: across two", what);
	pages = restricted_pages(fd);
	check(pages == (long)((SIZE - 2 * LARGE) / PAGE), "%s: %ld pages left",
	      what, pages);
	check(!restricted_punch(fd, 0, SIZE), "%s: all of it goes", what);
	check(restricted_pages(fd) == 0, "%s: is gone", what);
	close(fd);
}

static void nothing(int signal)
{
	(void)signal;
}

/* A long allocation gives way to a signal, and what it did is all there is. */
static void interrupted(void)
{
	/* Again and again: on a busy machine the first may come before the call. */
	const struct itimerval soon = { .it_value.tv_usec = 2000,
					.it_interval.tv_usec = 2000 };
	const struct itimerval never = { };
	const size_t size = 256UL << 20;
	struct sigaction action = { .sa_handler = nothing };
	int fd = restricted_open_sized(0, size), err;
	long pages;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	err = restricted_allocate(fd, 0, size);
	setitimer(ITIMER_REAL, &never, NULL);
	pages = restricted_pages(fd);
	check(err == -EINTR, "interrupted: %s", strerror(-err));
	check(pages >= 0 && pages < (long)(size / PAGE), "%ld pages", pages);
	check(!restricted_punch(fd, 0, size) && !restricted_pages(fd),
	      "all of them can go");
	close(fd);
}

static bool fdinfo_has(int fd, const char *line)
{
	char path[64], text[1024] = "";
	ssize_t len;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	len = read(info, text, sizeof(text) - 1);
	close(info);
	return len > 0 && strstr(text, line);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "3", 1) != 1)
		note("caches cannot be dropped");
	close(fd);
}

int main(void)
{
	int fd;

	if (!restricted_supported())
		skip("no memfd_restricted");
	flags_are_checked();
	size_is_set_once();
	tells_what_it_is(0);
	tells_what_it_is(RMFD_CLOEXEC | RMFD_HUGEPAGE);
	fd = sized(0);
	restricted_allocate(fd, 0, 3 * PAGE);
	check(fdinfo_has(fd, "restrictedmem-pages:\t3\n"), "fdinfo counts");
	io_is_refused(fd);
	maps_are_refused(fd);
	copies_are_refused(fd);
	reopening_is_refused(fd);
	no_address_leads_there();
	passing_changes_nothing(fd);
	ranges_are_checked(fd);
	poll_and_advice(fd);
	drop_caches();
	check(restricted_pages(fd) == LARGE / PAGE, "no cache to be dropped");
	close(fd);
	pages_come_and_go(0, "4K");
	pages_come_and_go(RMFD_HUGEPAGE, "2M");
	interrupted();
	return report_result();
}
