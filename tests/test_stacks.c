/* Stacks: guards where they belong, memory committed as it is touched, every size and alignment that is allowed. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <sys/mman.h>

#define KIB ((size_t)1024)

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static co_t *create(size_t stack_bytes, co_fn fn, void *arg) {
    const co_options_t options = {.stack_bytes = stack_bytes};
    co_t *co = co_create_with(&options, fn, arg);
    assert_non_null(co);
    return co;
}

/* ---- Overflow ------------------------------------------------------------------------------------------------ */

static size_t overflowing_bytes; /* of the stack that overflows */
static volatile size_t *depth;   /* how far down it was written, shared with the child */
static volatile size_t *usable;  /* what the library says of the size, likewise */

/* Writes below this frame, a step at a time and without end. A local array would do less: nothing but the address may
 * connect the writes with the frame. */
static void *write_downwards(void *arg) {
    const volatile uintptr_t address = (uintptr_t)__builtin_frame_address(0);
    for (size_t step = 512;; step += 256) {
        *(volatile char *)(address - step) = 1;
        *depth = step;
    }
    return arg;
}

static void *suspend(void *arg) { return co_yield(arg); }

static bool overflowing_is_reused;

static void overflow(void) {
    /* One of them is below: the slab's next stack lies above the last, the kernel's next mapping below. */
    co_t *before = create(overflowing_bytes, suspend, NULL);
    co_t *upper = create(overflowing_bytes, write_downwards, NULL);
    co_t *after = create(overflowing_bytes, suspend, NULL);
    co_resume(before, NULL, NULL);
    co_resume(after, NULL, NULL);
    if (overflowing_is_reused) {
        co_destroy(upper);
        upper = create(overflowing_bytes, suspend, NULL);
        co_resume(upper, NULL, NULL);
        co_destroy(upper);
        upper = create(overflowing_bytes, write_downwards, NULL);
    }
    *usable = co_stack_size(upper);
    co_resume(upper, NULL, NULL);
}

/* A guard that is missing, that is not where the stack ends, or that a stack loses when it is used again: the overflow
 * would reach the next coroutine's. */
static void test_overflow_faults_in_the_guard(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 64 * 1024, 64 * 1024 + 1, 1024 * 1024, 4096 * 1024};
    depth = (volatile size_t *)mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(depth, MAP_FAILED);
    usable = depth + 1;
    for (size_t i = 0; i < 2 * (sizeof sizes / sizeof sizes[0]); i++) {
        overflowing_bytes = sizes[i / 2];
        overflowing_is_reused = i % 2;
        size_t bytes = overflowing_bytes != 0 ? overflowing_bytes : 128 * KIB;
        *depth = 0;
        const struct child child = run_in_child(overflow);
#ifndef TEST_SANITIZED
        assert_killed_by(&child, SIGSEGV);
#else
        assert_false(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0);
#endif
        assert_in_range(*usable, bytes - KIB, bytes + bytes / 16 + 2 * page_bytes());
        assert_in_range(*depth, *usable - KIB, *usable);
    }
    munmap((void *)(uintptr_t)depth, page_bytes());
}

/* Touches the far end of its frame first. */
static __attribute__((noinline)) void *use_a_big_frame(void *arg) {
    volatile char frame[1024 * 1024];
    volatile char *volatile start = frame;
    *start = (char)number_of(arg);
    return value_of(*start);
}

static unsigned char *guarded_by_hand; /* 64 KiB of stack with a page below that nobody may touch */

static void use_a_big_frame_above_a_guard(void) {
    const co_options_t options = {.stack = guarded_by_hand, .stack_bytes = 64 * KIB};
    co_resume(co_create_with(&options, use_a_big_frame, NULL), NULL, NULL);
}

static void use_a_big_frame_on_a_mapped_stack(void) {
    co_t *upper = create(64 * KIB, use_a_big_frame, NULL);
    co_t *lower = create(4096 * KIB, suspend, NULL);
    co_resume(lower, NULL, NULL);
    co_resume(upper, NULL, NULL);
}

/* A frame that is larger than the stack and jumps over the guard. This needs the compiler's help, which the hand-made
 * guard shows to be there or not. gcc's steps on AArch64 are 64 KiB, unless it is told of guards of 4 KiB (2^12).
 *Compiled with: -fstack-clash-protection --param=stack-clash-protection-guard-size=12 -Wno-unused-command-line-argument
 */
