/* C++ exceptions and switches: thrown and caught inside, handlers that are active across a yield, in any nesting, and
 * on another thread. Exceptions that must end the program are in test_exceptions_deadly.cpp.
 * C code between C++ frames is compiled with -fexceptions, here as elsewhere.
 * Compiled with: -fexceptions */
#include "support.h"

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

extern "C" int resume_from_c(co_t *co, void *in, void **out); /* exceptions_c_door.c */

namespace {

/* The number in the exception whose handler is active; -1 without one. */
int handled() {
    std::exception_ptr current = std::current_exception();
    if (current == nullptr)
        return -1;
    try {
        std::rethrow_exception(current);
    } catch (int number) {
        return number;
    }
}

void assert_no_handler() {
    assert_true(std::current_exception() == nullptr);
    assert_int_equal(std::uncaught_exceptions(), 0);
}

int int_of(const void *value) { return static_cast<int>(number_of(value)); }

/* ---- Thrown and caught inside -------------------------------------------------------------------------------- */

__attribute__((noinline)) void throw_from_depth(int depth) {
    std::string text(static_cast<size_t>(depth) + 40, 'x');
    if (depth > 0)
        throw_from_depth(depth - 1);
    else
        throw std::runtime_error(text);
    throw std::logic_error("this frame is unwound");
}

void *throw_and_catch(void *arg) {
    for (int i = 0; i < int_of(arg); i++) {
        try {
            throw_from_depth(i);
        } catch (const std::runtime_error &error) {
            assert_int_equal(std::string(error.what()).size(), 40);
        }
        co_suspend(value_of(i));
    }
    assert_no_handler();
    return arg;
}

/* Call-frame information or an alignment that stops the unwinder on a coroutine's stack. */
void test_thrown_and_caught_inside(void **) {
    co_t *one = co_create(throw_and_catch, value_of(20)), *two = co_create(throw_and_catch, value_of(20));
    void *out = nullptr;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(co_resume(one, nullptr, &out), CO_YIELDED);
        assert_int_equal(co_resume(two, nullptr, &out), CO_YIELDED);
        assert_int_equal(number_of(out), i);
    }
    assert_int_equal(co_resume(one, nullptr, &out), CO_RETURNED);
    co_destroy(one);
    co_destroy(two);
}

/* An exception that crosses to the resumer by hand, since it may not cross by itself. */
void *hand_over_exception(void *arg) {
    try {
        throw 55;
    } catch (...) {
        *static_cast<std::exception_ptr *>(arg) = std::current_exception();
    }
    return co_fail(EIO);
}

void test_exception_handed_over(void **) {
    std::exception_ptr handed;
    co_t *co = co_create(hand_over_exception, &handed);
    assert_int_equal(co_resume(co, nullptr, nullptr), -EIO);
    co_destroy(co);
    int caught = 0;
    try {
        std::rethrow_exception(handed);
    } catch (int number) {
        caught = number;
    }
    assert_int_equal(caught, 55);
}

/* ---- Handlers active across a yield -------------------------------------------------------------------------- */

/* Holds `depth` handlers active and yields in the innermost; rethrows each on the way out. */
__attribute__((noinline)) void yield_in_handlers(int number, int depth) {
    try {
        throw number;
    } catch (int caught) {
        assert_int_equal(caught, number);
        if (depth > 1) {
            yield_in_handlers(number + 1, depth - 1);
            assert_int_equal(handled(), number);
        }
        for (int i = 0; i < 2; i++) {
            co_suspend(value_of(number));
            assert_int_equal(handled(), number);
            assert_int_equal(std::uncaught_exceptions(), 0);
        }
        try {
            throw;
        } catch (int again) {
            assert_int_equal(again, number);
        }
        co_yield_from(co_self(), value_of(number));
        assert_int_equal(handled(), number);
    }
}

void *handlers_body(void *arg) {
    assert_no_handler();
    yield_in_handlers(int_of(arg), 3);
    assert_no_handler();
    co_suspend(value_of(-1));
    assert_no_handler();
    return nullptr;
}

typedef int (*resume_fn)(co_t *co, void *in, void **out);

int resume_directly(co_t *co, void *in, void **out) { return co_resume(co, in, out); }

/* Resumes all of them in turn, in an order that changes, until they have ended. */
void interleave(co_t *const *coroutines, int count, resume_fn resume, int handled_here) {
    for (int round = 0, alive = count; alive > 0; round++) {
        alive = 0;
        for (int i = 0; i < count; i++) {
            co_t *co = coroutines[(i * 2 + round) % count];
            if (co_status(co) == CO_DEAD)
                continue;
            alive++;
            assert_true(resume(co, nullptr, nullptr) >= 0);
            assert_int_equal(handled(), handled_here);
            assert_int_equal(std::uncaught_exceptions(), 0);
        }
    }
}

void *interleave_inside(void *arg) {
    co_t *coroutines[] = {co_create(handlers_body, value_of(200)), co_create(handlers_body, value_of(300)),
                          co_create(handlers_body, value_of(400))};
    try {
        throw 77;
    } catch (int) {
        co_suspend(arg);
        interleave(coroutines, 3, resume_directly, 77);
        co_suspend(arg);
        assert_int_equal(handled(), 77);
    }
    for (co_t *co : coroutines)
        co_destroy(co);
    return arg;
}

