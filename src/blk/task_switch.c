/* SPDX-License-Identifier: Apache-2.0 */
#include "blk/task_switch.h"

#include <stdint.h>
#include <string.h>

#if defined(TASK_SWITCH_ASM) && defined(__x86_64__)

void task_context_make(
	struct task_context *ctx, void *stack, size_t size, void (*fn)(void *arg), void *arg)
{
	/* As task_switch_asm leaves a stack: six registers and the return address, which sits
	 * so that the stack is 16-aligned where task_switch_start makes its call. */
	uint64_t *sp = (uint64_t *)(((uintptr_t)stack + size) & ~(uintptr_t)15) - 9;

	memset(sp, 0, 9 * sizeof(*sp));
	sp[2] = (uint64_t)(uintptr_t)fn;                /* r13 */
	sp[3] = (uint64_t)(uintptr_t)arg;               /* r12 */
	sp[6] = (uint64_t)(uintptr_t)task_switch_start; /* return address */
	ctx->sp = sp;
}

#elif defined(TASK_SWITCH_ASM) && defined(__aarch64__)

void task_context_make(
	struct task_context *ctx, void *stack, size_t size, void (*fn)(void *arg), void *arg)
{
	uint64_t *sp = (uint64_t *)(((uintptr_t)stack + size) & ~(uintptr_t)15) - 20;

	memset(sp, 0, 20 * sizeof(*sp));
	sp[0] = (uint64_t)(uintptr_t)arg;                /* x19 */
	sp[1] = (uint64_t)(uintptr_t)fn;                 /* x20 */
	sp[11] = (uint64_t)(uintptr_t)task_switch_start; /* x30 */
	ctx->sp = sp;
}

#endif

#ifdef TASK_SWITCH_ASM

void task_context_switch(struct task_context *from, struct task_context *to)
{
	task_switch_asm(&from->sp, to->sp);
}

#else

static void start(unsigned hi, unsigned lo)
{
	struct task_context *ctx =
		(struct task_context *)(((uintptr_t)hi << 16 << 16) | (uintptr_t)lo);

	ctx->fn(ctx->arg);
}

void task_context_make(
	struct task_context *ctx, void *stack, size_t size, void (*fn)(void *arg), void *arg)
{
	uintptr_t p = (uintptr_t)ctx;

	getcontext(&ctx->uc);
	ctx->uc.uc_stack.ss_sp = stack;
	ctx->uc.uc_stack.ss_size = size;
	ctx->uc.uc_link = NULL;
	ctx->fn = fn;
	ctx->arg = arg;
	makecontext(&ctx->uc, (void (*)(void))start, 2, (unsigned)(p >> 16 >> 16), (unsigned)p);
}

void task_context_switch(struct task_context *from, struct task_context *to)
{
	swapcontext(&from->uc, &to->uc);
}

#endif
