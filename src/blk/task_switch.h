/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Switching between stacks. On x86-64 and aarch64 a dozen instructions of assembly
 * (task_switch.S) that save the registers a callee must keep; elsewhere ucontext, which
 * costs a system call per switch (-DTASK_SWITCH_UCONTEXT asks for it). The floating-point control
 * words are not switched: no task may change them across a wait.
 *
 * Address and thread sanitizer have to be told of each switch; struct task_sanitizer holds
 * what they need and is empty in other builds.
 */
#ifndef BLK_TASK_SWITCH_H
#define BLK_TASK_SWITCH_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#if __has_feature(thread_sanitizer) && !defined(__SANITIZE_THREAD__)
#define __SANITIZE_THREAD__ 1
#endif
#endif

#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(TASK_SWITCH_UCONTEXT)
#define TASK_SWITCH_ASM 1
#endif

#ifdef TASK_SWITCH_ASM

struct task_context {
	void *sp;
};

void *task_switch_asm(void **save_sp, void *to_sp);
extern const char task_switch_start[];

#else

#include <ucontext.h>

struct task_context {
	ucontext_t uc;
	void (*fn)(void *arg);
	void *arg;
};

#endif

struct task_sanitizer {
#ifdef __SANITIZE_ADDRESS__
	void *fake_stack;
	const void *bottom;
	size_t size;
#endif
#ifdef __SANITIZE_THREAD__
	void *fiber;
#endif
	char unused;
};

/* Prepares a context that runs fn(arg) on the stack when first switched to; fn must not
 * return. */
void task_context_make(
	struct task_context *ctx, void *stack, size_t size, void (*fn)(void *arg), void *arg);

/* Saves where we are in from and goes on in to. */
void task_context_switch(struct task_context *from, struct task_context *to);

#endif
