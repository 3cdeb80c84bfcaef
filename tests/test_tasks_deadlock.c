/* A deadlock: no task can ever go on. co_run closes them all, from the innermost coroutine outwards and the last
 * spawned task first, and says so. AddressSanitizer sees what is not given back.
 * Compiled with: -fexceptions
 */
#define _GNU_SOURCE
#include "tasks.h"

static int closed;

static void note_closed(void *arg) {
    co_t *task;
    assert_int_equal(co_sleep(MS), -ECANCELED);
    assert_int_equal(co_shield(), 0);
    assert_int_equal(co_sched_yield(), -ECANCELED); /* no shield helps */
    assert_int_equal(co_park(CO_NEVER), -ECANCELED);
    assert_int_equal(co_unshield(), 0);
    assert_int_equal(co_cancelled(), 1);
    assert_int_equal(co_uncancel(), 1);
    assert_int_equal(co_sleep(MS), -ECANCELED); /* nor does this */
    errno = 0;
    task = co_spawn(do_nothing, NULL);
    assert_null(task);
    assert_int_equal(errno, ECANCELED);
    if (arg != NULL)
        trace_add(*(const char *)arg);
    closed++;
}

static void sleep_for_ever(void *arg) {
    assert_int_equal(co_defer(note_closed, arg), 0);
    (void)co_sleep_until(CO_NEVER);
    FAIL("it has come back");
}

static void *sleep_at_depth(void *depth) {
    at_depth((int)number_of(depth), sleep_for_ever, NULL);
    return NULL;
}

static void *sleep_in_all(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        assert_non_null(co_spawn(sleep_at_depth, value_of(depths[i])));
    closed = 0;
    return arg;
}

static void *be_deadlocked_oneself(void *arg) {
    (void)sleep_in_all(arg);
    sleep_for_ever(NULL);
    return arg;
}

static void test_depths(void **state) {
    (void)state;
    run_in_every_order(sleep_in_all, -EDEADLK);
    assert_int_equal(closed, DEPTHS);
    run_in_every_order(be_deadlocked_oneself, -EDEADLK);
    assert_int_equal(closed, DEPTHS + 1);
}

/* The first task's result counts even then; that of one that was closed is none. */
static void test_results(void **state) {
    (void)state;
    const co_run_options_t quiet = {.flags = CO_RUN_QUIET};
    void *result = UNTOUCHED;
    assert_int_equal(co_run_with(&quiet, sleep_in_all, value_of(4), &result), -EDEADLK);
    assert_int_equal(number_of(result), 4);
    destroy_nested();
    assert_int_equal(co_run_with(&quiet, be_deadlocked_oneself, value_of(4), &result), -EDEADLK);
    assert_null(result);
    destroy_nested();
    assert_int_equal(co_run(do_nothing, value_of(1), &result), 0); /* there is a life after it */
}

/* ---- Who waits for whom ------------------------------------------------------------------------------------------ */

static void *sleep_with_letter(void *letter) {
    sleep_for_ever(letter);
    return NULL;
}

static void *join_a_sleeper(void *arg) {
    co_t *sleeper = co_spawn(sleep_with_letter, LETTER("s"));
    assert_int_equal(co_defer(note_closed, LETTER("j")), 0);
    (void)co_join(sleeper, NULL, CO_NEVER);
    FAIL("it has come back");
    return arg;
}

static void *join_a_joiner(void *arg) {
    co_t *detached = co_spawn(sleep_with_letter, LETTER("d"));
    co_t *cancelled = co_spawn(wait_for_cancel, NULL);
    assert_int_equal(co_detach(detached), 0);
    assert_int_equal(co_defer(note_closed, LETTER("f")), 0);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_cancel(cancelled), 0);
    assert_int_equal(co_sleep(MS), 0); /* and is not joined */
    co_t *joiner = co_spawn(join_a_sleeper, arg);
    (void)co_join(joiner, NULL, CO_NEVER);
    FAIL("it has come back");
    return arg;
}

