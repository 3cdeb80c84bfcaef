/* Helpers that pass items on, against the plain loop: take, skip, chain, zip, enumerate, batch, collect. */
#define _GNU_SOURCE
#include "itertools.h"

static CO_ZIP(pairs, long, struct point);
static CO_ZIP(small_pairs, int, short);
static CO_ENUMERATE(numbered, long);
static CO_BATCH(rows, long);
static CO_BATCH(point_rows, struct point);

static const long sizes[] = {0, 1, 2, 7, 100};
#define SIZES (sizeof sizes / sizeof *sizes)

/* One too many or too few, or a source that is stepped beyond what is asked for. */
static void test_take_and_skip(void **state) {
    (void)state;
    static const size_t counts[] = {0, 1, 2, 6, 7, 8, SIZE_MAX - 1, SIZE_MAX};
    for (size_t s = 0; s < SIZES; s++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            const size_t n = (size_t)sizes[s], count = counts[c] < n ? counts[c] : n;
            long i = 0;
            reset_counts();
            CO_FOR(long, x, CO_TAKE(counted(sizes[s], 0), counts[c]))
                assert_int_equal(x, i++);
            assert_int_equal(i, count);
            assert_int_equal(switches, counts[c] > n ? n + 1 : count);
            assert_int_equal(cleanups, counts[c] == 0 ? 0 : 1);
            i = (long)count;
            CO_FOR(long, x, CO_SKIP(counted(sizes[s], 0), counts[c]))
                assert_int_equal(x, i++);
            assert_int_equal(i, n);
        }
    CO_FOR(struct point, p, CO_TAKE(CO_SKIP(points(9), 3), 1))
        assert_int_equal(p.z, 9);
}

/* Items that the untyped calls take for their addresses, or the other way round. */
static void test_untyped_items(void **state) {
    (void)state;
    co_gen_t *large[] = {
        CO_GEN_UNTYPED(CO_TAKE(points(9), 9)),
        CO_GEN_UNTYPED(CO_SKIP(points(9), 0)),
        CO_GEN_UNTYPED(CO_CHAIN(points(9), points(1))),
    };
    co_gen_t *small[] = {
        CO_GEN_UNTYPED(CO_TAKE(counted(9, 0), 9)),
        CO_GEN_UNTYPED(CO_SKIP(counted(9, 0), 0)),
        CO_GEN_UNTYPED(CO_CHAIN(counted(9, 0), counted(1, 0))),
    };
    for (size_t i = 0; i < 3; i++) {
        assert_null(co_gen_item(large[i]));
        for (long n = 0; n < 2; n++) {
            assert_int_equal(co_gen_next(large[i]) + co_gen_next(small[i]), 2);
            assert_int_equal(((const struct point *)co_gen_item(large[i]))->z, 3 * n);
            assert_int_equal(*(const long *)co_gen_item(small[i]), n);
        }
        assert_int_equal(co_gen_destroy(large[i]) + co_gen_destroy(small[i]), 0);
    }
}

/* A generator that is left out or comes twice. */
static void test_chain(void **state) {
    (void)state;
    expect_items(CO_CHAIN(co_range(1, 3, 1)), 0, 1, 2);
    expect_items(CO_CHAIN(co_range(0, 0, 1), co_range(1, 3, 1), co_range(5, 5, 1)), 0, 1, 2);
    expect_items(CO_CHAIN(co_range(1, 2, 1), co_range(2, 3, 1), co_range(3, 4, 1), co_range(4, 5, 1), co_range(5, 6, 1),
                          co_range(6, 7, 1), co_range(7, 8, 1), co_range(8, 9, 1)),
                 0, 1, 2, 3, 4, 5, 6, 7, 8);
    reset_counts();
    CO_GEN(long) chain = CO_CHAIN(counted(1, 0), counted(2, EIO), counted(3, 0));
    long x = -1;
    assert_int_equal(CO_NEXT(chain, &x), 1);
    assert_int_equal(cleanups, 0);
    assert_int_equal(CO_NEXT(chain, &x), 1);
    assert_int_equal(cleanups, 1); /* an ended one does not wait for the others */
    expect_items(chain, -EIO, 1);
    assert_int_equal(cleanups, 2); /* the third was fresh */
}

/* The longer source's rest that is taken for items, and the item of which only the first half came. */
static void test_zip(void **state) {
    (void)state;
    for (size_t a = 0; a < SIZES; a++)
        for (size_t b = 0; b < SIZES; b++) {
            long n = 0;
            CO_FOR(pairs_item, p, pairs(counted(sizes[a], 0), points(sizes[b]))) {
                assert_int_equal(p.first, n);
                assert_int_equal(p.second.z, 3 * n);
                n++;
            }
            assert_int_equal(n, sizes[a] < sizes[b] ? sizes[a] : sizes[b]);
        }
    static const int ints[] = {1, -2, 3};
    static const short shorts[] = {-4, 5, 6, 7};
    int n = 0;
    CO_FOR(struct small_pairs_item, p, small_pairs(CO_FROM_ARRAY(ints, 3), CO_FROM_ARRAY(shorts, 4))) {
        assert_int_equal(p.first, ints[n]);
        assert_int_equal(p.second, shorts[n]);
        n++;
    }
    assert_int_equal(n, 3);
    reset_counts();
    CO_GEN(pairs_item) zip = pairs(counted(5, EIO), points(9));
    pairs_item item;
    while ((n = CO_NEXT(zip, &item)) == 1)
        continue;
    assert_int_equal(n, -EIO);
    assert_int_equal(item.first, 4);
    assert_int_equal(CO_GEN_DESTROY(zip), 0);
    assert_int_equal(cleanups, 1);
}

