/* Where stacks come from, and where they go: stack.c decides, pool.c keeps what was used for the next who wants it,
 * slab.c carves address space, guard.c makes guard pages. The core asks for one and gives it back. */
#ifndef CO_STACK_H
#define CO_STACK_H

#include "co.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct co__block;
struct co__slab;

#define CO__STACK_DEFAULT_BYTES ((size_t)128 * 1024)
#define CO__STACK_LEAST_BYTES ((size_t)1024)

enum co__origin {
    CO__FROM_CALLER,
    CO__FROM_ALLOCATOR,
    CO__FROM_MAPPING, /* its own, for large ones */
    CO__FROM_SLAB
};

struct co__stack {
    char *low;             /* the lowest usable byte */
    size_t bytes;          /* usable, above low; the block is at their top */
    struct co__slab *slab; /* CO__FROM_SLAB */
    unsigned char origin;  /* enum co__origin */
    unsigned char size_class;
};

/* What lies above the block wherever a task may come to live: in all memory of the library's own, and in that of others
 * if the coroutine is a task (task.h). */
#define CO__TASK_BYTES ((size_t)304)

/* Takes a stack according to the options and returns the block at its top, as co__stack_place_block or an earlier life
 * has left it. NULL: `error` is EINVAL, ENOMEM or EAGAIN. */
struct co__block *co__stack_acquire(const co_options_t *opt, bool for_task, int *error);

/* Gives it back: to the pool, to the system or to the allocator. The coroutine has ended. */
void co__stack_release(struct co__block *block);

/* The addresses of its guard, low <= address < high; none (low == high) below memory that is not mapped by the library.
 * Async-signal-safe. */
void co__stack_guard(const struct co__stack *stack, uintptr_t *low, uintptr_t *high);

/* Gives memory of a stack that the library mapped back to the kernel: all, or the pages below the block's own. */
void co__stack_discard_all(const struct co__stack *stack);
void co__stack_discard(struct co__block *block);

/* The block at the top of a stack: ended, its `stack` set. All else is 0, as every end of a life leaves it, but for
 * what creation sets and what is set before it is used. `bytes_above` of the memory stay free above it. */
struct co__block *co__stack_place_block(const struct co__stack *stack, size_t bytes_above);

int co__default_size_class(void);

/* From the first co_stack_used on, stacks that go back to the pool keep their top page only. */
void co__stack_discard_from_now_on(void);

#endif
