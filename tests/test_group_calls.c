/* co_gather, co_race and co_group_call: outcomes where they belong, in whatever order they come. */
#define _GNU_SOURCE
#include "tasks.h"

#include <co/group.h>

enum { CALLS = 8 };

struct work {
    int64_t ns;
    int error, number;
    bool deaf; /* to being cancelled */
    bool begun, ended;
};

static void *work(void *arg) {
    struct work *self = arg;
    self->begun = true;
    if (self->deaf)
        assert_int_equal(co_shield(), 0);
    const int status = self->ns < 0 ? 0 : co_sleep(self->ns);
    self->ended = true;
    if (status < 0)
        return co_fail(-status);
    return self->error != 0 ? co_fail(self->error) : value_of(100 + self->number);
}

static struct work works[CALLS];
static co_call_t calls[CALLS];

/* `times` in milliseconds; -1: at once. Errors: EIO, EBADF, ... where given. */
static void set(size_t count, const int *times, const int *errors) {
    memset(works, 0, sizeof works);
    memset(calls, 0xa5, sizeof calls);
    for (size_t i = 0; i < count; i++) {
        works[i].ns = times[i] * MS;
        works[i].error = errors != NULL ? errors[i] : 0;
        works[i].number = (int)i;
        calls[i].fn = work;
        calls[i].arg = &works[i];
        calls[i].options = NULL;
    }
}

static void assert_outcome(size_t i, int status) {
    assert_int_equal(calls[i].status, status);
    assert_int_equal(number_of(calls[i].result), status == 0 ? 100 + (int)i : 0);
    assert_true(works[i].begun == works[i].ended);
}

static void assert_outcomes(size_t count, const int *expected) {
    for (size_t i = 0; i < count; i++)
        assert_outcome(i, expected[i]);
}

/* ---- Gathering --------------------------------------------------------------------------------------------------- */

static void gather(void *arg) {
    (void)arg;
    const int64_t begin = co_now();
    set(5, (const int[]){5, 1, 4, 2, 3}, NULL);
    assert_int_equal(co_gather(calls, 5, CO_NEVER), 0);
    assert_outcomes(5, (const int[]){0, 0, 0, 0, 0});
    assert_int_equal(co_now(), begin + 5 * MS);

    set(5, (const int[]){5, 1, 4, 2, 3}, (const int[]){0, 0, 0, EIO, EBADF});
    works[0].deaf = true;
    assert_int_equal(co_gather(calls, 5, begin + 9 * MS), -EIO);
    assert_outcomes(5, (const int[]){0, 0, -ECANCELED, -EIO, -ECANCELED});
    assert_int_equal(co_now(), begin + 10 * MS);

    set(3, (const int[]){1, 9, 2}, NULL);
    assert_int_equal(co_gather(calls, 3, co_after(5 * MS)), -ETIMEDOUT);
    assert_outcomes(3, (const int[]){0, -ECANCELED, 0});
    assert_int_equal(co_now(), begin + 15 * MS);

    set(2, (const int[]){1, -1}, NULL); /* too late: they have a turn nevertheless */
    assert_int_equal(co_gather(calls, 2, co_now()), -ETIMEDOUT);
    assert_outcomes(2, (const int[]){-ECANCELED, 0});

    assert_int_equal(co_gather(NULL, 0, CO_NEVER), 0);
    assert_int_equal(co_gather(calls, 0, 0), 0);
    assert_int_equal(co_now(), begin + 15 * MS);
}

/* ---- Racing ------------------------------------------------------------------------------------------------------ */

