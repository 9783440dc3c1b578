// SPDX-License-Identifier: GPL-2.0
/*
 * kexec_test [--after]: with a VM running, starts another kernel from this one,
 * which runs a VM again. Alone in its boot, see second_kernel.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/reboot.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "second_kernel.h"
#include "vm_test.h"

#define NAME	"kexec_test"

static int jump(void)
{
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	return -errno;
}

static int run_vm_again(void)
{
	struct guest_vm vm;

	vm_test_begin();
	check(true, "the second kernel runs");
	must_create(&vm, 1);
	run_payload(&vm.vcpu[0], "mix", 100);
	counts_right(&vm.vcpu[0], 100);
	guest_vm_destroy(&vm);
	return vm_test_end();
}

int main(int argc, char **argv)
{
	int kernel = second_kernel_image(), initrd, err;
	static struct busy_vm busy;
	char line[4096];

	if (argc > 1 && !strcmp(argv[1], "--after"))
		return second_kernel_run(NAME, run_vm_again);
	if (kernel < 0)
		skip("no kernel image in this initramfs");
	vm_test_begin();
	busy_vm_start(&busy, 2, "mix");
	initrd = second_kernel_initrd(NAME);
	second_kernel_line(line, sizeof(line), NAME);
	err = jump();
	check(err == -EINVAL, "nothing loaded, nothing started: %s",
	      strerror(-err));
	err = second_kernel_load(initrd, initrd, line, 0);
	check(err == -ENOEXEC, "an archive is no kernel: %s", strerror(-err));
	err = second_kernel_load(kernel, initrd, line, 0);
	if (err == -ENOSYS)
		skip("this kernel has no kexec_file_load()");
	check(!err, "second kernel loaded: %s", strerror(-err));
	busy_vm_runs(&busy, "until the very end");
	err = jump();
	check(false, "still here: %s", strerror(-err));
	return report_result();
}
