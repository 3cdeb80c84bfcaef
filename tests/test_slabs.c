/* Stacks of all sizes side by side: none overlaps another, each is as large as asked for and not much larger, and what
 * is given back is really gone.
 * Compiled with: -Wl,-wrap=mmap,-wrap=munmap -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "memory.h"

void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_munmap(void *, size_t);

static long maps, unmaps; /* by the library and this program; none are seen in a shared library */
static size_t held_bytes, largest_map;
static bool unmapping_fails;

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    void *memory = __real_mmap(address, bytes, protection, flags, file, offset);
    maps++;
    held_bytes += memory != MAP_FAILED ? bytes : 0;
    largest_map = bytes > largest_map ? bytes : largest_map;
    return memory;
}

int __wrap_munmap(void *memory, size_t bytes) {
    if (unmapping_fails) {
        errno = ENOMEM;
        return -1;
    }
    int status = __real_munmap(memory, bytes);
    unmaps += status == 0;
    held_bytes -= status == 0 ? bytes : 0;
    return status;
}

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static size_t guard_bytes(void) { return page_bytes() > GUARD_LEAST_BYTES ? page_bytes() : GUARD_LEAST_BYTES; }

/* ---- Patterns ------------------------------------------------------------------------------------------------- */

enum { PATTERN_WORDS = 8 };

/* At the far end of a stack, where a neighbour that reaches over the guard would write, or the other way round. */
static void write_pattern(const co_t *co) {
    volatile uintptr_t *words = (volatile uintptr_t *)(void *)stack_low(co);
    for (uintptr_t i = 0; i < PATTERN_WORDS; i++)
        words[i] = (uintptr_t)co * 31 + i;
}

static bool pattern_is_there(const co_t *co) {
    const volatile uintptr_t *words = (const volatile uintptr_t *)(void *)stack_low(co);
    for (uintptr_t i = 0; i < PATTERN_WORDS; i++)
        if (words[i] != (uintptr_t)co * 31 + i)
            return false;
    return true;
}

static co_t *create_checked(size_t asked) {
    co_t *co = create(asked, suspend, value_of((intptr_t)asked + 1));
    void *out = NULL;
    assert_non_null(co);
    assert_true((uintptr_t)co % 128 == 64);
    assert_true((uintptr_t)stack_low(co) % page_bytes() == 0);
    assert_true(guarded(co, page_bytes(), guard_bytes()));
    write_pattern(co);
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(number_of(out), asked + 1);
    return co;
}

static void destroy_checked(co_t *co) {
    assert_true(pattern_is_there(co));
    assert_true(guarded(co, page_bytes(), guard_bytes()));
    assert_int_equal(co_destroy(co), 0);
}

/* ---- Sizes ---------------------------------------------------------------------------------------------------- */

/* Two stacks that share memory; a guard in the middle of another's stack; a size that is rounded down. */
static void test_all_sizes_at_once(void **state) {
    (void)state;
    enum { MOST = 400 };
    static co_t *all[MOST];
    static const size_t large[] = {2048 * KIB, 2048 * KIB + 1,  2049 * KIB,
                                   5000 * KIB, 16 * 1024 * KIB, 1024 * 1024 * KIB};
    int count = 0;
    for (size_t asked = 8 * KIB; asked <= 2048 * KIB; asked += asked / 8 + 1)
        for (int i = 0; i < 3; i++)
            all[count++] = create_checked(asked + (size_t)i);
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++)
        for (int twice = 0; twice < 2; twice++)
            all[count++] = create_checked(large[i]);
    assert_true(count < MOST);
    for (int i = 0; i < count; i++)
        assert_true(pattern_is_there(all[i]));
    for (int i = 0; i < count; i += 2)
        destroy_checked(all[i]);
    for (int i = 0; i < count; i += 2)
        all[i] = create_checked(8 * KIB + (size_t)i * 3 * KIB);
    for (int i = 0; i < count; i++)
        destroy_checked(all[i]);
    co_pool_trim();
}

/* A class that gives less than was asked for, or far more; colours that are taken out of what was asked for. The block,
 * which is part of that, is some 320 bytes and its alignment. */
