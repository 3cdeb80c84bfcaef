/* One generator for several: tee and memo. The memory that the buffer takes is counted.
 * Compiled with: -Wl,-wrap=malloc,-wrap=calloc,-wrap=realloc,-wrap=free
 * Compiled with: -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "itertools.h"
#include "itertools_memory.h"
#include "memory.h"

/* ---- Tee ------------------------------------------------------------------------------------------------------- */

/* Consumers in any order: an item that is lost, repeated, or asked of the source twice. */
static void test_tee_in_any_order(void **state) {
    (void)state;
    static const long sizes[] = {0, 1, 100, 127, 128, 129, 256, 1000};
    unsigned random = 1;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (unsigned n = 1; n <= 4; n++) {
            CO_GEN(long) all[4];
            long next[4] = {0}, left = (long)n;
            reset_counts();
            assert_int_equal(CO_TEE(counted(sizes[s], 0), n, all), 0);
            while (left > 0) {
                random = random * 1103515245u + 12345u;
                const unsigned which = (random >> 16) % n;
                long x = -1;
                if (next[which] < 0)
                    continue;
                const int status = CO_NEXT(all[which], &x);
                assert_int_equal(status, next[which] < sizes[s]);
                if (status == 1) {
                    assert_int_equal(x, next[which]++);
                } else {
                    next[which] = -1;
                    left--;
                }
            }
            assert_int_equal(switches, sizes[s] + 1);
            assert_int_equal(cleanups, 1);
            for (unsigned i = 0; i < n; i++)
                assert_int_equal(CO_GEN_DESTROY(all[i]), 0);
        }
}

/* Large items that move while somebody looks at them. */
static void test_tee_of_large_items(void **state) {
    (void)state;
    CO_GEN(struct point) two[2];
    assert_int_equal(CO_TEE(points(500), 2, two), 0);
    assert_int_equal(co_gen_next(CO_GEN_UNTYPED(two[0])), 1);
    assert_int_equal(co_gen_next(CO_GEN_UNTYPED(two[0])), 1);
    const struct point *item = co_gen_item(CO_GEN_UNTYPED(two[0]));
    long n = 0;
    CO_FOR(struct point, p, two[1]) {
        assert_int_equal(p.z, 3 * n);
        n++;
    }
    assert_int_equal(n, 500);
    assert_int_equal(item->z, 3);
    assert_int_equal(CO_GEN_DESTROY(two[0]), 0);
}

/* A buffer that keeps what all have seen, or that is not given back with who was slow. */
static void test_tee_buffers_what_lies_between(void **state) {
    (void)state;
    if (!calls_can_be_intercepted())
        skip();
    CO_GEN(long) two[2];
    long x = -1, y = -2;
    assert_int_equal(CO_TEE(co_count(0, 1), 2, two), 0);
    const long blocks = memory.held;
    long most = 0;
    for (long i = 0; i < 10000; i++) {
        assert_int_equal(CO_NEXT(two[i % 2], &x) + CO_NEXT(two[1 - i % 2], &y), 2);
        assert_int_equal(x, y);
        most = memory.held > most ? memory.held : most;
    }
    assert_true(most <= blocks + 1);
    for (long i = 0; i < 10000; i++)
        assert_int_equal(CO_NEXT(two[0], &x), 1);
    assert_true(memory.held > blocks + 10000 * 8 / 1024 - 2);
    assert_int_equal(CO_GEN_DESTROY(two[1]), 0);
    assert_true(memory.held <= blocks);
    assert_int_equal(CO_NEXT(two[0], &x), 1);
    assert_int_equal(x, 20000);
    assert_int_equal(CO_GEN_DESTROY(two[0]), 0);
}

struct page {
    char text[3000];
};
static CO_MAP(pages, struct page, long, x) {
    struct page page = {""};
    page.text[sizeof page.text - 1] = (char)x;
    return page;
}

/* Items that are larger than a chunk. */
static void test_tee_of_larger_items(void **state) {
    (void)state;
    CO_GEN(struct page) two[2];
    assert_int_equal(CO_TEE(pages(co_range(0, 9, 1)), 2, two), 0);
    for (int i = 0; i < 2; i++) {
        int n = 0;
        CO_FOR(struct page, page, two[i])
            assert_int_equal(page.text[sizeof page.text - 1], n++);
        assert_int_equal(n, 9);
    }
}

