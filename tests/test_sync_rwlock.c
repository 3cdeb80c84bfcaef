/* Locks for readers and writers: a writer beside others, readers that keep a writer out for ever, and readers left
 * behind a writer that has gone away. */
#define _GNU_SOURCE
#include "sync.h"

static co_rwlock_t rwlock;
static int depth;

/* Adds its letter when it has the lock, and the letter's capital when it gives it up, a turn later. */
struct user {
    char letter;
    bool writes;
    int64_t deadline;
    int status;
};

#define READER(name)                                                                                                   \
    { name, false, CO_NEVER, 0 }
#define WRITER(name)                                                                                                   \
    { name, true, CO_NEVER, 0 }

static int lock_as_told(void *arg) {
    const struct user *user = arg;
    return user->writes ? co_rwlock_write_lock(&rwlock, user->deadline) : co_rwlock_read_lock(&rwlock, user->deadline);
}

static int unlock(void *arg) { return co_rwlock_unlock(arg); }

static void *use(void *arg) {
    struct user *user = arg;
    user->status = 1;
    user->status = call_at_depth(depth, lock_as_told, user);
    if (user->status != 0) {
        trace_add('!');
        return NULL;
    }
    trace_add(user->letter);
    co_shield();
    assert_int_equal(co_sched_yield(), 0);
    co_unshield();
    trace_add((char)(user->letter - 'a' + 'A'));
    assert_int_equal(call_at_depth(depth, unlock, &rwlock), 0);
    return NULL;
}

static void at_each_depth(co_fn fn) {
    for (int i = 0; i < DEPTHS; i++) {
        depth = depths[i];
        rwlock = (co_rwlock_t)CO_RWLOCK_INIT;
        trace_clear();
        assert_int_equal(run_quietly(fn, NULL), 0);
        assert_int_equal(co_rwlock_destroy(&rwlock), 0);
    }
    depth = 0;
}

static void spawn_users(co_t **tasks, struct user *users, int count) {
    for (int i = 0; i < count; i++)
        assert_non_null(tasks[i] = co_spawn(use, &users[i]));
}

/* ---- Order ----------------------------------------------------------------------------------------------------- */

static void *batches(void *arg) {
    struct user users[] = {READER('a'), READER('b'), WRITER('c'), READER('d'),
                           READER('e'), WRITER('f'), WRITER('g'), READER('h')};
    co_t *tasks[8];
    spawn_users(tasks, users, 8);
    join_all(tasks, 8);
    assert_trace("abABcCdeDEfFgGhH");
    return arg;
}

/* Readers that do not run together, or overtake a writer; a writer that runs beside others. */
static void test_batches(void **state) {
    (void)state;
    at_each_depth(batches);
}

static void *behind_a_writer(void *arg) {
    struct user users[] = {WRITER('a'), READER('b'), READER('c')};
    co_t *tasks[3];
    assert_int_equal(co_rwlock_read_lock(&rwlock, CO_NEVER), 0);
    assert_int_equal(co_rwlock_read_lock(&rwlock, 0), 0); /* nobody waits yet */
    spawn_users(tasks, users, 3);
    settle();
    assert_trace("");
    assert_int_equal(co_rwlock_try_read_lock(&rwlock), -EBUSY);
    assert_int_equal(co_rwlock_try_write_lock(&rwlock), -EBUSY);
    assert_int_equal(co_rwlock_read_lock(&rwlock, 0), -ETIMEDOUT);
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    settle();
    assert_trace("");
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    assert_int_equal(co_rwlock_unlock(&rwlock), -EPERM); /* it is a's already */
    assert_int_equal(co_rwlock_try_read_lock(&rwlock), -EBUSY);
    join_all(tasks, 3);
    assert_trace("aAbcBC");
    return arg;
}

static void test_a_waiting_writer_keeps_readers_out(void **state) {
    (void)state;
    at_each_depth(behind_a_writer);
}

static void *writing_lets_in_readers(void *arg) {
    struct user users[] = {READER('a'), READER('b'), WRITER('c'), READER('d')};
    co_t *tasks[4];
    assert_int_equal(co_rwlock_write_lock(&rwlock, CO_NEVER), 0);
    spawn_users(tasks, users, 4);
    settle();
    assert_int_equal(co_rwlock_downgrade(&rwlock), 0);
    assert_int_equal(co_rwlock_downgrade(&rwlock), -EPERM);
    settle();
    assert_trace("abAB"); /* beside this reader, who keeps c out */
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    join_all(tasks, 4);
    assert_trace("abABcCdD");
    return arg;
}

