/* Peer: Boost.Coroutine2's pull_type, with its default stack allocator, as C++ programs use it. Delegating is a loop
 * that hands each item on. */
#include "generators.h"

#include <boost/coroutine2/coroutine.hpp>
#include <utility>

namespace {

using coroutine = boost::coroutines2::coroutine<long>;

auto make_numbers(long n) {
    return [n](coroutine::push_type &yield) {
        for (long i = 0; i < n; i++)
            yield(i);
    };
}

void emit_tree(coroutine::push_type &yield, const bench_node_t *node) {
    if (node->left)
        emit_tree(yield, node->left);
    yield(node->value);
    if (node->right)
        emit_tree(yield, node->right);
}

void delegate_to(coroutine::push_type &yield, long n, long depth) {
    coroutine::pull_type inner([n, depth](coroutine::push_type &to) {
        if (depth > 1)
            delegate_to(to, n, depth - 1);
        else
            make_numbers(n)(to);
    });
    for (long item : inner)
        yield(item);
}

template <typename Body> long sum(Body body) {
    long total = 0;
    coroutine::pull_type items(body);
    for (long item : items)
        total += item;
    return total;
}

long numbers(long n) { return sum(make_numbers(n)); }

long create(long n) {
    long total = 0;
    for (long i = 0; i < n; i++)
        total += sum(make_numbers(1));
    return total;
}

long tree(const bench_node_t *root) {
    return sum([root](coroutine::push_type &yield) { emit_tree(yield, root); });
}

long delegate(long n, long depth) {
    return sum([n, depth](coroutine::push_type &yield) { delegate_to(yield, n, depth); });
}

long pipeline(long n) {
    coroutine::pull_type count([](coroutine::push_type &yield) {
        for (long i = 0;; i++)
            yield(i);
    });
    coroutine::pull_type map([&count](coroutine::push_type &yield) {
        for (long item : count)
            yield(3 * item + 1);
    });
    coroutine::pull_type filter([&map](coroutine::push_type &yield) {
        for (long item : map)
            if (item % 2 == 0)
                yield(item);
    });
    return sum([&filter, n](coroutine::push_type &yield) {
        long left = n;
        for (long item : filter) {
            yield(item);
            if (--left == 0)
                break;
        }
    });
}

} // namespace

extern "C" const bench_generator_peer_t bench_boost_generators = {
    "boost_coroutine2", 8, 1, nullptr, numbers, create, tree, delegate, pipeline};
