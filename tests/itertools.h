/* What the tests of generator helpers share: sources that tell how often they ran and ended, and expectations of items.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_ITERTOOLS_H
#define CO_TEST_ITERTOOLS_H

#include "support.h"

#include <co/itertools.h>

#include <errno.h>
#include <limits.h>

/* Of `counted` below, since reset_counts. */
static int switches; /* into a body, the first included */
static int cleanups;
static int cleanup_error;

static inline void reset_counts(void) { switches = cleanups = cleanup_error = 0; }

static inline void cleaned_up(void *arg) {
    (void)arg;
    cleanups++;
    if (cleanup_error != 0)
        (void)co_fail(cleanup_error);
}

/* 0, 1, ... n - 1, and then the end or an error. */
static CO__UNUSED CO_GENERATOR(counted, long, (long, n), (int, error)) {
    (void)co_defer(cleaned_up, NULL);
    switches++;
    for (long i = 0; i < n; i++) {
        CO_EMIT(i);
        switches++;
    }
    if (error != 0)
        CO_FAIL(error);
}

/* Items that are larger than a pointer. */
struct point {
    long x, y, z;
};

static CO__UNUSED CO_GENERATOR(points, struct point, (long, n)) {
    for (long i = 0; i < n; i++) {
        const struct point p = {i, 2 * i, 3 * i};
        CO_EMIT(p);
    }
}

/* Takes all of a generator: its items are `count` numbers, and it ends with `status`. Destroys it. */
#define expect_items(generator, status, ...)                                                                           \
    do {                                                                                                               \
        const long expected_[] = {__VA_ARGS__};                                                                        \
        expect_these(generator, status, expected_, sizeof expected_ / sizeof expected_[0]);                            \
    } while (0)
#define expect_none(generator, status) expect_these(generator, status, NULL, 0)

static inline void expect_these(CO_GEN(long) generator, int status, const long *expected, size_t count) {
    long x = -1;
    assert_non_null(generator);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(CO_NEXT(generator, &x), 1);
        assert_int_equal(x, expected[i]);
    }
    x = -1;
    assert_int_equal(CO_NEXT(generator, &x), status);
    assert_int_equal(CO_GEN_STATE(generator), CO_GEN_DONE);
    assert_int_equal(CO_NEXT(generator, &x), 0);
    assert_int_equal(x, -1);
    assert_int_equal(CO_GEN_DESTROY(generator), 0);
}

#endif