/* What a task has lent from frames that wait for it goes before the task. */
static void test_last_spawned_first(void **state) {
    (void)state;
    trace_clear();
    assert_int_equal(run_virtually(join_a_joiner, NULL), -EDEADLK);
    assert_trace("sjdf");
}

static void *shielded(void *arg) {
    assert_int_equal(co_shield(), 0);
    sleep_for_ever(arg);
    return arg;
}

static void *cancel_the_shielded(void *arg) {
    co_t *task = co_spawn(shielded, NULL);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_cancel(task), 0);
    closed = 0;
    (void)co_join(task, NULL, CO_NEVER);
    return arg;
}

static void test_shielded(void **state) {
    (void)state;
    run_in_every_order(cancel_the_shielded, -EDEADLK);
    assert_int_equal(closed, 1);
}

/* ---- Frames ------------------------------------------------------------------------------------------------------ */

#if defined(__GNUC__) && defined(__GLIBC__) /* the libgcc_eh that musl-gcc finds is made for glibc */
static void note_left(char **memory) {
    trace_add(**memory);
    free(*memory);
}

static void own_memory(void *arg) {
    __attribute__((cleanup(note_left))) char *memory = malloc(1);
    assert_non_null(memory);
    *memory = 'm';
    sleep_for_ever(arg);
}

static void *own_memory_at_depth(void *depth) {
    at_depth((int)number_of(depth), own_memory, LETTER("d"));
    return NULL;
}

static void *own_memory_in_all(void *arg) {
    for (int i = 0; i < DEPTHS; i++)
        assert_non_null(co_spawn(own_memory_at_depth, value_of(depths[i])));
    return arg;
}

/* Clean-ups of the frames in which a task waits, where there is an unwinder. */
static void test_cleanups(void **state) {
    (void)state;
    trace_clear();
    assert_int_equal(run_virtually(own_memory_in_all, NULL), -EDEADLK);
    assert_trace("dmdmdm");
    destroy_nested();
}
#endif

/* ---- Ends that wait ---------------------------------------------------------------------------------------------- */

static void wait_in_the_end(void *arg) {
    (void)arg;
    (void)co_sleep_until(CO_NEVER);
    FAIL("it has come back");
}

static void trace_deferred(void *arg) {
    closed++;
    (void)arg;
}

static void *end_with_waiting(void *arg) {
    assert_int_equal(co_defer(trace_deferred, NULL), 0);
    assert_int_equal(co_defer(wait_in_the_end, NULL), 0);
    assert_int_equal(co_defer(trace_deferred, NULL), 0);
    return arg;
}

static void *spawn_such_ends(void *arg) {
    closed = 0;
    for (int i = 0; i < 3; i++)
        assert_non_null(co_spawn(end_with_waiting, NULL));
    return arg;
}

/* A deferred call that waits for ever is not come back to; the ones behind it run. */
static void test_in_deferred_calls(void **state) {
    (void)state;
    run_in_every_order(spawn_such_ends, -EDEADLK);
    assert_int_equal(closed, 6);
}

/* ---- Tasks with options ------------------------------------------------------------------------------------------ */

static void *sleep_with_options(void *arg) {
    static unsigned char memory[64 * 1024];
    const co_options_t options[] = {
        {.flags = CO_FPENV},
        {.stack = memory, .stack_bytes = sizeof memory, .flags = CO_CANARIES},
        {.flags = CO_WATERMARK, .name = "w"},
    };
    closed = 0;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        for (int depth = 0; depth < (options[i].stack == NULL ? DEPTHS : 1); depth++)
            assert_non_null(co_spawn_with(&options[i], sleep_at_depth, value_of(depths[depth])));
    return arg;
}

static void test_options(void **state) {
    (void)state;
    run_in_every_order(sleep_with_options, -EDEADLK);
    assert_int_equal(closed, 2 * DEPTHS + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depths),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_last_spawned_first),
        cmocka_unit_test(test_shielded),
#if defined(__GNUC__) && defined(__GLIBC__) /* the libgcc_eh that musl-gcc finds is made for glibc */
        cmocka_unit_test(test_cleanups),
#endif
        cmocka_unit_test(test_in_deferred_calls),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
