/* co_park and co_unpark, from the scheduler's thread and from others: no wake is lost, and one is remembered. And
 * several schedulers in several threads at once. ThreadSanitizer looks at the same. */
#define _GNU_SOURCE
#include "tasks.h"

#include <pthread.h>
#include <stdatomic.h>

/* In other threads, where cmocka's assertions would go on with the wrong stack. */
#define REQUIRE(condition)                                                                                             \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), abort()))

static void start(pthread_t *thread, void *(*fn)(void *), void *arg) {
    assert_int_equal(pthread_create(thread, NULL, fn, arg), 0);
}

static void join(pthread_t thread) { assert_int_equal(pthread_join(thread, NULL), 0); }

/* ---- The token --------------------------------------------------------------------------------------------------- */

static void park_with_a_token(void *arg) {
    co_t *self = co_task();
    (void)arg;
    assert_int_equal(co_unpark(self), 0);
    assert_int_equal(co_unpark(self), 0);
    assert_int_equal(co_park(CO_NEVER), 0);              /* remembered, */
    assert_int_equal(co_park(co_after(MS)), -ETIMEDOUT); /* once */
    assert_int_equal(co_unpark(self), 0);
    assert_int_equal(co_park(0), 0); /* however late */
    assert_int_equal(co_park(0), -ETIMEDOUT);
    assert_int_equal(co_unpark(self), 0);
    assert_int_equal(co_sleep(MS), 0); /* which it does not wake */
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_cancel(self), 0);
    assert_int_equal(co_park(CO_NEVER), -ECANCELED);
    assert_int_equal(co_uncancel(), 1);
    assert_int_equal(co_park(0), 0); /* it is still there */
}

static void *park_at_every_depth(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], park_with_a_token, NULL);
    return arg;
}

static void test_token(void **state) {
    (void)state;
    run_in_every_order(park_at_every_depth, 0);
}

static void *park_until(void *arg) {
    *(int *)arg = co_park(5 * MS);
    return NULL;
}

static void *unpark_at_the_deadline(void *arg) {
    int answer = 1;
    co_t *task = co_spawn(park_until, &answer);
    assert_int_equal(co_sleep(5 * MS), 0);
    const int status = co_unpark(task);
    assert_true(status == 0 || (status == -ESRCH && answer == -ETIMEDOUT));
    assert_joined(task, 0);
    assert_true(answer == 0 || answer == -ETIMEDOUT);
    return arg;
}

static void test_unpark_at_the_deadline(void **state) {
    (void)state;
    run_in_every_order(unpark_at_the_deadline, 0);
}

static void *unpark_one_that_ends(void *arg) {
    for (int i = 0; i < 10; i++) {
        co_t *task = co_spawn(do_nothing, NULL), *next;
        assert_int_equal(co_unpark(task), 0); /* it ends while it is in the list of those to wake */
        assert_joined(task, 0);
        next = co_spawn(park_until, &(int){0});
        assert_joined(next, 0);
    }
    return arg;
}

/* A list that holds a task that is gone, or a token for the next one on its stack. */
static void test_unpark_one_that_ends(void **state) {
    (void)state;
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK};
    assert_int_equal(co_run_with(&options, unpark_one_that_ends, NULL, NULL), 0);
}

/* ---- From other threads ------------------------------------------------------------------------------------------ */

#if defined(TEST_SANITIZED) || !defined(__x86_64__)
enum { THREADS = 4, WAKES = 2000 };
#else
enum { THREADS = 4, WAKES = 20000 };
#endif

/* Whom another thread is to unpark until it hears that this one has ended. */
static _Atomic(co_t *) ending;
static atomic_bool no_more;

static void *unpark_until_ended(void *arg) {
    while (!atomic_load(&no_more)) {
        co_t *task = atomic_load(&ending);
        int status = task != NULL ? co_unpark(task) : -EAGAIN;
        while (status == 0)
            status = co_unpark(task);
        REQUIRE(status == -ESRCH || task == NULL);
        if (task != NULL)
            atomic_store(&ending, NULL);
    }
    return arg;
}

static void *go_on_for_a_while(void *arg) {
    for (int i = 0; i < 50; i++)
        assert_int_equal(co_sched_yield(), 0);
    return arg;
}

static void *end_while_unparked(void *arg) {
    pthread_t thread;
    start(&thread, unpark_until_ended, NULL);
    for (int i = 0; i < WAKES / 10; i++) {
        co_t *task = co_spawn(go_on_for_a_while, NULL);
        atomic_store(&ending, task);
        while (atomic_load(&ending) != NULL)
            assert_int_equal(co_sched_yield(), 0);
        assert_joined(task, 0);
    }
    atomic_store(&no_more, true);
    join(thread);
    return arg;
}

/* A task that ends is one at every instant, also between its body's return and its scheduler's taking note. */
static void test_unpark_while_it_ends(void **state) {
    (void)state;
    assert_int_equal(co_run(end_while_unparked, NULL, NULL), 0);
}

/* Each thread counts up and unparks; the task must see every last count, which it does not if a wake is lost. */
struct teller {
    co_t *task;
    _Atomic int asked;
    int told; /* written before the unpark, read after the park */
    bool yields;
};

static void *tell(void *arg) {
    struct teller *teller = arg;
    for (int i = 1; i <= WAKES; i++) {
        while (atomic_load(&teller->asked) < i)
            if (teller->yields)
                sched_yield();
        teller->told = i;
        REQUIRE(co_unpark(teller->task) == 0);
    }
    return NULL;
}

