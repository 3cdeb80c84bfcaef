/* The generator contract, rules 16 to 21: throw. */
#define _GNU_SOURCE
#include "generators.h"

/* What the pending yield should do with an error. */
enum { PASS_ON, RETURN, REPLACE };

static int runs;

/* Emits 0, then 1000 times the error that has come, plus what was sent; on ENOTRECOVERABLE it ends as `reaction` says.
 */
static CO_GENERATOR(report, long, (int, reaction)) {
    long told = 0;
    runs++;
    assert_int_equal(co_error(), 0);
    for (;;) {
        void *sent = CO_EMIT(told);
        int error = co_error();
        assert_true(error == 0 || sent == NULL);
        if (error == ENOTRECOVERABLE)
            break;
        told = 1000 * error + (long)number_of(sent);
    }
    if (reaction == PASS_ON)
        CO_FAIL(co_error());
    if (reaction == REPLACE)
        CO_FAIL(ENOSPC);
    CO_RETURN(value_of(4));
}

/* An error that is lost, outlives the next yield, or comes together with a value. */
static void test_rule_16_throw_lands_at_the_pending_yield(void **state) {
    (void)state;
    CO_GEN(long) generator = report(RETURN);
    assert_next(generator, 0);
    for (int i = 0; i < 3; i++) {
        assert_throw(generator, EIO, 1000 * EIO);
        assert_next(generator, 0);
        assert_send(generator, 7, 7);
        assert_throw(generator, ENOSPC, 1000 * ENOSPC);
        assert_throw(generator, EIO, 1000 * EIO);
        assert_int_equal(co_error(), 0);
    }
    assert_destroyed(generator);
}

/* A body that is entered by an error, or an error that waits for the first step. */
static void test_rule_17_throw_into_a_fresh_one(void **state) {
    (void)state;
    long item = NO_ITEM;
    runs = 0;
    CO_GEN(long) generator = report(RETURN);
    assert_int_equal(CO_THROW(generator, EIO, &item), -EIO);
    assert_int_equal(item, NO_ITEM);
    assert_done(generator);
    assert_int_equal(runs, 0);
    assert_int_equal(CO_GEN_CLOSE(generator), 0);
    assert_destroyed(generator);
}

/* An error that gets lost because there is nobody to handle it; one that the body had failed with, told again. */
static void test_rule_18_throw_into_a_done_one(void **state) {
    (void)state;
    long item = NO_ITEM;
    for (int how = 0; how < 3; how++) {
        CO_GEN(long) generator = report(how == 0 ? RETURN : REPLACE);
        if (how < 2) {
            assert_next(generator, 0);
            assert_int_equal(CO_THROW(generator, ENOTRECOVERABLE, &item), how == 0 ? 0 : -ENOSPC);
        } else {
            assert_int_equal(CO_GEN_CLOSE(generator), 0);
        }
        for (int i = 0; i < 2; i++)
            assert_int_equal(CO_THROW(generator, EIO, &item), -EIO);
        assert_int_equal(item, NO_ITEM);
        assert_done(generator);
        assert_destroyed(generator);
    }
}

/* Throws ENOTRECOVERABLE into a generator that has emitted. */
static CO_GEN(long) thrown_into(int reaction, int expected) {
    long item = NO_ITEM;
    CO_GEN(long) generator = report(reaction);
    assert_next(generator, 0);
    assert_int_equal(CO_THROW(generator, ENOTRECOVERABLE, &item), expected);
    assert_int_equal(item, NO_ITEM);
    return generator;
}

/* An unhandled error that the thrower does not hear of. */
static void test_rule_19_not_handled(void **state) {
    (void)state;
    CO_GEN(long) generator = thrown_into(PASS_ON, -ENOTRECOVERABLE);
    assert_null(CO_GEN_RESULT(generator));
    assert_done(generator);
    assert_destroyed(generator);
}

/* A handled error that is reported all the same. */
static void test_rule_20_handled_then_returned(void **state) {
    (void)state;
    CO_GEN(long) generator = thrown_into(RETURN, 0);
    assert_int_equal(number_of(CO_GEN_RESULT(generator)), 4);
    assert_done(generator);
    assert_destroyed(generator);
}

/* The thrown error told in place of the one that the body failed with. */
static void test_rule_21_replaced_by_another(void **state) {
    (void)state;
    CO_GEN(long) generator = thrown_into(REPLACE, -ENOSPC);
    assert_null(CO_GEN_RESULT(generator));
    assert_done(generator);
    assert_destroyed(generator);
}

static CO_GENERATOR(throw_into, long, (CO_GEN(long), target)) {
    long item = NO_ITEM;
    CO_EMIT(CO_THROW(target, EIO, &item));
    assert_int_equal(co_error(), ENOSPC);
    CO_EMIT(item);
}

/* One error for all: a generator that sees what was thrown into another, or loses its own by throwing. */
static void test_an_error_belongs_to_one_generator(void **state) {
    (void)state;
    CO_GEN(long) target = report(RETURN);
    CO_GEN(long) thrower = throw_into(target);
    assert_next(target, 0);
    assert_next(thrower, 1);
    assert_throw(thrower, ENOSPC, 1000 * EIO);
    assert_next(target, 0);
    assert_destroyed(thrower);
    assert_destroyed(target);
}

/* An error that is none: misuse, which changes nothing, in every state. */
static void test_throw_of_what_is_no_error(void **state) {
    (void)state;
    long item = NO_ITEM;
    runs = 0;
    CO_GEN(long) generator = report(RETURN);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(CO_THROW(generator, 0, &item), -EINVAL);
        assert_int_equal(CO_THROW(generator, -EIO, &item), -EINVAL);
        assert_int_equal(CO_THROW(generator, INT32_MIN, &item), -EINVAL);
        assert_int_equal(runs, i > 0);
        if (i == 0)
            assert_next(generator, 0);
        if (i == 1)
            assert_int_equal(CO_GEN_CLOSE(generator), 0);
    }
    assert_int_equal(item, NO_ITEM);
    assert_destroyed(generator);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_16_throw_lands_at_the_pending_yield),
        cmocka_unit_test(test_rule_17_throw_into_a_fresh_one),
        cmocka_unit_test(test_rule_18_throw_into_a_done_one),
        cmocka_unit_test(test_rule_19_not_handled),
        cmocka_unit_test(test_rule_20_handled_then_returned),
        cmocka_unit_test(test_rule_21_replaced_by_another),
        cmocka_unit_test(test_an_error_belongs_to_one_generator),
        cmocka_unit_test(test_throw_of_what_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
