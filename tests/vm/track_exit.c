// SPDX-License-Identifier: GPL-2.0
/*
 * A VMM that is its own watcher: what KVM_RUN ends with, once for each access, and
 * what becomes of each answer.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_layout.h"
#include "track_guest.h"
#include "vm_test.h"

#define VALUE	0x1817161514131211UL
#define ROUNDS	2000
#define CODE(name)	extern const uint8_t track_##name[]
CODE(load8); CODE(store8); CODE(three); CODE(stores); CODE(lock_add);
CODE(cmpxchg16b); CODE(rep_stos); CODE(rep_movs); CODE(lcall); CODE(finish);
CODE(hammer);

/* A question that is expected, and the answer to it. */
struct step {
	unsigned int access;
	uint64_t gpa;
	unsigned int len;
	unsigned int action;
	uint64_t data;		/* to be supplied */
};

struct scene {
	const char *name;
	const uint8_t *code;
	struct track_regs regs;
	unsigned int access;	/* of TRACK_DATA and the page after it */
	struct step step[8];	/* up to the first without an access */
	uint64_t at[2];		/* in these places of memory */
	uint64_t is[2];		/* there is this then */
};

static struct guest_vm vm;
static struct track track;
static const struct step *next;

static struct kvm_track_exit *asked(struct guest_vcpu *vcpu)
{
	return (struct kvm_track_exit *)vcpu->run->padding;
}

static void answer(struct guest_vcpu *vcpu)
{
	struct kvm_track_exit *exit = asked(vcpu);

	check(exit->access == next->access && exit->gpa == next->gpa &&
	      exit->len == next->len && exit->action == KVM_TRACK_CONTINUE &&
	      exit->flags == KVM_TRACK_WAITS,
	      "asked: access %u of %u at %llx, expected %u of %u at %lx",
	      exit->access, exit->len, exit->gpa, next->access, next->len,
	      next->gpa);
	exit->action = next->action;
	memcpy(exit->data, &next->data, sizeof(next->data));
	if (next->access)
		next++;
}

static uint64_t memory(uint64_t gpa)
{
	uint64_t value;

	memcpy(&value, vm.mem + gpa, sizeof(value));
	return value;
}

#define R	KVM_TRACK_READ
#define W	KVM_TRACK_WRITE
#define X	KVM_TRACK_EXEC
#define PAGE	TRACK_DATA
#define SECOND	(TRACK_DATA + TRACK_PAGE)

static const struct scene scenes[] = {
	{ "a store", track_store8, { .rax = VALUE, .rbx = PAGE + 8 }, W,
	  { { W, PAGE + 8, 8 } }, { PAGE + 8 }, { VALUE } },
	{ "a store refused and dropped", track_store8,
	  { .rax = VALUE, .rbx = PAGE + 8 }, W,
	  { { W, PAGE + 8, 8, KVM_TRACK_RETRY },
	    { W, PAGE + 8, 8, KVM_TRACK_RETRY },
	    { W, PAGE + 8, 8, KVM_TRACK_SKIP } }, { PAGE + 8 }, { 0 } },
	{ "halves of a store", track_store8,
	  { .rax = VALUE, .rbx = PAGE + 0xffc }, W,
	  { { W, PAGE + 0xffc, 4, KVM_TRACK_SKIP }, { W, SECOND, 4 } },
	  { PAGE + 0xff8, SECOND }, { 0, VALUE >> 32 } },
	{ "a locked addition", track_lock_add,
	  { .rax = 5, .rbx = PAGE + 8 }, R | W,
	  { { R, PAGE + 8, 8 }, { W, PAGE + 8, 8 } }, { PAGE + 8 }, { 5 } },
	{ "a locked addition of its own", track_lock_add,
	  { .rax = 5, .rbx = PAGE + 8 }, R | W,
	  { { R, PAGE + 8, 8 }, { W, PAGE + 8, 8, KVM_TRACK_RETRY },
	    { R, PAGE + 8, 8 }, { W, PAGE + 8, 8 } }, { PAGE + 8 }, { 5 } },
	{ "the same store three times", track_stores,
	  { .rdi = 3, .rbx = PAGE }, W,
	  { { W, PAGE, 4 }, { W, PAGE, 4, KVM_TRACK_SKIP },
	    { W, PAGE, 4, KVM_TRACK_SKIP } }, { PAGE }, { 3 } },
	{ "a string", track_rep_stos,
	  { .rax = VALUE, .rcx = 4, .rdi = PAGE + 0xff0 }, W,
	  { { W, PAGE + 0xff0, 8 }, { W, PAGE + 0xff8, 8, KVM_TRACK_SKIP },
	    { W, SECOND, 8 }, { W, SECOND + 8, 8 } },
	  { PAGE + 0xff8, SECOND + 8 }, { 0, VALUE } },
	{ "a string that is copied", track_rep_movs,
	  { .rcx = 2, .rsi = PAGE, .rdi = PAGE + 1 }, R | W,
	  { { R, PAGE, 1, KVM_TRACK_SUPPLY, 0x55 }, { W, PAGE + 1, 1 },
	    { R, PAGE + 1, 1 }, { W, PAGE + 2, 1 } }, { PAGE }, { 0x555500 } },
	{ "what a device says", track_rep_movs,
	  { .rcx = 1, .rsi = GUEST_MMIO, .rdi = PAGE }, W,
	  { { W, PAGE, 1 } }, { PAGE }, { 0 } },
};

