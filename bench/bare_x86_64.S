/* The bare out-of-line switch for x86-64 (System V): what the ABI makes a called function keep, and no more.
 *
 * Suspended stack, high addresses on top:
 *      return address
 *      rbp rbx r12 r13 r14 r15      <- saved stack pointer
 * It leaves by `jmp`: a `ret` into another context is one the return predictor always misses. The floating-point
 * control words are not kept. */
#if defined(__x86_64__)
        .text

/* void *bare_switch(void **save [rdi], void *enter [rsi], void *value [rdx]) */
        .globl  bare_switch
        .hidden bare_switch
        .type   bare_switch, @function
        .p2align 6
bare_switch:
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp
        movq    %rdx, %rax
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        popq    %rcx
        jmpq    *%rcx
        .size   bare_switch, . - bare_switch

/* void *bare_fresh(void *top [rdi], void (*entry)(void *) [rsi], void *argument [rdx])
 * `top` is aligned to 16 bytes. Returns the stack pointer of a suspended stack that goes on at bare_start with
 * entry in rbx and argument in r12. */
        .globl  bare_fresh
        .hidden bare_fresh
        .type   bare_fresh, @function
bare_fresh:
        leaq    -64(%rdi), %rax
        leaq    bare_start(%rip), %rcx
        movq    %rcx, 48(%rax)
        movq    $0, 40(%rax)
        movq    %rsi, 32(%rax)
        movq    %rdx, 24(%rax)
        ret
        .size   bare_fresh, . - bare_fresh

        .type   bare_start, @function
bare_start:
        leaq    8(%rsp), %rsp           /* 64 bytes were set aside, 56 taken: aligned again */
        movq    %r12, %rdi
        callq   *%rbx
        ud2
        .size   bare_start, . - bare_start

#endif

        .section .note.GNU-stack, "", @progbits
