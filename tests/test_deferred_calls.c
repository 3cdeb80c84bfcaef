/* Deferred calls: last first, each once, whichever way a coroutine ends; what they may do, and what their errors do. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>

enum ending { RETURN, FAIL, CLOSE, DESTROY, THROW, ENDINGS };

static enum ending ending; /* how the body under test ends */

/* Called at the end of a body: yields once, and then ends it in the chosen way. */
static void *end_body(void) {
    void *in = co_yield(NULL);
    if (ending == CLOSE || ending == DESTROY)
        FAIL("a closed body went on");
    if (ending == THROW)
        return co_fail(co_error());
    return ending == FAIL ? co_fail(EIO) : in;
}

/* Runs `body` to its end and answers what the last call on it answered. */
static int run_to_the_end(co_fn body, void *arg) {
    co_t *co = co_create(body, arg);
    trace_clear();
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_trace("");
    if (ending == DESTROY)
        return co_destroy(co);
    int status = ending == CLOSE   ? co_close(co)
                 : ending == THROW ? co_throw(co, ENOTTY, NULL)
                                   : co_resume(co, NULL, NULL);
    assert_int_equal(co_status(co), CO_DEAD);
    char events[sizeof trace];
    memcpy(events, trace, sizeof events);
    assert_int_equal(co_close(co), 0);
    assert_int_equal(co_destroy(co), 0);
    assert_trace(events); /* nothing runs twice */
    return status;
}

static int status_of_ending(void) { return ending == FAIL ? -EIO : ending == THROW ? -ENOTTY : 0; }

/* ---- Order --------------------------------------------------------------------------------------------------- */

static __attribute__((noinline)) void defer_in_a_frame_of_its_own(void) {
    assert_int_equal(co_defer(trace_letter, LETTER("b")), 0);
}

static void *defer_three(void *arg) {
    (void)arg;
    assert_int_equal(co_defer(trace_letter, LETTER("a")), 0);
    defer_in_a_frame_of_its_own();
    assert_int_equal(co_defer(trace_letter, LETTER("c")), 0);
    return end_body();
}

/* Calls that run first in, first out, twice, or not at all after a failure. */
static void test_last_first_and_once(void **state) {
    (void)state;
    for (ending = RETURN; ending < ENDINGS; ending++) {
        assert_int_equal(run_to_the_end(defer_three, NULL), status_of_ending());
        assert_trace("cba");
    }
}

static void *defer_many(void *arg) {
    for (int i = 0; i < 200; i++)
        assert_int_equal(co_defer(trace_letter, (char *)arg + i), 0);
    return end_body();
}

/* A fixed number of them. */
static void test_many(void **state) {
    (void)state;
    char letters[200], expected[201] = {0};
    for (int i = 0; i < 200; i++)
        letters[i] = expected[199 - i] = (char)('A' + i % 50);
    for (ending = RETURN; ending < ENDINGS; ending++) {
        assert_int_equal(run_to_the_end(defer_many, letters), status_of_ending());
        assert_trace(expected);
    }
}

static void defer_more(void *arg) {
    trace_add('x');
    assert_int_equal(co_defer(trace_letter, LETTER("y")), 0);
    assert_int_equal(co_defer(trace_letter, LETTER("z")), 0);
    (void)arg;
}

static void *defer_a_deferring_call(void *arg) {
    (void)arg;
    assert_int_equal(co_defer(trace_letter, LETTER("a")), 0);
    assert_int_equal(co_defer(defer_more, NULL), 0);
    assert_int_equal(co_defer(trace_letter, LETTER("c")), 0);
    return end_body();
}

/* Calls registered while they run: lost, or run after the older ones. */
static void test_deferred_within_deferred(void **state) {
    (void)state;
    for (ending = RETURN; ending < ENDINGS; ending++) {
        assert_int_equal(run_to_the_end(defer_a_deferring_call, NULL), status_of_ending());
        assert_trace("cxzya");
    }
}

/* ---- What they may do ---------------------------------------------------------------------------------------- */

static void *count_and_defer(void *arg) {
    assert_int_equal(co_defer(trace_letter, LETTER("n")), 0);
    for (intptr_t i = 1; i < 4; i++)
        if (co_yield(value_of(i)) != arg)
            break;
    return NULL;
}

