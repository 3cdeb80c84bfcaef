/* A deadlock, in C code that has language tables: __attribute__((cleanup)) runs in the frames of a task, or of the
 * innermost coroutine in it, between their deferred calls. Catches a wait that is no call site in those tables, and a
 * landing from which the unwinder does not find its caller.
 * Compiled with: -fexceptions */
#define _GNU_SOURCE
#include "support.h"

#include <co/sched.h>

#include <errno.h>

/* The libgcc_eh that musl-gcc on Debian finds is made for glibc and does not link with musl. */
#ifdef __GLIBC__

static void cleanup_letter(const char *letter) { trace_add(*letter); }
#define CLEANUP(name, letter) __attribute__((cleanup(cleanup_letter), unused)) char name = letter

static void expect_deadlock(co_fn fn, unsigned flags, const char *expected) {
    static _Alignas(16) char stack[65536];
    const bool bracketed = (flags & CO_CANARIES) != 0;
    const co_options_t first = {
        .flags = flags, .stack = bracketed ? stack : NULL, .stack_bytes = bracketed ? sizeof stack : 0};
    const co_run_options_t options = {.first = &first, .flags = CO_RUN_QUIET};
    trace_clear();
    assert_int_equal(co_run_with(&options, fn, NULL, NULL), -EDEADLK);
    assert_trace(expected);
}

static __attribute__((noinline)) void wait_in_a_frame(void) {
    CLEANUP(first, 'a');
    co_defer(trace_letter, LETTER("1"));
    CLEANUP(second, 'b');
    co_sleep_until(CO_NEVER);
    FAIL("a closed task went on");
}

static void *wait_in_the_body(void *arg) {
    CLEANUP(outermost, 'z');
    co_defer(trace_letter, LETTER("2"));
    co_sched_yield();
    wait_in_a_frame();
    return arg;
}

static void test_frames_of_a_task(void **state) {
    (void)state;
    expect_deadlock(wait_in_the_body, 0, "1ba2z");
    expect_deadlock(wait_in_the_body, CO_FPENV | CO_CANARIES, "1ba2z");
}

static void *join_in_the_body(void *arg) {
    CLEANUP(local, 'j');
    co_join(co_spawn(wait_in_the_body, NULL), NULL, CO_NEVER);
    FAIL("a closed task went on");
    return arg;
}

static void test_every_task(void **state) {
    (void)state;
    expect_deadlock(join_in_the_body, 0, "1ba2zj");
}

static void destroy(void *co) { assert_int_equal(co_destroy(co), 0); }

static void *wait_after_a_yield(void *arg) {
    CLEANUP(local, 'i');
    co_yield(arg);
    wait_in_a_frame();
    return arg;
}

/* A coroutine that waits for another one is left without unwinding: its deferred calls run, its cleanups do not. */
static void *wait_in_a_coroutine(void *arg) {
    const co_options_t options = {.flags = CO_FPENV};
    co_t *co = co_create_with(&options, wait_after_a_yield, NULL);
    CLEANUP(local, '!');
    co_defer(destroy, co);
    co_defer(trace_letter, LETTER("o"));
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    co_resume(co, NULL, NULL);
    FAIL("a closed task went on");
    return arg;
}

static void test_frames_of_the_innermost(void **state) {
    (void)state;
    expect_deadlock(wait_in_a_coroutine, 0, "1baio");
    expect_deadlock(wait_in_a_coroutine, CO_FPENV, "1baio");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_of_a_task),
        cmocka_unit_test(test_every_task),
        cmocka_unit_test(test_frames_of_the_innermost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
int main(void) { return 77; }
#endif
