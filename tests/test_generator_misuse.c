/* Generators in hands that use them wrongly: NULL, the wrong place, the wrong time. Nothing changes, and an error says
 * why. */
#define _GNU_SOURCE
#include "generators.h"

static CO_GENERATOR(count_to, long, (long, last)) {
    for (long i = 1; i <= last; i++)
        CO_EMIT(i);
}

/* A call that reads what NULL points to. */
static void test_null(void **state) {
    (void)state;
    long item = NO_ITEM;
    CO_GEN(long) nothing = NULL;
    static const int errors[] = {0, ENOMEM, EAGAIN, EPERM}, expected[] = {EINVAL, ENOMEM, EAGAIN, EINVAL};
    for (int i = 0; i < 4; i++) { /* a step tells why there is none, as a loop does */
        errno = errors[i];
        assert_int_equal(CO_NEXT(nothing, &item), -expected[i]);
        assert_int_equal(CO_SEND(nothing, NULL, &item), -expected[i]);
        assert_int_equal(CO_SEND(nothing, value_of(1), &item), -expected[i]);
        assert_int_equal(CO_THROW(nothing, EIO, &item), -expected[i]);
        assert_int_equal(CO_THROW(nothing, -EIO, &item), -expected[i]);
        int status = 0;
        CO_FOR_STATUS(long, x, nothing, status)
            FAIL("%ld", x);
        assert_int_equal(status, -expected[i]);
        assert_int_equal(item, NO_ITEM);
    }
    errno = 0;
    assert_int_equal(CO_GEN_CLOSE(nothing), -EINVAL);
    assert_int_equal(CO_GEN_DESTROY(nothing), 0);
    assert_null(CO_GEN_RESULT(nothing));
    assert_int_equal(CO_GEN_STATE(nothing), CO_GEN_DONE);
    assert_int_equal(co_gen_next(NULL), -EINVAL);
    assert_null(co_gen_item(NULL));
}

/* ---- Emitting where it cannot be ------------------------------------------------------------------------------ */

static void assert_emits_nothing(CO_GEN(long) generator) {
    errno = 0;
    void *sent = CO_EMIT_TO(generator, -77);
    assert_null(sent);
    assert_int_equal(errno, EPERM);
    assert_int_equal(CO_FROM_BORROWED_TO(generator, generator, NULL), generator == NULL ? -EINVAL : -EPERM);
}

static void *emit_in_a_coroutine(void *generator) {
    assert_emits_nothing((CO_GEN(long))generator);
    return NULL;
}

static CO_GENERATOR(emit_for_another, long, (CO_GEN(long), generator)) {
    assert_emits_nothing(generator);
    CO_EMIT(1);
    co_t *co = co_create(emit_in_a_coroutine, CO_GEN_UNTYPED(CO_SELF));
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
    CO_EMIT(2);
}

static void emit_large_later(CO_GEN(long) self) { CO_EMIT_TO(self, 5); }
static CO_GENERATOR(emit_by_slot, long) { emit_large_later(CO_SELF); }

/* An item by who is not the running generator: from outside, from another one, from a coroutine that it resumes. */
static void test_emit_to_who_does_not_run(void **state) {
    (void)state;
    CO_GEN(long) nothing = NULL;
    CO_GEN(long) generator = emit_by_slot();
    assert_emits_nothing(nothing);
    assert_emits_nothing(generator);
    CO_GEN(long) other = emit_for_another(generator);
    assert_next(other, 1);
    assert_next(generator, 5);
    assert_emits_nothing(generator);
    assert_next(other, 2);
    assert_none(other, 0);
    assert_none(generator, 0);
    assert_emits_nothing(generator);
    assert_destroyed(other);
    assert_destroyed(generator);
}

struct large {
    long numbers[4];
};

static void emit_large(CO_GEN(struct large) self, long number) {
    struct large item = {{number, number, number, number}};
    CO_EMIT_TO(self, item);
}

static CO_GENERATOR(large_items, struct large) { emit_large(CO_SELF, 1); }

