/* Conditions: a wake-up that is lost, one that goes to the wrong task, and a wait that returns without the mutex. */
#define _GNU_SOURCE
#include "sync.h"

static co_mutex_t mutex;
static co_cond_t cond;
static int depth;

struct waiter {
    int64_t deadline;
    int status;
    char letter;
};

static int wait_as_told(void *arg) {
    const struct waiter *waiter = arg;
    return co_cond_wait(&cond, &mutex, waiter->deadline);
}

/* Whether the caller's task holds the mutex. */
static bool is_held(void) {
    co_shield();
    const int status = co_mutex_lock(&mutex, CO_NEVER);
    co_unshield();
    return status == -EDEADLK;
}

static void *wait_once(void *arg) {
    struct waiter *waiter = arg;
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    waiter->status = 1;
    waiter->status = call_at_depth(depth, wait_as_told, waiter);
    co_uncancel();
    assert_true(is_held());
    trace_add(waiter->letter);
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    return NULL;
}

static void *lock_once(void *arg) {
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    trace_letter(arg);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    return NULL;
}

static void at_each_depth(co_fn fn) {
    for (int i = 0; i < DEPTHS; i++) {
        depth = depths[i];
        mutex = (co_mutex_t)CO_MUTEX_INIT;
        cond = (co_cond_t)CO_COND_INIT;
        trace_clear();
        assert_int_equal(run_quietly(fn, NULL), 0);
        assert_int_equal(co_cond_destroy(&cond), 0);
        assert_int_equal(co_mutex_destroy(&mutex), 0);
    }
    depth = 0;
}

enum { COUNT = 4 };
static struct waiter waiters[COUNT];
static co_t *tasks[COUNT];

static void spawn_waiters(void) {
    for (int i = 0; i < COUNT; i++) {
        waiters[i] = (struct waiter){CO_NEVER, 0, "abcd"[i]};
        assert_non_null(tasks[i] = co_spawn(wait_once, &waiters[i]));
    }
    settle();
}

/* ---- Signals --------------------------------------------------------------------------------------------------- */

static void *signals(void *arg) {
    assert_int_equal(co_cond_signal(&cond), 0); /* nobody waits: nothing is kept */
    assert_int_equal(co_cond_broadcast(&cond), 0);
    spawn_waiters();
    assert_trace("");
    assert_int_equal(co_mutex_try_lock(&mutex), 0); /* those who wait do not hold it */
    assert_int_equal(co_cond_signal(&cond), 0);
    settle();
    assert_trace(""); /* not without the mutex */
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    settle();
    assert_trace("a");
    assert_int_equal(co_cond_signal(&cond), 0);          /* not holding the mutex */
    assert_int_equal(co_mutex_try_lock(&mutex), -EBUSY); /* it is b's already */
    settle();
    assert_trace("ab");
    assert_int_equal(co_cond_destroy(&cond), -EBUSY);
    assert_int_equal(co_cond_broadcast(&cond), 0);
    assert_int_equal(co_cond_destroy(&cond), 0);
    join_all(tasks, COUNT);
    assert_trace("abcd");
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(waiters[i].status, 0);
    return arg;
}

/* The longest waiter is not the one that goes on; more go on than were signalled. */
static void test_signals(void **state) {
    (void)state;
    at_each_depth(signals);
}

static void *in_the_queue_of_the_mutex(void *arg) {
    spawn_waiters();
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    co_t *one = co_spawn(lock_once, LETTER("1"));
    settle();
    assert_int_equal(co_cond_broadcast(&cond), 0);
    co_t *two = co_spawn(lock_once, LETTER("2"));
    settle();
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    join_all(tasks, COUNT);
    join_all(&one, 1);
    join_all(&two, 1);
    assert_trace("1abcd2");
    return arg;
}

/* A signalled task that whoever asks for the mutex later comes before. */
static void test_signalled_tasks_wait_in_turn_for_the_mutex(void **state) {
    (void)state;
    at_each_depth(in_the_queue_of_the_mutex);
}

/* ---- Deadlines and cancels --------------------------------------------------------------------------------------- */

