/* The out-of-line switch for x86-64, and what every coroutine starts, ends and is closed through.
 *
 * System V psABI for x86-64: arguments in rdi, rsi, rdx (section 3.2.3); rbx, rbp, r12-r15 are callee-saved, and so are
 * the control bits of MXCSR and the x87 control word (3.2.1), which coroutines share, unless co__fpenv_swap is asked.
 *
 * A function that switches away leaves this on the suspended stack:
 *
 *         co_resume                                   co_yield
 *         +48   return address                        +40   return address
 *         +40   rbp: with the return address, a       +32   r12
 *               frame record, to which rbp points     +24   r13
 *         +32   r12                                   +16   r14
 *         +24   r13                                   +8    r15
 *         +16   r14                               sp  +0    padding
 *         +8    r15
 *     sp  +0    out
 *
 * rbp and rbx are in the words of the context (co/layout.h), as in the inline switch: the two doors meet there.
 * In every switch: rdi the block, rsi the value; towards the resumer also rdx the handle to make current, eax the
 * status.
 *
 * No `ret` returns to a caller after a switch: the processor would predict the return to whoever called last, and be
 * wrong. `jmpq *%rcx` is predicted from its own past. For the same reason shadow stacks are not supported, and this
 * object's note does not claim them. */

#if defined(__CET__) && (__CET__ & 1)
#define LANDING endbr64
#define BACK_TO_CALLER notrack jmpq *%rcx
#else
#define LANDING
#define BACK_TO_CALLER jmpq *%rcx
#endif

    .text

.macro FUNCTION name
    .globl \name
    .type \name, @function
    .p2align 4
\name:
.endm

/* Call-frame information for the instructions between loading the other side's rsp and jumping to it: the caller of
 * such a frame is the context that lies in the block, from word `offset` on (DWARF 5, sections 6.4.2 and 2.5; register
 * numbers of the psABI, figure 3.36: rbx 3, rdi 5, rbp 6, rsp 7, return address 16). The macro leaves rip to its user.
 * */
.macro CFI_ALREADY_THERE offset
    .cfi_signal_frame                                   /* the pc is exact; the stack may jump either way */
    .cfi_def_cfa rsp, 0
    .cfi_escape 0x10, 6, 2, 0x75, \offset + 8           /* rbp at [rdi + offset + 8]: DW_CFA_expression, DW_OP_breg5 */
    .cfi_escape 0x10, 3, 2, 0x75, \offset + 24          /* rbx at [rdi + offset + 24] */
.endm

/* What follows the load of the resumer's rsp. */
.macro GO_ON_IN_RESUMER
    CFI_ALREADY_THERE CO__RESUMER_SP
    .cfi_escape 0x10, 16, 2, 0x75, CO__RESUMER_PC       /* rip at [rdi + 48] */
    movq CO__RESUMER_FP(%rdi), %rbp
    .cfi_same_value rbp
    movq CO__RESUMER_BASE(%rdi), %rbx
    .cfi_same_value rbx
    jmpq *CO__RESUMER_PC(%rdi)
.endm

.macro PUSH_CALLEE_SAVED
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
.endm

/* The mirror image. */
.macro POP_CALLEE_SAVED
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
.endm

/* Back to the caller with the return address in rcx. */
.macro RETURN
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    BACK_TO_CALLER
.endm

/* The frame as it is at a landing. */
.macro CFI_RESUME_LANDING
    .cfi_def_cfa rsp, 56
    .cfi_offset rbp, -16
    .cfi_offset r12, -24
    .cfi_offset r13, -32
    .cfi_offset r14, -40
    .cfi_offset r15, -48
.endm
.macro CFI_YIELD_LANDING
    .cfi_def_cfa rsp, 48
    .cfi_offset r12, -16
    .cfi_offset r13, -24
    .cfi_offset r14, -32
    .cfi_offset r15, -40
.endm

