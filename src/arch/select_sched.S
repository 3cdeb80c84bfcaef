/* Assembles the switch from task to task of the target, as select.S does the switch between two coroutines, whose macros
 * are used here. It is an object of its own, so that a program without tasks does not link the scheduler. */
#define CO__MACROS_ONLY
#include "../block.h"
#include "../task.h"
#include "co/arch/select.h"
#include "co/layout.h"
#include CO__ARCH_OUT_OF_LINE
#include CO__ARCH_SCHED

/* Nothing here needs an executable stack. */
    .section .note.GNU-stack, "", %progbits