static void test_downgrade(void **state) {
    (void)state;
    at_each_depth(writing_lets_in_readers);
}

/* ---- Writers that go away ---------------------------------------------------------------------------------------- */

static void *writer_gives_up(void *arg) {
    struct user users[] = {{'a', true, co_after(10), 0}, READER('b'), READER('c'), WRITER('d'), READER('e')};
    co_t *tasks[5];
    assert_int_equal(co_rwlock_read_lock(&rwlock, CO_NEVER), 0);
    spawn_users(tasks, users, 5);
    settle();
    assert_trace("");
    assert_int_equal(co_sleep(20), 0);
    assert_trace("!bcBC"); /* beside this reader; e stays behind d */
    assert_int_equal(users[0].status, -ETIMEDOUT);
    assert_int_equal(co_cancel(tasks[3]), 0);
    settle();
    assert_trace("!bcBC!eE");
    assert_int_equal(users[3].status, -ECANCELED);
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    join_all(tasks, 5);
    return arg;
}

/* Readers that go on waiting for nobody. */
static void test_a_writer_that_gives_up_lets_readers_in(void **state) {
    (void)state;
    at_each_depth(writer_gives_up);
}

static void *between_wake_and_turn(void *arg) {
    struct user users[] = {WRITER('a'), WRITER('b'), READER('c')};
    co_t *tasks[3];
    assert_int_equal(co_rwlock_write_lock(&rwlock, CO_NEVER), 0);
    spawn_users(tasks, users, 3);
    settle();
    assert_int_equal(co_cancel(tasks[0]), 0);
    assert_int_equal(co_cancel(tasks[1]), 0); /* c is first in the queue */
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    assert_int_equal(co_rwlock_try_write_lock(&rwlock), -EBUSY);
    assert_int_equal(co_rwlock_try_read_lock(&rwlock), 0); /* nobody waits */
    assert_int_equal(co_cancel(tasks[2]), 0);              /* it has been let in */
    join_all(tasks, 3);
    assert_trace("!!cC");
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    return arg;
}

static void test_cancels_at_the_hand_over(void **state) {
    (void)state;
    at_each_depth(between_wake_and_turn);
}

