// Exceptions and closing under sanitizers: frames that are passed over leave poison on a coroutine's stack, over which
// other frames come to lie. Without a sanitizer: the same values arrive.
// C++ standards: 11 17
#include <algorithm>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "test.h" // after the others, since it has macros named as their members

namespace {

int guards; // that are alive

struct Guard {
    std::string text;
    Guard() : text(100, 'x') { ++guards; }
    Guard(const Guard &) = delete;
    Guard &operator=(const Guard &) = delete;
    ~Guard() {
        std::ostringstream stream; // library code hands arrays on its stack to functions that judge them
        stream << text << 1.5;
        if (stream.str() == std::string(100, 'x') + "1.5")
            --guards;
    }
};

// A frame without a destructor, most of which is poison: memory from alloca lies on the stack itself, between poison,
// also where arrays are moved to a fake stack.
__attribute__((noinline)) void suspend_amid_poison() {
    char *last = nullptr;
    for (int i = 0; i < 50; i++) {
        last = static_cast<char *>(__builtin_alloca(16));
        std::memset(last, i, 16);
    }
    co_suspend(last);
}

__attribute__((noinline)) void deep(int depth) {
    Guard guard;
    if (depth == 0) {
        suspend_amid_poison();
        throw std::runtime_error("deep");
    }
    deep(depth - 1);
}

// Frames of uninstrumented library code that lie where the others were.
__attribute__((noinline)) int sorted() {
    std::vector<int> numbers;
    for (int i = 0; i < 500; i++)
        numbers.push_back(i * 79 % 500);
    std::sort(numbers.begin(), numbers.end());
    return numbers[10];
}

void *throws(void *arg) {
    try {
        deep(10);
    } catch (const std::exception &exception) {
        std::string what = exception.what();
        co_suspend(&what);
        if (what != "deep")
            return nullptr;
    }
    return sorted() == 10 ? arg : nullptr;
}

void *nests(void *arg) {
    struct Owner {
        co_t *co;
        explicit Owner(void *value) : co(co_create(throws, value)) {}
        Owner(const Owner &) = delete;
        Owner &operator=(const Owner &) = delete;
        ~Owner() { co_destroy(co); }
    } inner(arg);
    void *value = nullptr;
    while (co_resume(inner.co, nullptr, &value) > 0)
        co_suspend(value);
    return value;
}

void test_frames_passed_over(void **) {
    char token;
    for (int resumes = 0; resumes <= 4; resumes++) {
        for (co_fn fn : {throws, nests}) {
            co_t *co = co_create(fn, &token);
            assert_non_null(co);
            void *value = nullptr;
            int status = CO_YIELDED;
            for (int i = 0; i < resumes && status > 0; i++)
                status = co_resume(co, nullptr, &value);
            if (status == CO_RETURNED)
                assert_ptr_equal(value, &token);
            assert_int_equal(status, resumes >= 3 ? CO_RETURNED : CO_YIELDED);
            assert_int_equal(co_destroy(co), 0);
            assert_int_equal(guards, 0);
        }
    }
}

// The destructors themselves suspend nothing, but run coroutines, while the closing unwinds.
struct Runs {
    ~Runs() {
        co_t *co = co_create(throws, this);
        void *value = nullptr;
        int yields = 0;
        while (co_resume(co, nullptr, &value) > 0)
            ++yields;
        if (yields == 2 && value == this && co_destroy(co) == 0)
            ++done;
    }
    static int done;
};
int Runs::done;

void *closes_with_work(void *arg) {
    Runs first, second;
    deep(3);
    return arg;
}

void test_coroutines_run_in_destructors(void **) {
    co_t *co = co_create(closes_with_work, nullptr);
    assert_int_equal(co_resume(co, nullptr, nullptr), CO_YIELDED);
    assert_int_equal(co_destroy(co), 0);
    assert_int_equal(Runs::done, 2);
    assert_int_equal(guards, 0);
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_passed_over),
        cmocka_unit_test(test_coroutines_run_in_destructors),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
