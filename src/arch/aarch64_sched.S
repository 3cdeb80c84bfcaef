/* The switch from task to task for AArch64. aarch64.S has the register protocol, and the macros; task.h says where a
 * parked task keeps its words.
 *
 * co__sched_run's frame, in which tasks arrive when they yield or end, and from which they are entered, is that of
 * aarch64.S, with x19 where co_resume has `out`:
 *
 *         +96   d8 ... d15
 *         +80   x28, x19
 *         +16   x20 ... x27
 *     sp  +0    x29, x30            a frame record, to which x29 points
 *
 * Inside it x19 is the scheduler. What a parked stack holds, in the task's own body and in a coroutine that it has
 * resumed:
 *
 *         co__park_root, co__park_behind_all          co__park_nested
 *         +96   d8 ... d15                            +128  d8 ... d15
 *         +80   x28                                   +112  x28
 *         +16   x20 ... x27                           +48   x20 ... x27
 *     sp  +0    x29, x30: a frame record              +32   x29, x30: a frame record
 *                                                     +16   own.base        as they were: the resumer's handle,
 *                                                     +8    resumer.base    and the resumer's x19
 *                                                 sp  +0    the task */

#define PARKED_BYTES 32

/* Words that are loaded or stored two at a time. */
#if CO__SCHED_RING_MASK != CO__SCHED_RING + 8
#error "the pair of task.h is no pair any more"
#endif

.macro CFI_SCHED_FRAME
    CFI_AT_LANDING
    .cfi_offset x19, 88 - FRAME_BYTES
.endm

/* x11 becomes the number of the next turn, x14 how many the ring holds, x12 the ring, x13 its mask; the condition `eq`:
 * it is time to look around. */