/* A refused item that is written over the current one. */
static void test_a_refused_item_leaves_the_current_one(void **state) {
    (void)state;
    CO_GEN(struct large) generator = large_items();
    assert_int_equal(co_gen_next(CO_GEN_UNTYPED(generator)), 1);
    emit_large(generator, 2);
    assert_int_equal(((const struct large *)co_gen_item(CO_GEN_UNTYPED(generator)))->numbers[3], 1);
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
}

/* ---- Handing over what cannot be ------------------------------------------------------------------------------ */

static CO_GENERATOR(hand_over, long, (CO_GEN(long), generator), (int, error)) {
    void *result = UNTOUCHED;
    errno = error;
    CO_EMIT(CO_FROM(generator, &result));
    CO_EMIT(result == NULL);
    CO_EMIT(7);
}

/* Handing over to nobody, and why there is nobody. */
static void test_from_null(void **state) {
    (void)state;
    static const int errors[] = {0, ENOMEM, EAGAIN, EPERM}, expected[] = {EINVAL, ENOMEM, EAGAIN, EINVAL};
    for (int i = 0; i < 4; i++) {
        CO_GEN(long) generator = hand_over(NULL, errors[i]);
        assert_next(generator, -expected[i]);
        assert_next(generator, 1);
        assert_next(generator, 7);
        assert_none(generator, 0);
        assert_destroyed(generator);
    }
}

static CO_GENERATOR(hand_over_to_itself, long) {
    CO_EMIT(CO_FROM(CO_SELF, NULL));
    CO_EMIT(CO_FROM_BORROWED(CO_SELF, NULL));
}

/* Handing over to itself that hangs, or destroys who does it. */
static void test_from_itself(void **state) {
    (void)state;
    CO_GEN(long) generator = hand_over_to_itself();
    assert_next(generator, -EBUSY);
    assert_next(generator, -EBUSY);
    assert_none(generator, 0);
    assert_destroyed(generator);
}

static void hand_over_for(CO_GEN(long) generator) { (void)CO_FROM_BORROWED_TO(generator, generator, NULL); }

/* Handing over outside of the one that does: what would have been handed over is unharmed and still its owner's. */
static void test_from_outside(void **state) {
    (void)state;
    CO_GEN(long) generator = count_to(2);
    CO_GEN(long) other = count_to(3);
    assert_int_equal(CO_FROM_TO(generator, other, NULL), -EPERM);
    assert_next(generator, 1);
    assert_int_equal(CO_FROM_TO(generator, other, NULL), -EPERM);
    hand_over_for(generator);
    assert_int_equal(CO_GEN_STATE(other), CO_GEN_FRESH);
    assert_next(generator, 2);
    assert_destroyed(generator);
    assert_destroyed(other);
}

/* ---- Ending what is in use ------------------------------------------------------------------------------------ */

static CO_GEN(long) waiting;

static CO_GENERATOR(end_who_waits, long) {
    long item = NO_ITEM;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(CO_GEN_STATE(waiting), CO_GEN_EXECUTING);
        assert_int_equal(CO_NEXT(waiting, &item), -EBUSY);
        assert_int_equal(CO_SEND(waiting, value_of(i), &item), -EBUSY);
        assert_int_equal(CO_THROW(waiting, EIO, &item), -EBUSY);
        assert_int_equal(CO_GEN_CLOSE(waiting), -EBUSY);
        assert_int_equal(CO_GEN_DESTROY(waiting), -EBUSY);
        CO_EMIT(i);
    }
}

static CO_GENERATOR(borrow, long, (CO_GEN(long), generator)) {
    CO_EMIT(CO_FROM_BORROWED(generator, NULL));
    CO_EMIT(8);
}

