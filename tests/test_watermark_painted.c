/* co_stack_used with CO_WATERMARK: never less than what was used, and not more than 16 bytes above it. */
#define _GNU_SOURCE
#include "stack_use.h"

static void assert_painted(const co_options_t *options, size_t bytes) {
    struct use use = {.bytes = bytes};
    co_t *co = co_create_with(options, use_and_yield, &use);
    assert_non_null(co);
    assert_int_equal(co_stack_used(co), 0);
    assert_mark(start(co), &use, 16);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    if (bytes >= 12 * KIB)
        assert_right(use.inside, co, &use, 16);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_true(co_stack_used(co) >= truth(co, &use));
    assert_int_equal(co_destroy(co), 0);
}

/* A unit that is compared in part, or whose colour a program writes by chance: zeros count. */
static void test_painted(void **state) {
    (void)state;
    static unsigned char memory[40 * 1024 + 32];
    for (int i = 0; i < DEPTHS; i++)
        for (size_t odd = 0; odd < 17; odd++) {
            const size_t bytes = depths[i] + odd;
            if (bytes < 120 * KIB) {
                assert_painted(&(co_options_t){.flags = CO_WATERMARK}, bytes);
                assert_painted(&(co_options_t){.flags = CO_WATERMARK, .allocator = &heap}, bytes);
            }
            if (bytes > 33 * KIB)
                continue;
            co_options_t options = {.stack = memory + odd, .stack_bytes = 40 * KIB + odd / 3, .flags = CO_WATERMARK};
            assert_painted(&options, bytes);
            options.flags |= CO_CANARIES | CO_FPENV;
            assert_painted(&options, bytes);
        }
}

/* All of a stack, down to its last whole unit, and the bytes below that are nobody's to count. */
static void *use_all(void *arg) {
    struct use *use = arg;
    co_t *self = co_self();
    memset(&use->inside, 0, sizeof use->inside);
    use->deepest = (uintptr_t)self - co_stack_size(self) / 16 * 16;
    *(volatile char *)use->deepest = 0;
    return co_yield(NULL);
}

static void test_painted_to_the_end(void **state) {
    (void)state;
    static unsigned char memory[16 * 1024 + 32];
    for (size_t offset = 0; offset < 32; offset++) {
        struct use use = {0};
        const co_options_t options = {.stack = memory + offset, .stack_bytes = 16 * KIB, .flags = CO_WATERMARK};
        memset(memory, 0x77, sizeof memory);
        co_t *co = start(co_create_with(&options, use_all, &use));
        assert_mark(co, &use, 1);
        assert_int_equal(co_destroy(co), 0);
        for (size_t i = 0; i < offset; i++)
            assert_int_equal(memory[i], 0x77);
        for (size_t i = offset + 16 * KIB; i < sizeof memory; i++)
            assert_int_equal(memory[i], 0x77);
    }
}

static __attribute__((noinline)) int recurse(int levels, const volatile char *above) {
    volatile char frame[200];
    frame[0] = (char)(levels + (above != NULL));
    return levels == 0 ? frame[0] : recurse(levels - 1, frame) + frame[0];
}

static void *recurse_and_yield(void *arg) { return co_yield(value_of(recurse((int)number_of(arg), NULL))); }

/* Frames that are gone: their memory is nobody's (Valgrind), poisoned or uninitialised, and is read all the same. */
static void test_frames_that_have_returned(void **state) {
    (void)state;
    size_t before = 0;
    for (int levels = 20; levels <= 80; levels += 20) {
        co_t *co = start(create_with(0, CO_WATERMARK, recurse_and_yield, value_of(levels)));
        const size_t used = co_stack_used(co);
        assert_true(used >= (size_t)levels * 16 && used > before); /* AddressSanitizer keeps locals elsewhere */
        before = used;
        assert_int_equal(co_destroy(co), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_painted),
        cmocka_unit_test(test_painted_to_the_end),
        cmocka_unit_test(test_frames_that_have_returned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
