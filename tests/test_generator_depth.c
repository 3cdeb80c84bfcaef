/* Items from the depth of the stack, and generators in unusual company. */
#define _GNU_SOURCE
#include "generators.h"

/* Not inlined, so that the frames of the depth stay small. */
static __attribute__((noinline)) long emit_one(CO_GEN(long) self, long item) {
    return (long)number_of(CO_EMIT_TO(self, item));
}

static long emit_in_depth(CO_GEN(long) self, volatile long depth) {
    if (depth == 0 || depth % 100 == 0) {
        long sent = emit_one(self, depth);
        if (depth == 0)
            return sent;
    }
    return emit_in_depth(self, depth - 1) + depth % 2;
}

static CO_GENERATOR(emit_from_depth, long, (long, depth)) {
    long sum = emit_in_depth(CO_SELF, depth);
    CO_EMIT(sum);
}

/* A generator that is not stackful: frames between its body and what emits must survive. */
static void test_emit_from_depth_1000(void **state) {
    (void)state;
    CO_GEN(long) generator = emit_from_depth(1000);
    for (long depth = 1000; depth >= 0; depth -= 100)
        assert_next(generator, depth);
    assert_send(generator, 5000, 5500);
    assert_none(generator, 0);
    assert_destroyed(generator);
    generator = emit_from_depth(1000);
    for (long depth = 1000; depth >= 500; depth -= 100)
        assert_next(generator, depth);
    assert_destroyed(generator);
}

static CO_GENERATOR(items, long, (long, first), (long, end)) {
    for (long i = first; i < end; i++)
        CO_EMIT(i);
    CO_RETURN(value_of(end));
}

static __attribute__((noinline)) long hand_over_once(CO_GEN(long) self) {
    void *result = NULL;
    assert_int_equal(CO_FROM_TO(self, items(0, 5), &result), 0);
    return (long)number_of(result);
}

static long hand_over_in_depth(CO_GEN(long) self, volatile long depth) {
    return depth == 0 ? hand_over_once(self) : hand_over_in_depth(self, depth - 1) + depth % 2;
}

static CO_GENERATOR(hand_over_from_depth, long, (long, depth)) {
    long result = hand_over_in_depth(CO_SELF, depth);
    CO_EMIT(result);
}

/* The same of handing over. */
static void test_hand_over_from_depth_1000(void **state) {
    (void)state;
    CO_GEN(long) generator = hand_over_from_depth(1000);
    for (long i = 0; i < 5; i++)
        assert_next(generator, i);
    assert_next(generator, 505);
    assert_none(generator, 0);
    assert_destroyed(generator);
}

static CO_GENERATOR(make_others, long, (int, depth)) {
    CO_EMIT(depth);
    if (depth > 0) {
        CO_GEN(long) other = make_others(depth - 1);
        CO_FOR_BORROWED(long, item, other) {
            CO_EMIT(item);
        }
        CO_GEN_DESTROY(other);
    }
}

/* Generators that are made, stepped and destroyed by generators, one in the other. */
static void test_generators_step_generators(void **state) {
    (void)state;
    CO_GEN(long) generator = make_others(50);
    for (long i = 50; i >= 0; i--)
        assert_next(generator, i);
    assert_none(generator, 0);
    assert_destroyed(generator);
}

static void *step_and_yield(void *generator) {
    CO_FOR(long, item, (CO_GEN(long))generator) {
        co_yield(value_of(item));
    }
    return NULL;
}

/* A coroutine that yields in a loop over a generator: neither suspends the other. */
static void test_a_loop_in_a_coroutine(void **state) {
    (void)state;
    void *out = NULL;
    co_t *co = co_create(step_and_yield, CO_GEN_UNTYPED(items(0, 10)));
    for (long i = 0; i < 10; i++) {
        assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), i);
    }
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
}

/* A generator without a coroutine, as the library may make one: steps, errors, and handing over to it. */
struct plain {
    co_gen_t generator;
    long left;
    int error;
    bool ended;
};

static int step_plain(co_gen_t *generator) {
    struct plain *plain = (struct plain *)(void *)generator;
    assert_int_equal(co_gen_state(generator), CO_GEN_EXECUTING);
    assert_int_equal(co_gen_next(generator), -EBUSY);
    assert_int_equal(co_gen_send(generator, plain), -EBUSY);
    assert_int_equal(co_gen_close(generator), -EBUSY);
    if (plain->left-- == 0)
        return -plain->error;
    generator->item = value_of(plain->left);
    return 1;
}

/* Called when it is closed, and when it is destroyed, again or for the first time. */
static int end_plain(co_gen_t *generator) {
    struct plain *plain = (struct plain *)(void *)generator;
    assert_int_equal(co_gen_next(generator), plain->generator.done ? 0 : -EBUSY);
    assert_int_equal(co_gen_destroy(generator), -EBUSY);
    if (!plain->ended)
        trace_add('e');
    plain->ended = true;
    return 0;
}

static void release_plain(co_gen_t *generator) {
    trace_add('r');
    free(generator);
}

