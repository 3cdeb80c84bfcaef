/* How often helpers switch stacks: one round trip for each item of a source, into the generator that makes it and back,
 * through however many helpers it comes. Counted by what the library tells ThreadSanitizer, whose calls are defined
 * here; so this is no test where a sanitizer is. */
#define _GNU_SOURCE
#include "itertools.h"

static CO_MAP(tripled, long, long, x) { return 3 * x + 1; }
static CO_FILTER(even, long, x) { return x % 2 == 0; }
static CO_TAKE_WHILE(below, long, x, (long, limit)) { return x < limit; }
static CO_SKIP_WHILE(not_before, long, x, (long, limit)) { return x < limit; }
static CO_FOLD(sum, long, long, total, x) { return total + x; }
static CO_ZIP(pairs, long, struct point);
static CO_ENUMERATE(numbered, pairs_item);
static CO_BATCH(rows, numbered_item);

static long switches_of_stacks; /* in both directions */

#ifdef TEST_SANITIZED
#define REQUIRE_COUNTING() skip()
#else
#define REQUIRE_COUNTING() (void)0

/* The names are those of compiler-rt's sanitizer/tsan_interface.h. */
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_set_fiber_name(void *fiber, const char *name);
void __tsan_write8(void *address);

void *__tsan_get_current_fiber(void) { return &switches_of_stacks; }
void *__tsan_create_fiber(unsigned flags) {
    (void)flags;
    return &switches_of_stacks;
}
void __tsan_destroy_fiber(void *fiber) { (void)fiber; }
void __tsan_switch_to_fiber(void *fiber, unsigned flags) {
    (void)fiber;
    (void)flags;
    switches_of_stacks++;
}
void __tsan_set_fiber_name(void *fiber, const char *name) {
    (void)fiber;
    (void)name;
}
void __tsan_write8(void *address) { (void)address; }
#endif

/* Takes `count` items and returns how many switches that was. */
static long switches_to_take(CO_GEN(long) generator, long count) {
    long x = -1, before = switches_of_stacks;
    for (long i = 0; i < count; i++)
        assert_int_equal(CO_NEXT(generator, &x), 1);
    return switches_of_stacks - before;
}

/* The count itself: a generator that is iterated without a helper. */
static void test_of_a_generator(void **state) {
    (void)state;
    REQUIRE_COUNTING();
    CO_GEN(long) plain = counted(LONG_MAX, 0);
    assert_int_equal(switches_to_take(plain, 100), 2 * 100);
    assert_int_equal(CO_GEN_DESTROY(plain), 0);
}

/* A helper that has a stack of its own, or that steps its source more than once for an item. */
static void test_of_a_pipeline(void **state) {
    (void)state;
    REQUIRE_COUNTING();
    CO_GEN(long) mapped = tripled(counted(LONG_MAX, 0));
    assert_int_equal(switches_to_take(mapped, 100), 2 * 100);
    assert_int_equal(CO_GEN_DESTROY(mapped), 0);
    /* The even ones of 3 x + 1 are those of odd x: 200 items of the source for 100. */
    CO_GEN(long) pipeline = CO_TAKE(even(tripled(counted(LONG_MAX, 0))), 100);
    assert_int_equal(switches_to_take(pipeline, 100), 2 * 200);
    expect_none(pipeline, 0);
}

/* The same of all others, with a loop around them. */
static void test_of_the_others(void **state) {
    (void)state;
    REQUIRE_COUNTING();
    enum { ITEMS = 99 };
    long items = 0, before;
    CO_GEN(long) first = CO_SKIP(CO_CHAIN(not_before(below(counted(LONG_MAX, 0), LONG_MAX), 10), co_count(0, 1)), 5);
    CO_GEN(rows_item) all = rows(numbered(pairs(first, points(LONG_MAX)), 0), 3);
    rows_item row;
    before = switches_of_stacks;
    for (int i = 0; i < ITEMS / 3; i++) {
        assert_int_equal(CO_NEXT(all, &row), 1);
        items += (long)row.count;
    }
    assert_int_equal(items, ITEMS);
    assert_int_equal(row.items[2].value.first, 10 + 5 + ITEMS - 1);
    assert_int_equal(switches_of_stacks - before, 2 * (ITEMS + 10 + 5) + 2 * ITEMS);
    assert_int_equal(CO_GEN_DESTROY(all), 0);
}

/* Several consumers of one source, of which each but the first costs a switch too. */
static void test_of_shared_sources(void **state) {
    (void)state;
    REQUIRE_COUNTING();
    CO_GEN(long) two[2];
    long total = 0, x, before;
    assert_int_equal(CO_TEE(counted(LONG_MAX, 0), 2, two), 0);
    assert_int_equal(switches_to_take(two[0], 300), 2 * 300);
    assert_int_equal(switches_to_take(two[1], 300), 0);
    assert_int_equal(CO_GEN_DESTROY(two[0]), 0);
    assert_int_equal(CO_GEN_DESTROY(two[1]), 0);
    CO_MEMO(long) memo = CO_MEMO_MAKE(counted(300, 0));
    assert_non_null(memo);
    before = switches_of_stacks;
    assert_int_equal(sum(CO_MEMO_ITERATE(memo), &total), 0);
    assert_int_equal(switches_of_stacks - before, 2 * (300 + 1)); /* the last finds the end */
    CO_GEN(long) again = CO_MEMO_ITERATE(memo);
    assert_int_equal(switches_to_take(again, 300), 0);
    assert_int_equal(CO_NEXT(again, &x), 0);
    assert_int_equal(CO_GEN_DESTROY(again), 0);
    assert_int_equal(switches_of_stacks - before, 2 * (300 + 1));
    assert_int_equal(CO_MEMO_DESTROY(memo), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_a_generator),
        cmocka_unit_test(test_of_a_pipeline),
        cmocka_unit_test(test_of_the_others),
        cmocka_unit_test(test_of_shared_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
