/* An alternate signal stack for a thread that has none: a handler of stack overflows cannot run on the stack that
 * overflows. */
#ifndef CO_SIGNAL_STACK_H
#define CO_SIGNAL_STACK_H

#include <stdbool.h>

/* What giving a stack changed. */
struct co__signal_stack_given {
    bool key, mapping, stack;
};

/* Gives the calling thread an alternate signal stack if it has none, until it ends. Answers 0, or a positive errno
 * value, and then nothing is changed. One thread at a time may be in these two. */
int co__signal_stack_give(struct co__signal_stack_given *given);
/* Undoes it, in the same thread. */
void co__signal_stack_take_back(const struct co__signal_stack_given *given);

#endif
