/* Locks and their like that allocate, when they are waited for, handed over, or given up: a program could not be sure
 * of them when memory is short. Calls are intercepted at link time, which is not possible in a shared library.
 * Compiled with: -Wl,-wrap=malloc -Wl,-wrap=calloc -Wl,-wrap=realloc -Wl,-wrap=mmap -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "memory.h"
#include "sync.h"

static int allocations;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset);

UNINSTRUMENTED void *__wrap_malloc(size_t bytes) {
    allocations++;
    return __real_malloc(bytes);
}

UNINSTRUMENTED void *__wrap_calloc(size_t count, size_t bytes) {
    allocations++;
    return __real_calloc(count, bytes);
}

UNINSTRUMENTED void *__wrap_realloc(void *memory, size_t bytes) {
    allocations++;
    return __real_realloc(memory, bytes);
}

UNINSTRUMENTED void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    allocations++;
    return __real_mmap(address, bytes, protection, flags, file, offset);
}

enum { TASKS = 8, ROUNDS = 50 };
static co_mutex_t mutex;
static co_rwlock_t rwlock;
static co_cond_t cond;
static co_semaphore_t semaphore;
static co_wait_group_t group;
static co_barrier_t barrier = CO_BARRIER_INIT(TASKS);
static co_once_t once;
static int waited;

static int nothing(void *arg) {
    (void)arg;
    return co_sched_yield();
}

static void note(int status) {
    assert_true(status == 0 || status == 1 || status == -ETIMEDOUT);
    waited += status == -ETIMEDOUT;
}

static void use_all(intptr_t number, int round) {
    const int64_t deadline = (number + round) % 3 == 0 ? co_after(2) : CO_NEVER;
    int status = co_mutex_lock(&mutex, deadline);
    note(status);
    if (status == 0) {
        co_sleep(1);
        note(co_cond_wait(&cond, &mutex, co_after(5)));
        assert_int_equal(co_cond_signal(&cond), 0);
        assert_int_equal(co_mutex_unlock(&mutex), 0);
    }
    note(status = number % 2 == 0 ? co_rwlock_read_lock(&rwlock, deadline) : co_rwlock_write_lock(&rwlock, deadline));
    if (status == 0) {
        co_sleep(1);
        assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    }
    note(status = co_semaphore_wait(&semaphore, deadline));
    if (status == 0) {
        co_sleep(1);
        assert_int_equal(co_semaphore_post(&semaphore), 0);
    }
    assert_int_equal(co_wait_group_done(&group), 0);
    note(co_wait_group_wait(&group, deadline));
    note(co_once(&once, nothing, NULL, CO_NEVER));
    note(co_barrier_wait(&barrier, CO_NEVER));
    assert_int_equal(co_wait_group_add(&group, 1), 0);
    note(co_barrier_wait(&barrier, CO_NEVER));
}

static void *work(void *arg) {
    for (int round = 0; round < ROUNDS; round++)
        use_all(number_of(arg), round);
    return NULL;
}

static void *work_together(void *arg) {
    co_t *tasks[TASKS];
    for (int i = 0; i < TASKS; i++)
        tasks[i] = co_spawn(work, value_of(i));
    const int before = allocations;
    assert_true(before > 0); /* they are seen */
    assert_int_equal(co_wait_group_add(&group, TASKS), 0);
    assert_int_equal(co_semaphore_post(&semaphore), 0);
    join_all(tasks, TASKS);
    assert_int_equal(allocations, before);
    assert_true(waited > ROUNDS);
    return arg;
}

static void test_no_allocation(void **state) {
    (void)state;
    if (!calls_can_be_intercepted())
        skip();
    assert_int_equal(run_quietly(work_together, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
