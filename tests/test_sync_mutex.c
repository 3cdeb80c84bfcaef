/* Mutexes: a lock that two tasks hold, or one that somebody overtakes, loses or takes away from another. */
#define _GNU_SOURCE
#include "sync.h"

static co_mutex_t mutex;
static int depth;

static int lock_for_ever(void *arg) { return co_mutex_lock(arg, CO_NEVER); }
static int unlock(void *arg) { return co_mutex_unlock(arg); }
static int lock(void) { return call_at_depth(depth, lock_for_ever, &mutex); }

/* Whoever gets the mutex adds its letter, and passes the mutex on after its next turn. */
static void *add_letter(void *arg) {
    assert_int_equal(lock(), 0);
    trace_letter(arg);
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(call_at_depth(depth, unlock, &mutex), 0);
    return NULL;
}

/* The answer of a lock with that deadline, for which the mutex is not kept. */
struct locker {
    int64_t deadline;
    int status;
    char letter;
};

static int lock_as_told(void *arg) {
    struct locker *locker = arg;
    return co_mutex_lock(&mutex, locker->deadline);
}

static void *lock_once(void *arg) {
    struct locker *locker = arg;
    locker->status = 1;
    locker->status = call_at_depth(depth, lock_as_told, locker);
    trace_add(locker->letter);
    if (locker->status == 0)
        assert_int_equal(co_mutex_unlock(&mutex), 0);
    return NULL;
}

static void at_each_depth(co_fn fn) {
    for (int i = 0; i < DEPTHS; i++) {
        depth = depths[i];
        mutex = (co_mutex_t)CO_MUTEX_INIT;
        trace_clear();
        assert_int_equal(run_quietly(fn, NULL), 0);
        assert_int_equal(co_mutex_destroy(&mutex), 0);
    }
    depth = 0;
}

/* ---- Order ----------------------------------------------------------------------------------------------------- */

static void *three_wait(void *arg) {
    co_t *tasks[3];
    assert_int_equal(lock(), 0);
    for (int i = 0; i < 3; i++)
        tasks[i] = co_spawn(add_letter, LETTER(&"abc"[i]));
    settle();
    assert_trace("");
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    assert_int_equal(co_mutex_try_lock(&mutex), -EBUSY); /* it is a's already */
    trace_add('-');
    assert_int_equal(lock(), 0); /* behind c */
    assert_trace("-abc");
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    join_all(tasks, 3);
    return arg;
}

/* A later task that finds the mutex free before the one that waited has its turn. */
static void test_first_come_first_served(void **state) {
    (void)state;
    at_each_depth(three_wait);
}

/* A task that unlocks and locks again at once, and starves all others. */
static void *take_again_and_again(void *arg) {
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lock(), 0);
        trace_letter(arg);
        assert_int_equal(co_sched_yield(), 0);
        assert_int_equal(co_mutex_unlock(&mutex), 0);
    }
    return NULL;
}

static void *three_take_again(void *arg) {
    co_t *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = co_spawn(take_again_and_again, LETTER(&"abc"[i]));
    join_all(tasks, 3);
    assert_trace("abcabcabc");
    return arg;
}

static void test_nobody_starves(void **state) {
    (void)state;
    at_each_depth(three_take_again);
}

static void *not_waiting(void *arg) {
    co_counters_t before, after;
    assert_int_equal(co_counters(&before), 0);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(co_mutex_lock(&mutex, -1), 0); /* however late */
        assert_int_equal(co_mutex_unlock(&mutex), 0);
        assert_int_equal(co_mutex_try_lock(&mutex), 0);
        assert_int_equal(co_mutex_unlock(&mutex), 0);
    }
    assert_int_equal(co_counters(&after), 0);
    assert_int_equal(after.switches, before.switches);
    return arg;
}

/* A turn given away for nothing. */
static void test_a_free_one_is_taken_at_once(void **state) {
    (void)state;
    at_each_depth(not_waiting);
}

/* ---- Deadlines and cancels ------------------------------------------------------------------------------------- */

static void *deadlines(void *arg) {
    struct locker lockers[] = {{INT64_MIN, 0, 'a'},    {-1, 0, 'b'},           {0, 0, 'c'},
                               {co_after(0), 0, 'd'},  {co_after(10), 0, 'f'}, {co_after(5), 0, 'e'},
                               {co_after(10), 0, 'g'}, {INT64_MAX, 0, 'h'}};
    enum { COUNT = sizeof lockers / sizeof lockers[0] };
    co_t *tasks[COUNT];
    assert_int_equal(lock(), 0);
    for (int i = 0; i < COUNT; i++)
        tasks[i] = co_spawn(lock_once, &lockers[i]);
    const int64_t begin = co_now();
    settle();
    assert_trace("abcd");
    assert_int_equal(co_sleep_until(begin + 7), 0);
    assert_trace("abcde");
    assert_int_equal(co_sleep_until(begin + 11), 0);
    assert_trace("abcdefg");
    for (int i = 0; i + 1 < COUNT; i++)
        assert_int_equal(lockers[i].status, -ETIMEDOUT);
    assert_int_equal(lockers[COUNT - 1].status, 1);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    join_all(tasks, COUNT);
    assert_trace("abcdefgh");
    assert_int_equal(lockers[COUNT - 1].status, 0);
    return arg;
}

