// SPDX-License-Identifier: GPL-2.0
/*
 * ptcheck [tighten|ordinary|linux]: each rule of page table check broken on purpose, by a module
 * that makes the entries which must not be, and kept by their legal neighbours.
 * Under the policy of the boot: "report" goes on, "kill" ends who did it. Then the
 * page tables of ordinary programs, which break none.
 *
 * With "tighten" the policy becomes "kill" at run time, and nothing undoes that; with
 * "ordinary" no rule is broken.
 * With "linux", on a kernel with the check of Linux itself, what that notices: the table
 * in Documentation/mm/ptcheck.rst.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ptcheck_load.h"
#include "report.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define CHECK		DEBUGFS "page_table_check/"
#define BREAK		DEBUGFS "ptcheck_break"
#define MODULE		"/modules/ptcheck_break.ko"
#define STAGE		(4UL << 20)	/* addresses that the module uses */

struct deed {
	const char *name;
	const char *rule;		/* NULL: none is broken */
	bool by_linux;			/* whether its own check stops who does it */
};

static const struct deed deeds[] = {
	{ "anon_write_write",	"anon_shared_write", true },
	{ "anon_read_write",	"anon_shared_write", true },
	{ "anon_write_read",	"anon_shared_write" },
	{ "anon_upgrade",	"anon_shared_write" },
	{ "anon_as_file",	"file_over_anon", true },
	{ "file_as_anon",	"anon_over_file", true },
	{ "underflow",		"unmap_not_mapped", true },
	{ "anon_underflow",	"unmap_not_mapped", true },
	{ "wrong_type",		"unmap_wrong_type", true },
	{ "free_mapped",	"freed_mapped", true },
	{ "free_mapped_tail",	"freed_mapped", true },
	{ "alloc_mapped",	"allocated_mapped", true },
	{ "slab_page",		"kernel_page", true },
	{ "table_page",		"kernel_page" },
	{ "uffd_wp_write",	"uffd_wp_write" },
	{ "uffd_wp_migration",	"uffd_wp_write" },
	{ "unseen_protect",	"write_miscount" },
	{ "large_tail",		"anon_shared_write" },
	{ "tail_then_large",	"anon_shared_write" },
	{ "large_twice",	"anon_shared_write" },
	{ "large_upgrade",	"anon_shared_write" },
	{ "pud_underflow",	"unmap_not_mapped", true },
	{ "hugetlb_tail",	"anon_shared_write" },
	{ "hugetlb_head",	"anon_shared_write", true },
	{ "legal_anon_read_read" },
	{ "legal_file_shared" },
	{ "legal_protect_and_share" },
	{ "legal_move" },
	{ "legal_move_overlap" },
	{ "legal_rewrite" },
	{ "legal_migrate" },
	{ "legal_swapped" },
	{ "legal_inaccessible" },
	{ "legal_zero_page" },
	{ "legal_retype_unmapped" },
	{ "legal_split_large" },
	{ "legal_hugetlb_alone" },
	{ "legal_no_memory" },
	{ "legal_free_unmapped" },
};

static char policy[16];

static bool read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

/* The rest of the line of @path that begins with @key, or "". */
static const char *value(const char *path, const char *key)
{
	static char found[128];
	char text[2048], *line;
	size_t len = strlen(key);

	found[0] = '\0';
	read_file(path, text, sizeof(text));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, key, len) && line[len] == ' ')
			snprintf(found, sizeof(found), "%s", line + len + 1);
	return found;
}

static unsigned long count(const char *rule)
{
	return strtoul(value(CHECK "violations", rule), NULL, 10);
}

static unsigned long count_all(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(deeds); i++)
		if (deeds[i].rule && (!i || strcmp(deeds[i].rule, deeds[i - 1].rule)))
			sum += count(deeds[i].rule);
	return sum;
}

static void at_once(const char *name)
{
	_exit(write_file(BREAK, name) ? 1 : 0);
}

static void *when_alone(void *name)
{
	char path[64], text[4096];

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", getpid());
	do {
		usleep(1000);
		read_file(path, text, sizeof(text));
	} while (!strstr(text, "Z (zombie)"));
	at_once(name);
	return NULL;
}

/* In a second thread, when the first has gone. */
static void without_first_thread(const char *name)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, when_alone, (void *)name))
		syscall(SYS_exit, 0);
	_exit(1);
}

/* A child does it; returns how that ended. */
static int commit_by(void (*culprit)(const char *), const char *name)
{
	int status = 0;
	int pid = fork();

	if (!pid)
		culprit(name);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork");
	return status;
}

static int commit(const char *name)
{
	return commit_by(at_once, name);
}

static void check_facts(const struct deed *deed)
{
	unsigned long pfn = strtoul(value(BREAK, "pfn"), NULL, 10);
	unsigned long found = strtoul(value(CHECK "last", "pfn"), NULL, 10);
	unsigned long address = strtoul(value(BREAK, "address"), NULL, 0);
	unsigned long pages = strncmp(deed->name, "pud", 3) ? 512 : 512 * 512;
	unsigned long at;

	check(!strcmp(value(CHECK "last", "rule"), deed->rule),
	      "%s: reported as %s", deed->name, value(CHECK "last", "rule"));
	if (strcmp(deed->rule, "uffd_wp_write"))
		check(found >= pfn && found < pfn + pages, "%s: the page is %lx, found %lx",
		      deed->name, pfn, found);
	/* The allocator finds what is mapped when it takes a page, or gives one. */
	if (strstr(deed->rule, "ed_mapped"))
		return;
	check(strstr(value(CHECK "last", "site"), "[ptcheck_break]"),
	      "%s: the place is %s", deed->name, value(CHECK "last", "site"));
	at = strtoul(value(CHECK "last", "address"), NULL, 0);
	check(at >= address && at < address + STAGE, "%s: the address is 0x%lx, found 0x%lx",
	      deed->name, address, at);
}

