// SPDX-License-Identifier: GPL-2.0
/*
 * Watchers that answer: each answer, wrong ones, none in time, a death, several
 * watchers, signals, and a ring that is full or broken.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guest_layout.h"
#include "track_guest.h"
#include "vm_test.h"

#define PATIENCE	20000	/* ms: far more than anything takes */
#define VALUE		0x1817161514131211UL
#define CODE(name)	extern const uint8_t track_##name[]
CODE(load8); CODE(store8); CODE(store4); CODE(three); CODE(stores);
CODE(cmpxchg16b); CODE(rep_stos); CODE(lcall); CODE(finish);

/* A vCPU in a thread of its own, since somebody else has to answer. */
struct runner {
	struct guest_vcpu *vcpu;
	pthread_t thread;
	int err;
};

static void *run_thread(void *arg)
{
	struct runner *runner = arg;

	runner->err = guest_vcpu_run(runner->vcpu);
	return NULL;
}

static void start(struct runner *runner, struct guest_vm *vm,
		  const uint8_t *code, const struct track_regs *regs)
{
	runner->vcpu = &vm->vcpu[0];
	track_load(runner->vcpu, code, regs);
	if (pthread_create(&runner->thread, NULL, run_thread, runner))
		die("pthread_create");
}

static int finish(struct runner *runner)
{
	pthread_join(runner->thread, NULL);
	return runner->err;
}

static uint64_t memory(struct guest_vm *vm, uint64_t gpa)
{
	uint64_t value;

	memcpy(&value, vm->mem + gpa, sizeof(value));
	return value;
}

static bool expect(struct track *track, struct kvm_track_event *event,
		   unsigned int access, uint64_t gpa, const char *what)
{
	bool asked;

	memset(event, 0, sizeof(*event));
	asked = track_await(track, event, PATIENCE);
	return check(asked && event->access == access && event->gpa == gpa &&
		     event->flags & KVM_TRACK_WAITS,
		     "%s: asked, access %u at %llx", what, event->access,
		     event->gpa);
}

static const struct track_regs store_regs = { .rax = VALUE,
	.rbx = TRACK_DATA + 8 };

static void writes(struct guest_vm *vm, struct track *track)
{
	struct kvm_track_event event;
	struct runner runner;
	int i;

	must_set(track, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	start(&runner, vm, track_store8, &store_regs);
	for (i = 0; i < 3; i++) {
		expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "write");
		check(!memory(vm, TRACK_DATA + 8), "not written yet");
		check(!track_answer(track, event.id, KVM_TRACK_RETRY, NULL, 0),
		      "retry");
	}
	expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "write again");
	check(event.len == 8 && !memcmp(event.data, &store_regs.rax, 8),
	      "with its data");
	check(event.rip == track_code_at(track_store8) &&
	      event.regs.rbx == store_regs.rbx && event.regs.cr3 == GUEST_PGD,
	      "and registers");
	check(!track_answer(track, event.id, KVM_TRACK_CONTINUE, NULL, 0),
	      "continue");
	check(!finish(&runner) && memory(vm, TRACK_DATA + 8) == VALUE,
	      "written");

	memset(vm->mem + TRACK_DATA, 0, TRACK_PAGE);
	start(&runner, vm, track_store8, &store_regs);
	expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "another");
	check(!track_answer(track, event.id, KVM_TRACK_SKIP, NULL, 0), "skip");
	check(!finish(&runner) && !memory(vm, TRACK_DATA + 8), "not written");
}

