/* The generator contract, rules 1 to 15: next, send, the end, and errors. */
#define _GNU_SOURCE
#include "generators.h"

static int runs;

static CO_GENERATOR(count_to, long, (long, count)) {
    runs++;
    for (long i = 1; i <= count; i++)
        CO_EMIT(i);
}

/* A body that is entered by its creation, or by its destruction. */
static void test_rule_1_creating_runs_nothing(void **state) {
    (void)state;
    runs = 0;
    CO_GEN(long) generator = count_to(3);
    assert_non_null(generator);
    assert_int_equal(CO_GEN_STATE(generator), CO_GEN_FRESH);
    assert_null(co_gen_item(CO_GEN_UNTYPED(generator)));
    assert_destroyed(generator);
    assert_int_equal(runs, 0);
}

/* Items lost, doubled or out of order; a body that is entered twice. */
static void test_rule_2_next_yields_in_order(void **state) {
    (void)state;
    runs = 0;
    CO_GEN(long) generator = count_to(1000);
    for (long i = 1; i <= 1000; i++)
        assert_next(generator, i);
    assert_none(generator, 0);
    assert_int_equal(runs, 1);
    assert_destroyed(generator);
}

/* A result that is left over from an item, and an end that is an item. */
static void test_rule_3_falling_off_the_end(void **state) {
    (void)state;
    CO_GEN(long) generator = count_to(1);
    assert_next(generator, 1);
    assert_null(CO_GEN_RESULT(generator));
    assert_none(generator, 0);
    assert_null(CO_GEN_RESULT(generator));
    assert_done(generator);
    assert_destroyed(generator);
}

static CO_GENERATOR(return_after, void *, (int, items), (void *, result)) {
    for (int i = 0; i < items; i++)
        CO_EMIT(NULL);
    CO_RETURN(result);
}

/* A generator that starts again, or tells its result twice or too early. */
static void test_rule_4_done_stays_done(void **state) {
    (void)state;
    void *item = UNTOUCHED;
    CO_GEN(void *) generator = return_after(1, value_of(5));
    assert_int_equal(CO_NEXT(generator, &item), 1);
    assert_null(CO_GEN_RESULT(generator));
    item = UNTOUCHED;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(CO_NEXT(generator, &item), 0);
        assert_ptr_equal(item, UNTOUCHED);
        assert_int_equal(CO_GEN_STATE(generator), CO_GEN_DONE);
    }
    assert_int_equal(number_of(CO_GEN_RESULT(generator)), 5);
    assert_null(CO_GEN_RESULT(generator));
    assert_int_equal(CO_NEXT(generator, &item), 0);
    assert_null(CO_GEN_RESULT(generator));
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
}

/* A result that does not arrive. */
static void test_rule_5_return_with_a_value(void **state) {
    (void)state;
    void *item = UNTOUCHED;
    CO_GEN(void *) generator = return_after(3, value_of(7));
    for (int i = 0; i < 3; i++)
        assert_int_equal(CO_NEXT(generator, &item), 1);
    assert_int_equal(CO_NEXT(generator, &item), 0);
    assert_int_equal(number_of(CO_GEN_RESULT(generator)), 7);
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
}

/* A first step that takes for granted that there is an item. */
static void test_rule_6_return_before_any_yield(void **state) {
    (void)state;
    void *item = UNTOUCHED;
    CO_GEN(void *) generator = return_after(0, value_of(7));
    assert_int_equal(CO_NEXT(generator, &item), 0);
    assert_ptr_equal(item, UNTOUCHED);
    assert_int_equal(CO_GEN_STATE(generator), CO_GEN_DONE);
    assert_int_equal(number_of(CO_GEN_RESULT(generator)), 7);
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
}

/* An item of zeros taken for the end. */
static void test_rule_7_a_yielded_null_is_not_the_end(void **state) {
    (void)state;
    CO_GEN(void *) generator = return_after(3, NULL);
    for (int i = 0; i < 3; i++) {
        void *item = UNTOUCHED;
        assert_int_equal(CO_NEXT(generator, &item), 1);
        assert_null(item);
        assert_int_equal(CO_GEN_STATE(generator), CO_GEN_SUSPENDED);
        assert_non_null(co_gen_item(CO_GEN_UNTYPED(generator)));
    }
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
}

/* Emits what it is sent; 100 first. -1 ends it. */
static CO_GENERATOR(echo, long) {
    void *sent = CO_EMIT(100);
    while (sent != value_of(-1)) {
        assert_int_equal(co_error(), 0);
        sent = CO_EMIT((long)number_of(sent));
    }
    CO_RETURN(value_of(1));
}

/* A value that arrives late, early, or at another yield. */
static void test_rule_8_send(void **state) {
    (void)state;
    CO_GEN(long) generator = echo();
    assert_next(generator, 100);
    for (long i = 1; i < 10; i++)
        assert_send(generator, i, i);
    long item = NO_ITEM;
    assert_int_equal(CO_SEND(generator, value_of(-1), &item), 0);
    assert_int_equal(item, NO_ITEM);
    assert_int_equal(number_of(CO_GEN_RESULT(generator)), 1);
    assert_destroyed(generator);
}

/* A next that sends what was sent before. */
static void test_rule_9_next_sends_null(void **state) {
    (void)state;
    CO_GEN(long) generator = echo();
    assert_next(generator, 100);
    assert_send(generator, 5, 5);
    assert_next(generator, 0);
    assert_send(generator, 6, 6);
    assert_send(generator, 0, 0);
    assert_destroyed(generator);
}

