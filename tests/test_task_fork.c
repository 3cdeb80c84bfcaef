/* fork within a task: both processes go on, each with its own copy of the scheduler and of every stack. */
#define _GNU_SOURCE
#include "support.h"

#include <co/sched.h>

#include <errno.h>

enum { CHILD_IS_FINE = 42, OTHERS = 4 };

static bool in_child;
static pid_t child_of_fork;

static void fork_here(void) {
    fflush(NULL);
    child_of_fork = fork();
    in_child = child_of_fork == 0;
    if (in_child)
        alarm(120);
}

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

/* Counts its turns; half of them sleep. */
static void *take_turns(void *number) {
    intptr_t turns = 0;
    for (int i = 0; i < 10; i++, turns++)
        if ((number_of(number) % 2 == 0 ? co_sched_yield() : co_sleep(1)) != 0)
            return NULL;
    return value_of(turns + number_of(number));
}

/* Waits, forks, and waits again, which the others do meanwhile. */
static void *fork_between_waits(void *arg) {
    co_t *others[OTHERS], *self = co_self();
    for (int i = 0; i < OTHERS; i++)
        others[i] = co_spawn(take_turns, value_of(i));
    bool fine = co_sched_yield() == 0 && co_sleep(2) == 0;
    fork_here();
    fine = fine && co_self() == self && co_sleep(1) == 0 && co_sched_yield() == 0;
    co_t *later = co_spawn(take_turns, value_of(in_child ? 1000 : 0));
    for (int i = 0; i < OTHERS; i++) {
        void *result = NULL;
        fine = fine && co_join(others[i], &result, CO_NEVER) == 0 && number_of(result) == 10 + i;
    }
    void *result = NULL;
    fine = fine && co_join(later, &result, CO_NEVER) == 0 && number_of(result) == (in_child ? 1010 : 10);
    return fine ? arg : NULL;
}

static bool run(co_fn fn, unsigned flags) {
    const co_run_options_t options = {.flags = flags};
    void *result = NULL;
    return co_run_with(&options, fn, &child_of_fork, &result) == 0 && result == &child_of_fork;
}

static void test_fork_in_a_task(void **state) {
    (void)state;
    finish(run(fork_between_waits, 0));
    finish(run(fork_between_waits, CO_RUN_VIRTUAL_CLOCK | CO_RUN_SEEDED));
}

static void *resume_until_the_end(void *co) {
    void *out = NULL;
    while (co_resume(co, NULL, &out) == CO_YIELDED)
        co_sched_yield();
    return co_status(co) == CO_DEAD ? out : NULL;
}

/* The same two levels down, where the fork must keep the whole chain. */
static void *fork_in_a_nest(void *arg) {
    co_t *inner = co_create(fork_between_waits, arg), *outer = co_create(resume_until_the_end, inner);
    void *result = resume_until_the_end(outer);
    return co_destroy(outer) == 0 && co_destroy(inner) == 0 ? result : NULL;
}

static void test_fork_in_a_coroutine_of_a_task(void **state) {
    (void)state;
    finish(run(fork_in_a_nest, 0));
    finish(run(fork_in_a_nest, CO_RUN_VIRTUAL_CLOCK | CO_RUN_SEEDED));
}

static void fork_in_deferred(void *arg) {
    fork_here();
    if (co_sched_yield() == 0 && co_sleep(1) == 0)
        *(int *)arg += in_child ? 2 : 1;
}

static void *defer_fork(void *arg) {
    co_t *other = co_spawn(take_turns, NULL);
    co_detach(other);
    co_defer(fork_in_deferred, arg);
    return NULL;
}

static void test_fork_in_a_deferred_call(void **state) {
    (void)state;
    int counted = 0;
    bool fine = co_run(defer_fork, &counted, NULL) == 0;
    finish(fine && counted == (in_child ? 2 : 1));
}

static void *fork_into_deadlock(void *arg) {
    co_defer(trace_letter, LETTER("d"));
    fork_here();
    co_sleep_until(CO_NEVER);
    return arg;
}

static void test_deadlock_in_both(void **state) {
    (void)state;
    const co_run_options_t options = {.flags = CO_RUN_QUIET};
    trace_clear();
    bool fine = co_run_with(&options, fork_into_deadlock, NULL, NULL) == -EDEADLK && strcmp(trace, "d") == 0;
    finish(fine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork_in_a_task),
        cmocka_unit_test(test_fork_in_a_coroutine_of_a_task),
        cmocka_unit_test(test_fork_in_a_deferred_call),
        cmocka_unit_test(test_deadlock_in_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
