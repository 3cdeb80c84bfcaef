/* The switch from task to task for x86-64. x86_64.S has the register protocol, and the macros; task.h says where a
 * parked task keeps its words.
 *
 * co__sched_run's frame, in which tasks arrive when they yield or end, and from which they are entered:
 *
 *         +56   return address
 *         +48   rbp: with the return address, a frame record, to which rbp points
 *         +40   rbx
 *         +32   r12
 *         +24   r13
 *         +16   r14
 *         +8    r15
 *     sp  +0    padding
 *
 * There rbx is the scheduler while C functions are called. What a parked stack holds, in the task's own body and in a
 * coroutine that it has resumed:
 *
 *         co__park_root, co__park_behind_all          co__park_nested
 *                                                     +56   return address
 *                                                     +48   r12
 *         +32   return address                        +40   r13
 *         +24   r12                                   +32   r14
 *         +16   r13                                   +24   r15
 *         +8    r14                                   +16   own.base        as they were: the resumer's handle,
 *     sp  +0    r15                                   +8    resumer.base    and the resumer's rbx
 *                                                 sp  +0    the task */

.macro CFI_PARKED
    .cfi_def_cfa rsp, 40
    .cfi_offset r12, -16
    .cfi_offset r13, -24
    .cfi_offset r14, -32
    .cfi_offset r15, -40
.endm

.macro CFI_SCHED_FRAME
    .cfi_def_cfa rsp, 64
    .cfi_offset rbp, -16
    .cfi_offset rbx, -24
    .cfi_offset r12, -32
    .cfi_offset r13, -40
    .cfi_offset r14, -48
    .cfi_offset r15, -56
.endm

/* The ring of the scheduler rsi, and whose turn it is: r9 becomes the number of the next turn, r10 the ring, r11 its
 * mask. */
.macro LOAD_RING
    movq CO__SCHED_HEAD(%rsi), %r9
    movq CO__SCHED_RING(%rsi), %r10
    movq CO__SCHED_RING_MASK(%rsi), %r11
.endm

/* rdi becomes the next in the ring, which is not empty. rsi, r9, r10, r11 as above. While this one is entered, the line
 * of one who comes later is fetched: the ring knows it long before. */
.macro NEXT_IN_RING
    andq %r11, %r9
    movq (%r10, %r9, 8), %rdi
    movq 8 * CO__RING_AHEAD(%r10, %r9, 8), %rax
    incq CO__SCHED_HEAD(%rsi)
    prefetcht0 (%rax)
.endm

/* Enters rdi. r8 is the offset of co__thread. From the load of rdi's sp on, the caller is the context in its block. */
.macro ENTER
    movq CO__RESUMER_BASE(%rdi), %rcx
    movq %rdi, %fs:CO__THREAD_CURRENT(%r8)
    xorl %esi, %esi
    movq CO__OWN_SP(%rdi), %rsp
    .cfi_endproc
    .cfi_startproc
    CFI_ALREADY_THERE CO__OWN_SP
    .cfi_register rip, rcx
    movq CO__OWN_FP(%rdi), %rbp
    .cfi_same_value rbp
    movq CO__OWN_BASE(%rdi), %rbx
    .cfi_same_value rbx
    jmpq *%rcx
.endm

/* Leaves rdi, whose frame is complete, for the scheduler rsi. */
.macro LEAVE_FOR_SCHEDULER
    movq %rsp, CO__OWN_SP(%rdi)
    movq %rbp, CO__OWN_FP(%rdi)
    movq %rbx, CO__OWN_BASE(%rdi)
    movq CO__SCHED_SP(%rsi), %rsp
    .cfi_endproc
    .cfi_startproc
    CFI_SCHED_FRAME
    movq CO__SCHED_FP(%rsi), %rbp
.endm

    .text

/* void co__sched_run(struct co__sched *sched, co_t *first) */
    .hidden co__sched_run
FUNCTION co__sched_run
    .cfi_startproc
    LANDING
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    movq %rsp, %rbp
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    PUSH_CALLEE_SAVED
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    movq %rdi, %rbx
    movq %rsp, CO__SCHED_SP(%rbx)
    movq %rbp, CO__SCHED_FP(%rbx)
    movq %rsp, CO__RESUMER_SP(%rsi)                     /* which was spawned when there was no frame yet */
    movq %rbp, CO__RESUMER_FP(%rsi)
1:  movq co__thread@gottpoff(%rip), %rax                /* look around, as the coroutine that called co_run */
    movq CO__SCHED_OUTER(%rbx), %rcx
    movq %rcx, %fs:CO__THREAD_CURRENT(%rax)
    movq %rbx, %rdi
    call co__sched_next
2:  testq %rax, %rax
    jz 4f
    movq co__thread@gottpoff(%rip), %r8
    movq %rax, %rdi
    ENTER
    .cfi_endproc

    .cfi_startproc
    CFI_SCHED_FRAME
4:  addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    POP_CALLEE_SAVED
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    RETURN
    .cfi_endproc

    .cfi_startproc
    CFI_SCHED_FRAME
5:  movq %fs:CO__THREAD_SCHED(%r8), %rbx                /* a task has ended: rdi it, rsi the result, eax the status */
    movl %eax, %ecx
    movq %rsi, %rdx
    movq %rdi, %rsi
    movq %rbx, %rdi
    call co__sched_ended
    jmp 2b

/* Where resumer.pc of a task points: rdi the task, rsi what it yielded or returned, eax the status, rsp and rbp those of
 * the frame above. rbx holds what resumer.base does. */
    .p2align 4
    nop                                                 /* a return address is looked up one byte before itself */
    .globl co__sched_landing
    .hidden co__sched_landing
