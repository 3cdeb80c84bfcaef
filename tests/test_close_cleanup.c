/* Closing C code that has language tables: __attribute__((cleanup)) runs at co_close, frame by frame, innermost first,
 * after the deferred calls of the same frame.
 * Compiled with: -fexceptions */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>

/* The libgcc_eh that musl-gcc on Debian finds is made for glibc and does not link with musl. */
#ifdef __GLIBC__

static void cleanup_letter(const char *letter) { trace_add(*letter); }
#define CLEANUP(name, letter) __attribute__((cleanup(cleanup_letter), unused)) char name = letter

static __attribute__((noinline)) void suspend(void) {
    co_yield(NULL);
    FAIL("a closed body went on");
}

static void close_suspended(co_fn body, void *arg, const char *expected, int status) {
    for (int destroy = 0; destroy < 2; destroy++)
        for (unsigned flags = 0; flags <= CO_FPENV; flags++) {
            const co_options_t options = {.flags = flags};
            co_t *co = co_create_with(&options, body, arg);
            trace_clear();
            assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
            assert_trace("");
            assert_int_equal(destroy ? co_destroy(co) : co_close(co), status);
            assert_trace(expected);
            if (!destroy)
                assert_int_equal(co_destroy(co), 0);
            assert_null(co_self());
        }
}

/* ---- One frame ----------------------------------------------------------------------------------------------- */

static void *clean_two_locals(void *arg) {
    CLEANUP(first, 'a');
    CLEANUP(second, 'b');
    co_yield(arg);
    FAIL("a closed body went on");
    return arg;
}

/* A yield that is no call site in the language tables: cleanups of its own frame are then skipped. */
static void test_locals_beside_the_yield(void **state) {
    (void)state;
    close_suspended(clean_two_locals, NULL, "ba", 0);
}

static void *clean_around_yields(void *arg) {
    CLEANUP(outer, 'a');
    {
        CLEANUP(gone, 'g');
        trace_clear();
    }
    trace_clear();
    co_yield_from(co_self(), NULL);
    CLEANUP(later, 'l');
    (void)arg;
    FAIL("a closed body went on");
    return NULL;
}

/* Cleanups of locals that are gone, or not there yet. */
static void test_only_what_is_alive_at_the_yield(void **state) {
    (void)state;
    close_suspended(clean_around_yields, NULL, "a", 0);
}

static void *many_yields(void *arg) {
    CLEANUP(outermost, 'a');
    for (int i = 0;; i++) {
        CLEANUP(inner, 'b');
        if (i == 1) {
            CLEANUP(innermost, 'c');
            co_yield(arg);
        } else {
            co_yield(arg);
        }
    }
    return NULL;
}

/* Several yields in one function that share a landing: each has its own set of locals. */
static void test_each_yield_has_its_own_landing(void **state) {
    (void)state;
    static const char *const expected[] = {"ba", "cba", "ba"};
    for (int stop = 0; stop < 3; stop++) {
        co_t *co = co_create(many_yields, NULL);
        for (int i = 0; i <= stop; i++)
            assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        trace_clear();
        assert_int_equal(co_destroy(co), 0);
        assert_trace(expected[stop]);
    }
}

/* ---- Several frames ------------------------------------------------------------------------------------------ */

static __attribute__((noinline)) void inner_frame(void) {
    CLEANUP(local, 'i');
    assert_int_equal(co_defer(trace_letter, LETTER("1")), 0);
    assert_int_equal(co_defer(trace_letter, LETTER("2")), 0);
    suspend();
    trace_add('!');
}

/* Has nothing to clean, so no language table. */
static __attribute__((noinline)) int frame_without_table(int depth) {
    volatile int local = depth;
    if (depth > 0)
        return frame_without_table(depth - 1) + local;
    inner_frame();
    return local;
}

static __attribute__((noinline)) void middle_frame(void) {
    CLEANUP(local, 'm');
    assert_int_equal(co_defer(trace_letter, LETTER("3")), 0);
    frame_without_table(5);
    trace_add('!');
}

static void *outer_frame(void *arg) {
    CLEANUP(local, 'o');
    assert_int_equal(co_defer(trace_letter, LETTER("4")), 0);
    middle_frame();
    trace_add('!');
    return arg;
}

/* Deferred calls that run all before, or all after, the cleanups, or in the frame of another. */
static void test_frame_by_frame(void **state) {
    (void)state;
    close_suspended(outer_frame, NULL, "21i3m4o", 0);
}

static int compare_and_suspend(const void *left, const void *right) {
    CLEANUP(local, 'c');
    (void)left, (void)right;
    suspend();
    return 0;
}

static void *sort(void *arg) {
    CLEANUP(local, 'o');
    int numbers[] = {2, 1};
    assert_int_equal(co_defer(trace_letter, LETTER("1")), 0);
    qsort(numbers, 2, sizeof numbers[0], compare_and_suspend);
    return arg;
}

/* Frames of libc between, which have call-frame information and no language tables. */
static void test_through_frames_of_libc(void **state) {
    (void)state;
    close_suspended(sort, NULL, "c1o", 0);
}

/* ---- What a cleanup may do ----------------------------------------------------------------------------------- */

static void defer_from_cleanup(const char *letter) {
    trace_add(*letter);
    assert_int_equal(co_defer(trace_letter, LETTER("d")), 0);
}

