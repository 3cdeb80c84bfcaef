/* What test_backtrace.c, its walkers and its two scenarios share, and test_task_backtrace.c. */
#ifndef BACKTRACE_H
#define BACKTRACE_H

#include "test.h"

#include <stdbool.h>

/* A function whose frames the test looks for. It keeps a frame, and one range of addresses: gcc does not move the
 * unlikely parts of a function away if the program has chosen its section. Calls in it are no tail calls, since the
 * test is compiled without them. A section with such a name has bounds that the linker tells. */
#if defined(__clang__)
#define FRAME __attribute__((noinline, used, section("backtrace_frames")))
#else
#define FRAME __attribute__((noipa, used, section("backtrace_frames")))
#endif
extern const char __start_backtrace_frames[], __stop_backtrace_frames[];

/* Who walks. */
enum walker { BACKTRACE, UNWINDER, FRAME_POINTERS, WALKERS };

/* Where: two coroutines deep, the resumes of the outer and the inner one being the first or a later one; in a deferred
 * call after the inner body's return, and in one while the outer is being closed. */
enum place { FIRST_FIRST, FIRST_LATER, LATER_LATER, RETURNED, CLOSING, PLACES };

enum { FRAMES = 64 };
struct walk {
    size_t frames;
    bool ended; /* in an orderly way */
    void *pc[FRAMES];
};

enum function { NONE, LEAF, INNER, OUTER, DEFERRED, RUN, START, MAIN };

struct scenario {
    const char *name;
    bool out_of_line;    /* also where the build leaves no choice */
    bool resumer_higher; /* the resumer's stack lies above that of the coroutine it resumes */
    struct walk walks[PLACES][WALKERS];
    uintptr_t function[MAIN + 1];
};

void backtrace_run_inline(struct scenario *scenario);
void backtrace_run_out_of_line(struct scenario *scenario);

/* Stacks that the test supplies, so that it knows where they are. */
enum { STACK_BYTES = 65536, STACKS = 3 };
extern char backtrace_stacks[STACKS][STACK_BYTES];

/* main's frame, at which a walk along frame pointers ends. */
extern char *backtrace_main_frame;

void backtrace_walk(struct walk walks[WALKERS]);

#endif
