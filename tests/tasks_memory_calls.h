/* The calls for memory that test_tasks_memory.c counts and lets fail. */
#ifndef CO_TASKS_MEMORY_CALLS_H
#define CO_TASKS_MEMORY_CALLS_H

#include <stdbool.h>

extern struct memory_calls {
    long count;   /* that ask for memory, since begin_calls */
    long failing; /* which of them fails; 0: none */
    bool lasting; /* and all after it */
    bool failed;  /* one did */
    long blocks;  /* allocated and not freed */
} memory_calls;

void begin_calls(long failing, bool lasting);

#endif
