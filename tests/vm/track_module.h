/* SPDX-License-Identifier: GPL-2.0 */
/* Nodes of page tracking inside the kernel: the module kvm_track_test. */
#ifndef BULKHEAD_TRACK_MODULE_H
#define BULKHEAD_TRACK_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False if there is none. */
bool track_module_load(void);

/* False if somebody still uses it. */
bool track_module_unload(void);

/* A node of its own for each descriptor, or the end of the program. */
int node_open(void);

/* One command: 0 or a negative errno. */
int node_do(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A command that has to work, or the end of the program. */
void must_do(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* How often @call has been made. */
unsigned int node_count(int fd, const char *call);

struct node_call {
	unsigned int number;	/* common to all nodes */
	char call[16];
	uint64_t gpa;
	uint64_t gva;
	unsigned int bytes;
	char data[40];		/* in hex */
};

/* What the node has logged, the oldest first; returns how many there are. */
size_t node_calls(int fd, struct node_call *calls, size_t max);

/*
 * The same in short: "R8+4" is a read of 4 bytes at @base + 8; w before a write, W
 * after one, each with =DATA, X an instruction, P a walk, U what KVM does not know;
 * with @ADDRESS if that is another one.
 */
void node_spell(int fd, uint64_t base, char *text, size_t size);

#endif
