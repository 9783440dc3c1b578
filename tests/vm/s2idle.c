// SPDX-License-Identifier: GPL-2.0
/*
 * The machine goes to sleep with a VM in it, as deep as the kernel's own
 * suspend test levels go, and the guest goes on afterwards.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "vm_test.h"

#define PM_TEST	"/sys/power/pm_test"
#define STATE	"/sys/power/state"
#define DELAY	"/sys/module/suspend/parameters/pm_test_delay"

static struct busy_vm busy;

static bool offers(const char *path, const char *word)
{
	char text[256];

	return read_text(path, text, sizeof(text)) && strstr(text, word);
}

static void sleep_once(const char *level, const char *state)
{
	int err;

	if (!offers(PM_TEST, level) || !offers(STATE, state)) {
		note("no %s at level %s", state, level);
		return;
	}
	err = write_text(PM_TEST, level);
	check(!err, "test level %s: %s", level, strerror(-err));
	err = write_text(STATE, state);
	check(!err, "%s at level %s: %s", state, level, strerror(-err));
	busy_vm_runs(&busy, "after waking up");
}

/* A VM that is idle over the sleep must run as well as a busy one. */
static void all_levels(void)
{
	static const char * const levels[] = {
		"freezer", "devices", "platform", "processors", "core",
	};
	struct guest_vm idle;
	size_t i;

	must_create(&idle, 1);
	counts_right(&idle.vcpu[0], 10);
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		sleep_once(levels[i], i < 3 ? "freeze" : "mem");
	counts_right(&idle.vcpu[0], 10);
	guest_vm_destroy(&idle);
}

int main(void)
{
	if (access(PM_TEST, W_OK) || !offers(STATE, "freeze"))
		skip("this kernel cannot test suspend");
	vm_test_begin();
	write_text(DELAY, "1");
	busy_vm_start(&busy, 2, "mix");
	all_levels();
	check(write_text(PM_TEST, "no-such-level") == -EINVAL,
	      "an unknown level is refused");
	write_text(PM_TEST, "none");
	busy_vm_stop(&busy);
	return vm_test_end();
}
