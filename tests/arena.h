/* What test_arena.c plays with, once for each door: arena_bodies.h defines it. */
#ifndef CO_TEST_ARENA_H
#define CO_TEST_ARENA_H

#include <co.h>

struct arena_door {
    const char *name;
    co_fn counts, counts_from, survives_errors, fails, defers;
    int (*resume)(co_t *co, void *in, void **out);
};

extern const struct arena_door arena_inline, arena_out_of_line;

/* What `counts` yields in step `step`, being number `number`, and what it expects to be answered. */
#define ARENA_OUT(number, step) ((void *)(uintptr_t)((number)*1000 + (step) + 1))
#define ARENA_IN(number, step) ((void *)(uintptr_t)((number)*7000 + (step) + 1))

enum { ARENA_STEPS = 10 };

#endif