/* Switches inside a C++ handler go through the library (co.h: struct co__handlers). rax is the offset of co__thread. A
 * thread whose record is not known yet counts as active. */
.macro JUMP_IF_HANDLERS_ACTIVE target
    movq %fs:CO__THREAD_HANDLERS(%rax), %r8
    testq %r8, %r8
    jz \target
    movl CO__HANDLERS_UNCAUGHT(%r8), %r9d
    orq CO__HANDLERS_CAUGHT(%r8), %r9
    jnz \target
.endm

#ifndef CO__MACROS_ONLY

/* int co_resume(co_t *co, void *in, void **out) */
FUNCTION co_resume
    .cfi_startproc
    LANDING
    testq %rdi, %rdi
    jz 1f
    movq CO__OWN_PC(%rdi), %rcx                         /* a load first: see co.h */
    testq %rcx, %rcx
    jz 1f
    movq co__thread@gottpoff(%rip), %rax
    JUMP_IF_HANDLERS_ACTIVE 1f
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    movq %rsp, %rbp
    PUSH_CALLEE_SAVED
    pushq %rdx
    .cfi_adjust_cfa_offset 8
    movq %fs:CO__THREAD_CURRENT(%rax), %rdx             /* rdx: the resumer's handle */
    movq %rdi, %fs:CO__THREAD_CURRENT(%rax)
    leaq 2f(%rip), %rax
    cmpq %rax, CO__RESUMER_PC(%rdi)                     /* fewer stores, as in co/arch/x86_64.h */
    jne 6f
7:  movq %rsp, CO__RESUMER_SP(%rdi)
    movq %rbp, CO__RESUMER_FP(%rdi)
    movq %rbx, CO__RESUMER_BASE(%rdi)
    movq %rdx, %xmm0                                    /* {NULL, the resumer's handle}, for own.pc and own.base */
    pslldq $8, %xmm0
    movq CO__OWN_SP(%rdi), %rsp
    .cfi_endproc

    .cfi_startproc
    CFI_ALREADY_THERE CO__OWN_SP
    .cfi_register rip, rcx
    movq CO__OWN_FP(%rdi), %rbp
    .cfi_same_value rbp
    movq CO__OWN_BASE(%rdi), %rbx
    .cfi_same_value rbx
    movaps %xmm0, CO__OWN_PC(%rdi)
    jmpq *%rcx
    .cfi_endproc

    .cfi_startproc
1:  jmp co__resume_slow
    .cfi_endproc

    .cfi_startproc
    CFI_RESUME_LANDING
2:  LANDING                                             /* rdi, rsi, rdx, eax as above */
    movq co__thread@gottpoff(%rip), %rcx
    testq %rdx, %rdx
    jnz 5f
    movq $0, %fs:CO__THREAD_CURRENT(%rcx)               /* the usual case; no chain from switch to switch */
4:  popq %rdx
    .cfi_adjust_cfa_offset -8
    cmpl $CO__NOT_STARTED, %eax
    je 8f
    testq %rdx, %rdx
    jz 3f
    movq %rsi, (%rdx)
3:  POP_CALLEE_SAVED
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    RETURN
    .cfi_endproc

    .cfi_startproc
    CFI_RESUME_LANDING
    .cfi_adjust_cfa_offset -8
8:  movl $-CO__EINVAL, %eax                             /* *out stays as it is */
    jmp 3b
    .cfi_endproc

    .cfi_startproc
    CFI_RESUME_LANDING
5:  movq %rdx, %fs:CO__THREAD_CURRENT(%rcx)
    jmp 4b
6:  movq %rax, CO__RESUMER_PC(%rdi)
    jmp 7b
    .cfi_endproc
    .size co_resume, . - co_resume

/* void *co_yield(void *value) */
FUNCTION co_yield
    .cfi_startproc
    LANDING
    movq co__thread@gottpoff(%rip), %rax
    movq %rdi, %rsi
    movq %fs:CO__THREAD_CURRENT(%rax), %rdi
    testq %rdi, %rdi
    jnz 4f
    jmp co__yield_refused
    .cfi_endproc
    .size co_yield, . - co_yield

    .cfi_startproc
