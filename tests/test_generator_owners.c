/* Who frees a generator that was handed over: once, and not under others. Stacks that are given back are used again,
 * last first, which shows what was given back. */
#define _GNU_SOURCE
#include "generators.h"

enum { MOST = 3 };

static CO_GENERATOR(items, long, (long, count), (int, error)) {
    for (long i = 0; i < count; i++)
        CO_EMIT(i);
    if (error != 0)
        CO_FAIL(error);
    CO_RETURN(value_of(9));
}

/* The next stacks that creation gets, as a sum, so that their order does not matter. */
static uintptr_t next_stacks(int count) {
    uintptr_t sum = 0;
    CO_GEN(long) made[MOST];
    for (int i = 0; i < count; i++) {
        made[i] = items(0, 0);
        sum += (uintptr_t)(const void *)made[i];
    }
    for (int i = 0; i < count; i++)
        assert_destroyed(made[i]);
    return sum;
}

/* Whether stacks are used again in this build. */
static bool reuses(void) { return next_stacks(MOST) == next_stacks(MOST); }

static CO_GENERATOR(own, long, (CO_GEN(long), generator)) { CO_EMIT(CO_FROM(generator, NULL)); }

static CO_GENERATOR(borrow, long, (CO_GEN(long), generator)) {
    void *result = NULL;
    CO_EMIT(CO_FROM_BORROWED(generator, &result));
    CO_EMIT((long)number_of(result));
}

/* An owned generator that is not freed: after items, without any, failed at once, with EBUSY too; closed in between. */
static void test_an_owned_one_is_freed(void **state) {
    (void)state;
    static const int errors[] = {0, EIO, EBUSY};
    if (!reuses())
        skip();
    const uintptr_t before = next_stacks(2);
    for (long count = 0; count < 3; count++)
        for (int i = 0; i < 3; i++)
            for (long steps = 1; steps < count + 2; steps++) {
                CO_GEN(long) generator = own(items(count, errors[i]));
                for (long step = 0; step < steps; step++)
                    assert_next(generator, step < count ? step : -errors[i]);
                assert_destroyed(generator);
                assert_true(next_stacks(2) == before);
            }
}

/* One that others have borrowed when its owner ends: the last of them frees it. */
static void test_the_last_borrower_frees(void **state) {
    (void)state;
    if (!reuses())
        skip();
    const uintptr_t before = next_stacks(3);
    for (int how = 0; how < 3; how++) {
        CO_GEN(long) inner = items(2, 0);
        CO_GEN(long) borrower = borrow(inner);
        CO_GEN(long) owner = own(inner);
        assert_next(borrower, 0);
        if (how > 0)
            assert_next(owner, 1);
        if (how == 2)
            assert_next(owner, 0);
        if (how == 0)
            assert_next(borrower, 1);
        if (how == 0)
            assert_next(owner, 0); /* there is no item, so it never waits */
        assert_destroyed(owner);
        assert_done(inner);
        assert_destroyed(borrower);
        assert_true(next_stacks(3) == before);
    }
}

static CO_GENERATOR(own_then_borrow, long, (CO_GEN(long), owned), (CO_GEN(long), borrowed)) {
    CO_FROM(owned, NULL);
    CO_FROM_BORROWED(borrowed, NULL);
}

/* A borrowed one that is freed because the one before it was owned. */
static void test_a_borrowed_one_is_not_freed(void **state) {
    (void)state;
    CO_GEN(long) borrowed = items(2, 0);
    CO_GEN(long) generator = own_then_borrow(items(2, 0), borrowed);
    for (long i = 0; i < 4; i++)
        assert_next(generator, i % 2);
    assert_none(generator, 0);
    assert_destroyed(generator);
    CO_GEN(long) others[MOST];
    for (int i = 0; i < MOST; i++) {
        others[i] = items(1, 0);
        assert_ptr_not_equal(others[i], borrowed);
    }
    assert_done(borrowed);
    assert_destroyed(borrowed);
    for (int i = 0; i < MOST; i++)
        assert_destroyed(others[i]);
}

static CO_GEN(long) busy;

static CO_GENERATOR(own_who_waits, long) {
    CO_EMIT(1);
    CO_EMIT(CO_FROM(busy, NULL));
}

/* A refused handing over that takes possession: who was refused, and is waited for by others, stays its owner's. */
static void test_a_refused_one_is_not_owned(void **state) {
    (void)state;
    CO_GEN(long) inner = own_who_waits();
    busy = borrow(inner);
    CO_GEN(long) outer = borrow(busy);
    assert_next(outer, 1);
    assert_next(outer, -EBUSY);
    assert_next(outer, 0);
    assert_next(outer, 0);
    assert_next(outer, 0);
    assert_next(outer, 0);
    assert_none(outer, 0);
    CO_GEN(long) other = items(1, 0);
    assert_ptr_not_equal(other, busy);
    assert_destroyed(other);
    assert_destroyed(outer);
    assert_done(busy);
    assert_destroyed(busy);
    assert_destroyed(inner);
}

/* An untold result of one that has ended for somebody else, beside an error: what failed has no result. */
static void test_no_result_beside_an_error(void **state) {
    (void)state;
    CO_GEN(long) inner = items(1, 0);
    CO_GEN(long) generator = borrow(inner);
    assert_next(generator, 0);
    assert_none(inner, 0);
    assert_throw(generator, EIO, -EIO);
    assert_next(generator, 0);
    assert_int_equal(number_of(CO_GEN_RESULT(inner)), 9);
    assert_destroyed(generator);
    assert_destroyed(inner);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_owned_one_is_freed),       cmocka_unit_test(test_the_last_borrower_frees),
        cmocka_unit_test(test_a_borrowed_one_is_not_freed), cmocka_unit_test(test_a_refused_one_is_not_owned),
        cmocka_unit_test(test_no_result_beside_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
