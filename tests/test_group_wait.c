/* Leaving a group: for whom it waits, what cancels the rest, and what it answers. Every scene is run at several depths
 * and in many orders. */
#define _GNU_SOURCE
#include "groups.h"

#include <co/sync.h>

/* The group has been left, with nothing running; `duration` is how long the scene took. */
static void assert_left(co_group_t *group, int64_t begin, int64_t duration) {
    co_counters_t counters;
    assert_int_equal(running, 0);
    assert_int_equal(co_now(), begin + duration);
    assert_int_equal(co_group_wait(group, CO_NEVER), -EINVAL);
    assert_int_equal(co_group_leave(group), 0);
    assert_int_equal(co_group_cancel(group), -EINVAL);
    errno = 0;
    assert_null(co_group_spawn(group, work, NULL));
    assert_int_equal(errno, ECANCELED);
    assert_int_equal(co_counters(&counters), 0);
    assert_int_equal(counters.live, 1);
}

/* ---- Scenes ------------------------------------------------------------------------------------------------------ */

static void wait_for_none(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_left(&group, begin, 0);
    open_group(&group);
    assert_int_equal(co_group_wait(&group, 0), 0); /* there is nothing to be late for */
    assert_left(&group, begin, 0);
}

static void wait_for_all(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    for (int i = 0; i < 5; i++)
        spawn(&group, work, (5 - i) * MS);
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_left(&group, begin, 5 * MS);
    open_group(&group); /* once more */
    spawn(&group, work, MS);
    assert_int_equal(co_group_wait(&group, begin + 6 * MS + 1), 0);
    assert_left(&group, begin, 6 * MS);
}

static void wait_for_ended(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    spawn(&group, work, MS);
    assert_int_equal(co_sleep(2 * MS), 0);
    assert_int_equal(co_group_wait(&group, 0), 0);
    assert_left(&group, begin, 2 * MS);
}

static void first_failure_cancels(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    spawn(&group, work, MS);
    spawn(&group, work, 100 * MS);
    spawn(&group, fail_after, 2 * MS);
    spawn(&group, work, 100 * MS);
    spawn(&group, fail_after, 3 * MS);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EIO);
    assert_left(&group, begin, 2 * MS);
}

static void failure_waits_for_the_rest(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    spawn(&group, ignore_cancel, 100 * MS);
    spawn(&group, fail_after, 2 * MS);
    assert_int_equal(co_group_wait(&group, begin + 5 * MS), -EIO); /* the deadline is no matter any more */
    assert_left(&group, begin, 42 * MS);
}

static void deadline_cancels(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    spawn(&group, work, MS);
    spawn(&group, work, 100 * MS);
    spawn(&group, ignore_cancel, 100 * MS);
    assert_int_equal(co_group_wait(&group, co_after(4 * MS)), -ETIMEDOUT);
    assert_left(&group, begin, 44 * MS);
    open_group(&group);
    spawn(&group, work, MS);
    assert_int_equal(co_group_wait(&group, co_now()), -ETIMEDOUT);
    assert_left(&group, begin, 44 * MS);
    open_group(&group);
    spawn(&group, work, MS);
    assert_int_equal(co_group_wait(&group, -1), -ETIMEDOUT);
    assert_left(&group, begin, 44 * MS);
}

static void cancelled_group(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    spawn(&group, work, 100 * MS);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_group_cancel(&group), 0);
    assert_int_equal(co_group_cancel(&group), 0);
    errno = 0;
    assert_null(co_group_spawn(&group, work, NULL));
    assert_int_equal(errno, ECANCELED);
    assert_int_equal(co_cancelled(), 0); /* it was the owner who said so */
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -ECANCELED);
    assert_left(&group, begin, MS);
    open_group(&group);
    spawn(&group, work, 100 * MS);
    assert_int_equal(co_group_leave(&group), -ECANCELED);
    assert_left(&group, begin, MS);
}

/* ECANCELED by whom a task was cancelled, and out of the blue. */
static void *fail_cancelled(void *arg) {
    (void)arg;
    return co_fail(ECANCELED);
}

static void one_is_cancelled(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    co_t *task = co_group_spawn(&group, work, value_of(100 * MS));
    spawn(&group, work, 3 * MS);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_cancel(task), 0);
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_left(&group, begin, 3 * MS);
    open_group(&group);
    spawn(&group, fail_cancelled, 0);
    spawn(&group, work, 100 * MS);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -ECANCELED);
    assert_left(&group, begin, 3 * MS);
}

static void *spawn_more(void *arg) {
    co_group_t *group = arg;
    running++;
    assert_int_equal(co_sleep(MS), 0);
    for (int i = 1; i <= 3; i++)
        spawn(group, work, i * MS);
    running--;
    return NULL;
}

static void tasks_spawn(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    assert_non_null(co_group_spawn(&group, spawn_more, &group));
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_left(&group, begin, 4 * MS);
}