static __attribute__((noinline)) void frame_that_defers_when_cleaned(void) {
    __attribute__((cleanup(defer_from_cleanup), unused)) char local = 'i';
    suspend();
    trace_add('!');
}

static void *run_frame_that_defers(void *arg) {
    CLEANUP(local, 'o');
    assert_int_equal(co_defer(trace_letter, LETTER("1")), 0);
    frame_that_defers_when_cleaned();
    return arg;
}

/* A call deferred by a cleanup: lost, or run after the outer frames'. */
static void test_cleanup_that_defers(void **state) {
    (void)state;
    close_suspended(run_frame_that_defers, NULL, "id1o", 0);
}

static void yield_from_cleanup(const char *letter) {
    trace_add(*letter);
    assert_null(co_yield(value_of(1)));
    assert_int_equal(co_error(), EPERM);
}

static void fail_from_cleanup(const char *letter) {
    trace_add(*letter);
    co_fail(ENOSPC);
}

static void *yield_in_cleanup(void *arg) {
    CLEANUP(outer, 'o');
    __attribute__((cleanup(yield_from_cleanup), unused)) char local = 'y';
    suspend();
    return arg;
}

static void *fail_in_cleanup(void *arg) {
    CLEANUP(outer, 'o');
    __attribute__((cleanup(fail_from_cleanup), unused)) char local = 'f';
    suspend();
    return arg;
}

/* A yield, or a failure, in a cleanup that stops the unwinding or goes unreported. */
static void test_cleanup_that_yields_or_fails(void **state) {
    (void)state;
    close_suspended(yield_in_cleanup, NULL, "yo", -EPERM);
    close_suspended(fail_in_cleanup, NULL, "fo", -ENOSPC);
}

static void use_another(const char *letter) {
    co_t *other = co_create(clean_two_locals, NULL);
    assert_int_equal(co_resume(other, NULL, NULL), CO_YIELDED);
    trace_add(*letter);
    assert_int_equal(co_destroy(other), 0);
}

static void *close_another_in_cleanup(void *arg) {
    CLEANUP(outer, 'o');
    __attribute__((cleanup(use_another), unused)) char local = 'u';
    suspend();
    return arg;
}

/* An unwinding within an unwinding, on two stacks. */
static void test_cleanup_that_closes_another(void **state) {
    (void)state;
    close_suspended(close_another_in_cleanup, NULL, "ubao", 0);
}

/* ---- What it needs ------------------------------------------------------------------------------------------- */

static void *clean_and_defer(void *arg) {
    CLEANUP(local, 'a');
    assert_int_equal(co_defer(trace_letter, LETTER("1")), 0);
    return co_yield(arg);
}

static void *take_from_a_buffer(size_t bytes, void *buffer) { return bytes <= 256 ? buffer : NULL; }
static void leave_it(void *memory, size_t bytes, void *buffer) { (void)memory, (void)bytes, (void)buffer; }

/* An unwinder that runs over the end of a stack without a guard, or that is not called where there is room for it. */
static void test_stack_that_closing_needs(void **state) {
    (void)state;
#ifdef TEST_SANITIZED
    skip(); /* their hooks take more */
#endif
    enum { BELOW = 16 * 1024, MOST = 10 * 1024 };
    static _Alignas(16) unsigned char memory[BELOW + MOST], buffer[256];
    static const co_allocator_t allocator = {.allocate = take_from_a_buffer, .release = leave_it, .context = buffer};
    static const struct {
        size_t stack_bytes;
        const char *expected;
    } cases[] = {{MOST, "1a"}, {4096, "1"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const co_options_t options = {
            .stack = memory + BELOW, .stack_bytes = cases[i].stack_bytes, .allocator = &allocator};
        memset(memory, 0xa5, sizeof memory);
        co_t *co = co_create_with(&options, clean_and_defer, NULL);
        assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        trace_clear();
        assert_int_equal(co_destroy(co), 0);
        assert_trace(cases[i].expected);
        for (int j = 0; j < BELOW; j++)
            if (memory[j] != 0xa5)
                FAIL("%d bytes below the stack are used", BELOW - j);
    }
}

/* ---- When it returns ----------------------------------------------------------------------------------------- */

static void *clean_and_return(void *arg) {
    CLEANUP(local, 'a');
    assert_int_equal(co_defer(trace_letter, LETTER("1")), 0);
    return co_yield(arg);
}

/* Tables and landings that get in the way of an ordinary return. */
static void test_return_runs_each_once(void **state) {
    (void)state;
    co_t *co = co_create(clean_and_return, NULL);
    trace_clear();
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_trace("a1"); /* the frame is gone when the deferred call runs */
    assert_int_equal(co_destroy(co), 0);
    assert_trace("a1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locals_beside_the_yield),        cmocka_unit_test(test_only_what_is_alive_at_the_yield),
        cmocka_unit_test(test_each_yield_has_its_own_landing), cmocka_unit_test(test_frame_by_frame),
        cmocka_unit_test(test_through_frames_of_libc),         cmocka_unit_test(test_cleanup_that_defers),
        cmocka_unit_test(test_cleanup_that_yields_or_fails),   cmocka_unit_test(test_cleanup_that_closes_another),
        cmocka_unit_test(test_stack_that_closing_needs),       cmocka_unit_test(test_return_runs_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else
int main(void) { return 77; }
#endif
