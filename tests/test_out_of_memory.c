/* Every call for memory fails in turn, once or from then on: the stated error, nothing changed, nothing leaked, and
 * what runs goes on. The library's calls are intercepted at link time, which is not possible in a shared library.
 * Compiled with: -Wl,-wrap=mmap,-wrap=munmap,-wrap=mprotect,-wrap=malloc,-wrap=free -Wno-unused-command-line-argument
 */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <sys/mman.h>

void *__real_mmap(void *, size_t, int, int, int, off_t);
int __real_munmap(void *, size_t);
int __real_mprotect(void *, size_t, int);
void *__real_malloc(size_t);
void __real_free(void *);
void *__wrap_mmap(void *, size_t, int, int, int, off_t);
int __wrap_munmap(void *, size_t);
int __wrap_mprotect(void *, size_t, int);
void *__wrap_malloc(size_t);
void __wrap_free(void *);

/* ---- The calls ----------------------------------------------------------------------------------------------- */

static int calls;         /* for memory, since they are counted */
static int failing;       /* which of them fails; 0: none */
static bool lasting;      /* and all after it */
static int error_of_mmap; /* what a failing mmap says */
static long held_bytes;   /* mapped and not unmapped */
static long held_blocks;  /* allocated and not freed */

static bool fails(void) {
    calls++;
    return failing != 0 && (calls == failing || (lasting && calls > failing));
}

static void begin(int which, bool lasting_) {
    calls = 0;
    failing = which;
    lasting = lasting_;
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
    if (fails()) {
        errno = error_of_mmap;
        return MAP_FAILED;
    }
    void *memory = __real_mmap(address, bytes, protection, flags, file, offset);
    if (memory != MAP_FAILED)
        held_bytes += (long)bytes;
    return memory;
}

int __wrap_munmap(void *memory, size_t bytes) {
    held_bytes -= (long)bytes;
    return __real_munmap(memory, bytes);
}

int __wrap_mprotect(void *memory, size_t bytes, int protection) {
    if (fails()) {
        errno = ENOMEM;
        return -1;
    }
    return __real_mprotect(memory, bytes, protection);
}

static void *count_block(void *memory) {
    held_blocks += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t bytes) { return fails() ? NULL : count_block(__real_malloc(bytes)); }

void __wrap_free(void *memory) {
    held_blocks -= memory != NULL;
    __real_free(memory);
}

static void *failing_allocate(size_t bytes, void *context) {
    (void)context;
    return fails() ? NULL : count_block(__real_malloc(bytes));
}

static void counting_release(void *memory, size_t bytes, void *context) {
    (void)bytes, (void)context;
    held_blocks--;
    __real_free(memory);
}

static const co_allocator_t failing_allocator = {.allocate = failing_allocate, .release = counting_release};

/* The library's own symbols are visible in a static link only. */
extern const char co__entry[] __attribute__((weak));

static void skip_where_calls_cannot_be_intercepted(void) {
    const char *volatile entry = co__entry;
    if (entry == NULL)
        skip();
}

/* ---- One program, with each of its calls failing -------------------------------------------------------------- */

static void *defer_thrice(void *arg) {
    for (int tries = 0; tries < 3; tries++) {
        int status = co_defer(trace_letter, LETTER("d"));
        assert_true(status == 0 || status == -ENOMEM);
        *(int *)arg += status == 0;
    }
    co_yield(NULL);
    return NULL;
}

/* Creates, runs, and ends; what cannot be had is left out. Returns how many requests for memory failed. */
static int run_program(const co_options_t *options, int error) {
    int failures = 0;
    for (int i = 0; i < 3; i++) {
        int deferred = 0;
        errno = 0;
        co_t *co = co_create_with(options, defer_thrice, &deferred);
        if (co == NULL) {
            assert_int_equal(errno, error);
            failures++;
            continue;
        }
        assert_int_equal(co_status(co), CO_SUSPENDED);
        trace_clear();
        assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
        failures += 3 - deferred;
        assert_int_equal(i == 1 ? co_resume(co, NULL, NULL) : co_close(co), 0);
        assert_int_equal(trace_length, deferred);
        assert_int_equal(co_destroy(co), 0);
    }
    return failures;
}

