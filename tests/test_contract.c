/* The promises of co.h in ordinary use: values in and out, states, identity, nesting, independence. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>

/* ---- Values -------------------------------------------------------------------------------------------------- */

static void *echo(void *arg) {
    void *in = co_yield(arg);
    while (in != NULL)
        in = co_yield(in);
    return value_of(77);
}

/* A value lost, swapped or delivered one resume late; yield and return told apart wrongly. */
static void test_values_go_in_and_come_out(void **state) {
    (void)state;
    void *out = UNTOUCHED;
    co_t *co = co_create(echo, value_of(1));
    assert_non_null(co);
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 1);
    for (intptr_t i = 2; i < 10; i++) {
        assert_int_equal(co_resume(co, value_of(i), &out), CO_YIELDED);
        assert_int_equal(number_of(out), i);
    }
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_int_equal(number_of(out), 77);
    assert_int_equal(co_status(co), CO_DEAD);
    assert_int_equal(co_destroy(co), 0);
}

/* A store through a NULL `out`, on any of the ways back from a coroutine. */
static void test_out_may_be_null(void **state) {
    (void)state;
    co_t *co = co_create(echo, value_of(1));
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_resume(co, value_of(2), NULL), CO_YIELDED);
    assert_int_equal(co_throw(co, EIO, NULL), CO_RETURNED);
    assert_int_equal(co_throw(co, EIO, NULL), -EIO);
    assert_int_equal(co_destroy(co), 0);
    co = co_create(echo, NULL);
    assert_int_equal(co_throw(co, EIO, NULL), -EIO);
    assert_int_equal(co_destroy(co), 0);
}

static void *return_argument(void *arg) { return arg; }

/* A body that never yields; a returned value mistaken for a yielded one. */
static void test_return_without_yield(void **state) {
    (void)state;
    void *out = UNTOUCHED;
    co_t *co = co_create(return_argument, value_of(5));
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_int_equal(number_of(out), 5);
    co_destroy(co);
    co = co_create(return_argument, NULL);
    out = UNTOUCHED;
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_null(out);
    co_destroy(co);
}

static void *yield_null_thrice(void *arg) {
    for (int i = 0; i < 3; i++)
        co_yield(NULL);
    return arg;
}

/* A yielded NULL taken for the end. */
static void test_yielded_null_is_not_the_end(void **state) {
    (void)state;
    void *out;
    co_t *co = co_create(yield_null_thrice, value_of(9));
    for (int i = 0; i < 3; i++) {
        out = UNTOUCHED;
        assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
        assert_null(out);
    }
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_int_equal(number_of(out), 9);
    co_destroy(co);
}

static void *yield_address_of_local(void *arg) {
    long local = 41;
    co_yield(&local);
    *(long *)arg = local;
    return NULL;
}

/* A suspended frame that does not stay where it is: its local is read and written from outside. */
static void test_yielded_pointer_into_the_suspended_stack(void **state) {
    (void)state;
    long seen = 0;
    void *out = NULL;
    co_t *co = co_create(yield_address_of_local, &seen);
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(*(long *)out, 41);
    *(long *)out = 42;
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_int_equal(seen, 42);
    co_destroy(co);
}

/* ---- Fresh and dead ------------------------------------------------------------------------------------------ */

static void *mark_as_run(void *arg) {
    *(int *)arg += 1;
    return co_yield(NULL);
}

/* Code run by co_create; a first `in` that is dropped or that starts the body. */
static void test_fresh_takes_no_value_and_stays_fresh(void **state) {
    (void)state;
    int runs = 0;
    void *out = UNTOUCHED;
    co_t *co = co_create(mark_as_run, &runs);
    assert_int_equal(runs, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(co_resume(co, value_of(3), &out), -EINVAL);
        assert_ptr_equal(out, UNTOUCHED);
        assert_int_equal(co_status(co), CO_SUSPENDED);
        assert_int_equal(runs, 0);
    }
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(runs, 1);
    assert_int_equal(co_resume(co, value_of(3), &out), CO_RETURNED);
    assert_int_equal(number_of(out), 3);
    co_destroy(co);
}

/* A dead coroutine that runs again, or reports its result twice. */
static void test_dead_stays_dead(void **state) {
    (void)state;
    void *out = NULL;
    co_t *co = co_create(return_argument, value_of(5));
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    for (int i = 0; i < 3; i++) {
        out = UNTOUCHED;
        assert_int_equal(co_resume(co, i == 1 ? value_of(1) : NULL, &out), -ESRCH);
        assert_ptr_equal(out, UNTOUCHED);
        assert_int_equal(co_status(co), CO_DEAD);
    }
    assert_int_equal(co_destroy(co), 0);
}

