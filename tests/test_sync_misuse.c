/* Calls of the sync layer that are wrong, each answered by its error, after which nothing has changed: NULL, outside of
 * tasks, and from another thread's scheduler while tasks of this one wait. */
#define _GNU_SOURCE
#include "sync.h"

#include <pthread.h>

/* One object of each kind. */
static struct objects {
    co_mutex_t mutex;
    co_rwlock_t writing, reading;
    co_cond_t cond;
    co_semaphore_t semaphore;
    co_wait_group_t group;
    co_barrier_t barrier;
    co_once_t once;
} objects;

static int never_called(void *arg) {
    (void)arg;
    fail();
    return 0;
}

/* ---- NULL -------------------------------------------------------------------------------------------------------- */

static void assert_null_is_refused(void) {
    assert_int_equal(co_mutex_unlock(NULL), -EINVAL);
    assert_int_equal(co_mutex_destroy(NULL), -EINVAL);
    assert_int_equal(co_rwlock_unlock(NULL), -EINVAL);
    assert_int_equal(co_rwlock_downgrade(NULL), -EINVAL);
    assert_int_equal(co_rwlock_destroy(NULL), -EINVAL);
    assert_int_equal(co_cond_signal(NULL), -EINVAL);
    assert_int_equal(co_cond_broadcast(NULL), -EINVAL);
    assert_int_equal(co_cond_destroy(NULL), -EINVAL);
    assert_int_equal(co_semaphore_post(NULL), -EINVAL);
    assert_int_equal(co_semaphore_destroy(NULL), -EINVAL);
    assert_int_equal(co_wait_group_add(NULL, 1), -EINVAL);
    assert_int_equal(co_wait_group_add(NULL, -1), -EINVAL);
    assert_int_equal(co_wait_group_done(NULL), -EINVAL);
    assert_int_equal(co_wait_group_destroy(NULL), -EINVAL);
    assert_int_equal(co_barrier_destroy(NULL), -EINVAL);
    assert_int_equal(co_once_destroy(NULL), -EINVAL);
}

/* Those that need a task, where `error` is what they answer to NULL. */
static void assert_null_answers(int error) {
    assert_int_equal(co_mutex_lock(NULL, CO_NEVER), error);
    assert_int_equal(co_rwlock_read_lock(NULL, CO_NEVER), error);
    assert_int_equal(co_rwlock_write_lock(NULL, CO_NEVER), error);
    assert_int_equal(co_cond_wait(NULL, &objects.mutex, CO_NEVER), error);
    assert_int_equal(co_cond_wait(&objects.cond, NULL, CO_NEVER), error);
    assert_int_equal(co_semaphore_wait(NULL, CO_NEVER), error);
    assert_int_equal(co_wait_group_wait(NULL, CO_NEVER), error);
    assert_int_equal(co_barrier_wait(NULL, CO_NEVER), error);
    assert_int_equal(co_once(NULL, never_called, NULL, CO_NEVER), error);
    assert_int_equal(co_once(&objects.once, NULL, NULL, CO_NEVER), error);
}

static void *null_in_a_task(void *arg) {
    assert_null_is_refused();
    assert_null_answers(-EINVAL);
    assert_int_equal(co_mutex_try_lock(NULL), -EINVAL);
    assert_int_equal(co_rwlock_try_read_lock(NULL), -EINVAL);
    assert_int_equal(co_rwlock_try_write_lock(NULL), -EINVAL);
    assert_int_equal(co_semaphore_try_wait(NULL), -EINVAL);
    co_cancel(co_task());
    assert_null_answers(-ECANCELED); /* before anything else */
    assert_int_equal(co_mutex_try_lock(NULL), -EINVAL);
    return arg;
}

static void test_null(void **state) {
    (void)state;
    memset(&objects, 0, sizeof objects);
    assert_int_equal(run_quietly(null_in_a_task, NULL), 0);
    assert_null_is_refused();
    assert_null_answers(-EPERM);
}

/* ---- Outside of tasks -------------------------------------------------------------------------------------------- */

