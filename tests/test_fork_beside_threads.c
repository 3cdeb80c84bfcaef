/* A process forks while another of its threads is inside the library: what that thread held there must not be found held
 * by the child, which does not have the thread. */
#define _GNU_SOURCE
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

static void *nothing(void *arg) { return arg; }

/* Sanitizers and emulators have locks of their own that a fork finds held; Valgrind runs one thread at a time. */
static void skip_where_others_hang(void) {
#if defined(TEST_SANITIZED) || !defined(__x86_64__)
    skip();
#endif
    if (under_valgrind())
        skip();
}

/* In a child of fork. Whoever waits for a thread that is not there is ended by the alarm. */
static void use_and_exit(void (*use)(void)) {
    alarm(20);
    use();
    _exit(0);
}

static void fork_and_wait(void (*use)(void), int failure) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        use_and_exit(use);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        _exit(failure);
}

static void create_one(void) {
    if (co_destroy(co_create(nothing, NULL)) != 0)
        _exit(9);
}

/* ---- The first use ----------------------------------------------------------------------------------------------- */

static pthread_barrier_t barrier;

static void *create_in_thread(void *arg) {
    pthread_barrier_wait(&barrier);
    create_one();
    return arg;
}

static int spins; /* from the thread's start to the fork */

static void fork_beside_the_first_creation(void) {
    pthread_t thread;
    if (pthread_barrier_init(&barrier, NULL, 2) != 0 || pthread_create(&thread, NULL, create_in_thread, NULL) != 0)
        _exit(2);
    pthread_barrier_wait(&barrier);
    for (volatile int i = 0; i < spins; i++)
        ;
    fork_and_wait(create_one, 3);
    pthread_join(thread, NULL);
}

/* Handlers of fork that are registered under the lock which they are to free. */
static void test_fork_beside_the_first_creation(void **state) {
    (void)state;
    skip_where_others_hang();
    for (int i = 0; i < 200; i++) {
        spins = i % 50 * 40;
        const struct child child = run_in_child(fork_beside_the_first_creation);
        assert_exited(&child, 0);
    }
}

/* ---- Later ------------------------------------------------------------------------------------------------------- */

enum { THREADS = 3, FORKS = 150 };

static atomic_bool enough;

static void *catch_in_thread(void *arg) {
    if (co_catch_overflow() != 0)
        _exit(4);
    return arg;
}

/* A new thread each time, which has no alternate stack yet. */
static void catch_once(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, catch_in_thread, NULL) != 0)
        _exit(5);
    pthread_join(thread, NULL);
}

static void *catch_again_and_again(void *arg) {
    while (!atomic_load(&enough))
        catch_once();
    return arg;
}

static void *create_again_and_again(void *arg) {
    while (!atomic_load(&enough)) {
        create_one();
        co_pool_trim();
    }
    return arg;
}

static void fork_beside(void *(*work)(void *), void (*use)(void)) {
    pthread_t threads[THREADS];
    atomic_store(&enough, false);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            _exit(6);
    for (int i = 0; i < FORKS; i++)
        fork_and_wait(use, 7);
    atomic_store(&enough, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void fork_beside_catching(void) { fork_beside(catch_again_and_again, catch_once); }

static void fork_beside_creations(void) { fork_beside(create_again_and_again, create_one); }

/* A lock of co_catch_overflow's own. */
static void test_fork_beside_threads_that_catch(void **state) {
    (void)state;
    skip_where_others_hang();
    const struct child child = run_in_child(fork_beside_catching);
    assert_exited(&child, 0);
}

static void test_fork_beside_threads_that_create(void **state) {
    (void)state;
    skip_where_others_hang();
    const struct child child = run_in_child(fork_beside_creations);
    assert_exited(&child, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork_beside_the_first_creation),
        cmocka_unit_test(test_fork_beside_threads_that_catch),
        cmocka_unit_test(test_fork_beside_threads_that_create),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
