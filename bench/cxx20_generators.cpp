/* Peer: C++20's coroutines, in a generator as std::generator of C++23 is made: one that hands over to another transfers
 * to it symmetrically, and the outermost one knows the innermost, so that an item costs the same at any depth. Each
 * node of the tree has a coroutine of its own, since these coroutines cannot yield out of a function that they call. */
#include "generators.h"

#include <coroutine>
#include <exception>
#include <utility>

namespace {

/* What can only be iterated. */
class generator {
  public:
    struct promise_type {
        long value;
        generator get_return_object() { return generator(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(long v) noexcept {
            value = v;
            return {};
        }
        void return_void() noexcept {}
        void unhandled_exception() { std::terminate(); }
    };
    explicit generator(std::coroutine_handle<promise_type> h) : handle(h) {}
    generator(generator &&other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
    ~generator() {
        if (handle)
            handle.destroy();
    }
    bool next() {
        handle.resume();
        return !handle.done();
    }
    long value() const { return handle.promise().value; }

  private:
    std::coroutine_handle<promise_type> handle;
};

/* What can hand over to another of its kind. */
class recursive {
  public:
    struct promise_type;
    using handle_t = std::coroutine_handle<promise_type>;

    struct leave {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(handle_t ended) noexcept {
            promise_type &inner = ended.promise();
            if (!inner.outer)
                return std::noop_coroutine();
            inner.root->leaf = inner.outer;
            return inner.outer;
        }
        void await_resume() noexcept {}
    };

    struct enter {
        handle_t inner;
        bool await_ready() noexcept { return false; }
        handle_t await_suspend(handle_t outer) noexcept {
            inner.promise().outer = outer;
            inner.promise().root = outer.promise().root;
            outer.promise().root->leaf = inner;
            return inner;
        }
        void await_resume() noexcept {}
    };

    struct promise_type {
        promise_type *root = this;
        handle_t leaf = handle_t::from_promise(*this), outer;
        long value;
        recursive get_return_object() { return recursive(handle_t::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        leave final_suspend() noexcept { return {}; }
        std::suspend_always yield_value(long v) noexcept {
            root->value = v;
            return {};
        }
        /* The argument lives until the hand-over ends. */
        enter yield_value(recursive &&inner) noexcept { return {inner.handle}; }
        void return_void() noexcept {}
        void unhandled_exception() { std::terminate(); }
    };

    explicit recursive(handle_t h) : handle(h) {}
    recursive(recursive &&other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
    ~recursive() {
        if (handle)
            handle.destroy();
    }
    bool next() {
        handle.promise().leaf.resume();
        return !handle.done();
    }
    long value() const { return handle.promise().value; }

  private:
    handle_t handle;
};

/* Not inlined: a compiler that sees the loop too computes the sum, and there is no generator left. */
[[gnu::noinline]] generator make_numbers(long n) {
    for (long i = 0; i < n; i++)
        co_yield i;
}

[[gnu::noinline]] recursive make_recursive_numbers(long n) {
    for (long i = 0; i < n; i++)
        co_yield i;
}

[[gnu::noinline]] recursive make_walk(const bench_node_t *node) {
    if (node->left)
        co_yield make_walk(node->left);
    co_yield node->value;
    if (node->right)
        co_yield make_walk(node->right);
}

[[gnu::noinline]] recursive make_delegating(long n, long depth) {
    if (depth > 1)
        co_yield make_delegating(n, depth - 1);
    else
        co_yield make_recursive_numbers(n);
}

template <typename Generator> long sum(Generator &&items) {
    long total = 0;
    while (items.next())
        total += items.value();
    return total;
}

long numbers(long n) { return sum(make_numbers(n)); }

long create(long n) {
    long total = 0;
    for (long i = 0; i < n; i++)
        total += sum(make_numbers(1));
    return total;
}

long tree(const bench_node_t *root) { return sum(make_walk(root)); }

long delegate(long n, long depth) { return sum(make_delegating(n, depth)); }

/* ---- The pipeline -------------------------------------------------------------------------------------------- */

[[gnu::noinline]] generator make_count() {
    for (long i = 0;; i++)
        co_yield i;
}

[[gnu::noinline]] generator make_map(generator items, long (*function)(long)) {
    while (items.next())
        co_yield function(items.value());
}

[[gnu::noinline]] generator make_filter(generator items, bool (*predicate)(long)) {
    while (items.next())
        if (predicate(items.value()))
            co_yield items.value();
}

[[gnu::noinline]] generator make_take(generator items, long n) {
    while (n-- > 0 && items.next())
        co_yield items.value();
}

long pipeline(long n) {
    return sum(make_take(
        make_filter(make_map(make_count(), [](long x) { return 3 * x + 1; }), [](long x) { return x % 2 == 0; }), n));
}

} // namespace

extern "C" const bench_generator_peer_t bench_cxx20_generators = {
    "cxx20_stackless", 1, 0, nullptr, numbers, create, tree, delegate, pipeline};
