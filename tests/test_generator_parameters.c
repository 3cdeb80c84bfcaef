/* The generator contract, rules 56 and 57: parameters that a generator owns. They end with it, once, whatever state it
 * is in, whatever its body has done with them, and also when it could not be made. */
#define _GNU_SOURCE
#include "generators.h"

/* Emits 1, 2, ... up to `last`; its cleanup adds a letter. */
static CO_GENERATOR(count, long, (long, last), (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    for (long i = 1; i <= last; i++)
        CO_EMIT(i);
}

/* What an owned one does when it ends fresh: nothing. So a source is stepped first; its next item is then 2. */
static CO_GEN(long) begun(const char *letter) {
    CO_GEN(long) source = count(5, letter);
    assert_next(source, 1);
    return source;
}

static CO_GENERATOR(pass_on, long, CO_OWN(long, source), (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    CO_FOR(long, x, source)
        CO_EMIT(x);
}

static CO_GENERATOR(hand_over, long, (const char *, letter), CO_OWN(long, source)) {
    co_defer(trace_letter, LETTER(letter));
    CO_FROM(source, NULL);
    CO_EMIT(9);
}

static CO_GENERATOR(ignore, long, CO_OWN(long, one), (long, first), CO_OWN(long, other)) {
    (void)one, (void)other;
    CO_EMIT(first);
    CO_EMIT(first + 1);
}

static CO_GENERATOR(step_by_hand, long, CO_OWN(long, one), CO_OWN(long, other)) {
    long x, y;
    while (CO_NEXT(one, &x) == CO_GEN_ITEM && CO_NEXT(other, &y) == CO_GEN_ITEM)
        CO_EMIT(10 * x + y);
}

/* ---- Every state --------------------------------------------------------------------------------------------- */

/* Arguments of a fresh generator that nobody ends: a chain of them, closed, destroyed, or thrown into. */
static void test_rule_56_of_a_fresh_one(void **state) {
    (void)state;
    long item = NO_ITEM;
    for (int how = 0; how < 3; how++) {
        trace_clear();
        CO_GEN(long) generator = pass_on(hand_over("c", pass_on(begun("a"), "b")), "d");
        if (how == 1)
            assert_int_equal(CO_GEN_CLOSE(generator), 0);
        if (how == 2)
            assert_int_equal(CO_THROW(generator, EIO, &item), -EIO);
        assert_trace(how == 0 ? "" : "a");
        if (how > 0)
            assert_done(generator);
        assert_destroyed(generator);
        assert_trace("a");
    }
    assert_destroyed(ignore(begun("a"), 1, begun("b")));
    assert_trace("aba");
}

/* Of one that is suspended: in a loop, in a delegation, or anywhere. */
static void test_rule_56_of_a_suspended_one(void **state) {
    (void)state;
    for (int how = 0; how < 5; how++) {
        trace_clear();
        CO_GEN(long)
        generator = how == 0   ? pass_on(begun("a"), "b")
                    : how == 1 ? hand_over("b", begun("a"))
                    : how == 2 ? hand_over("b", pass_on(begun("a"), "b"))
                    : how == 3 ? ignore(begun("b"), 2, begun("a"))
                               : step_by_hand(begun("b"), begun("a"));
        assert_next(generator, how == 4 ? 22 : 2);
        assert_trace("");
        if (how % 2 == 0)
            assert_int_equal(CO_GEN_CLOSE(generator), 0);
        assert_destroyed(generator);
        assert_trace(how == 2 ? "abb" : "ab");
    }
}

/* Of one that comes to its end, before the ends of its owned ones or after them. */
static void test_rule_56_of_a_done_one(void **state) {
    (void)state;
    for (int how = 0; how < 4; how++) {
        long items = 0;
        trace_clear();
        CO_GEN(long)
        generator = how == 0   ? pass_on(begun("a"), "b")
                    : how == 1 ? hand_over("b", begun("a"))
                    : how == 2 ? ignore(begun("b"), 2, begun("a"))
                               : step_by_hand(begun("b"), begun("a"));
        CO_FOR_BORROWED(long, x, generator)
            items += x > 0;
        assert_int_equal(items, how == 1 ? 5 : how == 2 ? 2 : 4);
        assert_trace(how == 3 ? "ba" : "ab"); /* the last: ends before it is asked to */
        assert_done(generator);
        assert_destroyed(generator);
        assert_trace(how == 3 ? "ba" : "ab");
    }
}

static CO_GENERATOR(fail_at_once, long, CO_OWN(long, source), (int, error)) {
    (void)source;
    CO_FAIL(error);
}

/* Of one that fails before it has done anything. */
static void test_rule_56_of_a_failed_one(void **state) {
    (void)state;
    trace_clear();
    CO_GEN(long) generator = fail_at_once(begun("a"), EIO);
    assert_none(generator, -EIO);
    assert_trace("a");
    assert_destroyed(generator);
}

/* ---- Handed on ----------------------------------------------------------------------------------------------- */

static CO_GENERATOR(half_a_loop, long, CO_OWN(long, source), (long, end)) {
    CO_FOR_BORROWED(long, x, source)
        if (x == 2)
            break;
    CO_FOR(long, x, source) {
        CO_EMIT(x);
        if (x == end)
            break;
    }
    CO_EMIT(100);
}

/* A loop that does not end what it has taken over, or an owner that ends it again. */
static void test_taken_over_by_a_loop(void **state) {
    (void)state;
    for (int items = 0; items < 3; items++) {
        trace_clear();
        CO_GEN(long) generator = half_a_loop(begun("a"), 3);
        for (int i = 0; i < items; i++)
            assert_next(generator, i == 0 ? 3 : 100);
        assert_trace(items == 2 ? "a" : "");
        assert_destroyed(generator);
        assert_trace("a");
    }
}

static CO_GENERATOR(hand_on, long, CO_OWN(long, source), (int, how)) {
    CO_GEN(long) other = how == 0 ? NULL : pass_on(source, "b");
    CO_EMIT(how);
    if (how == 2)
        CO_FOR(long, x, other)
            CO_EMIT(x);
    if (how == 3)
        CO_FROM(other, NULL);
    if (how == 1)
        CO_GEN_DESTROY(other);
    if (how == 0)
        CO_GEN_DESTROY(source);
    CO_EMIT(7);
}

/* One that the body gives to another generator, or destroys: its owner has nothing more to end. */
static void test_taken_over_by_another(void **state) {
    (void)state;
    static const char *const expected[] = {"a", "a", "ab", "ab"};
    for (int how = 0; how < 4; how++) {
        trace_clear();
        CO_GEN(long) generator = hand_on(begun("a"), how);
        assert_next(generator, how);
        if (how >= 2)
            for (long i = 2; i <= 5; i++)
                assert_next(generator, i);
        assert_next(generator, 7);
        assert_trace(expected[how]);
        assert_none(generator, 0);
        assert_destroyed(generator);
        assert_trace(expected[how]);
    }
    trace_clear();
    CO_GEN(long) source = begun("a");
    CO_GEN(long) first = pass_on(source, "b");
    CO_GEN(long) last = pass_on(source, "c");
    assert_destroyed(first);
    assert_trace("");
    assert_next(last, 2);
    assert_destroyed(last);
    assert_trace("ac");
}

static CO_GENERATOR(loop_and_give_away, long, (CO_GEN(long) *, taker)) {
    CO_GEN(long) source = begun("a");
    CO_FOR(long, x, source) {
        *taker = pass_on(source, "b");
        CO_EMIT(x);
    }
}

/* A loop whose generator gets another owner before the loop ends. */
static void test_taken_over_from_a_loop(void **state) {
    (void)state;
    CO_GEN(long) taker = NULL;
    trace_clear();
    CO_GEN(long) generator = loop_and_give_away(&taker);
    assert_next(generator, 2);
    assert_destroyed(generator);
    assert_trace("");
    assert_next(taker, 3);
    assert_destroyed(taker);
    assert_trace("ab");
}

/* One generator for two parameters, from which pairs are taken: it ends once. */
static void test_the_same_one_twice(void **state) {
    (void)state;
    for (int items = 0; items < 3; items++) {
        trace_clear();
        CO_GEN(long) source = begun("a");
        CO_GEN(long) generator = step_by_hand(source, source);
        for (int i = 0; i < items; i++)
            assert_next(generator, i == 0 ? 23 : 45);
        assert_destroyed(generator);
        assert_trace("a");
    }
}

/* ---- Errors -------------------------------------------------------------------------------------------------- */

static void fail_in_cleanup(void *error) { (void)co_fail((int)number_of(error)); }

static CO_GENERATOR(fail_in_deferred, long, (int, error)) {
    co_defer(fail_in_cleanup, value_of(error));
    CO_EMIT(1);
    CO_EMIT(2);
}

/* An error of what is owned that nobody hears of. */
static void test_rule_28_an_error_of_an_owned_one(void **state) {
    (void)state;
    for (int fresh = 0; fresh < 2; fresh++) {
        CO_GEN(long) source = fail_in_deferred(ENOSPC);
        assert_next(source, 1);
        CO_GEN(long) generator = ignore(source, 3, count(1, "a"));
        if (!fresh)
            assert_next(generator, 3);
        assert_int_equal(CO_GEN_CLOSE(generator), -ENOSPC);
        assert_destroyed(generator);
    }
    CO_GEN(long) source = fail_in_deferred(ENOSPC);
    assert_next(source, 1);
    CO_GEN(long) generator = ignore(source, 3, count(1, "a"));
    assert_next(generator, 3);
    assert_next(generator, 4);
    assert_none(generator, -ENOSPC);
    assert_destroyed(generator);
}

/* ---- Creation that fails --------------------------------------------------------------------------------------- */

/* NULL for a parameter: why, and the other one ends. */
static void test_rule_57_null(void **state) {
    (void)state;
    static const int errors[] = {0, ENOMEM, EAGAIN, EPERM}, expected[] = {EINVAL, ENOMEM, EAGAIN, EINVAL};
    for (int i = 0; i < 4; i++) {
        trace_clear();
        CO_GEN(long) source = begun("a");
        errno = errors[i];
        assert_null(i % 2 == 0 ? ignore(source, 1, NULL) : ignore(NULL, 1, source));
        assert_int_equal(errno, expected[i]);
        assert_trace("a");
        errno = errors[i];
        assert_null(pass_on(hand_over("b", NULL), "c"));
        assert_int_equal(errno, expected[i]);
        int status = 0;
        errno = errors[i];
        CO_FOR_STATUS(long, x, pass_on(hand_over("b", NULL), "c"), status)
            FAIL("%ld", x);
        assert_int_equal(status, -expected[i]);
    }
    trace_clear();
    CO_GEN(long) source = begun("a");
    assert_null(ignore(source, 1, (errno = ENOMEM, NULL)));
    assert_trace("a");
}

static CO_GENERATOR(own_who_runs, long, (CO_GEN(long) *, outer)) {
    CO_EMIT(1);
    CO_GEN(long) source = begun("a");
    errno = 0;
    assert_null(ignore(source, 1, *outer));
    CO_EMIT(errno);
    assert_null(pass_on(CO_SELF, "b"));
    CO_EMIT(errno);
}

/* One that executes, and is somebody's: it stays so, and the other one ends. */
static void test_rule_57_one_that_executes(void **state) {
    (void)state;
    CO_GEN(long) outer = NULL;
    trace_clear();
    CO_GEN(long) top = pass_on(outer = pass_on(own_who_runs(&outer), "c"), "d");
    assert_next(top, 1);
    assert_next(top, EBUSY);
    assert_trace("a");
    assert_next(top, EBUSY);
    assert_none(top, 0);
    assert_trace("acd");
    assert_destroyed(top);
}

/* ---- All parameters ------------------------------------------------------------------------------------------- */

static CO_GENERATOR(eight, long, CO_OWN(long, a), (long, b), CO_OWN(long, c), (long, d), CO_OWN(long, e), (long, f),
                    CO_OWN(long, g), CO_OWN(long, h)) {
    (void)a, (void)c, (void)e, (void)g, (void)h;
    CO_EMIT(100 * b + 10 * d + f);
}

/* Parameters that change places. */
static void test_eight_parameters(void **state) {
    (void)state;
    for (int items = 0; items < 2; items++) {
        trace_clear();
        CO_GEN(long) generator = eight(begun("a"), 1, begun("c"), 2, begun("e"), 3, begun("g"), begun("h"));
        if (items > 0)
            assert_next(generator, 123);
        assert_destroyed(generator);
        assert_trace("hgeca");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_56_of_a_fresh_one),
        cmocka_unit_test(test_rule_56_of_a_suspended_one),
        cmocka_unit_test(test_rule_56_of_a_done_one),
        cmocka_unit_test(test_rule_56_of_a_failed_one),
        cmocka_unit_test(test_taken_over_by_a_loop),
        cmocka_unit_test(test_taken_over_by_another),
        cmocka_unit_test(test_taken_over_from_a_loop),
        cmocka_unit_test(test_the_same_one_twice),
        cmocka_unit_test(test_rule_28_an_error_of_an_owned_one),
        cmocka_unit_test(test_rule_57_null),
        cmocka_unit_test(test_rule_57_one_that_executes),
        cmocka_unit_test(test_eight_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
