/* Once: what is done twice, by two at a time, or never, since the first who tried has failed. */
#define _GNU_SOURCE
#include "sync.h"

static co_once_t once;
static int depth;

/* How often each of them was called, what it is to answer, and for how long it runs. */
static int calls, answer, running;

static int initialise(void *arg) {
    calls++;
    if (arg != NULL)
        trace_letter(arg);
    assert_int_equal(running++, 0);
    const int status = co_sleep(10);
    running--;
    return status != 0 ? status : answer;
}

struct caller {
    int64_t deadline;
    int status;
    char letter;
};

static int call_as_told(void *arg) {
    struct caller *caller = arg;
    return co_once(&once, initialise, &caller->letter, caller->deadline);
}

static void *call_once(void *arg) {
    struct caller *caller = arg;
    caller->status = 1;
    caller->status = call_at_depth(depth, call_as_told, caller);
    return NULL;
}

static void at_each_depth(co_fn fn) {
    for (int i = 0; i < DEPTHS; i++) {
        depth = depths[i];
        once = (co_once_t)CO_ONCE_INIT;
        calls = answer = running = 0;
        trace_clear();
        assert_int_equal(run_quietly(fn, NULL), 0);
        assert_int_equal(co_once_destroy(&once), 0);
    }
    depth = 0;
}

enum { COUNT = 4 };
static struct caller callers[COUNT];
static co_t *tasks[COUNT];

static void spawn_callers(void) {
    for (int i = 0; i < COUNT; i++) {
        callers[i] = (struct caller){CO_NEVER, 0, "abcd"[i]};
        assert_non_null(tasks[i] = co_spawn(call_once, &callers[i]));
    }
    settle();
}

/* ---- Done, failed ------------------------------------------------------------------------------------------------ */