co__sched_landing:
    LANDING
    movq co__thread@gottpoff(%rip), %r8
    cmpl $1, %eax                                       /* CO_YIELDED */
    jne 5b
    movq CO__OWN_PC(%rdi), %rcx
    movq %fs:CO__THREAD_SCHED(%r8), %rsi
    movq $0, CO__OWN_PC(%rdi)
    cmpq %rcx, %rbx                                     /* as at the last yield: a store less */
    jne 6f
7:  LOAD_RING
    movq CO__SCHED_COUNT(%rsi), %rax
    addq %r9, %rax
    andq %r11, %rax
    movq %rdi, (%r10, %rax, 8)                          /* behind all that are able to run, of whom one goes */
    testq CO__SCHED_LOOK_MASK(%rsi), %r9
    jz 8f
    NEXT_IN_RING
    ENTER
    .cfi_endproc

    .cfi_startproc
    CFI_SCHED_FRAME
8:  incq CO__SCHED_COUNT(%rsi)
    movq %rdi, CO__SCHED_YIELDED(%rsi)
9:  movq %rsi, %rbx
    jmp 1b
6:  movq %rcx, CO__RESUMER_BASE(%rdi)
    jmp 7b

/* rsi the scheduler, for whom a task has parked. */
3:  LOAD_RING
    movq CO__SCHED_COUNT(%rsi), %rcx
    testq CO__SCHED_LOOK_MASK(%rsi), %r9
    jz 9b
    movq co__thread@gottpoff(%rip), %r8
    subq $1, %rcx
    jb 9b
    movq %rcx, CO__SCHED_COUNT(%rsi)
    NEXT_IN_RING
    ENTER
    .cfi_endproc
    .size co__sched_run, . - co__sched_run

/* int co__park_behind_all(co_t *task, struct co__sched *sched) */
    .hidden co__park_behind_all
FUNCTION co__park_behind_all
    .cfi_startproc
    LANDING
    PUSH_CALLEE_SAVED
    leaq 9f(%rip), %rcx
    LEAVE_FOR_SCHEDULER
    movq co__thread@gottpoff(%rip), %r8
    movq %rcx, CO__RESUMER_BASE(%rdi)
    jmp 7b
    .cfi_endproc

    .cfi_startproc
    CFI_PARKED
8:  LANDING                                             /* closing comes here: a real call, at which the unwinder */
    pushq %rax                                          /* finds the caller of the blocking call */
    .cfi_adjust_cfa_offset 8
    call co__unwind
    .cfi_adjust_cfa_offset -8
    .4byte 8b - 9f
9:  LANDING                                             /* rdi the task */
    xorl %eax, %eax
    POP_CALLEE_SAVED
    RETURN
    .cfi_endproc
    .size co__park_behind_all, . - co__park_behind_all

/* int co__park_root(co_t *task, struct co__sched *sched) */
    .hidden co__park_root
FUNCTION co__park_root
    .cfi_startproc
    LANDING
    PUSH_CALLEE_SAVED
    leaq 9f(%rip), %rcx
    cmpq %rcx, CO__RESUMER_BASE(%rdi)                   /* as at the last call: a store less */
    jne 7f
6:  LEAVE_FOR_SCHEDULER
    jmp 3b
    .cfi_endproc

    .cfi_startproc
    CFI_PARKED
7:  movq %rcx, CO__RESUMER_BASE(%rdi)
    jmp 6b
8:  LANDING                                             /* as above */
    pushq %rax
    .cfi_adjust_cfa_offset 8
    call co__unwind
    .cfi_adjust_cfa_offset -8
    .4byte 8b - 9f
9:  LANDING                                             /* rdi the task */
    movl CO__BLOCK_BYTES + CO__TASK_STATUS(%rdi), %eax
    POP_CALLEE_SAVED
    RETURN
    .cfi_endproc
    .size co__park_root, . - co__park_root

/* int co__park_nested(co_t *innermost, struct co__sched *sched, struct co__task *task) */
    .hidden co__park_nested
FUNCTION co__park_nested
    .cfi_startproc
    LANDING
    PUSH_CALLEE_SAVED
    pushq CO__OWN_BASE(%rdi)
    .cfi_adjust_cfa_offset 8
    pushq CO__RESUMER_BASE(%rdi)
    .cfi_adjust_cfa_offset 8
    pushq %rdx
    .cfi_adjust_cfa_offset 8
    leaq 9f(%rip), %rcx
    LEAVE_FOR_SCHEDULER
    movq %rcx, CO__RESUMER_BASE(%rdi)
    jmp 3b
    .cfi_endproc

    .cfi_startproc
    .cfi_def_cfa rsp, 64
    .cfi_offset r12, -16
    .cfi_offset r13, -24
    .cfi_offset r14, -32
    .cfi_offset r15, -40
8:  LANDING                                             /* as above */
    call co__unwind
    .4byte 8b - 9f
    .globl co__park_nested_landing
    .hidden co__park_nested_landing
co__park_nested_landing:
9:  LANDING                                             /* rdi the coroutine that parked */
    popq %rdx
    .cfi_adjust_cfa_offset -8
    popq CO__RESUMER_BASE(%rdi)
    .cfi_adjust_cfa_offset -8
    popq CO__OWN_BASE(%rdi)
    .cfi_adjust_cfa_offset -8
    movq CO__TASK_CO(%rdx), %rcx
    movl CO__TASK_STATUS(%rdx), %eax
    movq %rcx, CO__TASK_INNERMOST(%rdx)
    POP_CALLEE_SAVED
    RETURN
    .cfi_endproc
    .size co__park_nested, . - co__park_nested
