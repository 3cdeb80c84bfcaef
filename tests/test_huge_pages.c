/* Transparent huge pages, which would make 2 MiB of every stack that is touched. The setting `always` is the whole
 * machine's; here the program's own mappings are marked as that setting would have them used, so that nobody else is
 * disturbed and no privilege is needed. What the library then says of its mappings must prevail.
 * Compiled with: -Wl,-wrap=mmap -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "memory.h"

void *__real_mmap(void *, size_t, int, int, int, off_t);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    void *memory = __real_mmap(address, bytes, protection, flags, file, offset);
    if (memory != MAP_FAILED && (flags & MAP_ANONYMOUS) != 0)
        (void)madvise(memory, bytes, MADV_HUGEPAGE);
    return memory;
}

/* Whether a touched byte of a mapping that nobody says more of is given a huge page. */
static bool huge_pages_are_used(void) {
    enum { BYTES = 64 * 1024 * 1024 };
    const size_t before = status_bytes("VmRSS");
    char *memory = (char *)mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    for (size_t i = 0; i < BYTES; i += 2 * MIB)
        *(volatile char *)(memory + i) = 1;
    const bool used = status_bytes("VmRSS") >= before + BYTES / 2;
    munmap(memory, BYTES);
    return used;
}

static void assert_small(size_t stack_bytes, int many, size_t most_bytes_each) {
    co_t **all = (co_t **)calloc((size_t)many, sizeof(co_t *));
    assert_non_null(all);
    memset(all, 1, (size_t)many * sizeof(co_t *));
    const size_t before = status_bytes("VmRSS");
    for (int i = 0; i < many; i++) {
        assert_non_null(all[i] = create(stack_bytes, suspend, NULL));
        assert_int_equal(co_resume(all[i], NULL, NULL), CO_YIELDED);
    }
    const size_t after = status_bytes("VmRSS");
    if (after > before + (size_t)many * most_bytes_each)
        FAIL("%d stacks of %zu bytes take %zu", many, stack_bytes, after - before);
    for (int i = 0; i < many; i++)
        assert_int_equal(co_destroy(all[i]), 0);
    co_pool_trim();
    free(all);
}

/* Stacks that are not kept out of huge pages: in slabs, and those with a mapping of their own. */
static void test_a_page_for_each_stack(void **state) {
    (void)state;
    if (!calls_can_be_intercepted() || !figures_are_ours() || !huge_pages_are_used())
        skip();
    assert_small(0, 1000, 5 * KIB);
    assert_small(64 * KIB, 1000, 5 * KIB);
    assert_small(1024 * KIB, 200, 9 * KIB);
    assert_small(8192 * KIB, 50, 16 * KIB);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_page_for_each_stack)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