static void reads(struct guest_vm *vm, struct track *track)
{
	static const uint64_t supplied = 0x1111222233334444;
	const struct track_regs regs = { .rbx = TRACK_DATA + 8 };
	struct kvm_track_event event;
	struct runner runner;

	must_set(track, TRACK_DATA, 1, KVM_TRACK_READ, 0);
	start(&runner, vm, track_load8, &regs);
	expect(track, &event, KVM_TRACK_READ, TRACK_DATA + 8, "read");
	check(track_answer(track, event.id, KVM_TRACK_SUPPLY, &supplied, 4) ==
	      -EINVAL, "too little supplied");
	check(!track_answer(track, event.id, KVM_TRACK_SUPPLY, &supplied, 8),
	      "supply");
	check(!finish(&runner) && guest_vcpu_told(runner.vcpu) ==
	      (uint32_t)supplied, "the guest has what was supplied");
	check(!memory(vm, TRACK_DATA + 8), "the memory has not");
}

/* Half of a read comes from the watcher, half from memory. */
static void read_over_end(struct guest_vm *vm, struct track *track)
{
	const struct track_regs regs = { .rbx = TRACK_DATA + 0xffe };
	struct kvm_track_event event;
	struct runner runner;

	memset(vm->mem + TRACK_DATA, 0, TRACK_PAGE);
	memset(vm->mem + TRACK_DATA + TRACK_PAGE, 0x55, 8);
	must_set(track, TRACK_DATA, 1, KVM_TRACK_READ, 0);
	start(&runner, vm, track_load8, &regs);
	expect(track, &event, KVM_TRACK_READ, TRACK_DATA + 0xffe, "read");
	check(!track_answer(track, event.id, KVM_TRACK_SUPPLY, "\xaa\xbb", 2),
	      "supply the first half");
	check(!finish(&runner) &&
	      guest_vcpu_told(runner.vcpu) == 0x5555bbaa,
	      "one of each: %x", guest_vcpu_told(runner.vcpu));
}

/* The second page refuses: nothing of the first is written either. */
static void write_over_end(struct guest_vm *vm, struct track *track)
{
	const struct track_regs regs = { .rax = VALUE,
		.rbx = TRACK_DATA + 0xffc };
	struct kvm_track_event event;
	struct runner runner;

	memset(vm->mem + TRACK_DATA, 0, 2 * TRACK_PAGE);
	must_set(track, TRACK_DATA, 1, 0, 0);
	must_set(track, TRACK_DATA + TRACK_PAGE, 1, KVM_TRACK_WRITE, 0);
	start(&runner, vm, track_store8, &regs);
	expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 0x1000, "write");
	check(!track_answer(track, event.id, KVM_TRACK_RETRY, NULL, 0),
	      "refused");
	expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 0x1000, "write");
	check(!memory(vm, TRACK_DATA + 0xffc), "nothing of it is written");
	check(!track_answer(track, event.id, KVM_TRACK_SKIP, NULL, 0),
	      "the second half skipped");
	check(!finish(&runner) && memory(vm, TRACK_DATA + 0xffc) ==
	      (VALUE & 0xffffffff), "the first half written");
	must_set(track, TRACK_DATA, 2, 0, 0);
}

/*
 * Two stores, the second refused: no register changes, the stack pointer least of
 * all. The first store is there, as if the second had faulted, and is made again.
 */
static void far_call(struct guest_vm *vm, struct track *track)
{
	const struct track_regs regs = { .rbx = TRACK_FREE,
		.rsp = TRACK_DATA + 0x1004 };
	uint32_t pointer[2] = { TRACK_FREE + 16, GUEST_CS };
	struct kvm_track_event event;
	struct runner runner;
	unsigned int action;
	int i;

	memcpy(vm->mem + TRACK_FREE, pointer, sizeof(pointer));
	memcpy(vm->mem + TRACK_FREE + 16, track_finish, 4);
	must_set(track, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	start(&runner, vm, track_lcall, &regs);
	for (i = 0; i < 3; i++) {
		expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 0xffc,
		       "far call");
		check(event.len == 4 && event.regs.rsp == regs.rsp &&
		      event.rip == track_code_at(track_lcall),
		      "nothing has changed: rsp %llx", event.regs.rsp);
		action = i < 2 ? KVM_TRACK_RETRY : KVM_TRACK_CONTINUE;
		check(!track_answer(track, event.id, action, NULL, 0),
		      "answered");
	}
	check(!finish(&runner), "arrived");
	check(memory(vm, TRACK_DATA + 0xffc) << 32 >> 32 ==
	      track_code_at(track_lcall) + 2, "with the way back on the stack");
	must_set(track, TRACK_DATA, 1, 0, 0);
}