static void fail_each_call(const co_options_t *options, int error) {
    const long bytes = held_bytes, blocks = held_blocks;
    begin(0, false);
    assert_int_equal(run_program(options, 0), 0);
    const int all = calls;
    assert_true(all >= 12); /* three coroutines with three deferred calls each; fewer: a call that is not wrapped */
    for (int which = 1; which <= all; which++)
        for (int last = 0; last < 2; last++) {
            begin(which, last);
            const int failures = run_program(options, error);
            assert_true(last ? failures >= 1 : failures == 1);
            begin(0, false);
            assert_int_equal(held_bytes, bytes);
            assert_int_equal(held_blocks, blocks);
            assert_int_equal(run_program(options, 0), 0); /* as if nothing had been */
        }
    assert_int_equal(held_bytes, bytes);
    assert_int_equal(held_blocks, blocks);
}

/* A result that is not looked at; what was had before a failure and is not given back. */
static void test_each_call_fails(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    error_of_mmap = ENOMEM;
    fail_each_call(NULL, ENOMEM);
    fail_each_call(&(co_options_t){.stack_bytes = 1024 * 1024, .flags = CO_FPENV}, ENOMEM);
}

static void test_each_call_of_an_allocator_fails(void **state) {
    (void)state;
    fail_each_call(&(co_options_t){.allocator = &failing_allocator}, ENOMEM);
}

/* A locked-memory limit, which is another thing to tell a user than no memory. */
static void test_locked_memory_limit(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    error_of_mmap = EAGAIN;
    begin(1, true);
    errno = 0;
    assert_null(co_create(defer_thrice, NULL));
    assert_int_equal(errno, EAGAIN);
    begin(0, false);
}

/* A caller's stack, which needs nothing. */
static void test_nothing_to_ask_for(void **state) {
    (void)state;
    skip_where_calls_cannot_be_intercepted();
    static unsigned char memory[64 * 1024];
    const co_options_t options = {.stack = memory, .stack_bytes = sizeof memory};
    int deferred = 0;
    begin(1, true);
    co_t *co = co_create_with(&options, defer_thrice, &deferred);
    assert_non_null(co);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    assert_int_equal(deferred, 0);
    assert_int_equal(co_throw(co, EIO, NULL), CO_RETURNED);
    assert_int_equal(co_destroy(co), 0);
    begin(0, false);
}

/* ---- The kernel's own limit ------------------------------------------------------------------------------------ */

static void *count(void *arg) {
    for (intptr_t i = number_of(arg);; i++)
        co_yield(value_of(i));
    return NULL;
}

/* vm.max_map_count, or an address space that ends: a clean error, the others run on, and there is room again after some
 * are gone. It happens in a child, with a limit on its address space in case the kernel's is far away. */
static void exhaust(void) {
    enum { MOST = 70000, RUNNING = 100 };
    static co_t *all[MOST];
    const struct rlimit limit = {(rlim_t)12 << 30, (rlim_t)12 << 30};
    void *out = NULL;
    int created = 0;
    if (!under_valgrind())
        setrlimit(RLIMIT_AS, &limit);
    for (; created < RUNNING; created++) {
        all[created] = co_create(count, value_of(created));
        co_resume(all[created], NULL, NULL);
    }
    errno = 0;
    while (created < MOST && (all[created] = co_create(count, value_of(0))) != NULL)
        created++;
    if (created == MOST || errno != ENOMEM)
        _exit(1);
    for (int i = 0; i < RUNNING; i++)
        if (co_resume(all[i], NULL, &out) != CO_YIELDED || number_of(out) != i + 1)
            _exit(2);
    for (int i = RUNNING; i < created; i++)
        if (co_destroy(all[i]) != 0)
            _exit(3);
    for (int i = RUNNING; i < created; i += 7)
        if ((all[i] = co_create(count, value_of(i))) == NULL || co_resume(all[i], NULL, &out) != CO_YIELDED ||
            number_of(out) != i || co_destroy(all[i]) != 0)
            _exit(4);
    for (int i = 0; i < RUNNING; i++)
        if (co_resume(all[i], NULL, &out) != CO_YIELDED || number_of(out) != i + 2 || co_destroy(all[i]) != 0)
            _exit(5);
}

static void test_no_more_mappings(void **state) {
    (void)state;
#ifdef TEST_SANITIZED
    skip(); /* the sanitizer itself ends the program when it gets no memory */
#endif
    if (under_valgrind())
        skip(); /* it has a limit of its own, at which it ends the program */
    const struct child child = run_in_child(exhaust);
    assert_exited(&child, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_call_fails),     cmocka_unit_test(test_each_call_of_an_allocator_fails),
        cmocka_unit_test(test_locked_memory_limit), cmocka_unit_test(test_nothing_to_ask_for),
        cmocka_unit_test(test_no_more_mappings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
