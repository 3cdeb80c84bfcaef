/* Every call for memory fails in turn, once or from then on: the stated error, or none where the library can do
 * without; nothing changed, nothing leaked, and what runs goes on. The library's calls are intercepted at link time,
 * which is not possible in a shared library.
 * Compiled with: -Wl,-wrap=mmap,-wrap=munmap,-wrap=mprotect,-wrap=madvise,-wrap=syscall,-wrap=malloc
 * Compiled with: -Wl,-wrap=free,-wrap=pthread_key_create,-wrap=pthread_setspecific
 * Compiled with: -Wl,-wrap=pthread_atfork,-wrap=__register_atfork
 * Compiled with: -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "out_of_memory_calls.h"

#include <pthread.h>

/* ---- One program, with each of its calls failing -------------------------------------------------------------- */

static void skip_where_calls_cannot_be_intercepted(void) {
    if (!calls_can_be_intercepted())
        skip();
}

static void *defer_thrice(void *arg) {
    for (int tries = 0; tries < 3; tries++) {
        int status = co_defer(trace_letter, LETTER("d"));
        REQUIRE(status == 0 || status == -ENOMEM);
        *(int *)arg += status == 0;
    }
    co_yield(NULL);
    return NULL;
}

enum { AT_ONCE = 8 };

static const co_options_t *options; /* of the program */
static int error_expected;

/* Creates, runs, and ends; what cannot be had is left out. Returns how many requests of its own were refused. */
static int run_program(void) {
    co_t *all[AT_ONCE];
    int failures = 0, deferred;
    for (int i = 0; i < AT_ONCE; i++) {
        errno = 0;
        deferred = 0;
        co_t *co = all[i] = co_create_with(options, defer_thrice, &deferred);
        if (co == NULL) {
            REQUIRE(errno == (calls.kind == MMAP ? error_expected : ENOMEM));
            failures++;
            continue;
        }
        REQUIRE(co_status(co) == CO_SUSPENDED);
        REQUIRE(options != NULL && options->allocator != NULL ? true : kernel_refuses(stack_low(co) - 1));
        trace_clear();
        REQUIRE(co_resume(co, NULL, NULL) == CO_YIELDED);
        failures += 3 - deferred;
        REQUIRE((i == 1 ? co_resume(co, NULL, NULL) : co_close(co)) == 0);
        REQUIRE((int)trace_length == deferred);
    }
    for (int i = 0; i < AT_ONCE; i++)
        REQUIRE(co_destroy(all[i]) == 0);
    return failures;
}

static struct undisturbed {
    int calls, of_kind[KINDS];
    long bytes, blocks; /* held when all is given back */
} * undisturbed;        /* shared with the children */

static int which_fails;
static bool fails_for_good;

/* A mapping for each stack. */
static bool is_alone(void) { return options != NULL && options->stack_bytes > 2 * MIB; }

static void run_undisturbed(void) {
    const long bytes = calls.held_bytes, blocks = calls.held_blocks;
    begin(0, false);
    REQUIRE(run_program() == 0);
    co_pool_trim();
    undisturbed->calls = calls.count;
    memcpy(undisturbed->of_kind, calls.of, sizeof calls.of);
    /* Mappings of their own all go; of slabs one may stay, and which one depends on what failed. */
    undisturbed->bytes = (is_alone() ? calls.held_bytes : calls.most_bytes) - bytes;
    undisturbed->blocks = calls.held_blocks - blocks;
    REQUIRE(!is_alone() || undisturbed->bytes == 0);
}

/* What is needed, and cannot be had in another way or at the second try. */
static bool is_vital(void) { return calls.kind == MALLOC || calls.kind == ALLOCATOR; }

static void run_with_a_failure(void) {
    const long bytes = calls.held_bytes, blocks = calls.held_blocks;
    begin(which_fails, fails_for_good);
    const int failures = run_program();
    const enum kind first = calls.first;
    co_pool_trim();
    begin(0, false);
    if (!fails_for_good)
        REQUIRE(failures == is_vital());
    else
        REQUIRE(failures > 0 || (first != MALLOC && first != ALLOCATOR && first != ATFORK));
    REQUIRE(run_program() == 0); /* as if nothing had been */
    co_pool_trim();
    REQUIRE(calls.held_bytes - bytes <= undisturbed->bytes);
    REQUIRE(calls.held_blocks - blocks == undisturbed->blocks);
    _exit(failures > 0 ? 3 : 0);
}