/* An index that wraps around. */
static void test_enumerate(void **state) {
    (void)state;
    for (size_t s = 0; s < SIZES; s++)
        for (long start = -2; start < 3; start++) {
            long n = 0;
            CO_FOR(numbered_item, x, numbered(counted(sizes[s], 0), start)) {
                assert_int_equal(x.index, start + n);
                assert_int_equal(x.value, n);
                n++;
            }
            assert_int_equal(n, sizes[s]);
        }
    for (long items = 1; items < 4; items++) {
        int status, n = 0;
        CO_FOR_STATUS(numbered_item, x, numbered(counted(items, 0), LONG_MAX - 1), status) {
            assert_true(x.index == LONG_MAX - 1 + n);
            n++;
        }
        assert_int_equal(status, items == 3 ? -EOVERFLOW : 0);
        assert_int_equal(n, items == 3 ? 2 : items);
    }
}

/* A last batch that is lost, empty, or full of old items, and memory for as many as are asked for. */
static void test_batch(void **state) {
    (void)state;
    static const size_t counts[] = {1, 2, 3, 7, 8, 99, 100, 101, SIZE_MAX / 8, SIZE_MAX};
    for (size_t s = 0; s < SIZES; s++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            size_t seen = 0, batches = 0, n = (size_t)sizes[s];
            CO_FOR(rows_item, row, rows(counted(sizes[s], 0), counts[c])) {
                assert_int_equal(row.count, n - seen < counts[c] ? n - seen : counts[c]);
                for (size_t i = 0; i < row.count; i++)
                    assert_int_equal(row.items[i], seen++);
                batches++;
            }
            assert_int_equal(seen, n);
            assert_int_equal(batches, n == 0 ? 0 : (n - 1) / counts[c] + 1);
        }
    CO_FOR(point_rows_item, row, point_rows(points(20), 20))
        assert_int_equal(row.items[19].z, 57);
    reset_counts();
    long x = -1;
    CO_GEN(long) source = counted(3, 0);
    assert_int_equal(CO_NEXT(source, &x), 1);
    errno = 0;
    assert_null(rows(source, 0));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(cleanups, 1);
    cleanups = 0;
    rows_item row;
    CO_GEN(rows_item) failing = rows(counted(3, EIO), 2);
    assert_int_equal(CO_NEXT(failing, &row), 1);
    assert_int_equal(CO_NEXT(failing, &row), -EIO);
    assert_int_equal(CO_NEXT(failing, &row), 0);
    assert_int_equal(CO_GEN_DESTROY(failing), 0);
    assert_int_equal(cleanups, 1);
}

/* Items that are lost where the array grows, a source that is not destroyed, and memory of a failed one. */
static void test_collect(void **state) {
    (void)state;
    static const size_t counts[] = {0, 1, 7, 8, 9, 100, 101, SIZE_MAX};
    long *items;
    size_t count;
    for (size_t s = 0; s < SIZES; s++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            const size_t n = (size_t)sizes[s], expected = n < counts[c] ? n : counts[c];
            reset_counts();
            assert_int_equal(CO_COLLECT_AT_MOST(counted(sizes[s], 0), counts[c], &items, &count), 0);
            assert_int_equal(count, expected);
            assert_int_equal(switches, counts[c] > n ? n + 1 : expected);
            assert_int_equal(cleanups, switches > 0);
            assert_int_equal(items == NULL, count == 0);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(items[i], i);
            free(items);
        }
    struct point *all;
    assert_int_equal(CO_COLLECT(points(1000), &all, &count), 0);
    assert_int_equal(count, 1000);
    assert_int_equal(all[999].z, 2997);
    free(all);
    reset_counts();
    assert_int_equal(CO_COLLECT(counted(9, EIO), &items, &count), -EIO);
    assert_null(items);
    assert_int_equal(count, 0);
    cleanup_error = ENOSPC;
    assert_int_equal(CO_COLLECT_AT_MOST(counted(9, EIO), 3, &items, &count), -ENOSPC);
    assert_null(items);
    assert_int_equal(cleanups, 2);
    errno = 0;
    assert_int_equal(CO_COLLECT(CO_TAKE((CO_GEN(long))NULL, 1), &items, &count), -EINVAL);
    assert_null(items);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_and_skip), cmocka_unit_test(test_untyped_items), cmocka_unit_test(test_chain),
        cmocka_unit_test(test_zip),           cmocka_unit_test(test_enumerate),     cmocka_unit_test(test_batch),
        cmocka_unit_test(test_collect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
