// SPDX-License-Identifier: GPL-2.0-only
/* A file that is there as a whole or not at all: see output.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

int output_open(struct output *output, const char *path)
{
	int len;

	memset(output, 0, sizeof(*output));
	if (!path)
		return 0;
	len = snprintf(output->part, sizeof(output->part), "%s.part", path);
	if (len >= (int)sizeof(output->part))
		return -ENAMETOOLONG;
	output->path = path;
	output->file = fopen(output->part, "we");
	return output->file ? 0 : -errno;
}

int output_commit(struct output *output)
{
	FILE *file = output->file;
	int err = 0;

	if (!file)
		return 0;
	output->file = NULL;
	/* What could not be written shows at the latest here. */
	if (ferror(file) | fflush(file))
		err = errno ? -errno : -EIO;
	if (fclose(file) && !err)
		err = -errno;
	if (!err && rename(output->part, output->path))
		err = -errno;
	if (err)
		unlink(output->part);
	return err;
}

void output_drop(struct output *output)
{
	if (!output->file)
		return;
	fclose(output->file);
	unlink(output->part);
	output->file = NULL;
}