.macro LOAD_RING
    ldr x11, [x19, #CO__SCHED_HEAD]
    ldr x14, [x19, #CO__SCHED_COUNT]
    ldp x12, x13, [x19, #CO__SCHED_RING]
    ldr x15, [x19, #CO__SCHED_LOOK_MASK]
    tst x11, x15
.endm

/* x0 becomes the next in the ring, which is not empty. x11, x12, x13 as above. While this one is entered, the line of
 * one who comes later is fetched: the ring knows it long before. */
.macro NEXT_IN_RING
    and x5, x11, x13
    add x11, x11, #1
    add x5, x12, x5, lsl #3
    ldr x0, [x5]
    ldr x6, [x5, #8 * CO__RING_AHEAD]
    str x11, [x19, #CO__SCHED_HEAD]
    prfm pldl1keep, [x6]
.endm

/* Enters x0. From the move to its sp on, the caller is the context in its block. */
.macro ENTER
    THREAD_WORDS
    ldr x4, [x0, #CO__RESUMER_BASE]
    ldr x6, [x0, #CO__OWN_SP]
    str x0, [x9, #CO__THREAD_CURRENT]
    mov x1, #0
    mov sp, x6
    .cfi_endproc
    .cfi_startproc
    CFI_ALREADY_THERE
    .cfi_register x30, x4
    .cfi_escape 0x10, 29, 2, 0x70, CO__OWN_FP           /* x29 at [x0 + 8] */
    .cfi_escape 0x10, 19, 2, 0x70, CO__OWN_BASE         /* x19 at [x0 + 24] */
    ldr x29, [x0, #CO__OWN_FP]
    .cfi_same_value x29
    ldr x19, [x0, #CO__OWN_BASE]
    .cfi_same_value x19
    br x4
.endm

/* Leaves x0, whose frame is complete, for the scheduler x1; x4 is where x0 is to go on. The word for that is written
 * behind the move, since in a coroutine that was resumed it is what unwinding through co__entry needs. */
.macro LEAVE_FOR_SCHEDULER
    mov x6, sp
    stp x6, x29, [x0, #CO__OWN_SP]
    str x19, [x0, #CO__OWN_BASE]
    ldr x6, [x1, #CO__SCHED_SP]
    mov sp, x6
    .cfi_endproc
    .cfi_startproc
    CFI_SCHED_FRAME
    str x4, [x0, #CO__RESUMER_BASE]
    ldr x29, [x1, #CO__SCHED_FP]
    mov x19, x1
.endm

    .text

/* void co__sched_run(struct co__sched *sched, co_t *first) */
    .hidden co__sched_run
FUNCTION co__sched_run
    .cfi_startproc
    FUNCTION_ENTRY
    SAVE_CALLEE_SAVED
    str x19, [sp, #88]
    .cfi_offset x19, 88 - FRAME_BYTES
    mov x19, x0
    mov x6, sp
    str x6, [x19, #CO__SCHED_SP]
    str x29, [x19, #CO__SCHED_FP]
    stp x6, x29, [x1, #CO__RESUMER_SP]                  /* which was spawned when there was no frame yet */
1:  THREAD_WORDS                                        /* look around, as the coroutine that called co_run */
    ldr x6, [x19, #CO__SCHED_OUTER]
    str x6, [x9, #CO__THREAD_CURRENT]
    mov x0, x19
    bl co__sched_next
2:  cbz x0, 4f
    ENTER
    .cfi_endproc

    .cfi_startproc
    CFI_SCHED_FRAME
4:  ldr x19, [sp, #88]
    .cfi_restore x19
    RESTORE_CALLEE_SAVED_AND_RETURN
    .cfi_endproc

    .cfi_startproc
    CFI_SCHED_FRAME
5:  mov x2, x1                                          /* a task has ended: x0 it, x1 the result, w3 the status */
    mov x1, x0
    mov x0, x19
    bl co__sched_ended
    b 2b

/* Where resumer.pc of a task points: x0 the task, x1 what it yielded or returned, w3 the status, sp and x29 those of
 * the frame above. x19 holds what resumer.base does. The instruction before belongs to the same frame: a return address
 * is looked up one byte before itself. */
    .globl co__sched_landing
    .hidden co__sched_landing
co__sched_landing:
    LANDING
    THREAD_WORDS
    ldr x19, [x9, #CO__THREAD_SCHED]
    cmp w3, #1                                          /* CO_YIELDED */
    b.ne 5b
    ldr x4, [x0, #CO__OWN_PC]
    str xzr, [x0, #CO__OWN_PC]
    str x4, [x0, #CO__RESUMER_BASE]
7:  LOAD_RING
    add x6, x11, x14
    and x6, x6, x13
    str x0, [x12, x6, lsl #3]                           /* behind all that are able to run, of whom one goes */
    b.eq 8f
    NEXT_IN_RING
    ENTER
    .cfi_endproc

    .cfi_startproc
    CFI_SCHED_FRAME
8:  add x14, x14, #1
    str x14, [x19, #CO__SCHED_COUNT]
    str x0, [x19, #CO__SCHED_YIELDED]
    b 1b

/* x19 the scheduler, for whom a task has parked; sp and x29 those of the frame above. */
3:  LOAD_RING
    b.eq 1b
    cbz x14, 1b
    sub x14, x14, #1
    str x14, [x19, #CO__SCHED_COUNT]
    NEXT_IN_RING
    ENTER
    .cfi_endproc
    .size co__sched_run, . - co__sched_run

/* int co__park_behind_all(co_t *task, struct co__sched *sched) */
    .hidden co__park_behind_all
FUNCTION co__park_behind_all
    .cfi_startproc
    FUNCTION_ENTRY
    SAVE_CALLEE_SAVED
    adr x4, 9f
    LEAVE_FOR_SCHEDULER
    b 7b
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
8:  LANDING                                             /* closing comes here: a real call, at which the unwinder */
    bl co__unwind                                       /* finds the caller of the blocking call */
    .4byte 8b - 9f
9:  LANDING                                             /* x0 the task */
    mov w0, #0
    RESTORE_CALLEE_SAVED_AND_RETURN
    .cfi_endproc
    .size co__park_behind_all, . - co__park_behind_all

/* int co__park_root(co_t *task, struct co__sched *sched) */
    .hidden co__park_root
FUNCTION co__park_root
    .cfi_startproc
    FUNCTION_ENTRY
    SAVE_CALLEE_SAVED
    adr x4, 9f
    LEAVE_FOR_SCHEDULER
    b 3b
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
8:  LANDING                                             /* as above */
    bl co__unwind
    .4byte 8b - 9f
9:  LANDING                                             /* x0 the task */
    ldr w0, [x0, #CO__BLOCK_BYTES + CO__TASK_STATUS]
    RESTORE_CALLEE_SAVED_AND_RETURN
    .cfi_endproc
    .size co__park_root, . - co__park_root

/* int co__park_nested(co_t *innermost, struct co__sched *sched, struct co__task *task) */
    .hidden co__park_nested
FUNCTION co__park_nested
    .cfi_startproc
    FUNCTION_ENTRY
    SAVE_CALLEE_SAVED
    sub sp, sp, #PARKED_BYTES
    .cfi_def_cfa_offset FRAME_BYTES + PARKED_BYTES
    ldr x4, [x0, #CO__OWN_BASE]
    ldr x5, [x0, #CO__RESUMER_BASE]
    stp x2, x5, [sp]
    str x4, [sp, #16]
    adr x4, 9f
    LEAVE_FOR_SCHEDULER
    b 3b
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
    .cfi_def_cfa_offset FRAME_BYTES + PARKED_BYTES
8:  LANDING                                             /* as above */
    bl co__unwind
    .4byte 8b - 9f
    .globl co__park_nested_landing
    .hidden co__park_nested_landing
co__park_nested_landing:
9:  LANDING                                             /* x0 the coroutine that parked */
    ldp x2, x5, [sp]
    ldr x4, [sp, #16]
    str x5, [x0, #CO__RESUMER_BASE]
    str x4, [x0, #CO__OWN_BASE]
    ldr x4, [x2, #CO__TASK_CO]
    ldr w0, [x2, #CO__TASK_STATUS]
    str x4, [x2, #CO__TASK_INNERMOST]
    add sp, sp, #PARKED_BYTES
    .cfi_def_cfa_offset FRAME_BYTES
    RESTORE_CALLEE_SAVED_AND_RETURN
    .cfi_endproc
    .size co__park_nested, . - co__park_nested
