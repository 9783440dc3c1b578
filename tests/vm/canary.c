// SPDX-License-Identifier: GPL-2.0
/*
 * canary [--check COMMAND... | --hold COMMAND... | --wait]
 *
 * Plants random secrets where a host kernel keeps what belongs to others, each
 * kind of places.c in a process of its own and in as many pages as are a sample.
 * No other copy of a secret is left anywhere: this program handles complements
 * only, and it is the complements it prints and gives to the kernel's auditor,
 * which then looks for the secrets in what a running guest could reach.
 *
 * Without an option it keeps the secrets until it is killed, with --hold until
 * COMMAND ends. --check also asks the auditor afterwards: every sample must have
 * been reachable through the full page tables, none through restricted ones.
 * With asi=off all of every kind must have been, or the check proves nothing.
 * --wait is for the process that has secrets in its arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asi_stats.h"
#include "places.h"
#include "report.h"

#define MAX_PLACES	32
#define MIN_SAMPLES	10000

static uint8_t complements[MAX_PLACES][SECRET_LEN];
static bool is_planted[MAX_PLACES];

/* Neither 0 nor 0xff, so that a secret can be in a string. */
static void make_complement(uint8_t *complement)
{
	size_t i = 0;

	while (i < SECRET_LEN) {
		if (getrandom(&complement[i], 1, 0) != 1)
			die("getrandom");
		i += complement[i] && complement[i] != 0xff;
	}
}

/* Tells through @fd whether the secret is planted, then keeps it. */
static void keep(size_t place, int fd)
{
	bool good;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	good = places[place].plant(complements[place]);
	if (write(fd, &good, sizeof(good)) != sizeof(good))
		_exit(1);
	for (;;)
		pause();
}

static bool plant(size_t place)
{
	bool good = false;
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		die("pipe");
	/* Above those that a keeper needs for itself. */
	pid = fork();
	if (!pid)
		keep(place, fcntl(fds[1], F_DUPFD, 400));
	close(fds[1]);
	if (pid < 0 || read(fds[0], &good, sizeof(good)) != sizeof(good))
		good = false;
	close(fds[0]);
	return good;
}

static void to_hex(size_t place, char *hex)
{
	size_t i;

	for (i = 0; i < SECRET_LEN; i++)
		sprintf(hex + 2 * i, "%02x", complements[place][i]);
}

static unsigned int plant_all(void)
{
	char hex[2 * SECRET_LEN + 1], line[128];
	unsigned int planted = 0;
	size_t i;

	for (i = 0; i < nr_places; i++) {
		make_complement(complements[i]);
		is_planted[i] = plant(i);
		if (!is_planted[i]) {
			note("%s: nowhere to plant", places[i].kind);
			continue;
		}
		planted++;
		to_hex(i, hex);
		snprintf(line, sizeof(line), "canary %s %s", places[i].kind, hex);
		report_data(line);
	}
	return planted;
}

/* Returns false if the kernel has no auditor. */
static bool register_all(void)
{
	char line[2 * SECRET_LEN + 64];
	size_t i;
	int err;

	if (!asi_debugfs())
		return false;
	asi_write("canary", "0");
	for (i = 0; i < nr_places; i++) {
		if (!is_planted[i])
			continue;
		to_hex(i, line);
		sprintf(line + 2 * SECRET_LEN, " %s", places[i].kind);
		err = asi_write("canary", line);
		check(!err, "registered %s: %s", places[i].kind, strerror(-err));
	}
	return true;
}

static int run_command(char **argv)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("fork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* What the auditor says, read once: each time it counts anew. */
static char verdict[8192];

/* The number after @name, and after ".@kind" if there is one. */
static uint64_t verdict_on(const char *name, const char *kind)
{
	char key[64];
	const char *at;

	snprintf(key, sizeof(key), "\n%s%s%s ", name, kind ? "." : "",
		 kind ? kind : "");
	at = strstr(verdict, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : UINT64_MAX;
}

static void check_kind(const char *kind, bool isolated)
{
	uint64_t planted = verdict_on("planted", kind);
	uint64_t restricted = verdict_on("reachable_restricted", kind);

	check(planted && planted != UINT64_MAX, "%s: %lu pages", kind, planted);
	check(restricted == (isolated ? 0 : planted),
	      "%s: %lu of %lu reachable while a guest runs", kind, restricted,
	      planted);
}

static void check_verdict(unsigned int secrets, bool isolated)
{
	uint64_t planted, restricted, full;
	char line[128];
	size_t i;

	verdict[0] = '\n';
	if (!check(read_text(ASI_DEBUGFS "/canary", verdict + 1,
			     sizeof(verdict) - 1), "the auditor speaks"))
		return;
	planted = verdict_on("planted", NULL);
	restricted = verdict_on("reachable_restricted", NULL);
	full = verdict_on("reachable_full", NULL);
	snprintf(line, sizeof(line), "verdict restricted %lu full %lu planted %lu",
		 restricted, full, planted);
	report_data(line);
	check(verdict_on("secrets", NULL) == secrets, "the kernel knows %u secrets",
	      secrets);
	check(planted >= MIN_SAMPLES, "%lu samples", planted);
	check(full == planted, "%lu reachable through the full tables", full);
	for (i = 0; i < nr_places; i++)
		if (is_planted[i])
			check_kind(places[i].kind, isolated);
}

/* Audits every entry of @command and compares the verdict with the claim. */
static void check_command(char **command, unsigned int secrets)
{
	uint64_t audits = 0, before = 0;
	int ret;

	asi_value("audit", "audits", &before);
	ret = asi_write("audit_interval", "1");
	check(!ret, "every VM entry is audited: %s", strerror(-ret));
	ret = run_command(command);
	check(ret == 0, "%s ended with %d", command[0], ret);
	asi_value("audit", "audits", &audits);
	check(audits > before, "%lu audits took place", audits - before);
	check_verdict(secrets, asi_enabled());
}

static int usage(void)
{
	fprintf(stderr, "usage: canary [--check|--hold COMMAND...]\n");
	return 2;
}

static int hold(char **command)
{
	int ret = run_command(command);

	check(ret == 0, "%s ended with %d", command[0], ret);
	return report_result();
}

int main(int argc, char **argv)
{
	const char *option = argc > 1 ? argv[1] : "";
	bool checking = argc > 2 && !strcmp(option, "--check");
	bool holding = argc > 2 && !strcmp(option, "--hold");
	unsigned int planted;

	if (!strcmp(option, "--wait"))
		return pause();
	if (argc > 1 && !checking && !holding)
		return usage();
	if (checking && !asi_debugfs())
		skip("no address space isolation: no auditor to ask");
	planted = plant_all();
	check(planted >= nr_places - 2, "%u secrets planted", planted);
	register_all();
	if (checking)
		check_command(argv + 2, planted);
	else if (holding)
		return hold(argv + 2);
	else
		pause();
	return report_result();
}