static CO_GEN(long) make_plain(long items_left, int error) {
    static const struct co__gen_kind kind = {step_plain, end_plain, release_plain};
    struct plain *plain = (struct plain *)calloc(1, sizeof *plain);
    plain->generator.leaf = &plain->generator;
    plain->generator.kind = &kind;
    plain->generator.small = 1;
    plain->left = items_left;
    plain->error = error;
    trace_clear();
    return (CO_GEN(long)) & plain->generator.slot;
}

static CO_GENERATOR(hand_over, long, (CO_GEN(long), generator)) {
    CO_EMIT(CO_FROM(generator, NULL));
    CO_EMIT(9);
}

static void test_a_generator_without_a_coroutine(void **state) {
    (void)state;
    long item = NO_ITEM;
    for (int handed_over = 0; handed_over < 2; handed_over++) {
        for (int error = 0; error < 2; error++) {
            CO_GEN(long) generator = handed_over ? hand_over(make_plain(2, error)) : make_plain(2, error);
            assert_int_equal(CO_GEN_STATE(generator), CO_GEN_FRESH);
            assert_next(generator, 1);
            assert_int_equal(CO_GEN_STATE(generator), CO_GEN_SUSPENDED);
            assert_int_equal(CO_SEND(generator, value_of(3), &item), -EINVAL);
            assert_next(generator, 0);
            if (handed_over)
                assert_next(generator, -error);
            else
                assert_none(generator, -error);
            assert_destroyed(generator);
            assert_int_equal(trace[trace_length - 1], 'r');
        }
        CO_GEN(long) generator = handed_over ? hand_over(make_plain(2, 0)) : make_plain(2, 0);
        assert_next(generator, 1);
        if (handed_over)
            assert_throw(generator, EIO, -EIO);
        else
            assert_int_equal(CO_THROW(generator, EIO, &item), -EIO);
        assert_destroyed(generator);
        assert_trace("er");
        generator = handed_over ? hand_over(make_plain(2, 0)) : make_plain(2, 0);
        assert_next(generator, 1);
        assert_int_equal(CO_GEN_CLOSE(generator), 0);
        assert_done(generator);
        assert_destroyed(generator);
        assert_trace("er");
    }
}

/* ---- Long chains ---------------------------------------------------------------------------------------------- */

enum { LONG_CHAIN = 10000, EMULATED_CHAIN = 500, DEEP_STACK_BYTES = 16384 };

static long cleaned;

/* In order: the innermost, which is the last to be made, first. */
static void note_clean(void *number) {
    assert_int_equal(cleaned, number_of(number));
    cleaned++;
}

static const co_options_t small_stack = {.stack_bytes = 8192};

static CO_GENERATOR_WITH(&small_stack, chained, long, (long, number)) {
    co_defer(note_clean, value_of(number));
    if (number > 0)
        CO_FROM(chained(number - 1), NULL);
    else
        CO_EMIT(8);
}

static CO_GENERATOR_WITH(&small_stack, looped, long, (long, number), CO_OWN(long, source)) {
    co_defer(note_clean, value_of(number));
    CO_FOR(long, x, source)
        CO_EMIT(x);
}

/* Fewer where stacks cost mappings, or time. */
static long chain_length(void) {
#ifdef TEST_SANITIZED
    return EMULATED_CHAIN;
#else
    return under_valgrind() ? EMULATED_CHAIN : LONG_CHAIN;
#endif
}

static void *close_on_a_small_stack(void *generator) {
    return value_of(CO_GEN_CLOSE((CO_GEN(long))generator) == 0 && CO_GEN_DESTROY((CO_GEN(long))generator) == 0);
}

static void close_long_chain(CO_GEN(long) generator, long length) {
    const co_options_t options = {.stack_bytes = DEEP_STACK_BYTES};
    void *done = NULL;
    co_t *co = co_create_with(&options, close_on_a_small_stack, CO_GEN_UNTYPED(generator));
    assert_int_equal(co_resume(co, NULL, &done), CO_RETURNED);
    assert_int_equal(number_of(done), 1);
    assert_int_equal(co_destroy(co), 0);
    assert_int_equal(cleaned, length);
}

/* A close that takes stack for every level of the chain. */
static void test_rule_47_closing_a_long_chain(void **state) {
    (void)state;
    const long length = chain_length();
    CO_GEN(long) generator = chained(length - 1);
    assert_next(generator, 8);
    cleaned = 0;
    close_long_chain(generator, length);
}

/* The same where loops and parameters make the chain, of which half has begun. */
static void test_rule_56_closing_a_long_chain_of_owners(void **state) {
    (void)state;
    const long length = chain_length() / 2;
    CO_GEN(long) generator = chained(0);
    for (long i = 1; i < length; i++)
        generator = looped(i, generator);
    assert_next(generator, 8);
    for (long i = 0; i < length; i++)
        generator = looped(i, generator);
    cleaned = 0;
    close_long_chain(generator, length);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_emit_from_depth_1000),
        cmocka_unit_test(test_hand_over_from_depth_1000),
        cmocka_unit_test(test_generators_step_generators),
        cmocka_unit_test(test_a_loop_in_a_coroutine),
        cmocka_unit_test(test_a_generator_without_a_coroutine),
        cmocka_unit_test(test_rule_47_closing_a_long_chain),
        cmocka_unit_test(test_rule_56_closing_a_long_chain_of_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
