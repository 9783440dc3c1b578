// SPDX-License-Identifier: GPL-2.0
/*
 * kselftest FORM NAME [ARGUMENT...]
 *
 * One of the kernel's own selftests, from /kselftests of the initramfs: "plain", or
 * with files of memfd_restricted() in the place of guest_memfds ("restricted",
 * "restricted-2m"). "plain-if" and "restricted-if" have interrupts on in guests: see
 * tests/kselftest/interrupts.h. What a test would skip is missing here, and that is
 * a failure.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"

static const struct form {
	const char *name, *dir, *flags;
	bool interrupts;
} forms[] = {
	{ "plain", "plain" },
	{ "plain-if", "interrupts" },
	{ "restricted", "restricted", "0" },
	{ "restricted-if", "restricted", "0", true },
	{ "restricted-2m", "restricted", "2" },
};

static const struct form *form_called(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].name, name))
			return &forms[i];
	return NULL;
}

static int run(const struct form *form, char **argv)
{
	char path[128];
	int status;
	pid_t pid;

	snprintf(path, sizeof(path), "/kselftests/%s/%s", form->dir, argv[0]);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (form->flags)
			setenv("BULKHEAD_RMFD", form->flags, 1);
		if (form->interrupts)
			setenv("BULKHEAD_INTERRUPTS", "1", 1);
		/* It loads its own file into the guest. */
		argv[0] = path;
		execv(path, argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("run %s", path);
	return status;
}

int main(int argc, char **argv)
{
	const struct form *form = argc > 2 ? form_called(argv[1]) : NULL;
	int status;

	if (!form)
		die("kselftest plain[-if]|restricted[-if|-2m] NAME");
	status = run(form, argv + 2);
	check(WIFEXITED(status) && !WEXITSTATUS(status), "%s %s: %s %d",
	      argv[2], form->name, WIFEXITED(status) ? "status" : "signal",
	      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return report_result();
}