static void check_end(const struct deed *deed, int status)
{
	bool kills = !strcmp(policy, "kill") && deed->rule &&
		     strcmp(deed->rule, "uffd_wp_write");

	if (kills)
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		      "%s: killed, status 0x%x", deed->name, status);
	else
		check(!status, "%s: done, status 0x%x", deed->name, status);
}

static void try(const struct deed *deed)
{
	unsigned long before = count_all(), of_rule = 0;
	int status;

	if (deed->rule)
		of_rule = count(deed->rule);
	status = commit(deed->name);
	check_end(deed, status);
	if (!deed->rule) {
		check(count_all() == before, "%s: nothing was found", deed->name);
		return;
	}
	check(count(deed->rule) == of_rule + 1, "%s: found once, %lu of %s", deed->name,
	      count(deed->rule), deed->rule);
	check_facts(deed);
}

static void try_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(deeds); i++)
		try(&deeds[i]);
	check_end(deeds, commit_by(without_first_thread, deeds->name));
}

/* What a policy may become, and what not. */
static void policies(bool tighten)
{
	check(write_file(CHECK "policy", "lenient") == -EINVAL, "an unknown policy");
	check(write_file(CHECK "policy", "a-policy-that-has-a-long-name") == -EINVAL,
	      "too long a policy");
	check(!write_file(CHECK "policy", policy), "the same policy again");
	if (!tighten)
		return;
	check(!write_file(CHECK "policy", "kill"), "a stricter policy");
	check(write_file(CHECK "policy", "report") == -EPERM, "a laxer one");
	read_file(CHECK "policy", policy, sizeof(policy));
	policy[strcspn(policy, "\n")] = '\0';
	check(!strcmp(policy, "kill"), "the policy is %s", policy);
}

/* Of what ordinary programs do nothing is a violation, and no counts are lost. */
static void ordinary(void)
{
	unsigned long before = count_all();

	ptcheck_load(1);
	check(count_all() == before, "%lu violations by ordinary programs",
	      count_all() - before);
}

/* The engine of Linux stops whoever breaks a rule that it knows. */
static void what_linux_finds(void)
{
	const struct deed *deed;
	bool found;

	write_file("/proc/sys/kernel/panic_on_oops", "0");
	for (deed = deeds; deed < deeds + ARRAY_SIZE(deeds); deed++) {
		found = WIFSIGNALED(commit(deed->name));
		check(found == deed->by_linux, "linux %s %s", deed->name,
		      found ? "found" : "not found");
	}
}

static bool load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (syscall(SYS_finit_module, fd, "", 0))
		die("finit_module %s", path);
	close(fd);
	return true;
}

static unsigned long parameter(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/module/check_break/parameters/%s", name);
	return read_file(path, text, sizeof(text)) ? strtoul(text, NULL, 10) : 0;
}

/* Leaves for restricted tables: as many refused of each kind as there should be. */
static void restricted_tables(void)
{
	static const struct {
		const char *rule;
		unsigned long times;
	} expected[] = {
		{ "asi_frame", 3 }, { "asi_permission", 4 }, { "asi_class", 2 },
		{ "text_write", 2 }, { "asi_stale", 2 },
	};
	unsigned int i;

	if (!strcmp(policy, "kill") || access("/sys/kernel/debug/asi", F_OK) ||
	    !load_module("/modules/check_break.ko"))
		return;
	check(parameter("asked") == 18 && !parameter("wrong"),
	      "%lu leaves, %lu wrong answers", parameter("asked"), parameter("wrong"));
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		check(count(expected[i].rule) == expected[i].times, "%lu of %s",
		      count(expected[i].rule), expected[i].rule);
	check(!syscall(SYS_delete_module, "check_break", O_NONBLOCK),
	      "the other module unloaded");
}

int main(int argc, char **argv)
{
	bool tighten = argc > 1 && !strcmp(argv[1], "tighten");

	if (!load_module(MODULE))
		skip("there is no test module");
	if (argc > 1 && !strcmp(argv[1], "linux")) {
		what_linux_finds();
		return report_result();
	}
	if (!read_file(CHECK "policy", policy, sizeof(policy)))
		skip("page table check is off");
	policy[strcspn(policy, "\n")] = '\0';
	ordinary();
	if (argc > 1 && !strcmp(argv[1], "ordinary"))
		return report_result();
	check(commit("no_such_case") == 1 << 8, "an unknown case");
	try_all();
	restricted_tables();
	policies(tighten);
	if (tighten)
		try_all();
	ordinary();
	check(!syscall(SYS_delete_module, "ptcheck_break", O_NONBLOCK),
	      "module unloaded");
	return report_result();
}