static void test_every_size_class(void **state) {
    (void)state;
    enum { COLOURS = 16 };
    co_t *all[COLOURS];
    const size_t page = page_bytes(), step = under_valgrind() ? 9001 : 1021;
    for (size_t asked = KIB; asked <= 2200 * KIB; asked += asked < 256 * KIB ? step : asked / 61) {
        for (int i = 0; i < COLOURS; i++) {
            assert_non_null(all[i] = create(asked, suspend, NULL));
            const size_t size = co_stack_size(all[i]);
            if (size + 640 < asked || size > asked + (asked + guard_bytes()) / 16 + 3 * page + 8 * KIB)
                FAIL("%zu were asked for, and there are %zu", asked, size);
        }
        for (int i = 0; i < COLOURS; i++)
            assert_int_equal(co_destroy(all[i]), 0);
    }
    co_pool_trim();
}

/* Stacks that all end at the same offset in a page, whose hot lines compete for a few sets of the caches; or tops that
 * are spread so far that a second page is touched. */
static void test_tops_are_spread(void **state) {
    (void)state;
    enum { MANY = 64, LEAST = 8 };
    static co_t *all[MANY];
    static const size_t sizes[] = {0, 16 * 1024, 64 * 1024};
    for (size_t size = 0; size < sizeof sizes / sizeof sizes[0]; size++) {
        bool offset_seen[64] = {false};
        int offsets = 0;
        for (int i = 0; i < MANY; i++) {
            all[i] = create(sizes[size], suspend, NULL);
            assert_non_null(all[i]);
            assert_int_equal((uintptr_t)all[i] % 128, 64);
            size_t below_top = page_bytes() - (uintptr_t)all[i] % page_bytes();
            assert_in_range(below_top, 64, 2624); /* 1,472 bytes of frames in the same page of 4 KiB */
            offsets += !offset_seen[below_top / 64];
            offset_seen[below_top / 64] = true;
        }
        assert_true(offsets >= LEAST);
        for (int i = 0; i < MANY; i++)
            assert_int_equal(co_destroy(all[i]), 0);
    }
}

/* ---- Coming and going ------------------------------------------------------------------------------------------- */

enum { SLOTS = 300, STEPS = 3000 };

static uint64_t random_state = 88172645463325252u;

static unsigned next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 20);
}

/* From 2 KiB to 4 MiB, small ones more often. */
static size_t random_size(void) {
    size_t bytes = (size_t)2048 << next_random() % 12;
    return next_random() % 8 == 0 ? 0 : bytes - next_random() % (bytes / 2) + 64;
}

/* Address space that is lost with every slab or run, and slabs that never become empty. */
static void test_random_steps(void **state) {
    (void)state;
    static co_t *slots[SLOTS];
    const int steps = under_valgrind() ? STEPS / 10 : STEPS;
    co_pool_trim();
    const size_t bytes_before = status_bytes("VmSize"), mappings_before = mappings(), held_before = held_bytes;
    size_t most[2] = {0, 0};
    for (int round = 0; round < 2; round++)
        for (int step = 0; step < steps; step++) {
            co_t **slot = &slots[next_random() % SLOTS];
            if (*slot != NULL)
                destroy_checked(*slot);
            *slot = *slot == NULL ? create_checked(random_size()) : NULL;
            if (step % 16 == 0 && figures_are_ours()) {
                size_t bytes = status_bytes("VmSize");
                most[round] = bytes > most[round] ? bytes : most[round];
            }
        }
    assert_true(most[1] <= most[0] + most[0] / 4);
    for (int i = 0; i < SLOTS; i++)
        if (slots[i] != NULL) {
            destroy_checked(slots[i]);
            slots[i] = NULL;
        }
    co_pool_trim();
    /* An empty slab of each class may be left. They are small unless it has always been the only one. */
    assert_true(held_bytes <= held_before + 128 * 4 * MIB);
    if (figures_are_ours()) {
        assert_true(status_bytes("VmSize") <= bytes_before + 128 * 4 * MIB);
        assert_true(mappings() <= mappings_before + 2 * 128);
    }
}

