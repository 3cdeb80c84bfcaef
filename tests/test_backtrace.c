/* A walk of the stack inside a coroutine two levels deep finds its frames, then its resumers', and ends after main: by
 * backtrace(), by the unwinder and along frame pointers; through both doors, on first and on later resumes, with stacks
 * in both orders and full of garbage; and in deferred calls. It would catch wrong call-frame information or a wrong
 * frame record in co__entry, co__closing and the landings, and a walk that runs off the end.
 *
 * Compiled with: -fno-omit-frame-pointer -fno-optimize-sibling-calls -fasynchronous-unwind-tables */
#include "backtrace.h"

#include <stdio.h>
#include <string.h>

char backtrace_stacks[STACKS][STACK_BYTES];
char *backtrace_main_frame;

static struct scenario scenarios[] = {
    {.name = "inline, resumer lower"},
    {.name = "inline, resumer higher", .resumer_higher = true},
    {.name = "out of line, resumer lower", .out_of_line = true},
    {.name = "out of line, resumer higher", .out_of_line = true, .resumer_higher = true},
};
enum { SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

static const char *const names[] = {"-", "leaf", "inner", "outer", "deferred", "run", "start", "main"};
static const char *const walkers[] = {"backtrace()", "the unwinder", "frame pointers"};
static const char *const places[] = {"on first resumes", "on a later resume of the inner", "on later resumes of both",
                                     "in a deferred call after the return", "in a deferred call while closing"};

/* Up to where main's callers may be: the C library's and _start. */
enum { MOST_CALLERS_OF_MAIN = 4 };

/* The functions of both scenarios, and main, fill the section backtrace_frames. */
static enum function function_of(void *pc) {
    /* A return address may lie behind the last instruction of its function. */
    uintptr_t address = (uintptr_t)pc - 1, nearest = 0;
    enum function found = NONE;
    if (address < (uintptr_t)__start_backtrace_frames || address >= (uintptr_t)__stop_backtrace_frames)
        return NONE;
    for (size_t s = 0; s < SCENARIOS; s++)
        for (enum function f = LEAF; f <= MAIN; f++)
            if (scenarios[s].function[f] <= address && scenarios[s].function[f] > nearest) {
                nearest = scenarios[s].function[f];
                found = f;
            }
    return found;
}

/* The functions of the scenario in a walk, innermost first. */
static size_t functions_in(const struct walk *walk, enum function found[FRAMES]) {
    size_t count = 0;
    for (size_t i = 0; i < walk->frames; i++) {
        enum function f = function_of(walk->pc[i]);
        if (f != NONE)
            found[count++] = f;
    }
    return count;
}

/* Whether `found` is `expected`, in which functions without a frame record may be missing. */
static bool matches(const enum function *found, size_t count, const enum function *expected, unsigned may_be_missing) {
    size_t i = 0;
    for (; *expected != NONE; expected++) {
        if (i < count && found[i] == *expected)
            i++;
        else if ((may_be_missing >> *expected & 1) == 0)
            return false;
    }
    return i == count;
}

static void check(enum walker walker) {
    static const enum function two_deep[] = {LEAF, INNER, OUTER, RUN, START, MAIN, NONE};
    static const enum function returned[] = {DEFERRED, OUTER, RUN, START, MAIN, NONE};
    static const enum function closing[] = {DEFERRED, OUTER, RUN, START, MAIN, NONE};
    for (size_t s = 0; s < SCENARIOS; s++) {
        for (enum place place = FIRST_FIRST; place < PLACES; place++) {
            const struct scenario *scenario = &scenarios[s];
            const struct walk *walk = &scenario->walks[place][walker];
            const enum function *expected = place == RETURNED ? returned : place == CLOSING ? closing : two_deep;
            unsigned may_be_missing = 0;
            /* While yields are refused, the return address in the record of co__entry is not the resumer's. What runs
             * while a coroutine is closed has been called by the unwinder, which keeps no records. */
            if (walker == FRAME_POINTERS && place == CLOSING)
                continue;
            if (walker == FRAME_POINTERS && place == RETURNED)
                may_be_missing |= 1u << OUTER;
            enum function found[FRAMES];
            size_t count = functions_in(walk, found);
            bool right = matches(found, count, expected, may_be_missing);
            size_t callers_of_main = 0;
            while (callers_of_main < walk->frames && function_of(walk->pc[walk->frames - 1 - callers_of_main]) != MAIN)
                callers_of_main++;
            if (right && walk->ended && callers_of_main <= MOST_CALLERS_OF_MAIN)
                continue;
            fprintf(stderr, "%s, %s, %s: %zu frames, the end is %s, %zu callers of main; found", scenario->name,
                    walkers[walker], places[place], walk->frames, walk->ended ? "orderly" : "not orderly",
                    callers_of_main);
            for (size_t i = 0; i < count; i++)
                fprintf(stderr, " %s", names[found[i]]);
            fprintf(stderr, "\n");
            fail();
        }
    }
}

static void skip_without(enum walker walker) {
    if (scenarios[0].walks[FIRST_FIRST][walker].frames == 0)
        skip();
}

static void backtrace_reaches_main(void **state) {
    (void)state;
    skip_without(BACKTRACE);
    check(BACKTRACE);
}

static void the_unwinder_reaches_main(void **state) {
    (void)state;
    skip_without(UNWINDER);
    check(UNWINDER);
}

static void frame_records_reach_main(void **state) {
    (void)state;
    check(FRAME_POINTERS);
}

FRAME int main(void) {
    /* Before cmocka, whose frames need not have a record. */
    backtrace_main_frame = __builtin_frame_address(0);
    for (size_t i = 0; i < SCENARIOS; i++) {
        scenarios[i].function[MAIN] = (uintptr_t)main;
        (scenarios[i].out_of_line ? backtrace_run_out_of_line : backtrace_run_inline)(&scenarios[i]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backtrace_reaches_main),
        cmocka_unit_test(the_unwinder_reaches_main),
        cmocka_unit_test(frame_records_reach_main),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
