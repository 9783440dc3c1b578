// SPDX-License-Identifier: GPL-2.0
/*
 * Two VMs of one process: what one guest has in its registers must not be mapped
 * while the other one runs. They may share what belongs to the process.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "places.h"
#include "vm_test.h"

#define KIND	"vcpu_registers"

static const struct place *find_place(const char *kind)
{
	size_t i;

	for (i = 0; i < nr_places; i++)
		if (!strcmp(places[i].kind, kind))
			return &places[i];
	return NULL;
}

static bool look_for(const uint8_t *complement)
{
	char line[2 * SECRET_LEN + 64];
	size_t i;

	for (i = 0; i < SECRET_LEN; i++)
		sprintf(line + 2 * i, "%02x", complement[i]);
	strcpy(line + 2 * i, " " KIND);
	return !asi_write("canary", "0") && !asi_write("canary", line) &&
	       !asi_write("audit_interval", "1");
}

int main(void)
{
	uint64_t planted = 0, restricted = UINT64_MAX;
	uint8_t complement[SECRET_LEN];
	struct guest_vm vm;

	vm_test_begin();
	if (!asi_debugfs())
		skip("no auditor to ask");
	if (getrandom(complement, SECRET_LEN, 0) != SECRET_LEN)
		die("getrandom");
	if (!check(find_place(KIND)->plant(complement), "the first VM ran"))
		return vm_test_end();
	/* From now on only the second VM is entered. */
	must_create(&vm, 1);
	check(look_for(complement), "audited from here on");
	run_payload(&vm.vcpu[0], "cpuid", 50);
	asi_value("canary", "planted", &planted);
	asi_value("canary", "reachable_restricted", &restricted);
	check(planted >= 1, "%lu pages with registers", planted);
	check(restricted == (asi_enabled() ? 0 : planted),
	      "%lu of them reachable from another VM of the process",
	      restricted);
	asi_write("audit_interval", "0");
	asi_write("canary", "0");
	guest_vm_destroy(&vm);
	return report_result();
}