/* Each in a process that has not used the library yet: much is asked for but once. */
static void fail_each_call(const co_options_t *options_, int error) {
    undisturbed = (struct undisturbed *)map_for_test(sizeof *undisturbed);
    options = options_;
    error_expected = error;
    const struct child first = run_in_child(run_undisturbed);
    assert_exited(&first, 0);
    assert_true(undisturbed->calls >= 3 * AT_ONCE);
    bool any = false;
    const int step = under_valgrind() ? 5 : 1; /* a second for each */
    for (which_fails = 1; which_fails <= undisturbed->calls; which_fails += step)
        for (int last = 0; last < 2; last++) {
            fails_for_good = last;
            const struct child child = run_in_child(run_with_a_failure);
            if (!WIFEXITED(child.status) || (WEXITSTATUS(child.status) != 0 && WEXITSTATUS(child.status) != 3))
                FAIL("call %d%s: status %#x: %s", which_fails, last ? " and all later ones" : "",
                     (unsigned)child.status, child.text);
            any = any || WEXITSTATUS(child.status) == 3;
        }
    assert_true(any);
    options = NULL;
}

/* A call that is not among those that fail below: it is not wrapped, or made under another name. */
static void assert_called(enum kind kind, bool is) { assert_true((undisturbed->of_kind[kind] > 0) == is); }

/* A result that is not looked at; what was had before a failure and is not given back. */
static void test_each_call_fails(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    fail_each_call(NULL, ENOMEM);
    assert_called(MMAP, true);
    assert_called(MADVISE, true);
    assert_called(MALLOC, true);
    assert_called(KEY, true);
    assert_called(SPECIFIC, true);
#ifdef __GLIBC__
    assert_called(ATFORK, true); /* elsewhere before main */
#endif
    fail_each_call(&(co_options_t){.stack_bytes = 1024 * 1024, .flags = CO_FPENV}, ENOMEM);
    fail_each_call(&(co_options_t){.stack_bytes = 4096 * 1024}, ENOMEM);
}

/* The same where guards are protections, which need memory of the kernel. */
static void test_each_call_fails_without_advice(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    calls.no_advice = true;
    fail_each_call(NULL, ENOMEM);
    assert_called(MPROTECT, true);
    fail_each_call(&(co_options_t){.stack_bytes = 4096 * 1024}, ENOMEM);
    assert_called(MPROTECT, true);
    calls.no_advice = false;
}

static void test_each_call_of_an_allocator_fails(void **state) {
    (void)state;
    fail_each_call(&(co_options_t){.allocator = &failing_allocator}, ENOMEM);
}

/* A locked-memory limit, which is another thing to tell a user than no memory; any other refusal is none. */
static void test_locked_memory_limit(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    calls.error_of_mmap = EAGAIN;
    fail_each_call(&(co_options_t){.stack_bytes = 50 * KIB, .allocator = NULL}, EAGAIN);
    fail_each_call(&(co_options_t){.stack_bytes = 5000 * KIB}, EAGAIN);
    calls.error_of_mmap = EPERM;
    fail_each_call(&(co_options_t){.stack_bytes = 50 * KIB}, ENOMEM);
    calls.error_of_mmap = ENOMEM;
}

static void refuse_fork_handlers(void) {
    calls.kinds = 1u << ATFORK;
    for (int i = 0; i < 3; i++) {
        errno = 0;
        REQUIRE(co_create(suspend, NULL) == NULL && errno == ENOMEM);
        REQUIRE(create(32 * KIB, suspend, NULL) == NULL && errno == ENOMEM);
    }
    calls.kinds = 0;
    REQUIRE(run_program() == 0);
}

/* A lock without which slabs would be used, or that stays held. */
static void test_no_fork_handlers(void **state) {
    (void)state;
#ifndef __GLIBC__
    skip(); /* they are registered before main */
#endif
    skip_where_calls_cannot_be_intercepted();
    begin(0, false);
    const struct child child = run_in_child(refuse_fork_handlers);
    assert_exited(&child, 0);
}

static void use_without_a_pool(void) {
    enum { MANY = 200 };
    static co_t *all[MANY];
    const long bytes = calls.held_bytes;
    calls.most_bytes = bytes;
    calls.kinds = 1u << SPECIFIC;
    for (int i = 0; i < MANY; i++)
        REQUIRE((all[i] = create(64 * KIB, suspend, NULL)) != NULL);
    for (int i = 0; i < MANY; i++)
        REQUIRE(co_destroy(all[i]) == 0);
    REQUIRE(calls.held_bytes - bytes <= (calls.most_bytes - bytes) * 5 / 8);
}

/* Stacks taken beside the one that is wanted, which nobody gives back. */
static void test_no_pool(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    const struct child child = run_in_child(use_without_a_pool);
    assert_exited(&child, 0);
}