/* A source, or a buffer, that is kept until the consumers are destroyed, though all have seen its end. */
static void test_tee_gives_back_at_the_end(void **state) {
    (void)state;
    if (!calls_can_be_intercepted())
        skip();
    const long before = memory.held;
    CO_GEN(long) two[2];
    long x = -1;
    assert_int_equal(CO_TEE(co_range(0, 2, 1), 2, two), 0);
    const long held = memory.held;
    for (int i = 0; i < 3; i++)
        assert_int_equal(CO_NEXT(two[0], &x), i < 2);
    assert_int_equal(memory.held, held - 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(CO_NEXT(two[1], &x), i < 2);
    assert_int_equal(memory.held, before + 2);
    assert_int_equal(CO_GEN_DESTROY(two[0]) + CO_GEN_DESTROY(two[1]), 0);
    assert_int_equal(memory.held, before);
}

static CO_GENERATOR(borrows, long, (CO_GEN(long), inner)) { CO_FROM_BORROWED(inner, NULL); }

/* A source that ends while somebody else waits for it, and cannot be destroyed then: it goes with its owner. */
static void test_source_that_ends_and_is_borrowed(void **state) {
    (void)state;
    if (!calls_can_be_intercepted())
        skip();
    for (int is_tee = 0; is_tee < 2; is_tee++) {
        long x = -1;
        const long before = memory.held;
        CO_GEN(long) source = co_range(0, 2, 1);
        CO_GEN(long) borrower = borrows(source);
        CO_GEN(long) owner = NULL;
        if (is_tee)
            assert_int_equal(CO_TEE(source, 1, &owner), 0);
        else
            owner = CO_CHAIN(source, co_range(5, 6, 1));
        assert_int_equal(CO_NEXT(borrower, &x), 1);
        assert_int_equal(CO_NEXT(owner, &x), 1);
        assert_int_equal(x, 1);
        assert_int_equal(CO_NEXT(owner, &x), !is_tee);
        assert_int_equal(CO_NEXT(owner, &x), 0);
        assert_int_equal(CO_GEN_DESTROY(owner), -EBUSY);
        assert_int_equal(CO_GEN_DESTROY(borrower), 0);
        assert_int_equal(CO_GEN_DESTROY(owner), 0);
        assert_int_equal(memory.held, before);
    }
}

/* An error that only the first consumer sees, and a source that is destroyed early, late, or not. */
static void test_tee_ends(void **state) {
    (void)state;
    CO_GEN(long) two[2];
    long x = -1;
    reset_counts();
    assert_int_equal(CO_TEE(counted(2, EIO), 2, two), 0);
    expect_items(two[0], -EIO, 0, 1);
    assert_int_equal(cleanups, 1);
    expect_items(two[1], -EIO, 0, 1);
    assert_int_equal(CO_TEE(counted(9, 0), 2, two), 0);
    assert_int_equal(CO_NEXT(two[1], &x), 1);
    assert_int_equal(CO_THROW(two[1], EPROTO, &x), -EPROTO); /* closes this one only */
    assert_int_equal(CO_GEN_DESTROY(two[1]), 0);
    assert_int_equal(CO_NEXT(two[0], &x), 1);
    assert_int_equal(x, 0);
    assert_int_equal(cleanups, 1);
    cleanup_error = ENOSPC;
    assert_int_equal(CO_GEN_CLOSE(two[0]), -ENOSPC);
    assert_int_equal(cleanups, 2);
    assert_int_equal(CO_GEN_DESTROY(two[0]), 0);
    CO_GEN(long) nothing = NULL;
    errno = 0;
    assert_int_equal(CO_TEE(nothing, 2, two), -EINVAL);
    assert_null(two[0]);
    assert_null(two[1]);
    CO_GEN(long) source = counted(3, 0);
    assert_int_equal(CO_NEXT(source, &x), 1);
    assert_int_equal(CO_TEE(source, 0, two), -ENOSPC);
    assert_int_equal(cleanups, 3);
}

static CO_GEN(long) others[2];
static int answer;

static CO_GENERATOR(asks_its_own_tee, long) {
    long x = -1;
    CO_EMIT(1);
    answer =
        CO_NEXT(others[1], &x) == 1 ? CO_NEXT(others[1], &x) : -1; /* the first is there, the second is on its way */
    CO_EMIT(2);
}

/* A source that is entered while it runs. */
static void test_tee_of_one_that_asks_it(void **state) {
    (void)state;
    long x = -1;
    assert_int_equal(CO_TEE(asks_its_own_tee(), 2, others), 0);
    assert_int_equal(CO_NEXT(others[0], &x), 1);
    assert_int_equal(CO_NEXT(others[0], &x), 1);
    assert_int_equal(x, 2);
    assert_int_equal(answer, -EBUSY);
    expect_items(others[1], 0, 2); /* and survives */
    expect_none(others[0], 0);
}

/* ---- Memo ------------------------------------------------------------------------------------------------------ */

/* A source that runs again for the second, and those that run at once disturbing each other. */
static void test_memo(void **state) {
    (void)state;
    reset_counts();
    CO_MEMO(long) memo = CO_MEMO_MAKE(counted(300, EIO));
    int status, pairs = 0;
    assert_int_equal(switches, 0);
    for (long i = 0; i < 300; i += 50) {
        long n = 0;
        CO_FOR(long, x, CO_TAKE(CO_MEMO_ITERATE(memo), (size_t)i))
            assert_int_equal(x, n++);
        assert_int_equal(n, i);
        assert_int_equal(switches, i);
    }
    CO_FOR_STATUS(long, x, CO_MEMO_ITERATE(memo), status) {
        CO_GEN(long) inner = CO_MEMO_ITERATE(memo);
        CO_FOR(long, y, inner)
            pairs += y <= x;
    }
    assert_int_equal(status, -EIO);
    assert_int_equal(pairs, 300 * 301 / 2);
    assert_int_equal(switches, 301);
    assert_int_equal(cleanups, 1);
    CO_FOR_STATUS(long, x, CO_MEMO_ITERATE(memo), status)
        pairs -= (int)x;
    assert_int_equal(status, -EIO);
    assert_int_equal(pairs, 300);
    assert_int_equal(CO_MEMO_DESTROY(memo), 0);
    assert_int_equal(cleanups, 1);
}

/* A memo that is gone before who iterates it, and a source that is destroyed with the first that leaves. */
static void test_memo_is_outlived(void **state) {
    (void)state;
    long x = -1;
    reset_counts();
    CO_MEMO(long) memo = CO_MEMO_MAKE(counted(3, 0));
    CO_GEN(long) first = CO_MEMO_ITERATE(memo);
    CO_GEN(long) second = CO_MEMO_ITERATE(memo);
    assert_int_equal(CO_NEXT(first, &x), 1);
    assert_int_equal(CO_GEN_DESTROY(first), 0);
    assert_int_equal(CO_MEMO_DESTROY(memo), 0);
    assert_int_equal(cleanups, 0);
    expect_items(second, 0, 0, 1, 2);
    assert_int_equal(cleanups, 1);
    CO_GEN(long) source = counted(3, 0);
    assert_int_equal(CO_NEXT(source, &x), 1);
    memo = CO_MEMO_MAKE(source);
    cleanup_error = ENOSPC;
    assert_int_equal(CO_MEMO_DESTROY(memo), -ENOSPC);
    errno = 0;
    memo = CO_MEMO_MAKE((CO_GEN(long))NULL);
    assert_null(memo);
    assert_int_equal(errno, EINVAL);
    assert_null(CO_MEMO_ITERATE(memo));
    assert_int_equal(CO_MEMO_DESTROY(memo), 0);
}

/* A memo whose source cannot be destroyed yet. */
static void test_memo_of_a_borrowed_source(void **state) {
    (void)state;
    long x = -1;
    reset_counts();
    CO_GEN(long) source = counted(3, 0);
    CO_GEN(long) borrower = borrows(source);
    CO_MEMO(long) memo = CO_MEMO_MAKE(source);
    assert_int_equal(CO_NEXT(borrower, &x), 1);
    assert_int_equal(CO_MEMO_DESTROY(memo), -EBUSY);
    expect_items(CO_TAKE(CO_MEMO_ITERATE(memo), 1), 0, 1); /* and is as before */
    assert_int_equal(CO_MEMO_DESTROY(memo), -EBUSY);
    assert_int_equal(CO_GEN_DESTROY(borrower), 0);
    assert_int_equal(CO_MEMO_DESTROY(memo), 0);
    assert_int_equal(cleanups, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tee_in_any_order),
        cmocka_unit_test(test_tee_of_large_items),
        cmocka_unit_test(test_tee_of_larger_items),
        cmocka_unit_test(test_tee_gives_back_at_the_end),
        cmocka_unit_test(test_source_that_ends_and_is_borrowed),
        cmocka_unit_test(test_tee_buffers_what_lies_between),
        cmocka_unit_test(test_tee_ends),
        cmocka_unit_test(test_tee_of_one_that_asks_it),
        cmocka_unit_test(test_memo),
        cmocka_unit_test(test_memo_is_outlived),
        cmocka_unit_test(test_memo_of_a_borrowed_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
