/* C++ destructors at co_close and co_destroy: which run, when, and beside which deferred calls. */
#include "support.h"

#include <cerrno>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>

namespace {

struct noisy {
    char letter;
    explicit noisy(char l) : letter(l) {}
    noisy(const noisy &) = delete;
    noisy &operator=(const noisy &) = delete;
    ~noisy() { trace_add(letter); }
};

void never() { FAIL("a closed body went on"); }

__attribute__((noinline)) void suspend() {
    co_suspend(nullptr);
    never();
}

/* Closes and destroys, through both ways of being resumed, and compares what happened. */
void close_suspended(co_fn body, const char *expected, int status = 0) {
    for (int way = 0; way < 4; way++) {
        co_options_t options = co_options_t();
        options.flags = (way & 1) != 0 ? CO_FPENV : 0;
        co_t *co = co_create_with(&options, body, nullptr);
        assert_non_null(co);
        assert_int_equal(co_resume(co, nullptr, nullptr), CO_YIELDED);
        trace_clear();
        assert_int_equal((way & 2) != 0 ? co_destroy(co) : co_close(co), status);
        assert_trace(expected);
        if ((way & 2) == 0) {
            assert_int_equal(co_status(co), CO_DEAD);
            assert_int_equal(co_destroy(co), 0);
            assert_trace(expected);
        }
        assert_null(co_self());
        assert_int_equal(std::uncaught_exceptions(), 0);
        assert_true(std::current_exception() == nullptr);
    }
}

/* ---- Frames -------------------------------------------------------------------------------------------------- */

void *own_two_locals(void *arg) {
    noisy first('a'), second('b');
    co_suspend(arg);
    never();
    return arg;
}

/* A yield that is no call site in the language tables: destructors of its own frame are then skipped. */
void test_locals_beside_the_yield(void **) { close_suspended(own_two_locals, "ba"); }

void *yield_from_self(void *arg) {
    noisy local('a');
    co_yield_from(co_self(), arg);
    never();
    return arg;
}

/* The other way to yield has landings of its own. */
void test_locals_beside_yield_from(void **) { close_suspended(yield_from_self, "a"); }

__attribute__((noinline)) void inner_frame() {
    noisy local('i');
    assert_int_equal(co_defer(trace_letter, LETTER("1")), 0);
    assert_int_equal(co_defer(trace_letter, LETTER("2")), 0);
    suspend();
}

__attribute__((noinline)) void frame_without_destructors(int depth) {
    volatile int local = depth;
    if (local > 0)
        frame_without_destructors(depth - 1);
    else
        inner_frame();
    local = local + 1;
}

__attribute__((noinline)) void middle_frame() {
    noisy local('m');
    assert_int_equal(co_defer(trace_letter, LETTER("3")), 0);
    frame_without_destructors(4);
}

void *outer_frame(void *arg) {
    noisy local('o');
    assert_int_equal(co_defer(trace_letter, LETTER("4")), 0);
    middle_frame();
    return arg;
}

/* Deferred calls that run all before, or all after, the destructors, or with the frame of another. */
void test_frame_by_frame(void **) { close_suspended(outer_frame, "21i3m4o"); }

struct member_and_base : noisy {
    noisy member;
    member_and_base() : noisy('b'), member('m') { suspend(); }
    ~member_and_base() { trace_add('!'); }
};

void *suspend_in_constructor(void *arg) {
    noisy local('l');
    member_and_base object;
    return arg;
}

/* A half-made object whose finished parts are forgotten, or whose own destructor runs. */
void test_suspended_in_a_constructor(void **) { close_suspended(suspend_in_constructor, "mbl"); }

void *own_through_library_types(void *arg) {
    std::unique_ptr<noisy> owned(new noisy('u'));
    std::shared_ptr<noisy> shared = std::make_shared<noisy>('s');
    std::function<void()> call = [&shared] {
        std::shared_ptr<noisy> copy = shared;
        noisy local('f');
        suspend();
    };
    call();
    return arg;
}

/* Heap memory that leaks, which LeakSanitizer sees as well. */
void test_owners_release(void **) { close_suspended(own_through_library_types, "fsu"); }

/* ---- Handlers ------------------------------------------------------------------------------------------------ */

void *suspend_in_try(void *arg) {
    noisy outer('o');
    try {
        noisy inner('i');
        co_suspend(arg);
        never();
    } catch (const std::exception &) {
        trace_add('!');
    } catch (int) {
        trace_add('!');
    }
    never();
    return arg;
}

/* A close that looks like an exception of some type to a handler. */
void test_handlers_of_a_type_do_not_catch_it(void **) { close_suspended(suspend_in_try, "io"); }

void *rethrow_twice(void *arg) {
    noisy outer('o');
    try {
        noisy middle('m');
        try {
            noisy inner('i');
            co_suspend(arg);
        } catch (...) {
            trace_add('c');
            throw;
        }
    } catch (...) {
        trace_add('d');
        throw;
    }
    never();
    return arg;
}

/* A rethrow that loses the close. */
void test_catch_all_that_rethrows(void **) { close_suspended(rethrow_twice, "icmdo"); }

struct noisy_error : std::runtime_error {
    noisy_error() : std::runtime_error("an error") {}
    noisy_error(const noisy_error &) = default;
    ~noisy_error() override { trace_add('e'); }
};

void *suspend_in_handler(void *arg) {
    noisy outer('o');
    try {
        throw noisy_error();
    } catch (const noisy_error &) {
        noisy inner('i');
        assert_int_equal(co_defer(trace_letter, LETTER("1")), 0);
        suspend();
    }
    return arg;
}

/* An active handler: its exception leaks, or is released twice, or in the closer's record of handlers. */
void test_suspended_in_a_handler(void **) { close_suspended(suspend_in_handler, "1ieo"); }

void *suspend_in_handler_beside_yield(void *arg) {
    noisy outer('o');
    try {
        throw noisy_error();
    } catch (...) {
        noisy inner('i');
        co_suspend(arg);
        never();
    }
    return arg;
}

void test_suspended_in_a_handler_beside_the_yield(void **) { close_suspended(suspend_in_handler_beside_yield, "ieo"); }

struct suspends_in_destructor {
    ~suspends_in_destructor() {
        noisy local('d');
        if (std::uncaught_exceptions() != 1)
            trace_add('!');
        co_suspend(nullptr);
    }
};

void *unwind_through_a_yield(void *arg) {
    try {
        suspends_in_destructor object;
        throw noisy_error();
    } catch (const noisy_error &error) {
        trace_add(error.what()[0]);
    }
    assert_int_equal(std::uncaught_exceptions(), 0);
    return arg;
}

/* A yield while an exception is on its way, which then goes on to its handler. (Closing there ends the program, as a
 * destructor is noexcept: see test_exceptions.cpp.) */
void test_suspended_in_a_destructor_while_unwinding(void **) {
    co_t *co = co_create(unwind_through_a_yield, nullptr);
    trace_clear();
    assert_int_equal(co_resume(co, nullptr, nullptr), CO_YIELDED);
    assert_int_equal(std::uncaught_exceptions(), 0);
    assert_trace("");
    assert_int_equal(co_resume(co, nullptr, nullptr), CO_RETURNED);
    assert_trace("dae");
    assert_int_equal(co_destroy(co), 0);
}

/* ---- The closer's own exceptions ----------------------------------------------------------------------------- */

struct owner {
    co_t *co;
    explicit owner(co_fn body) : co(co_create(body, nullptr)) { co_resume(co, nullptr, nullptr); }
    owner(const owner &) = delete;
    owner &operator=(const owner &) = delete;
    ~owner() {
        int uncaught = std::uncaught_exceptions();
        if (co_destroy(co) != 0 || std::uncaught_exceptions() != uncaught)
            trace_add('!');
    }
};

/* The usual wrapper class: an exception unwinds the closer while the coroutine is destroyed, also one within a handler.
 */
void test_destroyed_while_the_closer_unwinds(void **) {
    const co_fn bodies[] = {outer_frame, suspend_in_handler, rethrow_twice};
    const char *expected[] = {"21i3m4o", "1ieo", "icmdo"};
    for (int i = 0; i < 3; i++) {
        try {
            owner object(bodies[i]);
            trace_clear();
            throw 42;
        } catch (int thrown) {
            assert_int_equal(thrown, 42);
            assert_trace(expected[i]);
        }
        assert_int_equal(std::uncaught_exceptions(), 0);
    }
}

/* A close inside a handler, which is the active one again afterwards. */
void test_closed_inside_a_handler(void **) {
    for (int i = 0; i < 2; i++) {
        owner object(suspend_in_handler);
        try {
            try {
                throw 43;
            } catch (int) {
                trace_clear();
                assert_int_equal(co_close(object.co), 0);
                assert_trace("1ieo");
                assert_true(std::current_exception() != nullptr);
                throw;
            }
        } catch (int thrown) {
            assert_int_equal(thrown, 43);
        }
    }
    assert_true(std::current_exception() == nullptr);
}

/* ---- What a destructor may do -------------------------------------------------------------------------------- */

void *own_another(void *arg) {
    noisy local('l');
    owner object(rethrow_twice);
    suspend();
    return arg;
}

/* A coroutine that owns another: an unwinding within an unwinding, on two stacks. */
void test_destructor_that_destroys_another(void **) { close_suspended(own_another, "icmdol"); }

struct throws_within {
    ~throws_within() {
        try {
            noisy local('t');
            throw noisy_error();
        } catch (const noisy_error &) {
            trace_add('c');
        }
    }
};

void *throw_within_destructor(void *arg) {
    noisy outer('o');
    throws_within object;
    suspend();
    return arg;
}

/* An exception during the unwinding that stays inside of a destructor. */
void test_destructor_that_throws_and_catches(void **) { close_suspended(throw_within_destructor, "tceo"); }

struct yields_in_destructor {
    ~yields_in_destructor() {
        if (co_suspend(nullptr) != nullptr || co_error() != EPERM)
            trace_add('!');
        trace_add('y');
    }
};

void *yield_in_destructor(void *arg) {
    noisy outer('o');
    yields_in_destructor object;
    suspend();
    return arg;
}

/* A yield in a destructor that suspends a coroutine which is ending, or goes unreported. */
void test_destructor_that_yields(void **) { close_suspended(yield_in_destructor, "yo", -EPERM); }

/* ---- An ordinary return -------------------------------------------------------------------------------------- */

void *return_ordinarily(void *arg) {
    noisy local('a');
    assert_int_equal(co_defer(trace_letter, LETTER("1")), 0);
    co_suspend(arg);
    return arg;
}

/* Destructors run twice, or not at all. */
void test_return_runs_each_once(void **) {
    co_t *co = co_create(return_ordinarily, nullptr);
    trace_clear();
    assert_int_equal(co_resume(co, nullptr, nullptr), CO_YIELDED);
    assert_int_equal(co_resume(co, nullptr, nullptr), CO_RETURNED);
    assert_trace("a1");
    assert_int_equal(co_destroy(co), 0);
    assert_trace("a1");
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locals_beside_the_yield),
        cmocka_unit_test(test_locals_beside_yield_from),
        cmocka_unit_test(test_frame_by_frame),
        cmocka_unit_test(test_suspended_in_a_constructor),
        cmocka_unit_test(test_owners_release),
        cmocka_unit_test(test_handlers_of_a_type_do_not_catch_it),
        cmocka_unit_test(test_catch_all_that_rethrows),
        cmocka_unit_test(test_suspended_in_a_handler),
        cmocka_unit_test(test_suspended_in_a_handler_beside_the_yield),
        cmocka_unit_test(test_suspended_in_a_destructor_while_unwinding),
        cmocka_unit_test(test_destroyed_while_the_closer_unwinds),
        cmocka_unit_test(test_closed_inside_a_handler),
        cmocka_unit_test(test_destructor_that_destroys_another),
        cmocka_unit_test(test_destructor_that_throws_and_catches),
        cmocka_unit_test(test_destructor_that_yields),
        cmocka_unit_test(test_return_runs_each_once),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
