/* The helpers in every C++ standard: the header compiles, and the items are those of C.
 * C++ standards: 11 14 17 20 23
 */
/* cmocka.h takes volatile parameters, which C++20 deprecates; it is not a system header everywhere. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wdeprecated-volatile"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wvolatile"
#endif
#include "support.h"

#include <co/itertools.h>

#include <cerrno>

namespace {

struct point {
    long x, y, z;
};

CO_MAP(squares, long, long, x) { return x * x; }
CO_MAP(scaled, double, int, x, (double, factor)) { return x * factor; }
CO_MAP(pointed, point, long, x, (long, a), (long, b)) { return point{x, x + a, x + b}; }
CO_FILTER(odd, long, x) { return x % 2 != 0; }
CO_TAKE_WHILE(below, long, x, (long, limit)) { return x < limit; }
CO_SKIP_WHILE(not_before, long, x, (long, limit)) { return x < limit; }
CO_FOLD(sum, long, long, total, x) { return total + x; }
CO_ZIP(pairs, long, point);
CO_ENUMERATE(numbered, double);
CO_BATCH(rows, point);
CO_GENERATOR(counted, long, (long, n)) {
    (void)co_defer(trace_letter, LETTER("d"));
    for (long i = 0; i < n; i++)
        CO_EMIT(i);
}

/* A form that is C only, or that means something else. */
void test_all_forms(void **) {
    long n = 1, total = 0;
    CO_FOR(long, x, CO_TAKE(odd(squares(co_count(1, 1))), 10)) {
        assert_int_equal(x, n * n);
        n += 2;
    }
    assert_int_equal(n, 21);
    assert_int_equal(sum(not_before(below(co_range(0, 100, 1), 50), 48), &total), 0);
    assert_int_equal(total, 97);
    n = 0;
    CO_FOR(pairs_item, p, pairs(CO_SKIP(counted(9), 2), pointed(co_count(0, 1), 10, 100))) {
        assert_int_equal(p.first, n + 2);
        assert_int_equal(p.second.z, n + 100);
        n++;
    }
    assert_int_equal(n, 7);
    const int array[] = {1, 2, 3};
    n = 0;
    CO_FOR(numbered_item, x, numbered(scaled(CO_CHAIN(CO_FROM_ARRAY(array, 3), CO_FROM_ARRAY(array, 1)), 0.5), 7)) {
        assert_int_equal(x.index, n + 7);
        assert_true(x.value == array[n % 3] * 0.5);
        n++;
    }
    assert_int_equal(n, 4);
    n = 0;
    CO_FOR(rows_item, row, rows(pointed(co_range(0, 10, 1), 0, 0), 4)) {
        assert_int_equal(row.items[row.count - 1].z, n + static_cast<long>(row.count) - 1);
        n += 4;
    }
    assert_int_equal(n, 12);
    long *items;
    size_t count;
    assert_int_equal(CO_COLLECT_AT_MOST(co_count(5, 5), 3, &items, &count), 0);
    assert_int_equal(count, 3);
    assert_int_equal(items[2], 15);
    free(items);
    CO_GEN(long) two[2];
    assert_int_equal(CO_TEE(co_range(0, 5, 1), 2, two), 0);
    CO_MEMO(long) memo = CO_MEMO_MAKE(CO_CHAIN(two[0], two[1]));
    for (int i = 0; i < 3; i++) {
        total = 0;
        assert_int_equal(sum(CO_MEMO_ITERATE(memo), &total), 0);
        assert_int_equal(total, 20);
    }
    assert_int_equal(CO_MEMO_DESTROY(memo), 0);
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_forms),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
