/* SPDX-License-Identifier: Apache-2.0 */
/*
 * void *task_switch_asm(void **save_sp, void *to_sp)
 *
 * Pushes the callee-saved registers, stores the stack pointer in *save_sp, takes to_sp as the
 * stack pointer and pops what was pushed there. task_switch_start is where a new stack begins:
 * task_context_make leaves the function and its argument in two of those registers.
 *
 * This file carries no control-flow-protection note on purpose: with it the linker would mark
 * the program as fit for shadow stacks, which a change of stacks would trip over.
 */
#if defined(__x86_64__)

	.text
	.globl	task_switch_asm
	.hidden	task_switch_asm
	.type	task_switch_asm, @function
	.balign	16
task_switch_asm:
	.cfi_startproc
	endbr64
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	popq	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_endproc
	.size	task_switch_asm, .-task_switch_asm

	.globl	task_switch_start
	.hidden	task_switch_start
	.type	task_switch_start, @function
task_switch_start:
	.cfi_startproc
	.cfi_undefined %rip
	movq	%r12, %rdi
	call	*%r13
	ud2
	.cfi_endproc
	.size	task_switch_start, .-task_switch_start

#elif defined(__aarch64__)

	.text
	.globl	task_switch_asm
	.hidden	task_switch_asm
	.type	task_switch_asm, %function
	.balign	16
task_switch_asm:
	.cfi_startproc
	hint	#34
	sub	sp, sp, #160
	.cfi_adjust_cfa_offset 160
	stp	x19, x20, [sp, #0]
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	.cfi_rel_offset x29, 80
	.cfi_rel_offset x30, 88
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	add	sp, sp, #160
	.cfi_adjust_cfa_offset -160
	.cfi_restore x29
	.cfi_restore x30
	ret
	.cfi_endproc
	.size	task_switch_asm, .-task_switch_asm

	.globl	task_switch_start
	.hidden	task_switch_start
	.type	task_switch_start, %function
task_switch_start:
	.cfi_startproc
	.cfi_undefined x30
	mov	x0, x19
	blr	x20
	brk	#1
	.cfi_endproc
	.size	task_switch_start, .-task_switch_start

#endif

	.section .note.GNU-stack, "", %progbits