/* An interrupted string instruction goes on where it was refused. */
static void string_retry(struct guest_vm *vm, struct track *track)
{
	const struct track_regs regs = { .rax = VALUE, .rcx = 4,
		.rdi = TRACK_DATA + 0xff0 };
	struct kvm_track_event event;
	struct runner runner;

	memset(vm->mem + TRACK_DATA, 0, 2 * TRACK_PAGE);
	must_set(track, TRACK_DATA + TRACK_PAGE, 1, KVM_TRACK_WRITE, 0);
	start(&runner, vm, track_rep_stos, &regs);
	expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 0x1000, "third");
	check(event.regs.rcx <= 2, "two are done: rcx %llu", event.regs.rcx);
	check(!track_answer(track, event.id, KVM_TRACK_RETRY, NULL, 0),
	      "refused");
	expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 0x1000, "again");
	must_set(track, TRACK_DATA + TRACK_PAGE, 1, 0, 0);
	check(!track_answer(track, event.id, KVM_TRACK_CONTINUE, NULL, 0),
	      "allowed");
	check(!finish(&runner) && memory(vm, TRACK_DATA + 0xff0) == VALUE &&
	      memory(vm, TRACK_DATA + 0x1008) == VALUE &&
	      !memory(vm, TRACK_DATA + 0x1010), "four and no more");
}

static void instructions(struct guest_vm *vm, struct track *track)
{
	static const unsigned int at[] = { 0, 3, 7, 10 };
	const struct track_regs regs = { .rcx = 7 };
	uint64_t code = track_code_at(track_three);
	struct kvm_track_event event;
	struct runner runner;
	unsigned int i;

	must_set(track, TRACK_CODE, 1, KVM_TRACK_EXEC, 0);
	start(&runner, vm, track_three, &regs);
	for (i = 0; i < 4; i++) {
		expect(track, &event, KVM_TRACK_EXEC, code + at[i], "instruction");
		check(track_answer(track, event.id, KVM_TRACK_SKIP, NULL, 0) ==
		      -EINVAL, "an instruction cannot be skipped");
		check(!track_answer(track, event.id, KVM_TRACK_RETRY, NULL, 0),
		      "refused");
		expect(track, &event, KVM_TRACK_EXEC, code + at[i], "again");
		check(!track_answer(track, event.id, KVM_TRACK_CONTINUE, NULL,
				    0), "allowed");
	}
	check(!finish(&runner) && guest_vcpu_told(runner.vcpu) == 12,
	      "each executed once");
	must_set(track, TRACK_CODE, 1, 0, 0);
}

static void unhandled(struct guest_vm *vm, struct track *track)
{
	const struct track_regs regs = { .rbx = TRACK_DATA + 0x10 };
	struct kvm_track_event event;
	struct runner runner;

	must_set(track, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	start(&runner, vm, track_cmpxchg16b, &regs);
	expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 0x10, "unhandled");
	check(event.flags & KVM_TRACK_UNHANDLED && !event.len, "as such");
	check(track_answer(track, event.id, KVM_TRACK_SKIP, NULL, 0) == -EINVAL,
	      "there is nothing to skip");
	/* The way out: let the guest do it itself. */
	must_set(track, TRACK_DATA, 1, 0, 0);
	check(!track_answer(track, event.id, KVM_TRACK_RETRY, NULL, 0),
	      "retry without the watch");
	check(!finish(&runner), "executed by the guest");
}

