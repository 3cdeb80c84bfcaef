/* Tasks with the options of a coroutine: names, data, stacks of the caller's and of an allocator, canaries, watermarks
 * and floating-point state; several at once, at depth, and next to tasks without. */
#define _GNU_SOURCE
#include "tasks.h"

#include <fenv.h>

static long allocated;

static void *allocate(size_t bytes, void *context) {
    ++*(long *)context;
    return malloc(bytes);
}

static void release(void *memory, size_t bytes, void *context) {
    --*(long *)context;
    memset(memory, 0xdd, bytes);
    free(memory);
}

static const co_allocator_t counting = {allocate, release, &allocated};

/* Uses about a page of stack, and blocks in the middle of it. */
static void block_with_a_frame(void *arg) {
    volatile char frame[2048];
    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = (char)i;
    assert_int_equal(co_sched_yield(), 0);
    assert_int_equal(co_sleep(MS), 0);
    assert_int_equal(co_join(co_spawn(do_nothing, NULL), NULL, CO_NEVER), 0);
    for (size_t i = 0; i < sizeof frame; i++)
        assert_int_equal(frame[i], (char)i);
    assert_ptr_equal(co_data(co_task()), arg);
}

static void *block_at_depths(void *arg) {
    at_depth(0, block_with_a_frame, arg);
    at_depth(1, block_with_a_frame, arg);
    co_yield(NULL);
    at_depth(10, block_with_a_frame, arg);
    return arg;
}

#define STACK_BYTES ((size_t)64 * 1024)
static unsigned char memories[3][STACK_BYTES];

static const co_options_t kinds[] = {
    {0},
    {.name = "named", .stack_bytes = 48 * 1024},
    {.stack = memories[0], .stack_bytes = STACK_BYTES},
    {.stack = memories[1] + 1, .stack_bytes = STACK_BYTES - 7, .flags = CO_CANARIES},
    {.stack = memories[2], .stack_bytes = STACK_BYTES, .flags = CO_WATERMARK},
    {.stack_bytes = STACK_BYTES, .allocator = &counting},
    {.stack_bytes = STACK_BYTES, .allocator = &counting, .flags = CO_CANARIES | CO_WATERMARK},
    {.flags = CO_WATERMARK},
    {.flags = CO_FPENV},
    {.stack_bytes = 256 * 1024, .flags = CO_FPENV | CO_WATERMARK},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void *spawn_each_kind(void *arg) {
    co_t *tasks[KINDS];
    int marks[KINDS];
    for (int round = 0; round < 2; round++) { /* the second on memory that tasks have used */
        for (int i = 0; i < KINDS; i++) {
            co_options_t options = kinds[i];
            options.data = &marks[i];
            tasks[i] = co_spawn_with(&options, block_at_depths, &marks[i]);
            assert_non_null(tasks[i]);
            assert_ptr_equal(co_name(tasks[i]), kinds[i].name);
        }
        for (int i = 0; i < KINDS; i++) {
            void *result = UNTOUCHED;
            assert_int_equal(co_join(tasks[i], &result, co_after(100 * MS)), 0);
            assert_ptr_equal(result, &marks[i]);
        }
        assert_int_equal(allocated, 0);
    }
    return arg;
}

static void test_each_kind(void **state) {
    (void)state;
    run_in_every_order(spawn_each_kind, 0);
}

static void *be_first(void *arg) {
    at_depth(2, block_with_a_frame, co_data(co_task()));
    return arg;
}

/* The first task, whose options are co_run's. */
static void test_first(void **state) {
    (void)state;
    for (int i = 0; i < KINDS; i++) {
        void *result = UNTOUCHED;
        co_options_t first = kinds[i];
        first.data = &first;
        const co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK, .first = &first};
        assert_int_equal(co_run_with(&options, be_first, value_of(i), &result), 0);
        assert_int_equal(number_of(result), i);
        assert_int_equal(allocated, 0);
    }
}

/* ---- Watermarks -------------------------------------------------------------------------------------------------- */

static void *measure(void *arg) {
    const co_options_t options = {.flags = CO_WATERMARK};
    co_t *small = co_spawn_with(&options, do_nothing, NULL);
    co_t *large = co_spawn_with(&options, block_at_depths, NULL);
    assert_int_equal(co_sleep(100 * MS), 0);
    assert_true(co_stack_used(large) >= co_stack_used(small) + 2048);
    assert_true(co_stack_used(large) <= co_stack_size(large));
    assert_joined(small, 0);
    assert_joined(large, 0);
    return arg;
}

static void test_watermark(void **state) {
    (void)state;
    assert_int_equal(run_virtually(measure, NULL), 0);
}

/* ---- Canaries ---------------------------------------------------------------------------------------------------- */

static void *write_below(void *arg) {
    assert_int_equal(co_sched_yield(), 0);
    memset(arg, 0, 16);
    (void)co_sched_yield();
    return NULL;
}

static void *spawn_overflow(void *arg) {
    const co_options_t options = {
        .name = "overflowing", .stack = memories[0], .stack_bytes = STACK_BYTES, .flags = CO_CANARIES};
    (void)co_join(co_spawn_with(&options, write_below, memories[0]), NULL, CO_NEVER);
    return arg;
}

static void run_overflow(void) { (void)co_run(spawn_overflow, NULL, NULL); }

/* An overflow that nobody looks for, since tasks are switched to in another way. */
static void test_canaries(void **state) {
    (void)state;
    const struct child child = run_in_child(run_overflow);
    assert_killed_by(&child, SIGABRT);
    assert_non_null(strstr(child.text, "overflowing"));
}

/* ---- Floating-point state ---------------------------------------------------------------------------------------- */

/* Where there is no other rounding, there is nothing to keep. */
#if defined(FE_UPWARD) && defined(FE_TONEAREST) && defined(FE_DOWNWARD)
static void assert_rounding_kept(void *arg) {
    const int mode = (int)number_of(arg);
    assert_int_equal(fesetround(mode), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(co_sched_yield(), 0);
        assert_int_equal(fegetround(), mode);
        assert_int_equal(co_sleep(MS), 0);
        assert_int_equal(fegetround(), mode);
    }
}

static void *keep_rounding(void *arg) {
    at_depth(0, assert_rounding_kept, arg);
    at_depth(2, assert_rounding_kept, arg);
    return arg;
}

static void *round_in_own_ways(void *arg) {
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_UPWARD};
    const co_options_t options = {.flags = CO_FPENV};
    co_t *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = co_spawn_with(&options, keep_rounding, value_of(modes[i]));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(co_sched_yield(), 0);
        assert_int_equal(fegetround(), FE_TONEAREST);
        assert_int_equal(co_sleep(MS), 0);
        assert_int_equal(fegetround(), FE_TONEAREST);
    }
    for (int i = 0; i < 3; i++)
        assert_joined(tasks[i], 0);
    return arg;
}

static void test_rounding(void **state) {
    (void)state;
    if (under_valgrind())
        skip(); /* it keeps no rounding mode */
    run_in_every_order(round_in_own_ways, 0);
    assert_int_equal(fegetround(), FE_TONEAREST);
}
#else
static void test_rounding(void **state) {
    (void)state;
    skip();
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_kind), cmocka_unit_test(test_first),    cmocka_unit_test(test_watermark),
        cmocka_unit_test(test_canaries),  cmocka_unit_test(test_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
