/* Wrong calls on coroutines in every state: the stated error, and nothing changed. Each case runs with an ordinary
 * coroutine and with one that is resumed through the library (CO_FPENV), whose state lies in other words.
 * Wrong options are in test_options.c. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

static unsigned flags; /* of the coroutines under test */

static co_t *create(co_fn fn, void *arg) {
    const co_options_t options = {.flags = flags};
    co_t *co = co_create_with(&options, fn, arg);
    assert_non_null(co);
    return co;
}

static void *echo(void *arg) {
    while (arg != UNTOUCHED)
        arg = co_yield(arg);
    return NULL;
}

/* Every call that must refuse a coroutine which is running or has resumed another. */
static void assert_busy(co_t *co, co_status_t status) {
    void *out = UNTOUCHED;
    assert_int_equal(co_status(co), status);
    assert_int_equal(co_resume(co, NULL, &out), -EBUSY);
    assert_int_equal(co_resume(co, value_of(1), &out), -EBUSY);
    assert_int_equal(co_throw(co, EIO, &out), -EBUSY);
    assert_int_equal(co_throw(co, 0, &out), -EINVAL);
    assert_int_equal(co_close(co), -EBUSY);
    assert_int_equal(co_destroy(co), -EBUSY);
    assert_ptr_equal(out, UNTOUCHED);
    assert_int_equal(co_status(co), status);
}

/* ---- NULL ---------------------------------------------------------------------------------------------------- */

/* A NULL that is dereferenced, on any entry. */
static void test_null_everywhere(void **state) {
    (void)state;
    void *out = UNTOUCHED;
    assert_int_equal(co_resume(NULL, NULL, &out), -EINVAL);
    assert_int_equal(co_resume(NULL, value_of(1), NULL), -EINVAL);
    assert_int_equal(co_throw(NULL, EIO, &out), -EINVAL);
    assert_int_equal(co_throw(NULL, 0, NULL), -EINVAL);
    assert_int_equal(co_close(NULL), -EINVAL);
    assert_int_equal(co_destroy(NULL), 0);
    assert_int_equal(co_status(NULL), CO_DEAD);
    assert_null(co_data(NULL));
    assert_null(co_name(NULL));
    assert_ptr_equal(out, UNTOUCHED);
    errno = 0;
    assert_null(co_create(NULL, value_of(1)));
    assert_int_equal(errno, EINVAL);
    errno = 0;
    assert_null(co_create_with(NULL, NULL, NULL));
    assert_int_equal(errno, EINVAL);
}

/* ---- Outside any coroutine ----------------------------------------------------------------------------------- */

static void never(void *arg) {
    (void)arg;
    FAIL("a refused deferred call ran");
}

static void *yield_once(void *arg) { return co_yield(arg); }

/* A "current coroutine" that is assumed, or one that is left over from an earlier resume. */
static void test_outside_any_coroutine(void **state) {
    (void)state;
    co_t *co = create(yield_once, NULL);
    for (int round = 0; round < 4; round++) { /* before, between, after, and when it is gone */
        assert_null(co_self());
        assert_int_equal(co_error(), 0);
        errno = 0;
        assert_null(co_yield(value_of(1)));
        assert_int_equal(errno, EPERM);
        errno = 0;
        assert_null(co_fail(EIO));
        assert_int_equal(errno, EPERM);
        errno = 0;
        assert_int_equal(co_defer(never, NULL), -EPERM);
        assert_true(co_defer(NULL, NULL) < 0);
        if (round < 2)
            assert_int_equal(co_resume(co, NULL, NULL), round == 0 ? CO_YIELDED : CO_RETURNED);
        else if (round == 2)
            assert_int_equal(co_destroy(co), 0);
    }
}

/* ---- Itself, and its resumers -------------------------------------------------------------------------------- */

static void *misuse_itself(void *arg) {
    for (int i = 0; i < 2; i++) {
        assert_busy(co_self(), CO_RUNNING);
        arg = co_yield(arg);
    }
    return arg;
}

/* A coroutine that loses its own words by resuming, closing or freeing itself. */
static void test_itself(void **state) {
    (void)state;
    void *out = NULL;
    co_t *co = create(misuse_itself, value_of(1));
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 1);
    assert_int_equal(co_resume(co, value_of(2), &out), CO_YIELDED);
    assert_int_equal(number_of(out), 2);
    assert_int_equal(co_resume(co, value_of(3), &out), CO_RETURNED);
    assert_int_equal(number_of(out), 3);
    assert_int_equal(co_destroy(co), 0);
}

struct pair {
    co_t *outer, *middle, *inner;
};

