// SPDX-License-Identifier: GPL-2.0
/*
 * modules [ROUNDS]: a module comes and goes while guests run. Of what it brings,
 * its text and its constants are in every instance while it is there, a secret in
 * its variables never; afterwards nothing of it is. Each time it also changes the
 * attributes of a page that every instance maps.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm_test.h"

#define NAME		"asi_module_test"
#define FILE_NAME	"/modules/" NAME ".ko"
#define PARAMETERS	"/sys/module/" NAME "/parameters/"
#define ROUNDS		100
#define PAGES		8	/* of the module that hold the secret */
#define PATIENCE	60	/* seconds until the timer has met a guest */

static struct busy_vm busy;
static struct guest_vm vm;

static int load(const char *params)
{
	int fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || syscall(SYS_finit_module, fd, params, 0))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static int unload(void)
{
	return syscall(SYS_delete_module, NAME, O_NONBLOCK) ? -errno : 0;
}

static bool must_load(const char *params)
{
	int err = load(params);

	return check(!err, "module loaded: %s", strerror(-err));
}

static void must_unload(void)
{
	int err = unload();

	check(!err, "module unloaded: %s", strerror(-err));
}

static unsigned long parameter(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return read_text(path, text, sizeof(text)) ? strtoul(text, NULL, 10) : 0;
}

/* Only the complement is ever here: the search must not find a copy of ours. */
static void make_complement(char *hex)
{
	unsigned char byte[32];
	size_t i;

	if (getrandom(byte, sizeof(byte), 0) != sizeof(byte))
		die("getrandom");
	for (i = 0; i < sizeof(byte); i++)
		sprintf(hex + 2 * i, "%02x", byte[i]);
}

static uint64_t canaries(const char *name)
{
	uint64_t value = UINT64_MAX;

	asi_value("canary", name, &value);
	return value;
}

static void check_canaries(void)
{
	uint64_t planted = canaries("planted.module");
	uint64_t reached = canaries("reachable_restricted.module");

	check(planted >= PAGES && planted != UINT64_MAX,
	      "the secret is on %lu pages", planted);
	check(reached == (asi_enabled() ? 0 : planted),
	      "%lu of them reachable while a guest runs", reached);
	check(canaries("reachable_full.module") == planted,
	      "all of them through the full tables");
}

static void secret_in_variables(void)
{
	char params[96] = "complement=", hex[80];

	make_complement(hex);
	strcat(params, hex);
	if (!must_load(params))
		return;
	if (asi_debugfs()) {
		strcat(hex, " module");
		asi_write("canary", "0");
		check(!asi_write("canary", hex), "the auditor knows the secret");
		asi_write("canary", "1");
		mapped_while(&vm.vcpu[0], "mix", "module");
		check_canaries();
		asi_write("canary", "0");
	}
	must_unload();
}

/* The timer's own memory is mapped: nothing has left before its text is called. */
static void text_is_called(void)
{
	unsigned int seconds;

	if (!must_load(""))
		return;
	for (seconds = 0; seconds < PATIENCE; seconds++) {
		if (parameter("restricted") || !asi_enabled())
			break;
		busy_vm_runs(&busy, "with a timer of a module");
		sleep(1);
	}
	check(parameter("calls"), "the module was called %lu times",
	      parameter("calls"));
	check(!asi_enabled() || parameter("restricted"),
	      "%lu times in a restricted address space", parameter("restricted"));
	must_unload();
}

static void inventory(void)
{
	uint64_t before, with, after;

	if (!asi_enabled())
		return;
	before = mapped_while(&vm.vcpu[0], "cpuid", "module");
	if (!must_load(""))
		return;
	with = mapped_while(&vm.vcpu[0], "cpuid", "module");
	must_unload();
	after = mapped_while(&vm.vcpu[0], "cpuid", "module");
	check(with > before, "%lu bytes of modules mapped with it, %lu without",
	      with, before);
	check(after == before, "%lu after it", after);
}

static void come_and_go(unsigned int rounds)
{
	unsigned int i, failed = 0;

	for (i = 0; i < rounds; i++) {
		failed += !!load("attributes=1") || !!unload();
		if (i % 10 == 0)
			busy_vm_runs(&busy, "while a module comes and goes");
	}
	check(!failed, "%u of %u rounds failed", failed, rounds);
}

/* What its initialization refuses is unmapped, too. */
static void fails_to_load(void)
{
	int err = load("complement=too-short");

	check(err == -EINVAL, "refuses to load: %s", strerror(-err));
}

int main(int argc, char **argv)
{
	if (access(FILE_NAME, R_OK))
		skip("there is no test module");
	vm_test_begin();
	must_create(&vm, 1);
	secret_in_variables();
	inventory();
	busy_vm_start(&busy, 2, "mix");
	text_is_called();
	fails_to_load();
	asi_write("audit_interval", "5");
	come_and_go(argc > 1 ? atoi(argv[1]) : ROUNDS);
	busy_vm_runs(&busy, "after the last module");
	busy_vm_stop(&busy);
	counts_right(&vm.vcpu[0], 1000);
	guest_vm_destroy(&vm);
	return vm_test_end();
}
