/* Blocking at any depth: what a call answers, that the task goes on in the innermost coroutine, and that meanwhile
 * nobody else can enter, throw into, close or destroy any of those that take part. */
#define _GNU_SOURCE
#include "tasks.h"

#include <co/gen.h>

/* ---- Each call, at each depth ------------------------------------------------------------------------------------ */

static void *unpark_it(void *task) {
    assert_int_equal(co_unpark(task), 0);
    return task;
}

static void block_in_each_way(void *arg) {
    void *result = UNTOUCHED;
    co_t *self = co_self(), *task = co_task();
    const int64_t begin = co_now();
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_sleep_until(begin + 2 * MS), 0);
    assert_int_equal(co_now(), begin + 2 * MS);
    assert_int_equal(co_join(co_spawn(do_nothing, value_of(3)), &result, CO_NEVER), 0);
    assert_int_equal(number_of(result), 3);
    assert_int_equal(co_park(co_after(MS)), -ETIMEDOUT);
    co_t *other = co_spawn(unpark_it, co_task());
    assert_int_equal(co_park(CO_NEVER), 0);
    assert_joined(other, 0);
    assert_ptr_equal(co_self(), self);
    assert_ptr_equal(co_task(), task);
    (void)arg;
}

static void *block_at_depth(void *depth) {
    at_depth((int)number_of(depth), block_in_each_way, NULL);
    return depth;
}

/* Several at a time, so that one's words are not another's. */
static void *block_at_every_depth(void *arg) {
    co_t *tasks[2 * DEPTHS];
    for (int i = 0; i < 2 * DEPTHS; i++)
        tasks[i] = co_spawn(block_at_depth, value_of(depths[i % DEPTHS]));
    for (int i = 0; i < 2 * DEPTHS; i++)
        assert_joined(tasks[i], 0);
    return arg;
}

static void test_each_call(void **state) {
    (void)state;
    run_in_every_order(block_at_every_depth, 0);
}

/* ---- Generators -------------------------------------------------------------------------------------------------- */

static CO_GENERATOR(slowly, long, (long, last)) {
    for (long i = 1; i <= last; i++) {
        assert_int_equal(co_sleep(MS), 0);
        CO_EMIT(i);
        assert_int_equal(co_sched_yield(), 0);
    }
}

static CO_GENERATOR(through, long, (long, depth), (long, last)) {
    if (depth == 0)
        CO_FROM(slowly(last), NULL);
    else
        CO_FROM(through(depth - 1, last), NULL);
}

static void *sum_up(void *depth) {
    long sum = 0;
    CO_FOR(long, item, through((long)number_of(depth), 5L))
        sum += item;
    assert_int_equal(sum, 15);
    assert_true(co_now() >= 5 * MS);
    return depth;
}

static void *sum_up_at_every_depth(void *arg) {
    co_t *tasks[DEPTHS];
    for (int i = 0; i < DEPTHS; i++)
        tasks[i] = co_spawn(sum_up, value_of(depths[i]));
    for (int i = 0; i < DEPTHS; i++)
        assert_joined(tasks[i], 0);
    return arg;
}

static void test_generators(void **state) {
    (void)state;
    run_in_every_order(sum_up_at_every_depth, 0);
}

/* A coroutine that blocks in one task, is suspended, and blocks in another. */
static void *wander(void *arg) {
    for (int i = 0; i < 10; i++) {
        co_t *task = co_task();
        assert_int_equal(co_sleep(MS), 0);
        assert_int_equal(co_sched_yield(), 0);
        assert_ptr_equal(co_task(), task);
        co_yield(arg);
    }
    return arg;
}

static void *resume_the_wanderer(void *co) {
    for (int i = 0; i < 5; i++) {
        int status;
        while ((status = co_resume(co, NULL, NULL)) == -EBUSY) /* the other task has it */
            assert_int_equal(co_sleep(MS / 3), 0);
        assert_int_equal(status, CO_YIELDED);
        assert_int_equal(co_sched_yield(), 0);
    }
    return co;
}

static void *hand_over(void *arg) {
    co_t *co = co_create(wander, NULL);
    co_t *one = co_spawn(resume_the_wanderer, co), *two = co_spawn(resume_the_wanderer, co);
    assert_joined(one, 0);
    assert_joined(two, 0);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
    return arg;
}

