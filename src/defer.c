/* Deferred calls, and the refusal of yields while they run. */
#include "block.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

int co__defer(void (*fn)(void *), void *arg, uintptr_t mark) {
    struct co__block *block = co__block_of(co__current_get());
    if (fn == NULL)
        return -EINVAL;
    if (block == NULL)
        return -EPERM;
    const co_allocator_t *allocator = block->allocator;
    struct co__deferred *deferred =
        allocator != NULL ? allocator->allocate(sizeof *deferred, allocator->context) : malloc(sizeof *deferred);
    if (deferred == NULL)
        return -ENOMEM;
    *deferred = (struct co__deferred){.next = block->deferred, .fn = fn, .arg = arg, .mark = mark};
    block->deferred = deferred;
    return 0;
}

/* ---- Calls that are not allocated: co/deferred.h ---------------------------------------------------------------- */

void co__defer_for(struct co__block *block, struct co__deferred *call, void (*fn)(void *), void *arg, uintptr_t mark) {
    if (call->holder != NULL)
        co__undefer(call->holder, call);
    *call = (struct co__deferred){.next = block->deferred, .fn = fn, .arg = arg, .mark = mark, .holder = &block->hot};
    block->deferred = call;
}

void co__defer_at(struct co__deferred *call, void (*fn)(void *), void *arg, uintptr_t mark) {
    co__defer_for(co__block_of(co__current_get()), call, fn, arg, mark);
}

int co__undefer(co_t *co, struct co__deferred *call) {
    for (struct co__deferred **link = &co__block_of(co)->deferred; *link != NULL; link = &(*link)->next)
        if (*link == call) {
            *link = call->next;
            call->holder = NULL;
            return 1;
        }
    return 0;
}

/* ---- Running them -------------------------------------------------------------------------------------------- */

static void release(const co_allocator_t *allocator, struct co__deferred *deferred) {
    if (allocator != NULL)
        allocator->release(deferred, sizeof *deferred, allocator->context);
    else
        free(deferred);
}

/* A yield saves its four words and jumps through resumer.pc: pointing that word at a refusal makes every yield come
 * straight back, whichever door it took, and costs the hot path nothing. */
void co__begin_ending(struct co__block *block) {
    block->life = CO__ENDING;
    block->outcome = 0;
    block->resumer_pc = block->hot.resumer.pc;
    atomic_signal_fence(memory_order_release); /* a backtrace finds the resumer at every instruction */
    block->hot.resumer.pc = (void *)(uintptr_t)co__refusal;
}

static void note_error(struct co__block *block) {
    int error = block->failure != 0 ? block->failure : block->refused ? EPERM : 0;
    if (block->outcome == 0)
        block->outcome = error;
    block->failure = 0;
    block->refused = 0;
}

void co__run_deferred(struct co__block *block, uintptr_t up_to_frame) {
    note_error(block); /* what a body or a destructor left */
    while (block->deferred != NULL && block->deferred->frame <= up_to_frame) {
        struct co__deferred *deferred = block->deferred;
        void (*fn)(void *) = deferred->fn;
        void *arg = deferred->arg;
        block->deferred = deferred->next;
        if (deferred->holder != NULL)
            deferred->holder = NULL;
        else
            release(block->allocator, deferred);
        co__hooks_calling();
        co__call_guarded(fn, arg); /* while closing, a handler of the body further up must not catch what leaves fn */
        note_error(block);
    }
}

int co__end_ending(struct co__block *block) {
    co__run_deferred(block, UINTPTR_MAX);
    block->hot.resumer.pc = block->resumer_pc;
    atomic_signal_fence(memory_order_release);
    block->resumer_pc = NULL;
    block->error = 0;
    block->life = CO__ENDED;
    return block->outcome;
}