static void *others_wait(void *arg) {
    spawn_callers();
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(callers[i].status, 1);
    assert_int_equal(co_once_destroy(&once), -EBUSY);
    join_all(tasks, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(callers[i].status, 0);
    assert_int_equal(co_once(&once, initialise, NULL, INT64_MIN), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(co_once_destroy(&once), 0); /* as new */
    assert_int_equal(co_once(&once, initialise, NULL, INT64_MIN), 0);
    assert_int_equal(calls, 2);
    return arg;
}

static void test_others_wait(void **state) {
    (void)state;
    at_each_depth(others_wait);
}

static void *fails(void *arg) {
    answer = -EIO;
    spawn_callers();
    assert_int_equal(co_sleep(10), 0);
    assert_trace("ab"); /* each its own */
    assert_int_equal(callers[0].status, -EIO);
    answer = 7; /* not 0 */
    assert_int_equal(co_sleep(10), 0);
    assert_trace("abc");
    answer = 0;
    assert_int_equal(callers[1].status, 7);
    join_all(tasks, COUNT);
    assert_trace("abc");
    assert_int_equal(callers[2].status, 0);
    assert_int_equal(callers[3].status, 0);
    return arg;
}

static void *fails_alone(void *arg) {
    answer = -EIO;
    assert_int_equal(co_once(&once, initialise, NULL, CO_NEVER), -EIO);
    answer = 0;
    assert_int_equal(co_once(&once, initialise, NULL, CO_NEVER), 0);
    assert_int_equal(calls, 2);
    return arg;
}

/* Tasks that wait for ever for what nobody does any more. */
static void test_who_waits_tries_after_a_failure(void **state) {
    (void)state;
    at_each_depth(fails);
    at_each_depth(fails_alone);
}

/* ---- Deadlines and cancels --------------------------------------------------------------------------------------- */

static void *gives_up(void *arg) {
    spawn_callers();
    assert_int_equal(co_once(&once, initialise, NULL, 0), -ETIMEDOUT);
    assert_int_equal(co_once(&once, initialise, NULL, co_after(2)), -ETIMEDOUT);
    assert_int_equal(co_cancel(tasks[1]), 0); /* waits */
    assert_int_equal(co_cancel(tasks[0]), 0); /* runs it, and fails */
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(callers[0].status, -ECANCELED);
    assert_int_equal(co_cancel(tasks[2]), 0); /* runs it now, and fails */
    settle();
    assert_trace("acd");
    join_all(tasks, COUNT);
    const int expected[] = {-ECANCELED, -ECANCELED, -ECANCELED, 0};
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(callers[i].status, expected[i]);
    co_cancel(co_task());
    assert_int_equal(co_once(&once, initialise, NULL, CO_NEVER), -ECANCELED); /* before anything else */
    return arg;
}

static void test_deadlines_and_cancels(void **state) {
    (void)state;
    at_each_depth(gives_up);
}

/* ---- Misuse ---------------------------------------------------------------------------------------------------- */

static int call_again(void *arg) { return co_once(arg, call_again, arg, CO_NEVER); }

static void *recursion(void *arg) {
    assert_int_equal(co_once(&once, call_again, &once, CO_NEVER), -EDEADLK);
    assert_int_equal(co_once(&once, initialise, NULL, CO_NEVER), 0);
    assert_int_equal(co_once(&once, NULL, NULL, CO_NEVER), -EINVAL); /* done or not */
    return arg;
}

static void test_recursion(void **state) {
    (void)state;
    at_each_depth(recursion);
}

static int wait_for_nobody(void *arg) {
    (void)arg;
    return co_sleep(INT64_MAX);
}

static void *never_ends(void *arg) {
    co_once(&once, wait_for_nobody, NULL, CO_NEVER);
    fail();
    return arg;
}

static void *after_another_run(void *arg) {
    assert_int_equal(co_once(&once, initialise, NULL, CO_NEVER), -EPERM);
    return arg;
}

static void test_closed_in_the_middle(void **state) {
    (void)state;
    once = (co_once_t)CO_ONCE_INIT;
    assert_int_equal(run_quietly(never_ends, NULL), -EDEADLK);
    assert_int_equal(co_once_destroy(&once), -EBUSY);
    assert_int_equal(run_quietly(after_another_run, NULL), 0);
}

/* ---- Any order ------------------------------------------------------------------------------------------------- */

enum { TASKS = 6 };
static co_t *workers[TASKS];
static bool is_done;

static int try_it(void *arg) {
    (void)arg;
    assert_false(is_done);
    assert_int_equal(running++, 0);
    dawdle();
    running--;
    if (random_below(3) != 0)
        return co_sleep(random_below(3)) == -ECANCELED ? -ECANCELED : -EIO;
    is_done = true;
    return 0;
}

static int attempt(void *arg) { return co_once(&once, try_it, NULL, *(const int64_t *)arg); }

static void *work(void *arg) {
    int status;
    do {
        int64_t deadline = random_deadline();
        status = call_at_depth(depths[number_of(arg) % DEPTHS], attempt, &deadline);
        assert_int_equal(status == 0, is_done && status == 0);
        if (!gave_up(status))
            assert_true(status == 0 || status == -EIO);
        dawdle();
    } while (status != 0);
    return NULL;
}

static void *work_and_cancel(void *arg) {
    for (int i = 0; i < TASKS; i++)
        workers[i] = co_spawn(work, value_of(i));
    for (int i = 0; i < 8; i++) {
        co_cancel(workers[random_below(TASKS)]);
        co_sleep(random_below(4));
    }
    join_all(workers, TASKS);
    return arg;
}

static void test_done_once_in_any_order(void **state) {
    (void)state;
    for (int seed = 0; seed < seeds(); seed++) {
        random_begin((uint64_t)seed);
        once = (co_once_t)CO_ONCE_INIT;
        is_done = false;
        running = 0;
        assert_int_equal(run_seeded((uint64_t)seed, work_and_cancel, NULL), 0);
        assert_true(is_done);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_others_wait),           cmocka_unit_test(test_who_waits_tries_after_a_failure),
        cmocka_unit_test(test_deadlines_and_cancels), cmocka_unit_test(test_recursion),
        cmocka_unit_test(test_closed_in_the_middle),  cmocka_unit_test(test_done_once_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