static void test_big_frame_faults_in_the_guard(void **state) {
    (void)state;
    size_t below = 2048 * KIB;
    unsigned char *memory =
        (unsigned char *)mmap(NULL, below + 64 * KIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    guarded_by_hand = memory + below;
    assert_int_equal(mprotect(guarded_by_hand - page_bytes(), page_bytes(), PROT_NONE), 0);
    const struct child probe = run_in_child(use_a_big_frame_above_a_guard);
    const struct child child = run_in_child(use_a_big_frame_on_a_mapped_stack);
    munmap(memory, below + 64 * KIB);
    if (WIFEXITED(probe.status) && WEXITSTATUS(probe.status) == 0)
        skip(); /* the compiler does not touch each page of a frame */
    assert_int_equal(child.status, probe.status);
}

/* ---- Sizes --------------------------------------------------------------------------------------------------- */

static void *use_bytes(void *arg) {
    const volatile uintptr_t address = (uintptr_t)__builtin_frame_address(0);
    for (size_t step = 512; step < (size_t)number_of(arg); step += 256)
        *(volatile char *)(address - step) = 1;
    return co_yield(arg);
}

/* Rounding that gives less than was asked for. What the library keeps for itself is less than 1 KiB. */
static void test_sizes_around_pages(void **state) {
    (void)state;
    const size_t page = page_bytes();
    const size_t sizes[] = {0,        page,        page + 1, 2 * page - 1, 2 * page, 3 * page + 17, 64 * KIB - 1,
                            64 * KIB, 64 * KIB + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t bytes = sizes[i] != 0 ? sizes[i] : 128 * KIB;
        co_t *co = create(sizes[i], use_bytes, value_of((intptr_t)(bytes - KIB)));
        assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        assert_int_equal(co_destroy(co), 0);
    }
}

/* A stack that is committed at once. */
static void test_one_gibibyte(void **state) {
    (void)state;
    co_t *stacks[4];
    for (int i = 0; i < 4; i++) {
        stacks[i] = create(1024 * 1024 * KIB, use_bytes, value_of(1024 * 1024));
        assert_int_equal(co_resume(stacks[i], NULL, NULL), CO_YIELDED);
    }
    for (int i = 0; i < 4; i++)
        assert_int_equal(co_destroy(stacks[i]), 0);
}

static volatile sig_atomic_t signals_taken;

static void take_signal(int signal_number) {
    volatile char used[512];
    used[0] = used[sizeof used - 1] = 1;
    signals_taken += signal_number != 0 && used[0] == 1;
}

static void *raise_signal(void *arg) {
    volatile char used[2048];
    used[0] = used[sizeof used - 1] = 1;
    kill(getpid(), SIGUSR1);
    return used[0] == 1 ? arg : NULL;
}

/* The smallest mapped stack, on which the kernel puts a signal handler's frame beside what body and handler use. */
static void test_signal_handler_on_a_small_stack(void **state) {
    (void)state;
#ifdef TEST_SANITIZED
    skip(); /* sanitizers run handlers of their own, which take more */
#endif
    struct sigaction action = {.sa_handler = take_signal}, previous;
    assert_int_equal(sigaction(SIGUSR1, &action, &previous), 0);
    for (int i = 0; i < 4; i++) {
        signals_taken = 0;
        co_t *co = create(KIB, raise_signal, NULL);
        assert_int_equal(co_resume(co, NULL, NULL), CO_RETURNED);
        assert_int_equal(signals_taken, 1);
        assert_int_equal(co_destroy(co), 0);
    }
    sigaction(SIGUSR1, &previous, NULL);
}

/* ---- Memory of one's own ------------------------------------------------------------------------------------- */

static void *count_three(void *arg) {
    co_t *self = co_self();
    for (intptr_t i = 0; i < 3; i++)
        arg = co_yield_from(self, value_of(number_of(arg) + i));
    return arg;
}

/* Any alignment at both ends, down to the least size, with bytes around that must stay as they are. */
static void test_callers_stack_of_any_alignment(void **state) {
    (void)state;
    enum { AROUND = 4096 };
    static unsigned char memory[AROUND + 8 * 1024 + AROUND];
    static const size_t sizes[] = {1024, 1025, 1039, 1087, 1088, 1151, 1152, 2047, 4096, 4099, 8191 - 130};
    for (size_t offset = 0; offset < 130; offset += offset < 20 ? 1 : 11)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            unsigned char *stack = memory + AROUND + offset;
            const co_options_t options = {.stack = stack, .stack_bytes = sizes[i]};
            void *out = NULL;
            memset(memory, 0xa5, sizeof memory);
            co_t *co = co_create_with(&options, count_three, value_of(10));
            assert_non_null(co);
            for (int resumes = 0; resumes < 3; resumes++) {
                assert_int_equal(co_resume(co, resumes != 0 ? value_of(20) : NULL, &out), CO_YIELDED);
                assert_int_equal(number_of(out), resumes == 0 ? 10 : 20 + resumes);
            }
            assert_int_equal(co_resume(co, value_of(30), &out), CO_RETURNED);
            assert_int_equal(number_of(out), 30);
            assert_int_equal(co_destroy(co), 0);
            for (unsigned char *byte = memory; byte < stack; byte++)
                if (*byte != 0xa5)
                    FAIL("size %zu, offset %zu: %td bytes below", sizes[i], offset, stack - byte);
            for (unsigned char *byte = stack + sizes[i]; byte < memory + sizeof memory; byte++)
                if (*byte != 0xa5)
                    FAIL("size %zu, offset %zu: %td bytes above", sizes[i], offset, byte - stack - (ptrdiff_t)sizes[i]);
        }
}

