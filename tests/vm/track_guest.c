// SPDX-License-Identifier: GPL-2.0
/* A guest for page tracking: see track_guest.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guest_layout.h"
#include "report.h"
#include "track_guest.h"

uint64_t track_code_at(const uint8_t *code)
{
	return TRACK_CODE + (code - track_code_start);
}

int track_load_at(struct guest_vcpu *vcpu, uint64_t rip,
		  const struct track_regs *regs)
{
	struct kvm_regs set = {
		.rip = rip,
		.rflags = 2,
		.rax = regs->rax, .rbx = regs->rbx, .rcx = regs->rcx,
		.rsi = regs->rsi, .rdi = regs->rdi,
		.rsp = regs->rsp ?: GUEST_STACKS + (vcpu->id + 1) * TRACK_PAGE,
	};

	/* An exit to user space finishes its instruction at the next entry. */
	vcpu->run->immediate_exit = 1;
	ioctl(vcpu->fd, KVM_RUN, 0);
	vcpu->run->immediate_exit = 0;
	return ioctl(vcpu->fd, KVM_SET_REGS, &set) ? -errno : 0;
}

int track_load(struct guest_vcpu *vcpu, const uint8_t *code,
	       const struct track_regs *regs)
{
	return track_load_at(vcpu, track_code_at(code), regs);
}

void track_vm_create(struct guest_vm *vm, unsigned int nr_vcpus)
{
	int err = guest_vm_create(vm, nr_vcpus, GUEST_MEM_SIZE);

	if (err) {
		errno = -err;
		die("create a VM");
	}
	memcpy(vm->mem + TRACK_CODE, track_code_start,
	       track_code_end - track_code_start);
}

void must_track(struct track *track, const struct guest_vm *vm,
		struct kvm_track_create create)
{
	int err = track_open(track, vm->fd, create);

	if (err) {
		errno = -err;
		die("create a watcher");
	}
}

void must_set(const struct track *track, uint64_t gpa, uint64_t npages,
	      unsigned int access, unsigned int flags)
{
	int err = track_set(track, gpa, npages, access, flags);

	if (err) {
		errno = -err;
		die("watch %lu pages at %#lx", npages, gpa);
	}
}

int track_run(struct guest_vcpu *vcpu)
{
	int err;

	do {
		err = guest_vcpu_run(vcpu);
	} while (err == -EINTR);
	return err;
}

/* Appends what @event says, in the words of the tables. */
static void spell(char *text, size_t size, const struct kvm_track_event *event,
		  uint64_t base)
{
	static const char letters[] = { [KVM_TRACK_READ] = 'R',
		[KVM_TRACK_WRITE] = 'w', [KVM_TRACK_WRITTEN] = 'W',
		[KVM_TRACK_EXEC] = 'X', [KVM_TRACK_WALK] = 'P' };
	size_t used = strlen(text);
	char one[64];

	snprintf(one, sizeof(one), "%s%c%lx", used ? " " : "",
		 letters[event->access & 31],
		 (unsigned long)(event->gpa - base));
	if (event->flags & KVM_TRACK_UNHANDLED)
		strcat(one, "?");
	else if (event->len)
		sprintf(one + strlen(one), "+%u", event->len);
	if (event->len && event->access & (KVM_TRACK_WRITE | KVM_TRACK_WRITTEN))
		sprintf(one + strlen(one), "=%x", event->data[0]);
	if (event->gva != event->gpa && event->gva != ~0ULL)
		sprintf(one + strlen(one), "@%llx", event->gva);
	snprintf(text + used, size - used, "%s", one);
}

void track_spell(const struct track *track, char *text, size_t size,
		 uint64_t base)
{
	struct kvm_track_event event;

	*text = 0;
	while (track_next(track, &event))
		spell(text, size, &event, base);
}

/* Equal, but for any character where @expected has *, for digits where =?. */
static bool same(const char *got, const char *expected)
{
	while (*got && *expected) {
		if (*expected == '?' && expected[-1] == '=') {
			got += strspn(got, "0123456789abcdef");
			expected++;
		} else if (*got++ != *expected && *expected != '*') {
			return false;
		} else {
			expected++;
		}
	}
	return *got == *expected;
}

bool track_told(const struct track *track, const char *expected, uint64_t base,
		const char *name)
{
	char text[1024];

	track_spell(track, text, sizeof(text), base);
	return check(same(text, expected), "%s: %s", name,
		     same(text, expected) ? text : text[0] ? text : "nothing");
}
