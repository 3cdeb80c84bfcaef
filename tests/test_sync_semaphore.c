/* Semaphores: a permit that is lost, taken twice, or taken before one who has waited longer. */
#define _GNU_SOURCE
#include "sync.h"

static co_semaphore_t semaphore;
static int depth;

struct waiter {
    int64_t deadline;
    int status;
    char letter;
};

static int wait_as_told(void *arg) {
    const struct waiter *waiter = arg;
    return co_semaphore_wait(&semaphore, waiter->deadline);
}

static int post(void *arg) { return co_semaphore_post(arg); }

static void *wait_once(void *arg) {
    struct waiter *waiter = arg;
    waiter->status = 1;
    waiter->status = call_at_depth(depth, wait_as_told, waiter);
    trace_add(waiter->letter);
    return NULL;
}

/* With `permits` at first, and at the end. */
static void at_each_depth(uint64_t permits, co_fn fn) {
    for (int i = 0; i < DEPTHS; i++) {
        depth = depths[i];
        semaphore = (co_semaphore_t)CO_SEMAPHORE_INIT(permits);
        trace_clear();
        assert_int_equal(run_quietly(fn, NULL), 0);
        assert_int_equal(co_semaphore_destroy(&semaphore), 0);
        assert_int_equal(semaphore.permits, permits);
    }
    depth = 0;
}

enum { COUNT = 4 };
static struct waiter waiters[COUNT];
static co_t *tasks[COUNT];

static void spawn_waiters(int64_t deadline) {
    for (int i = 0; i < COUNT; i++) {
        waiters[i] = (struct waiter){deadline, 0, "abcd"[i]};
        assert_non_null(tasks[i] = co_spawn(wait_once, &waiters[i]));
    }
    settle();
}

/* ---- Order ----------------------------------------------------------------------------------------------------- */

static void *order(void *arg) {
    spawn_waiters(CO_NEVER);
    assert_trace("ab"); /* two permits */
    assert_int_equal(co_semaphore_destroy(&semaphore), -EBUSY);
    assert_int_equal(call_at_depth(depth, post, &semaphore), 0);
    assert_int_equal(co_semaphore_try_wait(&semaphore), -EBUSY); /* the permit is c's already */
    assert_int_equal(co_semaphore_post(&semaphore), 0);
    assert_int_equal(co_semaphore_post(&semaphore), 0); /* nobody's */
    join_all(tasks, COUNT);
    assert_trace("abcd");
    assert_int_equal(co_semaphore_try_wait(&semaphore), 0);
    assert_int_equal(co_semaphore_try_wait(&semaphore), -EBUSY);
    for (int i = 0; i < 2; i++)
        assert_int_equal(co_semaphore_post(&semaphore), 0);
    return arg;
}

static void test_first_come_first_served(void **state) {
    (void)state;
    at_each_depth(2, order);
}

static void *not_waiting(void *arg) {
    co_counters_t before, after;
    assert_int_equal(co_counters(&before), 0);
    assert_int_equal(co_semaphore_wait(&semaphore, INT64_MIN), 0); /* however late */
    assert_int_equal(co_semaphore_wait(&semaphore, CO_NEVER), 0);
    assert_int_equal(co_semaphore_post(&semaphore), 0);
    assert_int_equal(co_semaphore_post(&semaphore), 0);
    assert_int_equal(co_counters(&after), 0);
    assert_int_equal(after.switches, before.switches);
    return arg;
}

static void test_a_permit_is_taken_at_once(void **state) {
    (void)state;
    at_each_depth(2, not_waiting);
}

/* ---- Deadlines and cancels --------------------------------------------------------------------------------------- */

