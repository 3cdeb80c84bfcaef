/* Sleeping and deadlines: the order of those that are equal, the ends of the number range, and many timers. */
#define _GNU_SOURCE
#include "tasks.h"

static void *sleep_until(void *deadline) {
    assert_int_equal(co_sleep_until(*(int64_t *)deadline), 0);
    assert_true(co_now() >= *(int64_t *)deadline);
    return NULL;
}

/* ---- Equal deadlines --------------------------------------------------------------------------------------------- */

static void *sleep_and_trace(void *letter) {
    assert_int_equal(co_sleep_until(5 * MS), 0);
    assert_int_equal(co_now(), 5 * MS);
    trace_add(*(const char *)letter);
    return NULL;
}

static void *sleep_equally(void *arg) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    co_t *gone[25];
    for (int i = 0; i < 26; i++) {
        assert_non_null(co_spawn(sleep_and_trace, LETTER(&letters[i])));
        if (i < 25) /* others that go away, so that the heap is turned over */
            gone[i] = co_spawn(wait_for_cancel, NULL);
    }
    assert_int_equal(co_sleep(MS), 0);
    for (int i = 0; i < 25; i++) {
        assert_int_equal(co_cancel(gone[i]), 0);
        assert_joined(gone[i], -ECANCELED);
    }
    return arg;
}

static void test_equal_deadlines(void **state) {
    (void)state;
    trace_clear();
    assert_int_equal(run_virtually(sleep_equally, NULL), 0);
    assert_trace("abcdefghijklmnopqrstuvwxyz");
}

static void *sleep_late(void *deadline) {
    while (co_now() <= *(int64_t *)deadline)
        continue;
    assert_int_equal(co_sleep_until(*(int64_t *)deadline), 0);
    trace_add('b');
    return NULL;
}

static void *sleep_in_time(void *deadline) {
    assert_int_equal(co_sleep_until(*(int64_t *)deadline), 0);
    trace_add('a');
    return NULL;
}

static void *sleep_late_and_in_time(void *arg) {
    int64_t deadline = co_after(50 * MS);
    co_t *first = co_spawn(sleep_in_time, &deadline), *second = co_spawn(sleep_late, &deadline);
    assert_joined(second, 0);
    assert_joined(first, 0);
    return arg;
}

/* One that comes to sleep when the deadline has passed, and nobody has looked at the clock since. */
static void test_equal_deadlines_late(void **state) {
    (void)state;
    trace_clear();
    assert_int_equal(co_run(sleep_late_and_in_time, NULL, NULL), 0);
    assert_trace("ab");
}

/* ---- The virtual clock ------------------------------------------------------------------------------------------- */

static void *watch_the_clock(void *arg) {
    assert_int_equal(co_now(), 0);
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_now(), 0);
    assert_int_equal(co_sleep(3600 * 1000 * MS), 0);
    assert_int_equal(co_now(), 3600 * 1000 * MS);
    assert_int_equal(co_sleep_until(co_now() + 1), 0);
    assert_int_equal(co_now(), 3600 * 1000 * MS + 1);
    return arg;
}

static void test_virtual_clock(void **state) {
    (void)state;
    const int64_t before = co_now();
    run_in_every_order(watch_the_clock, 0);
    assert_true(co_now() - before < (int64_t)3600 * 1000 * MS);
}

static void *sleep_really(void *arg) {
    const int64_t before = co_now();
    assert_int_equal(co_sleep(MS), 0);
    assert_true(co_now() >= before + MS);
    assert_int_equal(co_park(co_after(MS)), -ETIMEDOUT);
    assert_true(co_now() >= before + 2 * MS);
    return arg;
}

/* A sleep that ends before its time. */
static void test_real_clock(void **state) {
    (void)state;
    assert_int_equal(co_run(sleep_really, NULL, NULL), 0);
}

/* ---- Ends of the range ------------------------------------------------------------------------------------------- */

static void *add_letter(void *letter) {
    trace_add(*(const char *)letter);
    return NULL;
}

static void *sleep_not_at_all(void *arg) {
    static const int64_t past[] = {0, -1, INT64_MIN, 1};
    assert_int_equal(co_sleep(2), 0);
    trace_clear();
    for (size_t i = 0; i < sizeof past / sizeof past[0]; i++) {
        assert_non_null(co_spawn(add_letter, LETTER("t"))); /* it has its turn nevertheless */
        assert_int_equal(co_sleep_until(past[i]), 0);
        assert_int_equal(trace_length, i + 1);
    }
    assert_int_equal(co_sleep(0), 0);
    assert_int_equal(co_sleep(-1), 0);
    assert_int_equal(co_sleep(INT64_MIN), 0);
    assert_int_equal(co_now(), 2);
    assert_int_equal(co_park(0), -ETIMEDOUT);
    assert_int_equal(co_park(INT64_MIN), -ETIMEDOUT);
    assert_int_equal(co_park(2), -ETIMEDOUT);
    assert_int_equal(co_now(), 2);
    return arg;
}

static void test_past(void **state) {
    (void)state;
    trace_clear();
    assert_int_equal(run_virtually(sleep_not_at_all, NULL), 0);
}