static void play(const struct scene *scene)
{
	struct guest_vcpu *vcpu = &vm.vcpu[0];
	unsigned int i;

	memset(vm.mem + PAGE, 0, 2 * TRACK_PAGE);
	must_set(&track, PAGE, 2, scene->access, 0);
	next = scene->step;
	track_load(vcpu, scene->code, &scene->regs);
	check(!guest_vcpu_run(vcpu) && !next->access, "%s", scene->name);
	for (i = 0; i < 2; i++)
		if (scene->at[i])
			check(memory(scene->at[i]) == scene->is[i],
			      "%s: %lx at %lx", scene->name,
			      memory(scene->at[i]), scene->at[i]);
	must_set(&track, PAGE, 2, 0, 0);
}

static void loads(void)
{
	static const struct step steps[] = {
		{ R, PAGE + 0xffe, 2, KVM_TRACK_SUPPLY, 0xbbaa },
		{ R, SECOND, 6 }, { }
	};

	memset(vm.mem + SECOND, 0x55, 8);
	must_set(&track, PAGE, 2, R, 0);
	next = steps;
	track_load(&vm.vcpu[0], track_load8,
		   &(struct track_regs){ .rbx = PAGE + 0xffe });
	check(!guest_vcpu_run(&vm.vcpu[0]) && !next->access &&
	      guest_vcpu_told(&vm.vcpu[0]) == 0x5555bbaa,
	      "half of a load is supplied");
	must_set(&track, PAGE, 2, 0, 0);
}

static void instructions(void)
{
	uint64_t code = track_code_at(track_three);
	const struct step steps[] = {
		{ X, code, 0, KVM_TRACK_RETRY }, { X, code }, { X, code + 3 },
		{ X, code + 7 }, { X, code + 10 }, { }
	};

	must_set(&track, TRACK_CODE, 1, X, 0);
	next = steps;
	track_load(&vm.vcpu[0], track_three, &(struct track_regs){ .rcx = 7 });
	check(!guest_vcpu_run(&vm.vcpu[0]) && !next->access &&
	      guest_vcpu_told(&vm.vcpu[0]) == 12, "each executed once");
	must_set(&track, TRACK_CODE, 1, 0, 0);
}

/* Two pushes, and the first one is asked for once. */
static void far_call(void)
{
	const uint32_t pointer[2] = { TRACK_FREE + 16, GUEST_CS };
	static const struct step steps[] = {
		{ W, SECOND, 4 }, { W, PAGE + 0xffc, 4 }, { }
	};

	memcpy(vm.mem + TRACK_FREE, pointer, sizeof(pointer));
	memcpy(vm.mem + TRACK_FREE + 16, track_finish, 4);
	must_set(&track, PAGE, 2, W, 0);
	next = steps;
	track_load(&vm.vcpu[0], track_lcall,
		   &(struct track_regs){ .rbx = TRACK_FREE, .rsp = SECOND + 4 });
	check(!guest_vcpu_run(&vm.vcpu[0]) && !next->access,
	      "a far call, once for each push");
	must_set(&track, PAGE, 2, 0, 0);
}

