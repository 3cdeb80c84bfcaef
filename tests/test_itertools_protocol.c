/* What a helper answers beside items, and when what it owns ends. */
#define _GNU_SOURCE
#include "itertools_makers.h"

static CO_FOLD(sum, long, long, total, x) { return total + x; }

/* A source that is not destroyed, or twice, wherever its helper is left. */
static void test_broken_off(void **state) {
    (void)state;
    long x = -1;
    FOR_EACH_MAKER(make) for (int steps = 0; steps < 4; steps++) for (int closes = 0; closes < 2; closes++) {
        reset_counts();
        CO_GEN(long) helper = make(counted(9, 0));
        assert_int_equal(CO_GEN_STATE(helper), CO_GEN_FRESH);
        for (long i = 0; i < steps; i++) {
            assert_int_equal(CO_NEXT(helper, &x), 1);
            assert_int_equal(x, i);
            assert_int_equal(CO_GEN_STATE(helper), CO_GEN_SUSPENDED);
        }
        assert_int_equal(cleanups, 0);
        if (closes) {
            assert_int_equal(CO_GEN_CLOSE(helper), 0);
            assert_int_equal(CO_GEN_STATE(helper), CO_GEN_DONE);
            assert_int_equal(cleanups, steps > 0);
            assert_int_equal(CO_NEXT(helper, &x), 0);
            assert_int_equal(CO_GEN_CLOSE(helper), 0);
        }
        assert_int_equal(CO_GEN_DESTROY(helper), 0);
        assert_int_equal(cleanups, steps > 0);
    }
}

/* An error of the source's end that nobody hears of. */
static void test_error_of_a_close(void **state) {
    (void)state;
    long x = -1;
    FOR_EACH_MAKER(make) for (int closes = 0; closes < 2; closes++) {
        reset_counts();
        CO_GEN(long) helper = make(counted(9, 0));
        assert_int_equal(CO_NEXT(helper, &x), 1);
        cleanup_error = EBUSY;
        assert_int_equal(closes ? CO_GEN_CLOSE(helper) : CO_GEN_DESTROY(helper), -EINVAL);
        if (closes)
            assert_int_equal(CO_GEN_DESTROY(helper), 0);
        assert_int_equal(cleanups, 1);
    }
    reset_counts();
    cleanup_error = EIO;
    expect_items(CO_TAKE(counted(9, 0), 2), -EIO, 0, 1);
    expect_items(below(counted(9, 0), 2), -EIO, 0, 1);
    assert_int_equal(cleanups, 2);
}

/* An error that comes twice or never, and a helper that goes on after it. */
static void test_error_in_the_middle(void **state) {
    (void)state;
    FOR_EACH_MAKER(make) for (int error = EIO; error != 0; error = error == EIO ? EBUSY : 0) {
        reset_counts();
        expect_items(make(counted(3, error)), -error, 0, 1, 2);
        assert_int_equal(cleanups, 1);
    }
    /* An error of another source's close comes after it. */
    reset_counts();
    cleanup_error = ENOSPC;
    expect_items(first_of(pairs(co_count(LONG_MAX, 1), counted(9, 0))), -EOVERFLOW, LONG_MAX);
    assert_int_equal(cleanups, 1);
}

/* Sources that have ended before, and none at all. */
static void test_done_and_missing_sources(void **state) {
    (void)state;
    long x = -1;
    reset_counts();
    FOR_EACH_MAKER(make) {
        CO_GEN(long) source = counted(0, 0);
        assert_int_equal(CO_NEXT(source, &x), 0);
        CO_GEN(long) helper = make(source);
        assert_int_equal(CO_NEXT(helper, &x), make == make_chain);
        assert_int_equal(CO_GEN_DESTROY(helper), 0);
        errno = 0;
        assert_null(make(NULL));
        assert_int_equal(errno, EINVAL);
        static const int kept[] = {ENOMEM, EAGAIN};
        for (size_t i = 0; i < 2; i++) {
            errno = kept[i];
            assert_null(make(NULL));
            assert_int_equal(errno, kept[i]);
        }
        errno = 0;
        source = co_range(0, 0, 1); /* a helper that has ended, of which its step must not hear again */
        assert_int_equal(CO_NEXT(source, &x), 0);
        helper = make(source);
        for (int i = 0; i < 2; i++)
            assert_int_equal(CO_NEXT(helper, &x), make == make_chain);
        assert_int_equal(CO_GEN_DESTROY(helper), 0);
    }
    /* The other one, which is there, goes. */
    reset_counts();
    CO_GEN(long) source = counted(2, 0);
    assert_int_equal(CO_NEXT(source, &x), 1);
    assert_null(pairs(NULL, source));
    assert_int_equal(cleanups, 1);
    source = counted(2, 0);
    assert_int_equal(CO_NEXT(source, &x), 1);
    CO_GEN(long) nothing = NULL;
    assert_null(CO_CHAIN(nothing, source, nothing));
    assert_int_equal(cleanups, 2);
    source = counted(2, 0);
    assert_int_equal(CO_NEXT(source, &x), 1);
    errno = 0;
    assert_null(pairs(source, source));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(cleanups, 3);
}