static void *approach_the_end(void *arg) {
    assert_int_equal(co_after(INT64_MAX), CO_NEVER);
    assert_int_equal(co_after(INT64_MAX - 1), CO_NEVER - 1);
    assert_int_equal(co_after(INT64_MIN), INT64_MIN);
    assert_int_equal(co_sleep(INT64_MAX - 10), 0);
    assert_int_equal(co_now(), INT64_MAX - 10);
    assert_int_equal(co_after(9), CO_NEVER - 1);
    assert_int_equal(co_after(10), CO_NEVER);
    assert_int_equal(co_after(11), CO_NEVER);
    assert_int_equal(co_after(INT64_MAX), CO_NEVER);
    assert_int_equal(co_after(INT64_MIN), -11);
    assert_int_equal(co_sleep_until(CO_NEVER - 1), 0);
    assert_int_equal(co_now(), CO_NEVER - 1);
    assert_int_equal(co_park(CO_NEVER - 1), -ETIMEDOUT);
    assert_int_equal(co_sleep(0), 0);
    return arg;
}

/* A sum that overflows; a deadline at the end of time that is taken for none. */
static void test_end_of_time(void **state) {
    (void)state;
    run_in_every_order(approach_the_end, 0);
}

static void *cancel_it(void *task) {
    assert_int_equal(co_sleep(INT64_MAX - 1), 0);
    assert_int_equal(co_cancel(task), 0);
    return NULL;
}

static void *sleep_for_ever(void *arg) {
    co_t *task = co_spawn(wait_for_cancel, NULL), *other = co_spawn(cancel_it, task);
    assert_joined(task, -ECANCELED);
    assert_joined(other, 0);
    task = co_spawn(wait_for_cancel, NULL);
    assert_int_equal(co_join(task, NULL, co_after(-1)), -ETIMEDOUT);
    assert_int_equal(co_cancel(task), 0);
    assert_joined(task, -ECANCELED);
    return arg;
}

/* A deadline that does not come, and does. */
static void test_never(void **state) {
    (void)state;
    run_in_every_order(sleep_for_ever, 0);
}

/* ---- Many -------------------------------------------------------------------------------------------------------- */

#if defined(TEST_SANITIZED) || !defined(__x86_64__)
enum { MANY = 2000, TIMERS = 20000 };
#else
enum { MANY = 10000, TIMERS = 1000000 };
#endif

static int64_t deadlines[MANY];
static int64_t last_deadline;
static int awake;

static void *sleep_in_order(void *deadline) {
    assert_int_equal(co_sleep_until(*(int64_t *)deadline), 0);
    assert_int_equal(co_now(), *(int64_t *)deadline);
    assert_true(*(int64_t *)deadline >= last_deadline);
    last_deadline = *(int64_t *)deadline;
    awake++;
    return NULL;
}

static uint64_t next_random(uint64_t *number) {
    *number ^= *number << 13;
    *number ^= *number >> 7;
    *number ^= *number << 17;
    return *number;
}

static void *sleep_many(void *arg) {
    uint64_t number = 88172645463325252u;
    awake = 0;
    last_deadline = 0;
    for (int i = 0; i < MANY; i++) {
        deadlines[i] = (int64_t)(next_random(&number) % 5000) + 1;
        assert_non_null(co_spawn(sleep_in_order, &deadlines[i]));
    }
    return arg;
}

/* A heap that is none. */
static void test_many_sleepers(void **state) {
    (void)state;
    assert_int_equal(run_virtually(sleep_many, NULL), 0);
    assert_int_equal(awake, MANY);
    assert_int_equal(run_seeded(1, sleep_many, NULL), 0);
    assert_int_equal(awake, MANY);
}

static void *sleep_again_and_again(void *arg) {
    uint64_t number = (uint64_t)number_of(arg) + 1;
    for (int i = 0; i < TIMERS / 1000; i++) {
        const int64_t until = co_after((int64_t)(next_random(&number) % 1000) + 1);
        const int status = co_sleep_until(until);
        assert_true(status == 0 ? co_now() == until : status == -ECANCELED && co_now() < until);
        if (status == -ECANCELED)
            assert_int_equal(co_uncancel(), 1);
    }
    awake++;
    return NULL;
}

static void *arm_and_cancel(void *arg) {
    static co_t *tasks[1000];
    uint64_t number = 1;
    awake = 0;
    for (int i = 0; i < 1000; i++)
        tasks[i] = co_spawn(sleep_again_and_again, value_of(i));
    while (awake < 1000) {
        (void)co_cancel(tasks[next_random(&number) % 1000]);
        assert_int_equal(co_sleep(3), 0);
    }
    for (int i = 0; i < 1000; i++)
        assert_joined(tasks[i], 0);
    return arg;
}

/* A million timers that are armed, fire or are taken out anywhere in the heap. */
static void test_many_timers(void **state) {
    (void)state;
    if (under_valgrind())
        skip();
    assert_int_equal(run_virtually(arm_and_cancel, NULL), 0);
}

static void *time_out(void *arg) {
    static co_t *tasks[MANY];
    static int64_t deadline = 7 * MS;
    deadline = co_after(7 * MS);
    for (int i = 0; i < MANY; i++)
        tasks[i] = co_spawn(sleep_until, &deadline);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(co_join(tasks[i], NULL, co_after(MS / MANY)), -ETIMEDOUT);
    for (int i = 0; i < MANY; i++)
        assert_joined(tasks[i], 0);
    return arg;
}

static void test_many_timeouts(void **state) {
    (void)state;
    assert_int_equal(run_virtually(time_out, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_deadlines),
        cmocka_unit_test(test_equal_deadlines_late),
        cmocka_unit_test(test_virtual_clock),
        cmocka_unit_test(test_real_clock),
        cmocka_unit_test(test_past),
        cmocka_unit_test(test_end_of_time),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_many_sleepers),
        cmocka_unit_test(test_many_timers),
        cmocka_unit_test(test_many_timeouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