static void *deadlines(void *arg) {
    static const int64_t past[] = {INT64_MIN, -1, 0};
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(co_cond_wait(&cond, &mutex, past[i]), -ETIMEDOUT);
        assert_true(is_held());
    }
    assert_int_equal(co_cond_wait(&cond, &mutex, co_after(5)), -ETIMEDOUT);
    assert_true(is_held());
    co_t *one = co_spawn(lock_once, LETTER("1")), *two = co_spawn(lock_once, LETTER("2"));
    settle();
    assert_int_equal(co_cond_wait(&cond, &mutex, 0), -ETIMEDOUT); /* which lets others in */
    assert_trace("12");
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    join_all(&one, 1);
    join_all(&two, 1);
    return arg;
}

static void test_deadlines(void **state) {
    (void)state;
    at_each_depth(deadlines);
}

static void *gives_up_while_the_mutex_is_held(void *arg) {
    spawn_waiters();
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    assert_int_equal(co_cancel(tasks[2]), 0);
    settle();
    assert_trace("");
    assert_int_equal(co_cancel(tasks[2]), 0); /* it waits for the mutex, and must have it */
    settle();
    assert_trace("");
    assert_int_equal(co_cond_signal(&cond), 0); /* for a, not for c, which has gone */
    settle();
    assert_int_equal(co_cancel(tasks[0]), 0); /* signalled: it waits for the mutex */
    settle();
    assert_trace("");
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    settle();
    assert_trace("ca");
    assert_int_equal(waiters[0].status, 0);
    assert_int_equal(waiters[2].status, -ECANCELED);
    assert_int_equal(co_cond_broadcast(&cond), 0);
    join_all(tasks, COUNT);
    assert_trace("cabd");
    return arg;
}

/* A cancel that takes the mutex away from a task, or with it the signal that was for another. */
static void test_cancels(void **state) {
    (void)state;
    at_each_depth(gives_up_while_the_mutex_is_held);
}

static void *expires_after_the_signal(void *arg) {
    struct waiter waiter = {co_after(5), 0, 'a'};
    co_t *task = co_spawn(wait_once, &waiter);
    settle();
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    assert_int_equal(co_cond_signal(&cond), 0);
    assert_int_equal(co_sleep(20), 0); /* the deadline passes while it waits for the mutex */
    assert_int_equal(waiter.status, 1);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    join_all(&task, 1);
    assert_int_equal(waiter.status, 0);
    return arg;
}

static void *expires_before_the_signal(void *arg) {
    struct waiter waiter = {co_after(5), 0, 'a'};
    co_t *task = co_spawn(wait_once, &waiter);
    settle();
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    assert_int_equal(co_sleep(20), 0);
    assert_int_equal(co_cond_destroy(&cond), 0); /* it does not wait there any more */
    assert_int_equal(co_cond_signal(&cond), 0);
    assert_int_equal(waiter.status, 1);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    join_all(&task, 1);
    assert_int_equal(waiter.status, -ETIMEDOUT);
    return arg;
}

static void test_a_deadline_beside_a_signal(void **state) {
    (void)state;
    at_each_depth(expires_after_the_signal);
    at_each_depth(expires_before_the_signal);
}

/* ---- Misuse ---------------------------------------------------------------------------------------------------- */

static void *hold(void *arg) {
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    assert_int_equal(co_sleep(10), 0);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    return arg;
}

static void *without_the_mutex(void *arg) {
    assert_int_equal(co_cond_wait(&cond, &mutex, CO_NEVER), -EPERM); /* nobody's */
    co_t *task = co_spawn(hold, NULL);
    settle();
    assert_int_equal(co_cond_wait(&cond, &mutex, CO_NEVER), -EPERM); /* another's, who keeps it */
    assert_int_equal(co_mutex_try_lock(&mutex), -EBUSY);
    join_all(&task, 1);
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    co_cancel(co_task());
    assert_int_equal(co_cond_wait(&cond, &mutex, CO_NEVER), -ECANCELED);
    assert_int_equal(co_uncancel(), 1);
    assert_true(is_held());
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    return arg;
}

static void test_a_wait_without_the_mutex(void **state) {
    (void)state;
    at_each_depth(without_the_mutex);
}

static void deferred_unlock(void *arg) { trace_add(co_mutex_unlock(arg) == -EPERM ? 'n' : 'h'); }
static void deferred_wait(void *arg) { trace_add(co_cond_wait(&cond, arg, CO_NEVER) == -ECANCELED ? 'c' : '?'); }

static void *wait_for_nobody(void *arg) {
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    co_defer(deferred_unlock, &mutex);
    co_defer(deferred_wait, &mutex);
    co_cond_wait(&cond, &mutex, CO_NEVER);
    fail();
    return arg;
}

