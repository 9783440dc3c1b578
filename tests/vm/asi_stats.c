// SPDX-License-Identifier: GPL-2.0
/* Readers and writers of the ASI files in debugfs and sysfs: see the header. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "asi_stats.h"

#define ENABLED_FILE	"/sys/kernel/mm/asi/enabled"
#define DEBUGFS		"/sys/kernel/debug"

bool read_text(const char *path, char *text, size_t len)
{
	ssize_t got;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, len - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got >= 0;
}

int write_text(const char *path, const char *text)
{
	ssize_t done;
	int fd, err;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	done = write(fd, text, strlen(text));
	err = done < 0 ? -errno : 0;
	close(fd);
	return err;
}

bool asi_enabled(void)
{
	char text[8];

	return read_text(ENABLED_FILE, text, sizeof(text)) && text[0] == '1';
}

bool asi_debugfs(void)
{
	if (access(ASI_DEBUGFS "/stats", R_OK) == 0)
		return true;
	mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	return access(ASI_DEBUGFS "/stats", R_OK) == 0;
}

static FILE *open_debugfs(const char *file)
{
	char path[128];

	if (!asi_debugfs())
		return NULL;
	snprintf(path, sizeof(path), ASI_DEBUGFS "/%s", file);
	return fopen(path, "re");
}

bool asi_value(const char *file, const char *name, uint64_t *value)
{
	bool found = false;
	uint64_t number;
	char key[64];
	FILE *f;

	f = open_debugfs(file);
	if (!f)
		return false;
	while (!found && fscanf(f, "%63s %lu%*[^\n]", key, &number) == 2)
		found = !strcmp(key, name);
	fclose(f);
	if (found)
		*value = number;
	return found;
}

bool asi_exits(uint64_t *value)
{
	uint64_t count;
	char key[64];
	FILE *f;

	f = open_debugfs("stats");
	if (!f)
		return false;
	*value = 0;
	while (fscanf(f, "%63s %lu%*[^\n]", key, &count) == 2)
		if (!strncmp(key, "exit_", 5))
			*value += count;
	fclose(f);
	return true;
}

int asi_write(const char *file, const char *text)
{
	char path[128];

	if (!asi_debugfs())
		return -ENOENT;
	snprintf(path, sizeof(path), ASI_DEBUGFS "/%s", file);
	return write_text(path, text);
}
