/* A deadlock that is not seen, or seen where there is none; a report that is missing, wrong, or said where it must not
 * be; tasks that are not closed, or closed in another order; a call in them that waits again. */
#define _GNU_SOURCE
#include "task_look.h"

#define SENTENCE "libco: deadlock: none of these tasks can ever go on, and all are closed.\n"
#define TITLES "task name state on for depth stack marks spawned\n"

/* What a deadlock of fn reports. */
static const char *report_of(unsigned flags, uint64_t seed, co_fn fn, void *arg) {
    FILE *file = capture_begin(&capture);
    assert_int_equal(run_virtually(flags, seed, file, NULL, fn, arg), -EDEADLK);
    capture_end(&capture);
    normalize(capture.text);
    assert_null(co_task());
    return capture.text;
}

static void note(void *letter) {
    trace_add(*(const char *)letter);
    assert_int_equal(co_sleep(1), -ECANCELED);
    assert_int_equal(co_sched_yield(), -ECANCELED);
    assert_null(co_spawn(ends_at_once, NULL));
}

struct waits {
    const char *letter;
    void (*wait)(void *);
    void *arg;
};

static void wait_with_care(void *arg) {
    const struct waits *waits = (const struct waits *)arg;
    assert_int_equal(co_defer(note, (void *)(uintptr_t)waits->letter), 0);
    waits->wait(waits->arg);
    trace_add('!'); /* never */
}

static void join_it(void *task) { co_join((co_t *)task, NULL, CO_NEVER); }

/* ---- What is waited for ------------------------------------------------------------------------------------------ */

static void *alone(void *arg) {
    const struct waits waits = {"f", sleep_for_ever, NULL};
    const struct at_depth at = {*(const int *)arg, wait_with_care, (void *)(uintptr_t)&waits};
    call_at_depth(&at);
    return NULL;
}

static void test_one_task_at_every_depth(void **state) {
    static const int depths[] = {0, 1, 10};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char expected[512];
        trace_clear();
        snprintf(expected, sizeof expected,
                 SENTENCE "libco: 1 task: 1 waiting\n" TITLES
                          " 1 \"first\" waiting sleep 0 ns %d%s #/128 KiB - at here.c:1\n",
                 depths[i], depths[i] == 0 ? "" : " \"innermost\"");
        assert_string_equal(report_of(0, 0, alone, (void *)(uintptr_t)&depths[i]), expected);
        assert_trace("f");
    }
}

/* Joins cannot be circular, but they can lead to one that sleeps for ever. */
static void *chain(void *arg) {
    static const int64_t some = 1500;
    static struct waits sleeps = {"a", sleep_for_ever, NULL};
    static struct waits joins_one = {"b", join_it, NULL};
    static struct at_depth shallow = {1, wait_with_care, &sleeps}, deep = {10, wait_with_care, &joins_one};
    co_t *last = spawn_named("last", body_at_depth, &shallow);
    joins_one.arg = last;
    co_t *middle = spawn_named("middle", body_at_depth, &deep);
    (void)spawn_named("left", ends_at_once, NULL); /* and never joined */
    (void)co_sleep(some);
    const struct waits waits = {"f", join_it, middle};
    wait_with_care((void *)(uintptr_t)&waits);
    return arg;
}

static void test_chain_of_joins(void **state) {
    (void)state;
    trace_clear();
    assert_string_equal(report_of(0, 0, chain, NULL), SENTENCE
                        "libco: 4 tasks: 3 waiting, 1 ended\n" TITLES
                        " 1 \"first\" waiting join task 3 \"middle\" 0 ns 0 #/128 KiB - at here.c:1\n"
                        " 2 \"last\" waiting sleep 1.5 us 1 \"innermost\" #/128 KiB - at here.c:7\n"
                        " 3 \"middle\" waiting join task 2 \"last\" 1.5 us 10 \"innermost\" #/128 KiB - at here.c:7\n"
                        " 4 \"left\" ended - - - -/128 KiB - at here.c:7\n");
    assert_trace("baf"); /* the last spawned first */
}

