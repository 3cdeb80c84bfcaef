/* co_catch_overflow and other handlers of SIGSEGV: the action that was there before acts as if the kernel had called
 * it, and the handler can be put back on top of one that has replaced it. */
#define _GNU_SOURCE
#include "overflow.h"

/* ---- A handler that was there before ------------------------------------------------------------------------- */

static struct sigaction before;  /* what the child installs first */
static void (*fault_then)(void); /* what it does after co_catch_overflow */
enum { ERROR_AT_FAULT = 77 };

static void install_and_fault(void) {
    sigaction(SIGSEGV, &before, NULL);
    catch_or_exit();
    errno = ERROR_AT_FAULT;
    fault_then();
}

static struct child fault_with(void (*fault)(void)) {
    fault_then = fault;
    return run_in_child(install_and_fault);
}

static void *overflow_with_errno(void *arg) {
    errno = ERROR_AT_FAULT;
    return overflow_body(arg);
}

static void overflow(void) { run(co_create(overflow_with_errno, NULL)); }

static int *volatile nowhere = (int *)64; /* as a member of what a NULL points to */

static void dereference_null(void) { *nowhere = 1; }

static void raise_it(void) { raise(SIGSEGV); }

static void judge_state(void) {
#ifndef TEST_SANITIZED /* ThreadSanitizer blocks everything, and sets errno */
    sigset_t blocked;
    if (errno != ERROR_AT_FAULT)
        say("[errno has changed]");
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (sigismember(&blocked, SIGUSR1) != sigismember(&before.sa_mask, SIGUSR1))
        say("[the mask is wrong]");
    if (sigismember(&blocked, SIGSEGV) ==
        ((before.sa_flags & SA_NODEFER) != 0 && !sigismember(&before.sa_mask, SIGSEGV)))
        say("[SIGSEGV is not blocked as it should be]");
    if (sigismember(&blocked, SIGUSR2))
        say("[too much is blocked]");
#endif
}

static void plain_handler(int number) {
    judge_state();
    say(number == SIGSEGV ? "[plain handler]" : "[another signal]");
    signal(SIGSEGV, SIG_DFL);
}

static void handler_with_info(int number, siginfo_t *info, void *context) {
    const char *address = info->si_addr;
    judge_state();
    if (number != SIGSEGV || info->si_signo != SIGSEGV || context == NULL || info->si_code <= 0)
        say("[not what the kernel told]");
    if (readable(address) || !readable(address + sysconf(_SC_PAGESIZE)))
        say("[not an address in the guard]");
    say("[handler with info]");
    signal(SIGSEGV, SIG_DFL);
}

/* A previous handler that is forgotten, called before the message, without what the kernel gives, or with another mask
 * than it asked for. */
static void test_previous_handler_acts_after_the_message(void **state) {
    (void)state;
    for (int variant = 0; variant < 8; variant++) {
        memset(&before, 0, sizeof before);
        sigemptyset(&before.sa_mask);
        if ((variant & 1) != 0) {
            before.sa_flags = SA_SIGINFO;
            before.sa_sigaction = handler_with_info;
        } else {
            before.sa_handler = plain_handler;
        }
        if ((variant & 2) != 0)
            sigaddset(&before.sa_mask, SIGUSR1);
        if ((variant & 4) != 0)
            before.sa_flags |= SA_NODEFER;
        const char *said = (variant & 1) != 0 ? "recursion.\n[handler with info]" : "recursion.\n[plain handler]";
        const struct child child = fault_with(overflow);
        assert_dead_with_report(&child);
        assert_said(&child, said, 1);
        assert_said(&child, "[", 1);
    }
}

/* SA_NODEFER by a handler that wants the signal blocked all the same. */
static void test_mask_goes_before_nodefer(void **state) {
    (void)state;
    before = (struct sigaction){.sa_flags = SA_NODEFER};
    before.sa_handler = plain_handler;
    sigemptyset(&before.sa_mask);
    sigaddset(&before.sa_mask, SIGSEGV);
    const struct child child = fault_with(overflow);
    assert_dead_with_report(&child);
    assert_said(&child, "recursion.\n[plain handler]", 1);
}

/* What is no overflow reaches it too, and nothing else is said. */
static void test_previous_handler_of_other_faults(void **state) {
    (void)state;
    before = (struct sigaction){.sa_flags = 0};
    before.sa_handler = plain_handler;
    sigemptyset(&before.sa_mask);
    const struct child fault = fault_with(dereference_null);
    assert_dead(&fault);
    assert_said(&fault, "[plain handler]", 1);
    assert_said(&fault, "libco", 0);
    const struct child sent = fault_with(raise_it);
    assert_exited(&sent, 0);
    assert_string_equal(sent.text, "[plain handler]");
}

static void look_at_errno(int number) {
    if (number == SIGSEGV && errno == ERROR_AT_FAULT)
        abort();
    _exit(1);
}

static void overflow_without_stderr(void) {
    close(STDERR_FILENO);
    overflow();
}

/* An errno that the message leaves to the interrupted code, when it cannot be written. */
static void test_errno_is_preserved(void **state) {
    (void)state;
#ifdef TEST_SANITIZED
    skip(); /* ThreadSanitizer sets it */
#endif
    before = (struct sigaction){.sa_flags = 0};
    before.sa_handler = look_at_errno;
    const struct child child = fault_with(overflow_without_stderr);
    assert_killed_by(&child, SIGABRT);
}

