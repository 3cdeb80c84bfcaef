/* co_join and co_detach in every case of the header's list: who waits, who is refused, and whose the result is. */
#define _GNU_SOURCE
#include "tasks.h"

static void *fail_io(void *arg) {
    (void)arg;
    return co_fail(EIO);
}

static void *sleep_and_return(void *arg) {
    (void)co_sleep(MS);
    return arg;
}

/* ---- What it answers --------------------------------------------------------------------------------------------- */

static void join_each_kind(void *arg) {
    void *result = UNTOUCHED;
    co_t *task = co_spawn(sleep_and_return, value_of(5)); /* that has not ended */
    assert_int_equal(co_join(task, &result, CO_NEVER), 0);
    assert_int_equal(number_of(result), 5);

    task = co_spawn(do_nothing, value_of(6)); /* that has ended */
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_status(task), CO_DEAD);
    assert_int_equal(co_join(task, &result, 0), 0);
    assert_int_equal(number_of(result), 6);

    task = co_spawn(fail_io, NULL);
    assert_int_equal(co_join(task, &result, CO_NEVER), -EIO);
    assert_null(result);
    task = co_spawn(fail_io, NULL);
    assert_int_equal(co_join(task, NULL, CO_NEVER), -EIO);
    task = co_spawn(do_nothing, arg);
    assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
}

static void *join_at_every_depth(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], join_each_kind, arg);
    return arg;
}

/* A result that is another task's, or written when it should not be. */
static void test_results(void **state) {
    (void)state;
    run_in_every_order(join_at_every_depth, 0);
}

static void join_late(void *arg) {
    void *result = UNTOUCHED;
    co_t *task = co_spawn(sleep_and_return, arg);
    assert_int_equal(co_join(task, &result, 0), -ETIMEDOUT);
    assert_int_equal(co_join(task, &result, -1), -ETIMEDOUT);
    assert_int_equal(co_join(task, &result, INT64_MIN), -ETIMEDOUT);
    assert_int_equal(co_join(task, &result, co_after(MS / 2)), -ETIMEDOUT);
    assert_ptr_equal(result, UNTOUCHED);
    assert_int_equal(co_join(task, &result, co_after(10 * MS)), 0);
    assert_ptr_equal(result, arg);
}

static void *join_late_at_every_depth(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], join_late, arg);
    return value_of(0);
}

/* A task that is lost, or freed, by a join that has timed out. */
static void test_deadlines(void **state) {
    (void)state;
    run_in_every_order(join_late_at_every_depth, 0);
}

static void *join_at_the_same_instant(void *arg) {
    void *result = UNTOUCHED;
    co_t *task = co_spawn(sleep_and_return, value_of(4));
    const int64_t end = co_after(MS);
    assert_int_equal(co_sched_yield(), 0); /* its timer is first */
    const int status = co_join(task, &result, end);
    assert_true(status == 0 || status == -ETIMEDOUT);
    if (status == -ETIMEDOUT) {
        assert_ptr_equal(result, UNTOUCHED);
        assert_int_equal(co_join(task, &result, CO_NEVER), 0);
    }
    assert_int_equal(number_of(result), 4);
    return arg;
}

/* An end and a deadline at one instant. */
static void test_end_at_the_deadline(void **state) {
    (void)state;
    run_in_every_order(join_at_the_same_instant, 0);
}

/* ---- Who is refused ---------------------------------------------------------------------------------------------- */

static void *join_oneself(void *arg) {
    assert_int_equal(co_join(co_task(), NULL, CO_NEVER), -EDEADLK);
    (void)arg;
    return NULL;
}

static void join_self_nested(void *arg) {
    assert_int_equal(co_join(co_self(), NULL, CO_NEVER), -EINVAL); /* a coroutine that is no task */
    join_oneself(arg);
}

static void *wait_then_return(void *arg) {
    assert_int_equal(co_sleep(MS), 0);
    return arg;
}

