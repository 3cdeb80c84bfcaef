/* The bare out-of-line switch for RV64 (psABI): what the ABI makes a called function keep, and no more.
 *
 * Suspended stack, high addresses on top:
 *      fs0 ... fs11, where the ABI passes floating point in registers
 *      ra s0 ... s11                   <- saved stack pointer
 * It leaves through t1: `jr ra` and `jr t0` are hints to the return predictor, which would always miss. */
#if defined(__riscv) && __riscv_xlen == 64

#if defined(__riscv_float_abi_double)
#define FLOATS          12
#define FSTORE(r, i)    fsd r, (104 + 8 * i)(sp)
#define FLOAD(r, i)     fld r, (104 + 8 * i)(sp)
#elif defined(__riscv_float_abi_single)
#define FLOATS          12
#define FSTORE(r, i)    fsw r, (104 + 8 * i)(sp)
#define FLOAD(r, i)     flw r, (104 + 8 * i)(sp)
#else
#define FLOATS          0
#define FSTORE(r, i)
#define FLOAD(r, i)
#endif
#define FRAME           ((104 + 8 * FLOATS + 15) / 16 * 16)

        .text

/* void *bare_switch(void **save [a0], void *enter [a1], void *value [a2]) */
        .globl  bare_switch
        .hidden bare_switch
        .type   bare_switch, @function
        .p2align 6
bare_switch:
        addi    sp, sp, -FRAME
        sd      ra, 0(sp)
        sd      s0, 8(sp)
        sd      s1, 16(sp)
        sd      s2, 24(sp)
        sd      s3, 32(sp)
        sd      s4, 40(sp)
        sd      s5, 48(sp)
        sd      s6, 56(sp)
        sd      s7, 64(sp)
        sd      s8, 72(sp)
        sd      s9, 80(sp)
        sd      s10, 88(sp)
        sd      s11, 96(sp)
        FSTORE(fs0, 0)
        FSTORE(fs1, 1)
        FSTORE(fs2, 2)
        FSTORE(fs3, 3)
        FSTORE(fs4, 4)
        FSTORE(fs5, 5)
        FSTORE(fs6, 6)
        FSTORE(fs7, 7)
        FSTORE(fs8, 8)
        FSTORE(fs9, 9)
        FSTORE(fs10, 10)
        FSTORE(fs11, 11)
        sd      sp, 0(a0)
        mv      sp, a1
        mv      a0, a2
        FLOAD(fs11, 11)
        FLOAD(fs10, 10)
        FLOAD(fs9, 9)
        FLOAD(fs8, 8)
        FLOAD(fs7, 7)
        FLOAD(fs6, 6)
        FLOAD(fs5, 5)
        FLOAD(fs4, 4)
        FLOAD(fs3, 3)
        FLOAD(fs2, 2)
        FLOAD(fs1, 1)
        FLOAD(fs0, 0)
        ld      s11, 96(sp)
        ld      s10, 88(sp)
        ld      s9, 80(sp)
        ld      s8, 72(sp)
        ld      s7, 64(sp)
        ld      s6, 56(sp)
        ld      s5, 48(sp)
        ld      s4, 40(sp)
        ld      s3, 32(sp)
        ld      s2, 24(sp)
        ld      s1, 16(sp)
        ld      s0, 8(sp)
        ld      t1, 0(sp)
        addi    sp, sp, FRAME
        jr      t1
        .size   bare_switch, . - bare_switch

/* void *bare_fresh(void *top [a0], void (*entry)(void *) [a1], void *argument [a2])
 * `top` is aligned to 16 bytes. Returns the stack pointer of a suspended stack that goes on at bare_start with
 * entry in s0 and argument in s1. */
        .globl  bare_fresh
        .hidden bare_fresh
        .type   bare_fresh, @function
bare_fresh:
        addi    a0, a0, -FRAME
        lla     t1, bare_start
        sd      t1, 0(a0)
        sd      a1, 8(a0)
        sd      a2, 16(a0)
        ret
        .size   bare_fresh, . - bare_fresh

        .type   bare_start, @function
bare_start:
        mv      a0, s1
        jalr    s0
        ebreak
        .size   bare_start, . - bare_start
#endif

        .section .note.GNU-stack, "", @progbits
