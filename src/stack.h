/* Where stacks come from. The core asks for one and gives it back; only stack.c knows of pages and guards. */
#ifndef CO_STACK_H
#define CO_STACK_H

#include "co.h"

#include <stddef.h>

#define CO__STACK_DEFAULT_BYTES ((size_t)128 * 1024)
#define CO__STACK_LEAST_BYTES ((size_t)1024)

struct co__stack {
    char *low;    /* the lowest usable byte */
    size_t bytes; /* usable, above low */
    char *memory; /* what to give back: guard page and all; NULL: the caller's */
    size_t memory_bytes;
};

/* Fills `stack` according to the options. Returns 0, EINVAL, ENOMEM or EAGAIN. */
int co__stack_acquire(struct co__stack *stack, const co_options_t *opt);

/* The addresses of its guard, low <= address < high; none (low == high) below memory that is not mapped by the library.
 * Async-signal-safe. */
void co__stack_guard(const struct co__stack *stack, uintptr_t *low, uintptr_t *high);

/* Gives it back to the system, or to `allocator`. `stack` may lie in the memory that goes: it is copied first. */
void co__stack_release(struct co__stack stack, const co_allocator_t *allocator);

#endif
