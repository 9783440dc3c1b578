// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the compiler has no libFuzzer: random inputs without feedback.
 *
 * driver SECONDS SEED, or driver FILE... to run inputs again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/types.h>

#define MAX_INPUT	512

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static u64 random_state;

static u64 next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void run_random(long seconds)
{
	time_t end = time(NULL) + seconds;
	unsigned long runs = 0;
	u8 data[MAX_INPUT];
	size_t size, i;

	do {
		size = next_random() % MAX_INPUT;
		for (i = 0; i < size; i++)
			data[i] = next_random() >> 24;
		LLVMFuzzerTestOneInput(data, size);
		runs++;
	} while (runs % 64 || time(NULL) < end);
	printf("%lu random inputs\n", runs);
}

static int run_file(const char *name)
{
	u8 data[MAX_INPUT];
	FILE *file = fopen(name, "rb");
	size_t size;

	if (!file) {
		perror(name);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	return 0;
}

int main(int argc, char **argv)
{
	int err = 0;
	char *end;
	long seconds;
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: %s SECONDS SEED | FILE...\n", argv[0]);
		return 2;
	}
	seconds = strtol(argv[1], &end, 10);
	if (argc == 3 && !*end) {
		random_state = strtoull(argv[2], NULL, 10) + 1;
		run_random(seconds);
		return 0;
	}
	for (i = 1; i < argc; i++)
		err |= run_file(argv[i]);
	return err;
}
