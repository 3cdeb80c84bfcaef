/* co_dump: a task that is missing, or told wrongly, in every state and at every depth. test_task_dump_text.c has the
 * rest. */
#define _GNU_SOURCE
#include "memory.h"
#include "task_look.h"

#include <co/group.h>

#define TITLES "task name state on for depth stack marks spawned\n"
#define FIRST_RUNS " 1 \"first\" running - - 0 #/128 KiB - at here.c:1\n"

/* ---- States ------------------------------------------------------------------------------------------------------ */

static void yield_for_ever(void *arg) {
    const bool *go_on = (const bool *)arg;
    while (*go_on)
        co_sched_yield();
}

static void *every_state(void *arg) {
    static const int64_t shortly = 2500, later = 5000;
    bool go_on = true;
    const struct at_depth yields = {0, yield_for_ever, &go_on}, deep = {10, sleep_for_ever, NULL};
    assert_string_equal(dumped_normalized(), "libco: 1 task: 1 running\n" TITLES FIRST_RUNS);
    co_t *ended = spawn_named("ended", ends_at_once, NULL);
    co_t *sleeping = spawn_named("sleeping", sleeper, (void *)(uintptr_t)&later);
    co_t *joining = spawn_named("joining", joins, sleeping);
    co_t *parked = spawn_named(NULL, parks, (void *)(uintptr_t)&later);
    co_t *nested = spawn_named("nested", body_at_depth, (void *)(uintptr_t)&deep);
    yield_turns(1);
    assert_int_equal(co_sleep(shortly), 0); /* nobody may be able to go on, or the clock stands still */
    co_t *ready = spawn_named("ready", body_at_depth, (void *)(uintptr_t)&yields);
    yield_turns(1);
    co_t *fresh = spawn_named("new", ends_at_once, NULL);
    assert_string_equal(dumped_normalized(),
                        "libco: 8 tasks: 1 running, 1 ready, 1 new, 4 waiting, 1 ended\n" TITLES FIRST_RUNS
                        " 2 \"ended\" ended - - - -/128 KiB - at here.c:7\n"
                        " 3 \"sleeping\" waiting sleep until +2.5 us 2.5 us 0 #/128 KiB - at here.c:7\n"
                        " 4 \"joining\" waiting join task 3 \"sleeping\" 2.5 us 0 #/128 KiB - at here.c:7\n"
                        " 5 - waiting park until +2.5 us 2.5 us 0 #/128 KiB - at here.c:7\n"
                        " 6 \"nested\" waiting sleep 2.5 us 10 \"innermost\" #/128 KiB - at here.c:7\n"
                        " 7 \"ready\" ready - - 0 #/128 KiB - at here.c:7\n"
                        " 8 \"new\" new - - 0 #/128 KiB - at here.c:7\n");
    go_on = false;
    co_cancel(nested);
    co_t *all[] = {ended, joining, parked, ready, nested, fresh};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        assert_int_equal(co_join(all[i], NULL, CO_NEVER), 0);
    assert_string_equal(dumped_normalized(), "libco: 1 task: 1 running\n" TITLES FIRST_RUNS);
    return arg;
}

static void test_every_state(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, every_state, NULL), 0);
}

static void *every_mark(void *arg) {
    static const int64_t never = CO_NEVER;
    co_t *cancelled = spawn_named("a", ends_at_once, NULL);
    co_t *detached = spawn_named("b", parks, (void *)(uintptr_t)&never);
    yield_turns(1);
    co_t *fresh = spawn_named("c", ends_at_once, NULL);
    assert_int_equal(co_detach(detached), 0);
    assert_int_equal(co_cancel(fresh), 0);
    assert_int_equal(co_cancel(co_task()), 0);
    assert_int_equal(co_shield(), 0);
    assert_string_equal(dumped_normalized(), "libco: 4 tasks: 1 running, 1 new, 1 waiting, 1 ended\n" TITLES
                                             " 1 \"first\" running - - 0 #/128 KiB cancelled,shielded at here.c:1\n"
                                             " 2 \"a\" ended - - - -/128 KiB - at here.c:7\n"
                                             " 3 \"b\" waiting park 0 ns 0 #/128 KiB detached at here.c:7\n"
                                             " 4 \"c\" new - - 0 #/128 KiB cancelled at here.c:7\n");
    assert_int_equal(co_join(cancelled, NULL, CO_NEVER), 0);
    assert_int_equal(co_join(fresh, NULL, CO_NEVER), 0);
    assert_int_equal(co_unpark(detached), 0);
    return arg;
}

static void test_every_mark(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, every_mark, NULL), 0);
}

