/* C++ code that must end the program, with a message on stderr and through the program's own terminate handler: an
 * exception that leaves a coroutine, a handler that swallows the close, a noexcept frame in the way. */
#include "support.h"

#include <cstdlib>
#include <exception>
#include <new>
#include <stdexcept>

namespace {

/* What the child does after the deadly act; it must not come here. */
const char still_alive[] = "still alive";

void survive() { fprintf(stderr, "%s\n", still_alive); }

void assert_dies(void (*act)(), const char *message) {
    const struct child child = run_in_child(act);
    assert_killed_by(&child, SIGABRT);
    if (strstr(child.text, message) == nullptr)
        print_error("stderr: %s\n", child.text);
    assert_non_null(strstr(child.text, message));
    assert_null(strstr(child.text, still_alive));
}

template <co_fn body, int (*end)(co_t *)> void close_one() {
    co_t *co = co_create(body, nullptr);
    co_resume(co, nullptr, nullptr);
    end(co);
    survive();
}

/* ---- An exception that leaves ---------------------------------------------------------------------------------- */

const char left_the_body[] = "libco: an exception left a coroutine";

void *throw_at_once(void *arg) {
    if (arg == nullptr)
        throw std::runtime_error("nobody catches this");
    return arg;
}

void *throw_after_yield(void *arg) {
    co_suspend(arg);
    return throw_at_once(arg);
}

void leave_the_body() {
    co_t *co = co_create(throw_at_once, nullptr);
    try {
        co_resume(co, nullptr, nullptr);
    } catch (...) {
    }
    survive();
}

void leave_the_body_after_a_yield() {
    co_t *co = co_create(throw_after_yield, nullptr);
    try {
        co_resume(co, nullptr, nullptr);
        co_resume(co, nullptr, nullptr);
    } catch (...) {
    }
    survive();
}

/* An exception that unwinds into the resumer and leaves the coroutine running for ever. */
void test_exception_that_leaves_the_body(void **) {
    assert_dies(leave_the_body, left_the_body);
    assert_dies(leave_the_body_after_a_yield, left_the_body);
}

void *resume_a_thrower(void *arg) {
    co_t *inner = co_create(throw_at_once, nullptr);
    try {
        co_resume(inner, nullptr, nullptr);
    } catch (const std::runtime_error &) {
        survive();
    }
    return arg;
}

void leave_a_nested_body() {
    co_t *co = co_create(resume_a_thrower, nullptr);
    co_resume(co, nullptr, nullptr);
    survive();
}

/* The same into another coroutine, whose stack looks like an ordinary caller's to the unwinder. */
void test_exception_that_leaves_a_nested_body(void **) { assert_dies(leave_a_nested_body, left_the_body); }

void throw_in_deferred(void *) { throw std::runtime_error("nobody catches this"); }

void *defer_a_thrower(void *arg) {
    co_defer(throw_in_deferred, arg);
    return arg;
}

void leave_a_deferred_call() {
    co_t *co = co_create(defer_a_thrower, nullptr);
    try {
        co_resume(co, nullptr, nullptr);
    } catch (...) {
    }
    survive();
}

/* Deferred calls run below the entry too. */
void test_exception_that_leaves_a_deferred_call(void **) { assert_dies(leave_a_deferred_call, left_the_body); }

void *defer_a_thrower_and_suspend(void *arg) {
    co_defer(throw_in_deferred, arg);
    co_suspend(arg);
    return arg;
}

void *catch_what_a_deferred_call_throws(void *arg) {
    co_defer(throw_in_deferred, arg);
    try {
        co_suspend(arg);
    } catch (const std::runtime_error &) {
        survive();
    }
    return arg;
}

/* The same during a close, when a handler of the body would bring the closed body back to life. */
void test_exception_that_leaves_a_deferred_call_of_a_close(void **) {
    assert_dies(close_one<defer_a_thrower_and_suspend, co_close>, "libco: an exception left");
    assert_dies(close_one<catch_what_a_deferred_call_throws, co_close>, "libco: an exception left");
}

void exit_with_17() { _exit(17); }

void leave_the_body_with_a_terminate_handler() {
    std::set_terminate(exit_with_17);
    leave_the_body();
}

/* An abort in place of the program's own way to terminate. */
void test_terminate_handler_is_called(void **) {
    const struct child child = run_in_child(leave_the_body_with_a_terminate_handler);
    assert_exited(&child, 17);
    assert_non_null(strstr(child.text, left_the_body));
}

/* ---- A handler that swallows the close --------------------------------------------------------------------------- */

const char swallowed[] = "libco: a handler caught the closing of a coroutine and did not rethrow it";

void *swallow(void *arg) {
    try {
        co_suspend(arg);
    } catch (...) {
    }
    survive();
    return arg;
}

__attribute__((noinline)) void suspend() { co_suspend(nullptr); }

void *swallow_in_outer_frame(void *arg) {
    try {
        suspend();
    } catch (...) {
    }
    survive();
    co_suspend(arg);
    return arg;
}

/* A closed body that goes on. */
void test_handler_that_swallows_the_close(void **) {
    assert_dies(close_one<swallow, co_close>, swallowed);
    assert_dies(close_one<swallow, co_destroy>, swallowed);
    assert_dies(close_one<swallow_in_outer_frame, co_close>, swallowed);
}

/* ---- A frame that nothing may leave --------------------------------------------------------------------------------
 */

__attribute__((noinline)) void suspend_in_noexcept() noexcept {
    suspend();
    survive();
}

void *run_noexcept(void *arg) {
    suspend_in_noexcept();
    return arg;
}

struct suspends_in_destructor {
    ~suspends_in_destructor() { suspend(); }
};

void *run_destructor(void *arg) {
    suspends_in_destructor object;
    return arg;
}

void *unwind_through_destructor(void *arg) {
    try {
        suspends_in_destructor object;
        throw 1;
    } catch (int) {
    }
    return arg;
}

/* A close that unwinds out of a frame which promised that nothing leaves it. */
void test_close_through_a_noexcept_frame(void **) {
    assert_dies(close_one<run_noexcept, co_close>, "terminate");
    assert_dies(close_one<run_destructor, co_close>, "terminate");
    assert_dies(close_one<unwind_through_destructor, co_destroy>, "terminate");
}

struct throws_in_destructor {
    ~throws_in_destructor() noexcept(false) { throw std::runtime_error("during a close"); }
};

void *own_a_thrower(void *arg) {
    throws_in_destructor object;
    suspend();
    return arg;
}

/* An exception in place of the close it interrupts: it goes on to the entry. */
void test_destructor_that_throws_during_a_close(void **) {
    assert_dies(close_one<own_a_thrower, co_close>, "terminate");
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exception_that_leaves_the_body),
        cmocka_unit_test(test_exception_that_leaves_a_nested_body),
        cmocka_unit_test(test_exception_that_leaves_a_deferred_call),
        cmocka_unit_test(test_exception_that_leaves_a_deferred_call_of_a_close),
        cmocka_unit_test(test_terminate_handler_is_called),
        cmocka_unit_test(test_handler_that_swallows_the_close),
        cmocka_unit_test(test_close_through_a_noexcept_frame),
        cmocka_unit_test(test_destructor_that_throws_during_a_close),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
