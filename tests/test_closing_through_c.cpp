/* Closing C++ frames with C frames among them, innermost too; and what an earlier handler leaves behind. */
#include "support.h"

#include <cerrno>
#include <exception>
#include <stdexcept>

extern "C" {
void suspend_in_c(int depth, const char *letter); /* closing_through_c_frames.c */
void call_in_c(void (*fn)(), const char *letter);
void trace_in_c(void *letter) { trace_letter(letter); }
}

namespace {

struct noisy {
    char letter;
    explicit noisy(char l) : letter(l) {}
    noisy(const noisy &) = delete;
    noisy &operator=(const noisy &) = delete;
    ~noisy() { trace_add(std::current_exception() == nullptr && std::uncaught_exceptions() == 0 ? letter : '!'); }
};

void close_suspended(co_fn body, int resumes, const char *expected) {
    for (int way = 0; way < 4; way++) {
        co_options_t options = co_options_t();
        options.flags = (way & 1) != 0 ? CO_FPENV : 0;
        co_t *co = co_create_with(&options, body, nullptr);
        assert_non_null(co);
        for (int i = 0; i < resumes; i++)
            assert_int_equal(co_resume(co, nullptr, nullptr), CO_YIELDED);
        trace_clear();
        assert_int_equal((way & 2) != 0 ? co_destroy(co) : co_close(co), 0);
        assert_trace(expected);
        if ((way & 2) == 0)
            assert_int_equal(co_destroy(co), 0);
        assert_true(std::current_exception() == nullptr);
    }
}

/* A macro, so that the call is of the frame where it stands. */
#define DEFER(letter) assert_int_equal(co_defer(trace_letter, LETTER(letter)), 0)

/* ---- C frames -------------------------------------------------------------------------------------------------- */

void *suspend_in_c_frame(void *arg) {
    noisy outer('o');
    DEFER("1");
    {
        noisy inner('i');
        suspend_in_c(0, "2");
    }
    trace_add('!');
    return arg;
}

/* Call-frame information of co__closing, which stands in for the yield's frame, that leads astray. */
void test_suspended_in_a_c_frame(void **) { close_suspended(suspend_in_c_frame, 1, "21io"); }

void *suspend_in_deep_c_frames(void *arg) {
    noisy outer('o');
    volatile int depth = 7;
    DEFER("1");
    suspend_in_c(depth, "2");
    trace_add('!');
    return arg;
}

/* Registers of the outer frames that are lost on the way through several C frames. */
void test_suspended_in_deep_c_frames(void **) { close_suspended(suspend_in_deep_c_frames, 1, "21o"); }

void suspend_below_c() {
    noisy local('i');
    DEFER("3");
    co_suspend(nullptr);
    trace_add('!');
}

void suspend_in_c_below_c() {
    noisy local('i');
    DEFER("3");
    suspend_in_c(2, nullptr);
    trace_add('!');
}

void *call_through_c(void *arg) {
    noisy outer('o');
    DEFER("1");
    call_in_c(suspend_below_c, "2");
    return arg;
}

void *call_through_c_twice(void *arg) {
    noisy outer('o');
    DEFER("1");
    call_in_c(suspend_in_c_below_c, "2");
    return arg;
}

/* A C frame between, which is passed over, and whose deferred call runs in its turn. */
void test_c_frame_between(void **) {
    close_suspended(call_through_c, 1, "3i21o");
    close_suspended(call_through_c_twice, 1, "3i21o");
}

/* ---- A frame that is gone --------------------------------------------------------------------------------------- */

/* As a function would that opens something and defers its closing. */
__attribute__((noinline)) void defer_and_return(const char *letter) {
    volatile char local[64];
    local[0] = 1;
    DEFER(letter);
    local[1] = local[0];
}

__attribute__((noinline)) void inner_frame() {
    volatile char local[256];
    local[0] = 1;
    noisy inner('i');
    co_suspend(nullptr);
    trace_add('!');
    local[1] = local[0];
}

void *open_then_suspend(void *arg) {
    noisy outer('o');
    defer_and_return("1");
    inner_frame();
    return arg;
}

/* A call deferred by a function that has returned, which would run after the destructors of that function's caller.
 * That it runs before those of a frame entered later is what co.h allows. */
void test_deferred_by_a_frame_that_is_gone(void **) { close_suspended(open_then_suspend, 1, "1io"); }

/* ---- Handlers that are over -------------------------------------------------------------------------------------- */

__attribute__((noinline)) void suspend_in_handler() {
    try {
        throw std::runtime_error("soon forgotten");
    } catch (const std::runtime_error &) {
        co_suspend(nullptr);
    }
}

__attribute__((noinline)) void overwrite_stack() {
    volatile char garbage[1024];
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = 0x77;
}

void *suspend_after_a_handler(void *arg) {
    noisy outer('o');
    suspend_in_handler();
    overwrite_stack();
    {
        noisy inner('i');
        co_suspend(nullptr);
    }
    trace_add('!');
    return arg;
}

/* Handlers put aside by an earlier yield, which a close takes for those of this one. */
void test_suspended_after_a_handler(void **) {
    close_suspended(suspend_after_a_handler, 2, "io");
    close_suspended(suspend_after_a_handler, 1, "o");
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspended_in_a_c_frame),    cmocka_unit_test(test_suspended_in_deep_c_frames),
        cmocka_unit_test(test_c_frame_between),           cmocka_unit_test(test_deferred_by_a_frame_that_is_gone),
        cmocka_unit_test(test_suspended_after_a_handler),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
