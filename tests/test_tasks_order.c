/* Whose turn it is: first in, first out, to the letter; with a seed another order, the same for the same seed; and what
 * a yield in a task's body does. */
#define _GNU_SOURCE
#include "tasks.h"

static void *spawn_three(void *arg) {
    co_t *tasks[3];
    trace_add('0');
    tasks[0] = co_spawn(trace_task, LETTER("a"));
    tasks[1] = (co_spawn)(trace_task, LETTER("b"));
    tasks[2] = co_spawn_with(NULL, trace_task, LETTER("c"));
    trace_add('1'); /* whoever spawns goes on */
    assert_int_equal(co_sched_yield(), 0);
    trace_add('2');
    for (int i = 0; i < 3; i++)
        assert_joined(tasks[i], 0);
    return arg;
}

static void test_spawning(void **state) {
    (void)state;
    trace_clear();
    assert_int_equal(co_run(spawn_three, NULL, NULL), 0);
    assert_trace("01abc2");
}

/* ---- Turns ------------------------------------------------------------------------------------------------------- */

static void *take_turns(void *letter) {
    for (int i = 0; i < 4; i++) {
        trace_add(*(const char *)letter);
        if (i % 2 == 0)
            assert_int_equal(co_sched_yield(), 0);
        else
            assert_null(co_yield(letter)); /* the value is dropped */
    }
    return NULL;
}

static void *three_take_turns(void *arg) {
    assert_non_null(co_spawn(take_turns, LETTER("a")));
    assert_non_null(co_spawn(take_turns, LETTER("b")));
    assert_non_null(co_spawn(take_turns, LETTER("c")));
    return arg;
}

/* A task that is overtaken, by whichever way it gives its turn away. */
static void test_turns(void **state) {
    (void)state;
    trace_clear();
    assert_int_equal(co_run(three_take_turns, NULL, NULL), 0);
    assert_trace("abcabcabcabc");
}

static void *yield_often(void *arg) {
    for (int i = 0; i < 1000; i++) {
        assert_null(co_yield(value_of(i)));
        assert_null(co_yield_from(co_self(), value_of(i)));
        assert_int_equal(co_error(), 0);
    }
    return arg;
}

static void yield_at_the_end(void *arg) {
    errno = 0;
    assert_null(co_yield(arg));
    assert_int_equal(co_error(), EPERM);
    assert_int_equal(co_sched_yield(), 0); /* blocking is allowed there, yielding is not */
    assert_int_equal(co_sleep(MS), 0);
    trace_add('d');
}

static void *yield_deferred(void *arg) {
    assert_int_equal(co_defer(yield_at_the_end, NULL), 0);
    return arg;
}

static void *yields(void *arg) {
    void *result = UNTOUCHED;
    assert_int_equal(co_join(co_spawn(yield_often, value_of(3)), &result, CO_NEVER), 0);
    assert_int_equal(number_of(result), 3);
    assert_int_equal(co_join(co_spawn(yield_deferred, value_of(3)), &result, CO_NEVER), -EPERM);
    assert_trace("d");
    return arg;
}

static void test_yields(void **state) {
    (void)state;
    run_in_every_order(yields, 0);
}

/* ---- Wakes ------------------------------------------------------------------------------------------------------- */

static co_t *sleeper;

static void *sleep_then_trace(void *letter) {
    assert_int_equal(co_sleep(MS), 0);
    trace_add(*(const char *)letter);
    return NULL;
}

static void *join_then_trace(void *letter) {
    assert_int_equal(co_join(sleeper, NULL, CO_NEVER), 0);
    trace_add(*(const char *)letter);
    return NULL;
}

static void *wake_in_order(void *arg) {
    assert_non_null(co_spawn(sleep_then_trace, LETTER("a")));
    sleeper = co_spawn(sleep_then_trace, LETTER("b"));
    assert_non_null(co_spawn(sleep_then_trace, LETTER("c")));
    assert_non_null(co_spawn(join_then_trace, LETTER("j")));
    return arg;
}

