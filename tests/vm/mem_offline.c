// SPDX-License-Identifier: GPL-2.0
/*
 * mem_offline: takes every block of memory offline, and back, while guests run.
 *
 * A block with memory in use that cannot move stays: compartments are such. One
 * that went must not be reachable through any instance, and what is put back
 * must serve again. Free compartments must not keep a block from going.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm_test.h"

#define BLOCKS	"/sys/devices/system/memory"

static struct busy_vm busy;

static int set_state(const char *block, const char *state)
{
	char path[300];

	snprintf(path, sizeof(path), BLOCKS "/%s/state", block);
	return write_text(path, state);
}

/* Whether the block left; it is back when this returns. */
static bool off_and_on(const char *block)
{
	int err = set_state(block, "offline");

	if (err) {
		check(err == -EBUSY || err == -EINVAL || err == -EAGAIN,
		      "%s stays: %s", block, strerror(-err));
		return false;
	}
	busy_vm_runs(&busy, "with a block of memory gone");
	err = set_state(block, "online");
	check(!err, "%s is back: %s", block, strerror(-err));
	return true;
}

static unsigned int all_blocks(void)
{
	unsigned int left = 0;
	struct dirent *entry;
	DIR *dir = opendir(BLOCKS);

	if (!dir)
		skip("this kernel cannot take memory offline");
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, "memory", 6))
			left += off_and_on(entry->d_name);
	closedir(dir);
	return left;
}

int main(void)
{
	vm_test_begin();
	busy_vm_start(&busy, 2, "mix");
	check(all_blocks(), "some block could leave");
	busy_vm_runs(&busy, "after all of them came back");
	busy_vm_stop(&busy);
	return vm_test_end();
}
