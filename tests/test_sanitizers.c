/* What sanitizers and Valgrind think of coroutines, from inside of the program. With a sanitizer the planted faults
 * must be reported; without one, and under Valgrind, the same steps without a fault must work.
 * tests/scripts/test_sanitizers.sh looks at whole programs. */
#define _GNU_SOURCE
#include "support.h"

#include <errno.h>
#include <pthread.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ADDRESS 1
#endif
#if __has_feature(thread_sanitizer)
#define WITH_THREAD 1
#endif
#if __has_feature(memory_sanitizer)
#define WITH_MEMORY 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define WITH_ADDRESS 1
#endif
#ifdef __SANITIZE_THREAD__
#define WITH_THREAD 1
#endif
#ifndef WITH_ADDRESS
#define WITH_ADDRESS 0
#endif
#ifndef WITH_THREAD
#define WITH_THREAD 0
#endif
#ifndef WITH_MEMORY
#define WITH_MEMORY 0
#endif

#if WITH_ADDRESS
#include <sanitizer/asan_interface.h>
#endif
#if WITH_MEMORY
#include <sanitizer/msan_interface.h>
#endif

#define NOINLINE __attribute__((noinline))

static void *yields_forever(void *arg) {
    for (;;)
        co_yield (arg);
    return NULL;
}

/* ---- What is in order ---------------------------------------------------------------------------------------- */

/* Memory from alloca lies on the stack itself, between poison, also where arrays are moved to a fake stack. */
static NOINLINE intptr_t deep(int depth) {
    size_t bytes = (size_t)(500 + depth);
    volatile char *space = (volatile char *)__builtin_alloca(bytes);
    memset((void *)(uintptr_t)space, depth, bytes);
    co_yield ((void *)(uintptr_t)space);
    intptr_t below = depth > 0 ? deep(depth - 1) : 0;
    return below + space[depth];
}

static void *deep_body(void *arg) {
    (void)arg;
    return value_of(deep(20));
}

/* Poison, or what Memcheck forbids, left behind in memory that is its owner's again. */
static void test_memory_of_a_closed_coroutine_is_usable(void **state) {
    (void)state;
    enum { BYTES = 256 * 1024 };
    char *memory = malloc(BYTES);
    assert_non_null(memory);
    for (int resumes = 0; resumes <= 22; resumes += 11) {
        const co_options_t options = {.stack = memory, .stack_bytes = BYTES};
        co_t *co = co_create_with(&options, deep_body, NULL);
        assert_non_null(co);
        for (int i = 0; i < resumes; i++)
            co_resume(co, NULL, NULL);
        assert_int_equal(co_destroy(co), 0);
#if WITH_ADDRESS
        assert_null(__asan_region_is_poisoned(memory, BYTES));
#endif
        memset(memory, resumes, BYTES);
        for (int i = 0; i < BYTES; i += 1000)
            assert_int_equal(memory[i], resumes);
    }
    free(memory);
}

/* A limited number of fibers or fake stacks, used up by coroutines that need none yet, or not given back. */
static void test_many_coroutines(void **state) {
    (void)state;
    enum { FRESH = 9000, STACK_BYTES = 2048, RUN = 1000 };
    char *memory = malloc((size_t)FRESH * STACK_BYTES);
    co_t **fresh = malloc(FRESH * sizeof *fresh);
    assert_true(memory != NULL && fresh != NULL);
    for (size_t i = 0; i < FRESH; i++) {
        const co_options_t options = {.stack = memory + i * STACK_BYTES, .stack_bytes = STACK_BYTES};
        fresh[i] = co_create_with(&options, yields_forever, NULL);
        assert_non_null(fresh[i]);
    }
    for (size_t i = 0; i < FRESH; i++)
        assert_int_equal(co_destroy(fresh[i]), 0);
    free(fresh);
    free(memory);
    for (int i = 0; i < RUN; i++) {
        co_t *co = co_create(deep_body, NULL);
        void *out = UNTOUCHED;
        assert_non_null(co);
        int status = CO_YIELDED;
        for (int j = 0; status > 0 && j <= i % 25; j++)
            status = co_resume(co, NULL, &out);
        if (status == CO_RETURNED)
            assert_int_equal(number_of(out), 20 * 21 / 2);
        assert_int_equal(co_destroy(co), 0);
    }
}

/* A local that is read through its address on another thread, where the frame's fake stack must have come along. */
static void *adds_up(void *arg) {
    long numbers[8] = {0};
    for (int i = 0;; i = (i + 1) % 8) {
        numbers[i] += number_of(arg);
        arg = co_yield (numbers);
        if (arg == NULL)
            return value_of(numbers[0] + numbers[1] + numbers[7]);
    }
}

