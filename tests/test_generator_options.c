/* Options for a generator's coroutine; and, with an allocator among them, rules 56 and 57 of generators that own
 * others: memory that is refused, and memory that is gone. */
#define _GNU_SOURCE
#include "generators.h"

/* Emits 1, 2, ... up to `last`; its cleanup adds a letter. */
static CO_GENERATOR(count, long, (long, last), (const char *, letter)) {
    co_defer(trace_letter, LETTER(letter));
    for (long i = 1; i <= last; i++)
        CO_EMIT(i);
}

static CO_GEN(long) begun(const char *letter) {
    CO_GEN(long) source = count(5, letter);
    assert_next(source, 1);
    return source;
}

static CO_GENERATOR(pass_on, long, CO_OWN(long, source)) {
    CO_FOR(long, x, source)
        CO_EMIT(x);
}

static CO_GENERATOR(ignore, long, CO_OWN(long, one), (long, first), CO_OWN(long, other)) {
    (void)one, (void)other;
    CO_EMIT(first);
}

static size_t asked_for, released;

static void *allocate(size_t bytes, void *context) {
    (void)context;
    asked_for += bytes;
    return *(const bool *)context ? malloc(bytes) : NULL;
}

static void release(void *memory, size_t bytes, void *context) {
    (void)context;
    released += bytes;
    free(memory);
}

static bool may_allocate = true;
static const co_allocator_t allocator = {allocate, release, &may_allocate};
static int data;
static const co_options_t small = {.stack_bytes = 16384, .name = "small", .allocator = &allocator, .data = &data};

static CO_GENERATOR_WITH(&small, on_a_small_stack, long) {
    assert_string_equal(co_name(co_self()), "small");
    assert_ptr_equal(co_data(co_self()), &data);
    assert_non_null(strstr(co_site(co_self()), "on_a_small_stack"));
    CO_EMIT((long)co_stack_size(co_self()));
}

static CO_GENERATOR_WITH(data == 0 ? NULL : &small, perhaps_small, long, (long, x), CO_OWN(long, source)) {
    (void)source;
    CO_EMIT(x);
    CO_EMIT((long)co_stack_size(co_self()));
}

/* Options that do not come through, or are kept from the first creation. */
static void test_options(void **state) {
    (void)state;
    long item = NO_ITEM;
    asked_for = released = 0;
    CO_GEN(long) generator = on_a_small_stack();
    assert_int_equal(CO_NEXT(generator, &item), CO_GEN_ITEM);
    assert_in_range(item, 15000, 16384);
    assert_true(asked_for >= 16384);
    assert_none(generator, CO_GEN_END);
    assert_destroyed(generator);
    assert_int_equal(released, asked_for);
    for (data = 0; data < 2; data++) {
        asked_for = 0;
        trace_clear();
        generator = perhaps_small(5, begun("a"));
        assert_next(generator, 5);
        assert_true((asked_for > 0) == (data == 1));
        assert_int_equal(CO_NEXT(generator, &item), CO_GEN_ITEM);
        assert_true((item < 20000) == (data == 1));
        assert_destroyed(generator);
        assert_trace("a");
    }
}

static CO_GENERATOR_WITH(&small, pairs_of, long, CO_OWN(long, one), CO_OWN(long, other)) {
    long x, y;
    while (CO_NEXT(one, &x) == CO_GEN_ITEM && CO_NEXT(other, &y) == CO_GEN_ITEM)
        CO_EMIT(10 * x + y);
}

static CO_GENERATOR(from_borrowed, long, (CO_GEN(long), source)) { CO_FROM_BORROWED(source, NULL); }

/* An owner whose memory is gone, of one that somebody waited for and ends later: a checker of memory looks at this. */
static void test_one_that_outlives_its_owner(void **state) {
    (void)state;
    trace_clear();
    CO_GEN(long) source = begun("a");
    CO_GEN(long) owner = pairs_of(source, count(5, "b"));
    CO_GEN(long) waits = from_borrowed(source);
    assert_next(waits, 2);
    assert_next(owner, 31);
    assert_destroyed(owner);
    assert_trace("b");
    assert_next(waits, 4);
    assert_destroyed(waits);
    assert_trace("ba");
}

/* No memory for a generator that owns others. */
static void test_rule_57_no_memory(void **state) {
    (void)state;
    data = 1;
    may_allocate = false;
    trace_clear();
    CO_GEN(long) source = begun("a");
    errno = 0;
    assert_null(perhaps_small(5, source));
    assert_int_equal(errno, ENOMEM);
    assert_trace("a");
    int status = 0;
    CO_FOR_STATUS(long, x, pass_on(perhaps_small(5, begun("b"))), status)
        FAIL("%ld", x);
    assert_int_equal(status, -ENOMEM);
    assert_trace("ab");
    source = begun("a");
    assert_null(ignore(source, 1, on_a_small_stack()));
    assert_int_equal(errno, ENOMEM);
    assert_trace("aba");
    source = begun("c");
    assert_null(pairs_of(source, source));
    assert_trace("abac");
    may_allocate = true;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_one_that_outlives_its_owner),
        cmocka_unit_test(test_rule_57_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
