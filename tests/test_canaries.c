/* CO_CANARIES: whatever writes over an end of a stack is told at the next switch, whoever does it, and nothing else
 * is. */
#define _GNU_SOURCE
#include "stack_use.h"

enum { CANARY_BYTES = 32 };

static unsigned char *low_end(const co_t *co) {
    return (unsigned char *)(uintptr_t)((uintptr_t)co - co_stack_size(co) - CANARY_BYTES);
}

/* ---- Told ---------------------------------------------------------------------------------------------------- */

enum when {
    BEFORE_THE_FIRST_RESUME,
    BEFORE_A_RESUME,
    BEFORE_A_THROW,
    BEFORE_CLOSE,
    BEFORE_DESTROY,
    BY_ONE_THAT_YIELDS,
    BY_ONE_THAT_RETURNS,
    BY_ONE_THAT_FAILS,
    BY_A_DEFERRED_CALL,
    BY_ONE_THAT_IT_RESUMED,
    WHENS
};

static struct scene {
    enum when when;
    bool above;
    int distance; /* from the end of the stack into the canary: 1 to CANARY_BYTES */
    bool allocated, nameless;
    unsigned more_flags;
} scene;

static unsigned char memory[64 * 1024];
static size_t memory_bytes = sizeof memory;

/* Gives `memory` for a stack, and other memory for what co_defer remembers. */
static void *allocate(size_t bytes, void *context) {
    (void)context;
    assert_true(bytes <= sizeof memory);
    return bytes < KIB ? malloc(bytes) : memory;
}

static void release(void *released, size_t bytes, void *context) {
    if (bytes < KIB) {
        free(released);
        return;
    }
    assert_ptr_equal(released, memory);
    assert_int_equal(bytes, memory_bytes);
    *(int *)context += 1;
}

static int releases;
static const co_allocator_t one_piece = {.allocate = allocate, .release = release, .context = &releases};

/* One bit of one byte. */
static void overwrite(void *arg) {
    volatile unsigned char *low = memory + CANARY_BYTES, *high = memory + memory_bytes - CANARY_BYTES;
    (void)arg;
    if (scene.above)
        high[scene.distance - 1] ^= 0x10;
    else
        low[-scene.distance] ^= 0x10;
}

static void *overwrite_in_another(void *arg) { return overwrite(arg), NULL; }

/* Nothing of it runs once the damage is seen. */
static void *body(void *arg) {
    if (scene.when == BEFORE_THE_FIRST_RESUME)
        fputs("went on", stderr);
    if (scene.when == BY_A_DEFERRED_CALL)
        co_defer(overwrite, NULL);
    if (scene.when == BY_ONE_THAT_YIELDS || scene.when == BY_ONE_THAT_RETURNS || scene.when == BY_ONE_THAT_FAILS)
        overwrite(NULL);
    if (scene.when == BY_ONE_THAT_IT_RESUMED) {
        co_t *co = co_create(overwrite_in_another, NULL);
        co_resume(co, NULL, NULL);
        co_destroy(co);
        fputs("as it should", stderr);
    }
    if (scene.when == BY_ONE_THAT_FAILS)
        return co_fail(EIO);
    if (scene.when != BY_ONE_THAT_RETURNS) {
        co_yield(NULL);
        fputs("went on", stderr);
    }
    return arg;
}

static const char *site_of_scene;

static co_t *create_scene(void) {
    const co_options_t options = {.stack = scene.allocated ? NULL : memory,
                                  .allocator = scene.allocated ? &one_piece : NULL,
                                  .stack_bytes = memory_bytes,
                                  .flags = CO_CANARIES | scene.more_flags,
                                  .name = scene.nameless ? NULL : "a body that is named",
                                  .site = scene.nameless ? NULL : site_of_scene};
    co_t *co = co_create_with(&options, body, NULL);
    assert_non_null(co);
    return co;
}

