/* Catches a rounding mode that leaks where CO_FPENV keeps it apart: between tasks, and between the coroutines that a
 * task has resumed and other tasks; and one that is kept apart between plain tasks, which share it like any other state
 * of the thread. */
#define _GNU_SOURCE
#include "support.h"

#include <co/sched.h>

#include <errno.h>
#include <fenv.h>

static int set_up(void **state) {
    (void)state;
    return fesetround(FE_TONEAREST);
}

static int mode_of(const void *arg) { return (int)number_of(arg); }

static co_t *spawn(co_fn fn, int mode, unsigned flags) {
    const co_options_t options = {.flags = flags};
    co_t *task = co_spawn_with(&options, fn, value_of(mode));
    assert_non_null(task);
    return task;
}

static void join(co_t *task) { assert_int_equal(co_join(task, NULL, CO_NEVER), 0); }

static void run(co_fn fn, void *arg, unsigned flags) {
    const co_options_t first = {.flags = flags};
    const co_run_options_t options = {.first = &first, .flags = CO_RUN_VIRTUAL_CLOCK};
    assert_int_equal(co_run_with(&options, fn, arg, NULL), 0);
}

static void take_turns(int mode) {
    for (int i = 0; i < 5; i++) {
        assert_int_equal(co_sched_yield(), 0);
        assert_int_equal(fegetround(), mode);
        assert_int_equal(co_sleep(1 + i % 2), 0);
        assert_int_equal(fegetround(), mode);
    }
}

/* ---- Tasks ------------------------------------------------------------------------------------------------------- */

static void *keeps_mode(void *arg) {
    const int mode = mode_of(arg);
    assert_int_equal(fegetround(), FE_TONEAREST);
    fesetround(mode);
    take_turns(mode);
    co_yield(NULL);
    assert_int_equal(fegetround(), mode);
    return NULL;
}

static void *finds_mode(void *arg) {
    for (int i = 0; i < 8; i++) {
        assert_int_equal(fegetround(), mode_of(arg));
        co_yield(NULL);
        assert_int_equal(fegetround(), mode_of(arg));
        assert_int_equal(co_sleep(1), 0);
    }
    return NULL;
}

static int mode_of_plain_tasks;

static void *spawns_separate(void *arg) {
    co_t *tasks[] = {spawn(keeps_mode, FE_UPWARD, CO_FPENV), spawn(keeps_mode, FE_DOWNWARD, CO_FPENV),
                     spawn(keeps_mode, FE_TOWARDZERO, CO_FPENV), spawn(finds_mode, mode_of_plain_tasks, 0)};
    fesetround(mode_of(arg)); /* which is not what they begin with: that is their spawner's at that time */
    take_turns(mode_of(arg));
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        join(tasks[i]);
        assert_int_equal(fegetround(), mode_of(arg));
    }
    take_turns(mode_of(arg)); /* without such tasks again */
    return NULL;
}

static void test_tasks_of_their_own(void **state) {
    (void)state;
    mode_of_plain_tasks = FE_DOWNWARD;
    run(spawns_separate, value_of(FE_DOWNWARD), 0);
    assert_int_equal(fegetround(), FE_DOWNWARD); /* the first task was a plain one */
}

/* The first task too, which nobody has spawned from a task. */
static void test_the_first_task(void **state) {
    (void)state;
    mode_of_plain_tasks = FE_TONEAREST;
    run(spawns_separate, value_of(FE_UPWARD), CO_FPENV);
    assert_int_equal(fegetround(), FE_TONEAREST);
}

static void *changes_mode(void *arg) {
    fesetround(mode_of(arg));
    return NULL;
}

static void *shares(void *arg) {
    co_t *task = spawn(changes_mode, FE_UPWARD, 0);
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(fegetround(), FE_UPWARD);
    join(task);
    return arg;
}

static void test_shared_by_plain_tasks(void **state) {
    (void)state;
    run(shares, NULL, 0);
    assert_int_equal(fegetround(), FE_UPWARD);
}

/* ---- Coroutines in tasks ----------------------------------------------------------------------------------------- */

struct nest {
    int mode;
    struct nest *above;
    unsigned flags;
    int closed_with; /* the mode in the deferred call */
};

static void notes_mode(void *arg) { ((struct nest *)arg)->closed_with = fegetround(); }

