/* The generator contract, rules 22 to 34 and 56: close, destroy, and cleanup. */
#define _GNU_SOURCE
#include "generators.h"

static int runs;

/* Registers cleanup "abc", a third of it before each item, and emits three items. */
static CO_GENERATOR(clean_up, long) {
    static const char letters[] = "abc";
    runs++;
    for (long i = 0; i < 3; i++) {
        assert_int_equal(co_defer(trace_letter, LETTER(letters + i)), 0);
        CO_EMIT(i);
    }
}

static CO_GEN(long) stepped(CO_GEN(long) generator, long items) {
    trace_clear();
    for (long i = 0; i < items; i++)
        assert_next(generator, i);
    return generator;
}

/* Cleanup that does not run, or runs again at the end of what is closed. */
static void test_rule_22_cleanup_runs_exactly_once(void **state) {
    (void)state;
    CO_GEN(long) generator = stepped(clean_up(), 2);
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_trace("ba");
    assert_done(generator);
    assert_destroyed(generator);
    assert_trace("ba");
    generator = stepped(clean_up(), 3);
    assert_none(generator, 0);
    assert_trace("cba");
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_destroyed(generator);
    assert_trace("cba");
}

/* A second close that is an error, or that runs something. */
static void test_rule_23_closing_twice(void **state) {
    (void)state;
    CO_GEN(long) generator = stepped(clean_up(), 1);
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_trace("a");
    assert_done(generator);
    assert_destroyed(generator);
}

/* A body that close enters. */
static void test_rule_24_closing_a_fresh_one(void **state) {
    (void)state;
    runs = 0;
    CO_GEN(long) generator = stepped(clean_up(), 0);
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_done(generator);
    assert_destroyed(generator);
    assert_int_equal(runs, 0);
    assert_trace("");
}

static CO_GENERATOR(fail_at_once, long) { CO_FAIL(EIO); }

/* Cleanup or an error told again after the end. */
static void test_rule_25_closing_a_done_one(void **state) {
    (void)state;
    CO_GEN(long) generator = stepped(clean_up(), 3);
    assert_none(generator, 0);
    trace_clear();
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_trace("");
    assert_destroyed(generator);
    generator = fail_at_once();
    assert_none(generator, -EIO);
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_destroyed(generator);
}

static CO_GENERATOR(one_item, long) { CO_EMIT(8); }

/* Deferred calls, whose argument is the generator. */
static void emit_in_cleanup(void *self) {
    trace_add('e');
    void *sent = CO_EMIT_TO((CO_GEN(long))self, 9);
    assert_null(sent);
    assert_int_equal(co_error(), EPERM);
    trace_add('E');
}

static void hand_over_in_cleanup(void *self) {
    trace_add('h');
    assert_int_equal(CO_FROM_TO((CO_GEN(long))self, one_item(), NULL), -EPERM);
    trace_add('H');
}

static CO_GENERATOR(emit_in_deferred, long, (int, hands_over)) {
    co_defer(trace_letter, LETTER("a"));
    co_defer(hands_over ? hand_over_in_cleanup : emit_in_cleanup, CO_GEN_UNTYPED(CO_SELF));
    co_defer(trace_letter, LETTER("b"));
    CO_EMIT(0);
}

/* A yield in cleanup that suspends it, that ends it, or that nobody hears of; handing over is a yield too. */
static void test_rules_26_27_a_cleanup_that_yields(void **state) {
    (void)state;
    for (int hands_over = 0; hands_over < 2; hands_over++)
        for (int how = 0; how < 3; how++) {
            CO_GEN(long) generator = stepped(emit_in_deferred(hands_over), 1);
            if (how == 0)
                assert_int_equal(CO_GEN_CLOSE(generator), -EPERM);
            if (how == 1)
                assert_none(generator, -EPERM);
            if (how < 2)
                assert_done(generator);
            assert_int_equal(CO_GEN_DESTROY(generator), how == 2 ? -EPERM : 0);
            assert_trace(hands_over ? "bhHa" : "beEa");
        }
}

