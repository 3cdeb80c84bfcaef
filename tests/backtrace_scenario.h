/* The scenario of test_backtrace, for one door: main -> run -> outer -> inner -> leaf, where outer and inner are
 * coroutines. Included by backtrace_inline.c and backtrace_out_of_line.c, which define SCENARIO, the name of the
 * function. */
#include "backtrace.h"

#include <errno.h>
#include <string.h>

static struct scenario *current;
static co_t *outer_co, *inner_co;

static FRAME void deferred(void *place) {
    backtrace_walk(current->walks[(uintptr_t)place]);
    co_yield (NULL); /* refused, and it leaves no trace */
}

static FRAME void leaf(enum place place) { backtrace_walk(current->walks[place]); }

static FRAME void *inner(void *arg) {
    leaf(FIRST_FIRST);
    co_yield (NULL);
    leaf(FIRST_LATER);
    co_yield_from(inner_co, NULL);
    leaf(LATER_LATER);
    co_defer(deferred, (void *)(uintptr_t)RETURNED);
    return arg;
}

static FRAME void *outer(void *arg) {
    assert_int_equal(co_resume(inner_co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_resume(inner_co, NULL, NULL), CO_YIELDED);
    co_yield (NULL);
    assert_int_equal(co_resume(inner_co, NULL, NULL), -EPERM);
    co_defer(deferred, (void *)(uintptr_t)CLOSING);
    co_yield (NULL);
    return arg;
}

static co_t *create(co_fn fn, int stack) {
    co_options_t options = {.stack = backtrace_stacks[stack], .stack_bytes = STACK_BYTES};
    memset(backtrace_stacks[stack], 0xa5, STACK_BYTES);
    co_t *co = co_create_with(&options, fn, NULL);
    assert_non_null(co);
    return co;
}

static FRAME void run(struct scenario *scenario) {
    assert_int_equal(co_resume(outer_co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_resume(outer_co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_destroy(outer_co), -EPERM);
    scenario->function[RUN] = (uintptr_t)run;
}

FRAME void SCENARIO(struct scenario *scenario) {
    current = scenario;
#ifdef CO_NO_INLINE
    scenario->out_of_line = true;
#endif
    outer_co = create(outer, scenario->resumer_higher);
    inner_co = create(inner, !scenario->resumer_higher);
    scenario->function[START] = (uintptr_t)SCENARIO;
    scenario->function[LEAF] = (uintptr_t)leaf;
    scenario->function[INNER] = (uintptr_t)inner;
    scenario->function[OUTER] = (uintptr_t)outer;
    scenario->function[DEFERRED] = (uintptr_t)deferred;
    run(scenario);
    assert_int_equal(co_destroy(inner_co), 0);
}