/* An inner generator that steps, closes or destroys the outer one that waits for it. */
static void test_ending_who_waits_from_inside(void **state) {
    (void)state;
    CO_GEN(long) inner = end_who_waits();
    CO_GEN(long) middle = borrow(inner);
    waiting = borrow(middle);
    for (int i = 0; i < 3; i++)
        assert_next(waiting, i);
    for (int i = 0; i < 2; i++) {
        assert_next(waiting, 0);
        assert_next(waiting, 8);
    }
    assert_none(waiting, 0);
    assert_destroyed(waiting);
    assert_destroyed(middle);
    assert_destroyed(inner);
}

/* A generator that is freed while another waits for it. */
static void test_destroying_what_is_waited_for(void **state) {
    (void)state;
    CO_GEN(long) inner = count_to(3);
    CO_GEN(long) outer = borrow(inner);
    assert_next(outer, 1);
    assert_int_equal(CO_GEN_DESTROY(inner), -EBUSY);
    assert_next(outer, 2);
    assert_int_equal(CO_GEN_CLOSE(inner), 0);
    assert_int_equal(CO_GEN_DESTROY(inner), -EBUSY);
    assert_next(outer, 0);
    assert_destroyed(inner);
    assert_next(outer, 8);
    assert_none(outer, 0);
    assert_destroyed(outer);
}

/* What is waited for is let go when who waits is closed, as when it goes on. */
static void test_destroying_after_who_waited(void **state) {
    (void)state;
    for (int destroyed = 0; destroyed < 2; destroyed++) {
        CO_GEN(long) inner = count_to(3);
        CO_GEN(long) outer = borrow(inner);
        assert_next(outer, 1);
        assert_int_equal(destroyed ? CO_GEN_DESTROY(outer) : CO_GEN_CLOSE(outer), 0);
        assert_destroyed(inner);
        if (!destroyed)
            assert_destroyed(outer);
    }
}

static void destroy_argument(void *generator) { assert_int_equal(CO_GEN_DESTROY((CO_GEN(long))generator), -EBUSY); }

static CO_GENERATOR(hand_over_in_its_cleanup, long, (CO_GEN(long), borrowed)) {
    co_defer(destroy_argument, CO_GEN_UNTYPED(CO_SELF));
    CO_EMIT(1);
    CO_EMIT(CO_FROM_BORROWED(borrowed, NULL));
}

/* A cleanup that destroys its own generator. */
static void test_destroying_itself_in_cleanup(void **state) {
    (void)state;
    for (int steps = 1; steps < 3; steps++) {
        CO_GEN(long) inner = count_to(3);
        CO_GEN(long) generator = hand_over_in_its_cleanup(inner);
        for (int i = 0; i < steps; i++)
            assert_next(generator, 1);
        assert_destroyed(generator);
        assert_destroyed(inner);
    }
}

static void hand_over_argument(void *arguments) {
    CO_GEN(long) *generators = (CO_GEN(long) *)arguments;
    assert_int_equal(CO_FROM_BORROWED_TO(generators[0], generators[1], NULL), -EPERM);
}

static CO_GENERATOR(hand_over_while_ending, long, (CO_GEN(long) *, generators)) {
    co_defer(hand_over_argument, generators);
    CO_EMIT(0);
}

/* A cleanup that hands over: what it has handed to is no longer waited for, and still its owner's. */
static void test_handing_over_while_ending(void **state) {
    (void)state;
    CO_GEN(long) generators[2] = {NULL, count_to(3)};
    generators[0] = hand_over_while_ending(generators);
    assert_next(generators[0], 0);
    assert_int_equal(CO_GEN_DESTROY(generators[0]), -EPERM);
    assert_next(generators[1], 2);
    assert_destroyed(generators[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_emit_to_who_does_not_run),
        cmocka_unit_test(test_a_refused_item_leaves_the_current_one),
        cmocka_unit_test(test_from_null),
        cmocka_unit_test(test_from_itself),
        cmocka_unit_test(test_from_outside),
        cmocka_unit_test(test_ending_who_waits_from_inside),
        cmocka_unit_test(test_destroying_what_is_waited_for),
        cmocka_unit_test(test_destroying_after_who_waited),
        cmocka_unit_test(test_destroying_itself_in_cleanup),
        cmocka_unit_test(test_handing_over_while_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
