/* What sanitizers and Valgrind think of tasks, from inside of the program, as test_sanitizers does of coroutines: a
 * scheduler that does not say of a turn on which stack it begins and ends makes them report what is in order, or miss
 * what is not, or lose pointers that only a waiting task has. */
#define _GNU_SOURCE
#include "support.h"

#include <co/sched.h>

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

#define NOINLINE __attribute__((noinline))

static const co_run_options_t quiet = {.flags = CO_RUN_QUIET | CO_RUN_VIRTUAL_CLOCK};

/* ---- What is in order -------------------------------------------------------------------------------------------- */

static NOINLINE void count_up(volatile long *numbers) { numbers[3]++; }

/* Memory from alloca lies on the stack itself, between poison; arrays are moved to a fake stack. */
static NOINLINE long deep(int depth) {
    const size_t bytes = (size_t)(300 + depth);
    volatile char *space = (volatile char *)__builtin_alloca(bytes);
    volatile long numbers[8] = {depth};
    memset((void *)(uintptr_t)space, depth, bytes);
    assert_int_equal(depth % 2 == 0 ? co_sched_yield() : co_sleep(depth), 0);
    count_up(numbers);
    const long below = depth > 0 ? deep(depth - 1) : 0;
    assert_int_equal(co_sched_yield(), 0);
    count_up(numbers);
    return below + space[depth] + numbers[0] + numbers[3];
}

enum { DEPTH = 12, SUM = DEPTH * (DEPTH + 1) + 2 * (DEPTH + 1) };

static void *go_deep(void *arg) {
    for (int i = 0; i < 2; i++) {
        assert_int_equal(deep(DEPTH), SUM);
        co_yield(arg);
    }
    return value_of(deep(DEPTH));
}

/* The same in a coroutine, which a task resumes, and in which it may be left. */
static void *go_deep_in_a_coroutine(void *arg) {
    co_t *co = co_create(go_deep, arg);
    void *out = NULL;
    int resumes = 0;
    for (; co_resume(co, NULL, &out) == CO_YIELDED; resumes++)
        assert_int_equal(deep(resumes), resumes * (resumes + 1) + 2 * (resumes + 1));
    assert_int_equal(resumes, 2);
    assert_int_equal(co_destroy(co), 0);
    return out;
}

static void *spawn_deep(void *arg) {
    enum { TASKS = 10, ROUNDS = 5 };
    for (int round = 0; round < ROUNDS; round++) {
        co_t *tasks[TASKS];
        for (int i = 0; i < TASKS; i++)
            tasks[i] = co_spawn(i % 2 == 0 ? go_deep : go_deep_in_a_coroutine, NULL);
        for (int i = 0; i < TASKS; i++) {
            void **result = malloc(sizeof *result); /* not initialised */
            assert_non_null(result);
            assert_int_equal(co_join(tasks[i], result, CO_NEVER), 0);
            assert_int_equal(number_of(*result), SUM);
            free(result);
        }
    }
    return arg;
}

static void test_frames_of_many_tasks(void **state) {
    (void)state;
    assert_int_equal(co_run_with(&quiet, spawn_deep, NULL, NULL), 0);
    const co_run_options_t seeded = {.flags = CO_RUN_SEEDED | CO_RUN_VIRTUAL_CLOCK, .seed = 5};
    assert_int_equal(co_run_with(&seeded, spawn_deep, NULL, NULL), 0);
}

/* A limited number of fibers or fake stacks, that tasks do not give back. */
static void *add_one(void *sum) {
    long numbers[4] = {1, 2, 3, 4};
    co_sched_yield();
    *(long *)sum += numbers[0];
    return NULL;
}

static void *spawn_thousands(void *sum) {
    for (int i = 0; i < 9000; i++) {
        co_t *task = co_spawn(add_one, sum);
        if (i % 100 == 0)
            assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
        else
            assert_int_equal(co_detach(task), 0);
    }
    return NULL;
}

static void test_thousands_of_tasks(void **state) {
    (void)state;
    long sum = 0;
    assert_int_equal(co_run(spawn_thousands, &sum, NULL), 0);
    assert_int_equal(sum, 9000);
}

/* Poison, or what Memcheck forbids, left behind in memory that is its owner's again: after the end, or a deadlock. */
static NOINLINE void wait_deep(int depth) {
    volatile char space[100];
    space[depth] = 1;
    if (depth > 0)
        wait_deep(depth - 1);
    else
        co_sleep_until(CO_NEVER);
    space[depth]++;
}

static void *wait_for_ever(void *arg) {
    wait_deep(20);
    return arg;
}

static void test_memory_of_tasks_is_usable_again(void **state) {
    (void)state;
    enum { BYTES = 256 * 1024 };
    static const co_fn bodies[] = {go_deep, wait_for_ever, go_deep_in_a_coroutine};
    char *memory = malloc(BYTES);
    assert_non_null(memory);
    for (int i = 0; i < 3; i++) {
        const co_options_t first = {.stack = memory, .stack_bytes = BYTES};
        co_run_options_t options = quiet;
        options.first = &first;
        assert_int_equal(co_run_with(&options, bodies[i], NULL, NULL), i == 1 ? -EDEADLK : 0);
#if WITH_ADDRESS
        assert_null(__asan_region_is_poisoned(memory, BYTES));
#endif
        memset(memory, i, BYTES);
        for (int j = 0; j < BYTES; j += 1000)
            assert_int_equal(memory[j], i);
    }
    free(memory);
}