static void play_scene(void) {
    co_t *co = create_scene();
    if (scene.when == BEFORE_THE_FIRST_RESUME)
        overwrite(NULL);
    co_resume(co, NULL, NULL);
    if (scene.when >= BY_ONE_THAT_YIELDS && scene.when != BY_A_DEFERRED_CALL)
        fputs("went on", stderr);
    if (scene.when < BY_ONE_THAT_YIELDS)
        overwrite(NULL);
    if (scene.when == BEFORE_A_THROW)
        co_throw(co, EIO, NULL);
    else if (scene.when == BEFORE_A_RESUME)
        co_resume(co, NULL, NULL);
    else if (scene.when == BEFORE_DESTROY)
        co_destroy(co);
    else
        co_close(co);
    fputs("went on", stderr);
}

static void assert_says(const struct child *child, const char *text) {
    if (strstr(child->text, text) == NULL)
        FAIL("scene %d, \"%s\" is not in: %s", scene.when, text, child->text);
}

static void assert_told(void) {
    char text[160];
    site_of_scene = CO_HERE;
    const struct child child = run_in_child(play_scene);
    assert_killed_by(&child, SIGABRT);
    assert_says(&child, scene.nameless ? "libco: coroutine (0x" : "libco: coroutine \"a body that is named\" (0x");
    snprintf(text, sizeof text, "), created at %s", scene.nameless ? "0x" : site_of_scene);
    assert_says(&child, text);
    snprintf(text, sizeof text, ": something has written %s its stack of %zu bytes;", scene.above ? "above" : "below",
             memory_bytes - (size_t)2 * CANARY_BYTES);
    assert_says(&child, text);
    assert_null(strstr(child.text, "went on"));
    assert_true(scene.when != BY_ONE_THAT_IT_RESUMED || strstr(child.text, "as it should") != NULL);
}

/* A switch around which nobody looks, or that looks at one end only. */
static void test_told_at_the_next_switch(void **state) {
    (void)state;
    for (int when = 0; when < WHENS; when++)
        for (int way = 0; way < 4; way++) {
            scene = (struct scene){.when = (enum when)when, .distance = way % 2 != 0 ? 1 : CANARY_BYTES};
            scene.above = way < 2;
            scene.allocated = (way + when) % 3 == 0;
            scene.nameless = (way + when) % 4 == 0;
            scene.more_flags = way == 0 ? CO_FPENV | CO_WATERMARK : way == 1 ? CO_FPENV : way == 2 ? CO_WATERMARK : 0;
            assert_told();
        }
}

/* A comparison that leaves out bytes. */
static void test_every_byte_counts(void **state) {
    (void)state;
    for (int distance = 1; distance <= CANARY_BYTES; distance += under_valgrind() ? 7 : 1)
        for (int above = 0; above < 2; above++) {
            scene = (struct scene){.when = BEFORE_A_RESUME, .above = above, .distance = distance};
            assert_told();
        }
}

/* What programs write most: zeros, and a copy of what lies elsewhere. */
static void copy_the_other_end(void) {
    co_t *co = create_scene();
    co_resume(co, NULL, NULL);
    if (scene.above)
        memcpy(memory + memory_bytes - CANARY_BYTES, memory, CANARY_BYTES);
    else
        memmove(memory + 8, memory, 8);
    co_resume(co, NULL, NULL);
}

static void test_copies_count(void **state) {
    (void)state;
    for (int above = 0; above < 2; above++) {
        scene = (struct scene){.when = BEFORE_A_RESUME, .above = above};
        const struct child child = run_in_child(copy_the_other_end);
        assert_killed_by(&child, SIGABRT);
        assert_says(&child, above ? "written above its stack" : "written below its stack");
    }
}

static unsigned char two[2][32 * 1024];

/* Uses all of its stack, and 8 bytes more, which are its lower neighbour's. */
static void *use_too_much(void *arg) {
    const volatile uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    for (uintptr_t byte = frame - 512; byte >= (uintptr_t)arg - 8; byte--)
        *(volatile char *)byte = 1;
    return co_yield(arg);
}

