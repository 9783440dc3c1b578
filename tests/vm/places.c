// SPDX-License-Identifier: GPL-2.0
/* Puts secrets where others keep theirs: see places.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asi_stats.h"
#include "kvm_guest.h"
#include "places.h"
#include "report.h"

#define PAGE_LEN	4096UL
#define MIB		(1UL << 20)
#define PROCESS_KEYRING	(-2)		/* KEY_SPEC_PROCESS_KEYRING */

/* Bytes and volatile: the secret must not stay behind in a vector register. */
static void put_secret(volatile uint8_t *where, const uint8_t *complement)
{
	size_t i;

	for (i = 0; i < SECRET_LEN; i++)
		where[i] = ~complement[i];
}

static void wipe(volatile uint8_t *where, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		where[i] = 0;
}

/* Once in each page, not always at the same place. */
static void put_in_pages(volatile uint8_t *mem, size_t len,
			 const uint8_t *complement)
{
	size_t at;

	for (at = 0; at < len; at += PAGE_LEN)
		put_secret(mem + at + 0x340 + at / PAGE_LEN % 16 * 0x80,
			   complement);
}

/* Where a secret waits for the system call that takes it away: zeroes. */
static volatile uint8_t *make_scratch(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		die("mmap");
	return mem;
}

static bool plant_anonymous(const uint8_t *complement)
{
	void *mem = mmap(NULL, 12 * MIB, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mem == MAP_FAILED)
		return false;
	put_in_pages(mem, 12 * MIB, complement);
	return true;
}

static bool plant_heap(const uint8_t *complement)
{
	void *mem = sbrk(4 * MIB);

	if (mem == (void *)-1)
		return false;
	/* The break may be anywhere in a page. */
	put_in_pages((void *)(((uintptr_t)mem + PAGE_LEN) & -PAGE_LEN),
		     4 * MIB - PAGE_LEN, complement);
	return true;
}

/* What is below the stack pointer later stays mapped all the same. */
static bool plant_stack(const uint8_t *complement)
{
	volatile uint8_t mem[4 * MIB] __attribute__((aligned(PAGE_LEN)));

	put_in_pages(mem, sizeof(mem), complement);
	return true;
}

#define STRING_LEN	120000		/* of at most 128 KiB */
#define NR_STRINGS	8

/*
 * Strings begin anywhere, secrets are looked for at multiples of 8 bytes: one
 * byte between two copies makes every eighth of them begin there.
 */
static void fill_strings(volatile uint8_t *mem, char **strings,
			 const uint8_t *complement)
{
	size_t i, at;

	for (i = 0; i < NR_STRINGS; i++) {
		strings[i] = (char *)mem + i * (STRING_LEN + 1);
		for (at = 0; at + SECRET_LEN < STRING_LEN; at += SECRET_LEN + 1) {
			put_secret(mem + i * (STRING_LEN + 1) + at, complement);
			mem[i * (STRING_LEN + 1) + at + SECRET_LEN] = 'x';
		}
	}
	strings[i] = NULL;
}

/* The fd closes when the program has been executed. */
static void wait_for_exec(int fd)
{
	char c;

	while (read(fd, &c, 1) > 0)
		;
	close(fd);
}

/* Another process is started with the secret in @argv or @envp. */
static bool plant_strings(const uint8_t *complement, bool in_arguments)
{
	size_t len = NR_STRINGS * (STRING_LEN + 1);
	volatile uint8_t *mem = make_scratch(len);
	char *argv[NR_STRINGS + 4] = { "vmtests", "canary", "--wait" };
	char *envp[NR_STRINGS + 1] = { NULL };
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return false;
	fill_strings(mem, in_arguments ? argv + 3 : envp, complement);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execve("/proc/self/exe", argv, envp);
		_exit(1);
	}
	close(fds[1]);
	wait_for_exec(fds[0]);
	wipe(mem, len);
	return pid > 0 && waitpid(pid, &status, WNOHANG) == 0;
}

static bool plant_arguments(const uint8_t *complement)
{
	return plant_strings(complement, true);
}

