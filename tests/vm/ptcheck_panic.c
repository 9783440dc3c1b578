// SPDX-License-Identifier: GPL-2.0
/*
 * ptcheck_panic [--after]: page table check as the source has it: the machine stops
 * where a rule is broken, and the kernel that is there for that case tells. Needs
 * crashkernel= and is alone in its boot, see second_kernel.h.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kexec.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asi_stats.h"
#include "report.h"
#include "second_kernel.h"

#define NAME	"ptcheck_panic"
#define POLICY	"/sys/kernel/debug/page_table_check/policy"
#define BREAK	"/sys/kernel/debug/ptcheck_break"
#define MODULE	"/modules/ptcheck_break.ko"

/* The panic itself is on the console. */
static int arrive(void)
{
	check(!access("/proc/vmcore", R_OK), "started by a kernel that crashed");
	return report_result();
}

int main(int argc, char **argv)
{
	int kernel = second_kernel_image(), module, err;
	char line[4096], policy[16] = "";

	if (argc > 1 && !strcmp(argv[1], "--after"))
		return second_kernel_run(NAME, arrive);
	module = open(MODULE, O_RDONLY | O_CLOEXEC);
	if (kernel < 0 || module < 0 || !read_text(POLICY, policy, sizeof(policy)))
		skip("no kernel image or no module here, or no page table check");
	if (!check(!strncmp(policy, "panic", 5), "the policy is %s", policy))
		return report_result();
	if (syscall(SYS_finit_module, module, "", 0))
		die("finit_module");
	second_kernel_line(line, sizeof(line), NAME);
	err = second_kernel_load(kernel, second_kernel_initrd(NAME), line,
				 KEXEC_FILE_ON_CRASH);
	if (err)
		die("load a crash kernel: %s", strerror(-err));
	write_text(BREAK, "anon_write_read");
	check(false, "still here");
	return report_result();
}
