/* Helpers that are stepped, closed or destroyed while they, or what they own, execute, or while somebody else waits for
 * what they own: an error that says so, and nothing lost. */
#define _GNU_SOURCE
#include "itertools_makers.h"

static CO_GEN(long) itself;
static int answers[5];

static void do_everything_to_itself(void) {
    long x = -1;
    answers[0] = CO_NEXT(itself, &x);
    answers[1] = CO_SEND(itself, &x, &x);
    answers[2] = CO_THROW(itself, EIO, &x);
    answers[3] = CO_GEN_CLOSE(itself);
    answers[4] = CO_GEN_DESTROY(itself);
    for (int i = 0; i < 5; i++)
        assert_int_equal(answers[i], -EBUSY);
    assert_int_equal(CO_GEN_STATE(itself), CO_GEN_EXECUTING);
}

static void disturb(void *arg) {
    (void)arg;
    cleanups++;
    do_everything_to_itself();
}
static CO_GENERATOR(disturbs, long, (int, in_cleanup)) {
    if (in_cleanup)
        (void)co_defer(disturb, NULL);
    for (long i = 0;; i++) {
        if (!in_cleanup)
            do_everything_to_itself();
        CO_EMIT(i);
    }
}
static CO_FILTER(disturbing, long, x) {
    do_everything_to_itself();
    return x % 2 == 0;
}

/* A helper that is entered, or freed, while its source, its function, or the end of its source runs. */
static void test_reentrance(void **state) {
    (void)state;
    long x = -1;
    FOR_EACH_MAKER(make) {
        itself = make(disturbs(0));
        for (long i = 0; i < 3; i++) {
            assert_int_equal(CO_NEXT(itself, &x), 1);
            assert_int_equal(x, i);
        }
        assert_int_equal(CO_GEN_DESTROY(itself), 0);
        reset_counts();
        itself = make(disturbs(1));
        assert_int_equal(CO_NEXT(itself, &x), 1);
        assert_int_equal(CO_GEN_CLOSE(itself), 0);
        assert_int_equal(cleanups, 1);
        assert_int_equal(CO_GEN_DESTROY(itself), 0);
    }
    itself = disturbing(counted(9, 0));
    for (long i = 0; i < 5; i++) {
        assert_int_equal(CO_NEXT(itself, &x), 1);
        assert_int_equal(x, 2 * i);
    }
    expect_none(itself, 0);
    FOR_EACH_MAKER(make) { /* the same as the source of another */
        itself = disturbing(counted(9, 0));
        CO_GEN(long) helper = make(itself);
        for (long i = 0; i < 5; i++) {
            assert_int_equal(CO_NEXT(helper, &x), 1);
            assert_int_equal(x, 2 * i);
            assert_int_equal(CO_GEN_STATE(itself), CO_GEN_SUSPENDED);
        }
        assert_int_equal(CO_GEN_DESTROY(helper), 0);
    }
}

static void ask_in_vain(void) {
    long x = -1;
    assert_int_equal(CO_NEXT(itself, &x), -EBUSY);
    assert_int_equal(CO_GEN_CLOSE(itself), -EBUSY);
    assert_int_equal(CO_THROW(itself, EIO, &x), -EBUSY);
    assert_int_equal(CO_GEN_DESTROY(itself), -EBUSY);
    assert_int_equal(x, -1);
}

static CO_GENERATOR(owned_by_itself, long) {
    CO_EMIT(1);
    ask_in_vain();
    CO_EMIT(2);
    CO_EMIT(3);
    CO_EMIT(4);
}
static CO_MAP(asking_in_vain, long, long, x) {
    if (x == 1)
        ask_in_vain();
    return x + 1;
}

/* The same makers, where a step that was refused must not have used up what they count or keep. */
static CO_GEN(long) make_take_one(CO_GEN(long) g) { return CO_TAKE(g, 1); }
static CO_GEN(long) make_skip_one(CO_GEN(long) g) { return CO_SKIP(g, 1); }
static CO_GEN(long) make_zip_kept(CO_GEN(long) g) { return first_of(pairs(co_count(3, 1), g)); }

