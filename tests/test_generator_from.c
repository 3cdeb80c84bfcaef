/* The generator contract, rules 41 to 54: handing over to another generator ("yield from"). */
#define _GNU_SOURCE
#include "generators.h"

/* What the inner generator does with an error that is thrown into it. */
enum { PASS_ON, RETURN, GO_ON };

/* Emits 1, 2, 3; an error is emitted as 1000 times that; what is sent is added. */
static CO_GENERATOR(inner, long, (int, reaction)) {
    co_defer(trace_letter, LETTER("i"));
    for (long i = 1; i <= 3; i++) {
        void *sent = CO_EMIT(i);
        while (sent != NULL || co_error() != 0) {
            int error = co_error();
            if (error != 0 && reaction == PASS_ON)
                CO_FAIL(error);
            if (error != 0 && reaction == RETURN)
                CO_RETURN(value_of(7));
            sent = CO_EMIT(1000 * error + (long)number_of(sent));
        }
    }
    CO_RETURN(value_of(70));
}

/* Hands over; then emits -1, and what the handing over has answered: its status, its result. */
static CO_GENERATOR(outer, long, (CO_GEN(long), generator)) {
    void *result = UNTOUCHED;
    co_defer(trace_letter, LETTER("o"));
    int status = CO_FROM(generator, &result);
    CO_EMIT(-1);
    CO_EMIT(status);
    CO_EMIT((long)number_of(result));
    CO_RETURN(value_of(8));
}

static void assert_outer_goes_on(CO_GEN(long) generator, int status, long result) {
    assert_next(generator, status);
    assert_next(generator, result);
    assert_none(generator, 0);
    assert_int_equal(number_of(CO_GEN_RESULT(generator)), 8);
    assert_destroyed(generator);
}

/* A value that stays with the outer one. */
static void test_rule_41_forwards_next_and_send(void **state) {
    (void)state;
    CO_GEN(long) generator = outer(inner(GO_ON));
    assert_next(generator, 1);
    assert_next(generator, 2);
    assert_send(generator, 55, 55);
    assert_send(generator, 56, 56);
    assert_next(generator, 3);
    assert_next(generator, -1);
    assert_outer_goes_on(generator, 0, 70);
}

/* A result that is lost, or that becomes the outer one's. */
static void test_rule_42_its_value_is_the_result(void **state) {
    (void)state;
    CO_GEN(long) generator = outer(inner(GO_ON));
    trace_clear();
    for (long i = 1; i <= 3; i++)
        assert_next(generator, i);
    assert_trace("");
    assert_next(generator, -1);
    assert_trace("i");
    assert_outer_goes_on(generator, 0, 70);
    assert_trace("io");
}

static CO_GENERATOR(no_items, long, (int, error)) {
    if (error != 0)
        CO_FAIL(error);
    CO_RETURN(value_of(9));
}

/* An empty generator that suspends the outer one, or has no result or error. */
static void test_rule_43_an_inner_one_without_items(void **state) {
    (void)state;
    CO_GEN(long) generator = outer(no_items(0));
    assert_next(generator, -1);
    assert_outer_goes_on(generator, 0, 9);
    generator = outer(no_items(EIO));
    assert_next(generator, -1);
    assert_outer_goes_on(generator, -EIO, 0);
}

/* An error that the outer one gets in place of the inner one. */
static void test_rule_44_throw_is_forwarded(void **state) {
    (void)state;
    CO_GEN(long) generator = outer(inner(GO_ON));
    assert_next(generator, 1);
    assert_throw(generator, EIO, 1000 * EIO);
    assert_next(generator, 2);
    assert_throw(generator, ENOSPC, 1000 * ENOSPC);
    assert_destroyed(generator);
}

/* A handled error that the outer one sees. */
static void test_rule_45_inner_handles_it_and_returns(void **state) {
    (void)state;
    CO_GEN(long) generator = outer(inner(RETURN));
    assert_next(generator, 1);
    assert_throw(generator, EIO, -1);
    assert_outer_goes_on(generator, 0, 7);
}

static CO_GENERATOR(pass_on, long, (CO_GEN(long), generator)) {
    int status = CO_FROM(generator, NULL);
    if (status < 0)
        CO_FAIL(-status);
}

/* An error that goes past the outer one, or that it cannot handle or pass on. */
static void test_rule_46_inner_does_not_handle_it(void **state) {
    (void)state;
    long item = NO_ITEM;
    CO_GEN(long) generator = outer(inner(PASS_ON));
    assert_next(generator, 1);
    assert_throw(generator, EIO, -1);
    assert_outer_goes_on(generator, -EIO, 0);
    generator = pass_on(pass_on(pass_on(inner(PASS_ON))));
    assert_next(generator, 1);
    assert_int_equal(CO_THROW(generator, EIO, &item), -EIO);
    assert_done(generator);
    assert_destroyed(generator);
}

/* Cleanup of the outer one before that of the inner one, or only one of them. */
static void test_rule_47_close_goes_to_the_inner_one_first(void **state) {
    (void)state;
    for (int destroyed = 0; destroyed < 2; destroyed++) {
        CO_GEN(long) generator = outer(outer(inner(GO_ON)));
        trace_clear();
        assert_next(generator, 1);
        if (!destroyed) {
            assert_int_equal(CO_GEN_CLOSE(generator), 0);
            assert_done(generator);
            assert_trace("ioo");
        }
        assert_destroyed(generator);
        assert_trace("ioo");
    }
}

