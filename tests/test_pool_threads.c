/* The pools of several threads: stacks that are given back elsewhere than where they came from, threads that end, and a
 * fork beside a thread that is inside the library.
 * Compiled with: -Wl,-wrap=pthread_mutex_lock -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "memory.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

int __real_pthread_mutex_lock(pthread_mutex_t *);
int __wrap_pthread_mutex_lock(pthread_mutex_t *);

static _Atomic long locks;
static _Thread_local bool in_library;

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex) {
    if (in_library)
        atomic_fetch_add(&locks, 1);
    return __real_pthread_mutex_lock(mutex);
}

static co_t *counted_create(size_t stack_bytes) {
    in_library = true;
    co_t *co = stack_bytes == 0 ? co_create(suspend, value_of(1)) : create(stack_bytes, suspend, value_of(1));
    in_library = false;
    return co;
}

static int counted_destroy(co_t *co) {
    in_library = true;
    int status = co_destroy(co);
    in_library = false;
    return status;
}

static void wait_for(sem_t *semaphore) {
    while (sem_wait(semaphore) != 0)
        ;
}

static pthread_t start(void *(*fn)(void *), void *arg) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, fn, arg), 0);
    return thread;
}

static intptr_t join(pthread_t thread) {
    void *result = NULL;
    assert_int_equal(pthread_join(thread, &result), 0);
    return number_of(result);
}

/* ---- Created here, destroyed there ----------------------------------------------------------------------------- */

enum { HANDED = 40, ROUNDS = 200 };

static struct handover {
    co_t *all[HANDED];
    size_t stack_bytes;
    sem_t there, back;
    int rounds;
} handover;

static void create_handed(void) {
    for (int i = 0; i < HANDED; i++)
        handover.all[i] = counted_create(handover.stack_bytes);
}

static bool destroy_handed(void) {
    bool fine = true;
    for (int i = 0; i < HANDED; i++)
        fine = fine && co_resume(handover.all[i], NULL, NULL) == CO_YIELDED && counted_destroy(handover.all[i]) == 0;
    return fine;
}

/* Destroys what the other has created, and creates what the other destroys. */
static void *answer_handover(void *arg) {
    bool fine = true;
    (void)arg;
    for (int round = 0; round < handover.rounds; round++) {
        wait_for(&handover.there);
        fine = destroy_handed() && fine;
        create_handed();
        sem_post(&handover.back);
    }
    return value_of(fine);
}

/* A stack that belongs to the thread that created it: one thread runs out and the other keeps too many, or both meet at
 * a lock. */
static void test_handed_over_without_a_lock(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 24 * 1024};
    for (size_t size = 0; size < 2; size++) {
        handover.stack_bytes = sizes[size];
        handover.rounds = ROUNDS;
        sem_init(&handover.there, 0, 0);
        sem_init(&handover.back, 0, 0);
        pthread_t thread = start(answer_handover, NULL);
        bool fine = true;
        long locks_when_warm = 0;
        for (int round = 0; round < ROUNDS; round++) {
            if (round == 10)
                locks_when_warm = atomic_load(&locks);
            create_handed();
            sem_post(&handover.there);
            wait_for(&handover.back);
            fine = destroy_handed() && fine;
        }
        const long locks_now = atomic_load(&locks);
        assert_true(join(thread));
        assert_true(fine);
        assert_int_equal(locks_now, locks_when_warm);
        sem_destroy(&handover.there);
        sem_destroy(&handover.back);
    }
}

/* Two threads create and two destroy, through a queue. */
enum { THREADS = 4, QUEUE = 512 };

static struct {
    sem_t filled, room, one_at_a_time;
    co_t *items[QUEUE];
    int in, out, each;
} queue;

static void *produce(void *arg) {
    for (int i = 0; i < queue.each; i++) {
        co_t *co = counted_create(i % 4 == 3 ? 16 * KIB : 0);
        if (co == NULL || co_resume(co, NULL, NULL) != CO_YIELDED)
            abort();
        mark_stack(co);
        wait_for(&queue.room);
        wait_for(&queue.one_at_a_time);
        queue.items[queue.in++ % QUEUE] = co;
        sem_post(&queue.one_at_a_time);
        sem_post(&queue.filled);
    }
    return arg;
}

