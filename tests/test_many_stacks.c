/* What a great many coroutines cost: mappings, and memory for each, page tables included. Figures of the kernel, so
 * only where they are the program's own. */
#define _GNU_SOURCE
#include "memory.h"

static size_t page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

/* MADV_GUARD_INSTALL, Linux 6.13. */
static bool guards_split_no_mappings(void) {
    char *memory = (char *)mmap(NULL, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool works = madvise(memory, page_bytes(), MADV_GUARD_INSTALL) == 0 && kernel_refuses(memory);
    munmap(memory, page_bytes());
    return works && figures_are_ours();
}

static void many(int count, size_t stack_bytes, size_t most_mappings, size_t most_bytes_each) {
    co_t **all = (co_t **)calloc((size_t)count, sizeof(co_t *));
    REQUIRE(all != NULL);
    memset(all, 1, (size_t)count * sizeof(co_t *)); /* touched before anything is measured */
    const size_t mappings_before = mappings(), bytes_before = status_bytes("VmRSS") + status_bytes("VmPTE");
    for (int i = 0; i < count; i++) {
        all[i] = stack_bytes == 0 ? co_create(suspend, value_of(i)) : create(stack_bytes, suspend, value_of(i));
        REQUIRE(all[i] != NULL);
        REQUIRE(co_resume(all[i], NULL, NULL) == CO_YIELDED);
    }
    const size_t added = mappings() - mappings_before;
    const size_t bytes = status_bytes("VmRSS") + status_bytes("VmPTE") - bytes_before;
    fprintf(stderr, "%d coroutines, %zu mappings, %zu bytes each\n", count, added, bytes / (size_t)count);
    REQUIRE(added < most_mappings);
    REQUIRE(bytes <= (size_t)count * most_bytes_each);
    for (int i = 0; i < count; i += count / 100)
        REQUIRE(guarded(all[i], page_bytes(), page_bytes()));
    for (intptr_t i = 0; i < count; i++) {
        void *out = NULL;
        REQUIRE(co_resume(all[i], value_of(i + 1), &out) == CO_RETURNED && number_of(out) == i + 1);
        REQUIRE(co_destroy(all[i]) == 0);
    }
    co_pool_trim();
    const size_t left = status_bytes("VmRSS");
    fprintf(stderr, "%zu bytes left\n", left > bytes_before ? left - bytes_before : 0);
    REQUIRE(left <= bytes_before + 2 * MIB);
    REQUIRE(mappings() <= mappings_before + 4);
}

static void twenty_thousand(void) { many(20000, 0, 100, 4403); }
static void hundred_thousand(void) { many(100000, 0, 100, 4403); }

static void small_ones(void) { many(100000, 1024, 100, 4403); }

/* A mapping or two for each stack: the program ends at vm.max_map_count. */
static void test_mappings_of_20000(void **state) {
    (void)state;
    if (!guards_split_no_mappings())
        skip();
    const struct child child = run_in_child(twenty_thousand);
    assert_exited(&child, 0);
}

/* More than 4.3 KiB for each, page tables included; memory that does not come back. */
static void test_memory_of_100000(void **state) {
    (void)state;
    if (!guards_split_no_mappings())
        skip();
    const struct child child = run_in_child(hundred_thousand);
    assert_exited(&child, 0);
}

/* The most stacks that lie in one slab: their bits need more than a page. */
static void test_small_stacks(void **state) {
    (void)state;
    if (!guards_split_no_mappings())
        skip();
    const struct child child = run_in_child(small_ones);
    assert_exited(&child, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mappings_of_20000),
        cmocka_unit_test(test_memory_of_100000),
        cmocka_unit_test(test_small_stacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
