/* Coroutines that move between threads: what a compiler or the library remembers of a thread must not move with them.
 * Misuse from another thread is in test_misuse.c, C++ handlers that move in test_exceptions.cpp. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void wait_for(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0)
        ;
}

/* ---- Two threads hand one over ----------------------------------------------------------------------------------- */

enum { HANDOVERS = 100000, LEAST_HANDOVERS = 1000 };
static const double most_seconds = 4;

/* Compilers take the address of errno for a constant; these two look every time. */
static __attribute__((noinline)) int *address_of_errno(void) {
    __asm__ __volatile__("" ::: "memory");
    return &errno;
}

struct visit {
    int *address_of_errno; /* the visiting thread's */
    int error;             /* that it left in errno */
};

/* One long function, so that whatever is computed before the loop, or in the round before, would be of a wrong thread.
 */
static void *be_handed_over(void *arg) {
    co_t *const self = co_self();
    char *text = NULL;
    long visits = 0;
    (void)arg;
    for (;;) {
        struct visit *visit =
            (struct visit *)(visits % 2 != 0 ? co_yield(value_of(visits)) : co_yield_from(self, value_of(visits)));
        if (visit == NULL)
            break;
        visits++;
        assert_ptr_equal(address_of_errno(), visit->address_of_errno);
        assert_int_equal(*address_of_errno(), visit->error);
        assert_ptr_equal(co_self(), self);
        assert_int_equal(co_error(), 0);
        free(text); /* what the other thread allocated */
        text = (char *)malloc(16 + (size_t)visits % 100);
        assert_non_null(text);
        memset(text, 'x', 16);
        *address_of_errno() = (int)(visits % 1000);
        assert_int_equal(*visit->address_of_errno, visits % 1000);
    }
    free(text);
    return value_of(visits);
}

struct table {
    co_t *co;
    sem_t turns[2];
    long handovers; /* written in turns */
    bool done;
};

struct player {
    struct table *table;
    int side;
};

static void *play(void *arg) {
    const struct player *player = (const struct player *)arg;
    struct table *table = player->table;
    struct visit visit = {.address_of_errno = address_of_errno()};
    const double start = seconds();
    for (;;) {
        wait_for(&table->turns[player->side]);
        if (!table->done) {
            void *out = NULL;
            visit.error = 2000 + player->side;
            *address_of_errno() = visit.error;
            assert_null(co_self());
            assert_int_equal(co_resume(table->co, &visit, &out), CO_YIELDED);
            assert_null(co_self());
            assert_int_equal(number_of(out), ++table->handovers);
            assert_int_equal(*address_of_errno(), table->handovers % 1000);
            table->done = table->handovers == HANDOVERS ||
                          (table->handovers >= LEAST_HANDOVERS && seconds() - start > most_seconds);
        }
        const bool done = table->done;
        sem_post(&table->turns[!player->side]);
        if (done)
            return NULL;
    }
}

/* "current", errno, or the heap's per-thread data of the thread on which a coroutine was suspended. */
static void test_handed_back_and_forth(void **state) {
    (void)state;
    for (unsigned flags = 0; flags <= CO_FPENV; flags++) {
        const co_options_t options = {.flags = flags};
        struct table table = {.co = co_create_with(&options, be_handed_over, NULL)};
        struct player players[2] = {{&table, 0}, {&table, 1}};
        pthread_t other;
        void *out = NULL;
        assert_int_equal(co_resume(table.co, NULL, NULL), CO_YIELDED);
        assert_int_equal(sem_init(&table.turns[0], 0, 1), 0);
        assert_int_equal(sem_init(&table.turns[1], 0, 0), 0);
        assert_int_equal(pthread_create(&other, NULL, play, &players[1]), 0);
        play(&players[0]);
        assert_int_equal(pthread_join(other, NULL), 0);
        assert_int_equal(co_resume(table.co, NULL, &out), CO_RETURNED);
        assert_int_equal(number_of(out), table.handovers);
        assert_int_equal(co_destroy(table.co), 0);
        sem_destroy(&table.turns[0]);
        sem_destroy(&table.turns[1]);
    }
}

/* ---- Many move among many ---------------------------------------------------------------------------------------- */

enum { THREADS = 4, WANDERERS = 12, STEPS = 2000 };

