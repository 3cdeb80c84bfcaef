/* Boost.Context through its C++ interface, with two of its stack allocators: the one with guard pages, which maps and
 * unmaps every stack, and the pooled one, which has no guards. */

/* The allocator asserts that its mprotect succeeds, and ignores the answer where assertions are off, as they are here
 * (CMakeLists.txt). So the guards are looked at. */
#include "many.h"

#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace {

using boost::context::fiber;
using boost::context::pooled_fixedsize_stack;
using boost::context::protected_fixedsize_stack;
using boost::context::stack_context;

fiber body_return(fiber &&resumer) { return std::move(resumer); }

fiber body_switch(fiber &&resumer) {
    for (;;)
        resumer = std::move(resumer).resume();
}

template <typename Stack> void warm_with(const Stack &stack, long n) {
    for (; n > 0; n--) {
        fiber f(std::allocator_arg, Stack(stack), body_return);
        f = std::move(f).resume();
    }
}

void warm_protected(long n) { warm_with(protected_fixedsize_stack(BENCH_MANY_STACK_BYTES), n); }

void warm_pooled(long n) {
    static const pooled_fixedsize_stack pool(BENCH_MANY_STACK_BYTES);
    warm_with(pool, n);
}

/* The guard pages of the stacks that were allocated last. */
enum { NOTED = 1024 };
void *noted[NOTED];
std::size_t allocated;

/* Boost's allocator, and one store. */
class noting_stack {
    protected_fixedsize_stack stack{BENCH_MANY_STACK_BYTES};

  public:
    stack_context allocate() {
        stack_context context = stack.allocate();
        noted[allocated++ % NOTED] = static_cast<char *>(context.sp) - context.size;
        return context;
    }
    void deallocate(stack_context &context) noexcept { stack.deallocate(context); }
};

std::vector<fiber> fibers;

void prepare(std::size_t count) {
    fibers.resize(count); /* writes them */
    allocated = 0;
}

/* How many of those allocated have a guard. Once the mappings run out, none has: so the last one is asked first. */
std::size_t guarded() {
    std::size_t first = (allocated - 1) / NOTED * NOTED;
    if (bench_is_guarded(noted[allocated - 1 - first]))
        return allocated;
    while (first < allocated && bench_is_guarded(noted[first % NOTED]))
        first++;
    return first;
}

std::size_t create(std::size_t count) {
    try {
        while (allocated < count) {
            fiber f(std::allocator_arg, noting_stack(), body_switch);
            fibers[allocated - 1] = std::move(f).resume();
            if ((allocated == count || allocated % NOTED == 0) && guarded() < allocated)
                break;
        }
    } catch (const std::bad_alloc &) {
    }
    std::size_t made = allocated > 0 ? guarded() : 0;
    errno = ENOMEM; /* what mmap and mprotect say when mappings or memory run out, which Boost does not pass on */
    return made;
}

void resume(long rounds) {
    for (; rounds > 0; rounds--)
        for (fiber &f : fibers)
            f = std::move(f).resume();
}

void exchange(std::size_t i, std::size_t j) { std::swap(fibers[i], fibers[j]); }

/* Last created, first destroyed: where stacks without a guard lie in one mapping, unmapping from its end splits
 * nothing, so it cannot run out of mappings. */
void destroy() {
    while (!fibers.empty())
        fibers.pop_back();
    std::vector<fiber>().swap(fibers);
}

} // namespace

extern "C" const bench_maker_t bench_boost_protected_maker = {
    "boost_protected", 50, 2, 0, warm_protected, prepare, create, resume, exchange, destroy};

extern "C" const bench_maker_t bench_boost_pooled_maker = {"boost_pooled", 1,       1,       0,       warm_pooled,
                                                           nullptr,        nullptr, nullptr, nullptr, nullptr};
