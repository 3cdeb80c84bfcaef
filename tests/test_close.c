/* co_close and co_destroy of suspended, fresh and dead coroutines, from everywhere, with the locals still in place. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>

static co_t *create(unsigned flags, co_fn fn, void *arg) {
    const co_options_t options = {.flags = flags};
    co_t *co = co_create_with(&options, fn, arg);
    assert_non_null(co);
    return co;
}

static int end(co_t *co, bool destroy) {
    if (destroy)
        return co_destroy(co);
    int status = co_close(co);
    assert_int_equal(co_status(co), CO_DEAD);
    assert_int_equal(co_close(co), 0);
    assert_int_equal(co_resume(co, NULL, NULL), -ESRCH);
    assert_int_equal(co_destroy(co), 0);
    return status;
}

/* ---- What runs and what does not ----------------------------------------------------------------------------- */

static void *yield_then_fail_test(void *arg) {
    if (arg != NULL)
        assert_int_equal(co_defer(trace_letter, arg), 0);
    co_yield(NULL);
    FAIL("code after the pending yield ran");
    return NULL;
}

/* A close that resumes the body. */
static void test_code_after_the_pending_yield_never_runs(void **state) {
    (void)state;
    for (unsigned flags = 0; flags <= CO_FPENV; flags++)
        for (int way = 0; way < 4; way++) {
            co_t *co = create(flags, yield_then_fail_test, way & 1 ? LETTER("d") : NULL);
            trace_clear();
            assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
            assert_int_equal(end(co, way & 2), 0);
            assert_trace(way & 1 ? "d" : "");
        }
}

static void *never_run(void *arg) {
    FAIL("the body of a coroutine closed fresh ran");
    return arg;
}

/* A fresh coroutine that is entered in order to be closed. */
static void test_fresh(void **state) {
    (void)state;
    for (unsigned flags = 0; flags <= CO_FPENV; flags++)
        for (int destroy = 0; destroy < 2; destroy++)
            assert_int_equal(end(create(flags, never_run, NULL), destroy), 0);
}

static void *defer_and_return(void *arg) {
    assert_int_equal(co_defer(trace_letter, LETTER("d")), 0);
    return arg;
}

/* Deferred calls that run again when a dead coroutine is closed. */
static void test_dead(void **state) {
    (void)state;
    for (int destroy = 0; destroy < 2; destroy++) {
        co_t *co = co_create(defer_and_return, NULL);
        trace_clear();
        assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
        assert_int_equal(end(co, destroy), 0);
        assert_trace("d");
    }
}

static void fail_with(void *arg) { co_fail((int)number_of(arg)); }

static void *defer_failure(void *arg) {
    co_defer(fail_with, arg);
    return co_yield(NULL);
}

static int stacks_held;

static void *count_allocation(size_t bytes, void *context) {
    (void)context;
    stacks_held += bytes >= 64 * 1024;
    return malloc(bytes);
}

static void count_release(void *memory, size_t bytes, void *context) {
    (void)context;
    stacks_held -= bytes >= 64 * 1024;
    free(memory);
}

/* An error of a deferred call that is taken for a refusal to free, which is a leak; and an answer that says so when all
 * is freed, after which the caller would try again. */
static void test_destroy_frees_what_failed_with_ebusy(void **state) {
    (void)state;
    static const co_allocator_t counting = {.allocate = count_allocation, .release = count_release};
    const co_options_t options = {.stack_bytes = 64 * 1024, .allocator = &counting};
    for (int close_first = 0; close_first < 2; close_first++) {
        co_t *co = co_create_with(&options, defer_failure, value_of(EBUSY));
        assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        if (close_first)
            assert_int_equal(co_close(co), -EBUSY);
        assert_int_equal(stacks_held, 1);
        assert_int_equal(co_destroy(co), close_first ? 0 : -EINVAL);
        assert_int_equal(stacks_held, 0);
    }
}

