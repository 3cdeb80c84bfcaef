/* longjmp inside a coroutine. Catches: fortified longjmp (_FORTIFY_SOURCE, which compares stack addresses) that takes a
 * jump within a coroutine's stack for one to a frame that is gone, and a switch that disturbs what setjmp saved. */
#include "test.h"

#define DEPTH 5

static jmp_buf escape;
static volatile int came_back; /* counts frames that go on after the jump: none may */

static void jump_from_depth(int depth) {
    if (depth == 0)
        longjmp(escape, DEPTH);
    if (came_back == 0)
        jump_from_depth(depth - 1);
    came_back++;
}

static void *jump_out_of_nested_calls(void *arg) {
    volatile long kept = 41;
    int jumped = setjmp(escape);
    if (jumped == 0)
        jump_from_depth(DEPTH);
    kept++;
    assert_int_equal(jumped, DEPTH);
    assert_int_equal(came_back, 0);
    co_yield(arg);
    return (void *)(intptr_t)kept;
}

static void jump_within_one_coroutine(void **state) {
    (void)state;
    int token;
    void *value = NULL;
    co_t *co = co_create(jump_out_of_nested_calls, &token);
    assert_int_equal(co_resume(co, NULL, &value), CO_YIELDED);
    assert_ptr_equal(value, &token);
    assert_int_equal(co_resume(co, NULL, &value), CO_RETURNED);
    assert_int_equal((intptr_t)value, 42);
    assert_int_equal(co_destroy(co), 0);
}

static void *set_yield_jump(void *arg) {
    volatile int turns = 0;
    jmp_buf here;
    if (setjmp(here) < 3) {
        turns++;
        co_yield((void *)(intptr_t)turns);
        longjmp(here, turns);
    }
    return arg;
}

/* Catches: a jump buffer that does not survive being suspended. */
static void jump_to_a_point_before_a_yield(void **state) {
    (void)state;
    int token;
    void *value = NULL;
    co_t *co = co_create(set_yield_jump, &token);
    for (intptr_t turn = 1; turn <= 3; turn++) {
        assert_int_equal(co_resume(co, NULL, &value), CO_YIELDED);
        assert_int_equal((intptr_t)value, turn);
    }
    assert_int_equal(co_resume(co, NULL, &value), CO_RETURNED);
    assert_ptr_equal(value, &token);
    assert_int_equal(co_destroy(co), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jump_within_one_coroutine),
        cmocka_unit_test(jump_to_a_point_before_a_yield),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
