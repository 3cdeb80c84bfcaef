/* A stack whose last owner was ended inside a handler, or while an exception was on its way: the next owner has no part
 * in that. */
#include "support.h"

#include <exception>
#include <stdexcept>

static int destroyed;

struct counts_its_end {
    ~counts_its_end() { destroyed++; }
};

static void *suspend_in_handler(void *arg) {
    counts_its_end outer;
    try {
        throw std::runtime_error("first");
    } catch (const std::exception &) {
        counts_its_end inner;
        try {
            throw 2;
        } catch (int) {
            co_suspend(arg);
        }
    }
    return arg;
}

static void *use_exceptions(void *arg) {
    if (std::current_exception() != nullptr)
        return nullptr;
    int caught = 0;
    for (int i = 0; i < 3; i++)
        try {
            throw i;
        } catch (int value) {
            caught += value + 1;
            co_suspend(nullptr);
            if (std::current_exception() == nullptr)
                return nullptr;
        }
    return caught == 6 && std::current_exception() == nullptr ? arg : nullptr;
}

static bool in_a_handler;

struct looks_for_a_handler {
    ~looks_for_a_handler() { in_a_handler = std::current_exception() != nullptr; }
};

static void *suspend_outside_of_handlers(void *arg) {
    looks_for_a_handler last;
    co_suspend(arg);
    return arg;
}

enum { CLOSED, DESTROYED, RETURNED, WAYS };

/* Handlers of a coroutine that is gone, which the next one on its stack would find active, or restore. */
static void test_stack_of_one_that_ended_in_a_handler(void **state) {
    (void)state;
    static const co_options_t options = {};
    for (int way = 0; way < WAYS; way++)
        for (int with = 0; with < 4; with++) {
            destroyed = 0;
            co_t *first = with % 2 == 0 ? co_create(suspend_in_handler, nullptr)
                                        : co_create_with(&options, suspend_in_handler, nullptr);
            assert_int_equal(co_resume(first, nullptr, nullptr), CO_YIELDED);
            if (way == CLOSED)
                assert_int_equal(co_close(first), 0);
            if (way == RETURNED)
                assert_int_equal(co_resume(first, nullptr, nullptr), CO_RETURNED);
            assert_int_equal(co_destroy(first), 0);
            assert_int_equal(destroyed, 2);
            assert_true(std::current_exception() == nullptr);

            in_a_handler = true;
            co_t *closed = with / 2 == 0 ? co_create(suspend_outside_of_handlers, nullptr)
                                         : co_create_with(&options, suspend_outside_of_handlers, nullptr);
            assert_ptr_equal(closed, first);
            assert_int_equal(co_resume(closed, nullptr, nullptr), CO_YIELDED);
            assert_int_equal(co_destroy(closed), 0);
            assert_false(in_a_handler);
            assert_true(std::current_exception() == nullptr);

            /* And once more, for what the closing left. */
            first = co_create(suspend_in_handler, nullptr);
            assert_int_equal(co_resume(first, nullptr, nullptr), CO_YIELDED);
            assert_int_equal(co_close(first), 0);
            assert_int_equal(co_destroy(first), 0);
            void *out = nullptr;
            co_t *second =
                with / 2 == 0 ? co_create(use_exceptions, first) : co_create_with(&options, use_exceptions, first);
            assert_ptr_equal(second, first);
            for (int i = 0; i < 3; i++)
                assert_int_equal(co_resume(second, nullptr, &out), CO_YIELDED);
            assert_int_equal(co_resume(second, nullptr, &out), CO_RETURNED);
            assert_ptr_equal(out, first);
            assert_int_equal(co_destroy(second), 0);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stack_of_one_that_ended_in_a_handler)};
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
