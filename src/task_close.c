/* Closing a task that is parked, for a deadlock: each coroutine of it, from the one in which it parked outwards, as
 * co_close does with a suspended one. */
#include "task.h"

#include <string.h>

/* The coroutine whose context is `words`; it stopped in a yield, in a park, or, and then it cannot be unwound, in a
 * resume. What the scheduler does around a task's turns is done around this switch too. */
static void close_at(co_t *co, struct co__context words, bool may_unwind) {
    struct co__block *block = co__block_of(co);
    block->slow = block->slow || (block->flags & (CO_FPENV | CO_CANARIES)) != 0 || co__hooks_present_at_switches();
    co->own = words;
    co->own.pc = NULL;
    *co__pc_word(block) = words.pc;
    co__redirect(block, may_unwind && block->life == CO__ALIVE); /* not twice */
    co__enter(block, NULL, NULL);
}

/* Parking has left the floating-point environment of the innermost coroutine in the outermost one that has its own, and
 * in each other the one of the next outside of it (wait.c). From here on each holds its own, as if all had yielded. */
static void unpark_fpenvs(co_t *innermost) {
    struct co__block *first = NULL;
    for (co_t *co = innermost; co__resumer_of(co) != NULL; co = co__resumer_of(co)) {
        struct co__block *block = co__block_of(co);
        if ((block->flags & CO_FPENV) == 0)
            continue;
        if (first == NULL) {
            first = block;
            continue;
        }
        uint32_t own[2];
        memcpy(own, first->fpenv, sizeof own);
        memcpy(first->fpenv, block->fpenv, sizeof own);
        memcpy(block->fpenv, own, sizeof own);
    }
}

void co__close_parked(co_t *innermost, co_t *root) {
    co_t *co = innermost, *resumer = NULL;
    struct co__context words = co->own, outer = co->resumer;
    words.pc = co->resumer.base;
    if (co != root) {
        const struct co__parked *parked = co->own.sp;
        outer.base = parked->resumer_base;
        resumer = co->own.base = parked->resumer;
        unpark_fpenvs(co);
    }
    close_at(co, words, true);
    while (co != root) {
        co = resumer;
        resumer = co__resumer_of(co);
        words = outer;
        outer = co->resumer;
        close_at(co, words, false);
    }
}