/* The joiner comes behind those who were able to run before the end that it has waited for. */
static void test_wakes(void **state) {
    (void)state;
    trace_clear();
    assert_int_equal(run_virtually(wake_in_order, NULL), 0);
    assert_trace("abcj");
}

/* ---- Many turns, a small ring ------------------------------------------------------------------------------------ */

enum { MANY = 1000, ROUNDS = 50 };
static int next_number;

static void *take_numbered_turns(void *number) {
    for (int round = 0; round < ROUNDS; round++) {
        if (next_number % MANY != (int)number_of(number))
            FAIL("round %d: %d is called and not %d", round, (int)number_of(number), next_number % MANY);
        next_number++;
        assert_int_equal(co_sched_yield(), 0);
    }
    return NULL;
}

static void *many_take_turns(void *arg) {
    for (int i = 0; i < MANY; i++)
        assert_non_null(co_spawn(take_numbered_turns, value_of(i)));
    return arg;
}

/* An order that is lost when the ring grows or wraps, or every 128 turns when somebody looks at the clock. */
static void test_many(void **state) {
    (void)state;
    next_number = 0;
    assert_int_equal(co_run(many_take_turns, NULL, NULL), 0);
    assert_int_equal(next_number, MANY * ROUNDS);
}

static void *spawn_while_turning(void *depth) {
    if (number_of(depth) > 0)
        for (int i = 0; i < 2; i++) {
            co_t *task = co_spawn(spawn_while_turning, value_of(number_of(depth) - 1));
            assert_int_equal(co_sched_yield(), 0);
            assert_int_equal(co_detach(task), 0);
        }
    next_number++;
    return NULL;
}

static void test_growth_at_every_state(void **state) {
    (void)state;
    next_number = 0;
    assert_int_equal(co_run(spawn_while_turning, value_of(10), NULL), 0);
    assert_int_equal(next_number, 2047);
}

/* ---- Seeds ------------------------------------------------------------------------------------------------------- */

static void trace_of_seed(const co_run_options_t *options, char *kept) {
    trace_clear();
    assert_int_equal(co_run_with(options, three_take_turns, NULL, NULL), 0);
    assert_int_equal(trace_length, 12);
    memcpy(kept, trace, 13);
}

/* An order that is not the same again; a seed that chooses nothing. */
static void test_seeds(void **state) {
    (void)state;
    char first[13], again[13];
    int different = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        const co_run_options_t options = {.flags = CO_RUN_SEEDED, .seed = seed};
        trace_of_seed(&options, first);
        trace_of_seed(&options, again);
        assert_string_equal(first, again);
        different += strcmp(first, "abcabcabcabc") != 0;
    }
    assert_true(different > 40);
}

static void test_seed_from_environment(void **state) {
    (void)state;
    char seven[13], found[13], zero[13];
    co_run_options_t options = {.flags = CO_RUN_SEEDED, .seed = 7};
    trace_of_seed(&options, seven);
    options.seed = 0;
    trace_of_seed(&options, zero);
    assert_string_not_equal(seven, zero);
    assert_int_equal(setenv("CO_SEED", "7", 1), 0);
    trace_of_seed(&options, found);
    assert_string_equal(found, zero); /* not asked for */
    options.flags |= CO_RUN_SEED_FROM_ENVIRONMENT;
    trace_of_seed(&options, found);
    assert_string_equal(found, seven);
    assert_int_equal(setenv("CO_SEED", "7x", 1), 0);
    trace_of_seed(&options, found);
    assert_string_equal(found, zero);
    assert_int_equal(setenv("CO_SEED", "", 1), 0);
    trace_of_seed(&options, found);
    assert_string_equal(found, zero);
    assert_int_equal(unsetenv("CO_SEED"), 0);
    trace_of_seed(&options, found);
    assert_string_equal(found, zero);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spawning), cmocka_unit_test(test_turns),
        cmocka_unit_test(test_yields),   cmocka_unit_test(test_wakes),
        cmocka_unit_test(test_many),     cmocka_unit_test(test_growth_at_every_state),
        cmocka_unit_test(test_seeds),    cmocka_unit_test(test_seed_from_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
