/* Stacks that had an owner before: nothing of the last one is left for the next, and its handle is told so. */
#define _GNU_SOURCE
#include "memory.h"

/* ---- Nothing of the last owner's ------------------------------------------------------------------------------- */

static const co_options_t with_everything = {.name = "first", .data = (void *)7, .flags = CO_FPENV};
static const co_options_t painted = {.name = "painted", .data = (void *)8, .flags = CO_WATERMARK};
static const co_options_t with_nothing = {0};

enum { WAYS_OF_CREATING = 6, WAYS_OF_ENDING = 10 };

static co_t *create_in_way(int way, co_fn fn, void *arg) {
    switch (way) {
    case 0:
        return co_create(fn, arg);
    case 1:
        return (co_create)(fn, arg);
    case 2:
        return co_create_with(NULL, fn, arg);
    case 3:
        return co_create_with(&with_everything, fn, arg);
    case 4:
        return co_create_with(&painted, fn, arg);
    default:
        return co_create_with(&with_nothing, fn, arg);
    }
}

static void refused_yield(void *arg) {
    assert_null(co_yield(arg));
    assert_int_equal(co_error(), EPERM);
}

static void fail_deferred(void *arg) {
    (void)arg;
    co_fail(EDOM);
}

static void *first_owner(void *arg) {
    const intptr_t way = number_of(arg);
    if (way >= 6)
        assert_int_equal(co_defer(way == 9 ? fail_deferred : refused_yield, NULL), 0);
    if (way == 0)
        return arg;
    if (way == 1)
        return co_fail(EIO);
    if (way == 8)
        co_fail(EIO); /* and then closed */
    void *in = co_yield(arg);
    if (way == 2)
        return co_fail(co_error());
    return in;
}

/* Ends the coroutine and destroys it. */
static void end_in_way(co_t *co, int way) {
    if (way == 4) { /* fresh */
        assert_int_equal(co_destroy(co), 0);
        return;
    }
    const int status = co_resume(co, NULL, NULL);
    switch (way) {
    case 0:
        assert_int_equal(status, CO_RETURNED);
        break;
    case 1:
        assert_int_equal(status, -EIO);
        break;
    case 2:
        assert_int_equal(co_throw(co, ENOSPC, NULL), -ENOSPC);
        break;
    case 3:
        assert_int_equal(co_close(co), 0);
        break;
    case 5:
        break; /* suspended */
    case 6:
        assert_int_equal(co_throw(co, ENOSPC, NULL), -EPERM);
        break;
    case 7:
        assert_int_equal(co_destroy(co), -EPERM);
        return;
    case 8:
        assert_int_equal(co_close(co), -EPERM);
        break;
    default:
        assert_int_equal(co_close(co), -EDOM);
        break;
    }
    assert_int_equal(co_destroy(co), 0);
}

static void *second_owner(void *arg) {
    assert_int_equal(co_error(), 0);
    assert_ptr_equal(arg, UNTOUCHED);
    assert_int_equal(co_defer(trace_letter, LETTER("s")), 0);
    assert_int_equal(number_of(co_yield(value_of(1))), 10);
    assert_int_equal(co_error(), 0);
    assert_null(co_yield(value_of(2)));
    assert_int_equal(co_error(), EXDEV);
    assert_int_equal(number_of(co_yield(value_of(3))), 30);
    assert_int_equal(co_error(), 0);
    return value_of(4);
}

static void assert_clean(co_t *co, int creation, bool closes) {
    void *out = UNTOUCHED;
    trace_clear();
    assert_int_equal(co_status(co), CO_SUSPENDED);
    assert_ptr_equal(co_data(co), creation == 3 ? value_of(7) : creation == 4 ? value_of(8) : NULL);
    assert_true(creation == 3 || creation == 4 ? co_name(co) != NULL : co_name(co) == NULL);
    assert_true(creation == 0 ? strstr(co_site(co), "test_pool_owners.c:") != NULL : co_site(co) == NULL);
    assert_int_equal(co_resume(co, value_of(1), &out), -EINVAL);
    assert_ptr_equal(out, UNTOUCHED);
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 1);
    assert_trace("");
    if (closes) {
        assert_int_equal(co_close(co), 0);
    } else {
        assert_int_equal(co_resume(co, value_of(10), &out), CO_YIELDED);
        assert_int_equal(number_of(out), 2);
        assert_int_equal(co_throw(co, EXDEV, &out), CO_YIELDED);
        assert_int_equal(number_of(out), 3);
        assert_int_equal(co_resume(co, value_of(30), &out), CO_RETURNED);
        assert_int_equal(number_of(out), 4);
    }
    assert_trace("s");
    assert_int_equal(co_status(co), CO_DEAD);
    assert_int_equal(co_destroy(co), 0);
}

/* An error, a failure, a deferred call, a name or a refusal that the next owner of the stack inherits. */
static void test_reuse_starts_clean(void **state) {
    (void)state;
    for (int closes = 0; closes < 2; closes++)
        for (int ending = 0; ending < WAYS_OF_ENDING; ending++)
            for (int before = 0; before < WAYS_OF_CREATING; before++)
                for (int after = 0; after < WAYS_OF_CREATING; after++) {
                    co_t *first = create_in_way(before, first_owner, value_of(ending));
                    assert_non_null(first);
                    end_in_way(first, ending);
                    assert_int_equal(co_status(first), CO_DEAD);
                    co_t *second = create_in_way(after, second_owner, UNTOUCHED);
                    assert_ptr_equal(second, first);
                    assert_clean(second, after, closes);
                }
}

/* A handle that is used too late, as long as nobody has the stack. */
static void test_stale_handles(void **state) {
    (void)state;
    enum { MANY = 400 }; /* in the magazines and in the depot */
    static co_t *all[MANY];
    static const size_t sizes[] = {0, 32 * 1024};
    for (size_t size = 0; size < 2; size++) {
        for (int i = 0; i < MANY; i++) {
            all[i] = sizes[size] == 0 && i % 2 == 0 ? co_create(suspend, NULL) : create(sizes[size], suspend, NULL);
            assert_non_null(all[i]);
            if (i % 3 != 0)
                assert_int_equal(co_resume(all[i], NULL, NULL), CO_YIELDED);
            if (i % 3 == 1)
                assert_int_equal(co_resume(all[i], NULL, NULL), CO_RETURNED);
        }
        for (int i = 0; i < MANY; i++)
            assert_int_equal(co_destroy(all[i]), 0);
        for (int i = 0; i < MANY; i++) {
            void *out = UNTOUCHED;
            assert_int_equal(co_resume(all[i], NULL, &out), -ESRCH);
            assert_int_equal(co_resume(all[i], value_of(1), &out), -ESRCH);
            assert_ptr_equal(out, UNTOUCHED);
            assert_int_equal(co_status(all[i]), CO_DEAD);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reuse_starts_clean),
        cmocka_unit_test(test_stale_handles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
