/* C++ exceptions and tasks: handlers that are active while a task waits and others throw and catch, in its body and in
 * coroutines that it has resumed; destructors, and what a handler has caught, when a deadlock closes the tasks. */
#include "support.h"

#include <co/sched.h>

#include <cerrno>
#include <exception>
#include <stdexcept>
#include <string>

namespace {

void run(co_fn fn, void *arg, unsigned flags = 0, uint64_t seed = 0) {
    co_run_options_t options = co_run_options_t();
    options.flags = CO_RUN_VIRTUAL_CLOCK | flags;
    options.seed = seed;
    assert_int_equal(co_run_with(&options, fn, arg, nullptr), 0);
}

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

/* ---- Waiting in handlers ----------------------------------------------------------------------------------------- */

/* Every way to let others run, with this exception handled. */
void take_turns(int number) {
    for (int i = 0; i < 3; i++) {
        assert_int_equal(co_sched_yield(), 0);
        assert_int_equal(handled(), number);
        assert_int_equal(co_sleep(1 + number % 3), 0);
        assert_int_equal(handled(), number);
        assert_int_equal(std::uncaught_exceptions(), 0);
    }
}

__attribute__((noinline)) void wait_in_handlers(int number, int depth) {
    try {
        throw number;
    } catch (int caught) {
        take_turns(caught);
        if (depth > 1)
            wait_in_handlers(number + 1, depth - 1);
        take_turns(number);
        try {
            throw;
        } catch (int again) {
            assert_int_equal(again, number);
            take_turns(number);
        }
        co_suspend(nullptr);
        assert_int_equal(handled(), number);
    }
}

/* A destructor that waits while an exception unwinds its frame. */
struct waits_on_its_way {
    ~waits_on_its_way() {
        assert_int_equal(std::uncaught_exceptions(), 1);
        assert_int_equal(co_sched_yield(), 0);
        assert_int_equal(co_sleep(2), 0);
        assert_int_equal(std::uncaught_exceptions(), 1);
    }
};

void wait_while_unwinding(int number) {
    try {
        waits_on_its_way local;
        throw number;
    } catch (int caught) {
        assert_int_equal(caught, number);
        assert_int_equal(std::uncaught_exceptions(), 0);
    }
    assert_no_handler();
}

void *handler_task(void *arg) {
    const int number = static_cast<int>(number_of(arg));
    for (int i = 0; i < 3; i++) {
        assert_no_handler();
        wait_in_handlers(number, 3);
        assert_no_handler();
        assert_int_equal(co_sched_yield(), 0);
        wait_while_unwinding(number);
    }
    return nullptr;
}

/* The same inside of a coroutine, which a task resumes in a handler of its own. */
void *nested_task(void *arg) {
    co_t *co = co_create(handler_task, arg);
    try {
        throw 77;
    } catch (int) {
        while (co_resume(co, nullptr, nullptr) == CO_YIELDED) {
            assert_int_equal(handled(), 77);
            take_turns(77);
        }
        assert_int_equal(handled(), 77);
    }
    assert_int_equal(co_destroy(co), 0);
    return nullptr;
}

void *spawn_handler_tasks(void *arg) {
    co_t *tasks[8];
    for (int i = 0; i < 8; i++)
        tasks[i] = co_spawn(i % 2 == 0 ? handler_task : nested_task, value_of(100 * (i + 1)));
    for (co_t *task : tasks) {
        assert_int_equal(co_join(task, nullptr, CO_NEVER), 0);
        assert_no_handler();
    }
    return arg;
}

/* Handlers that are left in another order than they were entered, and seen by the wrong task. */
void test_waiting_in_handlers(void **) { run(spawn_handler_tasks, nullptr); }

void test_waiting_in_handlers_in_any_order(void **) {
    for (uint64_t seed = 0; seed < 20; seed++)
        run(spawn_handler_tasks, nullptr, CO_RUN_SEEDED, seed);
}

void *no_handler_in_a_task(void *arg) {
    assert_no_handler();
    wait_in_handlers(5, 2);
    return arg;
}

/* A scheduler that is run in a handler, of which its tasks know nothing. */
void test_run_in_a_handler(void **) {
    try {
        throw 9;
    } catch (int) {
        run(no_handler_in_a_task, nullptr);
        assert_int_equal(handled(), 9);
    }
    assert_no_handler();
}

/* An exception that is thrown in one task and rethrown in another. */
void *joins_one_that_fails(void *arg) {
    static std::exception_ptr failure;
    co_t *task = co_spawn(
        [](void *) -> void * {
            try {
                co_sched_yield();
                throw std::runtime_error(std::string(100, 'x'));
            } catch (...) {
                failure = std::current_exception();
                co_sched_yield();
                return co_fail(EIO);
            }
        },
        nullptr);
    assert_int_equal(co_join(task, nullptr, CO_NEVER), -EIO);
    std::string text;
    try {
        std::rethrow_exception(failure);
    } catch (const std::runtime_error &error) {
        co_sched_yield();
        text = error.what();
    }
    assert_int_equal(text.size(), 100);
    failure = nullptr;
    return arg;
}

void test_handed_to_the_joiner(void **) { run(joins_one_that_fails, nullptr); }

/* ---- Closing ----------------------------------------------------------------------------------------------------- */

struct noisy {
    char letter;
    explicit noisy(char l) : letter(l) {}
    noisy(const noisy &other) : letter(other.letter) {}
    ~noisy() { trace_add(letter); }
};

void expect_deadlock(co_fn fn, const char *expected) {
    for (unsigned flags = 0; flags <= CO_FPENV; flags += CO_FPENV) {
        co_options_t first = co_options_t();
        co_run_options_t options = co_run_options_t();
        first.flags = flags;
        options.first = &first;
        options.flags = CO_RUN_QUIET;
        trace_clear();
        assert_int_equal(co_run_with(&options, fn, nullptr, nullptr), -EDEADLK);
        assert_trace(expected);
        assert_no_handler();
        assert_null(co_self());
    }
}

__attribute__((noinline)) void wait_for_ever() {
    noisy local('w');
    co_sleep_until(CO_NEVER);
    FAIL("a closed task went on");
}

void *wait_with_locals(void *arg) {
    noisy first('a'), second('b');
    co_defer(trace_letter, LETTER("1"));
    wait_for_ever();
    return arg;
}

/* A wait that is no call site in the language tables, or a landing whose caller is not found. */
void test_destructors_of_a_task(void **) { expect_deadlock(wait_with_locals, "w1ba"); }

struct caught : noisy {
    caught() : noisy('x') {}
};

void *wait_in_a_handler(void *arg) {
    noisy local('l');
    try {
        throw caught();
    } catch (const caught &) {
        noisy in_handler('h');
        wait_for_ever();
    }
    return arg;
}

/* An exception object that nobody destroys, or somebody else's. */
void test_closed_in_a_handler(void **) { expect_deadlock(wait_in_a_handler, "whxl"); }

void destroy(void *co) { assert_int_equal(co_destroy(static_cast<co_t *>(co)), 0); }

void *resume_one_in_a_handler(void *arg) {
    co_t *co = co_create(wait_in_a_handler, nullptr);
    co_defer(destroy, co);
    co_defer(trace_letter, LETTER("o"));
    co_resume(co, nullptr, nullptr);
    FAIL("a closed task went on");
    return arg;
}

void test_closed_in_a_handler_of_a_coroutine(void **) { expect_deadlock(resume_one_in_a_handler, "whxlo"); }

void *spawn_two_in_handlers(void *arg) {
    co_spawn(wait_in_a_handler, nullptr);
    co_spawn(wait_with_locals, nullptr);
    co_spawn(resume_one_in_a_handler, nullptr);
    try {
        throw caught();
    } catch (const caught &) {
        noisy in_handler('f');
        wait_for_ever();
    }
    return arg;
}

void test_closed_in_several_handlers(void **) { expect_deadlock(spawn_two_in_handlers, "whxlow1bawhxlwfx"); }

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waiting_in_handlers),
        cmocka_unit_test(test_waiting_in_handlers_in_any_order),
        cmocka_unit_test(test_run_in_a_handler),
        cmocka_unit_test(test_handed_to_the_joiner),
        cmocka_unit_test(test_destructors_of_a_task),
        cmocka_unit_test(test_closed_in_a_handler),
        cmocka_unit_test(test_closed_in_a_handler_of_a_coroutine),
        cmocka_unit_test(test_closed_in_several_handlers),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
