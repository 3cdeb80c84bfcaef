/* What the tests need in assembly for AArch64: registers.h tells what each function does.
 *
 * AAPCS64, section 6.1.1: x19-x28, the frame pointer x29 and sp are callee-saved; 6.1.2: of v8-v15 the low 64 bits, and the
 * mode bits of FPCR. Arguments are in x0-x5 (6.8.2).
 *
 * The words of struct registers:
 *
 *     +0    sp       +8 ... +80   x19 ... x28      +88  x29
 *     +96 ... +152   d8 ... d15   +160  FPCR       +168 ... +192  four words of the caller's stack, right above the call */

    .text

/* hint 34 is `bti c`, which every processor takes for a nop if it does not know it. */
.macro FUNCTION name
    .globl \name
    .type \name, %function
    .p2align 4
\name:
    .cfi_startproc
    hint 34
.endm

/* uintptr_t registers_around(before, after, function, a, b, c)
 *
 *         +208  after, the caller's FPCR
 *         +192  x29, x30
 *         +176  d14, d15
 *         +160  d12, d13
 *         +144  d10, d11
 *         +128  d8, d9
 *         +112  x27, x28
 *         +96   x25, x26
 *         +80   x23, x24
 *         +64   x21, x22
 *         +48   x19, x20
 *         +32   -
 *     sp  +0    four words that must survive the call */
