/* The bodies of test_arena.c. They call nothing but the library, since they have a few hundred bytes: an answer that is
 * not the expected one ends the body early. Whoever includes this has chosen the door by CO_NO_INLINE and names it
 * ARENA_DOOR. */
#include "arena.h"

#include <errno.h>

static void *counts(void *arg) {
    const uintptr_t number = (uintptr_t)arg;
    for (uintptr_t step = 0; step < ARENA_STEPS; step++)
        if (co_yield(ARENA_OUT(number, step)) != ARENA_IN(number, step))
            return NULL;
    return ARENA_OUT(number, ARENA_STEPS);
}

static void *counts_from(void *arg) {
    const uintptr_t number = (uintptr_t)arg;
    co_t *self = co_self();
    for (uintptr_t step = 0; step < ARENA_STEPS; step++)
        if (co_yield_from(self, ARENA_OUT(number, step)) != ARENA_IN(number, step))
            return NULL;
    return ARENA_OUT(number, ARENA_STEPS);
}

/* Yields each error that is thrown into it; the first yield yields 0. */
static void *survives_errors(void *arg) {
    (void)arg;
    for (int error = 0; error != ENOENT; error = co_error())
        if (co_yield((void *)(uintptr_t)error) != NULL)
            return NULL;
    return arg;
}

static void *fails(void *arg) {
    co_yield(arg);
    return co_fail(EIO);
}

static void add_one(void *arg) { *(int *)arg += 1; }

static void *defers(void *arg) {
    if (co_defer(add_one, arg) != 0 || co_defer(add_one, arg) != 0)
        return NULL;
    for (;;)
        co_yield(arg);
}

static int resume(co_t *co, void *in, void **out) { return co_resume(co, in, out); }

#define ARENA_TEXT_(x) #x
#define ARENA_TEXT(x) ARENA_TEXT_(x)

const struct arena_door ARENA_DOOR = {
    ARENA_TEXT(ARENA_DOOR), counts, counts_from, survives_errors, fails, defers, resume,
};
