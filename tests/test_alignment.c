/* Catches a stack that is not aligned as the ABI wants it where a body or a deferred call begins, and a switch that
 * loses the frame or base pointer of a function with over-aligned locals and a stack of a size known only at run time.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registers.h"

/* All three ABIs: sp is a multiple of 16 at a call. */
#define STACK_ALIGNMENT 16

typedef float four_floats __attribute__((vector_size(16)));

static void assert_aligned(const void *address, size_t alignment) {
    assert_int_equal((uintptr_t)address % alignment, 0);
}

/* ---- The first instruction --------------------------------------------------------------------------------------- */

static void check_entry(const co_options_t *options) {
    void *sp = NULL, *out = NULL;
    co_t *co = co_create_with(options, stack_pointer_at_call, &sp);
    assert_non_null(co);
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_non_null(sp);
    assert_ptr_equal(out, sp);
    assert_aligned(sp, STACK_ALIGNMENT);
    assert_int_equal(co_destroy(co), 0);
}

/* Catches a size that is not a multiple of anything and throws the alignment off. */
static void test_entry_for_any_size(void **state) {
    (void)state;
    for (size_t bytes = 16384; bytes < 16384 + 200; bytes += 7)
        check_entry(&(co_options_t){.stack_bytes = bytes});
}

/* The same for memory of the caller, which may begin and end anywhere; the bytes around it must stay as they are. */
static void test_entry_for_any_memory(void **state) {
    (void)state;
    enum { BYTES = 8192, AROUND = 256 };
    unsigned char *memory = malloc(BYTES + 2 * AROUND);
    assert_non_null(memory);
    for (size_t offset = 0; offset < 130; offset++) {
        memset(memory, 0x5a, BYTES + 2 * AROUND);
        unsigned char *stack = memory + AROUND / 2 + offset;
        size_t bytes = BYTES - offset * 3;
        check_entry(&(co_options_t){.stack = stack, .stack_bytes = bytes});
        for (unsigned char *byte = memory; byte < stack; byte++)
            assert_int_equal(*byte, 0x5a);
        for (unsigned char *byte = stack + bytes; byte < memory + BYTES + 2 * AROUND; byte++)
            assert_int_equal(*byte, 0x5a);
    }
    free(memory);
}

static void note_stack_pointer(void *argument) { stack_pointer_at_call(argument); }

static void *defers_and_yields(void *argument) {
    void **notes = argument;
    assert_int_equal(co_defer((void (*)(void *))(void (*)(void))stack_pointer_at_call, &notes[0]), 0);
    assert_int_equal(co_defer(note_stack_pointer, &notes[1]), 0);
    co_yield(NULL);
    return NULL;
}

/* Catches a deferred call that begins on a misaligned stack, after a return and after a close. */
static void test_deferred_calls(void **state) {
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        void *notes[2] = {NULL, NULL};
        co_t *co = co_create(defers_and_yields, notes);
        assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        assert_int_equal(closes ? co_close(co) : co_resume(co, NULL, NULL), 0);
        assert_non_null(notes[0]);
        assert_non_null(notes[1]);
        assert_aligned(notes[0], STACK_ALIGNMENT);
        assert_aligned(notes[1], STACK_ALIGNMENT);
        assert_int_equal(co_destroy(co), 0);
    }
}

/* ---- What compilers build on it ---------------------------------------------------------------------------------- */

/* Stores an aligned vector on its stack by an instruction that faults on other addresses (movaps on x86-64). */
static void *stores_vectors(void *argument) {
    volatile four_floats stored = {1, 2, 3, 4};
    _Alignas(64) volatile unsigned char line[64];
    assert_aligned((const void *)&stored, 16);
    assert_aligned((const void *)line, 64);
    line[0] = 1;
    co_yield(argument);
    assert_aligned((const void *)line, 64);
    assert_int_equal(line[0], 1);
    assert_true(stored[3] == 4.0f);
    return argument;
}

/* Catches a misaligned stack by what compilers do with an aligned one. */
static void test_vectors_on_the_stack(void **state) {
    (void)state;
    co_t *co = co_create(stores_vectors, NULL);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
}

static double sum_of(int count, ...) {
    va_list list;
    double sum = 0;
    va_start(list, count);
    for (int i = 0; i < count; i++)
        sum += i % 2 == 0 ? va_arg(list, double) : (double)va_arg(list, long double);
    va_end(list);
    return sum;
}

static void *formats_floats(void *argument) {
    snprintf(argument, 100, "%f %.2Lf %d %e", 1.5, 2.25L, 7, 1e9);
    assert_true(sum_of(6, 1.0, 2.0L, 3.0, 4.0L, 5.0, 6.0L) == 21.0);
    return NULL;
}

