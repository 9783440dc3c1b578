/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of execution whose state can be copied away and brought back: a stack
 * at a fixed address, with the registers on top of it.
 */
#ifndef _MODEL_CORO_H
#define _MODEL_CORO_H

#include <stddef.h>

#define CORO_STACK	(64UL << 10)

struct coro {
	char stack[CORO_STACK] __attribute__((aligned(64)));
	void *sp;
};

/* @entry must not return. */
void coro_init(struct coro *c, void (*entry)(void));

/* Run @c until it calls coro_yield(). */
void coro_resume(struct coro *c);
void coro_yield(struct coro *c);

/* The part of the stack that is in use; it is all there is to save. */
void *coro_live(struct coro *c, size_t *size);
void coro_restore(struct coro *c, const void *live, size_t size);

#endif /* _MODEL_CORO_H */