static void wrong_answers(struct guest_vm *vm, struct track *track)
{
	struct kvm_track_answers none = { .nr = 0, .flags = 2 };
	struct kvm_track_event event;
	struct runner runner;

	must_set(track, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	start(&runner, vm, track_store8, &store_regs);
	expect(track, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "write");
	check(track_answer(track, event.id + 1, KVM_TRACK_CONTINUE, NULL, 0) ==
	      -ENOENT, "to a question nobody asked");
	check(track_answer(track, event.id, 4, NULL, 0) == -EINVAL,
	      "an action there is not");
	check(track_answer(track, event.id, KVM_TRACK_SUPPLY, &event, 8) ==
	      -EINVAL, "data for a write");
	check(track_answer(track, event.id, KVM_TRACK_CONTINUE, NULL, 1) ==
	      -EINVAL, "data that is not asked for");
	check(ioctl(track->fd, KVM_TRACK_ANSWER, &none) && errno == EINVAL,
	      "a flag there is not");
	check(ioctl(track->fd, KVM_TRACK_ANSWER, NULL) && errno == EFAULT,
	      "no answers");
	check(!track_answer(track, event.id, KVM_TRACK_CONTINUE, NULL, 0),
	      "the right one");
	check(track_answer(track, event.id, KVM_TRACK_CONTINUE, NULL, 0) ==
	      -ENOENT, "once");
	check(!finish(&runner), "done");
	must_set(track, TRACK_DATA, 1, 0, 0);
}

/* Answers, then waits for what comes next: an event that is there, a new one. */
static void awaits(struct guest_vm *vm, struct track *track)
{
	static const struct track_regs regs = { .rdi = 3, .rbx = TRACK_DATA };
	struct kvm_track_event event;
	struct runner runner;
	__u64 wrong;
	int i;

	must_set(track, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	start(&runner, vm, track_stores, &regs);
	check(!track_answer_await(track, NULL), "waits for the first event");
	for (i = 0; i < 3; i++) {
		check(!track_answer_await(track, NULL), "it is there already");
		check(track_next(track, &event) && event.gpa == TRACK_DATA,
		      "event %d", i);
		if (i < 2)
			check(!track_answer_await(track, &event.id),
			      "the answer, and the next event");
	}
	wrong = event.id + 1;
	check(track_answer_await(track, &wrong) == -ENOENT,
	      "a wrong answer does not wait");
	alarm(1);
	check(!track_answer_await(track, &event.id),
	      "a signal, with the answer taken");
	check(!finish(&runner), "done");
	alarm(1);
	check(track_answer_await(track, NULL) == -EINTR,
	      "a signal, without any answer");
	must_set(track, TRACK_DATA, 1, 0, 0);
}

static void answers(void)
{
	struct track track;
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE(.flags = KVM_TRACK_REGISTERS));
	writes(&vm, &track);
	reads(&vm, &track);
	read_over_end(&vm, &track);
	write_over_end(&vm, &track);
	far_call(&vm, &track);
	string_retry(&vm, &track);
	instructions(&vm, &track);
	unhandled(&vm, &track);
	wrong_answers(&vm, &track);
	awaits(&vm, &track);
	track_close(&track);
	guest_vm_destroy(&vm);
}

static void wrong_creates(void)
{
	static const struct {
		struct kvm_track_create create;
		const char *what;
	} wrong[] = {
		{ TRACK_CREATE(.version = 2), "version" },
		{ TRACK_CREATE(.flags = 8), "flags" },
		{ TRACK_CREATE(.nr_events = 1000), "size" },
		{ TRACK_CREATE(.nr_events = 8), "small size" },
		{ TRACK_CREATE(.nr_events = 1 << 17), "large size" },
		{ TRACK_CREATE(.batch = 0), "no batch" },
		{ TRACK_CREATE(.batch = 1025), "large batch" },
		{ TRACK_CREATE(.timeout_ms = -1), "time" },
		{ TRACK_CREATE(.reserved = { 0, 0, 0, 1 }), "reserved" },
	};
	struct track track;
	struct guest_vm vm;
	size_t i;

	track_vm_create(&vm, 1);
	check(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_TRACK) ==
	      KVM_TRACK_VERSION, "the capability");
	check(ioctl(vm.fd, KVM_TRACK_CREATE, NULL) && errno == EFAULT,
	      "create nothing");
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		check(track_open(&track, vm.fd, wrong[i].create) == -EINVAL,
		      "wrong %s", wrong[i].what);
	must_track(&track, &vm, TRACK_CREATE());
	check(track_set(&track, 0, 0, 1, 0) == -EINVAL, "no pages");
	check(track_set(&track, 0, 1, 32, 0) == -EINVAL, "unknown access");
	check(track_set(&track, 0, 1, 1, 2) == -EINVAL, "unknown flag");
	check(track_set(&track, 0, 1, KVM_TRACK_WALK, 0) == -EINVAL,
	      "walks alone");
	check(track_set(&track, ~0UL, 1, 1, 0) == -EINVAL, "no such page");
	check(track_set(&track, 0, ~0UL, 1, 0) == -EINVAL, "nor so many");
	check(track_set(&track, 0, 1 << 25, 1, 0) == -E2BIG, "too many");
	check(ioctl(track.fd, KVM_TRACK_SET_ACCESS, NULL) && errno == EFAULT,
	      "no ranges");
	check(ioctl(track.fd, KVM_CREATE_VM, 0) && errno == ENOTTY,
	      "another ioctl");
	check(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, track.fd, 0) ==
	      MAP_FAILED && errno == EINVAL, "a private mapping");
	track_close(&track);
	guest_vm_destroy(&vm);
}