/* Catches a misaligned stack in functions of variable arguments, which save vector registers in their prologue. */
static void test_variable_arguments(void **state) {
    (void)state;
    char text[100] = "";
    co_t *co = co_create(formats_floats, text);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_string_equal(text, "1.500000 2.25 7 1.000000e+09");
    assert_int_equal(co_destroy(co), 0);
}

/* ---- The frame and the base pointer ------------------------------------------------------------------------------ */

struct frame_test {
    volatile size_t bytes; /* the optimiser must not know the size */
    co_t *other;           /* whom to resume; NULL: yield */
    int rounds;
};

static void switch_away(struct frame_test *test) {
    if (test->other != NULL)
        assert_int_equal(co_resume(test->other, NULL, NULL), CO_YIELDED);
    else
        co_yield(NULL);
}

/* Has a frame pointer, for the alloca, and a base pointer or a realigned frame, for the locals aligned beyond what the
 * ABI gives; values that lie relative to each of them must be there after the switch, and so must the arguments. */
#define FRAMES(name, SWITCH)                                                                                           \
    static void *name(struct frame_test *test, long a, long b, long c, long d, long e, long f, long g, long h) {       \
        _Alignas(128) volatile long aligned[16];                                                                       \
        volatile long plain[5] = {a, b, c, d, e};                                                                      \
        for (int round = 0; round < test->rounds; round++) {                                                           \
            size_t bytes = test->bytes + (size_t)round;                                                                \
            unsigned char *area = __builtin_alloca(bytes);                                                             \
            unsigned char sized[bytes];                                                                                \
            memset(area, 0x11 + round, bytes);                                                                         \
            memset(sized, 0x22 + round, bytes);                                                                        \
            for (long i = 0; i < 16; i++)                                                                              \
                aligned[i] = i * f + round;                                                                            \
            SWITCH;                                                                                                    \
            assert_aligned((const void *)aligned, 128);                                                                \
            for (long i = 0; i < 16; i++)                                                                              \
                assert_int_equal(aligned[i], i *f + round);                                                            \
            assert_int_equal(area[0], 0x11 + round);                                                                   \
            assert_int_equal(area[bytes - 1], 0x11 + round);                                                           \
            assert_int_equal(sized[0], 0x22 + round);                                                                  \
            assert_int_equal(sized[bytes - 1], 0x22 + round);                                                          \
            assert_int_equal(plain[0] + plain[4], a + e);                                                              \
            assert_int_equal(a + b + c + d + e + f + g + h, 36);                                                       \
        }                                                                                                              \
        return NULL;                                                                                                   \
    }
FRAMES(frames_in_body, co_yield(NULL))
FRAMES(frames_in_resumer, assert_int_equal(co_resume(test->other, NULL, NULL), CO_YIELDED))

/* The same without over-aligned locals: a frame pointer and no base pointer; then without alloca: the reverse. */
static void only_alloca(struct frame_test *test) {
    unsigned char *area = __builtin_alloca(test->bytes);
    memset(area, 0x33, test->bytes);
    switch_away(test);
    assert_int_equal(area[0], 0x33);
    assert_int_equal(area[test->bytes - 1], 0x33);
}

static void only_aligned(struct frame_test *test) {
    _Alignas(256) volatile long aligned[2] = {1, 2};
    switch_away(test);
    assert_aligned((const void *)aligned, 256);
    assert_int_equal(aligned[0], 1);
    assert_int_equal(aligned[1], 2);
}

static void *all_frames_in_body(void *argument) {
    frames_in_body(argument, 1, 2, 3, 4, 5, 6, 7, 8);
    only_alloca(argument);
    only_aligned(argument);
    return NULL;
}

/* Catches a frame or base pointer that the inline switch does not restore, on both sides at once: resumer and coroutine
 * have such frames, of different sizes. */
static void test_frame_and_base_pointer(void **state) {
    (void)state;
    struct frame_test body = {.bytes = 100, .rounds = 8};
    struct frame_test resumer = {.bytes = 333, .rounds = 8};
    resumer.other = co_create(all_frames_in_body, &body);
    frames_in_resumer(&resumer, 1, 2, 3, 4, 5, 6, 7, 8);
    only_alloca(&resumer);
    only_aligned(&resumer);
    assert_int_equal(co_resume(resumer.other, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(resumer.other), 0);
}

/* Catches the same when such a frame is closed. */
static void test_close_within_such_a_frame(void **state) {
    (void)state;
    struct frame_test body = {.bytes = 100, .rounds = 8};
    co_t *co = co_create(all_frames_in_body, &body);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_close(co), 0);
    assert_int_equal(co_destroy(co), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry_for_any_size),
        cmocka_unit_test(test_entry_for_any_memory),
        cmocka_unit_test(test_deferred_calls),
        cmocka_unit_test(test_vectors_on_the_stack),
        cmocka_unit_test(test_variable_arguments),
        cmocka_unit_test(test_frame_and_base_pointer),
        cmocka_unit_test(test_close_within_such_a_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
