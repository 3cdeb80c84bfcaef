/* Canaries: known words at both ends of memory that has no guard page, looked at around every switch. */
#ifndef CO_CANARY_H
#define CO_CANARY_H

#include "stack.h"

/* Takes their place from both ends of the stack, and gives it back. */
void co__canaries_place(struct co__stack *stack);
void co__canaries_remove(struct co__stack *stack);

/* Ends the program with a message that names the coroutine if one is not as it was. */
void co__canaries_check(const struct co__block *block);

#endif