static void *consume(void *arg) {
    intptr_t fine = 0;
    (void)arg;
    for (int i = 0; i < queue.each; i++) {
        wait_for(&queue.filled);
        wait_for(&queue.one_at_a_time);
        co_t *co = queue.items[queue.out++ % QUEUE];
        sem_post(&queue.one_at_a_time);
        sem_post(&queue.room);
        fine += co_resume(co, NULL, NULL) == CO_RETURNED && counted_destroy(co) == 0;
    }
    return value_of(fine);
}

/* Stacks that pile up where they are destroyed: new ones without end for those who create. Two owners of one stack. */
static void test_producers_and_consumers(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    queue.each = figures_are_ours() ? 40000 : 2000;
    queue.in = queue.out = 0;
    sem_init(&queue.filled, 0, 0);
    sem_init(&queue.room, 0, QUEUE);
    sem_init(&queue.one_at_a_time, 0, 1);
    const size_t before = status_bytes("VmSize");
    const long locks_before = atomic_load(&locks);
    for (int i = 0; i < THREADS; i++)
        threads[i] = start(i % 2 == 0 ? produce : consume, NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(join(threads[i]), i % 2 == 0 ? 0 : queue.each);
    if (figures_are_ours()) {
        assert_true(status_bytes("VmSize") <= before + 1024 * MIB); /* 80,000 stacks are 10 GiB */
        assert_true(atomic_load(&locks) - locks_before <= 2 * 2 * queue.each / 16);
    }
    sem_destroy(&queue.filled);
    sem_destroy(&queue.room);
    sem_destroy(&queue.one_at_a_time);
}

/* ---- A thread that ends ---------------------------------------------------------------------------------------- */

enum { OF_THREAD = 150 };

static char *lows[2 * OF_THREAD];

static void use_and_keep(size_t first, size_t stack_bytes) {
    co_t *all[OF_THREAD];
    for (size_t i = 0; i < OF_THREAD; i++) {
        all[i] = create(stack_bytes, suspend, NULL);
        if (all[i] == NULL || co_resume(all[i], NULL, NULL) != CO_YIELDED)
            abort();
        lows[first + i] = stack_low(all[i]);
        mark_stack(all[i]);
    }
    for (size_t i = 0; i < OF_THREAD; i++)
        co_destroy(all[i]);
}

static int kept(size_t first) {
    int count = 0;
    for (size_t i = first; i < first + OF_THREAD; i++)
        count += mark_is_kept(lows[i]);
    return count;
}

static void *use_and_end(void *arg) {
    use_and_keep(0, 0);
    use_and_keep(OF_THREAD, 40 * KIB);
    return value_of(kept(0) + kept(OF_THREAD) + number_of(arg));
}

/* What a thread kept is lost with it, or stays in memory. */
static void test_end_of_a_thread(void **state) {
    (void)state;
    if (!discarding_works())
        skip();
    co_pool_trim();
    for (int i = 0; i < 20; i++) {
        assert_int_equal(join(start(use_and_end, NULL)), 2 * OF_THREAD);
        const int in_depot = kept(0) + kept(OF_THREAD);
        assert_true(in_depot <= 2 * (OF_THREAD - 64)); /* full magazines may have gone there before */
    }
    co_pool_trim();
    assert_int_equal(kept(0) + kept(OF_THREAD), 0);
}

/* Threads that come and go: a pool that is not freed with each, address space that is not. */
static void *use_one(void *arg) {
    co_t *co = co_create(suspend, arg);
    co_resume(co, NULL, NULL);
    co_t *other = create(64 * KIB, suspend, arg);
    return value_of(co_destroy(co) == 0 && co_destroy(other) == 0);
}

static void test_many_threads(void **state) {
    (void)state;
    const int many = figures_are_ours() ? 3000 : 100;
    for (int i = 0; i < 10; i++)
        assert_true(join(start(use_one, NULL)));
    const size_t size = status_bytes("VmSize"), resident = status_bytes("VmRSS");
    for (int i = 0; i < many; i++)
        assert_true(join(start(use_one, NULL)));
    if (figures_are_ours()) {
        assert_true(status_bytes("VmSize") <= size + 16 * MIB);
        assert_true(status_bytes("VmRSS") <= resident + MIB); /* a pool is 1.2 KiB, and a shelf of it more */
    }
}

/* A destructor of thread-specific data that runs after the pool's, and uses coroutines of its own and of others. */
static pthread_key_t late_key;
static _Atomic int destructors;

static void destroy_late(void *arg) {
    co_t *co = (co_t *)arg;
    lows[0] = stack_low(co);
    mark_stack(co);
    co_t *another = co_create(suspend, NULL);
    bool fine = another != NULL && co_resume(another, NULL, NULL) == CO_YIELDED && co_destroy(another) == 0;
    fine = fine && co_destroy(co) == 0;
    atomic_fetch_add(&destructors, fine ? 1 : 1000);
}

static void *leave_one_to_a_destructor(void *arg) {
    co_t *co = co_create(suspend, NULL);
    co_resume(co, NULL, NULL);
    if (co_destroy(co_create(suspend, NULL)) != 0)
        abort();
    return value_of(pthread_setspecific(late_key, co) == 0 && arg == NULL);
}

static void test_destructor_after_the_pools(void **state) {
    (void)state;
    use_one(NULL); /* the library's own key is older */
    assert_int_equal(pthread_key_create(&late_key, destroy_late), 0);
    for (int i = 1; i <= 50; i++) {
        assert_true(join(start(leave_one_to_a_destructor, NULL)));
        assert_int_equal(atomic_load(&destructors), i);
        if (discarding_works())
            assert_false(mark_is_kept(lows[0]));
    }
    pthread_key_delete(late_key);
}

/* ---- The limit, seen by another thread ------------------------------------------------------------------------- */

static sem_t go, done;

static void *keep_until_told(void *arg) {
    (void)arg;
    use_and_keep(0, 0);
    use_and_keep(OF_THREAD, 40 * KIB);
    co_t *co = create(300 * KIB, suspend, NULL);
    sem_post(&done);
    wait_for(&go);
    co_destroy(co);
    const intptr_t left = kept(0) + kept(OF_THREAD);
    use_and_keep(0, 0);
    return value_of(left + kept(0));
}

/* Magazines of another size, which a thread keeps for good although nothing shall be kept. */
static void test_no_limit_left_for_another_thread(void **state) {
    (void)state;
    if (!discarding_works())
        skip();
    sem_init(&go, 0, 0);
    sem_init(&done, 0, 0);
    pthread_t thread = start(keep_until_told, NULL);
    wait_for(&done);
    const size_t before = co_pool_limit(0);
    sem_post(&go);
    const intptr_t left = join(thread);
    co_pool_limit(before);
    assert_int_equal(left, 0);
    sem_destroy(&go);
    sem_destroy(&done);
}

/* ---- Fork
 * ------------------------------------------------------------------------------------------------------------ */

static _Atomic bool stop;

/* Inside the lock most of the time: nothing is kept, so every stack comes from its slab and goes there. */
static void *use_the_lock(void *arg) {
    while (!atomic_load(&stop)) {
        co_t *co = create(20 * KIB, suspend, NULL);
        if (co == NULL || co_destroy(co) != 0)
            abort();
    }
    return arg;
}

static void use_after_fork(void) {
    alarm(20);
    for (int i = 0; i < 100; i++) {
        co_t *co = create((size_t)(i % 2) * 20 * KIB, suspend, NULL);
        REQUIRE(co != NULL && co_resume(co, NULL, NULL) == CO_YIELDED && co_destroy(co) == 0);
    }
    co_pool_limit(128 * MIB);
    co_pool_trim();
    if (under_valgrind())
        raise(SIGKILL); /* it would report the pools of the threads that this process does not have */
}

/* A child in which the lock is held by a thread that it does not have. */
static void test_fork_beside_a_thread_in_the_library(void **state) {
    (void)state;
    const int forks = figures_are_ours() ? 300 : 20;
    const size_t before = co_pool_limit(0);
    pthread_t threads[2];
    atomic_store(&stop, false);
    for (int i = 0; i < 2; i++)
        threads[i] = start(use_the_lock, NULL);
    bool fine = true;
    for (int i = 0; i < forks && fine; i++) {
        const struct child child = run_in_child(use_after_fork);
        fine = under_valgrind() ? WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGKILL
                                : WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0;
        if (!fine)
            print_error("fork %d: status %#x, stderr: %s\n", i, (unsigned)child.status, child.text);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 2; i++)
        join(threads[i]);
    co_pool_limit(before);
    assert_true(fine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handed_over_without_a_lock),
        cmocka_unit_test(test_producers_and_consumers),
        cmocka_unit_test(test_end_of_a_thread),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_destructor_after_the_pools),
        cmocka_unit_test(test_no_limit_left_for_another_thread),
        cmocka_unit_test(test_fork_beside_a_thread_in_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
