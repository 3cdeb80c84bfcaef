/* Peer: C++20's stackless coroutines, by the compiler's own <coroutine> and nothing else.
 * They are no more than a resumable function: they yield from their own frame only. */
#include "bench.h"

#include <coroutine>
#include <exception>

namespace {

struct coroutine {
    struct promise_type {
        uintptr_t value;
        coroutine get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(uintptr_t v) noexcept {
            value = v;
            return {};
        }
        void return_void() noexcept {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
};

coroutine body_switch() {
    for (;;)
        co_await std::suspend_always{};
}

coroutine body_generator() {
    for (uintptr_t i = 0;; i++)
        co_yield i;
}

std::coroutine_handle<coroutine::promise_type> handle;

void setup(bench_work_t work, size_t, const uint32_t *) {
    handle = (work == BENCH_GENERATOR ? body_generator() : body_switch()).handle;
}

void teardown() { handle.destroy(); }

void hot(long n) {
    auto coroutine = handle;
    for (long i = 0; i < n; i++)
        coroutine.resume();
}

uintptr_t generator(long n) {
    auto coroutine = handle;
    uintptr_t sum = 0;
    for (long i = 0; i < n; i++) {
        coroutine.resume();
        sum += coroutine.promise().value;
    }
    return sum;
}

} // namespace

extern "C" const bench_peer_t bench_cxx20 = {"cxx20_stackless", 1, setup, teardown, hot, nullptr, generator};
