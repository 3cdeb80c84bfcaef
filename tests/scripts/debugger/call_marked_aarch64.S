/* long call_marked(const long marks[19], void *function, void *a, void *b, void *c)
 *
 * Calls function(a, b, c) with every callee-saved register holding a word of `marks`, in the order of single_step.py, so
 * that a debugger can tell whether each of them is found again in this frame. */
    .text
    .globl call_marked
    .type call_marked, %function

.macro PAIR first, second, at
    .ifc \at, 0
    stp \first, \second, [sp, #-160]!
    .cfi_adjust_cfa_offset 160
    .else
    stp \first, \second, [sp, #\at]
    .endif
    .cfi_rel_offset \first, \at
    .cfi_rel_offset \second, \at + 8
.endm
.macro UNPAIR first, second, at
    .ifc \at, 0
    ldp \first, \second, [sp], #160
    .cfi_adjust_cfa_offset -160
    .else
    ldp \first, \second, [sp, #\at]
    .endif
    .cfi_restore \first
    .cfi_restore \second
.endm

call_marked:
    .cfi_startproc
    PAIR x29, x30, 0
    PAIR x19, x20, 16
    PAIR x21, x22, 32
    PAIR x23, x24, 48
    PAIR x25, x26, 64
    PAIR x27, x28, 80
    PAIR d8, d9, 96
    PAIR d10, d11, 112
    PAIR d12, d13, 128
    PAIR d14, d15, 144
    ldr x29, [x0]
    ldp x19, x20, [x0, #8]
    ldp x21, x22, [x0, #24]
    ldp x23, x24, [x0, #40]
    ldp x25, x26, [x0, #56]
    ldp x27, x28, [x0, #72]
    ldp d8, d9, [x0, #88]
    ldp d10, d11, [x0, #104]
    ldp d12, d13, [x0, #120]
    ldp d14, d15, [x0, #136]
    mov x5, x1
    mov x0, x2
    mov x1, x3
    mov x2, x4
    blr x5
    UNPAIR d14, d15, 144
    UNPAIR d12, d13, 128
    UNPAIR d10, d11, 112
    UNPAIR d8, d9, 96
    UNPAIR x27, x28, 80
    UNPAIR x25, x26, 64
    UNPAIR x23, x24, 48
    UNPAIR x21, x22, 32
    UNPAIR x19, x20, 16
    UNPAIR x29, x30, 0
    ret
    .cfi_endproc
    .size call_marked, . - call_marked
    .section .note.GNU-stack, "", %progbits
