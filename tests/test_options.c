/* Wrong options: each is refused with its errno before anything is taken from an allocator or from the system. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>

static int allocations, releases;

static void *allocate(size_t bytes, void *context) {
    (void)context;
    allocations++;
    return bytes > (size_t)1 << 32 ? NULL : malloc(bytes);
}

static void release(void *memory, size_t bytes, void *context) {
    (void)bytes, (void)context;
    releases++;
    free(memory);
}

static const co_allocator_t counting = {.allocate = allocate, .release = release};

static void *body(void *arg) { return co_yield(arg); }

static void assert_refused(const co_options_t *options, int error) {
    allocations = releases = 0;
    errno = 0;
    assert_null(co_create_with(options, body, NULL));
    assert_int_equal(errno, error);
    assert_int_equal(releases, 0);
    if (error == EINVAL)
        assert_int_equal(allocations, 0);
}

static void assert_works(const co_options_t *options) {
    void *out = NULL;
    co_t *co = co_create_with(options, body, value_of(3));
    assert_non_null(co);
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), 3);
    assert_int_equal(co_destroy(co), 0);
}

/* An option that means something tomorrow and is ignored today. */
static void test_unknown_flags_and_reserved_words(void **state) {
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        co_options_t options = {.allocator = &counting, .flags = 1u << bit};
        if (options.flags == CO_FPENV || options.flags == CO_CANARIES || options.flags == CO_WATERMARK)
            assert_works(&options);
        else
            assert_refused(&options, EINVAL);
        options.flags |= CO_FPENV;
        if ((options.flags & ~(CO_FPENV | CO_CANARIES | CO_WATERMARK)) != 0)
            assert_refused(&options, EINVAL);
        options.flags = 0;
        options.reserved_flags = 1u << bit;
        assert_refused(&options, EINVAL);
    }
    const size_t words = sizeof(((co_options_t *)NULL)->reserved) / sizeof(uintptr_t);
    assert_int_equal(words, 4);
    for (size_t i = 0; i < words; i++) {
        co_options_t options = {.allocator = &counting};
        options.reserved[i] = (uintptr_t)1 << 63;
        assert_refused(&options, EINVAL);
    }
    assert_works(&(co_options_t){.allocator = &counting});
    assert_works(&(co_options_t){0});
    assert_works(NULL);
}

/* Half an allocator, which would be called through NULL later. */
static void test_allocator_with_a_missing_function(void **state) {
    (void)state;
    const co_allocator_t halves[] = {{.release = release}, {.allocate = allocate}, {.context = &allocations}};
    for (size_t i = 0; i < sizeof halves / sizeof halves[0]; i++)
        assert_refused(&(co_options_t){.allocator = &halves[i]}, EINVAL);
}

/* An addition that overflows, or a stack that does not hold the library's own words. */
static void test_stack_sizes(void **state) {
    (void)state;
    static const size_t tiny[] = {1, 2, 511, 1000, 1023};
    static const size_t huge[] = {SIZE_MAX,        SIZE_MAX - 4095,      SIZE_MAX - 4096, SIZE_MAX - 65536,
                                  PTRDIFF_MAX,     PTRDIFF_MAX - 4095,   (size_t)1 << 63, ((size_t)1 << 63) - 8192,
                                  (size_t)1 << 60, SIZE_MAX / 2 - 65536, SIZE_MAX - 1,    SIZE_MAX - 131072,
                                  SIZE_MAX / 4 * 3};
    for (size_t i = 0; i < sizeof tiny / sizeof tiny[0]; i++) {
        assert_refused(&(co_options_t){.stack_bytes = tiny[i]}, EINVAL);
        assert_refused(&(co_options_t){.stack_bytes = tiny[i], .allocator = &counting}, EINVAL);
    }
    for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++) {
        assert_refused(&(co_options_t){.stack_bytes = huge[i]}, ENOMEM);
        assert_refused(&(co_options_t){.stack_bytes = huge[i], .allocator = &counting}, ENOMEM);
        assert_int_equal(allocations, 1);
    }
    assert_works(&(co_options_t){.stack_bytes = 1024});
    assert_works(&(co_options_t){.stack_bytes = 1025});
    assert_works(&(co_options_t){.stack_bytes = 4097});
}

/* Memory whose size is not said, or that would end beyond the end of the address space. */
static void test_callers_stack_of_a_wrong_size(void **state) {
    (void)state;
    static unsigned char memory[64 * 1024], kept[sizeof memory];
    static const size_t wrong[] = {0, 1, 1023, SIZE_MAX, SIZE_MAX - 4096, SIZE_MAX / 2 + SIZE_MAX / 4 + SIZE_MAX / 4};
    memset(memory, 0x5a, sizeof memory);
    memcpy(kept, memory, sizeof memory);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_refused(&(co_options_t){.stack = memory, .stack_bytes = wrong[i], .allocator = &counting}, EINVAL);
    assert_memory_equal(memory, kept, sizeof memory);
    assert_works(&(co_options_t){.stack = memory, .stack_bytes = sizeof memory});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_flags_and_reserved_words),
        cmocka_unit_test(test_allocator_with_a_missing_function),
        cmocka_unit_test(test_stack_sizes),
        cmocka_unit_test(test_callers_stack_of_a_wrong_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