static void *spawn_late(void *arg) {
    running++;
    assert_int_equal(co_sleep_until(CO_NEVER), -ECANCELED);
    errno = 0;
    assert_null(co_group_spawn(arg, work, NULL));
    assert_int_equal(errno, ECANCELED);
    assert_int_equal(co_group_cancel(arg), 0);
    running--;
    return NULL;
}

static void tasks_spawn_late(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    assert_non_null(co_group_spawn(&group, spawn_late, &group));
    assert_int_equal(co_group_wait(&group, begin + MS), -ETIMEDOUT);
    assert_left(&group, begin, MS);
}

static void *cancel_the_group(void *arg) {
    running++;
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_group_cancel(arg), 0);
    assert_int_equal(co_sched_yield(), -ECANCELED);
    running--;
    return NULL;
}

static void task_cancels(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    spawn(&group, work, 100 * MS);
    assert_non_null(co_group_spawn(&group, cancel_the_group, &group));
    assert_int_equal(co_group_wait(&group, CO_NEVER), -ECANCELED);
    assert_left(&group, begin, MS);
}

/* The owner waits for what the failed task would have done. */
static void owner_is_told(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    spawn(&group, fail_after, MS);
    spawn(&group, work, 100 * MS);
    assert_int_equal(co_park(CO_NEVER), -ECANCELED);
    assert_int_equal(co_cancelled(), 1);
    assert_int_equal(co_sleep(MS), -ECANCELED);
    assert_int_equal(co_shield(), 0);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_unshield(), 0);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EIO);
    assert_int_equal(co_cancelled(), 0);
    assert_left(&group, begin, 2 * MS);
    assert_int_equal(co_sched_yield(), 0);

    open_group(&group);
    assert_non_null(co_group_spawn(&group, cancel_the_group, &group));
    assert_int_equal(co_sleep(100 * MS), -ECANCELED);
    assert_int_equal(co_uncancel(), 1);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -ECANCELED);
    assert_int_equal(co_cancelled(), 0);
    assert_left(&group, begin, 4 * MS);
}

static co_rwlock_t lock;

static void *read_until_cancelled(void *arg) {
    assert_int_equal(co_rwlock_read_lock(&lock, CO_NEVER), 0);
    assert_int_equal(co_sleep_until(CO_NEVER), -ECANCELED);
    assert_int_equal(co_rwlock_unlock(&lock), 0);
    return arg;
}

static void *read_beside(void *arg) {
    assert_int_equal(co_sleep(MS / 2), 0);
    return co_rwlock_read_lock(&lock, co_after(MS)) == 0 && co_rwlock_unlock(&lock) == 0 ? arg : co_fail(EIO);
}

/* What a call has to do when it gives up is done: a condition takes its mutex back, a writer lets in whom it kept out. */
static void owner_gives_up(void *arg) {
    co_group_t group;
    co_mutex_t mutex = {0};
    co_cond_t cond = {0};
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    spawn(&group, fail_after, MS);
    assert_int_equal(co_mutex_lock(&mutex, CO_NEVER), 0);
    assert_int_equal(co_cond_wait(&cond, &mutex, CO_NEVER), -ECANCELED);
    assert_int_equal(co_mutex_unlock(&mutex), 0);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EIO);
    assert_left(&group, begin, MS);

    co_t *reader = co_spawn(read_until_cancelled, NULL);
    assert_int_equal(co_sleep(MS), 0);
    open_group(&group);
    spawn(&group, fail_after, MS);
    co_t *beside = co_spawn(read_beside, NULL);
    assert_int_equal(co_rwlock_write_lock(&lock, CO_NEVER), -ECANCELED);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EIO);
    assert_joined(beside, 0);
    assert_int_equal(co_now(), begin + 3 * MS);
    assert_int_equal(co_cancel(reader), 0);
    assert_joined(reader, 0);
    assert_left(&group, begin, 3 * MS);
}

/* A cancelling from outside stays when a group's own is over. */
static void *cancel_parent(void *task) {
    running++;
    assert_int_equal(co_cancel(task), 0);
    running--;
    return co_fail(EIO);
}

static void cancelled_twice(void *arg) {
    co_group_t group;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&group);
    assert_non_null(co_group_spawn(&group, cancel_parent, co_task()));
    assert_int_equal(co_park(CO_NEVER), -ECANCELED);
    /* Either the failure came before this wait, or the task is still on its way to it. */
    const int status = co_group_wait(&group, CO_NEVER);
    assert_true(status == -EIO || status == -ECANCELED);
    assert_int_equal(co_cancelled(), 1);
    assert_int_equal(co_uncancel(), 1);
    assert_left(&group, begin, 0);
}