static void race(void *arg) {
    (void)arg;
    const int64_t begin = co_now();
    set(3, (const int[]){5, 1, 4}, NULL);
    assert_int_equal(co_race(calls, 3, CO_NEVER), 1);
    assert_outcomes(3, (const int[]){-ECANCELED, 0, -ECANCELED});
    assert_int_equal(co_now(), begin + 1 * MS);

    set(1, (const int[]){1}, NULL);
    assert_int_equal(co_race(calls, 1, CO_NEVER), 0);
    assert_outcomes(1, (const int[]){0});

    /* Failures do not win; whoever is deaf is waited for, and does not win either. */
    set(4, (const int[]){1, 2, 3, 9}, (const int[]){EIO, EBADF, 0, 0});
    works[3].deaf = true;
    assert_int_equal(co_race(calls, 4, CO_NEVER), 2);
    assert_outcomes(4, (const int[]){-EIO, -EBADF, 0, 0});
    assert_int_equal(co_now(), begin + 11 * MS);

    set(3, (const int[]){2, 1, 3}, (const int[]){EIO, EBADF, ENOENT});
    assert_int_equal(co_race(calls, 3, CO_NEVER), -EBADF);
    assert_outcomes(3, (const int[]){-EIO, -EBADF, -ENOENT});
    assert_int_equal(co_now(), begin + 14 * MS);

    set(2, (const int[]){9, 9}, NULL);
    works[1].deaf = true;
    assert_int_equal(co_race(calls, 2, co_after(1 * MS)), -ETIMEDOUT);
    assert_outcomes(2, (const int[]){-ECANCELED, 0}); /* it has returned, but too late */
    assert_int_equal(co_now(), begin + 23 * MS);
}

static void tie(void *arg) {
    const bool seeded = arg != NULL;
    set(4, (const int[]){3, 2, 2, 2}, NULL);
    const int winner = co_race(calls, 4, CO_NEVER);
    assert_true(seeded ? winner >= 1 && winner <= 3 : winner == 1);
    assert_outcomes(4, (const int[]){-ECANCELED, 0, 0, 0}); /* their sleeps were over when the cancelling came */
    set(3, (const int[]){-1, -1, -1}, NULL);
    const int second = co_race(calls, 3, CO_NEVER);
    assert_true(seeded ? second >= 0 && second <= 2 : second == 0);
    assert_outcomes(3, (const int[]){0, 0, 0});
}

static bool seeded;

static void *all_calls(void *arg) {
    for (int i = 0; i < DEPTHS; i++) {
        at_depth(depths[i], gather, NULL);
        at_depth(depths[i], race, NULL);
        at_depth(depths[i], tie, seeded ? &seeded : NULL);
    }
    return arg;
}

static void test_gather_and_race(void **state) {
    (void)state;
    seeded = false;
    assert_int_equal(run_virtually(all_calls, NULL), 0);
    seeded = true;
    run_in_every_order(all_calls, 0);
}

/* ---- Cancelled --------------------------------------------------------------------------------------------------- */

static void *gather_in_a_task(void *arg) {
    const int status = arg == NULL ? co_gather(calls, 3, CO_NEVER) : co_race(calls, 3, CO_NEVER);
    assert_outcomes(3, (const int[]){-ECANCELED, 0, -ECANCELED});
    return co_fail(-status);
}

static void *do_cancel_calls(void *arg) {
    for (int racing = 0; racing < 2; racing++) {
        set(3, (const int[]){9, 9, 9}, NULL);
        works[1].deaf = true;
        co_t *task = co_spawn(gather_in_a_task, racing ? calls : NULL);
        assert_int_equal(co_sleep(MS), 0);
        assert_int_equal(co_cancel(task), 0);
        assert_joined(task, -ECANCELED);
    }
    set(1, (const int[]){-1}, NULL);
    calls[0].status = 5;
    assert_int_equal(co_cancel(co_task()), 0);
    assert_int_equal(co_gather(calls, 1, CO_NEVER), -ECANCELED);
    assert_int_equal(co_gather(NULL, 0, CO_NEVER), -ECANCELED);
    assert_int_equal(co_race(calls, 1, CO_NEVER), -ECANCELED);
    assert_int_equal(calls[0].status, 5);
    assert_false(works[0].begun);
    return arg;
}

static void test_cancelled(void **state) {
    (void)state;
    run_in_every_order(do_cancel_calls, 0);
}

/* A call that cancels itself, or is cancelled by another: no failure, and no winner. */
static void *cancel_self(void *arg) {
    assert_int_equal(co_cancel(co_task()), 0);
    (void)arg;
    return co_fail(ECANCELED);
}