/* Waits with its own mode in force, and again with something above it that waits, and yields. */
static void *nests(void *arg) {
    struct nest *nest = arg;
    fesetround(nest->mode);
    co_defer(notes_mode, nest);
    take_turns(nest->mode);
    if (nest->above != NULL) {
        const co_options_t options = {.flags = nest->above->flags};
        co_t *co = co_create_with(&options, nests, nest->above);
        assert_non_null(co);
        while (co_resume(co, NULL, NULL) == CO_YIELDED) {
            const int mode = nest->above->flags != 0 ? nest->mode : nest->above->mode;
            assert_int_equal(fegetround(), mode);
            fesetround(nest->mode);
            take_turns(nest->mode);
        }
        assert_int_equal(co_destroy(co), 0);
        fesetround(nest->mode);
    }
    for (int i = 0; i < 2; i++) {
        co_yield(NULL);
        fesetround(nest->mode); /* where it is shared, the resumer has changed it */
        take_turns(nest->mode);
    }
    return NULL;
}

static void *spawns_nests(void *arg) {
    /* Of each four the first is the task. */
    struct nest nests_of[][4] = {
        {{.mode = FE_TONEAREST}, {.mode = FE_UPWARD, .flags = CO_FPENV}},
        {{.mode = FE_TONEAREST}, {.mode = FE_UPWARD, .flags = CO_FPENV}, {.mode = FE_DOWNWARD, .flags = CO_FPENV}},
        {{.mode = FE_TONEAREST}, {.mode = FE_TONEAREST}, {.mode = FE_TOWARDZERO, .flags = CO_FPENV}},
        {{.mode = FE_UPWARD, .flags = CO_FPENV}, {.mode = FE_UPWARD}, {.mode = FE_DOWNWARD, .flags = CO_FPENV}},
        {{.mode = FE_DOWNWARD, .flags = CO_FPENV},
         {.mode = FE_UPWARD, .flags = CO_FPENV},
         {.mode = FE_UPWARD},
         {.mode = FE_TOWARDZERO, .flags = CO_FPENV}},
        {{.mode = FE_TONEAREST}, {.mode = FE_TONEAREST}, {.mode = FE_TONEAREST}},
    };
    enum { NESTS = sizeof nests_of / sizeof nests_of[0] };
    co_t *tasks[NESTS];
    for (size_t i = 0; i < NESTS; i++) {
        for (size_t j = 0; j < 3 && nests_of[i][j + 1].mode + (int)nests_of[i][j + 1].flags != 0; j++)
            nests_of[i][j].above = &nests_of[i][j + 1];
        const co_options_t options = {.flags = nests_of[i][0].flags};
        tasks[i] = co_spawn_with(&options, nests, &nests_of[i][0]);
        assert_non_null(tasks[i]);
    }
    for (size_t i = 0; i < NESTS; i++)
        join(tasks[i]);
    assert_int_equal(fegetround(), FE_TONEAREST);
    return arg;
}

static void test_coroutines_of_their_own_in_tasks(void **state) {
    (void)state;
    run(spawns_nests, NULL, 0);
    assert_int_equal(fegetround(), FE_TONEAREST);
}

/* ---- Closing ----------------------------------------------------------------------------------------------------- */

static void *nests_for_ever(void *arg) {
    struct nest *nest = arg;
    co_defer(notes_mode, nest);
    fesetround(nest->mode);
    if (nest->above == NULL) {
        co_sleep_until(CO_NEVER);
        return NULL;
    }
    const co_options_t options = {.flags = CO_FPENV};
    co_resume(co_create_with(&options, nests_for_ever, nest->above), NULL, NULL);
    return NULL;
}

/* Deferred calls at a deadlock, where the modes of all levels are put aside. */
static void test_closing(void **state) {
    (void)state;
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_UPWARD};
    for (unsigned flags = 0; flags <= CO_FPENV; flags += CO_FPENV) {
        for (int depth = 1; depth <= 4; depth++) {
            struct nest levels[4] = {{0}};
            for (int i = 0; i < depth; i++)
                levels[i] = (struct nest){.mode = modes[i], .above = i + 1 < depth ? &levels[i + 1] : NULL};
            const co_options_t first = {.flags = flags};
            const co_run_options_t options = {.first = &first, .flags = CO_RUN_QUIET};
            fesetround(FE_TONEAREST);
            assert_int_equal(co_run_with(&options, nests_for_ever, levels, NULL), -EDEADLK);
            assert_int_equal(fegetround(), flags != 0 ? FE_TONEAREST : FE_UPWARD);
            for (int i = 0; i < depth; i++)
                assert_int_equal(levels[i].closed_with, modes[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tasks_of_their_own, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_the_first_task, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_shared_by_plain_tasks, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_coroutines_of_their_own_in_tasks, set_up, set_up),
        cmocka_unit_test_setup_teardown(test_closing, set_up, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