/* A caller's stack, which needs nothing. */
static void test_nothing_to_ask_for(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    static unsigned char memory[64 * 1024];
    const co_options_t mine = {.stack = memory, .stack_bytes = sizeof memory};
    int deferred = 0;
    begin(1, true);
    co_t *co = co_create_with(&mine, defer_thrice, &deferred);
    assert_non_null(co);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(deferred, 0);
    assert_int_equal(co_throw(co, EIO, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
    begin(0, false);
}

/* ---- Everything at random ---------------------------------------------------------------------------------------- */

static void *defer_some(void *arg) {
    for (int i = 0; i < 3; i++)
        (void)co_defer(trace_letter, LETTER("d"));
    return co_yield(arg);
}

/* Whatever comes, in a process that has much already and gives back much. */
static void run_at_random(int cycles) {
    enum { SLOTS = 24 };
    static co_t *slots[SLOTS];
    static const size_t sizes[] = {0, 0, 16 * 1024, 100 * 1024, 1024 * 1024, 8192 * 1024};
    for (int cycle = 0; cycle < cycles; cycle++) {
        calls.one_in = next_random() % 4 == 0 ? 2 : 16;
        co_t **slot = &slots[next_random() % SLOTS];
        const size_t stack_bytes = sizes[next_random() % 6];
        trace_clear();
        if (*slot != NULL) {
            REQUIRE(co_destroy(*slot) == 0);
            *slot = NULL;
        } else if ((*slot = create(stack_bytes, defer_some, *slot)) != NULL) {
            mark_stack(*slot);
            REQUIRE(cycle % 64 != 0 || kernel_refuses(stack_low(*slot) - 1));
            REQUIRE(co_resume(*slot, NULL, NULL) == CO_YIELDED);
        } else {
            REQUIRE(errno == ENOMEM);
        }
        if (next_random() % 256 == 0)
            co_pool_trim();
        if (next_random() % 256 == 0)
            (void)co_pool_limit(next_random() % 3 * 16 * MIB);
    }
    calls.one_in = 0;
    for (int i = 0; i < SLOTS; i++) {
        REQUIRE(co_destroy(slots[i]) == 0);
        slots[i] = NULL;
    }
    co_pool_trim();
}

static void fail_at_random(void) {
    const int cycles = under_valgrind() || !figures_are_ours() ? 1000 : 10000;
    run_at_random(cycles);
    const long bytes = calls.held_bytes, blocks = calls.held_blocks;
    REQUIRE(bytes <= (long)(6 * 8 * MIB));
    run_at_random(cycles);
    REQUIRE(calls.held_bytes <= (long)(6 * 8 * MIB));
    run_at_random(cycles);
    REQUIRE(calls.held_bytes <= (long)(6 * 8 * MIB));
    REQUIRE(calls.held_blocks == blocks);
}

/* A little that is lost each time. */
static void test_random_failures(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    for (int refused = 0; refused < 2; refused++) {
        calls.no_advice = refused;
        const struct child child = run_in_child(fail_at_random);
        assert_exited(&child, 0);
    }
    calls.no_advice = false;
}

static unsigned kinds_in_thread; /* that fail: not while the thread is made, for a sanitizer cannot do without */

static void *run_in_thread(void *arg) {
    calls.kinds = kinds_in_thread;
    const int failures = run_program();
    co_t *others[] = {create(16 * KIB, suspend, NULL), create(64 * KIB, suspend, NULL)};
    errno = 0;
    co_t *more = create(16 * KIB, suspend, NULL);
    bool fine = more != NULL && errno != ENOMEM; /* what the library can do without is nobody's error */
    fine = co_destroy(others[0]) == 0 && co_destroy(others[1]) == 0 && co_destroy(more) == 0 && fine;
    const long bytes = calls.held_bytes;
    for (int i = 0; i < 200 && fine; i++)
        fine = co_destroy(create(64 * KIB, suspend, NULL)) == 0;
    calls.kinds = 0;
    return value_of(failures == 0 && fine && calls.held_bytes <= bytes && arg == NULL);
}

/* A thread's pool, or what it keeps of some size, that outlives it, also where nothing would tell of its end. */
static void test_threads_leave_nothing(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    long blocks = 0, bytes = 0;
    begin(0, false);
    for (int i = 0; i < 30; i++) {
        pthread_t thread;
        void *fine = NULL;
        kinds_in_thread = i < 10 ? 0 : i < 20 ? 1u << SPECIFIC : 1u << KEY | 1u << SPECIFIC;
        assert_int_equal(pthread_create(&thread, NULL, run_in_thread, NULL), 0);
        assert_int_equal(pthread_join(thread, &fine), 0);
        assert_int_equal(number_of(fine), 1);
        if (i == 1)
            blocks = calls.held_blocks, bytes = calls.held_bytes;
    }
    assert_int_equal(calls.held_blocks, blocks);
    assert_int_equal(calls.held_bytes, bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_fails),       cmocka_unit_test(test_each_call_fails_without_advice),
        cmocka_unit_test(test_locked_memory_limit),   cmocka_unit_test(test_each_call_of_an_allocator_fails),
        cmocka_unit_test(test_no_fork_handlers),      cmocka_unit_test(test_no_pool),
        cmocka_unit_test(test_nothing_to_ask_for),    cmocka_unit_test(test_random_failures),
        cmocka_unit_test(test_threads_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