/* ---- Locals -------------------------------------------------------------------------------------------------- */

enum { WORDS = 12 };

struct watched {
    const volatile long *words; /* locals of the suspended frame */
    int looks;
};

static void look_at_words(void *arg) {
    struct watched *watched = (struct watched *)arg;
    char text[64];
    for (long i = 0; i < WORDS; i++)
        assert_int_equal(watched->words[i], 1000 + i);
    /* Needs the stack aligned as the ABI says. */
    assert_true(snprintf(text, sizeof text, "%.2f", (double)watched->looks + 0.25) > 0);
    assert_string_equal(text, "0.25");
    watched->looks++;
}

/* No call in here when the yield is inlined: on x86-64 the words then lie below the stack pointer, in the red zone. */
static __attribute__((noinline)) long leaf_yield_from(co_t *self) {
    volatile long words[WORDS];
    for (long i = 0; i < WORDS; i++)
        words[i] = 1000 + i;
    co_yield_from(self, (void *)(uintptr_t)words);
    return words[0] + words[WORDS - 1];
}

static __attribute__((noinline)) long leaf_yield(void) {
    volatile long words[WORDS];
    for (long i = 0; i < WORDS; i++)
        words[i] = 1000 + i;
    co_yield((void *)(uintptr_t)words);
    return words[0] + words[WORDS - 1];
}

static void *suspend_in_leaf(void *arg) {
    assert_int_equal(co_defer(look_at_words, arg), 0);
    assert_int_equal(leaf_yield(), 2000 + WORDS - 1);
    return value_of(leaf_yield_from(co_self()));
}

/* A close that writes over the red zone, or that misaligns the stack of a frame that needed none. */
static void test_locals_of_a_leaf_function(void **state) {
    (void)state;
    for (unsigned flags = 0; flags <= CO_FPENV; flags++)
        for (int way = 0; way < 4; way++) {
            struct watched watched = {0};
            void *out = NULL;
            co_t *co = create(flags, suspend_in_leaf, &watched);
            for (int resumes = 0; resumes <= (way & 1); resumes++)
                assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
            watched.words = (const volatile long *)out;
            assert_int_equal(end(co, way & 2), 0);
            assert_int_equal(watched.looks, 1);
        }
}

/* ---- From where ---------------------------------------------------------------------------------------------- */

struct chain {
    co_t *inner;
    int depth;
};

static void destroy_inner(void *arg) {
    struct chain *chain = (struct chain *)arg;
    trace_add((char)('a' + chain->depth));
    assert_int_equal(co_destroy(chain->inner), 0);
    trace_add((char)('A' + chain->depth));
}

static void *own_an_inner(void *arg) {
    struct chain chain = {.depth = (int)number_of(arg)};
    if (chain.depth > 0) {
        chain.inner = co_create(own_an_inner, value_of(chain.depth - 1));
        assert_int_equal(co_defer(destroy_inner, &chain), 0);
        assert_int_equal(co_resume(chain.inner, NULL, NULL), CO_YIELDED);
    }
    co_yield(NULL);
    FAIL("a closed body went on");
    return NULL;
}

/* A close within a close: each level's words, handle and refusal of yields are its own. */
static void test_chain_of_owners(void **state) {
    (void)state;
    co_t *co = co_create(own_an_inner, value_of(8));
    trace_clear();
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_close(co), 0);
    assert_trace("ihgfedcbBCDEFGHI");
    assert_null(co_self());
    assert_int_equal(co_destroy(co), 0);
}

static void *close_argument(void *arg) {
    co_t *self = co_self();
    int status = co_close((co_t *)arg);
    assert_ptr_equal(co_self(), self);
    assert_int_equal(co_status(self), CO_RUNNING);
    co_yield(value_of(status));
    return value_of(5);
}

