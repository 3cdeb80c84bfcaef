/* What a signal interrupted, on RV64. The kernel keeps pc in the place of x0, which is always zero; the other registers
 * stand at their own numbers, sp (x2) among them. */
#ifndef CO_RISCV64_SIGNAL_H
#define CO_RISCV64_SIGNAL_H

#include <stdint.h>
#include <ucontext.h>

/* sp is moved by an instruction of its own, before the frame below it is touched. */
static inline uintptr_t co__interrupted_sp(const ucontext_t *context) {
    return (uintptr_t)context->uc_mcontext.__gregs[REG_SP];
}

static inline const char *co__interrupted_pc(const ucontext_t *context) {
    return (const char *)context->uc_mcontext.__gregs[REG_PC];
}

#endif
