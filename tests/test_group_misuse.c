/* Groups in hands that use them wrongly: the wrong task, the wrong thread, the wrong time, and left open. And groups in
 * a deadlock. Nothing is lost, and an error says why.
 * Compiled with: -fexceptions
 */
#define _GNU_SOURCE
#include "tasks.h"

#include <co/group.h>

#include <pthread.h>

static void assert_spawns_nothing(co_group_t *group, int error) {
    errno = 0;
    assert_null(co_group_spawn(group, do_nothing, NULL));
    assert_int_equal(errno, error);
    errno = 0;
    assert_null((co_group_spawn)(group, do_nothing, NULL));
    assert_int_equal(errno, error);
    errno = 0;
    assert_null(co_group_spawn_with(group, NULL, do_nothing, NULL));
    assert_int_equal(errno, error);
}

/* ---- NULL, not open, opened twice -------------------------------------------------------------------------------- */

static void *misuse(void *arg) {
    co_group_t group = {0};
    assert_int_equal(co_group_open(NULL), -EINVAL);
    assert_int_equal(co_group_wait(NULL, CO_NEVER), -EINVAL);
    assert_int_equal(co_group_leave(NULL), -EINVAL);
    assert_int_equal(co_group_cancel(NULL), -EINVAL);
    assert_spawns_nothing(NULL, EINVAL);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EINVAL);
    assert_int_equal(co_group_cancel(&group), -EINVAL);
    assert_int_equal(co_group_leave(&group), 0);
    assert_spawns_nothing(&group, ECANCELED);
    assert_int_equal(co_group_open(&group), 0);
    assert_int_equal(co_group_open(&group), -EBUSY);
    errno = 0;
    assert_null(co_group_spawn(&group, NULL, NULL));
    assert_int_equal(errno, EINVAL);
    assert_null(co_group_spawn_at(NULL, &group, NULL, NULL));
    assert_non_null(co_group_spawn_at(NULL, &group, do_nothing, NULL));
    co_t *task = co_group_spawn(&group, do_nothing, NULL);
    assert_non_null(strstr(co_site(task), "test_group_misuse.c"));
    assert_int_equal(co_join(task, NULL, CO_NEVER), -EINVAL);
    assert_int_equal(co_detach(task), -EINVAL);
    assert_int_equal(co_destroy(task), -EBUSY);
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EINVAL);
    return arg;
}

static void test_misuse(void **state) {
    (void)state;
    co_group_t group = {0};
    run_in_every_order(misuse, 0);
    assert_int_equal(co_group_open(&group), -EPERM);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EPERM);
    assert_int_equal(co_group_cancel(&group), -EPERM);
    assert_int_equal(co_group_leave(&group), 0);
    assert_spawns_nothing(&group, EPERM);
}

/* ---- The wrong task ---------------------------------------------------------------------------------------------- */

static void *use_as_a_stranger(void *group) {
    assert_spawns_nothing(group, EPERM);
    assert_int_equal(co_group_cancel(group), -EPERM);
    assert_int_equal(co_group_wait(group, CO_NEVER), -EPERM);
    assert_int_equal(co_group_leave(group), -EPERM);
    return NULL;
}

static void *wait_as_a_task_of_it(void *group) {
    assert_int_equal(co_group_wait(group, CO_NEVER), -EPERM); /* for itself */
    assert_int_equal(co_group_leave(group), -EPERM);
    return NULL;
}

static void *use_in_other_thread(void *group) {
    assert_int_equal(co_run(use_as_a_stranger, group, NULL), 0);
    assert_spawns_nothing(group, EPERM);
    return NULL;
}

