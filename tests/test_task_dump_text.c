/* co_dump: names, places and times that break the table; errors of writing that are not told; memory that it takes.
 *
 * Compiled with: -Wl,-wrap=malloc,-wrap=calloc,-wrap=realloc -Wno-unused-command-line-argument */
#define _GNU_SOURCE
#include "memory.h"
#include "task_look.h"

#include <pthread.h>
#include <time.h>

static int allocations; /* by the library */

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

UNINSTRUMENTED void *__wrap_malloc(size_t bytes) {
    allocations++;
    return __real_malloc(bytes);
}

UNINSTRUMENTED void *__wrap_calloc(size_t count, size_t bytes) {
    allocations++;
    return __real_calloc(count, bytes);
}

UNINSTRUMENTED void *__wrap_realloc(void *memory, size_t bytes) {
    allocations++;
    return __real_realloc(memory, bytes);
}

static void test_outside(void **state) {
    (void)state;
    assert_int_equal(co_dump(NULL), -EINVAL);
    assert_string_equal(dumped(), "libco: no tasks: this thread is not in co_run\n");
}

/* ---- Names, sites, times ----------------------------------------------------------------------------------------- */

static void *with_names(void *arg) {
    static const struct {
        const char *name, *told;
    } names[] = {
        {"a \"quoted\" one", " \"a \"quoted\" one\" "},
        {"line\nline\ttab\x7f\x1b[31m", " \"line?line?tab??[31m\" "},
        {"", " \"\" "},
        {"0123456789012345678901234567890123456789", " \"01234567890123456789012345678901...\" "},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", " \"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\" "},
        {"\xff\xfe", " \"\xff\xfe\" "},
    };
    enum { COUNT = sizeof names / sizeof names[0] };
    co_t *tasks[COUNT];
    for (int i = 0; i < COUNT; i++)
        tasks[i] = spawn_named(names[i].name, ends_at_once, NULL);
    (void)dumped_normalized();
    int lines = 0;
    for (const char *at = capture.text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 2 + 1 + COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_non_null(strstr(capture.text, names[i].told));
        assert_int_equal(co_join(tasks[i], NULL, CO_NEVER), 0);
    }
    return arg;
}

static void test_names(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, with_names, NULL), 0);
}

/* Where the n-th character of a line begins. */
static const char *character(const char *line, size_t n) {
    for (; n > 0 || ((unsigned char)*line & 0xc0) == 0x80; line++)
        n -= ((unsigned char)line[1] & 0xc0) != 0x80 && n > 0;
    return line;
}

static size_t characters(const char *from, const char *to) {
    size_t count = 0;
    for (; from < to; from++)
        count += ((unsigned char)*from & 0xc0) != 0x80;
    return count;
}

static void *with_wide_cells(void *arg) {
    static const int64_t long_time = 123456789;
    const struct at_depth deep = {10, sleep_for_ever, NULL};
    co_t *tasks[] = {spawn_named("\xc3\xa4\xc3\xb6\xc3\xbc", sleeper, (void *)(uintptr_t)&long_time),
                     spawn_named("a much longer name", body_at_depth, (void *)(uintptr_t)&deep),
                     spawn_named(NULL, joins, co_task())}; /* the last is refused that */
    yield_turns(1);
    co_cancel(tasks[1]);
    (void)dumped();
    const char *titles = strchr(capture.text, '\n') + 1;
    const size_t site = characters(titles, strstr(titles, "spawned"));
    const size_t name = characters(titles, strstr(titles, "name")), told = characters(titles, strstr(titles, "state"));
    int lines = 0;
    for (const char *line = strchr(titles, '\n') + 1; *line != '\0'; line = strchr(line, '\n') + 1, lines++) {
        assert_memory_equal(character(line, site), "at here.c:", 10);
        assert_memory_equal(character(line, site - 2), "  ", 2);
        assert_memory_equal(character(line, name - 2), "  ", 2);
        assert_memory_equal(character(line, told - 2), "  ", 2);
        assert_true(*character(line, name) != ' ' && *character(line, told) != ' ');
    }
    assert_int_equal(lines, 4);
    for (int i = 0; i < 3; i++)
        assert_int_equal(co_join(tasks[i], NULL, CO_NEVER), 0);
    return arg;
}

static void test_alignment(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, with_wide_cells, NULL), 0);
}

static void *without_sites(void *arg) {
    char site[600];
    memset(site, 'x', sizeof site);
    memcpy(site + sizeof site - 9, "/end.c:9", 9);
    co_t *none = (co_spawn)(ends_at_once, NULL);
    co_t *given = co_spawn_at(site, ends_at_once, NULL);
    co_t *here = co_spawn(ends_at_once, NULL);
    char line_of_here[512];
    snprintf(line_of_here, sizeof line_of_here, "at %s:%d\n", __FILE__, __LINE__ - 2);
    (void)dumped();
    assert_non_null(strstr(capture.text, "  in "));
    assert_non_null(strstr(capture.text, "at ...xxxx"));
    assert_non_null(strstr(capture.text, "xxxx/end.c:9\n"));
    assert_non_null(strstr(capture.text, line_of_here));
    assert_int_equal(co_join(none, NULL, CO_NEVER), 0);
    assert_int_equal(co_join(given, NULL, CO_NEVER), 0);
    assert_int_equal(co_join(here, NULL, CO_NEVER), 0);
    return arg;
}

static void test_sites(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, without_sites, NULL), 0);
}