/* ---- Who runs ------------------------------------------------------------------------------------------------ */

struct level {
    struct level *outer;
    co_t *self;
    int depth;
};

static int states_seen;

/* Each level resumes the next; the innermost looks at all of them. */
static void *nest(void *arg) {
    struct level *level = (struct level *)arg;
    assert_ptr_equal(co_self(), level->self);
    assert_int_equal(co_status(level->self), CO_RUNNING);
    if (level->depth > 0) {
        struct level inner = {.outer = level, .depth = level->depth - 1};
        void *out = NULL;
        inner.self = co_create(nest, &inner);
        assert_non_null(inner.self);
        assert_int_equal(co_status(inner.self), CO_SUSPENDED);
        assert_int_equal(co_resume(inner.self, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), inner.depth);
        assert_ptr_equal(co_self(), level->self);
        assert_int_equal(co_status(inner.self), CO_SUSPENDED);
        assert_int_equal(co_resume(inner.self, NULL, &out), CO_RETURNED);
        assert_ptr_equal(co_self(), level->self);
        assert_int_equal(co_status(inner.self), CO_DEAD);
        assert_int_equal(co_destroy(inner.self), 0);
    } else {
        for (struct level *outer = level->outer; outer != NULL; outer = outer->outer) {
            assert_int_equal(co_status(outer->self), CO_NORMAL);
            assert_int_equal(co_resume(outer->self, NULL, NULL), -EBUSY);
            states_seen++;
        }
    }
    co_yield(value_of(level->depth));
    assert_ptr_equal(co_self(), level->self);
    return NULL;
}

static void run_nested(int depth) {
    struct level outermost = {.depth = depth};
    void *out = NULL;
    states_seen = 0;
    assert_null(co_self());
    outermost.self = co_create(nest, &outermost);
    assert_int_equal(co_resume(outermost.self, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), depth);
    assert_null(co_self());
    assert_int_equal(states_seen, depth);
    assert_int_equal(co_status(outermost.self), CO_SUSPENDED);
    assert_int_equal(co_resume(outermost.self, NULL, &out), CO_RETURNED);
    assert_null(co_self());
    assert_int_equal(co_destroy(outermost.self), 0);
}

/* A "current" that is not put back, or a state that looks at one level of nesting only. */
static void test_self_and_status_in_a_chain(void **state) {
    (void)state;
    run_nested(3);
}

/* A fixed limit of nesting, or resumer words of one level overwritten by another. */
static void test_nested_a_thousand_deep(void **state) {
    (void)state;
    run_nested(1000);
}

static void *resume_the_argument(void *arg) {
    void *out = NULL;
    for (;;) {
        int status = co_resume((co_t *)arg, co_self(), &out);
        if (status != CO_YIELDED)
            return out;
        co_yield(out);
    }
}

static void *count_up(void *arg) {
    for (intptr_t i = number_of(arg);; i++)
        if (co_yield(value_of(i)) == value_of(-1))
            return NULL;
}

/* A yield that goes to who resumed first instead of who resumed last: main, a coroutine, another one, and a function
 * that has another frame layout. */
