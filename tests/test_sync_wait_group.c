/* Wait groups: a wait that ends too early, or not at all, and a number that wraps around. */
#define _GNU_SOURCE
#include "sync.h"

static co_wait_group_t group;
static int depth;

static int wait_until(void *arg) { return co_wait_group_wait(&group, *(const int64_t *)arg); }

static void *wait_once(void *arg) {
    int64_t never = CO_NEVER;
    assert_int_equal(call_at_depth(depth, wait_until, &never), 0);
    trace_letter(arg);
    return NULL;
}

static void at_each_depth(co_fn fn) {
    for (int i = 0; i < DEPTHS; i++) {
        depth = depths[i];
        group = (co_wait_group_t)CO_WAIT_GROUP_INIT;
        trace_clear();
        assert_int_equal(run_quietly(fn, NULL), 0);
        assert_int_equal(co_wait_group_destroy(&group), 0);
    }
    depth = 0;
}

static void *order(void *arg) {
    co_t *tasks[3];
    assert_int_equal(co_wait_group_wait(&group, INT64_MIN), 0); /* nothing is pending */
    assert_int_equal(co_wait_group_add(&group, 3), 0);
    assert_int_equal(co_wait_group_destroy(&group), -EBUSY);
    for (int i = 0; i < 3; i++)
        tasks[i] = co_spawn(wait_once, LETTER(&"abc"[i]));
    settle();
    assert_int_equal(co_wait_group_add(&group, 1), 0);
    assert_int_equal(co_wait_group_add(&group, -3), 0);
    settle();
    assert_trace("");
    assert_int_equal(co_wait_group_done(&group), 0);
    assert_int_equal(co_wait_group_add(&group, 5), 0); /* the next round; those who waited have been told */
    join_all(tasks, 3);
    assert_trace("abc");
    assert_int_equal(co_wait_group_add(&group, -5), 0);
    return arg;
}

static void test_all_go_on_when_nothing_is_pending(void **state) {
    (void)state;
    at_each_depth(order);
}

static void *gives_up(void *arg) {
    static int64_t past[] = {INT64_MIN, -1, 0};
    co_t *tasks[3];
    assert_int_equal(co_wait_group_add(&group, 1), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(call_at_depth(depth, wait_until, &past[i]), -ETIMEDOUT);
    int64_t soon = co_after(5);
    assert_int_equal(call_at_depth(depth, wait_until, &soon), -ETIMEDOUT);
    for (int i = 0; i < 3; i++)
        tasks[i] = co_spawn(wait_once, LETTER(&"abc"[i]));
    settle();
    assert_int_equal(co_wait_group_done(&group), 0);
    assert_int_equal(co_cancel(tasks[1]), 0); /* after */
    join_all(tasks, 3);
    assert_trace("abc");
    co_cancel(co_task());
    assert_int_equal(co_wait_group_wait(&group, CO_NEVER), -ECANCELED); /* before anything else */
    return arg;
}

static void *cancelled(void *arg) {
    int64_t never = CO_NEVER;
    assert_int_equal(call_at_depth(depth, wait_until, &never), -ECANCELED);
    trace_letter(arg);
    return NULL;
}

static void *cancel_while_waiting(void *arg) {
    assert_int_equal(co_wait_group_add(&group, 1), 0);
    co_t *tasks[] = {co_spawn(wait_once, LETTER("a")), co_spawn(cancelled, LETTER("b")),
                     co_spawn(wait_once, LETTER("c"))};
    settle();
    assert_int_equal(co_cancel(tasks[1]), 0);
    assert_int_equal(co_wait_group_done(&group), 0);
    join_all(tasks, 3);
    assert_trace("bac");
    return arg;
}

static void test_deadlines_and_cancels(void **state) {
    (void)state;
    at_each_depth(gives_up);
    at_each_depth(cancel_while_waiting);
}

static void test_numbers(void **state) {
    (void)state;
    group = (co_wait_group_t)CO_WAIT_GROUP_INIT;
    assert_int_equal(co_wait_group_done(&group), -EINVAL);
    assert_int_equal(co_wait_group_add(&group, INT64_MIN), -EINVAL);
    assert_int_equal(co_wait_group_add(&group, 0), 0);
    assert_int_equal(co_wait_group_add(&group, 2), 0); /* outside of tasks */
    assert_int_equal(co_wait_group_add(&group, -3), -EINVAL);
    assert_int_equal(co_wait_group_add(&group, INT64_MIN), -EINVAL);
    assert_int_equal(co_wait_group_add(&group, INT64_MAX), -EOVERFLOW);
    assert_int_equal(co_wait_group_add(&group, INT64_MAX - 2), 0);
    assert_int_equal(co_wait_group_add(&group, 1), -EOVERFLOW);
    assert_int_equal(co_wait_group_add(&group, -INT64_MAX), 0);
    assert_int_equal(co_wait_group_destroy(&group), 0);
}

/* ---- Any order ------------------------------------------------------------------------------------------------- */

enum { TASKS = 8 };
static int working;
static co_t *workers[TASKS];

static int done(void *arg) { return co_wait_group_done(arg); }

static void *work(void *arg) {
    dawdle();
    if (random_below(3) == 0) { /* a part of the work is another's */
        assert_int_equal(co_wait_group_add(&group, 1), 0);
        working++;
        co_t *other = co_spawn(work, arg);
        assert_int_equal(co_detach(other), 0);
    }
    dawdle();
    working--;
    assert_int_equal(call_at_depth(depths[number_of(arg) % DEPTHS], done, &group), 0);
    return NULL;
}

static void *wait_for_all(void *arg) {
    (void)arg;
    int64_t deadline = random_deadline();
    const int status = call_at_depth(depths[random_below(DEPTHS)], wait_until, &deadline);
    if (!gave_up(status))
        assert_true(status == 0 && working == 0);
    return NULL;
}

static void *work_and_wait(void *arg) {
    assert_int_equal(co_wait_group_add(&group, TASKS), 0);
    working = TASKS;
    for (int i = 0; i < TASKS; i++) {
        co_t *task = co_spawn(work, value_of(i));
        assert_int_equal(co_detach(task), 0);
    }
    for (int i = 0; i < TASKS; i++)
        workers[i] = co_spawn(wait_for_all, NULL);
    for (int i = 0; i < 4; i++) {
        co_cancel(workers[random_below(TASKS)]);
        co_sleep(random_below(3));
    }
    assert_int_equal(co_wait_group_wait(&group, CO_NEVER), 0);
    assert_int_equal(working, 0);
    join_all(workers, TASKS);
    return arg;
}

static void test_waiting_in_any_order(void **state) {
    (void)state;
    for (int seed = 0; seed < seeds(); seed++) {
        random_begin((uint64_t)seed);
        assert_int_equal(run_seeded((uint64_t)seed, work_and_wait, NULL), 0);
        assert_int_equal(co_wait_group_destroy(&group), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_go_on_when_nothing_is_pending),
        cmocka_unit_test(test_deadlines_and_cancels),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_waiting_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
