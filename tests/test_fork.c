/* fork within coroutines: both processes go on, each with its own copy of every stack. */
#define _GNU_SOURCE
#include "support.h"

enum { CHILD_IS_FINE = 42 };

static bool in_child;
static pid_t child_of_fork;

/* Ends the child, or waits for it: called by both processes at the end of each test. */
static void finish(bool fine) {
    int status = 0;
    if (in_child)
        _exit(fine ? CHILD_IS_FINE : 1);
    assert_true(fine);
    assert_int_equal(waitpid(child_of_fork, &status, 0), child_of_fork);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), CHILD_IS_FINE);
}

static void fork_here(void) {
    fflush(NULL);
    child_of_fork = fork();
    in_child = child_of_fork == 0;
    if (in_child)
        alarm(120);
}

static intptr_t fork_between_yields(intptr_t first) {
    intptr_t sum = number_of(co_yield(value_of(first)));
    fork_here();
    const intptr_t mine = in_child ? 1000 : 0;
    for (intptr_t i = 1; i < 10; i++)
        sum += number_of(co_yield(value_of(mine + first + i)));
    return mine + sum;
}

static void *fork_in_body(void *arg) {
    co_t *self = co_self();
    const intptr_t sum = fork_between_yields(number_of(arg));
    return co_self() == self ? value_of(sum) : NULL;
}

static bool drive(co_t *co) {
    co_t *const self = co_self();
    void *out = NULL;
    bool fine = co_resume(co, NULL, &out) == CO_YIELDED && number_of(out) == 50;
    for (intptr_t i = 1; i < 10; i++) {
        fine = fine && co_resume(co, value_of(i), &out) == CO_YIELDED && co_self() == self;
        fine = fine && number_of(out) == (in_child ? 1000 : 0) + 50 + i;
    }
    fine = fine && co_resume(co, value_of(10), &out) == CO_RETURNED && number_of(out) == (in_child ? 1000 : 0) + 55;
    return co_destroy(co) == 0 && fine;
}

/* A "current coroutine", or a stack, that one process changes under the other. */
static void test_fork_in_a_coroutine(void **state) {
    (void)state;
    finish(drive(co_create(fork_in_body, value_of(50))));
}

static void *drive_inner(void *arg) { return value_of(drive((co_t *)arg)); }

/* The same a level down, where the fork must keep the whole chain. */
static void test_fork_in_a_nested_coroutine(void **state) {
    (void)state;
    void *out = NULL;
    co_t *outer = co_create(drive_inner, co_create(fork_in_body, value_of(50)));
    bool fine = co_resume(outer, NULL, &out) == CO_RETURNED && number_of(out) == 1;
    finish(co_destroy(outer) == 0 && fine);
}

static void fork_in_deferred(void *arg) {
    fork_here();
    *(int *)arg += in_child ? 2 : 1;
}

static void *defer_fork(void *arg) {
    co_defer(fork_in_deferred, arg);
    return co_yield(NULL);
}

/* A close that both processes finish. */
static void test_fork_in_a_deferred_call(void **state) {
    (void)state;
    int counted = 0;
    co_t *co = co_create(defer_fork, &counted);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    bool fine = co_close(co) == 0 && co_status(co) == CO_DEAD && co_destroy(co) == 0;
    finish(fine && counted == (in_child ? 2 : 1));
}

static void *add_letters(void *arg) {
    co_defer(trace_letter, LETTER("d"));
    for (;;) {
        trace_add('r');
        if (co_yield(arg) != NULL)
            return arg;
    }
}

/* Suspended ones, which parent and child then resume, close and create on their own. */
static void test_fork_beside_suspended_coroutines(void **state) {
    (void)state;
    trace_clear();
    co_t *co = co_create(add_letters, value_of(1));
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    fork_here();
    bool fine = true;
    for (int i = in_child ? 0 : 3; i < 5; i++)
        fine = fine && co_resume(co, NULL, NULL) == CO_YIELDED;
    fine = fine && co_destroy(co) == 0 && strcmp(trace, in_child ? "rrrrrrd" : "rrrd") == 0;
    co = co_create(add_letters, NULL);
    fine = fine && co_resume(co, NULL, NULL) == CO_YIELDED && co_destroy(co) == 0;
    finish(fine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork_in_a_coroutine),
        cmocka_unit_test(test_fork_in_a_nested_coroutine),
        cmocka_unit_test(test_fork_in_a_deferred_call),
        cmocka_unit_test(test_fork_beside_suspended_coroutines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