static void *misuse_resumers(void *arg) {
    const struct pair *pair = (const struct pair *)arg;
    assert_busy(pair->middle, CO_NORMAL);
    assert_busy(pair->outer, CO_NORMAL);
    co_yield(value_of(1));
    assert_busy(pair->middle, CO_NORMAL);
    return value_of(2);
}

static void *resume_inner(void *arg) {
    struct pair *pair = (struct pair *)arg;
    void *out = NULL;
    co_t *next = pair->inner;
    if (co_self() == pair->outer) {
        assert_busy(co_self(), CO_RUNNING);
        next = pair->middle;
    }
    assert_int_equal(co_resume(next, NULL, &out), next == pair->inner ? CO_YIELDED : CO_RETURNED);
    if (next == pair->inner) {
        assert_int_equal(number_of(out), 1);
        assert_int_equal(co_resume(next, NULL, &out), CO_RETURNED);
    }
    assert_int_equal(number_of(out), 2);
    return out;
}

/* A cycle of resumptions, seen one and two levels down; destroying what is on the way back. */
static void test_its_resumers(void **state) {
    (void)state;
    struct pair pair;
    void *out = NULL;
    pair.outer = create(resume_inner, &pair);
    pair.middle = create(resume_inner, &pair);
    pair.inner = create(misuse_resumers, &pair);
    assert_int_equal(co_resume(pair.outer, NULL, &out), CO_RETURNED);
    assert_int_equal(number_of(out), 2);
    assert_int_equal(co_destroy(pair.inner), 0);
    assert_int_equal(co_destroy(pair.middle), 0);
    assert_int_equal(co_destroy(pair.outer), 0);
}

static void misuse_self_in_deferred(void *arg) {
    assert_busy(co_self(), CO_RUNNING);
    *(int *)arg += 1;
}

static void *defer_misuse(void *arg) {
    assert_int_equal(co_defer(misuse_self_in_deferred, arg), 0);
    co_yield(NULL);
    return NULL;
}

/* A coroutine that ends is neither running nor dead in some table, and is closed twice or freed under its own feet. */
static void test_itself_while_it_ends(void **state) {
    (void)state;
    int calls = 0;
    for (int way = 0; way < 3; way++) {
        co_t *co = create(defer_misuse, &calls);
        assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        if (way < 2)
            assert_int_equal(way == 0 ? co_resume(co, NULL, NULL) : co_close(co), 0);
        assert_int_equal(co_destroy(co), 0);
        assert_int_equal(calls, way + 1);
    }
}

/* ---- Fresh and dead ------------------------------------------------------------------------------------------ */

static void *never_run(void *arg) {
    FAIL("the body of a coroutine that is closed ran");
    return arg;
}

/* A throw that starts the body, or leaves a fresh coroutine fresh. */
static void test_throw_into_fresh(void **state) {
    (void)state;
    void *out = UNTOUCHED;
    co_t *co = create(never_run, NULL);
    assert_int_equal(co_throw(co, 0, &out), -EINVAL);
    assert_int_equal(co_throw(co, -EIO, &out), -EINVAL);
    assert_ptr_equal(out, UNTOUCHED);
    assert_int_equal(co_status(co), CO_SUSPENDED);
    assert_int_equal(co_throw(co, EIO, &out), -EIO);
    assert_null(out);
    assert_int_equal(co_status(co), CO_DEAD);
    assert_int_equal(co_resume(co, NULL, NULL), -ESRCH);
    assert_int_equal(co_destroy(co), 0);
}

static void assert_dead(co_t *co) {
    void *out = UNTOUCHED;
    assert_int_equal(co_status(co), CO_DEAD);
    assert_int_equal(co_resume(co, NULL, &out), -ESRCH);
    assert_int_equal(co_resume(co, value_of(1), &out), -ESRCH);
    assert_int_equal(co_throw(co, 0, &out), -EINVAL);
    assert_ptr_equal(out, UNTOUCHED);
    assert_int_equal(co_throw(co, EIO, &out), -EIO);
    assert_null(out);
    assert_int_equal(co_throw(co, ENOSPC, NULL), -ENOSPC);
    assert_int_equal(co_close(co), 0);
    assert_int_equal(co_close(co), 0);
    assert_int_equal(co_status(co), CO_DEAD);
    assert_int_equal(co_destroy(co), 0);
}

static void *fail_at_once(void *arg) {
    (void)arg;
    return co_fail(ENOTTY);
}

