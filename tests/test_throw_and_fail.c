/* Errors in both directions: co_throw into a coroutine, co_error within it, co_fail out of it. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>

/* ---- Throw --------------------------------------------------------------------------------------------------- */

static void *report_errors(void *arg) {
    (void)arg;
    intptr_t report = 0;
    assert_int_equal(co_error(), 0);
    for (;;) {
        void *in = co_yield(value_of(report));
        if (in == value_of(-1))
            return value_of(-1);
        assert_true(in == NULL || co_error() == 0);
        report = 1000 * co_error() + number_of(in);
        assert_int_equal(co_error(), report / 1000); /* asking does not take it away */
    }
}

/* An error that is lost, that outlives the next yield, or that comes together with a value. */
static void test_throw_arrives_at_the_pending_yield(void **state) {
    (void)state;
    void *out = NULL;
    co_t *co = co_create(report_errors, NULL);
    co_resume(co, NULL, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(co_throw(co, EIO, &out), CO_YIELDED);
        assert_int_equal(number_of(out), 1000 * EIO);
        assert_int_equal(co_resume(co, value_of(7), &out), CO_YIELDED);
        assert_int_equal(number_of(out), 7);
        assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), 0);
        assert_int_equal(co_throw(co, INT32_MAX / 1000, &out), CO_YIELDED);
        assert_int_equal(co_throw(co, ENOSPC, &out), CO_YIELDED);
        assert_int_equal(number_of(out), 1000 * ENOSPC);
    }
    assert_int_equal(co_error(), 0);
    assert_int_equal(co_resume(co, value_of(-1), &out), CO_RETURNED);
    assert_int_equal(number_of(out), -1);
    assert_int_equal(co_destroy(co), 0);
}

static void *handle_and_return(void *arg) {
    co_yield(NULL);
    return co_error() != 0 ? arg : NULL;
}

/* A handled error that is reported all the same. */
static void test_thrown_error_handled_then_returned(void **state) {
    (void)state;
    void *out = NULL;
    co_t *co = co_create(handle_and_return, value_of(4));
    co_resume(co, NULL, NULL);
    assert_int_equal(co_throw(co, EIO, &out), CO_RETURNED);
    assert_int_equal(number_of(out), 4);
    assert_int_equal(co_throw(co, EIO, &out), -EIO);
    assert_null(out);
    co_destroy(co);
}

static void *fail_with_what_came(void *arg) {
    co_yield(NULL);
    return co_fail(arg != NULL ? (int)number_of(arg) : co_error());
}

/* An error that is not handled, or is replaced by another: `*out` is NULL and the coroutine is dead. */
static void test_thrown_error_passed_on_or_replaced(void **state) {
    (void)state;
    static const int replaced[] = {0, ENOTTY};
    for (int i = 0; i < 2; i++) {
        void *out = UNTOUCHED;
        co_t *co = co_create(fail_with_what_came, value_of(replaced[i]));
        co_resume(co, NULL, NULL);
        assert_int_equal(co_throw(co, EIO, &out), replaced[i] != 0 ? -ENOTTY : -EIO);
        assert_null(out);
        assert_int_equal(co_status(co), CO_DEAD);
        assert_int_equal(co_destroy(co), 0);
    }
}

static void *inner_sees_no_error(void *arg) {
    assert_int_equal(co_error(), 0);
    co_yield(NULL);
    assert_int_equal(co_error(), ENOSPC);
    return arg;
}

