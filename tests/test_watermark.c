/* co_stack_used and co_stack_size without preparation: never less than what was used, and not more than a page above
 * it. The library's calls of the kernel are intercepted at link time, which is not possible in a shared library.
 * Compiled with: -Wl,-wrap=open,-wrap=pread,-wrap=__pread_chk,-wrap=mincore,-wrap=madvise
 * Compiled with: -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "stack_use.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

/* ---- Calls of the kernel ------------------------------------------------------------------------------------- */

int __real_open(const char *, int, ...);
ssize_t __real_pread(int, void *, size_t, off_t);
int __real_mincore(void *, size_t, unsigned char *);
int __real_madvise(void *, size_t, int);
int __wrap_open(const char *, int, ...);
ssize_t __wrap_pread(int, void *, size_t, off_t);
ssize_t __wrap___pread_chk(int, void *, size_t, off_t, size_t);
int __wrap_mincore(void *, size_t, unsigned char *);
int __wrap_madvise(void *, size_t, int);

static bool open_fails, mincore_fails, pages_are_swapped;
static int preads_that_work = -1; /* then they fail; -1: none does */
static ssize_t pread_failure;     /* what they answer: an error or the end of the file */
static int opens, mincores, discards;

int __wrap_open(const char *path, int flags, ...) {
    opens++;
    if (open_fails) {
        errno = EMFILE;
        return -1;
    }
    return __real_open(path, flags);
}

ssize_t __wrap_pread(int file, void *memory, size_t bytes, off_t offset) {
    if (preads_that_work == 0) {
        errno = EIO;
        return pread_failure;
    }
    preads_that_work -= preads_that_work > 0;
    ssize_t count = __real_pread(file, memory, bytes, offset);
    uint64_t *entries = memory;
    for (ssize_t i = 0; pages_are_swapped && i < count / 8; i++)
        entries[i] = entries[i] >> 63 << 62;
    return count;
}

ssize_t __wrap___pread_chk(int file, void *memory, size_t bytes, off_t offset, size_t size) {
    assert_true(bytes <= size);
    return __wrap_pread(file, memory, bytes, offset);
}

int __wrap_mincore(void *low, size_t bytes, unsigned char *present) {
    mincores++;
    if (mincore_fails) {
        errno = ENOMEM;
        return -1;
    }
    return __real_mincore(low, bytes, present);
}

int __wrap_madvise(void *low, size_t bytes, int advice) {
    discards += advice == MADV_DONTNEED;
    return __real_madvise(low, bytes, advice);
}

/* The library's own symbols are visible in a static link only. */
extern const char co__entry[] __attribute__((weak));

static void skip_where_calls_cannot_be_intercepted(void) {
    const char *volatile entry = co__entry;
    if (entry == NULL)
        skip();
}

/* ---- Before anybody has asked: these stand first in main ------------------------------------------------------- */

enum { CREATIONS = 1000 };

static void create_and_destroy(void) {
    struct use use = {.bytes = 2 * KIB};
    for (int i = 0; i < CREATIONS; i++)
        assert_int_equal(co_destroy(start(i % 2 != 0 ? co_create(use_once, &use) : create_with(0, 0, use_once, &use))),
                         0);
}

static bool nobody_has_asked = true;

/* A mark that everybody pays for: memory is not discarded before the first question, and once per stack after it. */
static void test_discards_only_where_asked(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    assert_true(nobody_has_asked);
    discards = 0;
    create_and_destroy();
    assert_int_equal(discards, 0);
    assert_int_equal(co_destroy(create_with(0, CO_WATERMARK, use_once, NULL)), 0);
    assert_int_equal(discards, 1); /* what was painted is in memory as a whole */
    nobody_has_asked = false;
    discards = 0;
    assert_int_equal(co_stack_used(NULL), 0);
    create_and_destroy();
    assert_int_equal(discards, 0); /* that was no question of a stack */
    co_t *asked = co_create(use_once, NULL);
    (void)co_stack_used(asked);
    assert_int_equal(co_destroy(asked), 0);
    discards = 0;
    create_and_destroy();
    assert_in_range(discards, 1, CREATIONS);
}

/* Runs in a child, in which the first question is the first. What the header says of it: what earlier owners used
 * counts for those who have their stacks already, and for nobody else, wherever the stack lay when it was asked. */
static void ask_for_the_first_time(void) {
    struct use deep = {.bytes = 60 * KIB}, shallow = {.bytes = 3 * KIB}, later = {.bytes = 5 * KIB};
    co_t *first = start(co_create(use_once, &deep)), *second = start(create_with(0, 0, use_once, &deep));
    const size_t before = truth(first, &deep);
    co_destroy(first);
    co_destroy(second); /* last in first out: the next gets this one, and the one after it the first */
    co_t *had = start(co_create(use_once, &shallow));
    if (had != second)
        _exit(1);
    size_t used = co_stack_used(had);
    if (used < truth(had, &shallow) || used > before + 2 * page_bytes() + 2 * KIB)
        _exit(2);
    for (int way = 0; way < 2; way++) {
        co_t *got = start(way == 0 ? co_create(use_once, &later) : create_with(0, 0, use_once, &later));
        used = co_stack_used(got);
        if (used < truth(got, &later) || used >= truth(got, &later) + page_bytes())
            _exit(3 + way);
    }
}

