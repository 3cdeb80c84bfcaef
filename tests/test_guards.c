/* Guards, made in each way that a kernel, an emulator or a limit may leave over: every stack has one, directly below,
 * when it is new and when it is used again. Which way works is found out once in a process, so each scene has a child.
 * Compiled with: -Wl,-wrap=madvise,-wrap=mprotect,-wrap=syscall,-wrap=sysconf,-wrap=uname,-wrap=mmap,-wrap=munmap
 * Compiled with: -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "guards_kernel.h"

/* ---- What holds in every scene ---------------------------------------------------------------------------------- */

/* A write right below a stack ends a child. Its own text would only disturb. */
static bool write_below_is_deadly(const co_t *co) {
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGSEGV, SIG_DFL);
        fclose(stderr);
        *(volatile char *)(stack_low(co) - 1) = 1;
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const size_t sizes[] = {0, 1024, 64 * 1024, 300 * 1024, 4096 * 1024};
enum { SIZES = sizeof sizes / sizeof sizes[0], EACH = 40 };

static co_t *all[SIZES][EACH];

static void create_all(int each) {
    for (int size = 0; size < SIZES; size++)
        for (int i = 0; i < each; i++) {
            co_t *co = all[size][i] = create(sizes[size], suspend, value_of(i));
            REQUIRE(co != NULL);
            REQUIRE((uintptr_t)stack_low(co) % page_bytes() == 0);
            REQUIRE(guarded(co, page_bytes(), guard_bytes()));
            REQUIRE(i != each / 2 || (under_valgrind() && size != 0) || write_below_is_deadly(co));
            REQUIRE(co_resume(co, NULL, NULL) == CO_YIELDED);
        }
}

static void destroy_all(int each) {
    for (int size = 0; size < SIZES; size++)
        for (int i = 0; i < each; i++) {
            REQUIRE(guarded(all[size][i], page_bytes(), guard_bytes()));
            REQUIRE(co_destroy(all[size][i]) == 0);
        }
}

/* New stacks, stacks from the pool, and stacks of slabs that were given back. Returns how many mappings the first
 * needed. */
static size_t use_stacks(void) {
    const int each = under_valgrind() ? 4 : EACH;
    const size_t before = mappings();
    create_all(each);
    const size_t needed = mappings() - before;
    for (int round = 0; round < 3; round++) {
        destroy_all(each);
        if (round == 1)
            co_pool_trim();
        create_all(each);
    }
    destroy_all(each);
    REQUIRE(seen.misaligned == 0);
    REQUIRE(seen.probes <= 2);
    return needed;
}

static void play(const struct kernel *scene, void (*fn)(void)) {
    if (!calls_can_be_intercepted())
        skip();
    kernel = *scene;
    const struct child child = run_in_child(fn);
    kernel = (struct kernel){0};
    assert_exited(&child, 0);
}

/* ---- The scenes ------------------------------------------------------------------------------------------------- */

/* By process_madvise in batches, which splits no mapping: a few for all. */
static void expect_many(void) {
    const size_t needed = use_stacks();
    REQUIRE(seen.many > 3);
    REQUIRE(seen.protections == 0);
    REQUIRE(under_valgrind() || seen.many + seen.advices < 5 * SIZES * EACH / 2);
    REQUIRE(!figures_are_ours() || needed < 2 * SIZES + EACH);
}

/* The cheapest way is not taken where it works, or guards are made one by one. */
static void test_many_at_a_time(void **state) {
    (void)state;
    if (!guards_by_advice() || !guards_by_many())
        skip();
    play(&(struct kernel){0}, expect_many);
}

static void expect_singles(void) {
    const size_t needed = use_stacks();
    REQUIRE(seen.advices > 3);
    REQUIRE(seen.many == 0);
    REQUIRE(seen.protections == 0);
    REQUIRE(!figures_are_ours() || needed < 2 * SIZES + EACH);
}

/* No process_madvise, one that is forbidden, one without guards, and one that says so and does nothing: a stack without
 * a guard, or a creation that fails where another way works. */
static void test_single_advice(void **state) {
    (void)state;
    static const int refusals[] = {ENOSYS, EPERM, EINVAL, ENOMEM};
    if (!guards_by_advice())
        skip();
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        play(&(struct kernel){.many = REFUSED, .refusal = refusals[i]}, expect_singles);
    play(&(struct kernel){.many = PRETENDED}, expect_singles);
}

static void expect_parts(void) {
    use_stacks();
    REQUIRE(seen.many > 0);
    REQUIRE(seen.protections == 0);
}

/* Fewer guards made than asked for, and all believed. */
static void test_part_of_many(void **state) {
    (void)state;
    if (!guards_by_advice() || !guards_by_many())
        skip();
    play(&(struct kernel){.many = IN_PART}, expect_parts);
}

static void expect_protections(void) {
    use_stacks();
    REQUIRE(seen.protections > SIZES);
    REQUIRE(seen.advices == 0);
    REQUIRE(seen.many == 0);
}