static void *deadlines(void *arg) {
    static const int64_t past[] = {INT64_MIN, -1, 0};
    assert_int_equal(co_rwlock_read_lock(&rwlock, INT64_MIN), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(co_rwlock_write_lock(&rwlock, past[i]), -ETIMEDOUT);
    assert_int_equal(co_rwlock_write_lock(&rwlock, co_after(5)), -ETIMEDOUT);
    assert_int_equal(co_rwlock_read_lock(&rwlock, 0), 0); /* no writer waits any more */
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    assert_int_equal(co_rwlock_write_lock(&rwlock, INT64_MIN), 0);
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    co_cancel(co_task());
    assert_int_equal(co_rwlock_write_lock(&rwlock, CO_NEVER), -ECANCELED);
    assert_int_equal(co_rwlock_read_lock(&rwlock, CO_NEVER), -ECANCELED);
    assert_int_equal(co_rwlock_try_write_lock(&rwlock), 0);
    assert_int_equal(co_rwlock_downgrade(&rwlock), 0);
    assert_int_equal(co_rwlock_try_read_lock(&rwlock), 0);
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    assert_int_equal(co_rwlock_unlock(&rwlock), 0);
    return arg;
}

static void test_deadlines(void **state) {
    (void)state;
    at_each_depth(deadlines);
}

/* ---- Whose it is ------------------------------------------------------------------------------------------------- */

static void *not_the_writer(void *arg) {
    assert_int_equal(co_rwlock_unlock(&rwlock), -EPERM);
    assert_int_equal(co_rwlock_downgrade(&rwlock), -EPERM);
    return arg;
}

static void *ownership(void *arg) {
    struct user reader = READER('a'), writer = WRITER('b');
    assert_int_equal(co_rwlock_unlock(&rwlock), -EPERM);
    assert_int_equal(co_rwlock_downgrade(&rwlock), -EPERM);
    assert_int_equal(co_rwlock_write_lock(&rwlock, CO_NEVER), 0);
    assert_int_equal(co_rwlock_destroy(&rwlock), -EBUSY);
    for (int i = 0; i < DEPTHS; i++) {
        assert_int_equal(call_at_depth(depths[i], lock_as_told, &reader), -EDEADLK);
        assert_int_equal(call_at_depth(depths[i], lock_as_told, &writer), -EDEADLK);
    }
    assert_int_equal(co_rwlock_try_read_lock(&rwlock), -EBUSY);
    assert_int_equal(co_rwlock_try_write_lock(&rwlock), -EBUSY);
    co_t *task = co_spawn(not_the_writer, NULL);
    join_all(&task, 1);
    assert_int_equal(co_rwlock_downgrade(&rwlock), 0);
    assert_int_equal(co_rwlock_destroy(&rwlock), -EBUSY);
    assert_int_equal(call_at_depth(depth, unlock, &rwlock), 0);
    assert_int_equal(co_rwlock_unlock(&rwlock), -EPERM);
    return arg;
}

static void test_ownership(void **state) {
    (void)state;
    at_each_depth(ownership);
}

static void *write_and_end(void *arg) {
    assert_int_equal(co_rwlock_write_lock(&rwlock, CO_NEVER), 0);
    return arg;
}

static void *lock_of_another_run(void *arg) {
    assert_int_equal(co_rwlock_read_lock(&rwlock, CO_NEVER), -EPERM);
    assert_int_equal(co_rwlock_write_lock(&rwlock, CO_NEVER), -EPERM);
    return not_the_writer(arg);
}

static void test_held_by_a_task_that_has_ended(void **state) {
    (void)state;
    rwlock = (co_rwlock_t)CO_RWLOCK_INIT;
    assert_int_equal(run_quietly(write_and_end, NULL), 0);
    assert_int_equal(run_quietly(lock_of_another_run, NULL), 0);
    assert_int_equal(co_rwlock_destroy(&rwlock), -EBUSY);
    rwlock = (co_rwlock_t)CO_RWLOCK_INIT;
}

/* ---- Any order ------------------------------------------------------------------------------------------------- */

enum { TASKS = 7, ROUNDS = 6 };
static int readers, writers, most_readers, writes;
static co_t *workers[TASKS];

static void *work(void *arg) {
    const intptr_t number = number_of(arg);
    struct user user = READER(0);
    for (int i = 0; i < ROUNDS; i++) {
        int status;
        user.writes = random_below(3) == 0;
        user.deadline = random_deadline();
        if (random_below(5) == 0)
            status = user.writes ? co_rwlock_try_write_lock(&rwlock) : co_rwlock_try_read_lock(&rwlock);
        else
            status = call_at_depth(depths[number % DEPTHS], lock_as_told, &user);
        if (status == -EBUSY || gave_up(status))
            continue;
        assert_int_equal(status, 0);
        assert_int_equal(writers, 0);
        if (user.writes) {
            assert_int_equal(readers, 0);
            writers++;
            writes++;
            dawdle();
            assert_int_equal(readers, 0);
            assert_int_equal(writers--, 1);
            if (random_below(2) == 0)
                assert_int_equal(co_rwlock_downgrade(&rwlock), 0);
            else
                user.deadline = -1;
        }
        if (!user.writes || user.deadline != -1) {
            if (++readers > most_readers)
                most_readers = readers;
            dawdle();
            assert_int_equal(writers, 0);
            readers--;
        }
        assert_int_equal(call_at_depth(depths[random_below(DEPTHS)], unlock, &rwlock), 0);
        dawdle();
    }
    return NULL;
}

static void *work_and_cancel(void *arg) {
    for (int i = 0; i < TASKS; i++)
        workers[i] = co_spawn(work, value_of(i));
    for (int i = 0; i < 10; i++) {
        co_cancel(workers[random_below(TASKS)]);
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
        readers = writers = writes = 0;
        assert_int_equal(run_seeded((uint64_t)seed, work_and_cancel, NULL), 0);
        assert_int_equal(co_rwlock_destroy(&rwlock), 0);
        all += writes;
    }
    assert_true(all > seeds() * TASKS / 2 && most_readers > 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_a_waiting_writer_keeps_readers_out),
        cmocka_unit_test(test_downgrade),
        cmocka_unit_test(test_a_writer_that_gives_up_lets_readers_in),
        cmocka_unit_test(test_cancels_at_the_hand_over),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_ownership),
        cmocka_unit_test(test_held_by_a_task_that_has_ended),
        cmocka_unit_test(test_exclusion_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
