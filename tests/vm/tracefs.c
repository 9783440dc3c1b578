// SPDX-License-Identifier: GPL-2.0
/* Switching tracers on and off: see the header. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "asi_stats.h"
#include "report.h"
#include "tracefs.h"

bool tracefs_mounted(void)
{
	if (!access(TRACEFS "/trace", R_OK))
		return true;
	mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	return !access(TRACEFS "/trace", R_OK);
}

bool can_write(const char *path)
{
	return !access(path, W_OK);
}

int append_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

void must_write(const char *path, const char *text)
{
	int err = write_text(path, text);

	if (err)
		check(false, "'%s' to %s: %s", text, path, strerror(-err));
}

bool traced(const char *what)
{
	char line[512];
	bool found = false;
	FILE *f = fopen(TRACEFS "/trace", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = line[0] != '#' && strstr(line, what);
	if (f)
		fclose(f);
	return found;
}