/* The end of a helper whose source runs because somebody else has stepped it: half done, or memory that runs code. The
 * source is a coroutine, and another helper. */
static void test_source_that_executes(void **state) {
    (void)state;
    static CO_GEN(long) (*const counting[])(CO_GEN(long)) = {make_take_one, make_skip_one, make_zip_kept};
    const size_t count = sizeof makers / sizeof *makers;
    long x = -1;
    for (size_t i = 0; i < count + 3; i++)
        for (int is_helper = 0; is_helper < 2; is_helper++) {
            CO_GEN(long) (*make)(CO_GEN(long)) = i < count ? makers[i] : counting[i - count];
            CO_GEN(long) source = is_helper ? asking_in_vain(counted(4, 0)) : owned_by_itself();
            itself = make(source);
            assert_int_equal(CO_NEXT(source, &x), 1);
            assert_int_equal(CO_NEXT(source, &x), 1);
            assert_int_equal(x, 2);
            assert_int_equal(CO_NEXT(itself, &x), 1);
            assert_int_equal(x, make == make_skip_one ? 4 : 3);
            assert_int_equal(CO_GEN_DESTROY(itself), 0);
        }
}

static CO_GENERATOR(borrows, long, (CO_GEN(long), inner)) { CO_FROM_BORROWED(inner, NULL); }

/* Neither closed nor destroyed nor thrown into, and as before. */
static void expect_refusal(CO_GEN(long) generator, long next) {
    long x = -1;
    assert_int_equal(CO_GEN_CLOSE(generator), -EBUSY);
    assert_int_equal(CO_GEN_DESTROY(generator), -EBUSY);
    assert_int_equal(CO_THROW(generator, EPROTO, &x), -EBUSY);
    assert_int_equal(cleanups, 0);
    assert_int_equal(CO_NEXT(generator, &x), 1);
    assert_int_equal(x, next);
    assert_int_equal(CO_GEN_STATE(generator), CO_GEN_SUSPENDED);
}

/* A helper that ends, or loses, a source for which somebody else waits; alone, at the end of a delegation, and as the
 * source of another. */
static void test_source_that_is_borrowed(void **state) {
    (void)state;
    long x = -1;
    FOR_EACH_MAKER(make) {
        int status = 1;
        reset_counts();
        CO_GEN(long) source = counted(9, 0);
        CO_GEN(long) helper = make(source);
        CO_GEN(long) borrower = borrows(source);
        assert_int_equal(CO_NEXT(borrower, &x), 1);
        expect_refusal(helper, 1);
        CO_GEN(long) outer = from(helper, &status);
        assert_int_equal(CO_NEXT(outer, &x), 1);
        assert_int_equal(CO_NEXT(outer, &x), 1);
        assert_int_equal(x, 2);
        expect_refusal(outer, 3);
        CO_GEN(long) around = same(outer);
        expect_refusal(around, 4);
        assert_int_equal(status, 1);
        assert_int_equal(CO_GEN_DESTROY(borrower), 0); /* closes what it waits for */
        assert_int_equal(CO_GEN_STATE(source), CO_GEN_DONE);
        assert_int_equal(CO_GEN_DESTROY(around), 0);
        assert_int_equal(cleanups, 1);
    }
}

/* One of two sources that is destroyed though the other refuses. */
static void test_one_source_of_two_is_borrowed(void **state) {
    (void)state;
    long x = -1;
    pairs_item pair = {-1, -1};
    reset_counts();
    CO_GEN(long) source = counted(9, 0);
    CO_GEN(long) borrower = borrows(source);
    CO_GEN(pairs_item) zip = pairs(counted(9, 0), source);
    assert_int_equal(CO_NEXT(borrower, &x), 1);
    for (long i = 0; i < 2; i++) {
        assert_int_equal(CO_NEXT(zip, &pair), 1);
        assert_int_equal(pair.first, i);
        assert_int_equal(pair.second, i + 1);
        assert_int_equal(CO_GEN_CLOSE(zip), -EBUSY);
        assert_int_equal(CO_GEN_DESTROY(zip), -EBUSY);
        assert_int_equal(cleanups, 0);
    }
    assert_int_equal(CO_GEN_DESTROY(borrower), 0);
    assert_int_equal(CO_GEN_DESTROY(zip), 0);
    assert_int_equal(cleanups, 2);
}

