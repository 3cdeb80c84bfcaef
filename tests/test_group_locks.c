/* An owner whose group fails while it waits for a lock: a wait that returns without the mutex, and a writer that goes
 * away and leaves those behind it waiting. */
#define _GNU_SOURCE
#include "groups.h"

#include <co/sync.h>

static co_mutex_t mutex;
static co_cond_t cond;
static co_rwlock_t lock;

/* ---- Conditions ------------------------------------------------------------------------------------------------ */

static void *wait_for_signal(void *arg) {
    co_group_t group;
    open_group(&group);
    spawn(&group, fail_after, 5 * MS);
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    assert_int_equal(co_cond_wait(&cond, &mutex, CO_NEVER), -ECANCELED);
    assert_int_equal(co_mutex_unlock(&mutex), 0); /* it is held, whatever the wait answers */
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EIO);
    return arg;
}

static void *hold_mutex(void *arg) {
    assert_int_equal(co_sleep(1 * MS), 0);
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    assert_int_equal(co_cond_signal(&cond), 0);
    assert_int_equal(co_sleep(9 * MS), 0);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    return arg;
}

/* The signal has come before the failure, so the owner waits for the mutex, and for nothing else. */
static void *wait_for_mutex(void *arg) {
    co_group_t group;
    co_detach(co_spawn(hold_mutex, NULL));
    open_group(&group);
    spawn(&group, fail_after, 5 * MS);
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    assert_int_equal(co_cond_wait(&cond, &mutex, CO_NEVER), 0);
    assert_int_equal(co_now(), 10 * MS);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EIO);
    return arg;
}

static void test_conditions(void **state) {
    (void)state;
    assert_int_equal(run_virtually(wait_for_signal, NULL), 0);
    assert_int_equal(run_virtually(wait_for_mutex, NULL), 0);
}

/* ---- Writers --------------------------------------------------------------------------------------------------- */

static void *read_for_long(void *arg) {
    assert_int_equal(co_rwlock_read_lock(&lock, CO_NEVER), 0);
    assert_int_equal(co_sleep(100 * MS), 0);
    assert_int_equal(co_rwlock_unlock(&lock), 0);
    return arg;
}

static void *read_behind_writer(void *arg) {
    assert_int_equal(co_sleep(1 * MS), 0);
    assert_int_equal(co_rwlock_read_lock(&lock, CO_NEVER), 0);
    assert_int_equal(co_now(), 5 * MS); /* when the writer has gone, and not when the lock is free */
    assert_int_equal(co_rwlock_unlock(&lock), 0);
    return arg;
}

static void *wait_to_write(void *arg) {
    co_group_t group;
    co_detach(co_spawn(read_for_long, NULL));
    co_detach(co_spawn(read_behind_writer, NULL));
    assert_int_equal(co_sched_yield(), 0);
    open_group(&group);
    spawn(&group, fail_after, 5 * MS);
    assert_int_equal(co_rwlock_write_lock(&lock, CO_NEVER), -ECANCELED);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EIO);
    return arg;
}

static void test_writer(void **state) {
    (void)state;
    assert_int_equal(run_virtually(wait_to_write, NULL), 0);
    assert_int_equal(co_rwlock_destroy(&lock), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