static void *cancel_themselves(void *arg) {
    set(2, (const int[]){-1, -1}, NULL);
    calls[0].fn = calls[1].fn = cancel_self;
    assert_int_equal(co_race(calls, 2, CO_NEVER), -ECANCELED);
    assert_int_equal(co_gather(calls, 2, CO_NEVER), 0);
    assert_int_equal(calls[1].status, -ECANCELED);
    return arg;
}

static void test_cancelled_calls(void **state) {
    (void)state;
    run_in_every_order(cancel_themselves, 0);
}

/* ---- Calls in a group, their options, misuse --------------------------------------------------------------------- */

static void *tell_name(void *arg) {
    (void)arg;
    return (void *)(uintptr_t)co_name(co_task());
}

static void *call_in_a_group(void *arg) {
    static const co_options_t named = {.name = "named"};
    co_group_t group;
    set(3, (const int[]){3, 1, 2}, NULL);
    calls[2].fn = tell_name;
    calls[2].options = &named;
    assert_int_equal(co_group_open(&group), 0);
    for (int i = 0; i < 3; i++) {
        assert_non_null(co_group_call(&group, &calls[i]));
        assert_int_equal(calls[i].status, -EINPROGRESS);
        assert_null(calls[i].result);
    }
    assert_int_equal(co_sleep(MS + 1), 0);
    assert_outcome(1, 0); /* while others run */
    assert_int_equal(calls[0].status, -EINPROGRESS);
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    assert_outcome(0, 0);
    assert_string_equal(calls[2].result, "named");
    return arg;
}

static void assert_no_call(co_group_t *group, co_call_t *call, int error) {
    errno = 0;
    assert_null(co_group_call(group, call));
    assert_int_equal(errno, error);
}

static void *misuse_calls(void *arg) {
    static const co_options_t bad = {.reserved = {1}};
    co_group_t group;
    set(2, (const int[]){-1, -1}, NULL);
    calls[1].fn = NULL;
    calls[0].status = 7;
    assert_int_equal(co_gather(calls, 2, CO_NEVER), -EINVAL);
    assert_int_equal(co_gather(NULL, 2, CO_NEVER), -EINVAL);
    assert_int_equal(co_race(calls, 2, CO_NEVER), -EINVAL);
    assert_int_equal(co_race(NULL, 1, CO_NEVER), -EINVAL);
    assert_int_equal(co_race(calls, 0, CO_NEVER), -EINVAL);
    assert_int_equal(co_race(calls, (size_t)1 << 31, CO_NEVER), -EINVAL);
    assert_int_equal(co_group_open(&group), 0);
    assert_no_call(&group, NULL, EINVAL);
    assert_no_call(NULL, &calls[0], EINVAL);
    assert_no_call(&group, &calls[1], EINVAL);
    calls[0].options = &bad;
    assert_no_call(&group, &calls[0], EINVAL);
    assert_int_equal(co_group_wait(&group, CO_NEVER), 0);
    calls[0].options = NULL;
    assert_no_call(&group, &calls[0], ECANCELED);
    assert_int_equal(calls[0].status, 7);
    assert_false(works[0].begun);

    calls[1].fn = work; /* one that cannot be spawned */
    calls[1].options = &bad;
    works[0].ns = 100 * MS;
    assert_int_equal(co_gather(calls, 2, CO_NEVER), -EINVAL);
    assert_outcomes(2, (const int[]){-ECANCELED, -ESRCH});
    assert_int_equal(co_race(calls, 2, CO_NEVER), -EINVAL);
    assert_outcomes(2, (const int[]){-ECANCELED, -ESRCH});
    return arg;
}

static void test_calls_in_a_group(void **state) {
    (void)state;
    run_in_every_order(call_in_a_group, 0);
    run_in_every_order(misuse_calls, 0);
    assert_int_equal(co_gather(NULL, 0, CO_NEVER), -EPERM);
    assert_int_equal(co_race(calls, 1, CO_NEVER), -EPERM);
    assert_no_call((&(co_group_t){0}), &calls[0], EPERM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gather_and_race),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_cancelled_calls),
        cmocka_unit_test(test_calls_in_a_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