static void fail_in_cleanup(void *error) { (void)co_fail((int)number_of(error)); }

static CO_GENERATOR(fail_in_deferred, long, (int, error)) {
    co_defer(fail_in_cleanup, value_of(error));
    CO_EMIT(1);
}

/* What the outer one does with the error of a close: 0 returns, 1 emits, 2 hands over to one with items, else fails. */
static CO_GENERATOR(see_error_of_close, long, (int, inner_error), (int, reaction)) {
    co_defer(trace_letter, LETTER("o"));
    int status = CO_FROM(fail_in_deferred(inner_error), NULL);
    if (status == -inner_error)
        trace_add('e');
    if (reaction == 1)
        CO_EMIT(2);
    if (reaction == 2)
        CO_FROM(inner(GO_ON), NULL);
    if (reaction > 2)
        CO_FAIL(reaction);
    trace_add('r');
}

/* An error of the inner close that is lost, that ends the outer one, or that does when it has been handled. */
static void test_rule_49_an_error_while_closing_inner(void **state) {
    (void)state;
    static const struct {
        int reaction, status;
        const char *trace;
    } cases[] = {{0, 0, "ero"}, {1, -EPERM, "eo"}, {2, -EPERM, "eio"}, {ENOSPC, -ENOSPC, "eo"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int error = EIO; error != 0; error = error == EIO ? EBUSY : 0) {
            CO_GEN(long) generator = see_error_of_close(error, cases[i].reaction);
            trace_clear();
            assert_next(generator, 1);
            assert_int_equal(CO_GEN_CLOSE(generator), cases[i].status);
            assert_trace(cases[i].trace);
            assert_done(generator);
            assert_destroyed(generator);
        }
    CO_GEN(long) generator = outer(see_error_of_close(EIO, ENOSPC));
    assert_next(generator, 1);
    assert_int_equal(CO_GEN_CLOSE(generator), -EPERM);
    assert_destroyed(generator);
}

static CO_GEN(long) ring[3];

static CO_GENERATOR(next_of_ring, long, (int, which), (int, length), (int, emits)) {
    if (emits)
        CO_EMIT(10 + which);
    int status = CO_FROM_BORROWED(ring[(which + 1) % length], NULL);
    CO_EMIT(status);
    CO_EMIT(20 + which);
}

/* A cycle of one, two or three that hangs, recurses, or harms who takes part. */
static void test_rule_51_a_cycle_is_busy(void **state) {
    (void)state;
    for (int length = 1; length <= 3; length++)
        for (int emits = 0; emits < 2; emits++) {
            for (int i = 0; i < length; i++)
                ring[i] = next_of_ring(i, length, emits);
            for (int i = 0; emits && i < length; i++)
                assert_next(ring[0], 10 + i);
            assert_next(ring[0], -EBUSY);
            assert_next(ring[0], 20 + length - 1);
            for (int i = length - 1; i-- > 0;) {
                assert_next(ring[0], 0);
                assert_next(ring[0], 20 + i);
            }
            assert_none(ring[0], 0);
            for (int i = 0; i < length; i++)
                assert_destroyed(ring[i]);
        }
}

/* A generator that has ended, however: as if it were empty; a result that was not told yet is told. */
static void test_rule_54_a_done_inner_one(void **state) {
    (void)state;
    for (int how = 0; how < 4; how++) {
        CO_GEN(long) done = no_items(how == 1 ? EIO : 0);
        if (how == 2)
            assert_int_equal(CO_GEN_CLOSE(done), 0);
        else
            assert_none(done, how == 1 ? -EIO : 0);
        if (how == 3)
            assert_int_equal(number_of(CO_GEN_RESULT(done)), 9);
        CO_GEN(long) generator = outer(done);
        assert_next(generator, -1);
        assert_outer_goes_on(generator, 0, how == 0 ? 9 : 0);
    }
}

static CO_GENERATOR(one_after_the_other, long, (int, count)) {
    for (int i = 0; i < count; i++) {
        void *result = NULL;
        assert_int_equal(CO_FROM(inner(GO_ON), &result), 0);
        assert_int_equal(number_of(result), 70);
    }
}

/* What is left of a handing over when the next begins; and a generator that has items already, or was begun. */
static void test_one_after_the_other(void **state) {
    (void)state;
    CO_GEN(long) generator = one_after_the_other(20);
    for (long i = 0; i < 60; i++)
        assert_next(generator, i % 3 + 1);
    assert_none(generator, 0);
    assert_destroyed(generator);
    CO_GEN(long) begun = inner(GO_ON);
    assert_next(begun, 1);
    generator = outer(begun);
    assert_next(generator, 2);
    assert_next(generator, 3);
    assert_next(generator, -1);
    assert_outer_goes_on(generator, 0, 70);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rule_41_forwards_next_and_send),
        cmocka_unit_test(test_rule_42_its_value_is_the_result),
        cmocka_unit_test(test_rule_43_an_inner_one_without_items),
        cmocka_unit_test(test_rule_44_throw_is_forwarded),
        cmocka_unit_test(test_rule_45_inner_handles_it_and_returns),
        cmocka_unit_test(test_rule_46_inner_does_not_handle_it),
        cmocka_unit_test(test_rule_47_close_goes_to_the_inner_one_first),
        cmocka_unit_test(test_rule_49_an_error_while_closing_inner),
        cmocka_unit_test(test_rule_51_a_cycle_is_busy),
        cmocka_unit_test(test_rule_54_a_done_inner_one),
        cmocka_unit_test(test_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
