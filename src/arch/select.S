/* Assembles the out-of-line switch of the target, which co/arch/select.h chooses, and what is the same on all. */
#include "../block.h"
#include "co/arch/select.h"
#include "co/layout.h"
#include CO__ARCH_OUT_OF_LINE

/* The words of a thread (co/layout.h). They are defined here since only assembly reads them, which link-time
 * optimisation does not see. */
    .section .tbss, "awT", %nobits
    .globl co__thread
    .type co__thread, %object
    .p2align 4
co__thread:
    .zero 32
    .size co__thread, 32

/* Nothing here needs an executable stack. */
    .section .note.GNU-stack, "", %progbits