/* What happens if nobody answers, or nobody can any more. */
static void failures(unsigned int flags, bool dies, const char *what)
{
	struct kvm_track_event event;
	struct runner runner;
	struct track track;
	struct guest_vm vm;
	int err;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE(.flags = flags,
					     .timeout_ms = dies ? 0 : 300));
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	start(&runner, &vm, track_store8, &store_regs);
	expect(&track, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, what);
	if (dies)
		track_close(&track);
	err = finish(&runner);
	if (flags & KVM_TRACK_STOP) {
		check(err == -EIO, "%s: the VM has stopped: %d", what, err);
		check(!memory(&vm, TRACK_DATA + 8), "%s: not written", what);
	} else {
		check(!err, "%s: the guest goes on: %d", what, err);
		check(memory(&vm, TRACK_DATA + 8) == VALUE, "%s: written", what);
		track_load(&vm.vcpu[0], track_store8, &store_regs);
		check(!guest_vcpu_run(&vm.vcpu[0]), "%s: and is not asked",
		      what);
	}
	if (!dies) {
		check(track_set(&track, TRACK_DATA, 1, 1, 0) == -EIO,
		      "%s: over", what);
		check(track_answer(&track, event.id, KVM_TRACK_CONTINUE, NULL,
				   0) == -ENOENT, "%s: too late", what);
		track_close(&track);
	}
	guest_vm_destroy(&vm);
}

/* A signal gets the vCPU out of KVM_RUN; it asks anew when it comes back. */
static void signals(void)
{
	struct kvm_track_event event;
	struct runner runner;
	struct track track;
	struct guest_vm vm;
	uint64_t old;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	start(&runner, &vm, track_store8, &store_regs);
	expect(&track, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "signal");
	old = event.id;
	usleep(100000);
	pthread_kill(runner.thread, SIGUSR1);
	check(finish(&runner) == -EINTR, "a signal interrupts");
	check(!memory(&vm, TRACK_DATA + 8), "nothing is written");
	check(track_answer(&track, old, KVM_TRACK_CONTINUE, NULL, 0) == -ENOENT,
	      "the question is withdrawn");
	/* A slot can be changed meanwhile, and while a vCPU waits. */
	if (pthread_create(&runner.thread, NULL, run_thread, &runner))
		die("pthread_create");
	expect(&track, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "again");
	check(event.id != old, "asked anew");
	check(!guest_vm_drop_memory(&vm), "memory changes meanwhile");
	check(!track_answer(&track, event.id, KVM_TRACK_CONTINUE, NULL, 0),
	      "continue");
	check(!finish(&runner) && memory(&vm, TRACK_DATA + 8) == VALUE,
	      "written");
	track_close(&track);
	guest_vm_destroy(&vm);
}

