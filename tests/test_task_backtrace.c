/* A walk of the stack inside a task, in its own body and two coroutines deeper, finds its frames, then those of whoever
 * has called co_run, and ends after main: by backtrace(), by the unwinder and along frame pointers; before and after
 * the task has waited, and in deferred calls. It would catch wrong call-frame information of co__sched_run and of the
 * landings behind a wait, and a word of a parked coroutine that is not put right.
 *
 * Compiled with: -fno-omit-frame-pointer -fno-optimize-sibling-calls -fasynchronous-unwind-tables */
#include "backtrace.h"

#include <co/sched.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

char backtrace_stacks[STACKS][STACK_BYTES];
char *backtrace_main_frame;

enum {
    BODY_FIRST,
    BODY_LATER,
    DEEP_FIRST,
    DEEP_LATER,
    BODY_LAST,
    AFTER_THE_RETURN,
    CLOSING_DEEP,
    CLOSING_BODY,
    POINTS
};
static struct walk walks[POINTS][WALKERS];

static void spoil(void) {
    volatile char garbage[512];
    memset((char *)garbage, 0xa5, sizeof garbage);
}

/* Another task, which runs while the first one waits. */
static void *interrupt(void *arg) {
    for (int i = 0; i < 10; i++) {
        spoil();
        co_sched_yield();
    }
    return arg;
}

static FRAME void leaf(int point) { backtrace_walk(walks[point]); }

static FRAME void deferred(void *point) {
    backtrace_walk(walks[(uintptr_t)point]);
    spoil();
}

/* A frame in which the turn is given away by an inline yield, and whose frame pointer that yield keeps. */
static FRAME void pause_by_yield(int point) {
    co_yield(NULL);
    leaf(point);
}

static FRAME void *inner(void *arg) {
    leaf(DEEP_FIRST);
    assert_int_equal(co_sched_yield(), 0);
    leaf(DEEP_LATER);
    co_yield(NULL);
    co_defer(deferred, (void *)(uintptr_t)CLOSING_DEEP);
    assert_int_equal(co_sleep_until(CO_NEVER), 0);
    return arg;
}

static co_t *create(co_fn fn, int stack) {
    co_options_t options = {.stack = backtrace_stacks[stack], .stack_bytes = STACK_BYTES};
    co_t *co = co_create_with(&options, fn, NULL);
    assert_non_null(co);
    return co;
}

static FRAME void *outer(void *arg) {
    co_t *co = create(inner, 1);
    assert_int_equal(co_resume(co, NULL, NULL), CO_YIELDED);
    co_yield(co);
    co_resume(co, NULL, NULL);
    return arg;
}

/* The first task. With an argument it never ends. */
static FRAME void *body(void *deadlocks) {
    co_t *co = create(outer, 2), *other = co_spawn(interrupt, NULL);
    leaf(BODY_FIRST);
    assert_int_equal(co_sched_yield(), 0);
    pause_by_yield(BODY_LATER);
    void *nested = NULL;
    assert_int_equal(co_resume(co, NULL, &nested), CO_YIELDED);
    leaf(BODY_LAST);
    assert_int_equal(co_join(other, NULL, CO_NEVER), 0);
    co_defer(deferred, (void *)(uintptr_t)(deadlocks ? CLOSING_BODY : AFTER_THE_RETURN));
    if (deadlocks)
        co_resume(co, NULL, NULL);
    else
        assert_int_equal(co_destroy(nested) + co_destroy(co), 0);
    return NULL;
}

static FRAME void start(bool deadlocks) {
    const co_options_t first = {.stack = backtrace_stacks[0], .stack_bytes = STACK_BYTES};
    const co_run_options_t options = {.first = &first, .flags = CO_RUN_QUIET};
    memset(backtrace_stacks, 0xa5, sizeof backtrace_stacks);
    assert_int_equal(co_run_with(&options, body, deadlocks ? &walks : NULL, NULL), deadlocks ? -EDEADLK : 0);
}

int main(void);
static const struct {
    char letter;
    uintptr_t address;
} functions[] = {
    {'l', (uintptr_t)leaf},  {'d', (uintptr_t)deferred}, {'p', (uintptr_t)pause_by_yield}, {'i', (uintptr_t)inner},
    {'o', (uintptr_t)outer}, {'b', (uintptr_t)body},     {'s', (uintptr_t)start},          {'m', (uintptr_t)main},
};

/* In letters, innermost first; what is not of this file is left out. */
static const char *const expected[POINTS] = {"lbsm", "lpbsm", "liobsm", "liobsm", "lbsm", "dsm", "dism", "dbsm"};
static const char *const points[POINTS] = {"in the body",       "in the body, later",        "two deep",
                                           "two deep, later",   "in the body, after others", "after the return",
                                           "closing, two deep", "closing, in the body"};

/* Up to where main's callers may be: the C library's and _start. */
enum { MOST_CALLERS_OF_MAIN = 4 };

static char letter_of(const void *pc) {
    /* A return address may lie behind the last instruction of its function. */
    const uintptr_t address = (uintptr_t)pc - 1;
    uintptr_t nearest = 0;
    char letter = 0;
    if (address < (uintptr_t)__start_backtrace_frames || address >= (uintptr_t)__stop_backtrace_frames)
        return 0;
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (functions[i].address <= address && functions[i].address > nearest) {
            nearest = functions[i].address;
            letter = functions[i].letter;
        }
    return letter;
}

static void check(enum walker walker) {
    if (walks[BODY_FIRST][walker].frames == 0)
        skip();
    for (int point = 0; point < POINTS; point++) {
        const struct walk *walk = &walks[point][walker];
        char found[FRAMES + 1] = {0};
        size_t count = 0, callers_of_main = 0;
        /* What runs while a coroutine is closed has been called by the unwinder, which keeps no records; and while
         * yields are refused, as after the return, the record of co__entry leads past its resumer. */
        if (walker == FRAME_POINTERS && (point == CLOSING_DEEP || point == CLOSING_BODY))
            continue;
        for (size_t i = 0; i < walk->frames; i++) {
            const char letter = letter_of(walk->pc[i]);
            if (letter != 0)
                found[count++] = letter;
            callers_of_main = letter == 'm' ? walk->frames - 1 - i : callers_of_main;
        }
        if (strcmp(found, expected[point]) == 0 && walk->ended && callers_of_main <= MOST_CALLERS_OF_MAIN)
            continue;
        fprintf(stderr, "%s: %s expected, %s found in %zu frames; the end is %sorderly, %zu callers of main\n",
                points[point], expected[point], found, walk->frames, walk->ended ? "" : "not ", callers_of_main);
        fail();
    }
}

static void backtrace_reaches_main(void **state) {
    (void)state;
    check(BACKTRACE);
}

static void the_unwinder_reaches_main(void **state) {
    (void)state;
    check(UNWINDER);
}

static void frame_records_reach_main(void **state) {
    (void)state;
    check(FRAME_POINTERS);
}

FRAME int main(void) {
    /* Before cmocka, whose frames need not have a record. */
    backtrace_main_frame = __builtin_frame_address(0);
    start(false);
    start(true);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backtrace_reaches_main),
        cmocka_unit_test(the_unwinder_reaches_main),
        cmocka_unit_test(frame_records_reach_main),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
