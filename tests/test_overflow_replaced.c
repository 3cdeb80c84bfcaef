/* co_catch_overflow when it is called again: as it was, or on top of a handler that has replaced it. */
#define _GNU_SOURCE
#include "overflow.h"

static struct sigaction replaced; /* by handler_on_top */

static void handler_on_top(int number, siginfo_t *info, void *context) {
    say("[on top]");
    if (replaced.sa_sigaction != NULL)
        replaced.sa_sigaction(number, info, context);
}

static void put_on_top(void) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    action.sa_sigaction = handler_on_top;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &replaced);
}

static bool installed(struct sigaction *now) {
    sigaction(SIGSEGV, NULL, now);
    return (now->sa_flags & SA_SIGINFO) != 0 && now->sa_sigaction != handler_on_top;
}

static void call_again_and_overflow(void) {
    struct sigaction first, second;
    catch_or_exit();
    if (!installed(&first))
        _exit(1);
    catch_or_exit();
    if (!installed(&second) || second.sa_sigaction != first.sa_sigaction)
        _exit(2);
    run(co_create(overflow_body, NULL));
}

/* Two of the same handler, of which each would print. */
static void test_second_call_changes_nothing(void **state) {
    (void)state;
    const struct child child = run_in_child(call_again_and_overflow);
    assert_dead_with_report(&child);
}

static void replace_and_overflow(void) {
    catch_or_exit();
    put_on_top();
    run(co_create(overflow_body, NULL));
}

static void replace_call_again_and_overflow(void) {
    struct sigaction now;
    catch_or_exit();
    put_on_top();
    catch_or_exit();
    if (!installed(&now))
        _exit(1);
    run(co_create(overflow_body, NULL));
}

/* A handler that calls ours, called by ours: two that call each other without end, or that each print. */
static void test_handler_on_top_that_calls_ours(void **state) {
    (void)state;
    const struct child replacing = run_in_child(replace_and_overflow);
    assert_dead_with_report(&replacing);
    assert_said(&replacing, "[on top]" REPORT, 1);
    const struct child again = run_in_child(replace_call_again_and_overflow);
    assert_dead_with_report(&again);
    assert_said(&again, "recursion.\n[on top]", 1);
    assert_said(&again, "[on top]", 1);
}

static void remove_the_one_on_top(void) {
    catch_or_exit();
    put_on_top();
    catch_or_exit();
    sigaction(SIGSEGV, &replaced, NULL);
    run(co_create(overflow_body, NULL));
}

static void remove_it_and_replace_again(void) {
    catch_or_exit();
    put_on_top();
    catch_or_exit();
    sigaction(SIGSEGV, &replaced, NULL);
    catch_or_exit();
    put_on_top();
    run(co_create(overflow_body, NULL));
}

/* The first handler, restored over the second by somebody who knows of the first only. */
static void test_handler_restored(void **state) {
    (void)state;
    const struct child child = run_in_child(remove_the_one_on_top);
    assert_dead_with_report(&child);
    assert_said(&child, "[on top]", 0);
    const struct child again = run_in_child(remove_it_and_replace_again);
    assert_dead_with_report(&again);
    assert_said(&again, "[on top]" REPORT, 1);
}

static void some_handler(int number) {
    (void)number;
    say("[some handler]");
}

static void alternate(void) {
    struct sigaction now;
    for (int i = 0; i < 100; i++) {
        signal(SIGSEGV, i % 2 != 0 ? SIG_DFL : some_handler);
        catch_or_exit();
        if (!installed(&now))
            _exit(1);
    }
    run(co_create(overflow_body, NULL));
}

/* A program, or a test driver, that installs the same handlers for each of its parts. */
static void test_same_handlers_again_and_again(void **state) {
    (void)state;
    const struct child child = run_in_child(alternate);
    assert_dead_with_report(&child);
    assert_said(&child, "[", 0);
}

static void replace_nine_times(void) {
    for (int i = 0; i < 9; i++) {
        struct sigaction now, action = {.sa_handler = some_handler};
        sigemptyset(&action.sa_mask);
        sigaddset(&action.sa_mask, SIGRTMIN + i);
        sigaction(SIGSEGV, &action, NULL);
        if (co_catch_overflow() != (i < 8 ? 0 : -EAGAIN))
            _exit(1 + i);
        sigaction(SIGSEGV, NULL, &now);
        if ((i < 8) != ((now.sa_flags & SA_SIGINFO) != 0))
            _exit(11 + i);
    }
}

static void test_too_many_handlers(void **state) {
    (void)state;
    const struct child child = run_in_child(replace_nine_times);
    assert_exited(&child, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_second_call_changes_nothing),
        cmocka_unit_test(test_handler_on_top_that_calls_ours),
        cmocka_unit_test(test_handler_restored),
        cmocka_unit_test(test_same_handlers_again_and_again),
        cmocka_unit_test(test_too_many_handlers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
