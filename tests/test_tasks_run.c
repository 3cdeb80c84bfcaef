/* co_run: its answers, what it refuses, and that it comes back only when all tasks have ended. */
#define _GNU_SOURCE
#include "tasks.h"

static void *fail_with(void *error) { return co_fail((int)number_of(error)); }

/* An answer that is another's: the result of a task that is not the first, or of one that has failed. */
static void test_results(void **state) {
    (void)state;
    void *result = UNTOUCHED;
    assert_int_equal(co_run(do_nothing, value_of(7), &result), 0);
    assert_int_equal(number_of(result), 7);
    assert_int_equal(co_run(do_nothing, value_of(7), NULL), 0);
    assert_int_equal(co_run(fail_with, value_of(EIO), &result), -EIO);
    assert_null(result);
    assert_int_equal(co_run(fail_with, value_of(-5), &result), -EINVAL);
    assert_int_equal(co_run(fail_with, value_of(ENOMEM), NULL), -ENOMEM);
}

static void *return_before_others(void *arg) {
    assert_int_equal(co_detach(co_spawn(trace_task, LETTER("a"))), 0);
    assert_non_null(co_spawn(trace_task, LETTER("b"))); /* neither joined nor detached: co_run's to free */
    return arg;
}

/* A co_run that comes back with its first task. */
static void test_all_have_ended(void **state) {
    (void)state;
    void *result = UNTOUCHED;
    trace_clear();
    assert_int_equal(co_run(return_before_others, value_of(3), &result), 0);
    assert_int_equal(number_of(result), 3);
    assert_trace("ab");
}

static void *spawn_a_failure(void *arg) {
    assert_non_null(co_spawn(fail_with, value_of(EIO)));
    return arg;
}

/* A failure of some task is not the program's. */
static void test_others_fail(void **state) {
    (void)state;
    void *result = UNTOUCHED;
    assert_int_equal(co_run(spawn_a_failure, value_of(3), &result), 0);
    assert_int_equal(number_of(result), 3);
}

/* ---- What it refuses --------------------------------------------------------------------------------------------- */

static void test_misuse(void **state) {
    (void)state;
    void *result = UNTOUCHED;
    static const co_options_t small = {.stack_bytes = 1}, unknown = {.flags = 1u << 20};
    static const co_run_options_t bad[] = {
        {.flags = 16},     {.flags = 1u << 31}, {.reserved_flags = 1}, {.reserved = {1}}, {.reserved = {0, 0, 0, 1}},
        {.first = &small}, {.first = &unknown},
    };
    assert_int_equal(co_run(NULL, NULL, &result), -EINVAL);
    assert_int_equal(co_run_with(NULL, NULL, NULL, &result), -EINVAL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(co_run_with(&bad[i], do_nothing, NULL, &result), -EINVAL);
        assert_null(co_task());
    }
    assert_ptr_equal(result, UNTOUCHED);
    assert_int_equal(co_run(do_nothing, value_of(1), &result), 0);
    assert_int_equal(number_of(result), 1);
}

static void assert_busy(void *arg) {
    void *result = UNTOUCHED;
    assert_int_equal(co_run(do_nothing, arg, &result), -EBUSY);
    assert_ptr_equal(result, UNTOUCHED);
}

static void *run_nested(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], assert_busy, arg);
    assert_int_equal(co_run(NULL, arg, NULL), -EINVAL);
    assert_int_equal(co_sched_yield(), 0);
    return arg;
}

/* A scheduler that forgets the one around it. */
static void test_nested_run(void **state) {
    (void)state;
    void *result = UNTOUCHED;
    assert_int_equal(co_run(run_nested, value_of(5), &result), 0);
    assert_int_equal(number_of(result), 5);
}

/* ---- In a coroutine ---------------------------------------------------------------------------------------------- */

static co_t *outer;

static void *look_outwards(void *arg) {
    assert_int_equal(co_resume(outer, NULL, NULL), -EBUSY);
    assert_ptr_equal(co_self(), co_task());
    assert_ptr_not_equal(co_self(), outer);
    assert_int_equal(co_sched_yield(), 0);
    return arg;
}

static void *run_inside(void *arg) {
    void *result = UNTOUCHED;
    outer = co_self();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(co_run(look_outwards, arg, &result), 0);
        assert_ptr_equal(result, arg);
        assert_ptr_equal(co_self(), outer);
        assert_null(co_task());
        assert_ptr_equal(co_yield(value_of(i)), value_of(100 + i));
    }
    return arg;
}

/* A co_run that leaves another coroutine as the current one. */
static void test_in_a_coroutine(void **state) {
    (void)state;
    void *value = NULL;
    co_t *co = co_create(run_inside, value_of(9));
    assert_int_equal(co_resume(co, NULL, &value), CO_YIELDED);
    assert_int_equal(number_of(value), 0);
    assert_int_equal(co_resume(co, value_of(100), &value), CO_YIELDED);
    assert_int_equal(number_of(value), 1);
    assert_int_equal(co_resume(co, value_of(101), &value), CO_RETURNED);
    assert_int_equal(number_of(value), 9);
    assert_int_equal(co_destroy(co), 0);
}