static void *listen(void *arg) {
    struct teller *teller = arg;
    for (int i = 1; i <= WAKES; i++) {
        atomic_store(&teller->asked, i);
        assert_int_equal(co_park(CO_NEVER), 0);
        assert_int_equal(teller->told, i);
    }
    return NULL;
}

static void *listen_to_threads(void *arg) {
    struct teller tellers[THREADS] = {{0}};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        tellers[i].yields = true;
        tellers[i].task = co_spawn(listen, &tellers[i]);
        start(&threads[i], tell, &tellers[i]);
    }
    assert_int_equal(co_sched_yield(), 0);
    /* The first task waits outside of the scheduler, so to speak, until each thread has made its last call. */
    while (true) {
        bool all = true;
        for (int i = 0; i < THREADS; i++)
            all = all && co_status(tellers[i].task) == CO_DEAD;
        if (all)
            break;
        assert_int_equal(co_sleep(MS), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        join(threads[i]);
        assert_joined(tellers[i].task, 0);
    }
    return arg;
}

static void test_four_threads(void **state) {
    (void)state;
    assert_int_equal(co_run(listen_to_threads, NULL, NULL), 0);
}

/* Many for one, in no order: what counts is that the last of them wakes. */
static _Atomic int added;
static co_t *counting;

static void *add(void *arg) {
    for (int i = 0; i < WAKES; i++) {
        atomic_fetch_add(&added, 1);
        REQUIRE(co_unpark(counting) == 0);
    }
    return arg;
}

static void *count_them(void *arg) {
    pthread_t threads[THREADS];
    atomic_store(&added, 0);
    counting = co_task();
    for (int i = 0; i < THREADS; i++)
        start(&threads[i], add, NULL);
    while (atomic_load(&added) < THREADS * WAKES)
        assert_int_equal(co_park(CO_NEVER), 0);
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
    return arg;
}

static void test_many_for_one(void **state) {
    (void)state;
    assert_int_equal(co_run(count_them, NULL, NULL), 0);
}

static void *unpark_later(void *task) {
    REQUIRE(co_unpark(task) == 0);
    return NULL;
}

static void *wait_idly(void *arg) {
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        const bool asleep = i % 2 == 0; /* with a timer, or with nothing else to wait for */
        co_t *sleeper = asleep ? co_spawn(wait_for_cancel, NULL) : NULL;
        start(&thread, unpark_later, co_task());
        assert_int_equal(co_park(asleep ? co_after(60000 * MS) : CO_NEVER), 0); /* no deadlock */
        join(thread);
        if (asleep) {
            assert_int_equal(co_cancel(sleeper), 0);
            assert_joined(sleeper, -ECANCELED);
        }
    }
    return arg;
}

static void test_idle(void **state) {
    (void)state;
    assert_int_equal(co_run(wait_idly, NULL, NULL), 0);
}

/* ---- Several schedulers ------------------------------------------------------------------------------------------ */

static void *take_turns(void *arg) {
    co_t *scheduler_of = arg;
    for (int i = 0; i < 200; i++) {
        REQUIRE(co_sched_yield() == 0);
        REQUIRE(co_sleep(MS) == 0);
        REQUIRE(co_status(scheduler_of) == CO_NORMAL);
    }
    return NULL;
}

static void *first_of_many(void *arg) {
    co_t *tasks[20];
    for (int i = 0; i < 20; i++)
        tasks[i] = co_spawn(take_turns, co_task());
    for (int i = 0; i < 20; i++)
        REQUIRE(co_join(tasks[i], NULL, CO_NEVER) == 0);
    REQUIRE(co_now() == 200 * MS);
    return arg;
}

static void *run_scheduler(void *arg) {
    void *result = NULL;
    const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK};
    for (int i = 0; i < 3; i++)
        REQUIRE(co_run_with(&options, first_of_many, arg, &result) == 0 && result == arg);
    return NULL;
}

static void test_several_schedulers(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        start(&threads[i], run_scheduler, value_of(i));
    for (int i = 0; i < THREADS; i++)
        join(threads[i]);
}

/* A task of another thread, which is there and does not end meanwhile. */
static co_t *foreign;

static void *use_foreign(void *arg) {
    REQUIRE(co_join(foreign, NULL, CO_NEVER) == -EPERM);
    REQUIRE(co_detach(foreign) == -EPERM);
    REQUIRE(co_cancel(foreign) == -EPERM);
    REQUIRE(co_resume(foreign, NULL, NULL) == -EBUSY);
    REQUIRE(co_destroy(foreign) == -EBUSY);
    REQUIRE(co_unpark(foreign) == 0);
    return arg;
}

static void *run_use_foreign(void *arg) {
    REQUIRE(co_run(use_foreign, arg, NULL) == 0);
    return arg;
}

static void *be_foreign(void *arg) {
    pthread_t thread;
    foreign = co_spawn(do_nothing, NULL);
    start(&thread, run_use_foreign, NULL);
    join(thread);
    assert_joined(foreign, 0);
    return arg;
}

static void test_foreign(void **state) {
    (void)state;
    assert_int_equal(co_run(be_foreign, NULL, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_unpark_at_the_deadline),
        cmocka_unit_test(test_unpark_one_that_ends),
        cmocka_unit_test(test_unpark_while_it_ends),
        cmocka_unit_test(test_four_threads),
        cmocka_unit_test(test_many_for_one),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_several_schedulers),
        cmocka_unit_test(test_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