static bool plant_environment(const uint8_t *complement)
{
	return plant_strings(complement, false);
}

/*
 * Through a mapping: write() would need a second copy to read from. The file
 * goes when the process does.
 */
static bool plant_file(const char *path, const uint8_t *complement)
{
	size_t len = 6 * MIB;
	void *mem;
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || unlink(path) || ftruncate(fd, len))
		return false;
	mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return false;
	put_in_pages(mem, len, complement);
	return munmap(mem, len) == 0;
}

static bool plant_tmpfs(const uint8_t *complement)
{
	return plant_file("/tmp/canary", complement);
}

/* The root file system is a tmpfs, too: this one has an ordinary page cache. */
static bool plant_page_cache(const uint8_t *complement)
{
	bool good;

	mkdir("/run/canary", 0700);
	if (mount("ramfs", "/run/canary", "ramfs", 0, NULL))
		return false;
	good = plant_file("/run/canary/file", complement);
	/* The open file keeps it. */
	umount2("/run/canary", MNT_DETACH);
	return good;
}

static bool fill_pipe(const volatile uint8_t *page)
{
	size_t left = MIB;
	int fds[2];

	if (pipe(fds) || fcntl(fds[1], F_SETPIPE_SZ, MIB) < 0)
		return false;
	for (; left; left -= PAGE_LEN)
		if (write(fds[1], (const void *)page, PAGE_LEN) != PAGE_LEN)
			return false;
	return true;
}

static bool plant_pipe(const uint8_t *complement)
{
	volatile uint8_t *page = make_scratch(PAGE_LEN);
	bool good = true;
	int i;

	put_secret(page + 0x200, complement);
	for (i = 0; i < 4; i++)
		good &= fill_pipe(page);
	wipe(page, PAGE_LEN);
	return good;
}

/* As many as the other end may leave unread, each in a buffer of its own. */
static unsigned int fill_socket(const volatile uint8_t *page)
{
	unsigned int sent = 0;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return 0;
	while (send(fds[0], (const void *)page, PAGE_LEN, MSG_DONTWAIT) ==
	       (ssize_t)PAGE_LEN)
		sent++;
	return sent;
}

static bool plant_socket(const uint8_t *complement)
{
	volatile uint8_t *page = make_scratch(PAGE_LEN);
	unsigned int sent = 0, more = 1;

	put_secret(page + 0x200, complement);
	while (sent < 512 && more) {
		more = fill_socket(page);
		sent += more;
	}
	wipe(page, PAGE_LEN);
	return sent >= 512;
}

static bool plant_keys(const uint8_t *complement)
{
	volatile uint8_t *page = make_scratch(PAGE_LEN);
	char name[32];
	long key = 0;
	int i;

	put_secret(page + 0x200, complement);
	for (i = 0; i < 256 && key >= 0; i++) {
		snprintf(name, sizeof(name), "bulkhead-canary-%d", i);
		key = syscall(SYS_add_key, "user", name, page, 4000,
			      PROCESS_KEYRING);
	}
	wipe(page, PAGE_LEN);
	return key >= 0;
}

#define NR_SLEEPERS	64

struct sleepers {
	volatile uint8_t *secret;
	int nr_fds;
	int next;
	pid_t tid[NR_SLEEPERS];
};

static void say_tid(struct sleepers *s)
{
	int i = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED);

	__atomic_store_n(&s->tid[i], gettid(), __ATOMIC_RELEASE);
}

static void *sleep_in_select(void *arg)
{
	struct sleepers *s = arg;

	say_tid(s);
	select(s->nr_fds, (fd_set *)s->secret, NULL, NULL, NULL);
	die("select");
}

/* The secret comes into being in XMM0 and XMM1 and is nowhere in user memory. */
static void *sleep_with_registers(void *arg)
{
	struct sleepers *s = arg;

	say_tid(s);
	asm volatile("movdqu (%0), %%xmm0\n\t"
		     "movdqu 16(%0), %%xmm1\n\t"
		     "pcmpeqd %%xmm2, %%xmm2\n\t"
		     "pxor %%xmm2, %%xmm0\n\t"
		     "pxor %%xmm2, %%xmm1\n"
		     "1:\tmovl %1, %%eax\n\t"
		     "syscall\n\t"
		     "jmp 1b"
		     : : "r" (s->secret), "i" (SYS_pause)
		     : "rax", "rcx", "r11", "xmm0", "xmm1", "xmm2", "memory");
	__builtin_unreachable();
}