static void *run_with_outer_yielding(void *arg) {
    assert_int_equal(co_resume(arg, NULL, NULL), CO_YIELDED);
    return NULL;
}

static void *block_across_runs(void *arg) {
    assert_int_equal(co_sched_yield(), 0);
    co_yield(NULL);
    assert_int_equal(co_sched_yield(), -EPERM);
    co_yield(NULL);
    assert_int_equal(co_sleep(MS), 0);
    co_yield(NULL);
    return arg;
}

/* A coroutine that remembers the scheduler or the task it was resumed by. */
static void test_coroutine_from_run_to_run(void **state) {
    (void)state;
    co_t *co = co_create(block_across_runs, NULL);
    assert_int_equal(run_virtually(run_with_outer_yielding, co), 0);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(run_virtually(run_with_outer_yielding, co), 0);
    assert_int_equal(co_destroy(co), 0);
}

/* ---- Outside of it ----------------------------------------------------------------------------------------------- */

static void assert_outside(void *arg) {
    co_counters_t counters;
    co_t *task = arg;
    errno = 0;
    assert_null(co_spawn(do_nothing, NULL));
    assert_int_equal(errno, EPERM);
    errno = 0;
    assert_null((co_spawn)(do_nothing, NULL));
    assert_int_equal(errno, EPERM);
    errno = 0;
    assert_null(co_spawn_with(NULL, do_nothing, NULL));
    assert_int_equal(errno, EPERM);
    assert_null(co_task());
    assert_int_equal(co_join(task, NULL, CO_NEVER), -EPERM);
    assert_int_equal(co_detach(task), -EPERM);
    assert_int_equal(co_sched_yield(), -EPERM);
    assert_int_equal(co_sleep(1), -EPERM);
    assert_int_equal(co_sleep_until(CO_NEVER), -EPERM);
    assert_int_equal(co_cancel(task), -EPERM);
    assert_int_equal(co_cancelled(), -EPERM);
    assert_int_equal(co_uncancel(), -EPERM);
    assert_int_equal(co_shield(), -EPERM);
    assert_int_equal(co_unshield(), -EPERM);
    assert_int_equal(co_park(0), -EPERM);
    assert_int_equal(co_unpark(NULL), -EINVAL);
    assert_int_equal(co_counters(&counters), -EPERM);
    assert_int_equal(co_counters(NULL), -EINVAL);
    assert_int_equal(co_dump(NULL), -EINVAL);
    assert_true(co_now() > 0);
    assert_true(co_after(1) > co_now() - 1000 * MS);
    assert_true(co_after(INT64_MAX) == CO_NEVER);
}

/* A call that takes for granted that there is a scheduler. */
static void test_outside(void **state) {
    (void)state;
    assert_outside(NULL);
    at_depth(1, assert_outside, NULL);
    co_t *co = co_create(do_nothing, NULL);
    assert_outside(co);
    assert_int_equal(co_unpark(co), -EINVAL);
    assert_int_equal(co_destroy(co), 0);
}

static void *spawn_wrongly(void *arg) {
    errno = 0;
    assert_null(co_spawn(NULL, arg));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null((co_spawn)(NULL, arg));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(co_spawn_with(&(co_options_t){.reserved = {1}}, do_nothing, arg));
    assert_int_equal(errno, EINVAL);
    co_counters_t counters;
    assert_int_equal(co_counters(&counters), 0);
    assert_int_equal(counters.spawned, 1);
    return arg;
}

static void test_spawn_misuse(void **state) {
    (void)state;
    assert_int_equal(co_run(spawn_wrongly, NULL, NULL), 0);
}

/* ---- Counters ---------------------------------------------------------------------------------------------------- */

static void *count(void *arg) {
    co_counters_t before, after;
    co_t *tasks[3];
    assert_int_equal(co_counters(&before), 0);
    assert_int_equal(before.live, 1);
    for (int i = 0; i < 3; i++)
        tasks[i] = co_spawn(do_nothing, NULL);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_counters(&after), 0);
    assert_int_equal(after.spawned - before.spawned, 3);
    assert_int_equal(after.ended - before.ended, 3);
    assert_int_equal(after.switches - before.switches, 4);
    assert_int_equal(after.wakes - before.wakes, 1);
    assert_int_equal(after.timers - before.timers, 1);
    assert_int_equal(after.live, 1);
    assert_int_equal(after.peak, 4);
    for (int i = 0; i < 3; i++)
        assert_joined(tasks[i], 0);
    return arg;
}

static void test_counters(void **state) {
    (void)state;
    assert_int_equal(run_virtually(count, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_all_have_ended),
        cmocka_unit_test(test_others_fail),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test(test_nested_run),
        cmocka_unit_test(test_in_a_coroutine),
        cmocka_unit_test(test_coroutine_from_run_to_run),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_spawn_misuse),
        cmocka_unit_test(test_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
