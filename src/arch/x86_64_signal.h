/* What a signal interrupted, on x86-64. The includer defines _GNU_SOURCE, without which ucontext.h has no names for
 * registers. */
#ifndef CO_X86_64_SIGNAL_H
#define CO_X86_64_SIGNAL_H

#include <stdint.h>
#include <ucontext.h>

/* A push or call that faults has not moved rsp yet. */
static inline uintptr_t co__interrupted_sp(const ucontext_t *context) {
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

static inline const char *co__interrupted_pc(const ucontext_t *context) {
    return (const char *)context->uc_mcontext.gregs[REG_RIP];
}

#endif