FUNCTION registers_around
    sub sp, sp, #224
    .cfi_def_cfa_offset 224
    stp x19, x20, [sp, #48]
    .cfi_rel_offset x19, 48
    .cfi_rel_offset x20, 56
    stp x21, x22, [sp, #64]
    .cfi_rel_offset x21, 64
    .cfi_rel_offset x22, 72
    stp x23, x24, [sp, #80]
    .cfi_rel_offset x23, 80
    .cfi_rel_offset x24, 88
    stp x25, x26, [sp, #96]
    .cfi_rel_offset x25, 96
    .cfi_rel_offset x26, 104
    stp x27, x28, [sp, #112]
    .cfi_rel_offset x27, 112
    .cfi_rel_offset x28, 120
    stp d8, d9, [sp, #128]
    .cfi_rel_offset d8, 128
    .cfi_rel_offset d9, 136
    stp d10, d11, [sp, #144]
    .cfi_rel_offset d10, 144
    .cfi_rel_offset d11, 152
    stp d12, d13, [sp, #160]
    .cfi_rel_offset d12, 160
    .cfi_rel_offset d13, 168
    stp d14, d15, [sp, #176]
    .cfi_rel_offset d14, 176
    .cfi_rel_offset d15, 184
    stp x29, x30, [sp, #192]
    .cfi_rel_offset x29, 192
    .cfi_rel_offset x30, 200
    mrs x9, fpcr
    stp x1, x9, [sp, #208]

    ldp x9, x10, [x0, #168]
    stp x9, x10, [sp]
    ldp x9, x10, [x0, #184]
    stp x9, x10, [sp, #16]
    mov x9, sp
    str x9, [x0]
    ldp x19, x20, [x0, #8]
    ldp x21, x22, [x0, #24]
    ldp x23, x24, [x0, #40]
    ldp x25, x26, [x0, #56]
    ldp x27, x28, [x0, #72]
    ldr x29, [x0, #88]
    ldp d8, d9, [x0, #96]
    ldp d10, d11, [x0, #112]
    ldp d12, d13, [x0, #128]
    ldp d14, d15, [x0, #144]
    ldr x9, [x0, #160]
    msr fpcr, x9

    mov x9, x2
    mov x0, x3
    mov x1, x4
    mov x2, x5
    blr x9

    ldp x1, x9, [sp, #208]                              /* x0 stays: the function's result */
    mov x10, sp
    str x10, [x1]
    stp x19, x20, [x1, #8]
    stp x21, x22, [x1, #24]
    stp x23, x24, [x1, #40]
    stp x25, x26, [x1, #56]
    stp x27, x28, [x1, #72]
    str x29, [x1, #88]
    stp d8, d9, [x1, #96]
    stp d10, d11, [x1, #112]
    stp d12, d13, [x1, #128]
    stp d14, d15, [x1, #144]
    mrs x10, fpcr
    str x10, [x1, #160]
    msr fpcr, x9
    ldp x9, x10, [sp]
    stp x9, x10, [x1, #168]
    ldp x9, x10, [sp, #16]
    stp x9, x10, [x1, #184]

    ldp x29, x30, [sp, #192]
    .cfi_restore x29
    .cfi_restore x30
    ldp d14, d15, [sp, #176]
    .cfi_restore d14
    .cfi_restore d15
    ldp d12, d13, [sp, #160]
    .cfi_restore d12
    .cfi_restore d13
    ldp d10, d11, [sp, #144]
    .cfi_restore d10
    .cfi_restore d11
    ldp d8, d9, [sp, #128]
    .cfi_restore d8
    .cfi_restore d9
    ldp x27, x28, [sp, #112]
    .cfi_restore x27
    .cfi_restore x28
    ldp x25, x26, [sp, #96]
    .cfi_restore x25
    .cfi_restore x26
    ldp x23, x24, [sp, #80]
    .cfi_restore x23
    .cfi_restore x24
    ldp x21, x22, [sp, #64]
    .cfi_restore x21
    .cfi_restore x22
    ldp x19, x20, [sp, #48]
    .cfi_restore x19
    .cfi_restore x20
    add sp, sp, #224
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size registers_around, . - registers_around

/* void registers_load_control(const struct registers *from) */
FUNCTION registers_load_control
    ldr x9, [x0, #160]
    msr fpcr, x9
    ret
    .cfi_endproc
    .size registers_load_control, . - registers_load_control

/* void registers_store_control(struct registers *to) */
FUNCTION registers_store_control
    mrs x9, fpcr
    str x9, [x0, #160]
    ret
    .cfi_endproc
    .size registers_store_control, . - registers_store_control

/* void registers_scribble(void) */
FUNCTION registers_scribble
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
    mov x\n, #-1
.endr
#if defined(__ARM_FEATURE_SVE)
    stp d8, d9, [sp, #-64]!
    .cfi_adjust_cfa_offset 64
    stp d10, d11, [sp, #16]
    stp d12, d13, [sp, #32]
    stp d14, d15, [sp, #48]
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    mov z\n\().d, #-1
.endr
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    ptrue p\n\().b
.endr
    setffr
    ldp d14, d15, [sp, #48]                             /* the upper parts become zero */
    ldp d12, d13, [sp, #32]
    ldp d10, d11, [sp, #16]
    ldp d8, d9, [sp], #64
    .cfi_adjust_cfa_offset -64
#else
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    movi v\n\().2d, #-1
.endr
.irp n, 8, 9, 10, 11, 12, 13, 14, 15                    /* of these only the lower half is kept */
    ins v\n\().d[1], xzr
.endr
#endif
    ret
    .cfi_endproc
    .size registers_scribble, . - registers_scribble

/* void *stack_pointer_at_call(void *arg) */
FUNCTION stack_pointer_at_call
    mov x9, sp
    str x9, [x0]
    mov x0, x9
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
    .type registers_rows, %object
    .balign 8
registers_rows:
    ROW sp, -1, 0, 1
    ROW x19, -1, 0, 0
    ROW x20, -1, 0, 0
    ROW x21, -1, 0, 0
    ROW x22, -1, 0, 0
    ROW x23, -1, 0, 0
    ROW x24, -1, 0, 0
    ROW x25, -1, 0, 0
    ROW x26, -1, 0, 0
    ROW x27, -1, 0, 0
    ROW x28, -1, 0, 0
    ROW x29, -1, 0, 0
    ROW d8, -1, 0, 0
    ROW d9, -1, 0, 0
    ROW d10, -1, 0, 0
    ROW d11, -1, 0, 0
    ROW d12, -1, 0, 0
    ROW d13, -1, 0, 0
    ROW d14, -1, 0, 0
    ROW d15, -1, 0, 0
    ROW FPCR, 0x07c00000, 0, 2                          /* AHP, DN, FZ, the rounding mode */
    ROW stack0, -1, 0, 0
    ROW stack1, -1, 0, 0
    ROW stack2, -1, 0, 0
    ROW stack3, -1, 0, 0
    .size registers_rows, . - registers_rows

    .globl registers_count
    .type registers_count, %object
registers_count:
    .quad (. - registers_rows) / 32
    .size registers_count, 8

#if defined(__ARM_FEATURE_BTI_DEFAULT)
/* "ELF for the Arm 64-bit Architecture", program property FEATURE_1_AND: branch targets are marked (bit 0). */
    .section .note.gnu.property, "a"
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000000, 4, 1, 0
#endif
    .section .note.GNU-stack, "", %progbits