/* KVM_RUN up to the question, with nobody to answer it. */
static bool ask(const uint8_t *code, const struct track_regs *regs)
{
	track_load(&vm.vcpu[0], code, regs);
	return !ioctl(vm.vcpu[0].fd, KVM_RUN, 0) &&
	       vm.vcpu[0].run->exit_reason == KVM_EXIT_TRACK;
}

static const struct track_regs store_regs = { .rax = VALUE,
	.rbx = PAGE + 8 };

static void wrong_answers(void)
{
	static const unsigned int wrong[] = { KVM_TRACK_SUPPLY, 4, ~0U };
	struct kvm_track_exit *exit = asked(&vm.vcpu[0]);
	size_t i;

	memset(vm.mem + PAGE, 0, TRACK_PAGE);
	must_set(&track, PAGE, 1, W, 0);
	check(ask(track_store8, &store_regs) && exit->gva == PAGE + 8 &&
	      !memcmp(exit->data, &store_regs.rax, 8), "asked, with the data");
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		exit->action = wrong[i];
		check(ioctl(vm.vcpu[0].fd, KVM_RUN, 0) && errno == EINVAL,
		      "%u is no answer to a write", wrong[i]);
	}
	exit->action = KVM_TRACK_CONTINUE;
	next = (const struct step[]) { { } };
	check(!guest_vcpu_run(&vm.vcpu[0]) && memory(PAGE + 8) == VALUE,
	      "put right");

	must_set(&track, PAGE, 1, R, 0);
	check(ask(track_load8, &store_regs), "a load");
	exit->action = KVM_TRACK_SKIP;
	check(ioctl(vm.vcpu[0].fd, KVM_RUN, 0) && errno == EINVAL,
	      "a read cannot be skipped");
	exit->action = KVM_TRACK_CONTINUE;
	check(!guest_vcpu_run(&vm.vcpu[0]), "but made");
	must_set(&track, PAGE, 1, 0, 0);
}

/* The answer was to be about an instruction that is not there any more. */
static void other_way(void)
{
	static const struct step steps[] = {
		{ W, PAGE + 8, 8, KVM_TRACK_SKIP }, { }
	};
	struct guest_vcpu *vcpu = &vm.vcpu[0];
	struct kvm_regs regs;

	memset(vm.mem + PAGE, 0, TRACK_PAGE);
	must_set(&track, PAGE, 1, W, 0);
	check(ask(track_store8, &store_regs), "asked");
	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	check(regs.rip == track_code_at(track_store8), "before the instruction");
	regs.rip = track_code_at(track_finish);
	ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	next = steps + 1;
	check(!guest_vcpu_run(vcpu) && !memory(PAGE + 8), "it is left out");
	next = steps;
	track_load(vcpu, track_store8, &store_regs);
	check(!guest_vcpu_run(vcpu) && !next->access && !memory(PAGE + 8),
	      "and asked for when it is there again");
	must_set(&track, PAGE, 1, 0, 0);
}

static void unhandled(void)
{
	const struct track_regs regs = { .rbx = PAGE + 0x10 };
	struct kvm_track_exit *exit = asked(&vm.vcpu[0]);

	must_set(&track, PAGE, 1, W, 0);
	check(ask(track_cmpxchg16b, &regs) &&
	      exit->flags == (KVM_TRACK_WAITS | KVM_TRACK_UNHANDLED) &&
	      exit->gpa == PAGE + 0x10 && !exit->len, "unhandled, as such");
	exit->action = KVM_TRACK_SKIP;
	check(ioctl(vm.vcpu[0].fd, KVM_RUN, 0) && errno == EINVAL,
	      "there is nothing to skip");
	exit->action = KVM_TRACK_CONTINUE;
	check(!ioctl(vm.vcpu[0].fd, KVM_RUN, 0) &&
	      vm.vcpu[0].run->exit_reason == KVM_EXIT_INTERNAL_ERROR,
	      "allowed, it is KVM's failure");
	check(ask(track_cmpxchg16b, &regs), "again");
	must_set(&track, PAGE, 1, 0, 0);
	exit->action = KVM_TRACK_RETRY;
	check(!guest_vcpu_run(&vm.vcpu[0]), "or the guest does it itself");
}