static void test_yield_returns_to_the_last_resumer(void **state) {
    (void)state;
    void *out = NULL;
    co_t *counter = co_create(count_up, value_of(1));
    co_t *one = co_create(resume_the_argument, counter), *two = co_create(resume_the_argument, counter);
    assert_int_equal(co_resume(counter, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 1);
    for (intptr_t expected = 2; expected < 20; expected += 3) {
        assert_int_equal(co_resume(one, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), expected);
        assert_int_equal(co_resume(two, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), expected + 1);
        assert_int_equal(co_resume(counter, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), expected + 2);
        assert_null(co_self());
    }
    assert_int_equal(co_resume(counter, value_of(-1), &out), CO_RETURNED);
    assert_int_equal(co_resume(one, NULL, &out), CO_RETURNED);
    assert_int_equal(co_destroy(two), 0);
    assert_int_equal(co_destroy(one), 0);
    assert_int_equal(co_destroy(counter), 0);
}

/* Words of one coroutine kept in a place that all share. */
static void test_instances_are_independent(void **state) {
    (void)state;
    co_t *counters[8];
    void *out = NULL;
    for (intptr_t i = 0; i < 8; i++)
        counters[i] = co_create(count_up, value_of(100 * i));
    for (intptr_t round = 0; round < 50; round++)
        for (intptr_t i = 0; i < 8; i++) {
            intptr_t which = (i * 5 + round) % 8; /* a different order each round */
            assert_int_equal(co_resume(counters[which], NULL, &out), CO_YIELDED);
            assert_int_equal(number_of(out), 100 * which + round);
        }
    for (int i = 0; i < 8; i++)
        assert_int_equal(co_destroy(counters[i]), 0);
}

static void *count_from_self(void *arg) {
    co_t *self = co_self();
    for (intptr_t i = 0; i < number_of(arg); i++)
        assert_int_equal(number_of(co_yield_from(self, value_of(i))), i + 1);
    return self;
}

/* co_yield_from with a protocol of its own: values, and mixing with co_yield's resumers. */
static void test_yield_from_is_co_yield(void **state) {
    (void)state;
    void *out = NULL;
    co_t *co = co_create(count_from_self, value_of(5));
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    for (intptr_t i = 0; i < 4; i++) {
        assert_int_equal(number_of(out), i);
        assert_int_equal(co_resume(co, value_of(i + 1), &out), CO_YIELDED);
    }
    assert_int_equal(co_resume(co, value_of(5), &out), CO_RETURNED);
    assert_ptr_equal(out, co);
    co_destroy(co);
}

/* One yield reached by different depths of ordinary calls. */
static intptr_t yield_in_depth(intptr_t depth) {
    volatile intptr_t local = depth;
    if (depth > 0)
        return yield_in_depth(depth - 1) + (local - depth + 1);
    return number_of(co_yield(value_of(local)));
}

static void *yield_at_depths(void *arg) {
    for (intptr_t depth = 0; depth < number_of(arg); depth++)
        assert_int_equal(yield_in_depth(depth), 1000 + depth);
    return NULL;
}

/* A library that is not stackful: frames between body and yield must survive. */
static void test_yield_from_any_call_depth(void **state) {
    (void)state;
    co_t *co = co_create(yield_at_depths, value_of(30));
    int status = co_resume(co, NULL, NULL);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(status, CO_YIELDED);
        status = co_resume(co, value_of(1000), NULL);
    }
    assert_int_equal(status, CO_RETURNED);
    co_destroy(co);
}

/* ---- What is said of one ------------------------------------------------------------------------------------- */

/* Options that are lost between co_create_with and the questions about them. */
static void test_data_and_name(void **state) {
    (void)state;
    int datum;
    const char name[] = "a name";
    const co_options_t options = {.name = name, .data = &datum};
    co_t *co = co_create_with(&options, echo, value_of(1));
    assert_ptr_equal(co_data(co), &datum);
    assert_ptr_equal(co_name(co), name);
    co_resume(co, NULL, NULL);
    co_close(co);
    assert_ptr_equal(co_data(co), &datum);
    assert_ptr_equal(co_name(co), name);
    co_destroy(co);
    co = co_create(echo, NULL);
    assert_null(co_data(co));
    assert_null(co_name(co));
    co_destroy(co);
}

static co_status_t status_in_deferred;
static co_t *self_in_deferred;

static void look_at_self(void *arg) {
    self_in_deferred = co_self();
    status_in_deferred = co_status((co_t *)arg);
}

static void *defer_a_look(void *arg) {
    co_defer(look_at_self, co_self());
    return co_yield(arg);
}

/* A coroutine that counts as dead, or as nobody, while its deferred calls still run. */
static void test_self_and_status_while_ending(void **state) {
    (void)state;
    for (int closed = 0; closed < 2; closed++) {
        co_t *co = co_create(defer_a_look, NULL);
        co_resume(co, NULL, NULL);
        self_in_deferred = NULL;
        assert_int_equal(closed ? co_close(co) : co_resume(co, NULL, NULL), 0);
        assert_ptr_equal(self_in_deferred, co);
        assert_int_equal(status_in_deferred, CO_RUNNING);
        assert_int_equal(co_status(co), CO_DEAD);
        assert_null(co_self());
        co_destroy(co);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_go_in_and_come_out),
        cmocka_unit_test(test_out_may_be_null),
        cmocka_unit_test(test_return_without_yield),
        cmocka_unit_test(test_yielded_null_is_not_the_end),
        cmocka_unit_test(test_yielded_pointer_into_the_suspended_stack),
        cmocka_unit_test(test_fresh_takes_no_value_and_stays_fresh),
        cmocka_unit_test(test_dead_stays_dead),
        cmocka_unit_test(test_self_and_status_in_a_chain),
        cmocka_unit_test(test_nested_a_thousand_deep),
        cmocka_unit_test(test_yield_returns_to_the_last_resumer),
        cmocka_unit_test(test_instances_are_independent),
        cmocka_unit_test(test_yield_from_is_co_yield),
        cmocka_unit_test(test_yield_from_any_call_depth),
        cmocka_unit_test(test_data_and_name),
        cmocka_unit_test(test_self_and_status_while_ending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
