/* What the tests of locks and their like share: programs of tasks in a scheduler with a virtual clock, calls made in
 * nested coroutines, and numbers that a seed chooses.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_SYNC_H
#define CO_TEST_SYNC_H

#include "depth.h"

#include <co/sync.h>

#include <errno.h>

/* ---- Running --------------------------------------------------------------------------------------------------- */

static inline int run_quietly(co_fn fn, void *arg) {
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK | CO_RUN_QUIET};
    return co_run_with(&options, fn, arg, NULL);
}

static inline int run_seeded(uint64_t seed, co_fn fn, void *arg) {
    const co_run_options_t options = {.flags = CO_RUN_SEEDED | CO_RUN_VIRTUAL_CLOCK | CO_RUN_QUIET, .seed = seed};
    return co_run_with(&options, fn, arg, NULL);
}

/* Lets all others run until each waits or has ended. */
static inline void settle(void) { assert_int_equal(co_sleep(1), 0); }

static inline void join_all(co_t *const *tasks, int count) {
    for (int i = 0; i < count; i++)
        assert_int_equal(co_join(tasks[i], NULL, CO_NEVER), 0);
}

/* ---- At a depth ------------------------------------------------------------------------------------------------ */

/* Of coroutines and generators nested in the task, for a blocking call. */
static const int depths[] = {0, 1, 10};
enum { DEPTHS = 3 };

struct call_at_depth {
    int (*fn)(void *);
    void *arg;
    int answer;
};

static inline void call_here(void *arg) {
    struct call_at_depth *call = (struct call_at_depth *)arg;
    call->answer = call->fn(call->arg);
}

static inline int call_at_depth(int levels, int (*fn)(void *), void *arg) {
    struct call_at_depth call = {fn, arg, 0};
    at_depth(levels, call_here, &call);
    return call.answer;
}

/* ---- Numbers --------------------------------------------------------------------------------------------------- */

static uint64_t random_state;

/* From 0 to limit - 1. Xorshift64 (Marsaglia, "Xorshift RNGs", 2003). */
static inline int random_below(int limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (int)(random_state % (uint64_t)limit);
}

static inline void random_begin(uint64_t seed) { random_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15); }

/* None, one that comes soon, or one that has come. */
static inline int64_t random_deadline(void) {
    switch (random_below(4)) {
    case 0:
        return random_below(2) - 1;
    case 1:
        return co_after(random_below(5));
    default:
        return CO_NEVER;
    }
}

/* Whether a call that waits may answer this; one that was cancelled goes on. */
static inline bool gave_up(int status) {
    if (status == -ECANCELED)
        assert_int_equal(co_uncancel(), 1);
    return status == -ECANCELED || status == -ETIMEDOUT;
}

/* Gives some turns away, or lets time pass; cancelled or not. */
static inline void dawdle(void) {
    co_shield();
    for (int i = random_below(3); i > 0; i--)
        assert_int_equal(random_below(2) == 0 ? co_sched_yield() : co_sleep(random_below(3)), 0);
    co_unshield();
}

#endif