static void test_from_task_to_task(void **state) {
    (void)state;
    run_in_every_order(hand_over, 0);
}

/* ---- Left alone -------------------------------------------------------------------------------------------------- */

enum { DEEPEST = 10 };
static co_t *chain[DEEPEST + 1]; /* from the task inwards */
static int chain_length;

static void *enter_chain(void *depth) {
    chain[chain_length++] = co_self();
    if (number_of(depth) > 0) {
        co_t *co = co_create(enter_chain, value_of(number_of(depth) - 1));
        assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
        assert_int_equal(co_destroy(co), 0);
    } else {
        assert_int_equal(co_sleep(2 * MS), 0);
        assert_int_equal(co_sched_yield(), 0);
    }
    return depth;
}

static void assert_left_alone(co_t *co, co_status_t status) {
    void *out = UNTOUCHED;
    assert_int_equal(co_resume(co, NULL, &out), -EBUSY);
    assert_int_equal(co_resume(co, value_of(1), &out), -EBUSY);
    assert_int_equal(co_throw(co, EIO, &out), -EBUSY);
    assert_int_equal(co_close(co), -EBUSY);
    assert_int_equal(co_destroy(co), -EBUSY);
    assert_ptr_equal(out, UNTOUCHED);
    assert_int_equal(co_status(co), status);
}

static void assert_chain_left_alone(void *arg) {
    (void)arg;
    for (int i = 0; i < chain_length; i++)
        assert_left_alone(chain[i], CO_NORMAL);
}

static void *interfere(void *arg) {
    co_t *self = co_task();
    assert_left_alone(self, CO_RUNNING);
    for (int i = 0; i < DEPTHS; i++) {
        chain_length = 0;
        co_t *task = co_spawn(enter_chain, value_of(depths[i]));
        assert_left_alone(task, CO_NORMAL); /* it waits for its first turn */
        assert_int_equal(co_sleep(MS), 0);
        assert_int_equal(chain_length, depths[i] + 1);
        assert_chain_left_alone(NULL);
        at_depth(3, assert_chain_left_alone, NULL);
        assert_int_equal(co_sleep(MS), 0);
        assert_joined(task, 0);
        task = co_spawn(do_nothing, NULL);
        assert_int_equal(co_sleep(MS), 0);
        assert_int_equal(co_status(task), CO_DEAD);
        assert_int_equal(co_resume(task, NULL, NULL), -ESRCH);
        assert_int_equal(co_destroy(task), -EBUSY); /* it is to be joined */
        assert_joined(task, 0);
    }
    return arg;
}

static void test_left_alone(void **state) {
    (void)state;
    run_in_every_order(interfere, 0);
}

static void look_at_the_task(void *task) {
    assert_left_alone(task, CO_NORMAL);
    assert_int_equal(co_status(co_self()), CO_RUNNING);
}

static void *look_at_oneself(void *arg) {
    at_depth(1, look_at_the_task, co_task());
    at_depth(10, look_at_the_task, co_task());
    return arg;
}

/* A task that runs, seen from a coroutine that it has resumed. */
static void test_own_task(void **state) {
    (void)state;
    run_in_every_order(look_at_oneself, 0);
}

/* ---- A blocking call inside a close ------------------------------------------------------------------------------ */

static void block_deferred(void *arg) {
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_sched_yield(), 0);
    ++*(int *)arg;
}

static void *suspend_with_deferred(void *arg) {
    assert_int_equal(co_defer(block_deferred, arg), 0);
    assert_int_equal(co_defer(block_deferred, arg), 0);
    co_yield(NULL);
    return NULL;
}

static void close_in_a_task(void *arg) {
    int deferred = 0;
    const int64_t begin = co_now();
    co_t *co = co_create(suspend_with_deferred, &deferred);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_destroy(co), 0);
    assert_int_equal(deferred, 2);
    assert_int_equal(co_now(), begin + 2 * MS);
    (void)arg;
}

static void *close_at_every_depth(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], close_in_a_task, NULL);
    return arg;
}

static void test_in_deferred_calls(void **state) {
    (void)state;
    run_in_every_order(close_at_every_depth, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call),  cmocka_unit_test(test_generators), cmocka_unit_test(test_from_task_to_task),
        cmocka_unit_test(test_left_alone), cmocka_unit_test(test_own_task),   cmocka_unit_test(test_in_deferred_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
