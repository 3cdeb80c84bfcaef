/* The out-of-line switch for RV64, and what every coroutine starts, ends and is closed through.
 *
 * RISC-V ELF psABI: arguments in a0, a1, a2; s0-s11 are callee-saved, and fs0-fs11 as wide as the ABI passes floats:
 * 64 bits in lp64d, 32 in lp64f, none in lp64 ("Register Convention"). The rounding mode in fcsr belongs to the thread
 * and is shared by coroutines, unless co__fpenv_swap is asked.
 *
 * A function that switches away leaves this on the suspended stack:
 *
 *     FRAME_BYTES - 8    ra         a frame record, to whose end s0 points
 *     FRAME_BYTES - 16   s0
 *         +96   fs0 ... fs11, each FLOAT_BYTES wide
 *         +16   s2 ... s11
 *     sp  +8    out (co_resume)
 *
 * s0 and s1 are in the words of the context (co/layout.h), as in the inline switch: the two doors meet there.
 * In every switch: a0 the block, a1 the value; towards the resumer also a2 the handle to make current, a3 the status.
 *
 * `jr ra` is a return to the processor, which predicts it to go to whoever called last: wrong after a switch. `jr t1`
 * is predicted from its own past. */

#if defined(__riscv_float_abi_double)
#define FLOAT_BYTES 8
#define SAVE_FLOAT fsd
#define LOAD_FLOAT fld
#elif defined(__riscv_float_abi_single)
#define FLOAT_BYTES 4
#define SAVE_FLOAT fsw
#define LOAD_FLOAT flw
#else
#define FLOAT_BYTES 0
#endif

#define FRAME_BYTES (96 + 12 * FLOAT_BYTES + 16)
#define FLOATS_AT 96

    .text

.macro FUNCTION name
    .globl \name
    .type \name, @function
    .p2align 2
\name:
.endm

/* One register of the frame: `index` counts words from +16 for s registers, floats from FLOATS_AT for fs registers. */
.macro SAVE_WORD register, index
    sd \register, 16 + 8 * \index(sp)
    .cfi_rel_offset \register, 16 + 8 * \index
.endm
.macro LOAD_WORD register, index
    ld \register, 16 + 8 * \index(sp)
    .cfi_restore \register
.endm
#if FLOAT_BYTES > 0
.macro SAVE_FLOATING register, index
    SAVE_FLOAT \register, FLOATS_AT + FLOAT_BYTES * \index(sp)
    .cfi_rel_offset \register, FLOATS_AT + FLOAT_BYTES * \index
.endm
.macro LOAD_FLOATING register, index
    LOAD_FLOAT \register, FLOATS_AT + FLOAT_BYTES * \index(sp)
    .cfi_restore \register
.endm
#endif

.macro SAVE_CALLEE_SAVED
    addi sp, sp, -FRAME_BYTES
    .cfi_def_cfa_offset FRAME_BYTES
    sd ra, FRAME_BYTES - 8(sp)
    .cfi_rel_offset ra, FRAME_BYTES - 8
    sd s0, FRAME_BYTES - 16(sp)
    .cfi_rel_offset s0, FRAME_BYTES - 16
    addi s0, sp, FRAME_BYTES
    SAVE_WORD s2, 0
    SAVE_WORD s3, 1
    SAVE_WORD s4, 2
    SAVE_WORD s5, 3
    SAVE_WORD s6, 4
    SAVE_WORD s7, 5
    SAVE_WORD s8, 6
    SAVE_WORD s9, 7
    SAVE_WORD s10, 8
    SAVE_WORD s11, 9
#if FLOAT_BYTES > 0
    .irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    SAVE_FLOATING fs\i, \i
    .endr
#endif
.endm

/* The mirror image, and back to the caller. */
.macro LOAD_CALLEE_SAVED_AND_RETURN
#if FLOAT_BYTES > 0
    .irp i, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
    LOAD_FLOATING fs\i, \i
    .endr
