/* Slabs: large reservations of address space from which stacks of one size are carved. Everything here takes a lock;
 * pool.c sees to it that few calls are made. */
#ifndef CO_SLAB_H
#define CO_SLAB_H

#include "stack.h"

/* A size class is the distance from stack to stack, guard included, in pages: every number up to 16, and from there 16
 * steps to each doubling, so that rounding up costs less than 1/16 of address space and there is a bounded number of
 * classes. */
enum { CO__SIZE_CLASSES = 128 };
#define CO__SLAB_STACK_MOST_BYTES ((size_t)2 * 1024 * 1024) /* larger ones are mapped one by one */

/* The tops of stacks are shifted against each other by multiples of the one up to the other. */
#define CO__COLOUR_STEP ((size_t)128)
#define CO__COLOUR_BYTES ((size_t)1920)

/* The class of a stack of `bytes` usable bytes, or -1: too large for a slab. */
int co__size_class(size_t bytes);
/* The distance of its stacks, guard included. */
size_t co__class_stride(int size_class);

/* Consecutive stacks of a slab that nobody has used since their memory was last given back. */
struct co__run {
    struct co__slab *slab;
    uint32_t next, end;
};

/* Takes up to `most` stacks. Returns 0, ENOMEM or EAGAIN. */
int co__slab_take(int size_class, uint32_t most, struct co__run *run);
/* Gives back what is left of a run. */
void co__slab_put_run(const struct co__run *run);
/* Gives back a stack whose memory has been discarded, or whose mapping goes with it. */
void co__slab_put(const struct co__stack *stack);

/* The run's next stack; there is one. */
void co__slab_stack(struct co__run *run, int size_class, struct co__stack *stack);

#endif