/* Slabs that stay when they are empty. */
static void test_empty_slabs_go(void **state) {
    (void)state;
    enum { MANY = 2000 };
    static co_t *all[MANY];
    if (!calls_can_be_intercepted())
        skip();
    const int many = under_valgrind() ? MANY / 10 : MANY;
    for (int forwards = 0; forwards < 2; forwards++) {
        const size_t stack_bytes = forwards ? 100 * KIB : 150 * KIB; /* a class for each, and few of its slabs before */
        co_pool_trim();
        const long unmaps_before = unmaps;
        const size_t before = held_bytes;
        for (int i = 0; i < many; i++)
            assert_non_null(all[i] = create(stack_bytes, suspend, NULL));
        const size_t all_bytes = held_bytes - before;
        assert_true(all_bytes >= (size_t)(many / 2) * stack_bytes);
        for (int i = 0; i < many; i++)
            assert_int_equal(co_destroy(all[forwards ? i : many - 1 - i]), 0);
        co_pool_trim();
        assert_true(unmaps - unmaps_before >= (under_valgrind() ? 2 : 4));
        assert_true(held_bytes <= before + all_bytes * 5 / 8); /* the largest, half of all, may be the one that stays */
    }
}

/* A mapping for each few stacks, or one that doubles for ever: the next would not fit where there is room for many. */
static void test_slabs_grow_to_a_limit(void **state) {
    (void)state;
    enum { MANY = 6000 };
    static co_t *all[MANY];
    if (!calls_can_be_intercepted() || !figures_are_ours())
        skip();
    co_pool_trim();
    const long maps_before = maps;
    largest_map = 0;
    for (int i = 0; i < MANY; i++)
        assert_non_null(all[i] = create(2000 * KIB, suspend, NULL));
    assert_in_range(maps - maps_before, 8, 24);
    assert_in_range(largest_map, 2048 * MIB, 4096 * MIB + MIB);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(co_destroy(all[i]), 0);
    co_pool_trim();
}

/* A kernel that cannot split what it has merged: the mapping stays and is used again; nothing is used that is not
 * there. */
static void test_unmapping_fails(void **state) {
    (void)state;
    enum { MANY = 300 };
    static co_t *all[MANY];
    if (!calls_can_be_intercepted())
        skip();
    co_pool_trim();
    long maps_before = 0;
    size_t held_then = 0;
    for (int round = 0; round < 4; round++) {
        unmapping_fails = true;
        for (int i = 0; i < MANY; i++)
            all[i] = create_checked((size_t)(20 + i % 3 * 40) * KIB);
        for (int i = 0; i < MANY; i++)
            destroy_checked(all[(i * 7 + round) % MANY]);
        co_pool_trim();
        unmapping_fails = false;
        if (round == 0) {
            maps_before = maps;
            held_then = held_bytes;
        }
    }
    assert_int_equal(maps, maps_before); /* what stayed is enough for every later round */
    assert_int_equal(held_bytes, held_then);
    for (int i = 0; i < MANY; i++)
        all[i] = create_checked((size_t)(20 + i % 3 * 40) * KIB);
    for (int i = 0; i < MANY; i++)
        destroy_checked(all[i]);
    co_pool_trim();
    assert_true(held_bytes < held_then);
}

/* A large mapping that cannot be unmapped keeps address space, and must not keep its memory. */
static void test_unmapping_of_a_large_stack_fails(void **state) {
    (void)state;
    if (!calls_can_be_intercepted() || !figures_are_ours())
        skip();
    co_t *co = create(64 * MIB, suspend, NULL);
    assert_non_null(co);
    const size_t before = status_bytes("VmRSS");
    memset(stack_low(co), 1, 60 * MIB);
    assert_true(status_bytes("VmRSS") >= before + 50 * MIB);
    unmapping_fails = true;
    errno = 0;
    assert_int_equal(co_destroy(co), 0);
    unmapping_fails = false;
    assert_true(status_bytes("VmRSS") <= before + MIB);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_sizes_at_once),
        cmocka_unit_test(test_every_size_class),
        cmocka_unit_test(test_tops_are_spread),
        cmocka_unit_test(test_random_steps),
        cmocka_unit_test(test_empty_slabs_go),
        cmocka_unit_test(test_unmapping_fails),
        cmocka_unit_test(test_unmapping_of_a_large_stack_fails),
        cmocka_unit_test(test_slabs_grow_to_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