static void *resumes_100_times(void *co) {
    long *numbers = NULL;
    for (int i = 0; i < 100; i++) {
        void *out;
        if (co_resume(co, value_of(1), &out) != CO_YIELDED || (numbers != NULL && out != numbers))
            return NULL;
        numbers = out;
    }
    return numbers;
}

static void test_locals_move_between_threads(void **state) {
    (void)state;
    co_t *co = co_create(adds_up, value_of(1));
    void *out;
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    long *numbers = out;
    for (int i = 0; i < 7; i++) {
        pthread_t thread;
        void *seen;
        assert_int_equal(pthread_create(&thread, NULL, resumes_100_times, co), 0);
        assert_int_equal(pthread_join(thread, &seen), 0);
        assert_ptr_equal(seen, numbers);
        assert_ptr_equal(resumes_100_times(co), numbers);
    }
    assert_int_equal(numbers[0], 176);
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_int_equal(number_of(out), 176 + 175 + 175);
    assert_int_equal(co_destroy(co), 0);
}

/* *out, the argument and the results, which a library that MemorySanitizer did not compile has handed over. */
static void *checks_arguments(void *arg) {
    if (arg != value_of(1))
        return NULL;
    void *in = co_yield (value_of(2));
    if (in != value_of(3))
        return NULL;
    in = co_yield_from(co_self(), value_of(4));
    return in == NULL && co_error() == EIO ? co_fail(EPIPE) : NULL;
}

static void assert_initialised(void **out) {
#if WITH_MEMORY
    assert_int_equal(__msan_test_shadow(out, sizeof *out), -1);
#endif
    assert_non_null(out);
}

static void test_values_count_as_initialised(void **state) {
    (void)state;
    co_t *co = co_create(checks_arguments, value_of(1));
    void **out = malloc(sizeof *out); /* not initialised */
    assert_non_null(out);
    assert_int_equal(co_resume(co, NULL, out), CO_YIELDED);
    assert_initialised(out);
    assert_ptr_equal(*out, value_of(2));
    free(out);
    out = malloc(sizeof *out);
    assert_int_equal(co_resume(co, value_of(3), out), CO_YIELDED);
    assert_initialised(out);
    assert_ptr_equal(*out, value_of(4));
    free(out);
    out = malloc(sizeof *out);
    assert_int_equal(co_throw(co, EIO, out), -EPIPE);
    assert_initialised(out);
    assert_null(*out);
    free(out);
    out = malloc(sizeof *out);
    assert_int_equal(co_throw(co, EIO, out), -EIO);
    assert_initialised(out);
    assert_null(*out);
    free(out);
    assert_int_equal(co_destroy(co), 0);
}

/* A child that goes on in the coroutine in which it was made, with the tools' state copied. */
static void *forks(void *arg) {
    long numbers[4] = {1, 2, 3, 4};
    co_yield (numbers);
    pid_t pid = fork();
    co_t *inner = co_create(deep_body, NULL);
    int status = 0;
    if (inner == NULL || co_resume(inner, NULL, NULL) != CO_YIELDED || co_destroy(inner) != 0)
        status = 1;
    co_yield (numbers);
    if (pid == 0)
        _exit(status != 0 || numbers[3] != 4);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        return NULL;
    return arg;
}

static void test_fork_inside_a_coroutine(void **state) {
    (void)state;
    co_t *co = co_create(forks, value_of(7));
    void *out = NULL;
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(co_resume(co, NULL, &out), CO_YIELDED);
    assert_int_equal(((long *)out)[3], 4);
    assert_int_equal(co_resume(co, NULL, &out), CO_RETURNED);
    assert_ptr_equal(out, value_of(7));
    assert_int_equal(co_destroy(co), 0);
}

/* ---- What is not --------------------------------------------------------------------------------------------- */

/* Runs fn in a child: with the sanitizer it must be stopped with a report that has both texts, else it must succeed. */
static void assert_reported_if(bool sanitized, void (*fn)(void), const char *kind, const char *function) {
    struct child child = run_in_child(fn);
    if (!sanitized) {
        assert_exited(&child, 0);
        return;
    }
    if (!WIFEXITED(child.status) || WEXITSTATUS(child.status) == 0 || strstr(child.text, kind) == NULL ||
        strstr(child.text, function) == NULL)
        print_error("status %#x, stderr: %s\n", (unsigned)child.status, child.text);
    assert_true(WIFEXITED(child.status));
    assert_int_not_equal(WEXITSTATUS(child.status), 0);
    assert_non_null(strstr(child.text, kind));
    assert_non_null(strstr(child.text, function));
}