/* ---- What is not ------------------------------------------------------------------------------------------------- */

/* Runs fn in a child: with the sanitizer it must be stopped with a report that has both texts, else it must succeed. */
static void assert_reported_if(bool sanitized, void (*fn)(void), const char *kind, const char *function) {
    struct child child = run_in_child(fn);
    if (!sanitized) {
        assert_exited(&child, 0);
        return;
    }
    if (strstr(child.text, kind) == NULL || strstr(child.text, function) == NULL)
        print_error("status %#x, stderr: %s\n", (unsigned)child.status, child.text);
    assert_true(WIFEXITED(child.status));
    assert_int_not_equal(WEXITSTATUS(child.status), 0);
    assert_non_null(strstr(child.text, kind));
    assert_non_null(strstr(child.text, function));
}

static void *add_one_hundred_times(void *sum) {
    for (int i = 0; i < 100; i++)
        add_one(sum);
    return NULL;
}

static void run_with_a_sum(co_fn fn) {
    long sum = 0;
    co_run_with(&quiet, fn, &sum, NULL);
}

static NOINLINE int reads_at(const volatile char *text, int index) { return text[index]; }

static void *overflow_body(void *sum) {
    char text[16];
    memset(text, 'x', sizeof text);
    co_spawn(add_one_hundred_times, sum);
    co_sched_yield();
    co_sleep(1);
    return reads_at(text, WITH_ADDRESS ? 16 : 15) == 'x' ? sum : NULL;
}

static void *overflow_nested(void *sum) {
    co_t *co = co_create(overflow_body, sum);
    co_resume(co, NULL, NULL);
    co_destroy(co);
    return NULL;
}

static void overflow(void) { run_with_a_sum(overflow_body); }
static void overflow_in_a_coroutine(void) { run_with_a_sum(overflow_nested); }

static void test_overflow_in_a_task_is_reported(void **state) {
    (void)state;
    assert_reported_if(WITH_ADDRESS, overflow, "stack-buffer-overflow", "overflow_body");
    assert_reported_if(WITH_ADDRESS, overflow_in_a_coroutine, "stack-buffer-overflow", "overflow_body");
}

static NOINLINE void uninitialised_use(volatile int *numbers) {
    if (numbers[1] > 0)
        fputs("positive\n", stderr);
}

static void *uninitialised_body(void *sum) {
    int numbers[4];
    memset(numbers, 0, WITH_MEMORY ? sizeof numbers[0] : sizeof numbers);
    co_spawn(add_one_hundred_times, sum);
    co_sched_yield();
    co_sleep(1);
    uninitialised_use(numbers);
    return NULL;
}

static void uninitialised(void) { run_with_a_sum(uninitialised_body); }

static void test_uninitialised_value_in_a_task_is_reported(void **state) {
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
        co_sched_yield();
    }
    pthread_barrier_wait(&counted);
    return arg;
}

static void *counting_thread(void *arg) {
    co_run(counts_body, NULL, NULL);
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

static void test_race_of_tasks_is_reported(void **state) {
    (void)state;
    assert_reported_if(WITH_THREAD, race, "data race", "counts_body");
}

/* ---- Leaks ------------------------------------------------------------------------------------------------------- */

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static void *keep_a_pointer(void *arg) {
    char *volatile kept = malloc(100);
    co_sleep_until(CO_NEVER);
    free(kept);
    return arg;
}

static void *keep_a_pointer_in_a_coroutine(void *arg) {
    char *volatile kept = malloc(100);
    co_t *volatile co = co_create(keep_a_pointer, arg);
    co_resume(co, NULL, NULL);
    free(kept);
    return arg;
}

/* Waiting tasks hold pointers, the first one too, and exit comes from a task. */
static void *search_for_leaks(void *arg) {
    char *volatile kept = malloc(100);
    for (int i = 0; i < 20; i++)
        co_spawn(i % 2 == 0 ? keep_a_pointer : keep_a_pointer_in_a_coroutine, NULL);
    co_sched_yield();
    const int found = &__lsan_do_recoverable_leak_check != NULL ? __lsan_do_recoverable_leak_check() : 0;
    if (found != 0 || kept == NULL)
        _exit(1);
    exit(0);
    return arg;
}

static void exit_in_a_task(void) { co_run(search_for_leaks, NULL, NULL); }

static void test_pointers_of_waiting_tasks(void **state) {
    (void)state;
    const struct child child = run_in_child(exit_in_a_task);
    assert_exited(&child, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_of_many_tasks),
        cmocka_unit_test(test_thousands_of_tasks),
        cmocka_unit_test(test_memory_of_tasks_is_usable_again),
        cmocka_unit_test(test_overflow_in_a_task_is_reported),
        cmocka_unit_test(test_uninitialised_value_in_a_task_is_reported),
        cmocka_unit_test(test_race_of_tasks_is_reported),
        cmocka_unit_test(test_pointers_of_waiting_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
