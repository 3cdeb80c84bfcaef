/* The calls for memory that test_out_of_memory.c lets fail. */
#ifndef CO_OUT_OF_MEMORY_CALLS_H
#define CO_OUT_OF_MEMORY_CALLS_H

#include "memory.h"

enum kind { MMAP, MPROTECT, MADVISE, PROCESS_MADVISE, MALLOC, KEY, SPECIFIC, ATFORK, ALLOCATOR, KINDS };

extern struct calls {
    int count;         /* that may fail, since begin */
    int of[KINDS];     /* the same, of each kind */
    int failing;       /* which of them fails; 0: none */
    bool lasting;      /* and all after it */
    unsigned kinds;    /* a bit for each kind that always fails */
    unsigned one_in;   /* not 0: each fails with this chance */
    enum kind first;   /* of what failed since begin */
    enum kind kind;    /* of what failed last */
    int error_of_mmap; /* what a failing mmap says */
    bool no_advice;    /* guards are made by mprotect */
    long held_bytes;   /* mapped and not unmapped */
    long most_bytes;   /* ever */
    long held_blocks;  /* allocated and not freed */
} calls;

extern const co_allocator_t failing_allocator;

void begin(int which, bool lasting);
unsigned next_random(void);

/* mmap, and it does not fail. */
void *map_for_test(size_t bytes);

#endif
