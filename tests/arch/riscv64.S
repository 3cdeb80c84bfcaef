/* What the tests need in assembly for RV64: registers.h tells what each function does.
 *
 * RISC-V ELF psABI, "Register Convention": s0-s11 and sp are callee-saved; fs0-fs11 as wide as the ABI passes floats, which is
 * 64 bits in lp64d, 32 in lp64f, none in lp64. gp and tp are never written. The rounding mode frm belongs to the thread, and a
 * function leaves it as it was. Arguments are in a0-a5.
 *
 * The words of struct registers, without gaps: sp, gp, tp; s0 ... s11; four words of the caller's stack, right above the call;
 * frm, where there is hardware for floats; fs0 ... fs11, where the ABI keeps them. */

#define STACK_WORDS_AT 120
#define FRM_AT 152
#define FLOATS_AT 160

#if defined(__riscv_float_abi_double)
#define KEEPS_FLOATS 1
#define SAVE_FLOAT fsd
#define LOAD_FLOAT fld
#define FLOAT_MASK -1
#elif defined(__riscv_float_abi_single)
#define KEEPS_FLOATS 1
#define SAVE_FLOAT fsw
#define LOAD_FLOAT flw
#define FLOAT_MASK 0xffffffff
#else
#define KEEPS_FLOATS 0
#endif

    .text

.macro FUNCTION name
    .globl \name
    .type \name, @function
    .p2align 2
\name:
.endm

/* uintptr_t registers_around(before, after, function, a, b, c)
 *
 *         +160  fs0 ... fs11
 *         +64   s0 ... s11
 *         +56   ra
 *         +48   the caller's frm
 *         +40   after
 *         +32   -
 *     sp  +0    four words that must survive the call */
FUNCTION registers_around
    .cfi_startproc
    addi sp, sp, -256
    .cfi_def_cfa_offset 256
    sd ra, 56(sp)
    .cfi_rel_offset ra, 56
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd s\n, 64 + 8 * \n(sp)
    .cfi_rel_offset s\n, 64 + 8 * \n
.endr
#if KEEPS_FLOATS
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    SAVE_FLOAT fs\n, 160 + 8 * \n(sp)
    .cfi_rel_offset fs\n, 160 + 8 * \n
.endr
#endif
    sd a1, 40(sp)

.irp n, 0, 1, 2, 3
    ld t0, STACK_WORDS_AT + 8 * \n(a0)
    sd t0, 8 * \n(sp)
.endr
#if defined(__riscv_flen)
    ld t0, FRM_AT(a0)
    fsrm t1, t0
    sd t1, 48(sp)
#endif
    sd sp, 0(a0)
    sd gp, 8(a0)
    sd tp, 16(a0)
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld s\n, 24 + 8 * \n(a0)
.endr
#if KEEPS_FLOATS
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    LOAD_FLOAT fs\n, FLOATS_AT + 8 * \n(a0)
.endr
#endif

    mv t0, a2
    mv a0, a3
    mv a1, a4
    mv a2, a5
    jalr t0

    ld a1, 40(sp)                                       /* a0 stays: the function's result */
    sd sp, 0(a1)
    sd gp, 8(a1)
    sd tp, 16(a1)
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd s\n, 24 + 8 * \n(a1)
.endr
.irp n, 0, 1, 2, 3
    ld t0, 8 * \n(sp)
    sd t0, STACK_WORDS_AT + 8 * \n(a1)
.endr
#if defined(__riscv_flen)
    ld t0, 48(sp)
    fsrm t1, t0
    sd t1, FRM_AT(a1)
#endif
#if KEEPS_FLOATS
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd zero, FLOATS_AT + 8 * \n(a1)
    SAVE_FLOAT fs\n, FLOATS_AT + 8 * \n(a1)
.endr

.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    LOAD_FLOAT fs\n, 160 + 8 * \n(sp)
    .cfi_restore fs\n
.endr
#endif
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ld s\n, 64 + 8 * \n(sp)
    .cfi_restore s\n
.endr
    ld ra, 56(sp)
    .cfi_restore ra
    addi sp, sp, 256
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size registers_around, . - registers_around

/* void registers_load_control(const struct registers *from) */
FUNCTION registers_load_control
    .cfi_startproc
#if defined(__riscv_flen)
    ld t0, FRM_AT(a0)
    fsrm t0
#endif
    ret
    .cfi_endproc
    .size registers_load_control, . - registers_load_control

/* void registers_store_control(struct registers *to) */
FUNCTION registers_store_control
    .cfi_startproc
#if defined(__riscv_flen)
    frrm t0
    sd t0, FRM_AT(a0)
#endif
    ret
    .cfi_endproc
    .size registers_store_control, . - registers_store_control

/* void registers_scribble(void) */
FUNCTION registers_scribble
    .cfi_startproc
.irp r, t0, t1, t2, t3, t4, t5, t6, a0, a1, a2, a3, a4, a5, a6, a7
    li \r, -1
.endr
#if defined(__riscv_flen)
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    fmv.w.x ft\n, zero
.endr
.irp n, 0, 1, 2, 3, 4, 5, 6, 7
    fmv.w.x fa\n, zero
.endr
#if !KEEPS_FLOATS
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    fmv.w.x fs\n, zero
.endr
#endif
#endif
#if defined(__riscv_vector)
    vsetvli t0, zero, e8, m8, ta, ma
    vmv.v.i v0, -1
    vmv.v.i v8, -1
    vmv.v.i v16, -1
    vmv.v.i v24, -1
    vsetivli t0, 1, e8, mf8, ta, ma                     /* vl and vtype are temporaries too */
#endif
    ret
    .cfi_endproc
    .size registers_scribble, . - registers_scribble

/* void *stack_pointer_at_call(void *arg) */
FUNCTION stack_pointer_at_call
    .cfi_startproc
    sd sp, 0(a0)
    mv a0, sp
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
    .type registers_rows, @object
    .balign 8
registers_rows:
    ROW sp, -1, 0, 1
    ROW gp, -1, 0, 1
    ROW tp, -1, 0, 1
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ROW s\n, -1, 0, 0
.endr
.irp n, 0, 1, 2, 3
    ROW stack\n, -1, 0, 0
.endr
#if defined(__riscv_flen)
    ROW frm, 3, 0, 2                                    /* 4 is a rounding mode too; 5 to 7 are none */
#endif
#if KEEPS_FLOATS
.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    ROW fs\n, FLOAT_MASK, 0, 0
.endr
#endif
    .size registers_rows, . - registers_rows

    .globl registers_count
    .type registers_count, @object
registers_count:
    .quad (. - registers_rows) / 32
    .size registers_count, 8

    .section .note.GNU-stack, "", @progbits