/* A closed coroutine that goes back to who resumed it last, and not to its closer. */
static void test_closed_by_another_coroutine(void **state) {
    (void)state;
    void *out = NULL;
    co_t *closed = co_create(yield_then_fail_test, LETTER("d"));
    co_t *closer = co_create(close_argument, closed);
    trace_clear();
    assert_int_equal(co_resume(closed, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_resume(closer, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 0);
    assert_int_equal(co_status(closed), CO_DEAD);
    assert_trace("d");
    assert_int_equal(co_resume(closer, NULL, &out), CO_RETURNED);
    assert_int_equal(number_of(out), 5);
    assert_int_equal(co_destroy(closer), 0);
    assert_int_equal(co_destroy(closed), 0);
}

static void *destroy_on_thread(void *arg) { return value_of(co_destroy((co_t *)arg)); }

/* A close that needs the thread on which the coroutine ran. */
static void test_closed_on_another_thread(void **state) {
    (void)state;
    void *result = UNTOUCHED;
    pthread_t thread;
    co_t *co = co_create(yield_then_fail_test, LETTER("d"));
    trace_clear();
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(pthread_create(&thread, NULL, destroy_on_thread, co), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal(number_of(result), 0);
    assert_trace("d");
}

static int compare_and_yield(const void *left, const void *right) {
    co_yield(NULL);
    return *(const int *)left - *(const int *)right;
}

static void *sort_with_yields(void *arg) {
    int numbers[] = {3, 1, 2};
    assert_int_equal(co_defer(trace_letter, arg), 0);
    qsort(numbers, 3, sizeof numbers[0], compare_and_yield);
    return value_of(numbers[0] * 100 + numbers[1] * 10 + numbers[2]);
}

/* Suspended below frames of libc, about which the unwinder may know nothing. */
static void test_suspended_below_frames_of_libc(void **state) {
    (void)state;
    void *out = NULL;
    co_t *co = co_create(sort_with_yields, LETTER("d"));
    int status, yields = 0;
    trace_clear();
    while ((status = co_resume(co, NULL, &out)) == CO_YIELDED)
        yields++;
    assert_int_equal(status, CO_RETURNED);
    assert_int_equal(number_of(out), 123);
    assert_int_equal(co_destroy(co), 0);
    for (int stop = 1; stop <= yields; stop++) {
        co = co_create(sort_with_yields, LETTER("d"));
        for (int i = 0; i < stop; i++)
            assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        trace_clear();
        assert_int_equal(co_destroy(co), 0);
        assert_trace("d");
    }
}

/* ---- Floating-point state ------------------------------------------------------------------------------------ */

#ifdef FE_UPWARD
static void note_rounding(void *arg) { *(int *)arg = fegetround(); }

static void *round_upward(void *arg) {
    co_defer(note_rounding, arg);
    fesetround(FE_UPWARD);
    return co_yield(NULL);
}

/* A close that forgets CO_FPENV: deferred calls with the closer's rounding, or the closer with theirs. */
static void test_rounding_mode_at_close(void **state) {
    (void)state;
    int rounding = -1;
    co_t *co = create(CO_FPENV, round_upward, &rounding);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(fegetround(), FE_TONEAREST);
    assert_int_equal(co_close(co), 0);
    assert_int_equal(rounding, FE_UPWARD);
    assert_int_equal(fegetround(), FE_TONEAREST);
    co_destroy(co);
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_after_the_pending_yield_never_runs),
        cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_dead),
        cmocka_unit_test(test_destroy_frees_what_failed_with_ebusy),
        cmocka_unit_test(test_locals_of_a_leaf_function),
        cmocka_unit_test(test_chain_of_owners),
        cmocka_unit_test(test_closed_by_another_coroutine),
        cmocka_unit_test(test_closed_on_another_thread),
        cmocka_unit_test(test_suspended_below_frames_of_libc),
#ifdef FE_UPWARD
        cmocka_unit_test(test_rounding_mode_at_close),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