static void *lend_to_strangers(void *arg) {
    co_group_t group;
    pthread_t thread;
    assert_int_equal(co_group_open(&group), 0);
    assert_joined(co_spawn(use_as_a_stranger, &group), 0);
    assert_non_null(co_group_spawn(&group, wait_as_a_task_of_it, &group));
    assert_int_equal(pthread_create(&thread, NULL, use_in_other_thread, &group), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    return arg;
}

static void test_strangers(void **state) {
    (void)state;
    assert_int_equal(run_virtually(lend_to_strangers, NULL), 0);
}

/* ---- Left open --------------------------------------------------------------------------------------------------- */

static int begun, ended;

static void *clean_up_slowly(void *arg) {
    begun++;
    assert_int_equal(co_sleep(100 * MS), -ECANCELED);
    assert_int_equal(co_shield(), 0);
    assert_int_equal(co_sleep(5 * MS), 0);
    assert_int_equal(co_unshield(), 0);
    ended++;
    return arg;
}

static void *try_the_lost_group(void *group) {
    begun++;
    assert_int_equal(co_sleep(100 * MS), -ECANCELED);
    assert_spawns_nothing(group, EPERM); /* it does not look into that frame */
    ended++;
    return NULL;
}

__attribute__((noinline)) static void leave_open(void) {
    co_group_t group;
    assert_int_equal(co_group_open(&group), 0);
    for (int i = 0; i < 3; i++)
        assert_non_null(co_group_spawn(&group, clean_up_slowly, NULL));
    assert_int_equal(co_sleep(MS), 0);
}

static co_group_t kept; /* outlives its owner, so that its task may be asked about it */

static void *forget_a_group(void *error) {
    assert_int_equal(co_group_open(&kept), 0);
    assert_non_null(co_group_spawn(&kept, try_the_lost_group, &kept));
    leave_open();
    return number_of(error) != 0 ? co_fail((int)number_of(error)) : error;
}

static void *forget_an_empty_group(void *arg) {
    assert_int_equal(co_group_open(&kept), 0);
    assert_non_null(co_group_spawn(&kept, do_nothing, NULL));
    assert_int_equal(co_sleep(MS), 0);
    return arg;
}

static void *join_forgetful(void *arg) {
    void *result = UNTOUCHED;
    int64_t begin = co_now();
    begun = ended = 0;
    assert_int_equal(co_join(co_spawn(forget_a_group, NULL), &result, CO_NEVER), -EOWNERDEAD);
    assert_null(result);
    assert_int_equal(begun, 4);
    assert_int_equal(ended, 4);
    assert_int_equal(co_now(), begin + 6 * MS); /* it has ended with the last of them */
    assert_int_equal(co_join(co_spawn(forget_a_group, value_of(EIO)), &result, CO_NEVER), -EIO);
    assert_int_equal(ended, 8);
    assert_int_equal(co_join(co_spawn(forget_an_empty_group, value_of(3)), &result, CO_NEVER), 0);
    assert_int_equal(number_of(result), 3);

    co_t *task = co_spawn(forget_a_group, NULL);
    assert_int_equal(co_detach(task), 0);
    assert_int_equal(co_sleep(2 * MS), 0);
    assert_int_equal(co_cancel(task), 0); /* its function has returned, but it has not ended */
    assert_int_equal(co_sleep(10 * MS), 0);
    assert_int_equal(ended, 12);

    co_group_t group; /* the same for a task of a group */
    begin = co_now();
    assert_int_equal(co_group_open(&group), 0);
    assert_non_null(co_group_spawn(&group, forget_a_group, NULL));
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EOWNERDEAD);
    assert_int_equal(ended, 16);
    assert_int_equal(co_now(), begin + 6 * MS);
    return arg;
}

static void test_left_open(void **state) {
    (void)state;
    run_in_every_order(join_forgetful, 0);
    begun = ended = 0;
    assert_int_equal(run_virtually(forget_a_group, NULL), -EOWNERDEAD); /* the first task */
    assert_int_equal(ended, 4);
}

#if defined(__GNUC__) && defined(__GLIBC__) /* the libgcc_eh that musl-gcc finds is made for glibc */
static int leave_early(int when) {
    __attribute__((cleanup(co_group_leave))) co_group_t group = {0};
    if (when == 0)
        return when;
    assert_int_equal(co_group_open(&group), 0);
    if (when == 1)
        return when;
    assert_non_null(co_group_spawn(&group, clean_up_slowly, NULL));
    assert_int_equal(co_sleep(MS), 0);
    if (when == 2)
        return when;
    assert_int_equal(co_group_wait(&group, co_after(MS)), -ETIMEDOUT);
    return when;
}

static void *leave_by_scope(void *arg) {
    static const int64_t durations[] = {0, 0, 6, 7};
    for (int when = 0; when < 4; when++) {
        const int64_t begin = co_now();
        begun = ended = 0;
        assert_int_equal(leave_early(when), when);
        assert_int_equal(begun, ended);
        assert_int_equal(co_now(), begin + durations[when] * MS);
    }
    return arg;
}

static void *suspend_with_a_group(void *arg) {
    __attribute__((cleanup(co_group_leave))) co_group_t group = {0};
    assert_int_equal(co_group_open(&group), 0);
    assert_non_null(co_group_spawn(&group, clean_up_slowly, NULL));
    assert_int_equal(co_sleep(MS), 0);
    return co_yield(arg);
}

/* The clean-up waits in the middle of the unwinding. */
static void close_with_a_group(void *arg) {
    const int64_t begin = co_now();
    co_t *co = co_create(suspend_with_a_group, arg);
    begun = ended = 0;
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(begun, 1);
    assert_int_equal(co_destroy(co), 0);
    assert_int_equal(ended, 1);
    assert_int_equal(co_now(), begin + 6 * MS);
}

static void *close_at_every_depth(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        at_depth(depths[i], close_with_a_group, NULL);
    return arg;
}