/* A dead coroutine that comes alive; each way to die leaves other words behind. */
static void test_dead(void **state) {
    (void)state;
    co_t *co = create(yield_once, NULL);
    co_resume(co, NULL, NULL);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_dead(co);
    co = create(fail_at_once, NULL);
    assert_int_equal(co_resume(co, NULL, NULL), -ENOTTY);
    assert_dead(co);
    co = create(echo, NULL);
    assert_int_equal(co_close(co), 0); /* fresh */
    assert_dead(co);
    co = create(echo, NULL);
    co_resume(co, NULL, NULL);
    assert_int_equal(co_close(co), 0); /* suspended */
    assert_dead(co);
    co = create(echo, NULL);
    assert_int_equal(co_throw(co, EIO, NULL), -EIO);
    assert_dead(co);
}

/* ---- Suspended ----------------------------------------------------------------------------------------------- */

/* A refused throw that resumes all the same, or leaves its error behind. */
static void test_throw_of_no_error(void **state) {
    (void)state;
    static const int wrong[] = {0, -1, -EIO, INT32_MIN};
    void *out = UNTOUCHED;
    co_t *co = create(echo, value_of(1));
    co_resume(co, NULL, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(co_throw(co, wrong[i], &out), -EINVAL);
        assert_ptr_equal(out, UNTOUCHED);
        assert_int_equal(co_status(co), CO_SUSPENDED);
    }
    assert_int_equal(co_resume(co, value_of(7), &out), CO_YIELDED);
    assert_int_equal(number_of(out), 7);
    assert_int_equal(co_destroy(co), 0);
}

static void *defer_null(void *arg) {
    assert_int_equal(co_defer(NULL, arg), -EINVAL);
    return arg;
}

/* A NULL that is registered and called. */
static void test_defer_of_null(void **state) {
    (void)state;
    co_t *co = create(defer_null, value_of(1));
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
}

/* ---- Running on another thread ------------------------------------------------------------------------------- */

struct elsewhere {
    co_t *outer, *inner;
    sem_t running, looked_at;
};

static void *wait_to_be_looked_at(void *arg) {
    struct elsewhere *elsewhere = (struct elsewhere *)arg;
    sem_post(&elsewhere->running);
    sem_wait(&elsewhere->looked_at);
    return value_of(5);
}

static void *resume_the_waiting_one(void *arg) {
    void *out = NULL;
    co_resume(((struct elsewhere *)arg)->inner, NULL, &out);
    return out;
}

static void *thread_resumes(void *arg) {
    void *out = NULL;
    co_resume(((struct elsewhere *)arg)->outer, NULL, &out);
    return out;
}

/* A check that knows of this thread's coroutines only. */
static void test_running_on_another_thread(void **state) {
    (void)state;
    struct elsewhere elsewhere;
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(sem_init(&elsewhere.running, 0, 0), 0);
    assert_int_equal(sem_init(&elsewhere.looked_at, 0, 0), 0);
    elsewhere.outer = create(resume_the_waiting_one, &elsewhere);
    elsewhere.inner = create(wait_to_be_looked_at, &elsewhere);
    assert_int_equal(pthread_create(&thread, NULL, thread_resumes, &elsewhere), 0);
    while (sem_wait(&elsewhere.running) != 0)
        ;
    assert_busy(elsewhere.inner, CO_RUNNING);
    assert_busy(elsewhere.outer, CO_RUNNING);
    sem_post(&elsewhere.looked_at);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal(number_of(result), 5);
    assert_int_equal(co_status(elsewhere.outer), CO_DEAD);
    assert_int_equal(co_destroy(elsewhere.inner), 0);
    assert_int_equal(co_destroy(elsewhere.outer), 0);
    sem_destroy(&elsewhere.running);
    sem_destroy(&elsewhere.looked_at);
}

static int ordinary(void **state) {
    (void)state;
    flags = 0;
    return 0;
}

static int through_the_library(void **state) {
    (void)state;
    flags = CO_FPENV;
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_everywhere),
        cmocka_unit_test(test_outside_any_coroutine),
        cmocka_unit_test(test_itself),
        cmocka_unit_test(test_its_resumers),
        cmocka_unit_test(test_itself_while_it_ends),
        cmocka_unit_test(test_throw_into_fresh),
        cmocka_unit_test(test_dead),
        cmocka_unit_test(test_throw_of_no_error),
        cmocka_unit_test(test_defer_of_null),
        cmocka_unit_test(test_running_on_another_thread),
    };
    int failed = cmocka_run_group_tests_name("ordinary", tests, ordinary, NULL);
    return failed + cmocka_run_group_tests_name("through the library", tests, through_the_library, NULL);
}
