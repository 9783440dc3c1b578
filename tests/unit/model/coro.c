// SPDX-License-Identifier: GPL-2.0-only
/* Coroutines for x86-64 whose whole state is a piece of stack. */
#include <string.h>

#include "coro.h"

/* Bytes below the stack pointer that are cleared, so that equal states compare equal. */
#define CORO_SCRUB	1024

static void *explorer_sp;

/* Saves what a function has to preserve, and comes back from another call. */
void coro_switch(void **from, void *to);

__asm__(
	".pushsection .text\n"
	".globl coro_switch\n"
	".type coro_switch, @function\n"
	"coro_switch:\n"
	"	pushq	%rbp\n"
	"	pushq	%rbx\n"
	"	pushq	%r12\n"
	"	pushq	%r13\n"
	"	pushq	%r14\n"
	"	pushq	%r15\n"
	"	movq	%rsp, (%rdi)\n"
	"	movq	%rsi, %rsp\n"
	"	popq	%r15\n"
	"	popq	%r14\n"
	"	popq	%r13\n"
	"	popq	%r12\n"
	"	popq	%rbx\n"
	"	popq	%rbp\n"
	"	ret\n"
	".size coro_switch, . - coro_switch\n"
	".popsection\n");

void coro_init(struct coro *c, void (*entry)(void))
{
	void **top = (void **)(c->stack + CORO_STACK);

	memset(c->stack, 0, CORO_STACK);
	/* A return address that is never used keeps the stack aligned. */
	top[-2] = (void *)entry;
	c->sp = &top[-8];
}

void coro_resume(struct coro *c)
{
	memset((char *)c->sp - CORO_SCRUB, 0, CORO_SCRUB);
	coro_switch(&explorer_sp, c->sp);
}

void coro_yield(struct coro *c)
{
	coro_switch(&c->sp, explorer_sp);
}

void *coro_live(struct coro *c, size_t *size)
{
	*size = c->stack + CORO_STACK - (char *)c->sp;
	return c->sp;
}

void coro_restore(struct coro *c, const void *live, size_t size)
{
	c->sp = c->stack + CORO_STACK - size;
	memcpy(c->sp, live, size);
}