static void test_deadlines(void **state) {
    (void)state;
    at_each_depth(deadlines);
}

static void *cancels(void *arg) {
    struct locker lockers[] = {{CO_NEVER, 0, 'a'}, {CO_NEVER, 0, 'b'}, {CO_NEVER, 0, 'c'}, {CO_NEVER, 0, 'd'}};
    co_t *tasks[4];
    assert_int_equal(lock(), 0);
    for (int i = 0; i < 4; i++)
        tasks[i] = co_spawn(lock_once, &lockers[i]);
    assert_int_equal(co_cancel(tasks[3]), 0); /* before it asks */
    settle();
    assert_trace("d");
    assert_int_equal(co_cancel(tasks[1]), 0); /* while it waits, between two others */
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    assert_int_equal(co_cancel(tasks[0]), 0); /* when it has been handed the mutex */
    join_all(tasks, 4);
    assert_trace("dbac");
    const int expected[] = {0, -ECANCELED, 0, -ECANCELED};
    for (int i = 0; i < 4; i++)
        assert_int_equal(lockers[i].status, expected[i]);
    return arg;
}

/* A lock that is handed to somebody who does not wait any more, or is lost by a cancel after the hand-over. */
static void test_cancels(void **state) {
    (void)state;
    at_each_depth(cancels);
}

static void *cancelled_holder(void *arg) {
    assert_int_equal(lock(), 0);
    co_cancel(co_task());
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), -ECANCELED); /* before anything else */
    assert_int_equal(co_mutex_try_lock(&mutex), -EBUSY);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    assert_int_equal(lock(), -ECANCELED);
    assert_int_equal(co_mutex_try_lock(&mutex), 0);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    co_shield();
    assert_int_equal(lock(), 0);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    co_unshield();
    assert_int_equal(co_uncancel(), 1);
    return arg;
}

/* A task that cannot clean up, being cancelled. */
static void test_cancelled_while_holding(void **state) {
    (void)state;
    at_each_depth(cancelled_holder);
}

static void *expires_at_hand_over(void *arg) {
    struct locker locker = {co_after(5), 0, 'a'};
    assert_int_equal(lock(), 0);
    co_t *task = co_spawn(lock_once, &locker);
    assert_int_equal(co_sleep(4), 0);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    assert_int_equal(locker.status, 1); /* it has not had its turn */
    join_all(&task, 1);
    assert_int_equal(locker.status, 0);
    co_counters_t counters;
    assert_int_equal(co_counters(&counters), 0);
    const uint64_t wakes = counters.wakes;
    assert_int_equal(co_sleep(5), 0); /* past the deadline, which wakes nobody */
    assert_int_equal(co_counters(&counters), 0);
    assert_int_equal(counters.wakes, wakes + 1);
    return arg;
}

/* A timer that is left behind. */
static void test_handed_over_before_the_deadline(void **state) {
    (void)state;
    at_each_depth(expires_at_hand_over);
}

/* ---- Whose it is ----------------------------------------------------------------------------------------------- */

static void *unlock_of_another(void *arg) {
    assert_int_equal(call_at_depth(depth, unlock, &mutex), -EPERM);
    return arg;
}

static void *ownership(void *arg) {
    assert_int_equal(co_mutex_unlock(&mutex), -EPERM); /* nobody's */
    assert_int_equal(lock(), 0);
    assert_int_equal(co_mutex_destroy(&mutex), -EBUSY);
    assert_int_equal(lock(), -EDEADLK);
    for (int i = 0; i < DEPTHS; i++) /* the task's, not the coroutine's */
        assert_int_equal(call_at_depth(depths[i], lock_for_ever, &mutex), -EDEADLK);
    assert_int_equal(co_mutex_try_lock(&mutex), -EBUSY);
    co_t *task = co_spawn(unlock_of_another, NULL);
    join_all(&task, 1);
    assert_int_equal(co_mutex_destroy(&mutex), -EBUSY);
    assert_int_equal(call_at_depth(depth, unlock, &mutex), 0);
    assert_int_equal(co_mutex_unlock(&mutex), -EPERM); /* twice */
    return arg;
}

static void test_ownership(void **state) {
    (void)state;
    at_each_depth(ownership);
}

static void *lock_and_end(void *arg) {
    assert_int_equal(lock(), 0);
    return arg;
}

static void *lock_of_the_dead(void *arg) {
    co_t *task = co_spawn(lock_and_end, NULL);
    join_all(&task, 1);
    for (int i = 0; i < 10; i++) { /* some of them where the ended one was */
        task = co_spawn(unlock_of_another, NULL);
        join_all(&task, 1);
    }
    assert_int_equal(co_mutex_try_lock(&mutex), -EBUSY);
    assert_int_equal(co_mutex_lock(&mutex, co_after(5)), -ETIMEDOUT);
    assert_int_equal(co_mutex_destroy(&mutex), -EBUSY);
    co_mutex_lock(&mutex, CO_NEVER);
    fail(); /* it was closed in its wait */
    return arg;
}

