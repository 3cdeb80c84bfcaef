/* What the tests of tasks share: runs in every order, virtual time, depth, and a trace of events.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_TASKS_H
#define CO_TEST_TASKS_H

#include "support.h"

#include <co/sched.h>

#include <errno.h>

/* How long things take, of a clock that does not run by itself. */
#define MS ((int64_t)1000000)

/* Runs fn(arg) as the first task, in the order of spawning and with the virtual clock. */
static inline int run_virtually(co_fn fn, void *arg) {
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK | CO_RUN_QUIET};
    return co_run_with(&options, fn, arg, NULL);
}

static inline int run_seeded(uint64_t seed, co_fn fn, void *arg) {
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK | CO_RUN_SEEDED | CO_RUN_QUIET, .seed = seed};
    return co_run_with(&options, fn, arg, NULL);
}

/* ---- Depth ------------------------------------------------------------------------------------------------------- */

/* Those that are alive: the frames that would destroy them are gone after a deadlock. */
enum { MOST_NESTED = 256 };
static co_t *all_nested[MOST_NESTED];

static inline co_t **nested_slot(const co_t *co) {
    for (int i = 0; i < MOST_NESTED; i++)
        if (all_nested[i] == co)
            return &all_nested[i];
    fail();
    return NULL;
}

static inline void destroy_nested(void) {
    for (int i = 0; i < MOST_NESTED; i++) {
        assert_int_equal(co_destroy(all_nested[i]), 0);
        all_nested[i] = NULL;
    }
}

struct nested {
    int depth;
    void (*fn)(void *);
    void *arg;
};

static inline void *nest(void *arg);

/* Calls fn(arg) that many coroutines deep inside the running one. Each yields once on the way back. */
static inline void at_depth(int depth, void (*fn)(void *), void *arg) {
    if (depth == 0) {
        fn(arg);
        return;
    }
    struct nested nested = {depth - 1, fn, arg};
    co_t *co = co_create(nest, &nested);
    assert_non_null(co);
    *nested_slot(NULL) = co;
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    *nested_slot(co) = NULL;
    assert_int_equal(co_destroy(co), 0);
}

static inline void *nest(void *arg) {
    const struct nested *nested = arg;
    at_depth(nested->depth, nested->fn, nested->arg);
    return co_yield(NULL);
}

static const int depths[] = {0, 1, 10};
enum { DEPTHS = sizeof depths / sizeof depths[0] };

/* ---- Every order ------------------------------------------------------------------------------------------------- */

/* First in, first out, and then in the orders that many seeds choose. `expected` is what co_run answers. */
static inline void run_in_every_order(co_fn fn, int expected) {
    trace_clear();
    assert_int_equal(run_virtually(fn, NULL), expected);
    destroy_nested();
    for (int seed = 0; seed < seeds(); seed++) {
        trace_clear();
        const int status = run_seeded((uint64_t)seed, fn, NULL);
        if (status != expected)
            FAIL("seed %d: %d, not %d", seed, status, expected);
        destroy_nested();
    }
}

/* ---- Small tasks ------------------------------------------------------------------------------------------------- */

static inline void *do_nothing(void *arg) { return arg; }

static inline void *trace_task(void *letter) {
    trace_add(*(const char *)letter);
    return letter;
}

/* Waits for ever, and fails with ECANCELED when it is cancelled. */
static inline void *wait_for_cancel(void *arg) {
    const int status = co_sleep_until(CO_NEVER);
    assert_int_equal(status, -ECANCELED);
    (void)arg;
    return co_fail(ECANCELED);
}

static inline void assert_joined(co_t *task, int expected) {
    assert_int_equal(co_join(task, NULL, CO_NEVER), expected);
}

#endif
