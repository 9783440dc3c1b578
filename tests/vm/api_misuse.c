// SPDX-License-Identifier: GPL-2.0
/* Nonsense for every file of the debugfs directory: each has its errno. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "asi_stats.h"
#include "report.h"

#define GOOD	"00112233445566778899aabbccddeeff" \
		"ffeeddccbbaa99887766554433221100"
#define MOST_CANARIES	32

struct misuse {
	const char *file, *text, *what;
	int err;
};

static const struct misuse misuses[] = {
	{ "canary", "zz", "no digits", -EINVAL },
	{ "canary", "2", "an unknown command", -EINVAL },
	{ "canary", "-1", "a negative command", -EINVAL },
	{ "canary", "0123456789abcdef", "too few digits", -EINVAL },
	{ "canary", GOOD "0", "a digit too many", -EINVAL },
	{ "canary", GOOD GOOD, "two at once", -EINVAL },
	{ "canary", GOOD ":kind", "no blank before the kind", -EINVAL },
	{ "canary", GOOD " a-kind-that-has-a-name-much-too-long", "too long a kind",
	  -EINVAL },
	{ "canary", "g0112233445566778899aabbccddeeff"
		    "ffeeddccbbaa99887766554433221100", "no hex", -EINVAL },
	{ "audit_interval", "-1", "a negative interval", -EINVAL },
	{ "audit_interval", "often", "a word", -EINVAL },
	{ "audit_interval", "99999999999999999999", "too large", -ERANGE },
	{ "stats", "0", "the file of counters", -EINVAL },
	{ "kvm_exits", "maybe", "a word", -EINVAL },
};

static void all_misuses(void)
{
	const struct misuse *m = misuses;
	char path[128];
	int err;

	for (; m < misuses + sizeof(misuses) / sizeof(*m); m++) {
		snprintf(path, sizeof(path), ASI_DEBUGFS "/%s", m->file);
		if (access(path, F_OK)) {
			note("no file %s", m->file);
			continue;
		}
		err = asi_write(m->file, m->text);
		check(err == m->err, "%s: %s: %s", m->file, m->what,
		      strerror(-err));
	}
}

static bool known(uint64_t expected)
{
	uint64_t value = UINT64_MAX;

	return asi_value("canary", "secrets", &value) && value == expected;
}

/* The twins: what is right works, up to the limit and not beyond. */
static void canaries_by_the_book(void)
{
	char hex[] = GOOD;
	int i, err;

	check(!asi_write("canary", "0"), "canaries forgotten");
	check(known(0), "none left");
	check(!asi_write("canary", GOOD " kind"), "one canary");
	check(asi_write("canary", GOOD) == -EEXIST, "the same one again");
	check(known(1), "one is known");
	for (i = 1; i < MOST_CANARIES; i++) {
		snprintf(hex, 3, "%02x", i);
		hex[2] = '1';
		err = asi_write("canary", hex);
		if (err)
			check(false, "canary %d: %s", i, strerror(-err));
	}
	check(known(MOST_CANARIES), "%d are known", MOST_CANARIES);
	check(asi_write("canary", "ff" "112233445566778899aabbccddeeff"
			"ffeeddccbbaa99887766554433221100") == -ENOSPC,
	      "one too many");
	check(!asi_write("canary", "0") && known(0), "forgotten again");
}

static void switches_by_the_book(void)
{
	char text[32];

	check(!asi_write("audit_interval", "0"), "no audits");
	check(read_text(ASI_DEBUGFS "/audit_interval", text, sizeof(text)) &&
	      !strcmp(text, "0\n"), "and that is what it says");
	if (!access(ASI_DEBUGFS "/kvm_exits", W_OK))
		check(!asi_write("kvm_exits", "1") &&
		      !asi_write("kvm_exits", "1") &&
		      !asi_write("kvm_exits", "0"), "exits counted, twice");
	check(write_text("/sys/kernel/mm/asi/enabled", "1") == -EACCES,
	      "nothing switches it on after boot");
}

int main(void)
{
	if (!asi_debugfs())
		skip("no debugfs directory of address space isolation");
	all_misuses();
	canaries_by_the_book();
	switches_by_the_book();
	return report_result();
}
