/* C++ handlers that are active across a switch: co.h says why they are put aside. */
#include "block.h"

/* libstdc++ and libc++abi have it. Not declared const: the code may go on on another thread. */
extern struct co__handlers *handlers_of_thread(void) __asm__("__cxa_get_globals") __attribute__((weak));

/* Stands for the record in a program without a C++ runtime. */
static struct co__handlers none;

void co__handlers_put_aside(struct co__handlers *saved) {
    struct co__handlers *handlers = &handlers_of_thread != NULL ? handlers_of_thread() : &none;
    CO__THREAD_SET(CO__THREAD_HANDLERS, handlers);
    *saved = *handlers;
    if (handlers != &none)
        *handlers = (struct co__handlers){0};
}

void co__handlers_restore(const struct co__handlers *saved) {
    if (&handlers_of_thread != NULL)
        *handlers_of_thread() = *saved;
}

void *co__yield_handling(co_t *self, void *value) {
    struct co__block *block = co__block_of(self);
    struct co__handlers saved;
    co__handlers_put_aside(&saved);
    block->handlers = &saved;
    value = co__switch_out(self, value);
    block->handlers = NULL;
    co__handlers_restore(&saved);
    return value;
}