static void assert_outside_is_refused(void) {
    objects.barrier = (co_barrier_t)CO_BARRIER_INIT(2);
    assert_int_equal(co_mutex_lock(&objects.mutex, CO_NEVER), -EPERM);
    assert_int_equal(co_mutex_try_lock(&objects.mutex), -EPERM);
    assert_int_equal(co_mutex_unlock(&objects.mutex), -EPERM);
    assert_int_equal(co_rwlock_read_lock(&objects.reading, CO_NEVER), -EPERM);
    assert_int_equal(co_rwlock_write_lock(&objects.reading, CO_NEVER), -EPERM);
    assert_int_equal(co_rwlock_try_read_lock(&objects.reading), -EPERM);
    assert_int_equal(co_rwlock_try_write_lock(&objects.reading), -EPERM);
    assert_int_equal(co_rwlock_unlock(&objects.reading), -EPERM);
    assert_int_equal(co_rwlock_downgrade(&objects.reading), -EPERM);
    assert_int_equal(co_cond_wait(&objects.cond, &objects.mutex, CO_NEVER), -EPERM);
    assert_int_equal(co_semaphore_wait(&objects.semaphore, CO_NEVER), -EPERM);
    assert_int_equal(co_semaphore_try_wait(&objects.semaphore), -EPERM);
    assert_int_equal(co_wait_group_wait(&objects.group, CO_NEVER), -EPERM);
    assert_int_equal(co_barrier_wait(&objects.barrier, CO_NEVER), -EPERM);
    assert_int_equal(co_once(&objects.once, never_called, NULL, CO_NEVER), -EPERM);
    /* What wakes nobody needs no task. */
    assert_int_equal(co_cond_signal(&objects.cond), 0);
    assert_int_equal(co_cond_broadcast(&objects.cond), 0);
    assert_int_equal(co_semaphore_post(&objects.semaphore), 0);
    assert_int_equal(co_wait_group_add(&objects.group, 1), 0);
    assert_int_equal(co_wait_group_done(&objects.group), 0);
}

static void *in_a_plain_coroutine(void *arg) {
    assert_outside_is_refused();
    return arg;
}

static void test_outside_of_tasks(void **state) {
    (void)state;
    memset(&objects, 0, sizeof objects);
    assert_outside_is_refused();
    co_t *co = co_create(in_a_plain_coroutine, NULL);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
    const struct objects expected = {.semaphore = {.permits = 2}, .barrier = {.parties = 2}};
    assert_memory_equal(&objects, &expected, sizeof objects);
}

/* ---- Another scheduler ------------------------------------------------------------------------------------------- */

enum { WAITERS = 8 };

/* Waits for what the first task holds, or does not do yet. */
static void *wait_for(void *arg) {
    switch (number_of(arg)) {
    case 0:
        assert_int_equal(co_mutex_lock(&objects.mutex, CO_NEVER), 0);
        break;
    case 1:
        assert_int_equal(co_rwlock_read_lock(&objects.writing, CO_NEVER), 0);
        break;
    case 2:
        assert_int_equal(co_rwlock_write_lock(&objects.reading, CO_NEVER), 0);
        break;
    case 3: {
        co_mutex_t own = CO_MUTEX_INIT;
        assert_int_equal(co_mutex_lock(&own, CO_NEVER), 0);
        assert_int_equal(co_cond_wait(&objects.cond, &own, CO_NEVER), 0);
        break;
    }
    case 4:
        assert_int_equal(co_semaphore_wait(&objects.semaphore, CO_NEVER), 0);
        break;
    case 5:
        assert_int_equal(co_wait_group_wait(&objects.group, CO_NEVER), 0);
        break;
    case 6:
        assert_int_equal(co_barrier_wait(&objects.barrier, CO_NEVER), 0);
        break;
    default:
        assert_int_equal(co_once(&objects.once, never_called, NULL, CO_NEVER), 0);
        break;
    }
    return NULL;
}

static int failures;

#define EXPECT_REFUSED(call) (call != -EPERM ? (failures++, print_error("%s\n", #call)) : (void)0)

/* In a thread that is not cmocka's. */
static void *foreign_task(void *arg) {
    co_mutex_t own = CO_MUTEX_INIT;
    EXPECT_REFUSED(co_mutex_lock(&objects.mutex, CO_NEVER));
    EXPECT_REFUSED(co_mutex_unlock(&objects.mutex));
    EXPECT_REFUSED(co_rwlock_read_lock(&objects.writing, CO_NEVER));
    EXPECT_REFUSED(co_rwlock_write_lock(&objects.writing, CO_NEVER));
    EXPECT_REFUSED(co_rwlock_unlock(&objects.writing));
    EXPECT_REFUSED(co_rwlock_downgrade(&objects.writing));
    EXPECT_REFUSED(co_rwlock_read_lock(&objects.reading, CO_NEVER));
    EXPECT_REFUSED(co_rwlock_write_lock(&objects.reading, CO_NEVER));
    EXPECT_REFUSED(co_rwlock_unlock(&objects.reading));
    failures += co_mutex_lock(&own, CO_NEVER) != 0;
    EXPECT_REFUSED(co_cond_wait(&objects.cond, &own, CO_NEVER));
    failures += co_mutex_unlock(&own) != 0; /* which it holds yet */
    EXPECT_REFUSED(co_semaphore_wait(&objects.semaphore, CO_NEVER));
    EXPECT_REFUSED(co_wait_group_wait(&objects.group, CO_NEVER));
    EXPECT_REFUSED(co_barrier_wait(&objects.barrier, CO_NEVER));
    EXPECT_REFUSED(co_once(&objects.once, never_called, NULL, CO_NEVER));
    return arg;
}

