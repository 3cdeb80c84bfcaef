/* Coroutines of 1, 1.5 and 2 KiB, side by side in one array: they fit, they leave their neighbours alone, and the
 * library asks nobody for memory. Without -z now the dynamic linker would resolve calls on these stacks, which takes
 * more than they have; the calls of a shared library itself are made once before. The library's calls are intercepted
 * at link time, which is not possible in a shared library.
 * Compiled with: -Wl,-z,now -Wno-unused-command-line-argument
 * Compiled with: -Wl,-wrap=mmap,-wrap=munmap,-wrap=mprotect,-wrap=madvise
 * Compiled with: -Wl,-wrap=malloc,-wrap=calloc,-wrap=realloc,-wrap=free
 */
#define _GNU_SOURCE
#include "support.h"

#include "arena.h"

#include <errno.h>
#include <sys/mman.h>

/* ---- Calls for memory ---------------------------------------------------------------------------------------- */

void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
int __real_mprotect(void *, size_t, int);
int __real_madvise(void *, size_t, int);
void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void __real_free(void *);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_munmap(void *, size_t);
int __wrap_mprotect(void *, size_t, int);
int __wrap_madvise(void *, size_t, int);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
void __wrap_free(void *);

static long calls;

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    calls++;
    return __real_mmap(address, bytes, protection, flags, file, offset);
}

int __wrap_munmap(void *memory, size_t bytes) {
    calls++;
    return __real_munmap(memory, bytes);
}

int __wrap_mprotect(void *memory, size_t bytes, int protection) {
    calls++;
    return __real_mprotect(memory, bytes, protection);
}

int __wrap_madvise(void *memory, size_t bytes, int advice) {
    calls++;
    return __real_madvise(memory, bytes, advice);
}

void *__wrap_malloc(size_t bytes) {
    calls++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes) {
    calls++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes) {
    calls++;
    return __real_realloc(memory, bytes);
}

void __wrap_free(void *memory) {
    calls++;
    __real_free(memory);
}

/* The library's own symbols are visible in a static link only. */
extern const char co__entry[] __attribute__((weak));

static bool calls_are_counted(void) {
    const char *volatile entry = co__entry;
    return entry != NULL;
}

/* ---- The arena ----------------------------------------------------------------------------------------------- */

enum { COUNT = 1000, MOST_BYTES = 2048, AROUND = 256 };

/* How co.h explains small stacks: what runs on them must fit, which an instrumented frame does not. */
static void skip_where_frames_are_larger(void) {
#ifdef TEST_SANITIZED
    skip();
#endif
}

static unsigned char arena[COUNT * MOST_BYTES + 2 * AROUND] __attribute__((aligned(128)));
static co_t *all[COUNT];
static const struct arena_door *const doors[] = {&arena_inline, &arena_out_of_line};

struct play {
    const struct arena_door *door;
    size_t bytes;  /* of each */
    size_t offset; /* of the first */
    unsigned flags;
};

static void check(bool condition, const struct play *play, const char *what, int number) {
    if (!condition)
        FAIL("%s, %zu bytes, offset %zu, flags %u, number %d: %s", play->door->name, play->bytes, play->offset,
             play->flags, number, what);
}

static void create(const struct play *play, int number, co_fn fn, void *arg) {
    const co_options_t options = {
        .stack = arena + AROUND + play->offset + (size_t)number * play->bytes,
        .stack_bytes = play->bytes,
        .flags = play->flags,
        .name = "one of many",
        .site = CO_HERE,
    };
    all[number] = co_create_with(&options, fn, arg);
    check(all[number] != NULL, play, "created", number);
}

static void destroy(const struct play *play, int number) {
    if ((play->flags & CO_WATERMARK) != 0)
        check(co_stack_used(all[number]) <= co_stack_size(all[number]), play, "used", number);
    check(co_destroy(all[number]) == 0, play, "destroyed", number);
}

/* Every second one yields by its handle. */
static void create_counting(const struct play *play, int number) {
    create(play, number, number % 2 != 0 ? play->door->counts_from : play->door->counts, value_of(number));
}

static void *const not_written = &all;

static void step(const struct play *play, int number, int at) {
    void *out = not_written;
    void *in = at > 0 ? ARENA_IN((uintptr_t)number, (uintptr_t)(at - 1)) : NULL;
    int status = play->door->resume(all[number], in, &out);
    check(status == (at < ARENA_STEPS ? CO_YIELDED : CO_RETURNED), play, "status", number);
    check(out == ARENA_OUT((uintptr_t)number, (uintptr_t)at), play, "value", number);
}

static void round_robin(const struct play *play) {
    for (int number = 0; number < COUNT; number++)
        create_counting(play, number);
    for (int at = 0; at <= ARENA_STEPS; at++)
        for (int i = 0; i < COUNT; i++)
            step(play, at % 2 != 0 ? COUNT - 1 - i : i, at);
    for (int number = 0; number < COUNT; number++) {
        check(co_status(all[number]) == CO_DEAD, play, "dead", number);
        destroy(play, number);
    }
}

/* Others take the places of every third while the rest is half way. */
static void reuse(const struct play *play) {
    for (int number = 0; number < COUNT; number++)
        create_counting(play, number);
    for (int at = 0; at <= ARENA_STEPS; at++) {
        for (int number = 0; number < COUNT; number++)
            if (number % 3 != 0)
                step(play, number, at);
        for (int number = 0; number < COUNT; number += 3) {
            destroy(play, number); /* fresh */
            create(play, number, play->door->fails, NULL);
            check(play->door->resume(all[number], NULL, NULL) == CO_YIELDED, play, "yields", number);
            check(play->door->resume(all[number], NULL, NULL) == -EIO, play, "fails", number);
            destroy(play, number);
            create_counting(play, number);
        }
    }
    for (int number = 0; number < COUNT; number++)
        destroy(play, number);
}