static void *hammer(void *arg)
{
	struct guest_vcpu *vcpu = arg;
	const struct track_regs regs = { .rbx = PAGE + vcpu->id * TRACK_PAGE,
		.rdi = 1, .rsi = ROUNDS };

	vcpu->answer = NULL;	/* CONTINUE is there already */
	track_load(vcpu, track_hammer, &regs);
	return guest_vcpu_run(vcpu) ? vcpu : NULL;
}

static void together(void)
{
	pthread_t thread[2];
	void *failed;
	int i;

	memset(vm.mem + PAGE, 0, 2 * TRACK_PAGE);
	must_set(&track, PAGE, 2, R | W, 0);
	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, hammer, &vm.vcpu[i]))
			die("pthread_create");
	for (i = 0; i < 2; i++) {
		pthread_join(thread[i], &failed);
		check(!failed && memory(PAGE + i * TRACK_PAGE) == ROUNDS &&
		      vm.vcpu[i].user_exits >= 2 * ROUNDS,
		      "vCPU %d: %lu additions, %lu exits", i,
		      memory(PAGE + i * TRACK_PAGE), vm.vcpu[i].user_exits);
	}
	vm.vcpu[0].answer = answer;
	must_set(&track, PAGE, 2, 0, 0);
}

static int create_elsewhere(unsigned int flags)
{
	struct track other;
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(-track_open(&other, vm.fd, TRACK_CREATE(.flags = flags)));
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void creates(void)
{
	struct track other;

	check(track_open(&other, vm.fd, TRACK_CREATE(.flags = KVM_TRACK_EXIT,
	      .timeout_ms = 1)) == -EINVAL, "there is nobody to be late");
	check(track_open(&other, vm.fd, TRACK_CREATE(.flags = KVM_TRACK_EXIT)) ==
	      -EBUSY, "only one for whom KVM_RUN ends");
	check(create_elsewhere(0) == 0, "another process can watch");
	check(create_elsewhere(KVM_TRACK_EXIT) == EPERM, "but runs no vCPU");
	must_track(&other, &vm, TRACK_CREATE());
	track_close(&other);
}

/* The watcher goes while its question is not answered. */
static void ends(unsigned int flags, int expected)
{
	struct track last;

	memset(vm.mem + PAGE, 0, TRACK_PAGE);
	must_track(&last, &vm, TRACK_CREATE(.flags = KVM_TRACK_EXIT | flags));
	must_set(&last, PAGE, 1, W, 0);
	check(ask(track_store8, &store_regs) && asked(&vm.vcpu[0])->action ==
	      (flags ? KVM_TRACK_RETRY : KVM_TRACK_CONTINUE),
	      "asked, with the answer of one that is over");
	track_close(&last);
	check(guest_vcpu_run(&vm.vcpu[0]) == expected &&
	      memory(PAGE + 8) == (flags ? 0 : VALUE), "its end: flags %u", flags);
}

int main(void)
{
	size_t i;

	if (!guest_kvm_present())
		skip("no KVM");
	track_vm_create(&vm, 2);
	vm.vcpu[0].answer = answer;
	must_track(&track, &vm, TRACK_CREATE(.flags = KVM_TRACK_EXIT));
	for (i = 0; i < ARRAY_SIZE(scenes); i++)
		play(&scenes[i]);
	loads();
	instructions();
	far_call();
	wrong_answers();
	other_way();
	unhandled();
	together();
	creates();
	track_close(&track);
	ends(0, 0);
	ends(KVM_TRACK_STOP, -EIO);
	guest_vm_destroy(&vm);
	return report_result();
}