7:  jmp co__yield_handling
    .cfi_endproc

/* void *co_yield_from(co_t *self, void *value) */
FUNCTION co_yield_from
    .cfi_startproc
    LANDING
    movq co__thread@gottpoff(%rip), %rax
4:  JUMP_IF_HANDLERS_ACTIVE 7b
    PUSH_CALLEE_SAVED
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    leaq 5f(%rip), %rcx
    movq CO__OWN_BASE(%rdi), %rdx
    movq %rsp, CO__OWN_SP(%rdi)
    cmpq %rbp, CO__OWN_FP(%rdi)
    jne 8f
9:  movq %rcx, CO__OWN_PC(%rdi)
    movq %rbx, CO__OWN_BASE(%rdi)
    movl $1, %eax                                       /* CO_YIELDED */
    movq CO__RESUMER_SP(%rdi), %rsp
    .cfi_endproc

    .cfi_startproc
    GO_ON_IN_RESUMER
    .cfi_endproc

    .cfi_startproc
    CFI_YIELD_LANDING
6:  LANDING                                             /* co_close comes here: a real call, at which the unwinder */
    call co__unwind                                     /* finds the caller of co_yield */
    .4byte 6b - 5f
5:  LANDING                                             /* rdi, rsi as above */
    movq %rsi, %rax
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    POP_CALLEE_SAVED
    RETURN
    .cfi_endproc

    .cfi_startproc
    CFI_YIELD_LANDING
8:  movq %rbp, CO__OWN_FP(%rdi)
    jmp 9b
    .cfi_endproc
    .size co_yield_from, . - co_yield_from

/* The frame in which the body is called. rip: in resumer.pc, or, while yields are refused, in the word that keeps it, 64
 * bytes above: if that word is not 0, 64 is added. Only operations that Valgrind knows: breg; deref, lit0, ne, lit6, shl;
 * breg; plus. What else a landing finds is known only when it is reached. */
.macro CFI_ENTRY
    .cfi_signal_frame
    .cfi_personality 0x1b, co__personality
    .cfi_escape 0x0f, 3, 0x77, CO__RESUMER_SP, 0x06     /* CFA = [rsp + 32]: DW_CFA_def_cfa_expression, breg7, deref */
    .cfi_escape 0x10, 16, 11, 0x77, CO__SLEB128(CO__TRUE_RESUMER_PC), 0x06, 0x30, 0x2e, 0x36, 0x24
    .cfi_escape 0x77, CO__RESUMER_PC, 0x22
    .cfi_escape 0x10, 6, 2, 0x77, CO__RESUMER_FP        /* rbp at [rsp + 40] */
    .cfi_escape 0x10, 3, 2, 0x77, CO__RESUMER_BASE      /* rbx at [rsp + 56] */
    .cfi_escape 0x16, 5, 2, 0x77, 0                     /* rdi is the block: DW_CFA_val_expression, rsp */
    .irp register, rax, rcx, rdx, rsi, r8, r9, r10, r11, r12, r13, r14, r15
    .cfi_undefined \register
    .endr
.endm

/* Where a fresh coroutine starts: rsp and rdi are its block, rsi should be NULL. The frame record and the call-frame
 * information continue into the resumer, whose four words are in the block while the coroutine runs: a backtrace walks
 * from the body into whoever resumed it. It is marked as a signal frame since debuggers refuse an ordinary frame whose
 * caller lies lower in memory.
 *
 * A body that returns, and has neither failed nor deferred, leaves from here: calls and returns are paired, as the
 * processor's prediction of returns wants them. */
    .hidden co__entry