/* A first value that is dropped, or that starts the body. */
static void test_rule_10_send_to_a_fresh_generator(void **state) {
    (void)state;
    long item = NO_ITEM;
    runs = 0;
    CO_GEN(long) generator = count_to(2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(CO_SEND(generator, value_of(1), &item), -EINVAL);
        assert_int_equal(item, NO_ITEM);
        assert_int_equal(CO_GEN_STATE(generator), CO_GEN_FRESH);
        assert_int_equal(runs, 0);
    }
    assert_next(generator, 1);
    assert_destroyed(generator);
}

/* A NULL that counts as a value. */
static void test_rule_11_sending_null_starts(void **state) {
    (void)state;
    CO_GEN(long) generator = count_to(2);
    assert_send(generator, 0, 1);
    assert_send(generator, 0, 2);
    assert_destroyed(generator);
}

/* A value for nobody that is an error, or that runs the body again. */
static void test_rule_12_send_after_the_end(void **state) {
    (void)state;
    long item = NO_ITEM;
    CO_GEN(long) generator = count_to(0);
    assert_none(generator, 0);
    assert_int_equal(CO_SEND(generator, value_of(1), &item), 0);
    assert_int_equal(CO_SEND(generator, NULL, &item), 0);
    assert_int_equal(item, NO_ITEM);
    assert_destroyed(generator);
}

static void assert_busy(CO_GEN(long) generator) {
    long item = NO_ITEM;
    assert_int_equal(CO_GEN_STATE(generator), CO_GEN_EXECUTING);
    assert_int_equal(CO_NEXT(generator, &item), -EBUSY);
    assert_int_equal(CO_SEND(generator, NULL, &item), -EBUSY);
    assert_int_equal(CO_SEND(generator, value_of(3), &item), -EBUSY);
    assert_int_equal(CO_THROW(generator, EIO, &item), -EBUSY);
    assert_int_equal(CO_GEN_CLOSE(generator), -EBUSY);
    assert_int_equal(CO_GEN_DESTROY(generator), -EBUSY);
    assert_null(CO_GEN_RESULT(generator));
    assert_int_equal(item, NO_ITEM);
    assert_int_equal(CO_GEN_STATE(generator), CO_GEN_EXECUTING);
}

static void assert_argument_busy(void *generator) { assert_busy((CO_GEN(long))generator); }

static void *assert_busy_in_a_coroutine(void *generator) {
    assert_argument_busy(generator);
    return NULL;
}

static CO_GENERATOR(step_itself, long) {
    assert_int_equal(co_defer(assert_argument_busy, CO_GEN_UNTYPED(CO_SELF)), 0);
    assert_busy(CO_SELF);
    CO_EMIT(1);
    co_t *co = co_create(assert_busy_in_a_coroutine, CO_GEN_UNTYPED(CO_SELF));
    assert_int_equal(co_resume(co, NULL, NULL), 0);
    assert_int_equal(co_destroy(co), 0);
    assert_busy(CO_SELF);
    CO_EMIT(2);
}

/* One that is harmed by being stepped from inside: from its body, a coroutine that this resumes, a deferred call. */
static void test_rule_13_executing_is_busy(void **state) {
    (void)state;
    for (int ends = 0; ends < 2; ends++) {
        CO_GEN(long) generator = step_itself();
        assert_next(generator, 1);
        assert_next(generator, 2);
        if (ends)
            assert_none(generator, 0);
        assert_int_equal(CO_GEN_CLOSE(generator), 0);
        assert_done(generator);
        assert_destroyed(generator);
    }
}

static CO_GENERATOR(fail_after, long, (int, items), (int, error)) {
    for (int i = 0; i < items; i++)
        CO_EMIT(i);
    CO_FAIL(error);
}

/* An error that is lost, or that comes too early; EBUSY and ESRCH, which stepping says itself, are errors like any. */
static void test_rule_14_an_error_of_the_body_arrives(void **state) {
    (void)state;
    static const int errors[] = {EIO, EBUSY, ESRCH, EINVAL, INT32_MAX};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        for (int items = 0; items < 3; items++) {
            CO_GEN(long) generator = fail_after(items, errors[i]);
            for (int item = 0; item < items; item++)
                assert_next(generator, item);
            assert_none(generator, -errors[i]);
            assert_done(generator);
            assert_destroyed(generator);
        }
}

static CO_GENERATOR(fail_with_a_result, long) {
    (void)co_fail(EIO);
    CO_RETURN(value_of(5));
}

/* An error that is told twice, a result beside it, a generator that goes on. */
static void test_rule_15_after_an_error_it_is_finished(void **state) {
    (void)state;
    CO_GEN(long) generator = fail_with_a_result();
    assert_none(generator, -EIO);
    assert_null(CO_GEN_RESULT(generator));
    assert_done(generator);
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_null(CO_GEN_RESULT(generator));
    assert_destroyed(generator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_1_creating_runs_nothing),
        cmocka_unit_test(test_rule_2_next_yields_in_order),
        cmocka_unit_test(test_rule_3_falling_off_the_end),
        cmocka_unit_test(test_rule_4_done_stays_done),
        cmocka_unit_test(test_rule_5_return_with_a_value),
        cmocka_unit_test(test_rule_6_return_before_any_yield),
        cmocka_unit_test(test_rule_7_a_yielded_null_is_not_the_end),
        cmocka_unit_test(test_rule_8_send),
        cmocka_unit_test(test_rule_9_next_sends_null),
        cmocka_unit_test(test_rule_10_send_to_a_fresh_generator),
        cmocka_unit_test(test_rule_11_sending_null_starts),
        cmocka_unit_test(test_rule_12_send_after_the_end),
        cmocka_unit_test(test_rule_13_executing_is_busy),
        cmocka_unit_test(test_rule_14_an_error_of_the_body_arrives),
        cmocka_unit_test(test_rule_15_after_an_error_it_is_finished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