/* A queue of coroutines that nobody runs. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    co_t *waiting[WANDERERS];
    int count, alive;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static co_t *take(void) {
    co_t *co = NULL;
    pthread_mutex_lock(&queue.lock);
    while (queue.count == 0 && queue.alive > 0)
        pthread_cond_wait(&queue.filled, &queue.lock);
    if (queue.count > 0) {
        co = queue.waiting[0];
        memmove(queue.waiting, queue.waiting + 1, (size_t)--queue.count * sizeof queue.waiting[0]);
    }
    pthread_mutex_unlock(&queue.lock);
    return co;
}

static void put(co_t *co) {
    pthread_mutex_lock(&queue.lock);
    queue.waiting[queue.count++] = co;
    pthread_cond_signal(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

static void bury(co_t *co) {
    assert_int_equal(co_destroy(co), 0);
    pthread_mutex_lock(&queue.lock);
    if (--queue.alive == 0)
        pthread_cond_broadcast(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

static void *count_up(void *arg) {
    for (intptr_t i = number_of(arg);; i++)
        co_yield(value_of(i));
    return NULL;
}

static void add_one(void *arg) { *(long *)arg += 1; }

/* Runs an inner coroutine of its own, which moves along. */
static void *wander(void *arg) {
    co_t *inner = co_create(count_up, value_of(7));
    assert_int_equal(co_defer(add_one, arg), 0);
    for (intptr_t step = 0; step < STEPS; step++) {
        void *out = NULL;
        assert_int_equal(co_resume(inner, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), 7 + step);
        assert_null(co_yield(value_of(step)));
    }
    assert_int_equal(co_destroy(inner), 0);
    return arg;
}

static void *run_wanderers(void *arg) {
    for (co_t *co; (co = take()) != NULL;) {
        const int status = co_resume(co, NULL, NULL);
        assert_null(co_self());
        if (status == CO_YIELDED)
            put(co);
        else
            bury(co);
    }
    return arg;
}

/* Created here, run everywhere, destroyed where they end: whatever is kept per thread must not be missed elsewhere. */
static void test_many_wander_among_threads(void **state) {
    (void)state;
    static long ended[WANDERERS];
    pthread_t threads[THREADS];
    queue.alive = WANDERERS;
    for (int i = 0; i < WANDERERS; i++)
        put(co_create(wander, &ended[i]));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_wanderers, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(queue.count, 0);
    for (int i = 0; i < WANDERERS; i++)
        assert_int_equal(ended[i], 1);
}

/* ---- Threads that share nothing ---------------------------------------------------------------------------------- */

static void *resume_argument_often(void *arg) {
    void *out = NULL;
    for (intptr_t i = 0; i < 1000; i++) {
        assert_int_equal(co_resume((co_t *)arg, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), i);
        co_yield(out);
    }
    return arg;
}

static void *run_privately(void *arg) {
    for (int round = 0; round < 5; round++) {
        co_t *inner = co_create(count_up, value_of(0)), *outer = co_create(resume_argument_often, inner);
        while (co_resume(outer, NULL, NULL) == CO_YIELDED)
            assert_null(co_self());
        assert_int_equal(co_destroy(outer), 0);
        assert_int_equal(co_destroy(inner), 0);
    }
    return arg;
}

/* One "current" for all threads. */
static void test_threads_do_not_see_each_other(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_privately, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* ---- A thread that ends --------------------------------------------------------------------------------------------
 */

static void *resume_once(void *arg) {
    void *out = NULL;
    assert_int_equal(co_resume((co_t *)arg, NULL, &out), CO_YIELDED);
    return out;
}

static void *create_and_resume(void *arg) {
    co_t *co = co_create(count_up, arg);
    co_resume(co, NULL, NULL);
    return co;
}

/* A coroutine that needs the thread which made it, or the one that ran it, after these have ended. */
static void test_outlives_its_threads(void **state) {
    (void)state;
    pthread_t thread;
    void *made = NULL, *out = NULL;
    assert_int_equal(pthread_create(&thread, NULL, create_and_resume, value_of(40)), 0);
    assert_int_equal(pthread_join(thread, &made), 0);
    for (intptr_t i = 1; i < 50; i++) {
        assert_int_equal(pthread_create(&thread, NULL, resume_once, made), 0);
        assert_int_equal(pthread_join(thread, &out), 0);
        assert_int_equal(number_of(out), 40 + i);
    }
    assert_int_equal(co_status((co_t *)made), CO_SUSPENDED);
    assert_int_equal(co_destroy((co_t *)made), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handed_back_and_forth),
        cmocka_unit_test(test_many_wander_among_threads),
        cmocka_unit_test(test_threads_do_not_see_each_other),
        cmocka_unit_test(test_outlives_its_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