static void *gives_up(void *arg) {
    static const int64_t past[] = {INT64_MIN, -1, 0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(co_semaphore_wait(&semaphore, past[i]), -ETIMEDOUT);
    spawn_waiters(co_after(10));
    assert_int_equal(co_cancel(tasks[1]), 0);
    assert_int_equal(co_semaphore_post(&semaphore), 0); /* a's */
    assert_int_equal(co_cancel(tasks[0]), 0);           /* too late */
    assert_int_equal(co_semaphore_post(&semaphore), 0); /* c's */
    assert_int_equal(co_sleep(20), 0);
    assert_trace("bacd");
    const int expected[] = {0, -ECANCELED, 0, -ETIMEDOUT};
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(waiters[i].status, expected[i]);
    assert_int_equal(co_semaphore_post(&semaphore), 0); /* nobody's */
    join_all(tasks, COUNT);
    co_cancel(co_task());
    assert_int_equal(co_semaphore_wait(&semaphore, CO_NEVER), -ECANCELED);
    assert_int_equal(co_semaphore_try_wait(&semaphore), 0);
    return arg;
}

static void test_deadlines_and_cancels(void **state) {
    (void)state;
    at_each_depth(0, gives_up);
}

/* ---- Misuse ---------------------------------------------------------------------------------------------------- */

static void test_overflow_and_posts_outside_of_tasks(void **state) {
    (void)state;
    co_semaphore_t full = CO_SEMAPHORE_INIT(UINT64_MAX - 1);
    assert_int_equal(co_semaphore_post(&full), 0);
    assert_int_equal(co_semaphore_post(&full), -EOVERFLOW);
    assert_int_equal(full.permits, UINT64_MAX);
}

static void wait_in_vain(void *arg) { trace_add(co_semaphore_wait(arg, CO_NEVER) == -ECANCELED ? 'c' : '?'); }

static void *wait_for_nobody(void *arg) {
    co_defer(wait_in_vain, arg);
    co_semaphore_wait(arg, CO_NEVER);
    fail();
    return NULL;
}

static void test_deadlock(void **state) {
    (void)state;
    semaphore = (co_semaphore_t)CO_SEMAPHORE_INIT(0);
    trace_clear();
    assert_int_equal(run_quietly(wait_for_nobody, &semaphore), -EDEADLK);
    assert_trace("c");
    assert_int_equal(co_semaphore_destroy(&semaphore), 0);
}

/* ---- Any order ------------------------------------------------------------------------------------------------- */

enum { TASKS = 7, ROUNDS = 6, PERMITS = 3 };
static int inside, most, grants;
static co_t *workers[TASKS];

static void *work(void *arg) {
    const intptr_t number = number_of(arg);
    struct waiter waiter = {0, 0, 0};
    for (int i = 0; i < ROUNDS; i++) {
        waiter.deadline = random_deadline();
        const int status = random_below(5) == 0 ? co_semaphore_try_wait(&semaphore)
                                                : call_at_depth(depths[number % DEPTHS], wait_as_told, &waiter);
        if (status == -EBUSY || gave_up(status))
            continue;
        assert_int_equal(status, 0);
        grants++;
        assert_true(++inside <= PERMITS);
        if (inside > most)
            most = inside;
        dawdle();
        inside--;
        assert_int_equal(call_at_depth(depths[random_below(DEPTHS)], post, &semaphore), 0);
        dawdle();
    }
    return NULL;
}

static void *work_and_cancel(void *arg) {
    for (int i = 0; i < TASKS; i++)
        workers[i] = co_spawn(work, value_of(i));
    for (int i = 0; i < 10; i++) {
        co_cancel(workers[random_below(TASKS)]);
        co_sleep(random_below(4));
    }
    join_all(workers, TASKS);
    return arg;
}

static void test_permits_in_any_order(void **state) {
    (void)state;
    for (int seed = 0; seed < seeds(); seed++) {
        random_begin((uint64_t)seed);
        inside = 0;
        semaphore = (co_semaphore_t)CO_SEMAPHORE_INIT(PERMITS);
        assert_int_equal(run_seeded((uint64_t)seed, work_and_cancel, NULL), 0);
        assert_int_equal(co_semaphore_destroy(&semaphore), 0);
        assert_int_equal(semaphore.permits, PERMITS);
    }
    assert_true(most == PERMITS && grants > seeds() * TASKS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_come_first_served),
        cmocka_unit_test(test_a_permit_is_taken_at_once),
        cmocka_unit_test(test_deadlines_and_cancels),
        cmocka_unit_test(test_overflow_and_posts_outside_of_tasks),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_permits_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
