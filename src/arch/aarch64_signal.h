/* What a signal interrupted, on AArch64. */
#ifndef CO_AARCH64_SIGNAL_H
#define CO_AARCH64_SIGNAL_H

#include <stdint.h>
#include <ucontext.h>

/* A store with writeback that faults has not moved sp yet. */
static inline uintptr_t co__interrupted_sp(const ucontext_t *context) { return (uintptr_t)context->uc_mcontext.sp; }

static inline const char *co__interrupted_pc(const ucontext_t *context) {
    return (const char *)context->uc_mcontext.pc;
}

#endif