FUNCTION co__entry
    .cfi_startproc
    CFI_ENTRY
    LANDING
    testq %rsi, %rsi
    jnz 2f
    leaq CO__RESUMER_FP(%rdi), %rbp
    movq CO__FN(%rdi), %rax
    movq CO__ARG(%rdi), %rdi
    call *%rax
    movq %rsp, %rdi
    movq %rax, %rsi
    movq CO__DEFERRED(%rdi), %rcx
    movl CO__FAILURE(%rdi), %edx
    xorl %eax, %eax                                     /* CO_RETURNED */
    orq %rdx, %rcx
    jnz 1f
    movb $CO__ENDED, CO__LIFE(%rdi)
3:  movq CO__OWN_BASE(%rdi), %rdx
    movq CO__RESUMER_SP(%rdi), %rsp
    .cfi_endproc
    .cfi_startproc
    GO_ON_IN_RESUMER
    .cfi_endproc

    .cfi_startproc
    CFI_ENTRY
1:  call co__finish                                     /* rax: the value, rdx: the status */
    movq %rsp, %rdi
    movq %rax, %rsi
    movl %edx, %eax
    jmp 3b
2:  leaq co__entry(%rip), %rax                          /* a value, and no yield that would receive it */
    movq %rax, CO__OWN_PC(%rdi)
    movl $CO__NOT_STARTED, %eax
    jmp 3b
    .cfi_endproc
    .size co__entry, . - co__entry

/* void co__leave(co_t *co, void *value, long status): never returns. own.pc stays NULL. */
    .hidden co__leave
FUNCTION co__leave
    .cfi_startproc
    LANDING
    movq %rdx, %rax
    movq CO__OWN_BASE(%rdi), %rdx
    movq CO__RESUMER_SP(%rdi), %rsp
    .cfi_endproc
    .cfi_startproc
    GO_ON_IN_RESUMER
    .cfi_endproc
    .size co__leave, . - co__leave

/* Where co_close sends a coroutine whose landing knows no unwinder. rsp points to the four words of the pending yield,
 * which call-frame information takes for the caller. */
    .hidden co__closing
FUNCTION co__closing
    .cfi_startproc
    .cfi_signal_frame
    .cfi_escape 0x0f, 3, 0x77, 0, 0x06                  /* CFA = [rsp] */
    .cfi_escape 0x10, 6, 2, 0x77, 8                     /* rbp at [rsp + 8] */
    .cfi_escape 0x10, 16, 2, 0x77, 16                   /* rip at [rsp + 16] */
    .cfi_escape 0x10, 3, 2, 0x77, 24                    /* rbx at [rsp + 24] */
    LANDING
    call co__unwind
    ud2                                                 /* a return address belongs to its function */
    .cfi_endproc
    .size co__closing, . - co__closing

/* Where resumer.pc points while yields are refused. A yield has just saved its four words in `own` and loaded the
 * resumer's; this undoes it, and the yield returns NULL. rdi, rdx as above. */
    .hidden co__refusal
FUNCTION co__refusal
    .cfi_startproc
    .cfi_signal_frame                                   /* the caller is the yield */
    .cfi_escape 0x0f, 3, 0x75, CO__OWN_SP, 0x06         /* CFA = [rdi] */
    .cfi_escape 0x10, 6, 2, 0x75, CO__OWN_FP
    .cfi_escape 0x10, 3, 2, 0x75, CO__OWN_BASE
    .cfi_escape 0x10, 16, 2, 0x75, CO__OWN_PC
    LANDING
    movl $1, CO__ERROR(%rdi)                            /* EPERM */
    movl $1, CO__REFUSED(%rdi)
    movq CO__OWN_PC(%rdi), %rcx
    .cfi_register rip, rcx
    movq $0, CO__OWN_PC(%rdi)
    movq CO__OWN_SP(%rdi), %rsp
    movq CO__OWN_FP(%rdi), %rbp
    .cfi_same_value rbp
    movq CO__OWN_BASE(%rdi), %rbx
    .cfi_same_value rbx
    movq %rdx, CO__OWN_BASE(%rdi)
    xorl %esi, %esi
    jmpq *%rcx
    .cfi_endproc
    .size co__refusal, . - co__refusal

