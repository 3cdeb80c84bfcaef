/* The switch from task to task for RV64. riscv64.S has the register protocol, and the macros; task.h says where a
 * parked task keeps its words.
 *
 * co__sched_run's frame, in which tasks arrive when they yield or end, and from which they are entered, is that of
 * riscv64.S, with s1 where co_resume has `out`:
 *
 *     FRAME_BYTES - 8    ra         a frame record, to whose end s0 points
 *     FRAME_BYTES - 16   s0
 *         +96   fs0 ... fs11, each FLOAT_BYTES wide
 *         +16   s2 ... s11
 *     sp  +8    s1
 *
 * Inside it s1 is the scheduler. A task that parks in its own body leaves the same on its stack, without s1. In a
 * coroutine that it has resumed there is below that
 *
 *         +16   own.base            as they were: the resumer's handle,
 *         +8    resumer.base        and the resumer's s1
 *     sp  +0    the task
 *
 * where own.base lies in the lowest word of the frame, which is free. */

#define PARKED_BYTES 16

.macro CFI_SCHED_FRAME
    CFI_AT_LANDING
    .cfi_rel_offset s1, 8
.endm

/* t3 becomes the number of the next turn, t4 how many the ring holds, t5 the ring, t6 its mask; a6 becomes 0 if it is
 * time to look around. */
.macro LOAD_RING
    ld t3, CO__SCHED_HEAD(s1)
    ld a6, CO__SCHED_LOOK_MASK(s1)
    ld t4, CO__SCHED_COUNT(s1)
    ld t5, CO__SCHED_RING(s1)
    ld t6, CO__SCHED_RING_MASK(s1)
    and a6, a6, t3
.endm

/* a0 becomes the next in the ring, which is not empty. t3, t5, t6 as above. While this one is entered, the line of one
 * who comes later is fetched: the ring knows it long before. The instruction for that (Zicbop: prefetch.r) is written
 * as the `ori` into x0 that it is, which processors without it execute as nothing: bits 0 to 4 say 1, read, and the
 * others are the distance. */
.macro NEXT_IN_RING
    addi t1, t3, 1
    and t3, t3, t6
    slli t3, t3, 3
    add t3, t3, t5
    ld a0, 0(t3)
    ld t0, 8 * CO__RING_AHEAD(t3)
    sd t1, CO__SCHED_HEAD(s1)
    ori zero, t0, 1
.endm

/* Enters a0. From the load of its sp on, the caller is the context in its block. */
.macro ENTER
    THREAD_WORDS
    ld a4, CO__RESUMER_BASE(a0)
    sd a0, CO__THREAD_CURRENT(t2)
    li a1, 0
    ld sp, CO__OWN_SP(a0)
    .cfi_endproc
    .cfi_startproc
    CFI_ALREADY_THERE
    .cfi_register ra, a4
    .cfi_escape 0x10, 8, 2, 0x7a, CO__OWN_FP            /* s0 at [a0 + 8] */
    .cfi_escape 0x10, 9, 2, 0x7a, CO__OWN_BASE          /* s1 at [a0 + 24] */
    ld s0, CO__OWN_FP(a0)
    .cfi_same_value s0
    ld s1, CO__OWN_BASE(a0)
    .cfi_same_value s1
    jr a4
.endm

/* Leaves a0, whose frame is complete, for the scheduler a1; a4 is where a0 is to go on. The word for that is written
 * behind the load, since in a coroutine that was resumed it is what unwinding through co__entry needs. */
.macro LEAVE_FOR_SCHEDULER
    sd sp, CO__OWN_SP(a0)
    sd s0, CO__OWN_FP(a0)
    sd s1, CO__OWN_BASE(a0)
    ld sp, CO__SCHED_SP(a1)
    .cfi_endproc
    .cfi_startproc
    CFI_SCHED_FRAME
    sd a4, CO__RESUMER_BASE(a0)
    ld s0, CO__SCHED_FP(a1)
    mv s1, a1
.endm

    .text

/* void co__sched_run(struct co__sched *sched, co_t *first) */
    .hidden co__sched_run
FUNCTION co__sched_run
    .cfi_startproc
    SAVE_CALLEE_SAVED
    sd s1, 8(sp)
    .cfi_rel_offset s1, 8
    mv s1, a0
    sd sp, CO__SCHED_SP(s1)
    sd s0, CO__SCHED_FP(s1)
    sd sp, CO__RESUMER_SP(a1)                           /* which was spawned when there was no frame yet */
    sd s0, CO__RESUMER_FP(a1)
1:  THREAD_WORDS                                        /* look around, as the coroutine that called co_run */
    ld t0, CO__SCHED_OUTER(s1)
    sd t0, CO__THREAD_CURRENT(t2)
    mv a0, s1
    call co__sched_next
2:  beqz a0, 4f
    ENTER
    .cfi_endproc

    .cfi_startproc
    CFI_SCHED_FRAME
