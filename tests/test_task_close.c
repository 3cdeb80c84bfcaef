/* A deadlock: co_run closes the tasks that are left, wherever they wait. Catches deferred calls that are lost, run
 * twice or in another order, ones that can wait again, and a thread that does not work as before afterwards. */
#define _GNU_SOURCE
#include "support.h"

#include <co/sched.h>

#include <errno.h>

static const co_run_options_t quiet = {.flags = CO_RUN_QUIET};

static void expect_deadlock(co_fn fn, const char *expected) {
    trace_clear();
    assert_int_equal(co_run_with(&quiet, fn, NULL, NULL), -EDEADLK);
    assert_trace(expected);
    assert_null(co_self());
    assert_null(co_task());
    assert_int_equal(co_sched_yield(), -EPERM);
}

static void wait_for_ever(void) {
    co_sleep_until(CO_NEVER);
    FAIL("a closed task went on");
}

/* ---- Order ------------------------------------------------------------------------------------------------------- */

static void *wait_with_two(void *letters) {
    co_defer(trace_letter, letters);
    co_defer(trace_letter, (char *)letters + 1);
    wait_for_ever();
    return NULL;
}

static void *end_with_one(void *letter) {
    co_defer(trace_letter, letter);
    co_sched_yield();
    return NULL;
}

static void *join_others(void *arg) {
    co_defer(trace_letter, LETTER("0"));
    co_t *first = co_spawn(wait_with_two, LETTER("12"));
    assert_non_null(co_spawn(end_with_one, LETTER("e")));
    assert_non_null(co_spawn(wait_with_two, LETTER("34")));
    co_join(first, NULL, CO_NEVER);
    FAIL("a closed task went on");
    return arg;
}

static void test_the_last_spawned_first(void **state) {
    (void)state;
    expect_deadlock(join_others, "e43210");
}

/* ---- Levels ------------------------------------------------------------------------------------------------------ */

static void destroy(void *co) { assert_int_equal(co_destroy(co), 0); }

static co_t *create(co_fn fn, void *arg) {
    co_t *co = co_create(fn, arg);
    assert_non_null(co);
    co_defer(destroy, co); /* which the closing of the inner ones must have come before */
    return co;
}

/* Each letter is a level, the last of which waits. */
static void *descend(void *letters) {
    const char *letter = letters;
    co_defer(trace_letter, letters);
    if (letter[1] == '\0')
        wait_for_ever();
    co_t *beside = create(wait_with_two, LETTER("xy")), *above = create(descend, (char *)letters + 1);
    (void)beside; /* which has not begun, so that there is nothing to close */
    co_resume(above, NULL, NULL);
    FAIL("a closed task went on");
    return NULL;
}

static void *descend_twice(void *arg) {
    assert_non_null(co_spawn(descend, LETTER("abc")));
    assert_non_null(co_spawn(descend, LETTER("defghijklm")));
    return arg;
}

static void test_level_by_level(void **state) {
    (void)state;
    expect_deadlock(descend_twice, "mlkjihgfedcba");
}

static void *wait_between_yields(void *arg) {
    co_defer(trace_letter, LETTER("i"));
    for (int i = 0; i < 3; i++) {
        co_sched_yield();
        co_yield(arg);
        co_sleep(1);
    }
    wait_for_ever();
    return arg;
}

/* One that has waited, yielded and been resumed at other levels before. */
static void *wander(void *arg) {
    co_defer(trace_letter, LETTER("o"));
    co_t *co = create(wait_between_yields, NULL);
    while (co_resume(co, NULL, NULL) == CO_YIELDED)
        co_yield(arg);
    FAIL("a closed task went on");
    return arg;
}

static void test_after_other_waits(void **state) {
    (void)state;
    expect_deadlock(wander, "io");
}

/* ---- Deferred calls that want to wait ---------------------------------------------------------------------------- */

static void *never_runs(void *arg) {
    FAIL("a task that was spawned while all are closed");
    return arg;
}

static void want_to_wait(void *task) {
    co_shield(); /* which is of no use */
    assert_int_equal(co_cancelled(), 1);
    assert_int_equal(co_sched_yield(), -ECANCELED);
    assert_int_equal(co_sleep(1), -ECANCELED);
    assert_int_equal(co_sleep_until(CO_NEVER), -ECANCELED);
    assert_int_equal(co_park(CO_NEVER), -ECANCELED);
    assert_int_equal(co_join(task, NULL, CO_NEVER), -ECANCELED);
    assert_int_equal(co_uncancel(), 1);
    assert_int_equal(co_sleep(1), -ECANCELED);
    errno = 0;
    assert_null(co_spawn(never_runs, NULL));
    assert_int_equal(errno, ECANCELED);
    assert_null(co_yield(task));
    trace_add('w');
}

static void *resume_one_that_wants_to_wait(void *task) {
    co_defer(want_to_wait, task);
    wait_for_ever();
    return NULL;
}

static void *want_to_wait_everywhere(void *arg) {
    co_t *task = co_spawn(resume_one_that_wants_to_wait, co_task());
    assert_non_null(task);
    co_defer(want_to_wait, task);
    co_t *co = create(resume_one_that_wants_to_wait, task);
    co_resume(co, NULL, NULL);
    return arg;
}

static void test_nothing_waits_again(void **state) {
    (void)state;
    expect_deadlock(want_to_wait_everywhere, "www");
}

/* ---- Deferred calls that wait already ---------------------------------------------------------------------------- */

static void wait_deferred(void *letter) {
    trace_letter(letter);
    wait_for_ever();
}

static void *return_into_a_wait(void *arg) {
    co_defer(trace_letter, LETTER("1"));
    co_defer(wait_deferred, LETTER("2"));
    co_defer(trace_letter, LETTER("3"));
    return arg;
}

/* A body that has returned is closed while its deferred calls run: those that are left still do. */
static void test_waiting_in_a_deferred_call(void **state) {
    (void)state;
    expect_deadlock(return_into_a_wait, "321");
}

static void *resume_into_a_wait(void *arg) {
    co_defer(trace_letter, LETTER("0"));
    co_resume(create(return_into_a_wait, NULL), NULL, NULL);
    return arg;
}

static void test_waiting_in_a_deferred_call_of_a_coroutine(void **state) {
    (void)state;
    expect_deadlock(resume_into_a_wait, "3210");
}

/* ---- Afterwards -------------------------------------------------------------------------------------------------- */

static void *run_within(void *arg) {
    co_t *self = co_self();
    assert_int_equal(co_run_with(&quiet, descend_twice, NULL, NULL), -EDEADLK);
    assert_ptr_equal(co_self(), self);
    assert_ptr_equal(co_yield(arg), &trace);
    assert_int_equal(co_run_with(&quiet, end_with_one, LETTER("e"), NULL), 0);
    return arg;
}

/* A scheduler in a coroutine, whose deadlock is not its coroutine's affair. */
static void test_run_within_a_coroutine(void **state) {
    (void)state;
    trace_clear();
    co_t *co = co_create(run_within, NULL);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_resume(co, &trace, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
    assert_trace("mlkjihgfedcbae");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_spawned_first),
        cmocka_unit_test(test_level_by_level),
        cmocka_unit_test(test_after_other_waits),
        cmocka_unit_test(test_nothing_waits_again),
        cmocka_unit_test(test_waiting_in_a_deferred_call),
        cmocka_unit_test(test_waiting_in_a_deferred_call_of_a_coroutine),
        cmocka_unit_test(test_run_within_a_coroutine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