static void run_to_end(co_fn fn) {
    co_t *co = co_create(fn, NULL);
    while (co_resume(co, NULL, NULL) > 0)
        ;
    co_destroy(co);
}

static NOINLINE int reads_at(const volatile char *text, int index) { return text[index]; }

static void *overflow_body(void *arg) {
    char text[16];
    memset(text, 'x', sizeof text);
    co_yield (text);
    return reads_at(text, WITH_ADDRESS ? 16 : 15) == 'x' ? arg : value_of(1);
}

static void overflow(void) { run_to_end(overflow_body); }

static void test_overflow_in_a_coroutine_is_reported(void **state) {
    (void)state;
    assert_reported_if(WITH_ADDRESS, overflow, "stack-buffer-overflow", "overflow_body");
}

static NOINLINE void uninitialised_use(volatile int *numbers) {
    if (numbers[1] > 0)
        fputs("positive\n", stderr);
}

static void *uninitialised_body(void *arg) {
    int numbers[4];
    memset(numbers, 0, WITH_MEMORY ? sizeof numbers[0] : sizeof numbers);
    co_yield (numbers);
    uninitialised_use(numbers);
    return arg;
}

static void uninitialised(void) { run_to_end(uninitialised_body); }

static void test_uninitialised_value_in_a_coroutine_is_reported(void **state) {
    (void)state;
    assert_reported_if(WITH_MEMORY, uninitialised, "use-of-uninitialized-value", "uninitialised_use");
}

static long counter;
static pthread_mutex_t counter_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t counted;

static void *counts_body(void *arg) {
    for (int i = 0; i < 50; i++) {
        if (!WITH_THREAD)
            pthread_mutex_lock(&counter_lock);
        counter++;
        if (!WITH_THREAD)
            pthread_mutex_unlock(&counter_lock);
        co_yield (arg);
    }
    pthread_barrier_wait(&counted);
    return arg;
}

static void *counting_thread(void *arg) {
    run_to_end(counts_body);
    return arg;
}

static void race(void) {
    pthread_t threads[2];
    pthread_barrier_init(&counted, NULL, 2);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, counting_thread, NULL) != 0)
            _exit(2);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    if (counter != 100 && !WITH_THREAD)
        _exit(3);
    if (WITH_THREAD)
        exit(0); /* which ThreadSanitizer changes if it has reported something */
}

static void test_race_of_coroutines_is_reported(void **state) {
    (void)state;
    assert_reported_if(WITH_THREAD, race, "data race", "counts_body");
}

/* ---- Leaks --------------------------------------------------------------------------------------------------- */

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static void *suspend_with_a_local(void *arg) {
    int local = 0;
    return co_yield(&local) == NULL ? arg : NULL;
}

/* Stacks, and the sanitizer's own second stacks, are named to LeakSanitizer, which reads what it is named: a guard among
 * it would kill the search. */
static void search_for_leaks(void) {
    enum { COUNT = 600 };
    static co_t *all[COUNT];
    for (int i = 0; i < COUNT; i++) {
        const co_options_t options = {.stack_bytes = i % 3 != 0 ? 0 : 20000 + 100 * (size_t)i};
        all[i] = co_create_with(&options, suspend_with_a_local, NULL);
        if (co_resume(all[i], NULL, NULL) != CO_YIELDED)
            _exit(2);
    }
    _exit(__lsan_do_recoverable_leak_check() != 0);
}

static void test_search_for_leaks_among_many(void **state) {
    (void)state;
    const char *options = getenv("ASAN_OPTIONS");
    if (&__lsan_do_recoverable_leak_check == NULL || options == NULL || strstr(options, "detect_leaks=1") == NULL)
        skip();
    const struct child child = run_in_child(search_for_leaks);
    assert_exited(&child, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_of_a_closed_coroutine_is_usable),
        cmocka_unit_test(test_many_coroutines),
        cmocka_unit_test(test_search_for_leaks_among_many),
        cmocka_unit_test(test_locals_move_between_threads),
        cmocka_unit_test(test_values_count_as_initialised),
        cmocka_unit_test(test_fork_inside_a_coroutine),
        cmocka_unit_test(test_overflow_in_a_coroutine_is_reported),
        cmocka_unit_test(test_uninitialised_value_in_a_coroutine_is_reported),
        cmocka_unit_test(test_race_of_coroutines_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