static void *fails(void *arg) {
    (void)arg;
    return co_fail(EIO);
}

/* NULL: the first task is not marked as cancelled. */
static const char *first_marks(void) { return strstr(dumped_normalized(), " cancelled at here.c:1\n"); }

/* The owner of a group that has failed, and that somebody has cancelled too. */
static void *cancelled_in_each_way(void *arg) {
    co_group_t group;
    assert_int_equal(co_group_open(&group), 0);
    assert_non_null(co_group_spawn(&group, fails, NULL));
    assert_null(first_marks());
    yield_turns(1);
    assert_int_equal(co_cancelled(), 1);
    assert_non_null(first_marks());
    assert_int_equal(co_cancel(co_task()), 0);
    assert_non_null(first_marks());
    assert_int_equal(co_group_wait(&group, CO_NEVER), -EIO);
    assert_non_null(first_marks());
    return arg;
}

static void test_cancelled_in_each_way(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, cancelled_in_each_way, NULL), 0);
}

/* In a deadlock tasks are cut off from the coroutines that they have resumed: nobody may follow them. */
static void dump_while_closing(void *arg) {
    (void)arg;
    if (strstr(capture.text, "closing") == NULL)
        (void)dumped_normalized();
}

static void defer_and_wait(void *arg) {
    assert_int_equal(co_defer(dump_while_closing, NULL), 0);
    sleep_for_ever(arg);
}

static void *two_deep_ones(void *arg) {
    const struct at_depth deep = {10, defer_and_wait, NULL};
    co_t *other = spawn_named("other", body_at_depth, (void *)(uintptr_t)&deep);
    (void)other;
    call_at_depth(&deep);
    return arg;
}

static void test_while_a_deadlock_is_cleared(void **state) {
    (void)state;
    capture.text[0] = '\0';
    assert_int_equal(run_virtually(CO_RUN_QUIET, 0, NULL, NULL, two_deep_ones, NULL), -EDEADLK);
    assert_string_equal(capture.text, "libco: 2 tasks: 1 running, 1 closing\n" TITLES
                                      " 1 \"first\" closing - - - -/128 KiB - at here.c:1\n"
                                      " 2 \"other\" running - - - -/128 KiB - at here.c:7\n");
}

/* ---- Depth and stack --------------------------------------------------------------------------------------------- */

static void dump_here(void *arg) {
    (void)arg;
    (void)dumped_normalized();
}

static void yield_once(void *arg) {
    (void)arg;
    assert_int_equal(co_sched_yield(), 0);
}

static void *every_depth(void *arg) {
    static const int depths[] = {0, 1, 10};
    for (size_t i = 0; i < 3; i++) {
        char expected[3][128];
        const struct at_depth runs = {depths[i], dump_here, NULL};
        const struct at_depth yields = {depths[i], yield_once, NULL}, waits = {depths[i], sleep_for_ever, NULL};
        const char *in = depths[i] == 0 ? "" : " \"innermost\"";
        call_at_depth(&runs);
        snprintf(expected[0], sizeof expected[0], " \"first\" running - - %d%s #/", depths[i], in);
        assert_non_null(strstr(capture.text, expected[0]));
        co_t *ready = spawn_named("ready", body_at_depth, (void *)(uintptr_t)&yields);
        co_t *waiting = spawn_named("waiting", body_at_depth, (void *)(uintptr_t)&waits);
        yield_turns(1);
        (void)dumped_normalized();
        snprintf(expected[1], sizeof expected[1], " \"ready\" ready - - %d%s #/", depths[i], in);
        snprintf(expected[2], sizeof expected[2], " \"waiting\" waiting sleep 0 ns %d%s #/", depths[i], in);
        assert_non_null(strstr(capture.text, expected[1]));
        assert_non_null(strstr(capture.text, expected[2]));
        co_cancel(waiting);
        assert_int_equal(co_join(ready, NULL, CO_NEVER), 0);
        assert_int_equal(co_join(waiting, NULL, CO_NEVER), 0);
    }
    return arg;
}

static void test_every_depth(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, every_depth, NULL), 0);
}

/* KiB in use, of the task whose line contains `name`. */
static long used_by(const char *name) {
    const char *line = strstr(dumped(), name);
    const char *slash = line != NULL ? strchr(line, '/') : NULL;
    if (slash == NULL)
        FAIL("there is no line of %s", name);
    while (slash[-1] >= '0' && slash[-1] <= '9')
        slash--;
    return strtol(slash, NULL, 10);
}

static void call_on_a_large_frame(const struct at_depth *at) {
    const volatile size_t bytes = 50 * KIB; /* a constant might be put on AddressSanitizer's second stack */
    char *volatile large = (char *)__builtin_alloca(bytes);
    large[0] = 1;
    call_at_depth(at);
    large[1] = 2;
}

