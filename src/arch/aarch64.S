/* The out-of-line switch for AArch64, and what every coroutine starts, ends and is closed through.
 *
 * AAPCS64: arguments in x0, x1, x2 (section 6.8.2); x19-x29 and the low halves of v8-v15 are callee-saved (6.1.1,
 * 6.1.2), and so are the mode bits of FPCR (6.1.2), which coroutines share, unless co__fpenv_swap is asked.
 *
 * A function that switches away leaves this on the suspended stack:
 *
 *         +144  d14, d15
 *         +128  d12, d13
 *         +112  d10, d11
 *         +96   d8, d9
 *         +80   x28, out (co_resume)
 *         +64   x26, x27
 *         +48   x24, x25
 *         +32   x22, x23
 *         +16   x20, x21
 *     sp  +0    x29, x30            a frame record, to which x29 points
 *
 * x29 and x19 are in the words of the context (co/layout.h), as in the inline switch: the two doors meet there.
 * In every switch: x0 the block, x1 the value; towards the resumer also x2 the handle to make current, w3 the status.
 *
 * A processor predicts `ret` to go to whoever called last, which after a switch is wrong; `br` is predicted from its
 * own past. Only where branch targets are enforced is `ret` used, since a caller has no landing instruction behind its
 * call. */

#if defined(__ARM_FEATURE_BTI_DEFAULT)
#define FUNCTION_ENTRY hint 34                          /* bti c */
#define LANDING hint 36                                 /* bti j */
#define BACK_TO_CALLER ret
#else
#define FUNCTION_ENTRY
#define LANDING
#define BACK_TO_CALLER br x30
#endif

#define FRAME_BYTES 160

    .text

.macro FUNCTION name
    .globl \name
    .type \name, %function
    .p2align 4
\name:
.endm

/* Call-frame information for the instructions between moving sp to the other side and jumping there: the caller of such
 * a frame is the context in the block, from word `offset` on (DWARF 5, sections 6.4.2 and 2.5; register numbers of
 * "DWARF for the Arm 64-bit Architecture": x0 0, x19 19, x29 29, x30 30, which stands for the return address, sp 31).
 * */
.macro CFI_ALREADY_THERE
    .cfi_signal_frame                                   /* the pc is exact; the stack may jump either way */
    .cfi_def_cfa sp, 0
.endm

/* Where the frame holds two registers, `at` above sp. */
.macro CFI_PAIR first, second, at
    .cfi_offset \first, \at - FRAME_BYTES
    .cfi_offset \second, \at + 8 - FRAME_BYTES
.endm

