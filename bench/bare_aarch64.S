/* The bare out-of-line switch for AArch64 (AAPCS64): what the ABI makes a called function keep, and no more.
 *
 * Suspended stack, high addresses on top:
 *      d8 ... d15
 *      x29 x30 (frame record; x30 is where it goes on)
 *      x19 ... x28                     <- saved stack pointer
 * It leaves by `br`, not by `ret`, which the return predictor would always miss. FPCR is not kept. */
#if defined(__aarch64__)
        .text

/* void *bare_switch(void **save [x0], void *enter [x1], void *value [x2]) */
        .globl  bare_switch
        .hidden bare_switch
        .type   bare_switch, %function
        .p2align 6
bare_switch:
        sub     sp, sp, #160
        stp     x19, x20, [sp, #0]
        stp     x21, x22, [sp, #16]
        stp     x23, x24, [sp, #32]
        stp     x25, x26, [sp, #48]
        stp     x27, x28, [sp, #64]
        stp     x29, x30, [sp, #80]
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mov     x3, sp
        str     x3, [x0]
        mov     sp, x1
        mov     x0, x2
        ldp     d14, d15, [sp, #144]
        ldp     d12, d13, [sp, #128]
        ldp     d10, d11, [sp, #112]
        ldp     d8, d9, [sp, #96]
        ldp     x29, x30, [sp, #80]
        ldp     x27, x28, [sp, #64]
        ldp     x25, x26, [sp, #48]
        ldp     x23, x24, [sp, #32]
        ldp     x21, x22, [sp, #16]
        ldp     x19, x20, [sp, #0]
        add     sp, sp, #160
        br      x30
        .size   bare_switch, . - bare_switch

/* void *bare_fresh(void *top [x0], void (*entry)(void *) [x1], void *argument [x2])
 * `top` is aligned to 16 bytes. Returns the stack pointer of a suspended stack that goes on at bare_start with
 * entry in x19 and argument in x20. */
        .globl  bare_fresh
        .hidden bare_fresh
        .type   bare_fresh, %function
bare_fresh:
        sub     x0, x0, #160
        adr     x3, bare_start
        stp     x1, x2, [x0, #0]
        stp     xzr, x3, [x0, #80]
        ret
        .size   bare_fresh, . - bare_fresh

        .type   bare_start, %function
bare_start:
        mov     x0, x20
        blr     x19
        brk     #0
        .size   bare_start, . - bare_start
#endif

        .section .note.GNU-stack, "", %progbits
