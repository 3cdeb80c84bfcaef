/* The generator contract, rules 55 and 56, for loops that the close of a coroutine leaves: the loop's generator ends
 * there and then, once, in the order of all cleanup. In C a frame has no part in a close unless it is compiled with
 * -fexceptions, when it ends its loops itself: the same must be seen of both. */
#define _GNU_SOURCE
#include "generators.h"

/* Emits 1, 2, ... for ever; its cleanup adds a letter. */
static CO_GENERATOR(count, long, (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    for (long i = 1;; i++)
        CO_EMIT(i);
}

/* The same, without an end of its own in cleanup: that fails. */
static void fail_in_cleanup(void *error) { (void)co_fail((int)number_of(error)); }

static CO_GENERATOR(count_and_fail, long, (int, error)) {
    co_defer(fail_in_cleanup, value_of(error));
    for (long i = 1;; i++)
        CO_EMIT(i);
}

static CO_GEN(long) stepped(CO_GEN(long) generator, int items) {
    trace_clear();
    for (long i = 1; i <= items; i++)
        assert_next(generator, i);
    return generator;
}

/* ---- One loop ------------------------------------------------------------------------------------------------ */

static CO_GENERATOR(pass_on, long, (CO_GEN(long), source), (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    CO_FOR(long, x, source)
        CO_EMIT(x);
}

/* A loop that leaks what it iterates when its body is closed or destroyed; a chain of such loops. */
static void test_rule_55_close_ends_the_loops_generator(void **state) {
    (void)state;
    for (int close = 0; close < 2; close++) {
        CO_GEN(long) generator = stepped(pass_on(count("a"), "b"), 3);
        if (close) {
            assert_int_equal(CO_GEN_CLOSE(generator), 0);
            assert_trace("ab");
            assert_done(generator);
        }
        assert_destroyed(generator);
        assert_trace("ab");
    }
    assert_destroyed(stepped(pass_on(pass_on(pass_on(count("a"), "b"), "c"), "d"), 2));
    assert_trace("abcd");
}

/* An owner that is a loop on a plain thread, whose generator stands in loops. */
static void test_rule_55_break_ends_all_loops(void **state) {
    (void)state;
    trace_clear();
    CO_FOR(long, x, pass_on(pass_on(count("a"), "b"), "c"))
        if (x == 3)
            break;
    assert_trace("abc");
}

/* A loop that is gone before the close: nothing is ended again. */
static CO_GENERATOR(loop_then_wait, long) {
    CO_FOR(long, x, count("a"))
        if (x == 2)
            break;
    CO_EMIT(1);
    CO_FOR_BORROWED(long, x, CO_SELF)
        FAIL("%ld", x);
    CO_EMIT(2);
}

static void test_rule_55_a_loop_that_was_left(void **state) {
    (void)state;
    for (int items = 1; items < 3; items++) {
        CO_GEN(long) generator = stepped(loop_then_wait(), items);
        assert_trace("a");
        assert_destroyed(generator);
        assert_trace("a");
    }
}

static CO_GENERATOR(borrow, long, (CO_GEN(long), source)) {
    CO_FOR_BORROWED(long, x, source)
        CO_EMIT(x);
}

/* A borrowed generator that the close ends. */
static void test_rule_55_a_borrowed_one_stays(void **state) {
    (void)state;
    CO_GEN(long) source = count("a");
    assert_destroyed(stepped(borrow(source), 2));
    assert_trace("");
    assert_next(source, 3);
    assert_destroyed(source);
    assert_trace("a");
}

static void *yield_in_a_loop(void *letter) {
    CO_FOR(long, x, count((const char *)letter))
        co_yield(value_of(x));
    return NULL;
}

/* A loop in a coroutine that is no generator. */
static void test_a_loop_in_a_coroutine_is_closed(void **state) {
    (void)state;
    for (int how = 0; how < 2; how++) {
        co_t *co = co_create(yield_in_a_loop, LETTER("a"));
        trace_clear();
        assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        if (how == 0)
            assert_int_equal(co_close(co), 0);
        assert_int_equal(co_destroy(co), 0);
        assert_trace("a");
    }
}

/* ---- Order --------------------------------------------------------------------------------------------------- */

static void defer_letter(const char *letter) { assert_int_equal(co_defer(trace_letter, LETTER(letter)), 0); }

static CO_GENERATOR(interleave, long) {
    defer_letter("1");
    CO_FOR(long, x, count("a")) {
        defer_letter("2");
        CO_FOR(long, y, count("b")) {
            defer_letter("3");
            CO_EMIT(x);
            defer_letter("4");
            CO_EMIT(x + y);
            (void)y;
        }
    }
}

/* A generator that ends before what was deferred after its loop had begun, or after what was deferred before. */
static void test_rule_34_loops_in_the_order_of_cleanup(void **state) {
    (void)state;
    assert_destroyed(stepped(interleave(), 1));
    assert_trace("3b2a1");
    assert_destroyed(stepped(interleave(), 2));
    assert_trace("43b2a1");
}

static CO_GENERATOR(defer_in_loops, long, (int, count_of_loops)) {
    for (int i = 0; i < count_of_loops; i++)
        CO_FOR(long, x, count("a")) {
            defer_letter("b");
            if (x == 2)
                break;
        }
    CO_EMIT(1);
}

/* A loop that ends with entries on top of its own: taken off from below them, and they stay. */
static void test_what_a_loop_defers_outlives_it(void **state) {
    (void)state;
    assert_destroyed(stepped(defer_in_loops(3), 1));
    assert_trace("aaabbbbbb");
    CO_GEN(long) generator = stepped(defer_in_loops(2), 1);
    assert_none(generator, 0);
    assert_trace("aabbbb");
    assert_destroyed(generator);
}

static __attribute__((noinline)) void emit_in_loops(CO_GEN(long) self, volatile int depth, const char *letters) {
    if (depth == 0) {
        CO_EMIT_TO(self, 1);
        return;
    }
    defer_letter(letters);
    CO_FOR(long, x, count(letters + 1)) {
        emit_in_loops(self, depth - 1, letters + 2);
        if (x == 2)
            break;
    }
}

static CO_GENERATOR(loops_in_depth, long, (int, depth)) {
    emit_in_loops(CO_SELF, depth, "1a2b3c");
    CO_EMIT(depth);
}

/* Loops in functions that the body calls: frame by frame, or all together. */
static void test_loops_in_functions(void **state) {
    (void)state;
    assert_destroyed(stepped(loops_in_depth(3), 1));
    assert_trace("c3b2a1");
    CO_GEN(long) generator = loops_in_depth(1);
    trace_clear();
    for (int i = 0; i < 3; i++)
        assert_next(generator, 1);
    assert_trace("a");
    assert_none(generator, 0);
    assert_trace("a1");
    assert_destroyed(generator);
}

/* ---- Cleanup that loops, and that fails ---------------------------------------------------------------------- */

static void loop_in_cleanup(void *arg) {
    (void)arg;
    CO_FOR(long, x, count("x")) {
        CO_FOR(long, y, pass_on(count("y"), "z"))
            if (y == 2)
                break;
        if (x == 2)
            break;
    }
    trace_add('.');
}

static CO_GENERATOR(loop_late, long) {
    co_defer(loop_in_cleanup, NULL);
    CO_FOR(long, x, count("a")) {
        co_defer(loop_in_cleanup, NULL);
        CO_EMIT(x);
    }
}

/* A loop within a deferred call that ends what the close is about to end, or is not ended at all. */
static void test_loops_in_deferred_calls(void **state) {
    (void)state;
    assert_destroyed(stepped(loop_late(), 1));
    assert_trace("yzyzx.ayzyzx.");
}

/* An error of the loop's generator that the closer does not hear of; one that hides another. */
static void test_rule_28_an_error_of_the_loops_generator(void **state) {
    (void)state;
    CO_GEN(long) generator = stepped(pass_on(count_and_fail(EIO), "b"), 1);
    assert_int_equal(CO_GEN_CLOSE(generator), -EIO);
    assert_trace("b");
    assert_destroyed(generator);
    assert_int_equal(CO_GEN_DESTROY(stepped(pass_on(count_and_fail(EBUSY), "b"), 1)), -EINVAL);
    assert_trace("b");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_55_close_ends_the_loops_generator),
        cmocka_unit_test(test_rule_55_break_ends_all_loops),
        cmocka_unit_test(test_rule_55_a_loop_that_was_left),
        cmocka_unit_test(test_rule_55_a_borrowed_one_stays),
        cmocka_unit_test(test_a_loop_in_a_coroutine_is_closed),
        cmocka_unit_test(test_rule_34_loops_in_the_order_of_cleanup),
        cmocka_unit_test(test_what_a_loop_defers_outlives_it),
        cmocka_unit_test(test_loops_in_functions),
        cmocka_unit_test(test_loops_in_deferred_calls),
        cmocka_unit_test(test_rule_28_an_error_of_the_loops_generator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