/* Two consumers of one tee, of which the first is destroyed before the other, now the last, refuses: what is left is
 * neither lost nor stepped. */
static void test_tee_that_is_zipped_and_borrowed(void **state) {
    (void)state;
    long x = -1;
    pairs_item pair = {-1, -1};
    CO_GEN(long) two[2];
    reset_counts();
    CO_GEN(long) source = counted(9, 0);
    CO_GEN(long) borrower = borrows(source);
    assert_int_equal(CO_TEE(source, 2, two), 0);
    CO_GEN(pairs_item) zip = pairs(two[0], two[1]);
    assert_int_equal(CO_NEXT(borrower, &x), 1);
    assert_int_equal(CO_NEXT(zip, &pair), 1);
    assert_int_equal(pair.second, 1);
    assert_int_equal(CO_GEN_CLOSE(zip), -EBUSY);
    assert_int_equal(CO_NEXT(zip, &pair), -EINVAL);
    assert_int_equal(CO_GEN_STATE(zip), CO_GEN_DONE);
    assert_int_equal(CO_GEN_DESTROY(zip), -EBUSY);
    assert_int_equal(CO_GEN_DESTROY(borrower), 0);
    assert_int_equal(CO_GEN_DESTROY(zip), 0);
    assert_int_equal(cleanups, 1);
}

static CO_GENERATOR(around_itself, long) { CO_EMIT(-CO_FROM_BORROWED(itself, NULL)); }

/* A circle that goes through a helper. */
static void test_circle(void **state) {
    (void)state;
    FOR_EACH_MAKER(make) {
        if (make == make_chain)
            continue;
        itself = make(around_itself());
        expect_items(itself, 0, EBUSY);
    }
}

static co_t *stepper;
static CO_MAP(suspends_who_steps, long, long, x) {
    co_yield(NULL);
    return x;
}
static void *step_once(void *arg) {
    long x = -1;
    CO_GEN(long) helper = (CO_GEN(long))arg;
    assert_int_equal(CO_NEXT(helper, &x), 1);
    return NULL;
}

/* A function that suspends whoever steps: meanwhile the helper executes, and goes on with its stepper. */
static void test_function_that_yields(void **state) {
    (void)state;
    long x = -1;
    reset_counts();
    CO_GEN(long) helper = suspends_who_steps(counted(2, 0));
    stepper = co_create(step_once, CO_GEN_UNTYPED(helper));
    assert_int_equal(co_resume(stepper, NULL, NULL), CO_YIELDED);
    assert_int_equal(CO_NEXT(helper, &x), -EBUSY);
    assert_int_equal(CO_GEN_DESTROY(helper), -EBUSY);
    assert_int_equal(co_resume(stepper, NULL, NULL), CO_RETURNED);
    assert_int_equal(CO_GEN_STATE(helper), CO_GEN_SUSPENDED);
    assert_int_equal(co_destroy(stepper), 0);
    assert_int_equal(CO_GEN_DESTROY(helper), 0);
    assert_int_equal(cleanups, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reentrance),
        cmocka_unit_test(test_source_that_executes),
        cmocka_unit_test(test_source_that_is_borrowed),
        cmocka_unit_test(test_one_source_of_two_is_borrowed),
        cmocka_unit_test(test_tee_that_is_zipped_and_borrowed),
        cmocka_unit_test(test_circle),
        cmocka_unit_test(test_function_that_yields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