static void *lock_of_another_run(void *arg) {
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), -EPERM);
    assert_int_equal(co_mutex_try_lock(&mutex), -EBUSY);
    assert_int_equal(co_mutex_unlock(&mutex), -EPERM);
    return arg;
}

/* A task that is taken for one that has ended, since it has got its memory; a wait that nobody reports. */
static void test_held_by_a_task_that_has_ended(void **state) {
    (void)state;
    mutex = (co_mutex_t)CO_MUTEX_INIT;
    assert_int_equal(run_quietly(lock_of_the_dead, NULL), -EDEADLK);
    assert_int_equal(run_quietly(lock_of_another_run, NULL), 0);
    mutex = (co_mutex_t)CO_MUTEX_INIT;
    assert_int_equal(run_quietly(lock_and_end, NULL), 0);
    assert_int_equal(run_quietly(lock_of_another_run, NULL), 0); /* the same task of another run, in the same place */
    mutex = (co_mutex_t)CO_MUTEX_INIT;
}

static void unlock_deferred(void *arg) { trace_add(co_mutex_unlock(arg) == 0 ? 'u' : 'x'); }

static void *lock_in_two_orders(void *arg) {
    co_mutex_t *mutexes = arg, *first = &mutexes[0], *second = &mutexes[1];
    if (trace_length++ % 2 != 0) {
        first = second;
        second = &mutexes[0];
    }
    assert_int_equal(co_mutex_lock(first, CO_NEVER), 0);
    co_defer(unlock_deferred, first);
    co_sched_yield();
    co_mutex_lock(second, CO_NEVER);
    fail();
    return NULL;
}

static void *deadlocked(void *arg) {
    co_spawn(lock_in_two_orders, arg);
    co_spawn(lock_in_two_orders, arg);
    return NULL;
}

/* A deadlock's clearing away that wakes those whom it clears away, or leaves locks held that deferred calls give up. */
static void test_deadlock(void **state) {
    (void)state;
    co_mutex_t mutexes[2] = {CO_MUTEX_INIT, CO_MUTEX_INIT};
    trace_clear();
    assert_int_equal(run_quietly(deadlocked, mutexes), -EDEADLK);
    assert_string_equal(trace + 2, "uu");
    assert_int_equal(co_mutex_destroy(&mutexes[0]), 0);
    assert_int_equal(co_mutex_destroy(&mutexes[1]), 0);
}

/* ---- Any order ------------------------------------------------------------------------------------------------- */

enum { TASKS = 6, ROUNDS = 6 };
static int inside, grants;
static int64_t asked, granted;
static co_t *workers[TASKS];

static void *work(void *arg) {
    const intptr_t number = number_of(arg);
    struct locker locker = {0, 0, 0};
    for (int i = 0; i < ROUNDS; i++) {
        locker.deadline = random_deadline();
        const int64_t ticket = ++asked;
        const int status = random_below(5) == 0 ? co_mutex_try_lock(&mutex)
                                                : call_at_depth(depths[number % DEPTHS], lock_as_told, &locker);
        if (status == -EBUSY || gave_up(status))
            continue;
        assert_int_equal(status, 0);
        assert_true(ticket > granted); /* in the order of asking */
        granted = ticket;
        grants++;
        assert_int_equal(inside++, 0);
        dawdle();
        assert_int_equal(--inside, 0);
        assert_int_equal(call_at_depth(depths[random_below(DEPTHS)], unlock, &mutex), 0);
        dawdle();
    }
    return NULL;
}

static void *work_and_cancel(void *arg) {
    for (int i = 0; i < TASKS; i++)
        workers[i] = co_spawn(work, value_of(i));
    for (int i = 0; i < 10; i++) {
        co_cancel(workers[random_below(TASKS)]); /* it may have ended */
        co_sleep(random_below(4));
    }
    join_all(workers, TASKS);
    return arg;
}

static void test_exclusion_in_any_order(void **state) {
    (void)state;
    int all = 0;
    for (int seed = 0; seed < seeds(); seed++) {
        random_begin((uint64_t)seed);
        asked = granted = inside = grants = 0;
        assert_int_equal(run_seeded((uint64_t)seed, work_and_cancel, NULL), 0);
        assert_int_equal(co_mutex_destroy(&mutex), 0);
        all += grants;
    }
    assert_true(all > seeds() * TASKS); /* not only failures */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_come_first_served),
        cmocka_unit_test(test_nobody_starves),
        cmocka_unit_test(test_a_free_one_is_taken_at_once),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_cancels),
        cmocka_unit_test(test_cancelled_while_holding),
        cmocka_unit_test(test_handed_over_before_the_deadline),
        cmocka_unit_test(test_ownership),
        cmocka_unit_test(test_held_by_a_task_that_has_ended),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_exclusion_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
