/* long call_marked(const long marks[24], void *function, void *a, void *b, void *c)
 *
 * Calls function(a, b, c) with every callee-saved register holding a word of `marks`, in the order of single_step.py, so
 * that a debugger can tell whether each of them is found again in this frame. */
    .text
    .globl call_marked
    .type call_marked, @function

.macro EACH_WORD do
    \do s0, 0
    \do s1, 1
    \do s2, 2
    \do s3, 3
    \do s4, 4
    \do s5, 5
    \do s6, 6
    \do s7, 7
    \do s8, 8
    \do s9, 9
    \do s10, 10
    \do s11, 11
.endm
.macro EACH_FLOAT do
    \do fs0, 12
    \do fs1, 13
    \do fs2, 14
    \do fs3, 15
    \do fs4, 16
    \do fs5, 17
    \do fs6, 18
    \do fs7, 19
    \do fs8, 20
    \do fs9, 21
    \do fs10, 22
    \do fs11, 23
.endm
.macro SAVE register, index
    sd \register, 8 * \index(sp)
    .cfi_rel_offset \register, 8 * \index
.endm
.macro RESTORE register, index
    ld \register, 8 * \index(sp)
    .cfi_restore \register
.endm
.macro MARK register, index
    ld \register, 8 * \index(a0)
.endm
.macro SAVE_FLOAT register, index
    fsd \register, 8 * \index(sp)
    .cfi_rel_offset \register, 8 * \index
.endm
.macro RESTORE_FLOAT register, index
    fld \register, 8 * \index(sp)
    .cfi_restore \register
.endm
.macro MARK_FLOAT register, index
    fld \register, 8 * \index(a0)
.endm

call_marked:
    .cfi_startproc
    addi sp, sp, -208
    .cfi_adjust_cfa_offset 208
    SAVE ra, 24
    EACH_WORD SAVE
    EACH_FLOAT SAVE_FLOAT
    EACH_WORD MARK
    EACH_FLOAT MARK_FLOAT
    mv t0, a1
    mv a0, a2
    mv a1, a3
    mv a2, a4
    jalr t0
    EACH_WORD RESTORE
    EACH_FLOAT RESTORE_FLOAT
    RESTORE ra, 24
    addi sp, sp, 208
    .cfi_adjust_cfa_offset -208
    ret
    .cfi_endproc
    .size call_marked, . - call_marked
    .section .note.GNU-stack, "", @progbits