#endif
    LOAD_WORD s11, 9
    LOAD_WORD s10, 8
    LOAD_WORD s9, 7
    LOAD_WORD s8, 6
    LOAD_WORD s7, 5
    LOAD_WORD s6, 4
    LOAD_WORD s5, 3
    LOAD_WORD s4, 2
    LOAD_WORD s3, 1
    LOAD_WORD s2, 0
    ld s0, FRAME_BYTES - 16(sp)
    .cfi_restore s0
    ld t1, FRAME_BYTES - 8(sp)
    .cfi_register ra, t1
    addi sp, sp, FRAME_BYTES
    .cfi_def_cfa_offset 0
    mv ra, t1
    .cfi_restore ra
    jr t1
.endm

/* The frame as it is at a landing. */
.macro CFI_AT_LANDING
    .cfi_def_cfa sp, FRAME_BYTES
    .cfi_rel_offset ra, FRAME_BYTES - 8
    .cfi_rel_offset s0, FRAME_BYTES - 16
    .cfi_rel_offset s2, 16
    .cfi_rel_offset s3, 24
    .cfi_rel_offset s4, 32
    .cfi_rel_offset s5, 40
    .cfi_rel_offset s6, 48
    .cfi_rel_offset s7, 56
    .cfi_rel_offset s8, 64
    .cfi_rel_offset s9, 72
    .cfi_rel_offset s10, 80
    .cfi_rel_offset s11, 88
#if FLOAT_BYTES > 0
    .irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    .cfi_rel_offset fs\i, FLOATS_AT + \i * FLOAT_BYTES
    .endr
#endif
.endm

/* Call-frame information for the instructions between loading the other side's sp and jumping to it: the caller of such
 * a frame is the context in the block (DWARF 5, sections 6.4.2 and 2.5; register numbers of the RISC-V DWARF
 * specification: ra 1, which stands for the return address, sp 2, s0 8, s1 9, a0 10). */
.macro CFI_ALREADY_THERE
    .cfi_signal_frame                                   /* the pc is exact; the stack may jump either way */
    .cfi_def_cfa sp, 0
.endm

/* From the load of the resumer's sp, which the macro's user has done last, with resumer.pc in a5. */
.macro GO_ON_IN_RESUMER
    CFI_ALREADY_THERE
    .cfi_register ra, a5
    .cfi_escape 0x10, 8, 2, 0x7a, CO__RESUMER_FP
    .cfi_escape 0x10, 9, 2, 0x7a, CO__RESUMER_BASE
    ld s0, CO__RESUMER_FP(a0)
    .cfi_same_value s0
    ld s1, CO__RESUMER_BASE(a0)
    .cfi_same_value s1
    jr a5
.endm

/* t2 becomes the address of the thread's words. */
.macro THREAD_WORDS
    la.tls.ie t2, co__thread
    add t2, t2, tp
.endm

/* Switches inside a C++ handler go through the library (co.h: struct co__handlers). A thread whose record is not known
 * yet counts as active. */
.macro JUMP_IF_HANDLERS_ACTIVE target
    ld t3, CO__THREAD_HANDLERS(t2)
    beqz t3, \target
    ld t4, CO__HANDLERS_CAUGHT(t3)
    lw t5, CO__HANDLERS_UNCAUGHT(t3)
    or t4, t4, t5
    bnez t4, \target
.endm

#ifndef CO__MACROS_ONLY