enum { HELD = 32 };

static struct held {
    void *memory;
    size_t bytes;
} held[HELD];
static size_t allocations;

static void *allocate(size_t bytes, void *context) {
    assert_ptr_equal(context, held);
    allocations++;
    for (int i = 0; i < HELD; i++)
        if (held[i].memory == NULL) {
            held[i] = (struct held){.memory = malloc(bytes), .bytes = bytes};
            return held[i].memory;
        }
    return NULL;
}

static void release(void *memory, size_t bytes, void *context) {
    assert_ptr_equal(context, held);
    assert_non_null(memory);
    for (int i = 0; i < HELD; i++)
        if (held[i].memory == memory) {
            assert_int_equal(held[i].bytes, bytes);
            held[i].memory = NULL;
            memset(memory, 0xdd, bytes);
            free(memory);
            return;
        }
    FAIL("memory that was not allocated is released");
}

static size_t bytes_held(size_t least) {
    size_t count = 0;
    for (int i = 0; i < HELD; i++)
        count += held[i].memory != NULL && held[i].bytes >= least;
    return count;
}

static void *defer_and_suspend(void *arg) {
    assert_int_equal(co_defer(trace_letter, LETTER("a")), 0);
    assert_int_equal(co_defer(trace_letter, LETTER("b")), 0);
    return co_yield(arg);
}

/* What is taken from an allocator and not given back, given back twice, with another size, or to another context. */
static void test_allocator_gets_back_what_it_gave(void **state) {
    (void)state;
    static const co_allocator_t allocator = {.allocate = allocate, .release = release, .context = held};
    static unsigned char mine[32 * 1024];
    static const size_t sizes[] = {0, 32 * 1024, 33333};
    for (int on_my_stack = 0; on_my_stack < 2; on_my_stack++)
        for (size_t i = on_my_stack ? 1 : 0; i < (on_my_stack ? 2 : sizeof sizes / sizeof sizes[0]); i++)
            for (int way = 0; way < 4; way++) { /* destroyed fresh, suspended, closed, returned */
                co_options_t options = {.stack_bytes = sizes[i], .allocator = &allocator};
                options.stack = on_my_stack ? mine : NULL;
                size_t bytes = sizes[i] != 0 ? sizes[i] : 128 * KIB;
                allocations = 0;
                trace_clear();
                co_t *co = co_create_with(&options, defer_and_suspend, NULL);
                assert_non_null(co);
                assert_int_equal(allocations, !on_my_stack);
                assert_int_equal(bytes_held(bytes), !on_my_stack);
                if (way > 0) {
                    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
                    assert_true(bytes_held(1) > bytes_held(bytes)); /* what co_defer remembers */
                }
                if (way > 1)
                    assert_int_equal(way == 2 ? co_close(co) : co_resume(co, NULL, NULL), 0);
                assert_int_equal(co_destroy(co), 0);
                assert_trace(way > 0 ? "ba" : "");
                assert_int_equal(bytes_held(1), 0);
            }
}

/* ---- What it costs ------------------------------------------------------------------------------------------- */

static size_t resident_bytes(void) {
    unsigned long total = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &total, &resident), 2);
    fclose(file);
    return resident * page_bytes();
}

/* Stacks committed at once, or in huge pages where these are always used. */
static void test_resident_memory_of_many(void **state) {
    (void)state;
#ifdef TEST_SANITIZED
    skip(); /* shadow memory would be counted */
#endif
    if (under_valgrind())
        skip();
    enum { MANY = 200 };
    static co_t *many[MANY];
    const size_t before = resident_bytes();
    for (int i = 0; i < MANY; i++) {
        many[i] = create(4096 * KIB, suspend, NULL);
        assert_int_equal(co_resume(many[i], NULL, NULL), CO_YIELDED);
    }
    assert_true(resident_bytes() <= before + MANY * 64 * KIB); /* an emulator keeps tables, 40 KiB for each of them */
    for (int i = 0; i < MANY; i++)
        assert_int_equal(co_destroy(many[i]), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflow_faults_in_the_guard),
        cmocka_unit_test(test_big_frame_faults_in_the_guard),
        cmocka_unit_test(test_sizes_around_pages),
        cmocka_unit_test(test_one_gibibyte),
        cmocka_unit_test(test_signal_handler_on_a_small_stack),
        cmocka_unit_test(test_callers_stack_of_any_alignment),
        cmocka_unit_test(test_allocator_gets_back_what_it_gave),
        cmocka_unit_test(test_resident_memory_of_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