static void exit_seven(int number) { _exit(number == SIGSEGV ? 7 : 8); }

static void test_previous_handler_may_exit(void **state) {
    (void)state;
    before = (struct sigaction){.sa_flags = 0};
    before.sa_handler = exit_seven;
    const struct child child = fault_with(overflow);
    assert_said(&child, REPORT, 1);
    if (!under_valgrind()) /* where the write into the guard counts as an error, which changes the status */
        assert_exited(&child, 7);
}

#ifndef TEST_SANITIZED /* a longjmp from a signal handler is more than they follow */
static sigjmp_buf way_back;

static void jump_back(int number) { siglongjmp(way_back, number); }

static void *overflow_twice(void *arg) {
    volatile int times = 0;
    if (sigsetjmp(way_back, 1) != 0)
        times = times + 1;
    return times < 2 ? overflow_body(arg) : co_yield (value_of(times));
}

static void overflow_and_go_on(void) {
    void *out = NULL;
    co_t *co = co_create(overflow_twice, NULL);
    if (co_resume(co, NULL, &out) == CO_YIELDED && number_of(out) == 2 && co_destroy(co) == 0)
        finish();
}

/* A handler that works once: the signal still blocked, or the alternate stack still taken. */
static void test_previous_handler_may_jump(void **state) {
    (void)state;
    if (under_valgrind())
        skip(); /* it takes the jump for an unknown switch of stacks */
    before = (struct sigaction){.sa_flags = 0};
    before.sa_handler = jump_back;
    const struct child child = fault_with(overflow_and_go_on);
    assert_finished(&child);
    assert_said(&child, REPORT, 2);
}
#endif

static void say_and_return(int number) { say(number == SIGSEGV ? "[once]" : "[another signal]"); }

static void install_again_and_overflow(void) {
    raise(SIGSEGV);
    sigaction(SIGSEGV, &before, NULL);
    catch_or_exit();
    overflow();
}

/* A handler that counts on the kernel to forget it, called again and again. */
static void test_handler_that_acts_once(void **state) {
    (void)state;
    before = (struct sigaction){.sa_flags = (int)SA_RESETHAND};
    before.sa_handler = say_and_return;
    const struct child child = fault_with(overflow);
    assert_dead(&child);
    assert_said(&child, "[once]", 1);
    const struct child twice = fault_with(install_again_and_overflow);
    assert_dead(&twice);
    assert_said(&twice, "[once]", 2);
}

/* ---- Default and ignore -------------------------------------------------------------------------------------- */

static void raise_and_tell(void) {
    raise(SIGSEGV);
    say("alive");
}

static void send_and_tell(void) {
    kill(getpid(), SIGSEGV);
    say("alive");
}

static void *raise_body(void *arg) {
    raise(SIGSEGV);
    say("alive");
    return arg;
}

static void raise_inside(void) { run(co_create(raise_body, NULL)); }

/* A signal that is swallowed: without the default action there is nothing that would make it come again. */
static void test_sent_signals_kill(void **state) {
    (void)state;
    void (*const ways[])(void) = {raise_and_tell, send_and_tell, raise_inside};
    before = (struct sigaction){.sa_flags = 0};
    before.sa_handler = SIG_DFL;
    for (int i = 0; i < 3; i++) {
        const struct child child = fault_with(ways[i]);
        assert_dead_in_silence(&child);
    }
}

/* The kernel does not ignore a fault, nor lets it repeat without end; what is sent it ignores. */
static void test_ignored_before(void **state) {
    (void)state;
    before = (struct sigaction){.sa_flags = 0};
    before.sa_handler = SIG_IGN;
    const struct child overflowed = fault_with(overflow);
    assert_dead_with_report(&overflowed);
    const struct child faulted = fault_with(dereference_null);
    assert_dead_in_silence(&faulted);
    const struct child sent = fault_with(raise_and_tell);
    assert_exited(&sent, 0);
    assert_string_equal(sent.text, "alive");
}

static void change_flags_and_overflow(void) {
    static const int flags[] = {0, SA_NODEFER, SA_NODEFER | SA_RESTART};
    for (int i = 0; i < 3; i++) {
        memset(&before, 0, sizeof before);
        before.sa_flags = flags[i];
        before.sa_handler = plain_handler;
        sigaction(SIGSEGV, &before, NULL);
        catch_or_exit();
    }
    overflow();
}

/* The same function, called as it wished to be called earlier. */
static void test_same_handler_with_other_flags(void **state) {
    (void)state;
    const struct child child = run_in_child(change_flags_and_overflow);
    assert_dead_with_report(&child);
    assert_said(&child, "[plain handler]", 1);
    assert_said(&child, "[", 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_previous_handler_acts_after_the_message),
        cmocka_unit_test(test_mask_goes_before_nodefer),
        cmocka_unit_test(test_previous_handler_of_other_faults),
        cmocka_unit_test(test_errno_is_preserved),
        cmocka_unit_test(test_previous_handler_may_exit),
#ifndef TEST_SANITIZED
        cmocka_unit_test(test_previous_handler_may_jump),
#endif
        cmocka_unit_test(test_handler_that_acts_once),
        cmocka_unit_test(test_sent_signals_kill),
        cmocka_unit_test(test_ignored_before),
        cmocka_unit_test(test_same_handler_with_other_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
