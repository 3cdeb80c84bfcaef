/* Loops and delegations whose error ends the body, and loops that stand together on a line. */
#define _GNU_SOURCE
#include "generators.h"

/* Emits 1, 2, ... up to `last`, then ends, or fails with `error`; its cleanup adds a letter. */
static CO_GENERATOR(count_to, long, (long, last), (int, error), (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    for (long i = 1; i <= last; i++)
        CO_EMIT(i);
    if (error != 0)
        CO_FAIL(error);
}

static CO_GEN(long) count(long last) {
    trace_clear();
    return count_to(last, 0, "c");
}

static void fail_in_cleanup(void *error) { (void)co_fail((int)number_of(error)); }

static CO_GENERATOR(fail_in_deferred, long) {
    co_defer(fail_in_cleanup, value_of(ENOSPC));
    CO_EMIT(1);
}

/* ---- Loops that fail the body --------------------------------------------------------------------------------- */

static CO_GENERATOR(square, long, (long, last), (int, error), (long, stop)) {
    co_defer(trace_letter, LETTER("s"));
    CO_FOR_OR_FAIL(long, x, count_to(last, error, "c")) {
        if (x == 2)
            continue;
        if (x == stop)
            break;
        CO_EMIT(x * x);
    }
    CO_EMIT(-1);
}

/* An error that the body does not end with, an end that is taken for one, a `break` or `continue` that does otherwise.
 */
static void test_a_loop_that_fails_the_body(void **state) {
    (void)state;
    for (int error = 0; error < 2; error++) {
        trace_clear();
        CO_GEN(long) generator = square(3, error == 0 ? 0 : EIO, 0);
        assert_next(generator, 1);
        assert_next(generator, 9);
        assert_trace("");
        if (error == 0)
            assert_next(generator, -1);
        assert_none(generator, error == 0 ? 0 : -EIO);
        assert_trace("cs");
        assert_destroyed(generator);
    }
    trace_clear();
    CO_GEN(long) generator = square(5, EIO, 3);
    assert_next(generator, 1);
    assert_next(generator, -1);
    assert_trace("c");
    assert_none(generator, 0);
    assert_destroyed(generator);
    generator = square(5, EIO, 0);
    trace_clear();
    assert_next(generator, 1);
    assert_destroyed(generator);
    assert_trace("cs");
}

static CO_GENERATOR(fail_after_break, long) {
    CO_FOR_OR_FAIL(long, x, fail_in_deferred()) {
        if (x == 1)
            break;
    }
    CO_EMIT(1);
}

static CO_GENERATOR(over_nothing, long, (int, error)) {
    CO_GEN(long) nothing = NULL;
    errno = error;
    if (error >= 0)
        CO_FOR_OR_FAIL(long, x, nothing)
    FAIL("%ld", x);
    else FAIL("%d", error);
    CO_EMIT(1);
}

/* An error of the close that `break` leads to; a generator that could not be made. */
static void test_other_errors_that_fail_the_body(void **state) {
    (void)state;
    CO_GEN(long) generator = fail_after_break();
    assert_none(generator, -ENOSPC);
    assert_destroyed(generator);
    generator = over_nothing(ENOMEM);
    assert_none(generator, -ENOMEM);
    assert_destroyed(generator);
    generator = over_nothing(0);
    assert_none(generator, -EINVAL);
    assert_destroyed(generator);
}

/* ---- Delegations ----------------------------------------------------------------------------------------------- */

static CO_GENERATOR(fail_late, long, (int, error)) {
    CO_EMIT(1);
    if (error != 0)
        CO_FAIL(error);
    CO_RETURN(value_of(5));
}

static CO_GENERATOR(from_or_fail, long, (int, error)) {
    void *result = UNTOUCHED;
    CO_GEN(long) nothing = NULL;
    if (error >= 0)
        CO_FROM_OR_FAIL(fail_late(error), &result);
    else
        CO_FROM_OR_FAIL(nothing, NULL);
    CO_EMIT((long)number_of(result));
}

/* An inner error that does not end the body, or an inner end that does. */
static void test_rule_46_not_handled_by_any(void **state) {
    (void)state;
    long item = NO_ITEM;
    CO_GEN(long) generator = from_or_fail(0);
    assert_next(generator, 1);
    assert_next(generator, 5);
    assert_none(generator, 0);
    assert_destroyed(generator);
    generator = from_or_fail(EIO);
    assert_next(generator, 1);
    assert_none(generator, -EIO);
    assert_destroyed(generator);
    generator = from_or_fail(0);
    assert_next(generator, 1);
    assert_int_equal(CO_THROW(generator, ENOSPC, &item), 1); /* which the inner one does not look at */
    assert_destroyed(generator);
    errno = ENOMEM;
    generator = from_or_fail(-1);
    assert_none(generator, -ENOMEM);
    assert_destroyed(generator);
}

/* ---- Where loops stand ---------------------------------------------------------------------------------------- */

#define BOTH(sum)                                                                                                      \
    CO_FOR(long, x, count(3))                                                                                          \
        CO_FOR(long, y, count(x))                                                                                      \
    (sum) += x * y

static CO_GENERATOR(both_on_a_line, long) {
    CO_FOR_OR_FAIL(long, x, count(2)) CO_FOR_OR_FAIL(long, y, count(x)) CO_EMIT(x * y);
}

/* Loops on one line, whose hidden variables have one name: compilers warn, and that is an error here. */
static void test_two_loops_on_a_line(void **state) {
    (void)state;
    long sum = 0;
    BOTH(sum);
    assert_int_equal(sum, 1 + 2 * (1 + 2) + 3 * (1 + 2 + 3));
    CO_FOR(long, x, both_on_a_line())
        sum -= x;
    assert_int_equal(sum, 18);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_loop_that_fails_the_body),
        cmocka_unit_test(test_other_errors_that_fail_the_body),
        cmocka_unit_test(test_rule_46_not_handled_by_any),
        cmocka_unit_test(test_two_loops_on_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