static void test_first_question(void **state) {
    (void)state;
    const struct child child = run_in_child(ask_for_the_first_time);
    assert_exited(&child, 0);
}

/* ---- Right to the page --------------------------------------------------------------------------------------- */

/* A mark that misses pages, or that is not there for some status: suspended, running, ended. */
static void test_every_depth(void **state) {
    (void)state;
    for (int i = 0; i < DEPTHS; i++)
        for (int way = 0; way < 3; way++) {
            struct use use = {.bytes = depths[i]};
            co_t *co = way == 0   ? co_create(use_and_yield, &use)
                       : way == 1 ? create_with(0, 0, use_and_yield, &use)
                                  : create_with(129 * KIB, 0, use_and_yield, &use);
            assert_in_range(co_stack_size(co), 127 * KIB, 140 * KIB + 2 * page_bytes());
            const size_t fresh = co_stack_used(co);
            assert_true(fresh < page_bytes());
            start(co);
            assert_mark(co, &use, page_bytes());
            assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
            if (use.bytes >= 12 * KIB) /* else the question itself may be the deepest */
                assert_right(use.inside, co, &use, page_bytes());
            assert_int_equal(i % 2 != 0 ? co_close(co) : co_resume(co, NULL, NULL), CO_RETURNED);
            if (use.bytes >= 12 * KIB)
                assert_mark(co, &use, page_bytes());
            assert_int_equal(co_destroy(co), 0);
        }
}

static void *resume_another(void *arg) {
    struct use outer = {.bytes = 40 * KIB};
    struct use *inner = arg;
    outer.deepest = touch(outer.bytes);
    co_t *co = co_create(use_and_yield, inner);
    start(co);
    assert_mark(co, inner, page_bytes());
    assert_mark(co_self(), &outer, page_bytes());
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(co_destroy(co), 0);
    return NULL;
}

static co_t *asked_from_inside;
static struct use used_outside;

static void *ask_for_the_resumer(void *arg) {
    assert_int_equal(co_status(asked_from_inside), CO_NORMAL);
    assert_mark(asked_from_inside, &used_outside, page_bytes());
    return arg;
}

static void *be_asked_for(void *arg) {
    used_outside.bytes = 50 * KIB;
    used_outside.deepest = touch(used_outside.bytes);
    asked_from_inside = co_self();
    co_t *co = co_create(ask_for_the_resumer, NULL);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
    return arg;
}

static void test_nested(void **state) {
    (void)state;
    struct use inner = {.bytes = 20 * KIB};
    co_t *co = co_create(resume_another, &inner);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
    co = co_create(be_asked_for, NULL);
    assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
}

/* A search that takes many calls, over what was never touched. */
static void test_big_stacks(void **state) {
    (void)state;
    static const size_t sizes[] = {1024 * MIB, 8 * MIB, MIB, 100 * MIB + 12345};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct use use = {.bytes = sizes[i] > 16 * MIB ? 10 * MIB : sizes[i] - 20 * KIB};
        co_t *co = start(create_with(sizes[i], 0, use_once, &use));
        assert_in_range(co_stack_size(co), sizes[i] - KIB, sizes[i] + sizes[i] / 8 + 2 * page_bytes());
        assert_mark(co, &use, page_bytes());
        assert_int_equal(co_destroy(co), 0);
    }
}

static void *touch_the_ends(void *arg) {
    struct use *use = arg;
    const volatile uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    use->deepest = frame - use->bytes;
    *(volatile char *)use->deepest = 1;
    return co_yield(NULL);
}

/* A search from the top down, which ends at the first page that was not touched; one call's worth of them and more. */
static void test_frame_with_an_untouched_middle(void **state) {
    (void)state;
    for (size_t kib = 8; kib <= 4000; kib = kib * 5 / 4) {
        struct use use = {.bytes = kib * KIB};
        co_t *co = start(create_with(4096 * KIB, 0, touch_the_ends, &use));
        assert_mark(co, &use, page_bytes());
        assert_int_equal(co_destroy(co), 0);
    }
}

/* What an earlier owner used counts for nobody else. */
static void test_stack_used_again(void **state) {
    (void)state;
    for (unsigned way = 0; way < 16; way++) {
        const unsigned flags = way & 4 ? CO_WATERMARK : 0, later_flags = way & 8 ? CO_WATERMARK : 0;
        struct use deep = {.bytes = 100 * KIB}, shallow = {.bytes = 2 * KIB};
        co_t *asked = co_create(use_once, &shallow);
        assert_true(co_stack_used(asked) < page_bytes());
        assert_int_equal(co_destroy(asked), 0);
        co_t *co = start(way & 1 && !flags ? co_create(use_once, &deep) : create_with(0, flags, use_once, &deep));
        if (way & 1)
            assert_int_equal(co_close(co), 0);
        assert_int_equal(co_destroy(co), 0);
        co_t *next =
            way & 2 && !later_flags ? co_create(use_once, &shallow) : create_with(0, later_flags, use_once, &shallow);
        assert_ptr_equal(next, co);
        assert_mark(start(next), &shallow, later_flags ? 16 : page_bytes());
        assert_int_equal(co_destroy(next), 0);
    }
}