static void *join_refused(void *arg) {
    void *result = UNTOUCHED;
    co_t *co = co_create(do_nothing, NULL), *task;
    assert_int_equal(co_join(NULL, &result, CO_NEVER), -EINVAL);
    assert_int_equal(co_join(co, &result, CO_NEVER), -EINVAL);
    assert_int_equal(co_detach(NULL), -EINVAL);
    assert_int_equal(co_detach(co), -EINVAL);
    assert_int_equal(co_destroy(co), 0);
    join_oneself(NULL); /* the first task */
    at_depth(2, join_self_nested, NULL);
    assert_int_equal(co_detach(co_task()), -EINVAL);
    assert_joined(co_spawn(join_oneself, NULL), 0);

    task = co_spawn(wait_then_return, NULL);
    assert_int_equal(co_detach(task), 0);
    assert_int_equal(co_detach(task), -EINVAL);
    assert_int_equal(co_join(task, &result, CO_NEVER), -EINVAL);
    assert_ptr_equal(result, UNTOUCHED);
    assert_int_equal(co_sleep(2 * MS), 0);
    return arg;
}

static void test_refused(void **state) {
    (void)state;
    run_in_every_order(join_refused, 0);
}

static void *join_it(void *task) {
    void *result = UNTOUCHED;
    const int status = co_join(task, &result, CO_NEVER);
    if (status == 0)
        assert_int_equal(number_of(result), 8);
    else
        assert_ptr_equal(result, UNTOUCHED);
    return status == 0 ? value_of(0) : co_fail(-status);
}

static void *join_by_two(void *arg) {
    co_t *task = co_spawn(sleep_and_return, value_of(8));
    co_t *first = co_spawn(join_it, task), *second = co_spawn(join_it, task);
    int answers[2];
    answers[0] = co_join(first, NULL, CO_NEVER);
    answers[1] = co_join(second, NULL, CO_NEVER);
    assert_int_equal(answers[0] + answers[1], -EBUSY);

    task = co_spawn(sleep_and_return, value_of(8));
    first = co_spawn(join_it, task);
    assert_int_equal(co_sleep(MS / 2), 0);
    assert_int_equal(co_detach(task), -EBUSY);
    assert_int_equal(co_cancel(first), 0);
    assert_joined(first, -ECANCELED); /* which lets others join */
    second = co_spawn(join_it, task);
    assert_joined(second, 0);
    return arg;
}

/* The second to join; and one that may join because the first has given up. */
static void test_joined_by_two(void **state) {
    (void)state;
    run_in_every_order(join_by_two, 0);
}

/* ---- Cycles ------------------------------------------------------------------------------------------------------ */

enum { LONGEST = 3 };
static co_t *cycle[LONGEST];
static int length, refusals;

static void *join_next(void *arg) {
    const int self = (int)number_of(arg);
    const int status = co_join(cycle[(self + 1) % length], NULL, CO_NEVER);
    assert_true(status == 0 || status == -EDEADLK);
    refusals += status == -EDEADLK;
    return NULL;
}

/* Each of these is freed by the one before it, but for the one after which the cycle was refused. */
static void *join_in_a_cycle(void *arg) {
    refusals = 0;
    for (int i = 0; i < length; i++)
        cycle[i] = co_spawn(join_next, value_of(i));
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(refusals, 1);
    co_counters_t counters;
    assert_int_equal(co_counters(&counters), 0);
    assert_int_equal(counters.live, 1);
    return arg;
}

/* A wait for oneself, through one or two others. */
static void test_cycles(void **state) {
    (void)state;
    for (length = 1; length <= LONGEST; length++)
        run_in_every_order(join_in_a_cycle, 0);
}

/* ---- Detaching --------------------------------------------------------------------------------------------------- */

static void *detach_oneself(void *arg) {
    assert_int_equal(co_detach(co_task()), 0);
    assert_int_equal(co_sched_yield(), 0);
    return arg;
}

static void *detach_in_each_state(void *arg) {
    co_counters_t counters;
    for (int i = 0; i < 10; i++) {
        co_t *fresh = co_spawn(do_nothing, NULL), *ended = co_spawn(do_nothing, NULL);
        co_t *parked = co_spawn(sleep_and_return, NULL), *failed = co_spawn(fail_io, NULL);
        assert_non_null(co_spawn(detach_oneself, NULL));
        assert_int_equal(co_detach(fresh), 0);
        assert_int_equal(co_sleep(MS / 2), 0);
        assert_int_equal(co_detach(ended), 0);
        assert_int_equal(co_detach(parked), 0);
        assert_int_equal(co_detach(failed), 0);
    }
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_counters(&counters), 0);
    assert_int_equal(counters.live, 1);
    assert_int_equal(counters.ended, 50);
    return arg;
}

/* A task freed twice, or not before co_run returns. */
static void test_detach(void **state) {
    (void)state;
    run_in_every_order(detach_in_each_state, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_end_at_the_deadline),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_joined_by_two),
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_detach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