/* void co__fpenv_save(uint32_t fpenv[2]): MXCSR in the first word, the x87 control word in the second. */
    .hidden co__fpenv_save
FUNCTION co__fpenv_save
    .cfi_startproc
    LANDING
    stmxcsr (%rdi)
    fnstcw 4(%rdi)
    ret
    .cfi_endproc
    .size co__fpenv_save, . - co__fpenv_save

/* void co__fpenv_swap(uint32_t fpenv[2]): the control bits only. MXCSR's low six bits are sticky flags, and stay. A
 * sticky flag of the x87 whose exception the new word unmasks would trap at the next instruction, so the flags go then.
 * */
    .hidden co__fpenv_swap
FUNCTION co__fpenv_swap
    .cfi_startproc
    LANDING
    stmxcsr -8(%rsp)
    fnstcw -4(%rsp)
    movl -8(%rsp), %eax
    movl (%rdi), %ecx
    movl %eax, (%rdi)
    xorl %eax, %ecx
    andl $~0x3f, %ecx
    xorl %ecx, %eax
    movl %eax, -8(%rsp)
    ldmxcsr -8(%rsp)
    movzwl -4(%rsp), %edx
    movl 4(%rdi), %ecx
    movl %edx, 4(%rdi)
    movl %ecx, -4(%rsp)
    fnstsw %ax
    notl %ecx
    andl %ecx, %eax
    testb $0x3f, %al
    jz 1f
    fnclex
1:  fldcw -4(%rsp)
    ret
    .cfi_endproc
    .size co__fpenv_swap, . - co__fpenv_swap

/* uintptr_t co__valgrind(uintptr_t otherwise, const uintptr_t request[6]): rotations that leave rdi as it was, and an
 * exchange that does nothing, by which Valgrind knows a request (valgrind.h: arguments at rax, rdx becomes the answer).
 * Without Valgrind rdx stays `otherwise`. */
    .hidden co__valgrind
FUNCTION co__valgrind
    .cfi_startproc
    LANDING
    movq %rdi, %rdx
    movq %rsi, %rax
    rolq $3, %rdi
    rolq $13, %rdi
    rolq $61, %rdi
    rolq $51, %rdi
    xchgq %rbx, %rbx
    movq %rdx, %rax
    ret
    .cfi_endproc
    .size co__valgrind, . - co__valgrind

/* void co__call_guarded(void (*fn)(void *), void *arg): fn(arg), through a frame that no exception passes. */
    .hidden co__call_guarded
FUNCTION co__call_guarded
    .cfi_startproc
    .cfi_personality 0x1b, co__personality
    LANDING
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    movq %rdi, %rax
    movq %rsi, %rdi
    call *%rax
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    ret
    .cfi_endproc
    .size co__call_guarded, . - co__call_guarded

/* int co_defer(void (*fn)(void *), void *arg): adds the stack pointer of its caller, by which co_close tells frames
 * apart. */
FUNCTION co_defer
    .cfi_startproc
    LANDING
    leaq 8(%rsp), %rdx
    jmp co__defer
    .cfi_endproc
    .size co_defer, . - co_defer

/* void co__defer_in_place(struct co__deferred *call, void (*fn)(void *), void *arg): likewise. */
FUNCTION co__defer_in_place
    .cfi_startproc
    LANDING
    leaq 8(%rsp), %rcx
    jmp co__defer_at
    .cfi_endproc
    .size co__defer_in_place, . - co__defer_in_place

#endif /* CO__MACROS_ONLY */

#if defined(__CET__) && (__CET__ & 1)
/* psABI section 5.1.1: indirect branches land on endbr64; nothing is said of shadow stacks. */
    .section .note.gnu.property, "a"
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 1, 0
#endif