/* A kernel before 6.13. */
static void test_no_advice(void **state) {
    (void)state;
    play(&(struct kernel){.advice = REFUSED, .many = REFUSED, .refusal = EINVAL}, expect_protections);
    play(&(struct kernel){.advice = REFUSED, .refusal = EPERM}, expect_protections);
}

/* LeakSanitizer reads what is mapped as readable around stacks, and ends the program where it must not. */
static void test_tools_see_guards(void **state) {
    (void)state;
    if (!tools_watch())
        skip();
    play(&(struct kernel){0}, expect_protections);
}

/* An emulator that answers success and installs nothing, as qemu-user 7.2 does. */
static void test_advice_without_effect(void **state) {
    (void)state;
    play(&(struct kernel){.advice = PRETENDED, .many = PRETENDED}, expect_protections);
    play(&(struct kernel){.advice = PRETENDED}, expect_protections);
    play(&(struct kernel){.advice = PRETENDED, .small_maps_refused = 3},
         expect_protections); /* nor a place to try it */
}

/* Refused from some moment on, and later no more: locked memory comes and goes. Guards that were made stay. */
static void refuse_for_a_while(void) {
    co_t *first = create(0, suspend, NULL);
    REQUIRE(guarded(first, page_bytes(), guard_bytes()));
    REQUIRE(seen.protections == 0);
    kernel = (struct kernel){.advice = REFUSED, .many = REFUSED, .refusal = EINVAL};
    use_stacks();
    REQUIRE(seen.protections > SIZES);
    kernel = (struct kernel){0};
    const int protections = seen.protections, advices = seen.advices + seen.many;
    create_all(EACH);
    co_t *more = create(500 * KIB, suspend, NULL);
    REQUIRE(guarded(more, page_bytes(), guard_bytes()));
    REQUIRE(guarded(first, page_bytes(), guard_bytes()));
    REQUIRE(seen.protections == protections);
    REQUIRE(seen.advices + seen.many > advices);
}

static void test_advice_refused_later(void **state) {
    (void)state;
    if (!guards_by_advice())
        skip();
    play(&(struct kernel){0}, refuse_for_a_while);
}

/* ---- Other pages ----------------------------------------------------------------------------------------------- */

/* Sizes around the pages of the scene: at least what was asked for, less the library's own words. */
static void expect_large_pages(void) {
    use_stacks();
    for (size_t bytes = 1024; bytes < 3 * kernel.page; bytes += bytes < 4 * KIB ? 1023 : kernel.page / 2 - 1) {
        co_t *co = create(bytes, suspend, NULL);
        REQUIRE(co != NULL);
        REQUIRE(co_stack_size(co) + KIB >= bytes);
        REQUIRE(co_stack_size(co) <= bytes + 2 * kernel.page);
        REQUIRE(guarded(co, kernel.page, guard_bytes()));
        REQUIRE(co_destroy(co) == 0);
    }
    co_t *co = create(0, suspend, NULL);
    REQUIRE(co_resume(co, NULL, NULL) == CO_YIELDED);
    REQUIRE(co_stack_size(co) + KIB >= 128 * KIB);
    REQUIRE(co_destroy(co) == 0);
    co_pool_trim();
    REQUIRE(seen.misaligned == 0);
}

/* 16 and 64 KiB: a guard of 4 KiB, or one that ends in the middle of a page. */
static void test_large_pages(void **state) {
    (void)state;
    static const size_t pages[] = {16 * 1024, 64 * 1024};
    for (size_t i = 0; i < 2; i++) {
        play(&(struct kernel){.page = pages[i]}, expect_large_pages);
        play(&(struct kernel){.page = pages[i], .advice = REFUSED, .refusal = EINVAL}, expect_large_pages);
        play(&(struct kernel){.page = pages[i], .many = REFUSED, .refusal = ENOSYS}, expect_large_pages);
    }
}

/* ---- Memory that is locked for real ---------------------------------------------------------------------------- */

static void lock_memory(void) {
    if (mlockall(MCL_FUTURE) != 0)
        _exit(77);
}

static void lock_first(void) {
    lock_memory();
    use_stacks();
}

static void lock_later(void) {
    co_t *first = create(0, suspend, NULL);
    REQUIRE(first != NULL);
    lock_memory();
    use_stacks();
    REQUIRE(guarded(first, page_bytes(), guard_bytes()));
    REQUIRE(co_destroy(first) == 0);
}

/* The kernel refuses guards, and to discard, in locked memory. */
static void test_locked_memory(void **state) {
    (void)state;
    if (!figures_are_ours())
        skip();
    const struct child first = run_in_child(lock_first), later = run_in_child(lock_later);
    if (WIFEXITED(first.status) && WEXITSTATUS(first.status) == 77)
        skip();
    assert_exited(&first, 0);
    assert_exited(&later, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_at_a_time),       cmocka_unit_test(test_single_advice),
        cmocka_unit_test(test_part_of_many),         cmocka_unit_test(test_no_advice),
        cmocka_unit_test(test_tools_see_guards),     cmocka_unit_test(test_advice_without_effect),
        cmocka_unit_test(test_advice_refused_later), cmocka_unit_test(test_large_pages),
        cmocka_unit_test(test_locked_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
