/* The one place that tells architectures apart. A new one adds its four files (src/arch/README.md says what they
 * hold) and one rung here. C code includes CO__ARCH_INLINE, src/arch/select.S CO__ARCH_OUT_OF_LINE and CO__ARCH_SCHED,
 * and src/overflow.c CO__ARCH_SIGNAL_CONTEXT. */
#ifndef CO_ARCH_SELECT_H
#define CO_ARCH_SELECT_H

#if defined(__x86_64__) && !defined(__ILP32__) && !defined(_WIN32)
#define CO__ARCH_INLINE "co/arch/x86_64.h"
#define CO__ARCH_OUT_OF_LINE "x86_64.S"
#define CO__ARCH_SCHED "x86_64_sched.S"
#define CO__ARCH_SIGNAL_CONTEXT "arch/x86_64_signal.h"
#elif defined(__aarch64__) && !defined(__ILP32__) && !defined(__AARCH64EB__) && !defined(_WIN32)
#define CO__ARCH_INLINE "co/arch/aarch64.h"
#define CO__ARCH_OUT_OF_LINE "aarch64.S"
#define CO__ARCH_SCHED "aarch64_sched.S"
#define CO__ARCH_SIGNAL_CONTEXT "arch/aarch64_signal.h"
#elif defined(__riscv) && __riscv_xlen == 64 && !defined(__riscv_32e) && !defined(__riscv_64e)
#define CO__ARCH_INLINE "co/arch/riscv64.h"
#define CO__ARCH_OUT_OF_LINE "riscv64.S"
#define CO__ARCH_SCHED "riscv64_sched.S"
#define CO__ARCH_SIGNAL_CONTEXT "arch/riscv64_signal.h"
#else
#error "libco knows x86-64 (System V), little-endian AArch64 and RV64; src/arch/README.md says how to add a target"
#endif

#endif
