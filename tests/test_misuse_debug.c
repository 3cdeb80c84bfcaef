/* What CO_DEBUG adds: co_yield_from refuses a handle that is not the running coroutine's, whichever the
 * door.
 * Compiled with: -DCO_DEBUG */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>

static void *suspend(void *arg) { return co_yield(arg); }

static void *yield_from_wrong_handles(void *arg) {
    co_t *const wrong[] = {NULL, (co_t *)arg};
    for (size_t i = 0; i < 2; i++) {
        errno = 0;
        assert_null(co_yield_from(wrong[i], value_of(1)));
        assert_int_equal(errno, EPERM);
    }
    return co_yield_from(co_self(), value_of(2));
}

/* A switch out of a coroutine that does not run, which loses the stack of the one that does. */
static void test_yield_from_a_wrong_handle(void **state) {
    (void)state;
    void *out = NULL;
    co_t *other = co_create(suspend, value_of(1));
    co_t *co = co_create(yield_from_wrong_handles, other);
    assert_int_equal(co_resume(other, NULL, &out), CO_YIELDED);
    errno = 0;
    assert_null(co_yield_from(other, value_of(1)));
    assert_int_equal(errno, EPERM);
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 2);
    assert_int_equal(co_resume(co, value_of(3), &out), CO_RETURNED);
    assert_int_equal(number_of(out), 3);
    assert_int_equal(co_resume(other, value_of(4), &out), CO_RETURNED);
    assert_int_equal(number_of(out), 4);
    co_destroy(co);
    co_destroy(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_yield_from_a_wrong_handle)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