static void *outer_keeps_its_error(void *arg) {
    co_t *inner = co_create(inner_sees_no_error, NULL);
    (void)arg;
    co_yield(NULL);
    assert_int_equal(co_error(), EIO);
    assert_int_equal(co_resume(inner, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_error(), EIO);
    assert_int_equal(co_throw(inner, ENOSPC, NULL), CO_RETURNED);
    assert_int_equal(co_error(), EIO);
    assert_int_equal(co_destroy(inner), 0);
    co_yield(NULL);
    assert_int_equal(co_error(), 0);
    return NULL;
}

/* One error for all: an inner coroutine that sees, or clears, its resumer's. */
static void test_error_belongs_to_one_coroutine(void **state) {
    (void)state;
    co_t *co = co_create(outer_keeps_its_error, NULL);
    co_resume(co, NULL, NULL);
    assert_int_equal(co_throw(co, EIO, NULL), CO_YIELDED);
    assert_int_equal(co_error(), 0);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
}

static void *throw_into_argument(void *arg) { return value_of(co_throw((co_t *)arg, EIO, NULL)); }

/* A thrown-into coroutine whose yield goes to somebody else than the thrower. */
static void test_throw_from_another_coroutine(void **state) {
    (void)state;
    void *out = NULL;
    co_t *target = co_create(report_errors, NULL), *thrower = co_create(throw_into_argument, target);
    co_resume(target, NULL, NULL);
    assert_int_equal(co_resume(thrower, NULL, &out), CO_RETURNED);
    assert_int_equal(number_of(out), CO_YIELDED);
    assert_int_equal(co_resume(target, value_of(3), &out), CO_YIELDED);
    assert_int_equal(number_of(out), 3);
    co_destroy(thrower);
    co_destroy(target);
}

/* ---- Fail ---------------------------------------------------------------------------------------------------- */

struct failing {
    int errors[4]; /* given to co_fail in turn, until 0 */
    bool yield_between;
};

static void *fail_in_turn(void *arg) {
    const struct failing *failing = (const struct failing *)arg;
    for (int i = 0; i < 4 && failing->errors[i] != 0; i++) {
        assert_null(co_fail(failing->errors[i]));
        if (failing->yield_between)
            co_yield(value_of(i));
    }
    return value_of(1); /* a value that a failed body returns does not arrive */
}

/* co_fail that ends the body at once, the first of several that counts, or one that a yield forgets or delivers. */
static void test_last_failure_counts_when_the_body_returns(void **state) {
    (void)state;
    static const struct {
        struct failing failing;
        int yields, status;
    } cases[] = {
        {{{EIO, 0}, false}, 0, -EIO},
        {{{EIO, ENOSPC, 0}, false}, 0, -ENOSPC},
        {{{EIO, 0}, true}, 1, -EIO},
        {{{EIO, ENOSPC, ENOTTY, 0}, true}, 3, -ENOTTY},
        {{{-1, 0}, false}, 0, -EINVAL},
        {{{EIO, INT32_MIN, 0}, true}, 2, -EINVAL},
        {{{INT32_MAX, 0}, false}, 0, -INT32_MAX},
        {{{0}, false}, 0, CO_RETURNED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct failing failing = cases[i].failing;
        co_t *co = co_create(fail_in_turn, &failing);
        void *out = NULL;
        for (int yields = 0; yields < cases[i].yields; yields++) {
            assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
            assert_int_equal(number_of(out), yields);
        }
        out = UNTOUCHED;
        assert_int_equal(co_resume(co, NULL, &out), cases[i].status);
        assert_int_equal(number_of(out), cases[i].status == CO_RETURNED ? 1 : 0);
        assert_int_equal(co_status(co), CO_DEAD);
        assert_int_equal(co_destroy(co), 0);
    }
}

static void *fail_with_zero(void *arg) {
    (void)arg;
    return co_fail(0);
}

/* co_fail(0) that counts as success. */
static void test_fail_with_zero_is_einval(void **state) {
    (void)state;
    void *out = UNTOUCHED;
    co_t *co = co_create(fail_with_zero, NULL);
    assert_int_equal(co_resume(co, NULL, &out), -EINVAL);
    assert_null(out);
    assert_int_equal(co_status(co), CO_DEAD);
    co_destroy(co);
}

static void *fail_with_argument(void *arg) { return co_fail((int)number_of(arg)); }

/* A body's error that is taken for misuse: the status tells, and the next call says it is dead. */
static void test_body_fails_like_misuse(void **state) {
    (void)state;
    static const int errors[] = {EINVAL, EBUSY, ESRCH, EPERM, ENOMEM};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        void *out = UNTOUCHED;
        co_t *co = co_create(fail_with_argument, value_of(errors[i]));
        assert_int_equal(co_resume(co, NULL, &out), -errors[i]);
        assert_null(out);
        assert_int_equal(co_status(co), CO_DEAD);
        assert_int_equal(co_resume(co, NULL, NULL), -ESRCH);
        assert_int_equal(co_destroy(co), 0);
    }
}

static void *fail_after_inner_failed(void *arg) {
    co_t *inner = co_create(fail_with_argument, value_of(EIO));
    assert_int_equal(co_resume(inner, NULL, NULL), -EIO);
    assert_int_equal(co_destroy(inner), 0);
    return arg;
}

/* An inner failure that counts for the outer body. */
static void test_failure_belongs_to_one_coroutine(void **state) {
    (void)state;
    void *out = NULL;
    co_t *co = co_create(fail_after_inner_failed, value_of(2));
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_int_equal(number_of(out), 2);
    co_destroy(co);
}

static void *fail_then_yield(void *arg) {
    co_fail(EIO);
    return co_yield(arg);
}

/* A close that answers with what the body said but never returned with. */
static void test_failure_of_a_closed_body_does_not_count(void **state) {
    (void)state;
    co_t *co = co_create(fail_then_yield, NULL);
    co_resume(co, NULL, NULL);
    assert_int_equal(co_close(co), 0);
    assert_int_equal(co_destroy(co), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_throw_arrives_at_the_pending_yield),
        cmocka_unit_test(test_thrown_error_handled_then_returned),
        cmocka_unit_test(test_thrown_error_passed_on_or_replaced),
        cmocka_unit_test(test_error_belongs_to_one_coroutine),
        cmocka_unit_test(test_throw_from_another_coroutine),
        cmocka_unit_test(test_last_failure_counts_when_the_body_returns),
        cmocka_unit_test(test_fail_with_zero_is_einval),
        cmocka_unit_test(test_body_fails_like_misuse),
        cmocka_unit_test(test_failure_belongs_to_one_coroutine),
        cmocka_unit_test(test_failure_of_a_closed_body_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
