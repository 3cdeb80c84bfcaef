/* Helpers with a function, against the plain loop: map, filter, take_while, skip_while, fold. */
#define _GNU_SOURCE
#include "itertools.h"

static CO_MAP(squares, long, long, x) { return x * x; }
static CO_MAP(scaled, double, int, x, (double, factor)) { return x * factor; }
static CO_MAP(pointed, struct point, long, x, (long, a), (long, b)) { return (struct point){x, x + a, x + b}; }
static CO_MAP(heights, long, struct point, p) { return p.z; }
static CO_MAP(eight, long, long, x, (char, a), (short, b), (int, c), (long, d), (long, e), (const char *, f),
              (double, g), (struct point, h)) {
    return x + a + b + c + d + e + f[0] + (long)g + h.z;
}
static CO_MAP(place, co_t *, long, x) { return x < 0 ? NULL : co_self(); }
static CO_FILTER(odd, long, x) { return x % 2 != 0; }
static CO_FILTER(high, struct point, p, (long, least)) { return p.z >= least; }
static CO_TAKE_WHILE(below, long, x, (long, limit)) { return x < limit; }
static CO_SKIP_WHILE(not_before, long, x, (long, limit)) { return x < limit; }
static CO_FOLD(sum, long, long, total, x) { return total + x; }
static CO_FOLD(weighted, double, int, total, x, (double, factor)) { return total + x * factor; }
static CO_GENERATOR(ints, int, (int, n)) {
    for (int i = 0; i < n; i++)
        CO_EMIT(i);
}

/* Everything that a helper gets wrong with 0, 1, or many items; and a parameter that is lost or mixed up. */
static void test_against_loops(void **state) {
    (void)state;
    static const long sizes[] = {0, 1, 2, 3, 10, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (long limit = -1; limit < 12; limit++) {
            const long n = sizes[s];
            long i = 0;
            CO_FOR(long, x, squares(counted(n, 0))) {
                assert_int_equal(x, i * i);
                i++;
            }
            assert_int_equal(i, n);
            i = 1;
            CO_FOR(long, x, odd(co_range(0, n, 1))) {
                assert_int_equal(x, i);
                i += 2;
            }
            assert_int_equal(i / 2, n / 2);
            i = 0;
            CO_FOR(long, x, below(counted(n, 0), limit))
                assert_int_equal(x, i++);
            assert_int_equal(i, limit < 0 ? 0 : limit < n ? limit : n);
            i = limit < 0 ? 0 : limit;
            CO_FOR(long, x, not_before(counted(n, 0), limit))
                assert_int_equal(x, i++);
            assert_int_equal(i, limit > n ? limit : n);
            long total = limit;
            assert_int_equal(sum(counted(n, 0), &total), 0);
            assert_int_equal(total, limit + n * (n - 1) / 2);
        }
}

/* skip_while that goes on asking. */
static void test_skip_while_asks_once(void **state) {
    (void)state;
    static const long items[] = {1, 2, 9, 1, 10, 2};
    expect_items(not_before(CO_FROM_ARRAY(items, 6), 5), 0, 9, 1, 10, 2);
    expect_items(below(CO_FROM_ARRAY(items, 6), 5), 0, 1, 2);
}

/* Items of another size than their source's, and larger than a pointer on either side. */
static void test_sizes(void **state) {
    (void)state;
    double factor = 0.5, i = 0, total = 1;
    CO_FOR(double, x, scaled(ints(5), factor)) {
        assert_true(x == i * 0.5);
        i++;
        factor = 7; /* it was copied */
    }
    assert_true(i == 5);
    assert_int_equal(weighted(ints(4), &total, 0.25), 0);
    assert_true(total == 2.5);
    long n = 0;
    CO_FOR(struct point, p, high(pointed(counted(6, 0), 10, 100), 102)) {
        assert_int_equal(p.x, n + 2);
        assert_int_equal(p.y, n + 12);
        assert_int_equal(p.z, n + 102);
        n++;
    }
    assert_int_equal(n, 4);
    expect_items(heights(high(points(5), 6)), 0, 6, 9, 12);
    const struct point last = {0, 0, 1000};
    expect_items(eight(counted(2, 0), 1, 2, 3, 4, 5, "A", 6.5, last), 0, 1086, 1087);
}

/* A helper that has a stack of its own, or steps its source twice for an item. */
static void test_switches_once_an_item(void **state) {
    (void)state;
    reset_counts();
    long n = 0;
    CO_GEN(long) chain = CO_TAKE(odd(squares(counted(LONG_MAX, 0))), 500);
    CO_GEN(co_t *) places = place(counted(1, 0));
    co_t *where = (co_t *)chain;
    assert_null(CO_GEN_UNTYPED(chain)->self);
    assert_int_equal(CO_NEXT(places, &where), 1);
    assert_null(where); /* the function runs on the stack of this test */
    reset_counts();
    CO_FOR(long, x, chain) {
        assert_int_equal(x, (2 * n + 1) * (2 * n + 1));
        n++;
        assert_int_equal(switches, 2 * n);
    }
    assert_int_equal(n, 500);
    assert_int_equal(switches, 1000);
    assert_int_equal(CO_GEN_DESTROY(places), 0);
}

/* An error that is lost, or that loses what the fold has made before. */
static void test_errors(void **state) {
    (void)state;
    long total = 0;
    reset_counts();
    assert_int_equal(sum(counted(5, EIO), &total), -EIO);
    assert_int_equal(total, 10);
    errno = 0;
    assert_int_equal(sum(NULL, &total), -EINVAL);
    expect_items(squares(counted(3, EIO)), -EIO, 0, 1, 4);
    expect_items(odd(counted(4, EBUSY)), -EBUSY, 1, 3);
    expect_items(below(counted(2, EIO), 5), -EIO, 0, 1);
    expect_none(not_before(counted(2, EIO), 5), -EIO);
    assert_int_equal(cleanups, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_loops), cmocka_unit_test(test_skip_while_asks_once),
        cmocka_unit_test(test_sizes),         cmocka_unit_test(test_switches_once_an_item),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