/* Handlers of several coroutines that are left in another order than they were entered. */
void test_yield_inside_handlers(void **) {
    co_t *coroutines[] = {co_create(handlers_body, value_of(100)), co_create(interleave_inside, nullptr),
                          co_create(handlers_body, value_of(500)), co_create(handlers_body, value_of(600)),
                          co_create(interleave_inside, nullptr)};
    interleave(coroutines, 5, resume_directly, -1);
    for (co_t *co : coroutines)
        co_destroy(co);
    assert_no_handler();
}

/* The same below a resumer that has a handler active itself, which must find its own again. */
void test_resumer_inside_a_handler(void **) {
    co_t *coroutines[] = {co_create(handlers_body, value_of(100)), co_create(interleave_inside, nullptr),
                          co_create(handlers_body, value_of(500))};
    int caught = 0;
    try {
        try {
            throw 42;
        } catch (int) {
            interleave(coroutines, 3, resume_directly, 42);
            throw;
        }
    } catch (int number) {
        caught = number;
    }
    assert_int_equal(caught, 42);
    for (co_t *co : coroutines)
        co_destroy(co);
    assert_no_handler();
}

/* The same through C code, which is compiled without knowing of handlers. */
void test_resumer_inside_a_handler_resumes_from_c(void **) {
    co_t *coroutines[] = {co_create(handlers_body, value_of(100)), co_create(handlers_body, value_of(500)),
                          co_create(handlers_body, value_of(700))};
    int caught = 0;
    try {
        try {
            throw 42;
        } catch (int) {
            interleave(coroutines, 3, resume_from_c, 42);
            throw;
        }
    } catch (int number) {
        caught = number;
    }
    assert_int_equal(caught, 42);
    for (co_t *co : coroutines)
        co_destroy(co);
    assert_no_handler();
}

/* ---- While an exception is on its way ------------------------------------------------------------------------ */

struct resumes_in_destructor {
    co_t *co;
    ~resumes_in_destructor() {
        int before = std::uncaught_exceptions();
        if (co_resume(co, nullptr, nullptr) != CO_YIELDED || std::uncaught_exceptions() != before)
            trace_add('!');
    }
};

void *look_for_uncaught(void *arg) {
    for (;;) {
        trace_add(static_cast<char>('0' + std::uncaught_exceptions()));
        yield_in_handlers(9, 1);
        if (arg != nullptr)
            return arg;
    }
}

/* A coroutine that sees its resumer's exceptions as its own, or takes one away. */
void test_resumed_while_unwinding(void **) {
    co_t *co = co_create(look_for_uncaught, nullptr);
    int caught = 0;
    trace_clear();
    for (int i = 0; i < 8; i++) {
        try {
            resumes_in_destructor resumer = {co};
            throw i;
        } catch (int number) {
            caught += number;
        }
        assert_no_handler();
    }
    assert_int_equal(caught, 28);
    assert_trace("000");
    assert_int_equal(co_destroy(co), 0);
}

/* ---- On another thread --------------------------------------------------------------------------------------- */

int resume_on_a_thread(co_t *co, void *in, void **out) {
    int status = 0;
    std::thread([&] {
        try {
            throw 11; /* the thread has handlers of its own */
        } catch (int) {
            status = co_resume(co, in, out);
            assert_int_equal(handled(), 11);
        }
    }).join();
    return status;
}

int resume_on_a_fresh_thread(co_t *co, void *in, void **out) {
    int status = 0;
    std::thread([&] { status = resume_from_c(co, in, out); }).join();
    return status;
}

int resume_on_either(co_t *co, void *in, void **out) {
    static int turn;
    const resume_fn ways[] = {resume_directly, resume_on_a_thread, resume_from_c, resume_on_a_fresh_thread};
    return ways[turn++ % 4](co, in, out);
}

/* Handlers that stay behind on the thread which entered them. */
void test_handlers_move_between_threads(void **) {
    co_t *coroutines[] = {co_create(handlers_body, value_of(100)), co_create(interleave_inside, nullptr),
                          co_create(handlers_body, value_of(500))};
    interleave(coroutines, 3, resume_on_either, -1);
    for (co_t *co : coroutines)
        co_destroy(co);
    assert_no_handler();
}

/* A coroutine with active handlers that another thread destroys. */
void test_handlers_destroyed_on_another_thread(void **) {
    co_t *co = co_create(handlers_body, value_of(100));
    assert_int_equal(co_resume(co, nullptr, nullptr), CO_YIELDED);
    std::thread([co] {
        assert_int_equal(co_destroy(co), 0);
        assert_no_handler();
    }).join();
    assert_no_handler();
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thrown_and_caught_inside),
        cmocka_unit_test(test_exception_handed_over),
        cmocka_unit_test(test_yield_inside_handlers),
        cmocka_unit_test(test_resumer_inside_a_handler),
        cmocka_unit_test(test_resumer_inside_a_handler_resumes_from_c),
        cmocka_unit_test(test_resumed_while_unwinding),
        cmocka_unit_test(test_handlers_move_between_threads),
        cmocka_unit_test(test_handlers_destroyed_on_another_thread),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