static bool sleeps(pid_t tid)
{
	char path[64], text[512], *state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	if (!read_text(path, text, sizeof(text)))
		return false;
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

/* The lowest 256 descriptors, all open and never ready: any 32 bytes will do. */
static bool open_all(void)
{
	int fds[2], spare, i;

	if (pipe(fds))
		return false;
	spare = fcntl(fds[0], F_DUPFD, SECRET_LEN * 8 + 1);
	if (spare < 0 || fcntl(fds[1], F_DUPFD, SECRET_LEN * 8 + 1) < 0)
		return false;
	for (i = 0; i < SECRET_LEN * 8; i++)
		if (dup2(spare, i) < 0)
			return false;
	return true;
}

static bool start_all(struct sleepers *s, void *(*sleep)(void *))
{
	pthread_t thread;
	int i, tries = 0;

	for (i = 0; i < NR_SLEEPERS; i++)
		if (pthread_create(&thread, NULL, sleep, s))
			return false;
	for (i = 0; i < NR_SLEEPERS && tries < 500; i++)
		for (; !s->tid[i] || !sleeps(s->tid[i]); tries++)
			usleep(10000);
	return tries < 500;
}

/*
 * The descriptors that select() waits for are on the kernel stack of each of the
 * threads, or in a buffer of its own if there are more than that has room for.
 */
static bool wait_in_select(const uint8_t *complement, int nr_fds)
{
	static struct sleepers s;
	bool good;

	s.secret = make_scratch(PAGE_LEN);
	s.nr_fds = nr_fds;
	put_secret(s.secret, complement);
	good = start_all(&s, sleep_in_select);
	wipe(s.secret, PAGE_LEN);
	return good;
}

static bool plant_kernel_stack(const uint8_t *complement)
{
	return open_all() && wait_in_select(complement, SECRET_LEN * 8);
}

static bool plant_select_buffer(const uint8_t *complement)
{
	return open_all() && wait_in_select(complement, SECRET_LEN * 16);
}

static bool plant_fpu_registers(const uint8_t *complement)
{
	static struct sleepers s;

	s.secret = (volatile uint8_t *)complement;
	return start_all(&s, sleep_with_registers);
}

static struct guest_vm other_vm;

static bool plant_vm_memory(const uint8_t *complement)
{
	if (guest_vm_create(&other_vm, 1, GUEST_MEM_SIZE))
		return false;
	put_in_pages(other_vm.mem + GUEST_FRESH, GUEST_MEM_SIZE - GUEST_FRESH,
		     complement);
	return !guest_vcpu_do(&other_vm.vcpu[0], guest_payload("count"), 100);
}

/* The guest computes with the secret in R8 to R11, and leaves it there. */
static bool run_with_secret(struct guest_vcpu *vcpu, const uint8_t *complement)
{
	struct kvm_regs regs;
	bool good;

	if (guest_vcpu_load(vcpu, guest_payload("spin"), 1000) ||
	    ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		return false;
	put_secret((volatile uint8_t *)&regs.r8, complement);
	good = !ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	wipe((volatile uint8_t *)&regs, sizeof(regs));
	return good && !guest_vcpu_run(vcpu);
}

/* Of a VM that is not running: while it does, its own entries map its vCPU. */
static bool plant_vcpu_registers(const uint8_t *complement)
{
	bool good = true;
	int i;

	if (guest_vm_create(&other_vm, 8, GUEST_MEM_SIZE))
		return false;
	for (i = 0; i < 8; i++)
		good &= run_with_secret(&other_vm.vcpu[i], complement);
	return good;
}

#define MESSAGE_LEN	976	/* with its header an object of 1 KiB */
#define NR_MESSAGES	1024
#define QUEUE_KEY	0x62756c6b
#define WITH_SECRET	1
#define WITHOUT		2

struct message {
	long type;
	uint8_t text[MESSAGE_LEN];
};

/* A queue outlives its processes: make away with what an earlier run left. */
static int make_queue(void)
{
	struct msqid_ds ds;
	int id = msgget(QUEUE_KEY, 0600);

	if (id >= 0)
		msgctl(id, IPC_RMID, NULL);
	id = msgget(QUEUE_KEY, IPC_CREAT | 0600);
	if (id < 0 || msgctl(id, IPC_STAT, &ds))
		return -1;
	ds.msg_qbytes = NR_MESSAGES * MESSAGE_LEN;
	return msgctl(id, IPC_SET, &ds) ? -1 : id;
}

/* Each slab keeps some objects that are in use, or it would be freed. */
static bool plant_freed_slab(const uint8_t *complement)
{
	struct message *message = (void *)make_scratch(PAGE_LEN);
	int i, at, id = make_queue(), errors = 0;

	for (i = 0; i < NR_MESSAGES; i++) {
		message->type = i % 2 ? WITH_SECRET : WITHOUT;
		wipe(message->text, MESSAGE_LEN);
		for (at = 0; i % 2 && at + SECRET_LEN <= MESSAGE_LEN; at += 64)
			put_secret(message->text + at, complement);
		errors += msgsnd(id, message, MESSAGE_LEN, IPC_NOWAIT) != 0;
	}
	for (i = 0; i < NR_MESSAGES / 2; i++)
		errors += msgrcv(id, message, MESSAGE_LEN, WITH_SECRET,
				 IPC_NOWAIT) != MESSAGE_LEN;
	wipe((void *)message, PAGE_LEN);
	return !errors;
}

static void *populate(size_t len)
{
	volatile uint8_t *mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t at;

	if (mem == MAP_FAILED)
		return NULL;
	madvise((void *)mem, len, MADV_HUGEPAGE);
	for (at = 0; at < len; at += PAGE_LEN)
		mem[at] = 1;
	return (void *)mem;
}

/*
 * What was freed last is taken first: more than a guest needs is freed after
 * the secrets, so that they remain in free memory for a while. In blocks of
 * 2 MiB, because single pages wait for the next one who wants some.
 */
static bool plant_freed_pages(const uint8_t *complement)
{
	size_t len = 8 * MIB, more = 192 * MIB;
	void *clean = populate(more), *mem = populate(len);

	if (!mem || !clean)
		return false;
	put_in_pages(mem, len, complement);
	return munmap(mem, len) == 0 && munmap(clean, more) == 0;
}

/*
 * The name of the host is in init_uts_ns, 65 bytes after its start: with 7 more the
 * secret is where the kernel looks for one.
 */
static bool plant_static(const uint8_t *complement)
{
	const size_t before = 7;
	volatile uint8_t *name = make_scratch(PAGE_LEN);
	int err;

	memset((void *)name, '-', before);
	put_secret(name + before, complement);
	err = sethostname((const char *)name, before + SECRET_LEN);
	wipe(name, PAGE_LEN);
	return !err;
}

/* What is freed comes last: the others would take it. */
const struct place places[] = {
	{ "anonymous", plant_anonymous },
	{ "heap", plant_heap },
	{ "stack", plant_stack },
	{ "arguments", plant_arguments },
	{ "environment", plant_environment },
	{ "tmpfs", plant_tmpfs },
	{ "page_cache", plant_page_cache },
	{ "pipe", plant_pipe },
	{ "socket", plant_socket },
	{ "key", plant_keys },
	{ "kernel_stack", plant_kernel_stack },
	{ "select_buffer", plant_select_buffer },
	{ "fpu_registers", plant_fpu_registers },
	{ "vm_memory", plant_vm_memory },
	{ "vcpu_registers", plant_vcpu_registers },
	{ "static", plant_static },
	{ "freed_slab", plant_freed_slab },
	{ "freed_pages", plant_freed_pages },
};

const size_t nr_places = ARRAY_SIZE(places);
