/* Bodies that know how much stack they use, for the tests of co_stack_used: a body knows its deepest address, and a
 * handle is the address that its stack grows down from.
 * A C file that includes this one defines _GNU_SOURCE before its first #include. */
#ifndef CO_TEST_STACK_USE_H
#define CO_TEST_STACK_USE_H

#include "support.h"

#include <errno.h>

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

static inline size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

/* Writes `bytes` down from its frame, and nothing below; a byte suffices where another was. Not by a local array: the
 * compiler would decide what of it exists. Returns the lowest address written. */
static __attribute__((noinline)) uintptr_t touch(size_t bytes) {
    const volatile uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    for (size_t step = KIB; step < bytes; step += 512)
        *(volatile char *)(frame - step) = 1;
    *(volatile char *)(frame - bytes) = 0; /* nothing, and yet it was written */
    return frame - bytes;
}

struct use {
    size_t bytes;
    uintptr_t deepest;
    size_t inside; /* what co_stack_used says where it is used */
};

static inline void *use_and_yield(void *arg) {
    struct use *use = arg;
    use->deepest = touch(use->bytes);
    co_yield(NULL);
    use->inside = co_stack_used(co_self());
    co_yield(NULL);
    return NULL;
}

static inline void *use_once(void *arg) {
    struct use *use = arg;
    use->deepest = touch(use->bytes);
    return co_yield(NULL);
}

static inline size_t truth(const co_t *co, const struct use *use) { return (size_t)((uintptr_t)co - use->deepest); }

static inline void assert_right(size_t used, const co_t *co, const struct use *use, size_t grain) {
    if (used < truth(co, use) || used >= truth(co, use) + grain)
        FAIL("%zu bytes are used, and co_stack_used says %zu", truth(co, use), used);
    assert_true(used <= co_stack_size(co));
}

static inline void assert_mark(const co_t *co, const struct use *use, size_t grain) {
    errno = 1234;
    assert_right(co_stack_used(co), co, use, grain);
    assert_int_equal(errno, 1234);
}

static inline co_t *create_with(size_t stack_bytes, unsigned flags, co_fn fn, void *arg) {
    co_t *co = co_create_with(&(co_options_t){.stack_bytes = stack_bytes, .flags = flags}, fn, arg);
    assert_non_null(co);
    return co;
}

static inline co_t *start(co_t *co) {
    assert_non_null(co);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    return co;
}

/* Of stacks of 128 KiB. */
static const size_t depths[] = {2 * KIB,  3 * KIB + 100, 4 * KIB,   5 * KIB,       7 * KIB + 1, 8 * KIB,
                                12 * KIB, 16 * KIB,      20 * KIB,  31 * KIB + 17, 32 * KIB,    33 * KIB,
                                64 * KIB, 100 * KIB,     120 * KIB, 125 * KIB};
enum { DEPTHS = sizeof depths / sizeof depths[0] };

static inline void *allocate_in_heap(size_t bytes, void *context) { return (void)context, malloc(bytes); }
static inline void release_to_heap(void *memory, size_t bytes, void *context) {
    (void)bytes, (void)context;
    free(memory);
}
static const co_allocator_t heap = {.allocate = allocate_in_heap, .release = release_to_heap};

#endif
