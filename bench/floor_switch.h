/* The floor's switch: the inline switch and nothing else. No handle is checked, no "current" is kept, no status comes
 * back.
 *
 * Both contexts lie in one block, in one cache line, and one register holds the block's address on both sides. It is
 * an input of each asm and no output: whoever jumps here brings the same value in it, so the compiler need not spill
 * it. A context is four words: sp, fp, pc, base (fp and base are the registers a clobber list may not name). */
#ifndef BENCH_FLOOR_SWITCH_H
#define BENCH_FLOOR_SWITCH_H

#include "bench.h"

typedef struct context {
    void *sp, *fp, *pc, *base;
} context_t;

typedef struct block {
    context_t coroutine, resumer;
} block_t;

_Static_assert(sizeof(block_t) == BENCH_CACHE_LINE || sizeof(void *) != 8, "one block, one cache line");

#if defined(__x86_64__)
/* The block in rdi, the value in rsi; OWN and OTHER are the offsets of the context left and the one entered. */
#define FLOOR_SWITCH(block, value, OWN, OTHER)                                                                         \
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"                                                                       \
                     "movq %%rsp, " #OWN "+0(%%rdi)\n\t"                                                               \
                     "movq %%rbp, " #OWN "+8(%%rdi)\n\t"                                                               \
                     "movq %%rax, " #OWN "+16(%%rdi)\n\t"                                                              \
                     "movq %%rbx, " #OWN "+24(%%rdi)\n\t"                                                              \
                     "movq " #OTHER "+0(%%rdi), %%rsp\n\t"                                                             \
                     "movq " #OTHER "+8(%%rdi), %%rbp\n\t"                                                             \
                     "movq " #OTHER "+24(%%rdi), %%rbx\n\t"                                                            \
                     "jmpq *" #OTHER "+16(%%rdi)\n"                                                                    \
                     "1:"                                                                                              \
                     : "+S"(value)                                                                                     \
                     : "D"(block)                                                                                      \
                     : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc",      \
                       "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "xmm0", "xmm1", "xmm2",    \
                       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",     \
                       "xmm14", "xmm15")
/* The first jump lands here with block and value in the registers of a call's two arguments. */
__asm__(".text\n"
        "floor_start: call *%rbx\n"
        "ud2\n");
#elif defined(__aarch64__)
/* The block in x0, the value in x1. */
#define FLOOR_SWITCH(block_, value_, OWN, OTHER)                                                                       \
    do {                                                                                                               \
        register block_t *x0 __asm__("x0") = (block_);                                                                 \
        register void *x1 __asm__("x1") = (value_);                                                                    \
        __asm__ volatile("adr x3, 1f\n\t"                                                                              \
                         "mov x2, sp\n\t"                                                                              \
                         "stp x2, x29, [x0, " #OWN "+0]\n\t"                                                           \
                         "stp x3, x19, [x0, " #OWN "+16]\n\t"                                                          \
                         "ldp x2, x29, [x0, " #OTHER "+0]\n\t"                                                         \
                         "ldp x3, x19, [x0, " #OTHER "+16]\n\t"                                                        \
                         "mov sp, x2\n\t"                                                                              \
                         "br x3\n"                                                                                     \
                         "1:"                                                                                          \
                         : "+r"(x1)                                                                                    \
                         : "r"(x0)                                                                                     \
                         : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",   \
                           "x16", "x17", "x18", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30",  \
                           "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",   \
                           "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24",  \
                           "v25", "v26", "v27", "v28", "v29", "v30", "v31");                                           \
        (value_) = x1;                                                                                                 \
    } while (0)
__asm__(".text\n"
        "floor_start: blr x19\n"
        "brk #0\n");
#elif defined(__riscv) && __riscv_xlen == 64
/* The block in a0, the value in a1. */
#ifdef __riscv_flen
#define FLOOR_CLOBBERS_FP                                                                                              \
    , "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "ft8", "ft9", "ft10", "ft11", "fa0", "fa1", "fa2",       \
        "fa3", "fa4", "fa5", "fa6", "fa7", "fs0", "fs1", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7", "fs8", "fs9",       \
        "fs10", "fs11"
#else
#define FLOOR_CLOBBERS_FP
#endif
#define FLOOR_SWITCH(block_, value_, OWN, OTHER)                                                                       \
    do {                                                                                                               \
        register block_t *a0 __asm__("a0") = (block_);                                                                 \
        register void *a1 __asm__("a1") = (value_);                                                                    \
        __asm__ volatile("lla a2, 1f\n\t"                                                                              \
                         "sd sp, " #OWN "+0(a0)\n\t"                                                                   \
                         "sd s0, " #OWN "+8(a0)\n\t"                                                                   \
                         "sd a2, " #OWN "+16(a0)\n\t"                                                                  \
                         "sd s1, " #OWN "+24(a0)\n\t"                                                                  \
                         "ld a2, " #OTHER "+16(a0)\n\t"                                                                \
                         "ld sp, " #OTHER "+0(a0)\n\t"                                                                 \
                         "ld s0, " #OTHER "+8(a0)\n\t"                                                                 \
                         "ld s1, " #OTHER "+24(a0)\n\t"                                                                \
                         "jr a2\n"                                                                                     \
                         "1:"                                                                                          \
                         : "+r"(a1)                                                                                    \
                         : "r"(a0)                                                                                     \
                         : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a2", "a3", "a4", "a5", "a6", "a7", "s2",   \
                           "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "memory" FLOOR_CLOBBERS_FP);        \
        (value_) = a1;                                                                                                 \
    } while (0)
__asm__(".text\n"
        "floor_start: jalr s1\n"
        "ebreak\n");
#else
#error "The floor is written per architecture: add FLOOR_SWITCH and floor_start, or leave floor.c out of the build."
#endif

extern char floor_start[];

static inline __attribute__((always_inline)) void *floor_resume(block_t *block, void *value) {
    FLOOR_SWITCH(block, value, 32, 0);
    return value;
}

static inline __attribute__((always_inline)) void *floor_yield(block_t *block, void *value) {
    FLOOR_SWITCH(block, value, 0, 32);
    return value;
}

/* Made ready to be resumed: it will call body(block, value) on a stack that ends where the block begins. */
static inline void floor_fresh(block_t *block, void (*body)(block_t *, void *)) {
    block->coroutine = (context_t){.sp = block, .pc = floor_start, .base = (void *)(uintptr_t)body};
}

#endif