/* int co_resume(co_t *co, void *in, void **out) */
FUNCTION co_resume
    .cfi_startproc
    beqz a0, 1f
    ld a4, CO__OWN_PC(a0)                               /* a load first: see co.h */
    beqz a4, 1f
    THREAD_WORDS
    JUMP_IF_HANDLERS_ACTIVE 1f
    SAVE_CALLEE_SAVED
    sd a2, 8(sp)
    ld a2, CO__THREAD_CURRENT(t2)                       /* a2: the resumer's handle */
    sd a0, CO__THREAD_CURRENT(t2)
    lla a5, 2f
    sd sp, CO__RESUMER_SP(a0)
    sd s0, CO__RESUMER_FP(a0)
    sd a5, CO__RESUMER_PC(a0)
    sd s1, CO__RESUMER_BASE(a0)
    sd zero, CO__OWN_PC(a0)
    ld sp, CO__OWN_SP(a0)
    .cfi_endproc

    .cfi_startproc
    CFI_ALREADY_THERE
    .cfi_register ra, a4
    .cfi_escape 0x10, 8, 2, 0x7a, CO__OWN_FP            /* s0 at [a0 + 8]: DW_CFA_expression, DW_OP_breg10 */
    .cfi_escape 0x10, 9, 2, 0x7a, CO__OWN_BASE          /* s1 at [a0 + 24] */
    ld s0, CO__OWN_FP(a0)
    .cfi_same_value s0
    ld s1, CO__OWN_BASE(a0)
    .cfi_same_value s1
    sd a2, CO__OWN_BASE(a0)
    jr a4
    .cfi_endproc

    .cfi_startproc
1:  tail co__resume_slow
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
2:  THREAD_WORDS                                        /* a0, a1, a2, a3 as above */
    sd a2, CO__THREAD_CURRENT(t2)
    mv a0, a3
    ld a2, 8(sp)
    li t3, CO__NOT_STARTED
    beq a3, t3, 8f
    beqz a2, 3f
    sd a1, 0(a2)
3:  LOAD_CALLEE_SAVED_AND_RETURN
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
8:  li a0, -CO__EINVAL                                  /* *out stays as it is */
    j 3b
    .cfi_endproc
    .size co_resume, . - co_resume

/* void *co_yield(void *value) */
FUNCTION co_yield
    .cfi_startproc
    THREAD_WORDS
    mv a1, a0
    ld a0, CO__THREAD_CURRENT(t2)
    bnez a0, 4f
    tail co__yield_refused
    .cfi_endproc
    .size co_yield, . - co_yield

    .cfi_startproc
7:  tail co__yield_handling
    .cfi_endproc

/* void *co_yield_from(co_t *self, void *value) */
FUNCTION co_yield_from
    .cfi_startproc
    THREAD_WORDS
4:  JUMP_IF_HANDLERS_ACTIVE 7b
    SAVE_CALLEE_SAVED
    lla a4, 5f
    ld a2, CO__OWN_BASE(a0)
    sd sp, CO__OWN_SP(a0)
    sd s0, CO__OWN_FP(a0)
    sd a4, CO__OWN_PC(a0)
    sd s1, CO__OWN_BASE(a0)
    li a3, 1                                            /* CO_YIELDED */
    ld a5, CO__RESUMER_PC(a0)
    ld sp, CO__RESUMER_SP(a0)
    .cfi_endproc

    .cfi_startproc
    GO_ON_IN_RESUMER
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
6:  call co__unwind                                     /* co_close comes here: a real call, at which the unwinder */
    .4byte 6b - 5f                                      /* finds the caller of co_yield */
5:  mv a0, a1                                           /* a0, a1 as above */
    LOAD_CALLEE_SAVED_AND_RETURN
    .cfi_endproc
    .size co_yield_from, . - co_yield_from

/* The frame in which the body is called. The pc: in resumer.pc, or, while yields are refused, in the word that keeps it,
 * 64 bytes above: if that word is not 0, 64 is added. Only operations that Valgrind knows: breg; deref, lit0, ne, lit6,
 * shl; breg; plus. What else a landing finds is known only when it is reached. */