static void two_groups(void *arg) {
    co_group_t first, second;
    const int64_t begin = co_now();
    (void)arg;
    open_group(&first);
    open_group(&second);
    spawn(&first, work, 2 * MS);
    spawn(&second, work, MS);
    assert_int_equal(co_group_wait(&first, CO_NEVER), 0); /* not in the order of opening backwards */
    assert_int_equal(co_group_wait(&second, CO_NEVER), 0);
    assert_left(&first, begin, 2 * MS);
    assert_left(&second, begin, 2 * MS);

    open_group(&first);
    open_group(&second);
    spawn(&first, fail_after, MS);
    spawn(&second, work, 100 * MS);
    assert_int_equal(co_group_wait(&second, CO_NEVER), -ECANCELED); /* the outer group has failed */
    assert_int_equal(co_cancelled(), 1);
    assert_int_equal(co_group_wait(&first, CO_NEVER), -EIO);
    assert_int_equal(co_cancelled(), 0);
    assert_left(&first, begin, 3 * MS);

    open_group(&first);
    open_group(&second);
    spawn(&first, fail_after, MS);
    spawn(&second, fail_after, MS);
    assert_int_equal(co_shield(), 0);
    assert_int_equal(co_sleep(2 * MS), 0);
    assert_int_equal(co_unshield(), 0);
    assert_int_equal(co_group_wait(&second, CO_NEVER), -EIO);
    assert_int_equal(co_sleep(MS), -ECANCELED); /* one is left that says so */
    assert_int_equal(co_group_wait(&first, CO_NEVER), -EIO);
    assert_int_equal(co_sleep(MS), 0);
    assert_left(&first, begin, 6 * MS);
}

static co_t *cancelled_at_the_end; /* the owner, or NULL */

static void *spawn_at_the_end(void *group) {
    assert_int_equal(co_sleep(MS), 0);
    errno = 0;
    if (co_group_spawn(group, work, value_of(100 * MS)) == NULL)
        assert_int_equal(errno, ECANCELED); /* the owner has been there before */
    if (cancelled_at_the_end != NULL)
        assert_int_equal(co_cancel(cancelled_at_the_end), 0);
    return NULL;
}

/* A task that comes when the last one has ended and the owner has not had its turn yet: so may a cancelling. */
static void spawned_at_the_end(void *arg) {
    (void)arg;
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        co_group_t first, second;
        const int64_t begin = co_now();
        cancelled_at_the_end = cancelled ? co_task() : NULL;
        open_group(&first);
        open_group(&second);
        spawn(&first, work, MS);
        assert_non_null(co_group_spawn(&second, spawn_at_the_end, &first));
        const int status = co_group_wait(&first, co_after(5 * MS));
        const int late = cancelled ? -ECANCELED : -ETIMEDOUT;
        assert_true(status == 0 || status == late);
        assert_int_equal(co_now(), begin + (status == -ETIMEDOUT ? 5 : 1) * MS);
        assert_int_equal(running, 0);
        (void)co_group_wait(&second, CO_NEVER);
        assert_int_equal(co_uncancel(), cancelled);
    }
}

static void (*const scenes[])(void *) = {
    wait_for_none,
    wait_for_all,
    wait_for_ended,
    first_failure_cancels,
    failure_waits_for_the_rest,
    deadline_cancels,
    cancelled_group,
    one_is_cancelled,
    tasks_spawn,
    tasks_spawn_late,
    task_cancels,
    owner_is_told,
    owner_gives_up,
    cancelled_twice,
    two_groups,
    spawned_at_the_end,
};

static void *all_scenes(void *arg) {
    running = 0;
    for (size_t scene = 0; scene < sizeof scenes / sizeof scenes[0]; scene++)
        for (int i = 0; i < DEPTHS; i++)
            at_depth(depths[i], scenes[scene], NULL);
    return arg;
}

static void test_scenes(void **state) {
    (void)state;
    run_in_every_order(all_scenes, 0);
}

/* ---- The same instant -------------------------------------------------------------------------------------------- */

static void *all_at_once(void *arg) {
    co_group_t group;
    running = 0;
    open_group(&group);
    spawn(&group, work, 5 * MS);
    spawn(&group, fail_after, 5 * MS);
    const int status = co_group_wait(&group, co_after(5 * MS));
    assert_true(status == -EIO || status == -ETIMEDOUT);
    assert_int_equal(running, 0);
    assert_int_equal(co_now(), 5 * MS);
    open_group(&group);
    spawn(&group, work, 5 * MS);
    const int late = co_group_wait(&group, co_after(5 * MS));
    assert_true(late == 0 || late == -ETIMEDOUT);
    assert_int_equal(running, 0);
    return arg;
}

/* An end, a failure and a deadline at once: one of them is the answer, and nothing is left. */
static void test_same_instant(void **state) {
    (void)state;
    run_in_every_order(all_at_once, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenes),
        cmocka_unit_test(test_same_instant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
