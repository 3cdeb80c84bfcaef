/* co_counters: a count that misses an event, counts one twice, or outlives its scheduler. */
#define _GNU_SOURCE
#include "task_look.h"

static co_counters_t counted(void) {
    co_counters_t counters;
    memset(&counters, 0xff, sizeof counters);
    assert_int_equal(co_counters(&counters), 0);
    return counters;
}

static void *yields(void *count) {
    for (int i = 0; i < *(const int *)count; i++)
        assert_int_equal(co_sched_yield(), 0);
    return NULL;
}

static void *spawning(void *arg) {
    enum { COUNT = 200 }; /* more than the scheduler has room for at first */
    co_t *tasks[COUNT];
    co_counters_t now = counted();
    assert_int_equal(now.spawned, 1);
    assert_int_equal(now.ended, 0);
    assert_int_equal(now.live, 1);
    assert_int_equal(now.peak, 1);
    for (size_t i = 0; i < COUNT; i++) {
        tasks[i] = spawn_named("a", ends_at_once, NULL);
        now = counted();
        assert_int_equal(now.spawned, i + 2);
        assert_int_equal(now.live, i + 2);
        assert_int_equal(now.peak, i + 2);
    }
    assert_int_equal(co_sched_yield(), 0);
    now = counted();
    assert_int_equal(now.ended, COUNT); /* though nobody has joined them */
    assert_int_equal(now.live, 1);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(co_join(tasks[i], NULL, CO_NEVER), 0);
    assert_int_equal(co_join(spawn_named("a", ends_at_once, NULL), NULL, CO_NEVER), 0);
    now = counted();
    assert_int_equal(now.spawned, COUNT + 2);
    assert_int_equal(now.ended, COUNT + 1);
    assert_int_equal(now.live, 1);
    assert_int_equal(now.peak, COUNT + 1);
    assert_null(co_spawn(NULL, NULL)); /* a failure is none */
    assert_int_equal(counted().spawned, COUNT + 2);
    return arg;
}

/* Turns, at any depth and by every way of giving them away. */
static void yield_in_turn(void *count) { (void)yields(count); }

static void *switching(void *arg) {
    static const int count = 300; /* beyond the next look at the clock */
    static const int depths[] = {0, 1, 10};
    const uint64_t at_first = counted().switches;
    assert_int_equal(at_first, 1); /* into this one */
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(counted().switches, 2);
    for (size_t i = 0; i < 3; i++) {
        const struct at_depth at = {depths[i], yield_in_turn, (void *)(uintptr_t)&count};
        const uint64_t before = counted().switches;
        co_t *task = spawn_named("a", body_at_depth, (void *)(uintptr_t)&at);
        assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
        assert_int_equal(counted().switches - before, (uint64_t)count + 1 + 1); /* its turns, and this one's next */
    }
    return arg;
}

static void *waking(void *arg) {
    static const int64_t never = CO_NEVER, some = 100;
    co_counters_t now = counted();
    assert_int_equal(now.wakes, 0);
    assert_int_equal(now.timers, 0);
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_sleep(0), 0); /* only gives the turn away */
    now = counted();
    assert_int_equal(now.wakes, 0);
    assert_int_equal(now.timers, 0);
    assert_int_equal(co_sleep(10), 0);
    now = counted();
    assert_int_equal(now.wakes, 1);
    assert_int_equal(now.timers, 1);
    co_t *parked = spawn_named("a", parks, (void *)(uintptr_t)&never);
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(counted().wakes, 1);
    assert_int_equal(co_unpark(parked), 0);
    assert_int_equal(co_join(parked, NULL, CO_NEVER), 0); /* it wakes, and then this one */
    assert_int_equal(counted().wakes, 3);
    assert_int_equal(counted().timers, 1);
    co_t *sleeping = spawn_named("b", sleeper, (void *)(uintptr_t)&some);
    assert_int_equal(co_join(sleeping, NULL, co_after(1)), -ETIMEDOUT);
    now = counted();
    assert_int_equal(now.wakes, 4);
    assert_int_equal(now.timers, 3);
    assert_int_equal(co_cancel(sleeping), 0); /* that its timer is disarmed counts for nothing */
    assert_int_equal(co_cancel(sleeping), 0); /* nor that it is cancelled again */
    assert_int_equal(co_join(sleeping, NULL, CO_NEVER), 0);
    now = counted();
    assert_int_equal(now.wakes, 6);
    assert_int_equal(now.timers, 3);
    assert_int_equal(co_join(spawn_named("c", ends_at_once, NULL), NULL, 0), -ETIMEDOUT); /* without waiting */
    assert_int_equal(counted().wakes, 6);
    assert_int_equal(counted().timers, 3);
    for (uint64_t i = 1; i <= 3; i++) { /* ends of plain tasks take a shorter way */
        assert_int_equal(co_join(co_spawn(ends_at_once, NULL), NULL, CO_NEVER), 0);
        now = counted();
        assert_int_equal(now.wakes, 6 + i);
        assert_int_equal(now.spawned - now.ended, now.live);
    }
    return arg;
}

static void every_order_of_looking(co_fn fn) {
    assert_int_equal(run_virtually(0, 0, NULL, NULL, fn, NULL), 0);
    FILE *trace_file = fopen("/dev/null", "w"); /* every turn begins and ends in C */
    assert_int_equal(run_virtually(0, 0, NULL, trace_file, fn, NULL), 0);
    assert_int_equal(fclose(trace_file), 0);
}

static void test_tasks(void **state) {
    (void)state;
    every_order_of_looking(spawning);
}

static void test_switches(void **state) {
    (void)state;
    every_order_of_looking(switching);
}

static void test_wakes_and_timers(void **state) {
    (void)state;
    every_order_of_looking(waking);
}

static void *wrong_uses(void *arg) {
    assert_int_equal(co_counters(NULL), -EINVAL);
    return arg;
}

static void test_misuse(void **state) {
    (void)state;
    co_counters_t counters;
    assert_int_equal(co_counters(&counters), -EPERM);
    assert_int_equal(co_counters(NULL), -EINVAL);
    assert_int_equal(run_virtually(0, 0, NULL, NULL, wrong_uses, NULL), 0);
    assert_int_equal(co_counters(&counters), -EPERM);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tasks), cmocka_unit_test(test_switches),
                                       cmocka_unit_test(test_wakes_and_timers), cmocka_unit_test(test_misuse)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