static void test_seeds(void **state) {
    (void)state;
    for (int seed = 0; seed < seeds(); seed++) {
        trace_clear();
        const char *text = report_of(CO_RUN_SEEDED, (uint64_t)seed, chain, NULL);
        assert_non_null(strstr(text, SENTENCE "libco: 4 tasks: 3 waiting, 1 ended\n"));
        assert_non_null(strstr(text, " 3 \"middle\" waiting join task 2 \"last\" 1.5 us 10 \"innermost\" #"));
        assert_trace("baf");
    }
}

static void *cycle(void *arg) {
    co_t *other = spawn_named("other", joins, co_task());
    assert_int_equal(co_join(other, NULL, CO_NEVER), 0); /* of whom the join was refused */
    return arg;
}

static void *cancelled_and_shielded(void *arg) {
    assert_int_equal(co_cancel(co_task()), 0);
    assert_int_equal(co_shield(), 0);
    return alone(arg);
}

/* A shield is for cleaning up, not for staying. */
static void test_shields_do_not_help(void **state) {
    static const int depth = 1;
    (void)state;
    trace_clear();
    assert_non_null(
        strstr(report_of(0, 0, cancelled_and_shielded, (void *)(uintptr_t)&depth), " cancelled,shielded at "));
    assert_trace("f");
}

/* ---- What is no deadlock ------------------------------------------------------------------------------------------
 */

static void *only_late(void *arg) {
    assert_int_equal(co_sleep(INT64_C(1000000000000)), 0);
    assert_int_equal(co_park(co_after(5)), -ETIMEDOUT);
    return arg;
}

static void test_no_deadlock(void **state) {
    static co_fn const bodies[] = {ends_at_once, only_late, cycle};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        FILE *file = capture_begin(&capture);
        assert_int_equal(run_virtually(0, 0, file, NULL, bodies[i], NULL), 0);
        assert_string_equal(capture_end(&capture), "");
    }
}

/* ---- Where it is reported ------------------------------------------------------------------------------------------
 */

static const int at_the_top;

static void deadlock_on_stderr(void) {
    if (run_virtually(0, 0, NULL, NULL, alone, (void *)(uintptr_t)&at_the_top) != -EDEADLK)
        _exit(1);
}

static void quiet_deadlock(void) {
    if (run_virtually(CO_RUN_QUIET, 0, NULL, NULL, alone, (void *)(uintptr_t)&at_the_top) != -EDEADLK)
        _exit(1);
}

static void test_stderr(void **state) {
    (void)state;
    struct child child = run_in_child(deadlock_on_stderr);
    assert_exited(&child, 0);
    assert_non_null(strstr(child.text, SENTENCE "libco: 1 task: 1 waiting\n"));
    child = run_in_child(quiet_deadlock);
    assert_exited(&child, 0);
    assert_string_equal(child.text, "");
}

static void test_quiet_with_a_file(void **state) {
    (void)state;
    assert_string_equal(report_of(CO_RUN_QUIET, 0, alone, (void *)(uintptr_t)&at_the_top), "");
}

static void test_errors_of_writing(void **state) {
    struct limited limited;
    (void)state;
    const size_t bytes = strlen(report_of(0, 0, chain, NULL));
    for (size_t limit = 0; limit < bytes; limit += 7)
        for (int buffering = 0; buffering < 2; buffering++) {
            FILE *file = limited_open(&limited, limit, buffering == 0 ? _IONBF : _IOFBF);
            trace_clear();
            assert_int_equal(run_virtually(0, 0, file, NULL, chain, NULL), -EDEADLK);
            assert_trace("baf");
            assert_true(!ERRORS_ARE_TOLD || ferror(file));
            (void)fclose(file);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_task_at_every_depth),
        cmocka_unit_test(test_chain_of_joins),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_shields_do_not_help),
        cmocka_unit_test(test_no_deadlock),
        cmocka_unit_test(test_stderr),
        cmocka_unit_test(test_quiet_with_a_file),
        cmocka_unit_test(test_errors_of_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