.macro CFI_ENTRY
    .cfi_signal_frame
    .cfi_personality 0x1b, co__personality
    .cfi_escape 0x0f, 3, 0x72, CO__RESUMER_SP, 0x06     /* CFA = [sp + 32]: DW_CFA_def_cfa_expression, breg2, deref */
    .cfi_escape 0x10, 1, 11, 0x72, CO__SLEB128(CO__TRUE_RESUMER_PC), 0x06, 0x30, 0x2e, 0x36, 0x24
    .cfi_escape 0x72, CO__RESUMER_PC, 0x22
    .cfi_escape 0x10, 8, 2, 0x72, CO__RESUMER_FP        /* s0 at [sp + 40] */
    .cfi_escape 0x10, 9, 2, 0x72, CO__RESUMER_BASE      /* s1 at [sp + 56] */
    .cfi_escape 0x16, 10, 2, 0x72, 0                    /* a0 is the block: DW_CFA_val_expression, sp */
    .irp register, a1, a2, a3, a4, a5, a6, a7, t0, t1, t2, t3, t4, t5, t6
    .cfi_undefined \register
    .endr
    .irp register, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11
    .cfi_undefined \register
    .endr
.endm

/* Where a fresh coroutine starts: sp and a0 are its block, a1 should be NULL. The frame record and the call-frame
 * information continue into the resumer, whose four words are in the block while the coroutine runs: a backtrace walks
 * from the body into whoever resumed it. It is marked as a signal frame since debuggers refuse an ordinary frame whose
 * caller lies lower in memory.
 *
 * A body that returns, and has neither failed nor deferred, leaves from here. */
    .hidden co__entry
FUNCTION co__entry
    .cfi_startproc
    CFI_ENTRY
    bnez a1, 2f
    addi s0, a0, CO__RESUMER_FP + 16                    /* a frame record ends where the frame pointer points */
    ld t1, CO__FN(a0)
    ld a0, CO__ARG(a0)
    jalr t1
    mv a1, a0
    mv a0, sp
    ld t1, CO__DEFERRED(a0)
    lw t2, CO__FAILURE(a0)
    or t1, t1, t2
    bnez t1, 1f
    li a3, 0                                            /* CO_RETURNED */
    li t1, CO__ENDED
    sb t1, CO__LIFE(a0)
3:  ld a2, CO__OWN_BASE(a0)
    ld a5, CO__RESUMER_PC(a0)
    ld sp, CO__RESUMER_SP(a0)
    .cfi_endproc
    .cfi_startproc
    GO_ON_IN_RESUMER
    .cfi_endproc

    .cfi_startproc
    CFI_ENTRY
1:  call co__finish                                     /* a0: the value, a1: the status */
    mv a3, a1
    mv a1, a0
    mv a0, sp
    j 3b
2:  lla t1, co__entry                                   /* a value, and no yield that would receive it */
    sd t1, CO__OWN_PC(a0)
    li a3, CO__NOT_STARTED
    j 3b
    .cfi_endproc
    .size co__entry, . - co__entry

/* void co__leave(co_t *co, void *value, long status): never returns. own.pc stays NULL. */
    .hidden co__leave
FUNCTION co__leave
    .cfi_startproc
    mv a3, a2
    ld a2, CO__OWN_BASE(a0)
    ld a5, CO__RESUMER_PC(a0)
    ld sp, CO__RESUMER_SP(a0)
    .cfi_endproc
    .cfi_startproc
    GO_ON_IN_RESUMER
    .cfi_endproc
    .size co__leave, . - co__leave

/* Where co_close sends a coroutine whose landing knows no unwinder. sp points to the four words of the pending yield,
 * which call-frame information takes for the caller. */
    .hidden co__closing
FUNCTION co__closing
    .cfi_startproc
    .cfi_signal_frame
    .cfi_escape 0x0f, 3, 0x72, 0, 0x06                  /* CFA = [sp] */
    .cfi_escape 0x10, 8, 2, 0x72, 8                     /* s0 at [sp + 8] */
    .cfi_escape 0x10, 1, 2, 0x72, 16                    /* the pc at [sp + 16] */
    .cfi_escape 0x10, 9, 2, 0x72, 24                    /* s1 at [sp + 24] */
    call co__unwind
    ebreak                                              /* a return address belongs to its function */
    .cfi_endproc
    .size co__closing, . - co__closing