static void *yield_thrice(void *arg) {
    for (int i = 0; i < 3; i++)
        co_yield(arg);
    return arg;
}

static void overflow(void) {
    co_options_t options = {.stack_bytes = sizeof two[0], .flags = CO_CANARIES, .stack = two[0], .name = "lower"};
    co_t *lower = co_create_with(&options, yield_thrice, NULL);
    options.name = "upper";
    options.stack = two[1];
    options.flags = scene.above ? 0 : CO_CANARIES;
    co_t *upper = co_create_with(&options, use_too_much, two[1]);
    co_resume(lower, NULL, NULL);
    co_resume(upper, NULL, NULL);
    fputs("went on", stderr);
    co_resume(lower, NULL, NULL);
}

/* An overflow is told by the one that does it, or else by the one that suffers it. */
static void test_neighbours(void **state) {
    (void)state;
    scene.above = true;
    struct child child = run_in_child(overflow);
    assert_killed_by(&child, SIGABRT);
    assert_says(&child, "went on");
    assert_says(&child, "coroutine \"lower\"");
    assert_says(&child, "above its stack");
    scene.above = false;
    child = run_in_child(overflow);
    assert_killed_by(&child, SIGABRT);
    assert_null(strstr(child.text, "went on"));
    assert_says(&child, "coroutine \"upper\"");
    assert_says(&child, "below its stack");
}

/* ---- Not told ------------------------------------------------------------------------------------------------ */

static void *live(void *arg) {
    co_t *self = co_self();
    assert_int_equal(co_defer(trace_letter, LETTER("d")), 0);
    *(volatile unsigned char *)(low_end(self) + CANARY_BYTES) = 1; /* the very last byte that is its own */
    void *in = co_yield_from(self, arg);
    assert_ptr_equal(in, value_of(7));
    in = co_yield(value_of(8));
    assert_null(in);
    if (co_error() == EIO)
        co_yield(value_of(9));
    return value_of(10);
}

/* Creates, lives through every way of ending, and destroys. */
static void live_and_end(const co_options_t *options, int way) {
    void *out = NULL;
    trace_clear();
    co_t *co = co_create_with(options, live, value_of(6));
    assert_non_null(co);
    if (options->stack != NULL)
        assert_ptr_equal(low_end(co), options->stack);
    if (way > 0) {
        assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
        assert_int_equal(number_of(out), 6);
        assert_int_equal(co_resume(co, value_of(7), &out), CO_YIELDED);
        assert_int_equal(number_of(out), 8);
    }
    if (way == 2)
        assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    if (way == 3)
        assert_int_equal(co_close(co), 0);
    if (way == 4) {
        assert_int_equal(co_throw(co, EIO, &out), CO_YIELDED);
        assert_int_equal(number_of(out), 9);
    }
    assert_int_equal(co_destroy(co), 0);
    assert_trace(way > 0 ? "d" : "");
}

/* Words that are placed, found or compared at different addresses, and writes outside of what was given. */
static void test_no_false_alarm(void **state) {
    (void)state;
    static unsigned char around[34 * 1024];
    int way = 0;
    for (size_t offset = 0; offset <= 130; offset++)
        for (size_t odd = 0; odd <= 130; odd += 1 + odd / 3) {
            unsigned char *stack = around + 64 + offset;
            const size_t bytes = 32 * KIB + odd;
            memset(around, 0xa5, sizeof around);
            way++;
            const co_options_t options = {.stack = stack,
                                          .stack_bytes = bytes,
                                          .flags =
                                              CO_CANARIES | (way & 1 ? CO_FPENV : 0) | (way & 2 ? CO_WATERMARK : 0)};
            live_and_end(&options, way % 5);
            memset(stack, 0xff, bytes / 2); /* the memory is the caller's again, at once and whole */
            memset(stack + bytes - bytes / 2, 0, bytes / 2);
            live_and_end(&options, (way + 1) % 5);
            for (unsigned char *byte = around; byte < stack; byte++)
                assert_int_equal(*byte, 0xa5);
            for (unsigned char *byte = stack + bytes; byte < around + sizeof around; byte++)
                assert_int_equal(*byte, 0xa5);
        }
}