/* What the header says of a deadlock. */
static void test_deadlock(void **state) {
    (void)state;
    trace_clear();
    assert_int_equal(run_quietly(wait_for_nobody, NULL), -EDEADLK);
    assert_trace("cn");
    assert_int_equal(co_cond_destroy(&cond), 0);
    assert_int_equal(co_mutex_destroy(&mutex), 0);
}

/* ---- Any order: a bounded queue ---------------------------------------------------------------------------------- */

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS = 8, ROOM = 2 };
static co_cond_t not_empty, not_full;
static int queue[ROOM], queued, produced, consumed, producers;
static co_t *workers[PRODUCERS + CONSUMERS];

/* The condition, with whatever deadlines and cancels come, until it holds. */
struct wait {
    co_cond_t *cond;
    int64_t deadline;
};

static int wait_in(void *arg) {
    const struct wait *wait = arg;
    return co_cond_wait(wait->cond, &mutex, wait->deadline);
}

static void wait_for(co_cond_t *condition, int nesting) {
    struct wait wait = {condition, random_deadline()};
    const int status = call_at_depth(nesting, wait_in, &wait);
    if (!gave_up(status))
        assert_int_equal(status, 0);
    assert_true(is_held());
}

static bool is_held_after_all(void) {
    int status;
    while (gave_up(status = co_mutex_lock(&mutex, random_deadline())))
        dawdle();
    return status == 0;
}

/* A signal for each change, of which none may be lost: whoever waits without a deadline would wait for ever. */
static void *produce(void *arg) {
    const int nesting = depths[number_of(arg) % DEPTHS];
    for (int i = 0; i < ITEMS; i++) {
        assert_true(is_held_after_all());
        while (queued == ROOM)
            wait_for(&not_full, nesting);
        queue[queued++] = ++produced;
        if (random_below(4) == 0)
            dawdle();
        if (random_below(2) == 0)
            assert_int_equal(co_cond_signal(&not_empty), 0);
        else
            assert_int_equal(co_cond_broadcast(&not_empty), 0);
        assert_int_equal(co_mutex_unlock(&mutex), 0);
        dawdle();
    }
    assert_true(is_held_after_all());
    if (--producers == 0)
        assert_int_equal(co_cond_broadcast(&not_empty), 0);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    return NULL;
}

static void *consume(void *arg) {
    const int nesting = depths[number_of(arg) % DEPTHS];
    for (;;) {
        assert_true(is_held_after_all());
        while (queued == 0 && producers != 0)
            wait_for(&not_empty, nesting);
        if (queued != 0) {
            assert_int_equal(queue[0], ++consumed);
            queue[0] = queue[1];
            queued--;
            dawdle();
            assert_int_equal(co_cond_signal(&not_full), 0);
        } else if (producers == 0) {
            assert_int_equal(co_mutex_unlock(&mutex), 0);
            return NULL;
        }
        assert_int_equal(co_mutex_unlock(&mutex), 0);
        dawdle();
    }
}

static void *produce_and_consume(void *arg) {
    for (int i = 0; i < PRODUCERS + CONSUMERS; i++)
        workers[i] = co_spawn(i < PRODUCERS ? produce : consume, value_of(i));
    for (int i = 0; i < 10; i++) {
        co_cancel(workers[random_below(PRODUCERS + CONSUMERS)]);
        co_sleep(random_below(5));
    }
    join_all(workers, PRODUCERS + CONSUMERS);
    return arg;
}

static void test_a_bounded_queue_in_any_order(void **state) {
    (void)state;
    for (int seed = 0; seed < seeds(); seed++) {
        random_begin((uint64_t)seed);
        queued = produced = consumed = 0;
        producers = PRODUCERS;
        assert_int_equal(run_seeded((uint64_t)seed, produce_and_consume, NULL), 0);
        assert_int_equal(consumed, PRODUCERS * ITEMS);
        assert_int_equal(co_cond_destroy(&not_empty), 0);
        assert_int_equal(co_cond_destroy(&not_full), 0);
        assert_int_equal(co_mutex_destroy(&mutex), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_signalled_tasks_wait_in_turn_for_the_mutex),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_cancels),
        cmocka_unit_test(test_a_deadline_beside_a_signal),
        cmocka_unit_test(test_a_wait_without_the_mutex),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_a_bounded_queue_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
