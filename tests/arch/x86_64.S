/* What the tests need in assembly for x86-64: registers.h tells what each function does.
 *
 * System V psABI, section 3.2.1: rbx, rbp, r12-r15 are callee-saved, and so are the control bits of MXCSR and the x87 control
 * word. No vector register is. Arguments are in rdi, rsi, rdx, rcx, r8, r9 (3.2.3).
 *
 * The words of struct registers:
 *
 *     +0    rsp      +8   rbx     +16  rbp     +24  r12     +32  r13     +40  r14     +48  r15
 *     +56   MXCSR    +64  x87 control word     +72 ... +96  four words of the caller's stack, right above the call */

#if defined(__CET__) && (__CET__ & 1)
#define LANDING endbr64
#else
#define LANDING
#endif

    .text

/* uintptr_t registers_around(before, after, function, a, b, c)
 *
 *         +104  return address
 *         +56   r15, r14, r13, r12, rbp, rbx
 *         +48   after
 *         +44   the caller's x87 control word
 *         +40   the caller's MXCSR
 *         +32   -
 *     sp  +0    four words that must survive the call */
    .globl registers_around
    .type registers_around, @function
    .p2align 4
registers_around:
    .cfi_startproc
    LANDING
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    pushq %rsi
    .cfi_adjust_cfa_offset 8
    subq $48, %rsp
    .cfi_adjust_cfa_offset 48
    stmxcsr 40(%rsp)
    fnstcw 44(%rsp)

    movq 72(%rdi), %rax
    movq %rax, 0(%rsp)
    movq 80(%rdi), %rax
    movq %rax, 8(%rsp)
    movq 88(%rdi), %rax
    movq %rax, 16(%rsp)
    movq 96(%rdi), %rax
    movq %rax, 24(%rsp)
    fnclex                                              /* a pending exception would be raised once it is unmasked */
    ldmxcsr 56(%rdi)
    fldcw 64(%rdi)
    movq %rsp, 0(%rdi)
    movq 8(%rdi), %rbx
    movq 16(%rdi), %rbp
    movq 24(%rdi), %r12
    movq 32(%rdi), %r13
    movq 40(%rdi), %r14
    movq 48(%rdi), %r15

    movq %rdx, %rax
    movq %rcx, %rdi
    movq %r8, %rsi
    movq %r9, %rdx
    call *%rax

    movq 48(%rsp), %rdi                                 /* rax stays: the function's result */
    movq %rsp, 0(%rdi)
    movq %rbx, 8(%rdi)
    movq %rbp, 16(%rdi)
    movq %r12, 24(%rdi)
    movq %r13, 32(%rdi)
    movq %r14, 40(%rdi)
    movq %r15, 48(%rdi)
    movq $0, 56(%rdi)
    stmxcsr 56(%rdi)
    movq $0, 64(%rdi)
    fnstcw 64(%rdi)
    movq 0(%rsp), %rcx
    movq %rcx, 72(%rdi)
    movq 8(%rsp), %rcx
    movq %rcx, 80(%rdi)
    movq 16(%rsp), %rcx
    movq %rcx, 88(%rdi)
    movq 24(%rsp), %rcx
    movq %rcx, 96(%rdi)

    fnclex
    ldmxcsr 40(%rsp)
    fldcw 44(%rsp)
    addq $56, %rsp
    .cfi_adjust_cfa_offset -56
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    ret
    .cfi_endproc
    .size registers_around, . - registers_around

/* void registers_load_control(const struct registers *from) */
    .globl registers_load_control
    .type registers_load_control, @function
    .p2align 4
registers_load_control:
    .cfi_startproc
    LANDING
    fnclex
    ldmxcsr 56(%rdi)
    fldcw 64(%rdi)
    ret
    .cfi_endproc
    .size registers_load_control, . - registers_load_control

/* void registers_store_control(struct registers *to) */
    .globl registers_store_control
    .type registers_store_control, @function
    .p2align 4
registers_store_control:
    .cfi_startproc
    LANDING
    movq $0, 56(%rdi)
    stmxcsr 56(%rdi)
    movq $0, 64(%rdi)
    fnstcw 64(%rdi)
    ret
    .cfi_endproc
    .size registers_store_control, . - registers_store_control

/* void registers_scribble(void) */
    .globl registers_scribble
    .type registers_scribble, @function
    .p2align 4
registers_scribble:
    .cfi_startproc
    LANDING
    movq $-1, %rax
.irp r, rcx, rdx, rsi, rdi, r8, r9, r10, r11
    movq %rax, %\r
.endr
.rept 8                                                 /* they fit only if the x87 stack is empty, as it must be */
    fld1
.endr
.rept 8
    fstp %st(0)
.endr
#if defined(__AVX512F__)
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vpternlogd $0xff, %zmm\n, %zmm\n, %zmm\n
.endr
.irp n, 0, 1, 2, 3, 4, 5, 6, 7
    kxnorw %k\n, %k\n, %k\n
.endr
#else
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    pcmpeqd %xmm\n, %xmm\n
.endr
#endif
    ret
    .cfi_endproc
    .size registers_scribble, . - registers_scribble

/* void *stack_pointer_at_call(void *arg) */
    .globl stack_pointer_at_call
    .type stack_pointer_at_call, @function
    .p2align 4
stack_pointer_at_call:
    .cfi_startproc
    LANDING
    leaq 8(%rsp), %rax
    movq %rax, (%rdi)
    ret
    .cfi_endproc
    .size stack_pointer_at_call, . - stack_pointer_at_call

    .section .rodata
.macro ROW name, mask, set, kind
    .asciz "\name"
    .balign 8
    .quad \mask, \set, \kind
.endm
    .globl registers_rows
    .type registers_rows, @object
    .balign 8
registers_rows:
    ROW rsp, -1, 0, 1
    ROW rbx, -1, 0, 0
    ROW rbp, -1, 0, 0
    ROW r12, -1, 0, 0
    ROW r13, -1, 0, 0
    ROW r14, -1, 0, 0
    ROW r15, -1, 0, 0
    ROW MXCSR, 0xffc0, 0, 2                             /* all but the status flags */
    ROW x87, 0xd3f, 0x200, 2                            /* precision 01 is reserved */
    ROW stack0, -1, 0, 0
    ROW stack1, -1, 0, 0
    ROW stack2, -1, 0, 0
    ROW stack3, -1, 0, 0
    .size registers_rows, . - registers_rows

    .globl registers_count
    .type registers_count, @object
registers_count:
    .quad (. - registers_rows) / 32
    .size registers_count, 8

#if defined(__CET__) && (__CET__ & 1)
/* psABI section 5.1.1: indirect branches land on endbr64; and returns are plain ones, which shadow stacks allow. */
    .section .note.gnu.property, "a"
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 3, 0
#endif
    .section .note.GNU-stack, "", @progbits
