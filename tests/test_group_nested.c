/* Groups around groups: cancelling goes inwards, through owners that wait, and failing outwards, through their answers.
 * Every scene is run in many orders. */
#define _GNU_SOURCE
#include "groups.h"

/* ---- The owner is cancelled -------------------------------------------------------------------------------------- */

struct owner {
    int depth, status, wait_before;
};

static void own_a_group(void *arg) {
    struct owner *owner = arg;
    co_group_t group;
    open_group(&group);
    spawn(&group, work, 100 * MS);
    spawn(&group, ignore_cancel, 100 * MS);
    if (owner->wait_before)
        assert_int_equal(co_sleep_until(CO_NEVER), -ECANCELED);
    owner->status = co_group_wait(&group, CO_NEVER);
    assert_int_equal(running, 0);
    assert_int_equal(co_cancelled(), 1); /* still, for it was not the group's */
}

static void *be_an_owner(void *arg) {
    at_depth(((struct owner *)arg)->depth, own_a_group, arg);
    return NULL;
}

static void *cancel_owners(void *arg) {
    running = 0;
    for (int before = 0; before < 2; before++)
        for (int i = 0; i < DEPTHS; i++) {
            struct owner owner = {.depth = depths[i], .status = 1, .wait_before = before};
            const int64_t begin = co_now();
            co_t *task = co_spawn(be_an_owner, &owner);
            assert_int_equal(co_sleep(MS), 0);
            assert_int_equal(running, 2);
            assert_int_equal(co_cancel(task), 0);
            assert_int_equal(co_sleep(MS), 0);
            assert_int_equal(running, 1);
            assert_int_equal(co_cancel(task), 0); /* again: it does not listen */
            assert_joined(task, 0);
            assert_int_equal(owner.status, -ECANCELED);
            assert_int_equal(co_now(), begin + 41 * MS);
        }
    return arg;
}

static void test_owner_cancelled(void **state) {
    (void)state;
    run_in_every_order(cancel_owners, 0);
}

static void *own_shielded(void *arg) {
    co_group_t group;
    (void)arg;
    assert_int_equal(co_shield(), 0);
    open_group(&group);
    spawn(&group, work, 5 * MS);
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_int_equal(co_unshield(), 0);
    assert_int_equal(co_unshield(), -EINVAL);
    open_group(&group);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -ECANCELED); /* though there is nothing to wait for */
    return NULL;
}

static void *cancel_shielded(void *arg) {
    co_t *task = co_spawn(own_shielded, NULL);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_cancel(task), 0);
    assert_joined(task, 0);
    assert_int_equal(co_now(), 5 * MS);
    return arg;
}

static void test_shielded_owner(void **state) {
    (void)state;
    run_in_every_order(cancel_shielded, 0);
}

/* ---- Nested groups ----------------------------------------------------------------------------------------------- */

static int begun, ended_below;

static void *nest_groups(void *depth) {
    co_group_t group;
    int status = 0;
    begun++;
    open_group(&group);
    if (number_of(depth) > 0) {
        for (int i = 0; i < 2; i++)
            assert_non_null(co_group_spawn(&group, nest_groups, value_of(number_of(depth) - 1)));
        status = co_group_wait(&group, CO_NEVER);
    } else {
        status = co_sleep(10 * MS);
        assert_int_equal(co_group_leave(&group), -ECANCELED);
    }
    ended_below++;
    return status == 0 ? NULL : co_fail(-status);
}

static void *fail_in_the_middle(void *arg) {
    co_group_t group;
    open_group(&group);
    begun = ended_below = 0;
    co_t *task = co_group_spawn(&group, nest_groups, value_of(4));
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(begun, 31);
    assert_int_equal(co_cancel(task), 0); /* inwards through all of them */
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_int_equal(ended_below, 31);
    assert_int_equal(co_now(), MS);

    open_group(&group);
    begun = ended_below = 0;
    assert_non_null(co_group_spawn(&group, nest_groups, value_of(4)));
    spawn(&group, fail_after, MS);
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EIO);
    assert_int_equal(ended_below, 31);
    assert_int_equal(co_now(), 2 * MS);

    open_group(&group);
    begun = ended_below = 0;
    assert_non_null(co_group_spawn(&group, nest_groups, value_of(4)));
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_int_equal(ended_below, 31);
    assert_int_equal(co_now(), 12 * MS);
    return arg;
}

static void *fail_below(void *depth) {
    co_group_t group;
    open_group(&group);
    if (number_of(depth) > 0)
        assert_non_null(co_group_spawn(&group, fail_below, value_of(number_of(depth) - 1)));
    else
        spawn(&group, fail_after, MS);
    spawn(&group, work, 100 * MS);
    const int status = co_group_wait(&group, CO_NEVER);
    assert_int_equal(status, -EIO);
    return co_fail(-status);
}

static void *fail_outwards(void *arg) {
    void *result = UNTOUCHED;
    assert_int_equal(co_join(co_spawn(fail_below, value_of(5)), &result, CO_NEVER), -EIO);
    assert_int_equal(co_now(), MS);
    assert_int_equal(running, 0);
    return arg;
}

/* A task of an inner group spawns into an outer one, which its own owner has open. */
static void *spawn_outwards(void *group) {
    spawn(group, work, 3 * MS);
    return NULL;
}

static void *be_between(void *outer) {
    co_group_t group;
    open_group(&group);
    assert_non_null(co_group_spawn(&group, spawn_outwards, outer));
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_int_equal(co_now(), 0);
    return NULL;
}

static void *spawn_into_outer(void *arg) {
    co_group_t group;
    running = 0;
    open_group(&group);
    assert_non_null(co_group_spawn(&group, be_between, &group));
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_int_equal(co_now(), 3 * MS);
    return arg;
}

static void test_nested(void **state) {
    (void)state;
    run_in_every_order(fail_in_the_middle, 0);
    run_in_every_order(fail_outwards, 0);
    run_in_every_order(spawn_into_outer, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owner_cancelled),
        cmocka_unit_test(test_shielded_owner),
        cmocka_unit_test(test_nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
