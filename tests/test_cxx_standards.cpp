/* The header in every C++ standard: co_suspend means the same where co_yield is a name and where it is a keyword, and
 * stackless coroutines of the language live beside it.
 * C++ standards: 11 14 17 20 23 */
/* cmocka.h takes volatile parameters, which C++20 deprecates; it is not a system header everywhere. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wdeprecated-volatile"
#elif defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wvolatile"
#endif
#include "support.h"

#include <cerrno>

#if defined(__cpp_impl_coroutine) && defined(__has_include)
#if __has_include(<coroutine>)
#include <coroutine>
#endif
#endif

namespace {

void *echo(void *arg) {
    void *in = co_suspend(arg);
    while (in != nullptr)
        in = co_yield_from(co_self(), in);
    return value_of(9);
}

/* A header that does not compile in some standard, or a co_suspend that is another function than C's co_yield. */
void test_suspend(void **) {
    void *out = nullptr;
    co_t *co = co_create(echo, value_of(1));
    assert_int_equal(co_resume(co, nullptr, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 1);
    assert_int_equal(co_resume(co, value_of(2), &out), CO_YIELDED);
    assert_int_equal(number_of(out), 2);
    assert_int_equal(co_throw(co, EIO, &out), CO_RETURNED);
    assert_int_equal(number_of(out), 9);
    assert_int_equal(co_destroy(co), 0);
    errno = 0;
    assert_null(co_suspend(nullptr));
    assert_int_equal(errno, EPERM);
}

struct destroyed_by_close {
    ~destroyed_by_close() { trace_add('d'); }
};

/* Captures nothing, so it converts to co_fn. */
void test_body_that_is_a_lambda(void **) {
    co_t *co = co_create(
        [](void *arg) -> void * {
            destroyed_by_close object;
            return co_suspend(arg);
        },
        nullptr);
    trace_clear();
    assert_int_equal(co_resume(co, nullptr, nullptr), CO_YIELDED);
    assert_int_equal(co_destroy(co), 0);
    assert_trace("d");
}

/* Options are an aggregate, and `= {}` gives all defaults. */
void test_options(void **) {
    co_options_t options = {};
    options.name = "a name";
    options.flags = CO_FPENV;
    co_t *co = co_create_with(&options, echo, value_of(1));
    assert_string_equal(co_name(co), "a name");
    assert_int_equal(co_resume(co, nullptr, nullptr), CO_YIELDED);
    assert_int_equal(co_destroy(co), 0);
}

#if defined(__cpp_impl_coroutine) && defined(__cpp_lib_coroutine)
struct generator {
    struct promise_type {
        int value = 0;
        generator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(int v) {
            value = v;
            return {};
        }
        void return_void() {}
        void unhandled_exception() {}
    };
    std::coroutine_handle<promise_type> handle;
};

/* Yields to its resumer in the language's way, and suspends the stackful coroutine it runs in. */
generator count_stackless(int limit) {
    for (int i = 0; i < limit; i++) {
        co_suspend(value_of(100 + i));
        co_yield i;
    }
}

void *drive_stackless(void *) {
    generator numbers = count_stackless(3);
    for (numbers.handle.resume(); !numbers.handle.done(); numbers.handle.resume())
        co_suspend(value_of(numbers.handle.promise().value));
    numbers.handle.destroy();
    return nullptr;
}

/* The keyword taken away, or taken for ours. */
void test_stackless_coroutines_beside_it(void **) {
    static const int expected[] = {100, 0, 101, 1, 102, 2};
    void *out = nullptr;
    co_t *co = co_create(drive_stackless, nullptr);
    for (int number : expected) {
        assert_int_equal(co_resume(co, nullptr, &out), CO_YIELDED);
        assert_int_equal(number_of(out), number);
    }
    assert_int_equal(co_resume(co, nullptr, &out), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
}

/* Suspends whoever runs it, and then itself. */
generator suspend_whoever_resumes(int limit) {
    for (int i = 0; i < limit; i++) {
        co_suspend(co_self());
        co_yield i;
    }
}

void *resume_stackless(void *arg) {
    const std::coroutine_handle<> handle = std::coroutine_handle<>::from_address(arg);
    for (handle.resume(); !handle.done(); handle.resume())
        co_suspend(nullptr);
    return nullptr;
}

/* One call that runs in several coroutines, which nothing but the language's own can: what it read of "current" before
 * it suspended itself belongs to another. */
void test_stackless_coroutine_moves_between_stackful_ones(void **) {
    const generator numbers = suspend_whoever_resumes(7);
    co_t *both[] = {co_create(resume_stackless, numbers.handle.address()),
                    co_create(resume_stackless, numbers.handle.address())};
    void *out = nullptr;
    for (int i = 0; i < 7; i++) {
        assert_int_equal(co_resume(both[i % 2], nullptr, &out), CO_YIELDED);
        assert_ptr_equal(out, both[i % 2]);
        assert_int_equal(co_resume(both[i % 2], nullptr, &out), CO_YIELDED);
        assert_null(out);
    }
    for (co_t *co : both)
        assert_int_equal(co_destroy(co), 0);
    numbers.handle.destroy();
}
#endif

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_body_that_is_a_lambda),
        cmocka_unit_test(test_options),
#if defined(__cpp_impl_coroutine) && defined(__cpp_lib_coroutine)
        cmocka_unit_test(test_stackless_coroutines_beside_it),
        cmocka_unit_test(test_stackless_coroutine_moves_between_stackful_ones),
#endif
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