static void fail_in_cleanup(void *error) { (void)co_fail((int)number_of(error)); }

static CO_GENERATOR(fail_in_deferred, long, (int, error)) {
    co_defer(trace_letter, LETTER("a"));
    co_defer(fail_in_cleanup, value_of(ENOTTY));
    co_defer(fail_in_cleanup, value_of(error));
    CO_EMIT(0);
}

/* An error of cleanup that is lost, told twice, or that keeps other cleanup from running. */
static void test_rule_28_an_error_of_cleanup_reaches_the_closer(void **state) {
    (void)state;
    CO_GEN(long) generator = stepped(fail_in_deferred(EIO), 1);
    assert_int_equal(CO_GEN_CLOSE(generator), -EIO);
    assert_trace("a");
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_destroyed(generator);
    generator = stepped(fail_in_deferred(EIO), 1);
    assert_none(generator, -EIO);
    assert_destroyed(generator);
    assert_int_equal(CO_GEN_DESTROY(stepped(fail_in_deferred(EIO), 1)), -EIO);
    assert_int_equal(CO_GEN_DESTROY(stepped(fail_in_deferred(EBUSY), 1)), -EINVAL);
    assert_trace("a");
}

/* Cleanup that only close runs. */
static void test_rule_32_destroying_a_suspended_one(void **state) {
    (void)state;
    assert_destroyed(stepped(clean_up(), 2));
    assert_trace("ba");
}

/* A body that is entered by its destruction. */
static void test_rule_33_destroying_a_fresh_one(void **state) {
    (void)state;
    runs = 0;
    assert_destroyed(stepped(clean_up(), 0));
    assert_int_equal(runs, 0);
    assert_trace("");
}

/* First in, first out. */
static void test_rule_34_cleanup_is_last_in_first_out(void **state) {
    (void)state;
    assert_destroyed(stepped(clean_up(), 3));
    assert_trace("cba");
}

static CO_GENERATOR(return_late, long) {
    CO_EMIT(0);
    CO_RETURN(value_of(3));
}

/* A result of a body that was closed, and has not returned. */
static void test_closed_without_a_result(void **state) {
    (void)state;
    CO_GEN(long) generator = stepped(return_late(), 1);
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_null(CO_GEN_RESULT(generator));
    assert_destroyed(generator);
}

static CO_GENERATOR(own_argument, long, (long *, owned)) {
    co_defer(free, owned);
    CO_EMIT(*owned);
    CO_EMIT(*owned + 1);
}

/* What the body owns, kept until the generator is destroyed or for good: a leak checker looks at this one. */
static void test_rule_56_close_releases_what_the_body_owns(void **state) {
    (void)state;
    for (int items = 1; items < 3; items++) {
        long *owned = (long *)malloc(sizeof *owned);
        *owned = 0;
        CO_GEN(long) generator = stepped(own_argument(owned), items);
        assert_int_equal(CO_GEN_CLOSE(generator), 0);
        assert_destroyed(generator);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_22_cleanup_runs_exactly_once),
        cmocka_unit_test(test_rule_23_closing_twice),
        cmocka_unit_test(test_rule_24_closing_a_fresh_one),
        cmocka_unit_test(test_rule_25_closing_a_done_one),
        cmocka_unit_test(test_rules_26_27_a_cleanup_that_yields),
        cmocka_unit_test(test_rule_28_an_error_of_cleanup_reaches_the_closer),
        cmocka_unit_test(test_rule_32_destroying_a_suspended_one),
        cmocka_unit_test(test_rule_33_destroying_a_fresh_one),
        cmocka_unit_test(test_rule_34_cleanup_is_last_in_first_out),
        cmocka_unit_test(test_closed_without_a_result),
        cmocka_unit_test(test_rule_56_close_releases_what_the_body_owns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