static void *with_times(void *arg) {
    static const struct {
        int64_t ns;
        const char *told;
    } times[] = {{1, "+1 ns "},
                 {999, "+999 ns "},
                 {1000, "+1 us "},
                 {1001, "+1.001 us "},
                 {20000000, "+20 ms "},
                 {1500000, "+1.5 ms "},
                 {1059999, "+1.059 ms "},
                 {INT64_C(3600000000000), "+3600 s "},
                 {CO_NEVER - 1, "+9223372036.854 s "}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        co_t *task = spawn_named("sleeping", sleeper, (void *)(uintptr_t)&times[i].ns);
        yield_turns(1);
        (void)dumped();
        assert_non_null(strstr(capture.text, times[i].told));
        co_cancel(task);
        assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
    }
    return arg;
}

static void test_times(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, with_times, NULL), 0);
}

/* The scheduler's thread sleeps for some time, until another one wakes `waiting`, which begins another wait, and then
 * the first task, which looks. */
static struct {
    co_t *first, *waiting;
    int64_t woken; /* not after the second wait began */
} idle;

static int64_t monotonic(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *wake_both(void *arg) {
    const struct timespec some = {.tv_nsec = 50 * 1000 * 1000};
    (void)nanosleep(&some, NULL);
    idle.woken = monotonic();
    (void)co_unpark(idle.waiting);
    (void)co_unpark(idle.first);
    return arg;
}

static void *wait_twice(void *arg) {
    assert_int_equal(co_park(CO_NEVER), 0);
    assert_int_equal(co_sleep_until(CO_NEVER), -ECANCELED);
    return arg;
}

static void *look_after_an_idle_time(void *arg) {
    pthread_t thread;
    double told;
    char unit[4];
    idle.first = co_task();
    idle.waiting = co_spawn(wait_twice, NULL);
    assert_int_equal(pthread_create(&thread, NULL, wake_both, NULL), 0);
    assert_int_equal(co_park(CO_NEVER), 0);
    assert_int_equal(co_sched_yield(), 0);
    const char *cell = strstr(dumped(), "waiting  sleep");
    assert_non_null(cell);
    assert_int_equal(sscanf(cell, "waiting sleep %lf %3s", &told, unit), 2);
    const double ns = told * (unit[0] == 's' ? 1e9 : unit[0] == 'm' ? 1e6 : unit[0] == 'u' ? 1e3 : 1);
    assert_true(ns <= (double)(monotonic() - idle.woken));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(co_cancel(idle.waiting), 0);
    assert_int_equal(co_join(idle.waiting, NULL, CO_NEVER), 0);
    return arg;
}

/* A wait that is said to have begun before the thread slept. */
static void test_wait_after_an_idle_time(void **state) {
    (void)state;
    assert_int_equal(co_run(look_after_an_idle_time, NULL, NULL), 0);
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static void *write_errors(void *arg) {
    struct limited limited;
    const size_t bytes = strlen(dumped());
    for (size_t limit = 0; ERRORS_ARE_TOLD && limit < bytes; limit += 7)
        for (int buffering = 0; buffering < 2; buffering++) {
            FILE *file = limited_open(&limited, limit, buffering == 0 ? _IONBF : _IOFBF);
            errno = EXDEV;
            assert_int_equal(co_dump(file), -ENOSPC);
            assert_int_equal(errno, EXDEV);
            assert_true(ferror(file));
            (void)fclose(file);
        }
    FILE *file = limited_open(&limited, bytes, _IOFBF);
    assert_int_equal(co_dump(file), 0);
    assert_int_equal(fclose(file), 0);
    file = fopen("/dev/full", "w");
    if (file != NULL) {
        assert_int_equal(co_dump(file), -ENOSPC);
        (void)fclose(file);
    }
    file = fopen("/dev/null", "r");
    assert_int_equal(co_dump(file), ERRORS_ARE_TOLD ? -EBADF : -EIO); /* which musl says of it */
    (void)fclose(file);
    return arg;
}

static void test_errors_of_writing(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, write_errors, NULL), 0);
    (void)write_errors(NULL); /* outside */
}

/* It is to work where memory has run out. */
static void *without_memory(void *arg) {
    co_t *tasks[100];
    for (int i = 0; i < 100; i++)
        tasks[i] = spawn_named("one of many", ends_at_once, NULL);
    static char buffer[BUFSIZ]; /* which the C library would allocate, and in a static program by way of our count */
    FILE *file = fopen("/dev/null", "w");
    assert_int_equal(setvbuf(file, buffer, _IOFBF, sizeof buffer), 0);
    const int before = allocations;
    assert_int_equal(co_dump(file), 0);
    assert_int_equal(allocations, before);
    assert_int_equal(fclose(file), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(co_join(tasks[i], NULL, CO_NEVER), 0);
    return arg;
}

static void test_no_allocation(void **state) {
    (void)state;
    const int before = allocations;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, without_memory, NULL), 0);
    if (calls_can_be_intercepted())
        assert_true(allocations > before); /* co_run's own */
}

/* What the header says of the caller's stack, with the address of a caller to describe, which takes most. */
static void *only_dumps(void *file) {
    assert_int_equal(co_dump((FILE *)file), 0);
    return NULL;
}

static void *measured(void *arg) {
    const co_options_t options = {.flags = CO_WATERMARK, .name = "dumps"};
    FILE *file = fopen("/dev/null", "w");
    co_t *task = co_spawn_with(&options, only_dumps, file);
    assert_int_equal(co_sched_yield(), 0);
    if (figures_are_ours())
        assert_in_range(co_stack_used(task), 1, 10 * KIB);
    assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
    assert_int_equal(fclose(file), 0);
    return arg;
}

static void test_stack_of_the_caller(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, measured, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outside),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_alignment),     cmocka_unit_test(test_sites),
        cmocka_unit_test(test_times),         cmocka_unit_test(test_wait_after_an_idle_time),
        cmocka_unit_test(test_no_allocation), cmocka_unit_test(test_errors_of_writing),
        cmocka_unit_test(test_stack_of_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