static void throw_into(const struct play *play) {
    static const int errors[] = {EIO, ENOMEM, EIO, ETIMEDOUT};
    void *out;
    for (int number = 0; number < COUNT; number++)
        create(play, number, play->door->survives_errors, &all[number]);
    for (int number = 0; number < COUNT; number++)
        check(play->door->resume(all[number], NULL, NULL) == CO_YIELDED, play, "yields", number);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        for (int number = 0; number < COUNT; number++) {
            check(co_throw(all[number], errors[i], &out) == CO_YIELDED, play, "survives", number);
            check(number_of(out) == errors[i], play, "error", number);
        }
    for (int number = 0; number < COUNT; number++) {
        check(co_throw(all[number], ENOENT, &out) == CO_RETURNED, play, "returns", number);
        check(out == &all[number], play, "value", number);
        destroy(play, number);
    }
}

static void close_and_destroy(const struct play *play) {
    for (int number = 0; number < COUNT; number++)
        create_counting(play, number);
    for (int at = 0; at < 3; at++)
        for (int number = 0; number < COUNT; number++)
            step(play, number, at);
    for (int number = 0; number < COUNT; number += 2)
        check(co_close(all[number]) == 0, play, "closed", number);
    for (int number = 1; number < COUNT; number += 2)
        step(play, number, 3);
    for (int number = 0; number < COUNT; number++)
        destroy(play, number); /* suspended or closed */
}

static void check_around(const struct play *play) {
    const unsigned char *end = arena + AROUND + play->offset + COUNT * play->bytes;
    for (const unsigned char *byte = arena; byte < arena + AROUND + play->offset; byte++)
        check(*byte == 0xa5, play, "bytes below the first", 0);
    for (const unsigned char *byte = end; byte < arena + sizeof arena && byte < end + AROUND; byte++)
        check(*byte == 0xa5, play, "bytes above the last", COUNT);
}

/* Calls what is played with both doors, in every order of flags, at several offsets; `calls_each` calls for memory are
 * expected of each coroutine. */
static void play_all(size_t least_bytes, void (*act)(const struct play *play), long calls_each) {
    static const unsigned flags[] = {0, CO_CANARIES, CO_CANARIES | CO_WATERMARK, CO_FPENV | CO_CANARIES};
    static const size_t offsets[] = {0, 16, 101};
    for (size_t bytes = least_bytes; bytes <= MOST_BYTES; bytes += 512)
        for (size_t i = 0; i < 2 * 4 * 3; i += under_valgrind() ? 5 : 1) {
            const struct play play = {
                .door = doors[i % 2], .bytes = bytes, .flags = flags[i / 2 % 4], .offset = offsets[i / 8]};
            memset(arena, 0xa5, sizeof arena);
            const long before = calls;
            act(&play);
            if (calls_are_counted())
                check(calls == before + calls_each * COUNT, &play, "calls for memory", (int)(calls - before));
            check_around(&play);
        }
}

/* ---- The tests ----------------------------------------------------------------------------------------------- */

/* The counters are looked at by the tests below; here, that they count. */
static void test_calls_are_counted(void **state) {
    (void)state;
    if (!calls_are_counted())
        skip();
    const long before = calls;
    co_t *co = co_create_with(&(co_options_t){.stack_bytes = (size_t)64 << 20}, arena_inline.counts, NULL);
    assert_true(calls > before);
    const long created = calls;
    assert_int_equal(co_destroy(co), 0);
    assert_true(calls > created);
}

/* A frame of the library's that does not fit, or that lies where the neighbour's does. */
static void test_round_robin(void **state) {
    (void)state;
    skip_where_frames_are_larger();
    play_all(1024, round_robin, 0);
}

/* Something that is left in the memory by the one before. */
static void test_memory_used_again(void **state) {
    (void)state;
    skip_where_frames_are_larger();
    play_all(1024, reuse, 0);
}

static void test_thrown_into(void **state) {
    (void)state;
    skip_where_frames_are_larger();
    play_all(1024, throw_into, 0);
}

/* Closing writes below the yield, and runs there: 1 KiB holds it where frames are small, 1.5 KiB everywhere. */
static void test_closed_and_destroyed(void **state) {
    (void)state;
    skip_where_frames_are_larger();
    play_all(1536, close_and_destroy, 0);
}

static int deferred_calls;

static void defer_and_close(const struct play *play) {
    deferred_calls = 0;
    for (int number = 0; number < COUNT; number++) {
        create(play, number, play->door->defers, &deferred_calls);
        check(play->door->resume(all[number], NULL, NULL) == CO_YIELDED, play, "yields", number);
    }
    for (int number = 0; number < COUNT; number++)
        destroy(play, number);
    check(deferred_calls == 2 * COUNT, play, "deferred calls", 0);
}

/* co_defer calls malloc, on the stack. co.h asks for 3 KiB; in a static link it is less. */
static void test_deferred_calls(void **state) {
    (void)state;
    skip_where_frames_are_larger();
    play_all(2048, defer_and_close, 4);
}

/* Everything once, on a stack that has room for the dynamic linker. */
static int resolve_calls(void **state) {
    (void)state;
    int deferred = 0;
    co_t *co = co_create(arena_inline.defers, &deferred);
    co_resume(co, NULL, NULL);
    return co_destroy(co);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_are_counted),    cmocka_unit_test(test_round_robin),
        cmocka_unit_test(test_memory_used_again),    cmocka_unit_test(test_thrown_into),
        cmocka_unit_test(test_closed_and_destroyed), cmocka_unit_test(test_deferred_calls),
    };
    return cmocka_run_group_tests(tests, resolve_calls, NULL);
}
