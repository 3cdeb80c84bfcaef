/* Assembles the out-of-line switch of the target, which co/arch/select.h chooses, and what is the same on all. */
#include "../block.h"
#include "co/arch/select.h"
#include "co/layout.h"
#include CO__ARCH_OUT_OF_LINE

/* A second name, for the check that CO_DEBUG puts before it: co.h defines co_yield_from itself then. */
    .globl co__yield_from
    .set co__yield_from, co_yield_from

/* The words of a thread (co/layout.h). They are defined here since only assembly reads them, which link-time
 * optimisation does not see. */
    .section .tbss, "awT", %nobits
    .globl co__thread
    .type co__thread, %object
    .p2align 4
co__thread:
    .zero 16
    .size co__thread, 16

/* Nothing here needs an executable stack. */
    .section .note.GNU-stack, "", %progbits