static void *waits_on_a_large_frame(void *at) {
    call_on_a_large_frame((const struct at_depth *)at);
    return NULL;
}

static void wait_on_a_large_frame(void *arg) {
    const struct at_depth here = {0, sleep_for_ever, arg};
    call_on_a_large_frame(&here);
}

/* The stack is the task's own: that of whom it has resumed is another. */
static void *stacks(void *arg) {
    const struct at_depth below[] = {{0, sleep_for_ever, NULL}, {1, sleep_for_ever, NULL}, {10, sleep_for_ever, NULL}};
    const struct at_depth inside = {1, wait_on_a_large_frame, NULL};
    for (size_t i = 0; i < 3; i++) {
        co_t *task = spawn_named("large", waits_on_a_large_frame, (void *)(uintptr_t)&below[i]);
        yield_turns(1);
        assert_in_range(used_by("\"large\""), 50, 70);
        co_cancel(task);
        assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
    }
    co_t *task = spawn_named("small", body_at_depth, (void *)(uintptr_t)&inside);
    assert_int_equal(used_by("\"small\""), 0);
    yield_turns(1);
    assert_in_range(used_by("\"small\""), 1, 20);
    assert_in_range(used_by("\"first\""), 1, 20);
    co_cancel(task);
    assert_int_equal(co_join(task, NULL, CO_NEVER), 0);
    return arg;
}

static void test_stacks(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, stacks, NULL), 0);
}

static void *with_other_sizes(void *arg) {
    static unsigned char mine[40 * 1024];
    co_t *large = co_spawn_with(&(co_options_t){.stack_bytes = MIB, .name = "large"}, ends_at_once, NULL);
    co_t *own = co_spawn_with(&(co_options_t){.stack = mine, .stack_bytes = sizeof mine}, ends_at_once, NULL);
    (void)dumped_normalized();
    assert_non_null(strstr(capture.text, "#/1024 KiB"));
    assert_non_null(strstr(capture.text, "#/40 KiB"));
    assert_int_equal(co_join(large, NULL, CO_NEVER), 0);
    assert_int_equal(co_join(own, NULL, CO_NEVER), 0);
    return arg;
}

static void test_other_stack_sizes(void **state) {
    (void)state;
    assert_int_equal(run_virtually(0, 0, NULL, NULL, with_other_sizes, NULL), 0);
}

/* ---- Any order --------------------------------------------------------------------------------------------------- */

enum { RANDOM_TASKS = 6 };

static void wait_and_dump(void *arg) {
    for (int64_t i = 1; i <= 3; i++) {
        co_sleep((number_of(arg) * 5 + i * 3) % 4);
        (void)dumped_normalized();
        int all = 0, running = 0, told = 0;
        assert_int_equal(sscanf(capture.text, "libco: %d tasks: %d running", &all, &running), 2);
        for (const char *at = capture.text; (at = strchr(at, '\n')) != NULL; at++)
            told++;
        assert_int_equal(running, 1);
        assert_int_equal(told, all + 2);
        char mine[64];
        snprintf(mine, sizeof mine, " \"%d\" running - - %d ", (int)number_of(arg), (int)number_of(arg) % 3);
        assert_non_null(strstr(capture.text, mine));
    }
}

static void *any_order(void *arg) {
    static const char *const names[RANDOM_TASKS] = {"0", "1", "2", "3", "4", "5"};
    struct at_depth at[RANDOM_TASKS];
    co_t *tasks[RANDOM_TASKS];
    for (int i = 0; i < RANDOM_TASKS; i++) {
        at[i] = (struct at_depth){i % 3, wait_and_dump, value_of(i)};
        tasks[i] = spawn_named(names[i], body_at_depth, &at[i]);
    }
    for (int i = 0; i < RANDOM_TASKS; i++)
        assert_int_equal(co_join(tasks[i], NULL, CO_NEVER), 0);
    return arg;
}

static void test_seeds(void **state) {
    (void)state;
    for (int seed = 0; seed < seeds(); seed++)
        assert_int_equal(run_virtually(CO_RUN_SEEDED, (uint64_t)seed, NULL, NULL, any_order, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state),
        cmocka_unit_test(test_every_mark),
        cmocka_unit_test(test_cancelled_in_each_way),
        cmocka_unit_test(test_while_a_deadlock_is_cleared),
        cmocka_unit_test(test_every_depth),
        cmocka_unit_test(test_stacks),
        cmocka_unit_test(test_other_stack_sizes),
        cmocka_unit_test(test_seeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