.macro SAVE_CALLEE_SAVED
    sub sp, sp, #FRAME_BYTES
    .cfi_def_cfa_offset FRAME_BYTES
    stp x29, x30, [sp]
    CFI_PAIR x29, x30, 0
    mov x29, sp
    stp x20, x21, [sp, #16]
    CFI_PAIR x20, x21, 16
    stp x22, x23, [sp, #32]
    CFI_PAIR x22, x23, 32
    stp x24, x25, [sp, #48]
    CFI_PAIR x24, x25, 48
    stp x26, x27, [sp, #64]
    CFI_PAIR x26, x27, 64
    stp x28, x2, [sp, #80]
    .cfi_offset x28, 80 - FRAME_BYTES
    stp d8, d9, [sp, #96]
    CFI_PAIR d8, d9, 96
    stp d10, d11, [sp, #112]
    CFI_PAIR d10, d11, 112
    stp d12, d13, [sp, #128]
    CFI_PAIR d12, d13, 128
    stp d14, d15, [sp, #144]
    CFI_PAIR d14, d15, 144
.endm

/* The frame as it is at a landing. */
.macro CFI_AT_LANDING
    .cfi_def_cfa sp, FRAME_BYTES
    CFI_PAIR x29, x30, 0
    CFI_PAIR x20, x21, 16
    CFI_PAIR x22, x23, 32
    CFI_PAIR x24, x25, 48
    CFI_PAIR x26, x27, 64
    .cfi_offset x28, 80 - FRAME_BYTES
    CFI_PAIR d8, d9, 96
    CFI_PAIR d10, d11, 112
    CFI_PAIR d12, d13, 128
    CFI_PAIR d14, d15, 144
.endm

.macro RESTORE_CALLEE_SAVED_AND_RETURN
    ldp d14, d15, [sp, #144]
    .cfi_restore d14
    .cfi_restore d15
    ldp d12, d13, [sp, #128]
    .cfi_restore d12
    .cfi_restore d13
    ldp d10, d11, [sp, #112]
    .cfi_restore d10
    .cfi_restore d11
    ldp d8, d9, [sp, #96]
    .cfi_restore d8
    .cfi_restore d9
    ldr x28, [sp, #80]
    .cfi_restore x28
    ldp x26, x27, [sp, #64]
    .cfi_restore x26
    .cfi_restore x27
    ldp x24, x25, [sp, #48]
    .cfi_restore x24
    .cfi_restore x25
    ldp x22, x23, [sp, #32]
    .cfi_restore x22
    .cfi_restore x23
    ldp x20, x21, [sp, #16]
    .cfi_restore x20
    .cfi_restore x21
    ldp x29, x30, [sp]
    .cfi_restore x29
    .cfi_restore x30
    add sp, sp, #FRAME_BYTES
    .cfi_def_cfa_offset 0
    BACK_TO_CALLER
.endm

/* What follows the load of the resumer's sp. */
.macro GO_ON_IN_RESUMER
    CFI_ALREADY_THERE
    .cfi_escape 0x10, 30, 2, 0x70, CO__RESUMER_PC       /* the pc at [x0 + 48] */
    .cfi_escape 0x10, 29, 2, 0x70, CO__RESUMER_FP
    .cfi_escape 0x10, 19, 2, 0x70, CO__RESUMER_BASE
    ldr x29, [x0, #CO__RESUMER_FP]
    .cfi_same_value x29
    ldp x5, x19, [x0, #CO__RESUMER_PC]
    .cfi_same_value x19
    br x5
.endm

/* x9 becomes the address of the thread's words. */
.macro THREAD_WORDS
    adrp x9, :gottprel:co__thread
    ldr x9, [x9, #:gottprel_lo12:co__thread]
    mrs x10, tpidr_el0
    add x9, x9, x10
.endm

/* Switches inside a C++ handler go through the library (co.h: struct co__handlers). A thread whose record is not known
 * yet counts as active. */
.macro JUMP_IF_HANDLERS_ACTIVE target
    ldr x10, [x9, #CO__THREAD_HANDLERS]
    cbz x10, \target
    ldr x11, [x10, #CO__HANDLERS_CAUGHT]
    ldr w12, [x10, #CO__HANDLERS_UNCAUGHT]
    orr x11, x11, x12
    cbnz x11, \target
.endm

#ifndef CO__MACROS_ONLY

/* int co_resume(co_t *co, void *in, void **out) */
FUNCTION co_resume
    .cfi_startproc
    FUNCTION_ENTRY
    cbz x0, 1f
    ldr x4, [x0, #CO__OWN_PC]                           /* a load first: see co.h */
    cbz x4, 1f
    THREAD_WORDS
    JUMP_IF_HANDLERS_ACTIVE 1f
    SAVE_CALLEE_SAVED
    ldr x2, [x9, #CO__THREAD_CURRENT]                   /* x2: the resumer's handle */
    str x0, [x9, #CO__THREAD_CURRENT]
    adr x5, 2f
    mov x6, sp
    stp x6, x29, [x0, #CO__RESUMER_SP]
    stp x5, x19, [x0, #CO__RESUMER_PC]
    ldr x6, [x0, #CO__OWN_SP]
    str xzr, [x0, #CO__OWN_PC]
    mov sp, x6
    .cfi_endproc

    .cfi_startproc
    CFI_ALREADY_THERE
    .cfi_register x30, x4
    .cfi_escape 0x10, 29, 2, 0x70, CO__OWN_FP           /* x29 at [x0 + 8]: DW_CFA_expression, DW_OP_breg0 */
    .cfi_escape 0x10, 19, 2, 0x70, CO__OWN_BASE         /* x19 at [x0 + 24] */
    ldr x29, [x0, #CO__OWN_FP]
    .cfi_same_value x29
    ldr x19, [x0, #CO__OWN_BASE]
    .cfi_same_value x19
    str x2, [x0, #CO__OWN_BASE]
    br x4
    .cfi_endproc

    .cfi_startproc
1:  b co__resume_slow
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
2:  LANDING                                             /* x0, x1, x2, w3 as above */
    THREAD_WORDS
    str x2, [x9, #CO__THREAD_CURRENT]
    mov w0, w3
    ldr x2, [sp, #88]
    mov w4, #CO__NOT_STARTED
    cmp w3, w4
    b.eq 8f
    cbz x2, 3f
    str x1, [x2]
3:  RESTORE_CALLEE_SAVED_AND_RETURN
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
8:  mov w0, #-CO__EINVAL                                /* *out stays as it is */
    b 3b
    .cfi_endproc
    .size co_resume, . - co_resume

/* void *co_yield(void *value) */
FUNCTION co_yield
    .cfi_startproc
    FUNCTION_ENTRY
    THREAD_WORDS
    mov x1, x0
    ldr x0, [x9, #CO__THREAD_CURRENT]
    cbnz x0, 4f
    b co__yield_refused
    .cfi_endproc
    .size co_yield, . - co_yield

    .cfi_startproc
7:  b co__yield_handling
    .cfi_endproc

/* void *co_yield_from(co_t *self, void *value) */
FUNCTION co_yield_from
    .cfi_startproc
    FUNCTION_ENTRY
    THREAD_WORDS
4:  JUMP_IF_HANDLERS_ACTIVE 7b
    SAVE_CALLEE_SAVED
    adr x4, 5f
    ldr x2, [x0, #CO__OWN_BASE]
    mov x6, sp
    stp x6, x29, [x0, #CO__OWN_SP]
    stp x4, x19, [x0, #CO__OWN_PC]
    ldr x6, [x0, #CO__RESUMER_SP]
    mov w3, #1                                          /* CO_YIELDED */
    mov sp, x6
    .cfi_endproc

    .cfi_startproc
    GO_ON_IN_RESUMER
    .cfi_endproc

    .cfi_startproc
    CFI_AT_LANDING
6:  LANDING                                             /* co_close comes here: a real call, at which the unwinder */
    bl co__unwind                                       /* finds the caller of co_yield */
    .4byte 6b - 5f
5:  LANDING                                             /* x0, x1 as above */
    mov x0, x1
    RESTORE_CALLEE_SAVED_AND_RETURN
    .cfi_endproc
    .size co_yield_from, . - co_yield_from

/* The frame in which the body is called. The pc: in resumer.pc, or, while yields are refused, in the word that keeps it,
 * 64 bytes above: if that word is not 0, 64 is added. Only operations that Valgrind knows: breg; deref, lit0, ne, lit6,
 * shl; breg; plus. What else a landing finds is known only when it is reached. */
.macro CFI_ENTRY
    .cfi_signal_frame
    .cfi_personality 0x1b, co__personality
    .cfi_escape 0x0f, 3, 0x8f, CO__RESUMER_SP, 0x06     /* CFA = [sp + 32]: DW_CFA_def_cfa_expression, breg31, deref */
    .cfi_escape 0x10, 30, 11, 0x8f, CO__SLEB128(CO__TRUE_RESUMER_PC), 0x06, 0x30, 0x2e, 0x36, 0x24
    .cfi_escape 0x8f, CO__RESUMER_PC, 0x22
    .cfi_escape 0x10, 29, 2, 0x8f, CO__RESUMER_FP       /* x29 at [sp + 40] */
    .cfi_escape 0x10, 19, 2, 0x8f, CO__RESUMER_BASE     /* x19 at [sp + 56] */
    .cfi_escape 0x16, 0, 2, 0x8f, 0                     /* x0 is the block: DW_CFA_val_expression, sp */
    .irp register, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18
    .cfi_undefined \register
    .endr
    .irp register, x20, x21, x22, x23, x24, x25, x26, x27, x28, d8, d9, d10, d11, d12, d13, d14, d15
    .cfi_undefined \register
    .endr
.endm

/* Where a fresh coroutine starts: sp and x0 are its block, x1 should be NULL. The frame record and the call-frame
 * information continue into the resumer, whose four words are in the block while the coroutine runs: a backtrace walks
 * from the body into whoever resumed it. It is marked as a signal frame since debuggers refuse an ordinary frame whose
 * caller lies lower in memory.
 *
 * A body that returns, and has neither failed nor deferred, leaves from here. */
    .hidden co__entry
FUNCTION co__entry
    .cfi_startproc
    CFI_ENTRY
    LANDING
    cbnz x1, 2f
    add x29, x0, #CO__RESUMER_FP
    ldp x1, x0, [x0, #CO__FN]                           /* x1: fn, x0: arg */
    blr x1
    mov x1, x0
    mov x0, sp
    ldr x4, [x0, #CO__DEFERRED]
    ldr w5, [x0, #CO__FAILURE]
    orr x4, x4, x5
    cbnz x4, 1f
    mov w3, #0                                          /* CO_RETURNED */
    mov w4, #CO__ENDED
    strb w4, [x0, #CO__LIFE]
3:  ldr x2, [x0, #CO__OWN_BASE]
    ldr x6, [x0, #CO__RESUMER_SP]
    mov sp, x6
    .cfi_endproc
    .cfi_startproc
    GO_ON_IN_RESUMER
    .cfi_endproc

    .cfi_startproc
    CFI_ENTRY
1:  mov x0, sp
    bl co__finish                                       /* x0: the value, x1: the status */
    mov w3, w1
    mov x1, x0
    mov x0, sp
    b 3b
2:  adr x4, co__entry                                   /* a value, and no yield that would receive it */
    str x4, [x0, #CO__OWN_PC]
    mov w3, #CO__NOT_STARTED
    b 3b
    .cfi_endproc
    .size co__entry, . - co__entry

/* void co__leave(co_t *co, void *value, long status): never returns. own.pc stays NULL. */
    .hidden co__leave
FUNCTION co__leave
    .cfi_startproc
    FUNCTION_ENTRY
    mov x3, x2
    ldr x2, [x0, #CO__OWN_BASE]
    ldr x6, [x0, #CO__RESUMER_SP]
    mov sp, x6
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
    .cfi_escape 0x0f, 3, 0x8f, 0, 0x06                  /* CFA = [sp] */
    .cfi_escape 0x10, 29, 2, 0x8f, 8                    /* x29 at [sp + 8] */
    .cfi_escape 0x10, 30, 2, 0x8f, 16                   /* the pc at [sp + 16] */
    .cfi_escape 0x10, 19, 2, 0x8f, 24                   /* x19 at [sp + 24] */
    LANDING
    bl co__unwind
    brk #0                                              /* a return address belongs to its function */
    .cfi_endproc
    .size co__closing, . - co__closing

/* Where resumer.pc points while yields are refused. A yield has just saved its four words in `own` and loaded the
 * resumer's; this undoes it, and the yield returns NULL. x0, x2 as above. */
    .hidden co__refusal
FUNCTION co__refusal
    .cfi_startproc
    .cfi_signal_frame                                   /* the caller is the yield */
    .cfi_escape 0x0f, 3, 0x70, CO__OWN_SP, 0x06         /* CFA = [x0] */
    .cfi_escape 0x10, 29, 2, 0x70, CO__OWN_FP
    .cfi_escape 0x10, 19, 2, 0x70, CO__OWN_BASE
    .cfi_escape 0x10, 30, 2, 0x70, CO__OWN_PC
    LANDING
    mov w1, #1                                          /* EPERM; and true */
    stp w1, w1, [x0, #CO__ERROR]                        /* error, refused */
    ldp x6, x29, [x0, #CO__OWN_SP]
    .cfi_same_value x29
    ldp x5, x19, [x0, #CO__OWN_PC]
    .cfi_same_value x19
    .cfi_register x30, x5
    stp xzr, x2, [x0, #CO__OWN_PC]
    mov sp, x6
    mov x1, #0
    br x5
    .cfi_endproc
    .size co__refusal, . - co__refusal

/* void co__fpenv_save(uint32_t fpenv[2]): FPCR in the first word. */
    .hidden co__fpenv_save
FUNCTION co__fpenv_save
    .cfi_startproc
    FUNCTION_ENTRY
    mrs x1, fpcr
    str w1, [x0]
    ret
    .cfi_endproc
    .size co__fpenv_save, . - co__fpenv_save

/* void co__fpenv_swap(uint32_t fpenv[2]) */
    .hidden co__fpenv_swap
FUNCTION co__fpenv_swap
    .cfi_startproc
    FUNCTION_ENTRY
    mrs x1, fpcr
    ldr w2, [x0]
    msr fpcr, x2
    str w1, [x0]
    ret
    .cfi_endproc
    .size co__fpenv_swap, . - co__fpenv_swap

/* uintptr_t co__valgrind(uintptr_t otherwise, const uintptr_t request[6]): rotations that leave x12 as it was, and an
 * `orr` that does nothing, by which Valgrind knows a request (valgrind.h: arguments at x4, x3 becomes the answer).
 * Without Valgrind x3 stays `otherwise`. */
    .hidden co__valgrind
FUNCTION co__valgrind
    .cfi_startproc
    FUNCTION_ENTRY
    mov x3, x0
    mov x4, x1
    ror x12, x12, #3
    ror x12, x12, #13
    ror x12, x12, #51
    ror x12, x12, #61
    orr x10, x10, x10
    mov x0, x3
    ret
    .cfi_endproc
    .size co__valgrind, . - co__valgrind

/* void co__call_guarded(void (*fn)(void *), void *arg): fn(arg), through a frame that no exception passes. */
    .hidden co__call_guarded
FUNCTION co__call_guarded
    .cfi_startproc
    .cfi_personality 0x1b, co__personality
    FUNCTION_ENTRY
    stp x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    .cfi_offset x29, -16
    .cfi_offset x30, -8
    mov x29, sp
    mov x2, x0
    mov x0, x1
    blr x2
    ldp x29, x30, [sp], #16
    .cfi_def_cfa_offset 0
    .cfi_restore x29
    .cfi_restore x30
    ret
    .cfi_endproc
    .size co__call_guarded, . - co__call_guarded

/* int co_defer(void (*fn)(void *), void *arg): adds the stack pointer of its caller, by which co_close tells frames
 * apart. */
FUNCTION co_defer
    .cfi_startproc
    FUNCTION_ENTRY
    mov x2, sp
    b co__defer
    .cfi_endproc
    .size co_defer, . - co_defer

/* void co__defer_in_place(struct co__deferred *call, void (*fn)(void *), void *arg): likewise. */
FUNCTION co__defer_in_place
    .cfi_startproc
    FUNCTION_ENTRY
    mov x3, sp
    b co__defer_at
    .cfi_endproc
    .size co__defer_in_place, . - co__defer_in_place

#endif /* CO__MACROS_ONLY */

#if defined(__ARM_FEATURE_BTI_DEFAULT)
/* "ELF for the Arm 64-bit Architecture", program property FEATURE_1_AND: branch targets are marked (bit 0). */
    .section .note.gnu.property, "a"
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000000, 4, 1, 0
#endif