/* The stack is smaller than the memory, by 64 bytes and what alignment takes: both ends are outside of it. */
static void test_size(void **state) {
    (void)state;
    for (size_t offset = 0; offset < 130; offset++) {
        co_options_t options = {.stack = memory + offset, .stack_bytes = 16 * KIB};
        co_t *plain = co_create_with(&options, live, NULL);
        const size_t without = co_stack_size(plain);
        assert_int_equal(co_destroy(plain), 0);
        options.flags = CO_CANARIES;
        co_t *co = co_create_with(&options, live, NULL);
        assert_in_range(co_stack_size(co), without - 64 - 128, without - 32);
        assert_ptr_equal(low_end(co), memory + offset);
        assert_int_equal(co_destroy(co), 0);
    }
}

/* Ends that are kept back from the allocator, or given to it twice. */
static void test_allocator_gets_back_what_it_gave(void **state) {
    (void)state;
    static unsigned char kept[sizeof memory];
    for (size_t bytes = 32 * KIB; bytes < 32 * KIB + 40; bytes++) {
        const co_options_t options = {.allocator = &one_piece, .stack_bytes = bytes, .flags = CO_CANARIES};
        memory_bytes = bytes;
        memset(memory, 0x3c, sizeof memory);
        releases = 0;
        co_t *co = co_create_with(&options, yield_thrice, NULL);
        if (bytes % 2 != 0)
            assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        assert_int_equal(co_destroy(co), 0);
        assert_int_equal(releases, 1);
        memset(kept, 0x3c, sizeof kept);
        assert_memory_equal(memory + bytes, kept + bytes, sizeof memory - bytes);
    }
    memory_bytes = sizeof memory;
}

/* Mapped stacks, whatever their size, and nothing else. */
static void test_refused_for_mapped_stacks(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1024, 64 * 1024, (size_t)1 << 30};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (unsigned more = 0; more < 8; more++) {
            errno = 0;
            assert_null(
                co_create_with(&(co_options_t){.stack_bytes = sizes[i], .flags = CO_CANARIES | more}, live, NULL));
            assert_int_equal(errno, EINVAL);
        }
    for (int way = 0; way < 5; way++)
        live_and_end(&(co_options_t){.allocator = &heap, .flags = CO_CANARIES}, way);
}

/* ---- LeakSanitizer ------------------------------------------------------------------------------------------- */

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static unsigned leaked_flags;

static __attribute__((noinline)) void lose_some(void) {
    for (int i = 0; i < 10; i++)
        co_resume(co_create_with(&(co_options_t){.allocator = &heap, .flags = leaked_flags}, yield_thrice, NULL), NULL,
                  NULL);
}

static void leak(void) {
    lose_some();
    _exit(__lsan_do_recoverable_leak_check() != 0 ? 23 : 0);
}

/* A stack in memory from malloc that is taken for other memory, so that its loss is hidden. */
static void test_lost_stacks_are_leaks(void **state) {
    (void)state;
    const char *options = getenv("ASAN_OPTIONS");
    if (&__lsan_do_recoverable_leak_check == NULL || options == NULL || strstr(options, "detect_leaks=1") == NULL)
        skip();
    for (int with = 0; with < 2; with++) {
        leaked_flags = with ? CO_CANARIES : 0;
        const struct child child = run_in_child(leak);
        assert_exited(&child, 23);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_told_at_the_next_switch),
                                       cmocka_unit_test(test_every_byte_counts),
                                       cmocka_unit_test(test_copies_count),
                                       cmocka_unit_test(test_neighbours),
                                       cmocka_unit_test(test_no_false_alarm),
                                       cmocka_unit_test(test_size),
                                       cmocka_unit_test(test_allocator_gets_back_what_it_gave),
                                       cmocka_unit_test(test_refused_for_mapped_stacks),
                                       cmocka_unit_test(test_lost_stacks_are_leaks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
