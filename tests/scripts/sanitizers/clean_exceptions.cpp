// Correct uses of coroutines and exceptions together, in which no tool may find anything. Prints `done`.
#include <algorithm>
#include <co.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

static int guards; // that are alive

static void check(bool condition, const char *what) {
    if (!condition) {
        std::fprintf(stderr, "clean_exceptions.cpp: %s\n", what);
        std::abort();
    }
}

struct Guard {
    std::string text;
    Guard() : text(100, 'x') { ++guards; }
    Guard(const Guard &) = delete;
    Guard &operator=(const Guard &) = delete;
    ~Guard() {
        std::ostringstream stream; // library code hands arrays on its stack to functions that judge them
        stream << text << 1.5;
        check(stream.str() == std::string(100, 'x') + "1.5", "a destructor sees its object");
        --guards;
    }
};

class Coroutine {
    co_t *co;

  public:
    Coroutine(co_fn fn, void *arg) : co(co_create(fn, arg)) { check(co != nullptr, "create"); }
    Coroutine(const Coroutine &) = delete;
    Coroutine &operator=(const Coroutine &) = delete;
    ~Coroutine() { check(co_destroy(co) == 0, "destroy"); }
    bool next(void *&value) { return co_resume(co, nullptr, &value) > 0; }
};

// A frame without a destructor, most of which is poison: memory from alloca lies on the stack itself, between poison,
// also where arrays are moved to a fake stack.
__attribute__((noinline)) static void suspend_amid_poison() {
    char *last = nullptr;
    for (int i = 0; i < 50; i++) {
        last = static_cast<char *>(__builtin_alloca(16));
        std::memset(last, i, 16);
    }
    co_suspend(last);
}

// Frames which a throw or a close passes over.
static void deep(int depth) {
    Guard guard;
    if (depth == 0) {
        suspend_amid_poison();
        throw std::runtime_error("deep");
    }
    deep(depth - 1);
}

static void *throws(void *arg) {
    for (int round = 0; round < 3; round++) {
        try {
            deep(5);
        } catch (const std::exception &exception) {
            std::string what = exception.what();
            co_suspend(&what);
            check(what == "deep", "the exception");
        }
        // Library code with frames of its own, where the thrown-over frames were.
        std::vector<int> numbers(500);
        for (int i = 0; i < 500; i++)
            numbers[static_cast<size_t>(i)] = i * 79 % 500;
        std::sort(numbers.begin(), numbers.end());
        check(numbers[10] == 10, "sort");
        co_suspend(numbers.data());
    }
    return arg;
}

static void *nests(void *arg) {
    Coroutine inner(throws, arg);
    void *value;
    while (inner.next(value))
        co_suspend(value);
    return nullptr;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? std::atoi(argv[1]) : 100;
    for (int round = 0; round < rounds; round++) {
        void *value;
        Coroutine outer(nests, nullptr), alone(throws, nullptr);
        for (int i = 0; i < round % 11; i++) {
            outer.next(value);
            alone.next(value);
        }
    }
    check(guards == 0, "every destructor has run");
    std::puts("done");
}