/* ---- Where there is no answer, and where the kernel has none ---------------------------------------------------- */

static void test_nothing_known(void **state) {
    (void)state;
    static unsigned char memory[16 * 1024];
    struct use use = {.bytes = 2 * KIB};
    errno = 1234;
    assert_int_equal(co_stack_used(NULL), 0);
    assert_int_equal(co_stack_size(NULL), 0);
    assert_int_equal(errno, 1234);
    for (int way = 0; way < 2; way++) {
        const co_options_t options = {
            .stack = way != 0 ? memory : NULL, .stack_bytes = sizeof memory, .allocator = &heap};
        co_t *co = start(co_create_with(&options, use_once, &use));
        assert_in_range(co_stack_size(co), sizeof memory - KIB, sizeof memory);
        errno = 0;
        assert_int_equal(co_stack_used(co), 0);
        assert_int_equal(errno, ENOTSUP);
        assert_int_equal(co_destroy(co), 0);
    }
}

/* An answer that is too small where a way of asking the kernel fails, at once or in the middle. */
static void test_kernel_does_not_tell(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    static const size_t sizes[] = {0, 4 * MIB};
    for (int i = 0; i < 2; i++) {
        struct use use = {.bytes = 50 * KIB};
        co_t *co = start(create_with(sizes[i], 0, use_once, &use));
        opens = mincores = 0;
        assert_mark(co, &use, page_bytes());
        assert_true(opens > 0);
        for (int way = 0; way < 20; way++) { /* open fails, or pread does after 0, 1 and so on */
            const int working = way > 1 ? (way - 2) / 2 : -1;
            open_fails = way < 2;
            pread_failure = way % 2 - 1;
            for (int also = 0; also < 2; also++) {
                mincore_fails = also != 0;
                preads_that_work = working;
                mincores = 0;
                errno = 1234;
                const size_t used = co_stack_used(co);
                assert_int_equal(errno, 1234);
                if (working <= 0)
                    assert_true(mincores > 0);
                if (mincore_fails && mincores > 0)
                    assert_int_equal(used, co_stack_size(co));
                else
                    assert_right(used, co, &use, page_bytes());
            }
        }
        open_fails = mincore_fails = false;
        preads_that_work = -1;
        assert_int_equal(co_destroy(co), 0);
    }
}

/* Whether the kernel's pagemap knows addresses as this program does, which is not so under every emulator. */
static bool pagemap_knows(const volatile char *memory) {
    uint64_t entry = 0;
    int file = __real_open("/proc/self/pagemap", O_RDONLY);
    ssize_t bytes = __real_pread(file, &entry, 8, (off_t)((uintptr_t)memory / page_bytes() * 8));
    close(file);
    return bytes == 8 && memory[0] == 1 && entry >> 63 != 0;
}

/* Pages that are present or swapped out, as the pagemap tells; and its file, left open. */
static void test_pagemap(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    static volatile char memory[1] = {1};
    memory[0] = 1;
    if (!pagemap_knows(memory))
        skip();
    struct use use = {.bytes = 50 * KIB};
    co_t *co = start(co_create(use_once, &use));
    const int free_before = dup(STDERR_FILENO);
    close(free_before);
    mincores = 0;
    assert_mark(co, &use, page_bytes());
    pages_are_swapped = true;
    assert_mark(co, &use, page_bytes());
    pages_are_swapped = false;
    assert_int_equal(mincores, 0);
    const int free_after = dup(STDERR_FILENO);
    close(free_after);
    assert_int_equal(free_after, free_before);
    assert_int_equal(co_destroy(co), 0);
}

static void *ask(void *arg) { return value_of((intptr_t)co_stack_used(arg)); }

static void test_asked_by_another_thread(void **state) {
    (void)state;
    for (unsigned flags = 0; flags <= CO_WATERMARK; flags += CO_WATERMARK) {
        struct use use = {.bytes = 30 * KIB};
        pthread_t thread;
        void *used = NULL;
        co_t *co = start(create_with(0, flags, use_once, &use));
        assert_int_equal(pthread_create(&thread, NULL, ask, co), 0);
        assert_int_equal(pthread_join(thread, &used), 0);
        assert_right((size_t)number_of(used), co, &use, flags != 0 ? 16 : page_bytes());
        assert_int_equal(co_destroy(co), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_question),
        cmocka_unit_test(test_discards_only_where_asked),
        cmocka_unit_test(test_every_depth),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_big_stacks),
        cmocka_unit_test(test_frame_with_an_untouched_middle),
        cmocka_unit_test(test_stack_used_again),
        cmocka_unit_test(test_nothing_known),
        cmocka_unit_test(test_pagemap),
        cmocka_unit_test(test_kernel_does_not_tell),
        cmocka_unit_test(test_asked_by_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