static void test_scope(void **state) {
    (void)state;
    run_in_every_order(leave_by_scope, 0);
    run_in_every_order(close_at_every_depth, 0);
}
#endif

/* ---- Deadlock ---------------------------------------------------------------------------------------------------- */

static int closed_members, closed_owners;
static co_group_t *group_of_the_dead;

static void note_member_closed(void *arg) {
    (void)arg;
    assert_int_equal(closed_owners, 0); /* what the group and its owner have lent is still there */
    assert_non_null(group_of_the_dead->owner);
    errno = 0;
    assert_null(co_group_spawn(group_of_the_dead, do_nothing, NULL));
    assert_int_equal(errno, ECANCELED);
    assert_int_equal(co_sleep(MS), -ECANCELED);
    closed_members++;
}

static void note_owner_closed(void *arg) {
    closed_owners++;
    assert_int_equal(co_group_wait(arg, CO_NEVER), -ECANCELED);
    assert_int_equal(co_group_leave(arg), 0);
}

static void wait_for_ever(void *arg) {
    (void)arg;
    assert_int_equal(co_defer(note_member_closed, NULL), 0);
    (void)co_sleep_until(CO_NEVER);
}

static void *be_a_member(void *depth) {
    at_depth((int)number_of(depth), wait_for_ever, NULL);
    return NULL;
}

static int deadlock_status;

static void own_the_dead(void *arg) {
    (void)arg;
    co_group_t group;
    assert_int_equal(co_group_open(&group), 0);
    group_of_the_dead = &group;
    assert_int_equal(co_defer(note_owner_closed, &group), 0);
    for (int i = 0; i < DEPTHS; i++)
        assert_non_null(co_group_spawn(&group, be_a_member, value_of(depths[i])));
    deadlock_status = co_group_wait(&group, CO_NEVER);
}

static int depth_of_owner;

static void *be_an_owner(void *arg) {
    at_depth(depth_of_owner, own_the_dead, NULL);
    return arg;
}

static void *spawn_an_owner(void *arg) {
    (void)co_join(co_spawn(be_an_owner, NULL), NULL, CO_NEVER);
    return arg;
}

/* A frame that holds a group and goes before the group's tasks; memory that is not given back (AddressSanitizer tells).
 */
static void test_deadlock(void **state) {
    (void)state;
    for (int first = 0; first < 2; first++)
        for (int i = 0; i < DEPTHS; i++)
            for (uint64_t seed = 0; seed < 20; seed++) {
                void *result = UNTOUCHED;
                const co_run_options_t options = {
                    .flags = CO_RUN_QUIET | CO_RUN_VIRTUAL_CLOCK | (seed == 0 ? 0 : CO_RUN_SEEDED), .seed = seed};
                deadlock_status = 1;
                depth_of_owner = depths[i];
                closed_members = closed_owners = 0;
                assert_int_equal(co_run_with(&options, first ? be_an_owner : spawn_an_owner, NULL, &result), -EDEADLK);
                assert_null(result);
                assert_int_equal(closed_members, DEPTHS);
                assert_int_equal(closed_owners, 1);
                assert_int_equal(deadlock_status, 1); /* the wait has not come back */
                destroy_nested();
            }
}

static void *end_before_the_dead(void *arg) {
    assert_int_equal(co_group_open(&kept), 0);
    group_of_the_dead = &kept;
    assert_non_null(co_group_spawn(&kept, wait_for_cancel, NULL));
    return arg;
}

static void *never_end(void *arg) {
    assert_int_equal(co_shield(), 0);
    (void)co_sleep_until(CO_NEVER);
    return arg;
}

static void *end_before_the_deaf(void *arg) {
    assert_int_equal(co_group_open(&kept), 0);
    assert_non_null(co_group_spawn(&kept, never_end, NULL));
    assert_int_equal(co_sleep(MS), 0);
    return arg;
}

static void *join_the_undead(void *arg) {
    assert_joined(co_spawn(end_before_the_dead, NULL), -EOWNERDEAD);
    (void)co_join(co_spawn(end_before_the_deaf, NULL), NULL, CO_NEVER);
    return arg;
}

static void *detach_the_undead(void *arg) {
    assert_int_equal(co_detach(co_spawn(end_before_the_deaf, NULL)), 0);
    return arg;
}

/* An owner whose end is put off for ever. */
static void test_deadlock_of_forgotten(void **state) {
    (void)state;
    run_in_every_order(join_the_undead, -EDEADLK);
    run_in_every_order(detach_the_undead, -EDEADLK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_misuse),    cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_left_open),
#if defined(__GNUC__) && defined(__GLIBC__) /* the libgcc_eh that musl-gcc finds is made for glibc */
        cmocka_unit_test(test_scope),
#endif
        cmocka_unit_test(test_deadlock),  cmocka_unit_test(test_deadlock_of_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