/* A value that is lost silently, and an error that is. */
static void test_send_and_throw(void **state) {
    (void)state;
    long x = -1;
    FOR_EACH_MAKER(make) for (int steps = 0; steps < 3; steps++) {
        reset_counts();
        CO_GEN(long) helper = make(counted(9, 0));
        for (long i = 0; i < steps; i++) {
            assert_int_equal(CO_SEND(helper, NULL, &x), 1);
            assert_int_equal(x, i);
        }
        assert_int_equal(CO_SEND(helper, &x, &x), -EINVAL);
        assert_int_equal(CO_THROW(helper, 0, &x), -EINVAL);
        assert_int_equal(cleanups, 0);
        assert_int_equal(CO_THROW(helper, EPROTO, &x), -EPROTO);
        assert_int_equal(cleanups, steps > 0);
        assert_int_equal(CO_GEN_STATE(helper), CO_GEN_DONE);
        assert_int_equal(CO_THROW(helper, EPIPE, &x), -EPIPE);
        assert_int_equal(CO_NEXT(helper, &x), 0);
        assert_int_equal(CO_SEND(helper, &x, &x), 0);
        assert_null(CO_GEN_RESULT(helper));
        assert_int_equal(CO_GEN_DESTROY(helper), 0);
    }
}

/* A source that has begun before it is handed in, and is not ended with a helper that has not. */
static void test_end_of_a_fresh_helper(void **state) {
    (void)state;
    long x = -1;
    FOR_EACH_MAKER(make) for (int throws = 0; throws < 2; throws++) {
        reset_counts();
        CO_GEN(long) source = counted(9, 0);
        assert_int_equal(CO_NEXT(source, &x), 1);
        CO_GEN(long) helper = make(source);
        assert_int_equal(throws ? CO_THROW(helper, EPROTO, &x) : CO_GEN_CLOSE(helper), throws ? -EPROTO : 0);
        assert_int_equal(cleanups, 1);
        assert_int_equal(CO_GEN_DESTROY(helper), 0);
    }
}

/* ---- Beside coroutines ----------------------------------------------------------------------------------------- */

/* A helper that a generator hands over to, as if it were a coroutine. */
static void test_from(void **state) {
    (void)state;
    long x = -1;
    FOR_EACH_MAKER(make) {
        int status = 1;
        if (make == make_chain)
            continue; /* it has no end */
        reset_counts();
        expect_items(from(make(counted(2, 0)), &status), 0, 50, 0, 1, 60);
        assert_int_equal(status, 0);
        expect_items(from(make(counted(1, EIO)), &status), 0, 50, 0, 60);
        assert_int_equal(status, -EIO);
        expect_items(from(make(counted(1, EBUSY)), &status), 0, 50, 0, 60);
        assert_int_equal(status, -EBUSY);
        CO_GEN(long) outer = from(make(counted(9, 0)), &status);
        assert_int_equal(CO_NEXT(outer, &x), 1);
        assert_int_equal(CO_NEXT(outer, &x), 1);
        assert_int_equal(CO_SEND(outer, &x, &x), -EINVAL);
        assert_int_equal(CO_THROW(outer, EPROTO, &x), 1);
        assert_int_equal(x, 60);
        assert_int_equal(status, -EPROTO);
        assert_int_equal(CO_GEN_DESTROY(outer), 0);
        assert_int_equal(cleanups, 4);
        outer = from(make(counted(9, 0)), &status);
        for (int i = 0; i < 3; i++)
            assert_int_equal(CO_NEXT(outer, &x), 1);
        assert_int_equal(CO_GEN_DESTROY(outer), 0);
        assert_int_equal(cleanups, 5);
        expect_items(make(from(make(counted(2, 0)), &status)), 0, 50, 0, 1, 60);
    }
}

/* Helpers around helpers, to a depth that nobody writes. */
static void test_depth(void **state) {
    (void)state;
    enum { DEPTH = 1000 };
    reset_counts();
    CO_GEN(long) deep = counted(5, 0);
    for (int i = 0; i < DEPTH; i++)
        deep = makers[i % 2 == 0 ? 0 : 4](deep);
    long total = 0;
    assert_int_equal(sum(deep, &total), 0);
    assert_int_equal(total, 10);
    assert_int_equal(switches, 6);
    assert_int_equal(cleanups, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_off),
        cmocka_unit_test(test_error_of_a_close),
        cmocka_unit_test(test_error_in_the_middle),
        cmocka_unit_test(test_done_and_missing_sources),
        cmocka_unit_test(test_send_and_throw),
        cmocka_unit_test(test_end_of_a_fresh_helper),
        cmocka_unit_test(test_from),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
