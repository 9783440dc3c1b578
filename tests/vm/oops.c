// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel bug inside the restricted address space is reported as anywhere
 * else, kills the task that met it, and leaves the rest of the machine alone.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "kvm_guest.h"

#define TRIGGER	"/sys/kernel/debug/asi/bug"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die("%s", path);
	close(fd);
}

static bool logged(const char *what)
{
	char line[1024];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	bool found = false;
	ssize_t n;

	while (!found && (n = read(fd, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		found = strstr(line, what);
	}
	close(fd);
	return found;
}

static void provoke(const char *how, const char *site)
{
	int status;
	int pid = fork();

	if (!pid) {
		put(TRIGGER, how);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork");
	check(WIFSIGNALED(status), "%s: the task was killed, status 0x%x", how,
	      status);
	check(logged(site), "%s: the log names the place, %s", how, site);
}

static void guest_still_runs(void)
{
	struct guest_vm vm;

	check(!guest_vm_create(&vm, 1, GUEST_MEM_SIZE) &&
	      !guest_vcpu_do(&vm.vcpu[0], guest_payload("mix"), 20),
	      "a guest runs after that");
	guest_vm_destroy(&vm);
}

int main(void)
{
	if (access(TRIGGER, W_OK))
		skip("no %s in this kernel", TRIGGER);
	put("/proc/sys/kernel/panic_on_oops", "0");
	provoke("null", "RIP: 0010:asi_test_null");
	provoke("guard", "RIP: 0010:asi_test_guard");
	guest_still_runs();
	return report_result();
}