4:  ld s1, 8(sp)
    .cfi_restore s1
    LOAD_CALLEE_SAVED_AND_RETURN
    .cfi_endproc

    .cfi_startproc
    CFI_SCHED_FRAME
5:  mv a2, a1                                           /* a task has ended: a0 it, a1 the result, a3 the status */
    mv a1, a0
    mv a0, s1
    call co__sched_ended
    j 2b

/* Where resumer.pc of a task points: a0 the task, a1 what it yielded or returned, a3 the status, sp and s0 those of the
 * frame above. s1 holds what resumer.base does. The instruction before belongs to the same frame: a return address is
 * looked up one byte before itself. */
    .globl co__sched_landing
    .hidden co__sched_landing
co__sched_landing:
    THREAD_WORDS
    ld s1, CO__THREAD_SCHED(t2)
    li t0, 1                                            /* CO_YIELDED */
    bne a3, t0, 5b
    ld a4, CO__OWN_PC(a0)
    sd zero, CO__OWN_PC(a0)
    sd a4, CO__RESUMER_BASE(a0)
7:  LOAD_RING
    add t0, t3, t4
    and t0, t0, t6
    slli t0, t0, 3
    add t0, t0, t5
    sd a0, 0(t0)                                        /* behind all that are able to run, of whom one goes */
    beqz a6, 8f
    NEXT_IN_RING
    ENTER
    .cfi_endproc

    .cfi_startproc
    CFI_SCHED_FRAME
8:  addi t4, t4, 1
    sd t4, CO__SCHED_COUNT(s1)
    sd a0, CO__SCHED_YIELDED(s1)
    j 1b

/* s1 the scheduler, for whom a task has parked; sp and s0 those of the frame above. */
3:  LOAD_RING
    beqz a6, 1b
    beqz t4, 1b
    addi t4, t4, -1
    sd t4, CO__SCHED_COUNT(s1)
    NEXT_IN_RING
    ENTER
    .cfi_endproc
    .size co__sched_run, . - co__sched_run

/* int co__park_behind_all(co_t *task, struct co__sched *sched) */
    .hidden co__park_behind_all
FUNCTION co__park_behind_all
    .cfi_startproc
    SAVE_CALLEE_SAVED
    lla a4, 9f
    LEAVE_FOR_SCHEDULER
    j 7b
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
8:  call co__unwind                                     /* closing comes here: a real call, at which the unwinder */
    .4byte 8b - 9f                                      /* finds the caller of the blocking call */
9:  li a0, 0
    LOAD_CALLEE_SAVED_AND_RETURN
    .cfi_endproc
    .size co__park_behind_all, . - co__park_behind_all

/* int co__park_root(co_t *task, struct co__sched *sched) */
    .hidden co__park_root
FUNCTION co__park_root
    .cfi_startproc
    SAVE_CALLEE_SAVED
    lla a4, 9f
    LEAVE_FOR_SCHEDULER
    j 3b
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
8:  call co__unwind                                     /* as above */
    .4byte 8b - 9f
9:  lw a0, CO__BLOCK_BYTES + CO__TASK_STATUS(a0)        /* a0 the task */
    LOAD_CALLEE_SAVED_AND_RETURN
    .cfi_endproc
    .size co__park_root, . - co__park_root

/* int co__park_nested(co_t *innermost, struct co__sched *sched, struct co__task *task) */
    .hidden co__park_nested
FUNCTION co__park_nested
    .cfi_startproc
    SAVE_CALLEE_SAVED
    addi sp, sp, -PARKED_BYTES
    .cfi_def_cfa_offset FRAME_BYTES + PARKED_BYTES
    ld t0, CO__OWN_BASE(a0)
    ld t1, CO__RESUMER_BASE(a0)
    sd t0, 16(sp)
    sd t1, 8(sp)
    sd a2, 0(sp)
    lla a4, 9f
    LEAVE_FOR_SCHEDULER
    j 3b
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
    .cfi_def_cfa_offset FRAME_BYTES + PARKED_BYTES
8:  call co__unwind                                     /* as above */
    .4byte 8b - 9f
    .globl co__park_nested_landing
    .hidden co__park_nested_landing
co__park_nested_landing:
9:  ld a2, 0(sp)                                        /* a0 the coroutine that parked */
    ld t1, 8(sp)
    ld t0, 16(sp)
    sd t1, CO__RESUMER_BASE(a0)
    sd t0, CO__OWN_BASE(a0)
    ld t0, CO__TASK_CO(a2)
    lw a0, CO__TASK_STATUS(a2)
    sd t0, CO__TASK_INNERMOST(a2)
    addi sp, sp, PARKED_BYTES
    .cfi_def_cfa_offset FRAME_BYTES
    LOAD_CALLEE_SAVED_AND_RETURN
    .cfi_endproc
    .size co__park_nested, . - co__park_nested