/* Where resumer.pc points while yields are refused. A yield has just saved its four words in `own` and loaded the
 * resumer's; this undoes it, and the yield returns NULL. a0, a2 as above. */
    .hidden co__refusal
FUNCTION co__refusal
    .cfi_startproc
    .cfi_signal_frame                                   /* the caller is the yield */
    .cfi_escape 0x0f, 3, 0x7a, CO__OWN_SP, 0x06         /* CFA = [a0] */
    .cfi_escape 0x10, 8, 2, 0x7a, CO__OWN_FP
    .cfi_escape 0x10, 9, 2, 0x7a, CO__OWN_BASE
    .cfi_escape 0x10, 1, 2, 0x7a, CO__OWN_PC
    li a1, 1                                            /* EPERM; and true */
    sw a1, CO__ERROR(a0)
    sw a1, CO__REFUSED(a0)
    ld a5, CO__OWN_PC(a0)
    .cfi_register ra, a5
    sd zero, CO__OWN_PC(a0)
    ld sp, CO__OWN_SP(a0)
    ld s0, CO__OWN_FP(a0)
    .cfi_same_value s0
    ld s1, CO__OWN_BASE(a0)
    .cfi_same_value s1
    sd a2, CO__OWN_BASE(a0)
    li a1, 0
    jr a5
    .cfi_endproc
    .size co__refusal, . - co__refusal

/* void co__fpenv_save(uint32_t fpenv[2]): the rounding mode in the first word. */
    .hidden co__fpenv_save
FUNCTION co__fpenv_save
    .cfi_startproc
#if defined(__riscv_flen)
    frrm t0
    sw t0, 0(a0)
#endif
    ret
    .cfi_endproc
    .size co__fpenv_save, . - co__fpenv_save

/* void co__fpenv_swap(uint32_t fpenv[2]) */
    .hidden co__fpenv_swap
FUNCTION co__fpenv_swap
    .cfi_startproc
#if defined(__riscv_flen)
    lw t0, 0(a0)
    fsrm t1, t0
    sw t1, 0(a0)
#endif
    ret
    .cfi_endproc
    .size co__fpenv_swap, . - co__fpenv_swap

/* uintptr_t co__valgrind(uintptr_t otherwise, const uintptr_t request[6]): answers that there is no Valgrind, which
 * came to RV64 late (3.25). */
    .hidden co__valgrind
FUNCTION co__valgrind
    .cfi_startproc
    ret
    .cfi_endproc
    .size co__valgrind, . - co__valgrind

/* void co__call_guarded(void (*fn)(void *), void *arg): fn(arg), through a frame that no exception passes. */
    .hidden co__call_guarded
FUNCTION co__call_guarded
    .cfi_startproc
    .cfi_personality 0x1b, co__personality
    addi sp, sp, -16
    .cfi_def_cfa_offset 16
    sd ra, 8(sp)
    .cfi_offset ra, -8
    sd s0, 0(sp)
    .cfi_offset s0, -16
    addi s0, sp, 16
    mv t1, a0
    mv a0, a1
    jalr t1
    ld s0, 0(sp)
    .cfi_restore s0
    ld ra, 8(sp)
    .cfi_restore ra
    addi sp, sp, 16
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size co__call_guarded, . - co__call_guarded

/* int co_defer(void (*fn)(void *), void *arg): adds the stack pointer of its caller, by which co_close tells frames
 * apart. */
FUNCTION co_defer
    .cfi_startproc
    mv a2, sp
    tail co__defer
    .cfi_endproc
    .size co_defer, . - co_defer

/* void co__defer_in_place(struct co__deferred *call, void (*fn)(void *), void *arg): likewise. */
FUNCTION co__defer_in_place
    .cfi_startproc
    mv a3, sp
    tail co__defer_at
    .cfi_endproc
    .size co__defer_in_place, . - co__defer_in_place

#endif /* CO__MACROS_ONLY */