/* Two watchers of one page: asked in their order, and both have to agree. */
static void two_watchers(void)
{
	struct kvm_track_event event;
	struct track first, second;
	struct runner runner;
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	must_track(&second, &vm, TRACK_CREATE(.order = 5));
	must_track(&first, &vm, TRACK_CREATE(.order = -5));
	must_set(&first, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	must_set(&second, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	start(&runner, &vm, track_store8, &store_regs);
	expect(&first, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "first");
	check(second.ring->head == 0, "the second comes later");
	check(!track_answer(&first, event.id, KVM_TRACK_RETRY, NULL, 0), "no");
	expect(&second, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "second");
	check(!track_answer(&second, event.id, KVM_TRACK_CONTINUE, NULL, 0),
	      "yes");
	expect(&first, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "first again");
	check(!memory(&vm, TRACK_DATA + 8), "one no is enough");
	check(!track_answer(&first, event.id, KVM_TRACK_CONTINUE, NULL, 0),
	      "yes");
	/* The other one goes, and nobody has to wait for it. */
	expect(&second, &event, KVM_TRACK_WRITE, TRACK_DATA + 8, "second");
	track_close(&second);
	check(!finish(&runner) && memory(&vm, TRACK_DATA + 8) == VALUE,
	      "written");
	track_close(&first);
	guest_vm_destroy(&vm);
}

/* More events than fit: counted. One wake-up is for many of them. */
static void full_ring(void)
{
	const struct track_regs regs = { .rdi = 100, .rbx = TRACK_DATA };
	struct kvm_track_event event;
	struct track track;
	struct guest_vm vm;
	uint64_t n = 0;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE(.nr_events = 64, .batch = 64));
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITTEN, 0);
	track_load(&vm.vcpu[0], track_stores, &regs);
	check(!guest_vcpu_run(&vm.vcpu[0]), "100 stores");
	for (; track_next(&track, &event); n++)
		check(event.id == n && event.data[0] == 100 - n, "event %lu",
		      n);
	check(n == 64 && track.ring->lost == 36, "%lu told, %llu lost", n,
	      track.ring->lost);
	track_load(&vm.vcpu[0], track_stores, &regs);
	check(!guest_vcpu_run(&vm.vcpu[0]) && track.ring->lost == 72,
	      "and the same again");
	track_close(&track);
	guest_vm_destroy(&vm);
}

/* A reader that claims what cannot be has failed. */
static void broken_ring(void)
{
	struct track track;
	struct guest_vm vm;

	track_vm_create(&vm, 1);
	must_track(&track, &vm, TRACK_CREATE());
	must_set(&track, TRACK_DATA, 1, KVM_TRACK_WRITE, 0);
	track.ring->tail = 5;
	track_load(&vm.vcpu[0], track_store8, &store_regs);
	check(!guest_vcpu_run(&vm.vcpu[0]), "an impossible tail");
	check(memory(&vm, TRACK_DATA + 8) == VALUE, "the guest goes on");
	check(track_set(&track, TRACK_DATA, 1, 1, 0) == -EIO, "without it");
	track_close(&track);
	guest_vm_destroy(&vm);
}

static void on_signal(int sig)
{
	(void)sig;
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	vm_test_begin();
	wrong_creates();
	answers();
	failures(0, false, "no answer, release");
	failures(KVM_TRACK_STOP, false, "no answer, stop");
	failures(0, true, "death, release");
	failures(KVM_TRACK_STOP, true, "death, stop");
	signals();
	two_watchers();
	full_ring();
	broken_ring();
	return vm_test_end();
}