static void use_others(void *arg) {
    void *out = NULL;
    co_t *self = co_self();
    co_t *other = co_create(count_and_defer, arg);
    assert_int_equal(co_resume(other, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 1);
    assert_int_equal(co_resume(other, arg, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 2);
    assert_int_equal(co_error(), 0);
    trace_add('o');
    assert_int_equal(co_destroy(other), 0);
    assert_ptr_equal(co_self(), self);
    assert_int_equal(co_status(self), CO_RUNNING);
}

static void *defer_use_of_others(void *arg) {
    assert_int_equal(co_defer(trace_letter, LETTER("a")), 0);
    assert_int_equal(co_defer(use_others, arg), 0);
    return end_body();
}

/* The refusal of yields that reaches coroutines which a deferred call resumes. */
static void test_deferred_calls_resume_others(void **state) {
    (void)state;
    for (ending = RETURN; ending < ENDINGS; ending++) {
        if (ending == THROW)
            continue; /* co_error() is then the thrown one, as it should be */
        assert_int_equal(run_to_the_end(defer_use_of_others, value_of(8)), status_of_ending());
        assert_trace("ona");
    }
}

static void yield_in_vain(void *arg) {
    trace_add('y');
    for (int i = 0; i < 3; i++) {
        assert_null(i % 2 != 0 ? co_yield_from(co_self(), arg) : co_yield(arg));
        assert_int_equal(co_error(), EPERM);
        assert_int_equal(co_status(co_self()), CO_RUNNING);
    }
    trace_add('Y');
}

static void *defer_a_yield(void *arg) {
    assert_int_equal(co_defer(trace_letter, LETTER("a")), 0);
    assert_int_equal(co_defer(yield_in_vain, arg), 0);
    assert_int_equal(co_defer(trace_letter, LETTER("c")), 0);
    return end_body();
}

/* A yield that suspends a coroutine which is ending; one that goes unreported or stops the calls that remain. */
static void test_yield_in_a_deferred_call(void **state) {
    (void)state;
    for (ending = RETURN; ending < ENDINGS; ending++) {
        int failed = status_of_ending();
        assert_int_equal(run_to_the_end(defer_a_yield, value_of(1)), failed != 0 ? failed : -EPERM);
        assert_trace("cyYa");
    }
}

/* ---- Errors -------------------------------------------------------------------------------------------------- */

static void fail_with(void *arg) {
    assert_null(co_fail((int)number_of(arg)));
    trace_add('f');
}

static void *defer_failures(void *arg) {
    for (const int *errors = (const int *)arg; *errors != 0; errors++) {
        if (*errors == EPERM)
            assert_int_equal(co_defer(yield_in_vain, NULL), 0);
        else
            assert_int_equal(co_defer(fail_with, value_of(*errors)), 0);
        assert_int_equal(co_defer(trace_letter, LETTER(".")), 0);
    }
    return end_body();
}

/* The last error in place of the first, an error that stops the rest, and one that goes before the body's own. */
static void test_first_error_of_deferred_calls_counts(void **state) {
    (void)state;
    static const struct {
        int errors[4]; /* registered in this order, so the last runs first */
        int status;
        const char *events;
    } cases[] = {
        {{ENOSPC, 0}, -ENOSPC, ".f"},
        {{ENOSPC, ESPIPE, 0}, -ESPIPE, ".f.f"},
        {{EPERM, ESPIPE, 0}, -ESPIPE, ".f.yY"},
        {{ESPIPE, EPERM, ENOSPC, 0}, -ENOSPC, ".f.yY.f"},
        {{ESPIPE, EPERM, 0}, -EPERM, ".yY.f"},
        {{-1, 0}, -EINVAL, ".f"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (ending = RETURN; ending < ENDINGS; ending++) {
            int errors[4];
            memcpy(errors, cases[i].errors, sizeof errors);
            int failed = status_of_ending();
            assert_int_equal(run_to_the_end(defer_failures, errors), failed != 0 ? failed : cases[i].status);
            assert_trace(cases[i].events);
        }
}

static void fail_twice(void *arg) {
    co_fail(EIO);
    co_fail((int)number_of(arg));
}

static void *defer_a_double_failure(void *arg) {
    assert_int_equal(co_defer(fail_twice, arg), 0);
    return end_body();
}

/* "The last one counts" within one call, as within a body. */
static void test_last_failure_within_one_call(void **state) {
    (void)state;
    ending = CLOSE;
    assert_int_equal(run_to_the_end(defer_a_double_failure, value_of(ENOSPC)), -ENOSPC);
    ending = RETURN;
    assert_int_equal(run_to_the_end(defer_a_double_failure, value_of(ENOSPC)), -ENOSPC);
}

static void *return_value_and_defer_failure(void *arg) {
    assert_int_equal(co_defer(fail_with, value_of(ENOSPC)), 0);
    return arg;
}

/* A result beside an error. */
static void test_failed_deferred_call_leaves_no_value(void **state) {
    (void)state;
    void *out = UNTOUCHED;
    co_t *co = co_create(return_value_and_defer_failure, value_of(1));
    trace_clear();
    assert_int_equal(co_resume(co, NULL, &out), -ENOSPC);
    assert_null(out);
    assert_int_equal(co_status(co), CO_DEAD);
    assert_int_equal(co_destroy(co), 0);
}

/* ---- Locals -------------------------------------------------------------------------------------------------- */

struct local {
    int value, *sum;
};

static void add_local(void *arg) {
    struct local *local = (struct local *)arg;
    *local->sum += local->value;
    local->value = -1;
}

static __attribute__((noinline)) void *yield_below(int depth, int *sum) {
    struct local local = {.value = 1 << depth, .sum = sum};
    assert_int_equal(co_defer(add_local, &local), 0);
    if (depth > 0)
        yield_below(depth - 1, sum);
    else
        co_yield(value_of(local.value));
    return NULL;
}

static void *defer_locals(void *arg) { return yield_below(9, (int *)arg); }

/* Frames that are gone, or written over by the closing, when their deferred calls run. */
static void test_locals_are_alive_at_close(void **state) {
    (void)state;
    for (int destroy = 0; destroy < 2; destroy++) {
        int sum = 0;
        co_t *co = co_create(defer_locals, &sum);
        assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        assert_int_equal(destroy ? co_destroy(co) : co_close(co), 0);
        assert_int_equal(sum, 1023);
        if (!destroy)
            assert_int_equal(co_destroy(co), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_first_and_once),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_deferred_within_deferred),
        cmocka_unit_test(test_deferred_calls_resume_others),
        cmocka_unit_test(test_yield_in_a_deferred_call),
        cmocka_unit_test(test_first_error_of_deferred_calls_counts),
        cmocka_unit_test(test_last_failure_within_one_call),
        cmocka_unit_test(test_failed_deferred_call_leaves_no_value),
        cmocka_unit_test(test_locals_are_alive_at_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