static void wake_from_elsewhere(void) {
    EXPECT_REFUSED(co_cond_signal(&objects.cond));
    EXPECT_REFUSED(co_cond_broadcast(&objects.cond));
    EXPECT_REFUSED(co_semaphore_post(&objects.semaphore));
    EXPECT_REFUSED(co_wait_group_done(&objects.group));
}

static void *wake_as_a_task(void *arg) {
    wake_from_elsewhere();
    return foreign_task(arg);
}

static void *other_thread(void *arg) {
    wake_from_elsewhere();
    failures += co_run(wake_as_a_task, NULL, NULL) != 0;
    return arg;
}

static int start_the_other_thread(void *arg) {
    co_t *const *tasks = arg;
    pthread_t thread;
    settle();
    const struct objects before = objects;
    assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(failures, 0);
    assert_memory_equal(&objects, &before, sizeof objects);
    settle();
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(co_join(tasks[i], NULL, 0), -ETIMEDOUT); /* they wait yet */
    return 0;
}

static void *two_schedulers(void *arg) {
    co_t *tasks[WAITERS];
    assert_int_equal(co_mutex_lock(&objects.mutex, CO_NEVER), 0);
    assert_int_equal(co_rwlock_write_lock(&objects.writing, CO_NEVER), 0);
    assert_int_equal(co_rwlock_read_lock(&objects.reading, CO_NEVER), 0);
    assert_int_equal(co_wait_group_add(&objects.group, 1), 0);
    for (int i = 0; i < WAITERS; i++)
        tasks[i] = co_spawn(wait_for, value_of(i));
    assert_int_equal(co_once(&objects.once, start_the_other_thread, tasks, CO_NEVER), 0);
    assert_int_equal(co_mutex_unlock(&objects.mutex), 0);
    assert_int_equal(co_rwlock_unlock(&objects.writing), 0);
    assert_int_equal(co_rwlock_unlock(&objects.reading), 0);
    assert_int_equal(co_cond_signal(&objects.cond), 0);
    assert_int_equal(co_semaphore_post(&objects.semaphore), 0);
    assert_int_equal(co_wait_group_done(&objects.group), 0);
    assert_int_equal(co_barrier_wait(&objects.barrier, CO_NEVER), 1);
    join_all(tasks, WAITERS);
    return arg;
}

static void test_another_scheduler(void **state) {
    (void)state;
    memset(&objects, 0, sizeof objects);
    objects.barrier = (co_barrier_t)CO_BARRIER_INIT(2);
    assert_int_equal(run_quietly(two_schedulers, NULL), 0);
}

/* ---- Layout ------------------------------------------------------------------------------------------------------ */

/* Programs have these objects in theirs: a change of what lies where asks for all of them to be built again. */
static void test_layout(void **state) {
    (void)state;
    const struct objects zero = {{0}, {0}, {0}, {{NULL, NULL}}, {0}, {0}, {0}, {0}};
    const struct objects fresh = {CO_MUTEX_INIT,        CO_RWLOCK_INIT,     CO_RWLOCK_INIT,     CO_COND_INIT,
                                  CO_SEMAPHORE_INIT(0), CO_WAIT_GROUP_INIT, CO_BARRIER_INIT(0), CO_ONCE_INIT};
    assert_memory_equal(&zero, &fresh, sizeof zero);
    assert_int_equal(sizeof(co_mutex_t), 24);
    assert_int_equal(offsetof(co_mutex_t, waiters), 8);
    assert_int_equal(sizeof(co_rwlock_t), 32);
    assert_int_equal(offsetof(co_rwlock_t, readers), 8);
    assert_int_equal(offsetof(co_rwlock_t, waiters), 16);
    assert_int_equal(sizeof(co_cond_t), 16);
    assert_int_equal(sizeof(co_semaphore_t), 24);
    assert_int_equal(offsetof(co_semaphore_t, waiters), 8);
    assert_int_equal(sizeof(co_wait_group_t), 24);
    assert_int_equal(offsetof(co_wait_group_t, waiters), 8);
    assert_int_equal(sizeof(co_barrier_t), 32);
    assert_int_equal(offsetof(co_barrier_t, arrived), 8);
    assert_int_equal(offsetof(co_barrier_t, waiters), 16);
    assert_int_equal(sizeof(co_once_t), 24);
    assert_int_equal(offsetof(co_once_t, waiters), 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_outside_of_tasks),
        cmocka_unit_test(test_another_scheduler),
        cmocka_unit_test(test_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
