/* Frames of C code that is compiled without exceptions: no language tables, and yields with one landing only. */
#include <co.h>

/* Of code without -fexceptions gcc concludes, if it sees it together with its callers, that nothing unwinds through it.
 */
#if defined(__clang__)
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noipa))
#endif

void suspend_in_c(int depth, const char *letter);
void call_in_c(void (*fn)(void), const char *letter);
void trace_in_c(void *letter); /* test_closing_through_c.cpp */

/* Frames that differ in size, with a frame pointer in use. */
APART void suspend_in_c(int depth, const char *letter) {
    volatile char local[16 + 16 * depth];
    local[0] = local[15 + 16 * depth] = (char)depth;
    if (depth > 0) {
        suspend_in_c(depth - 1, letter);
    } else {
        if (letter != NULL)
            co_defer(trace_in_c, (void *)(uintptr_t)letter);
        co_yield(NULL);
    }
    local[0] = local[15 + 16 * depth];
}

APART void call_in_c(void (*fn)(void), const char *letter) {
    volatile char local[40];
    local[0] = 1;
    if (letter != NULL)
        co_defer(trace_in_c, (void *)(uintptr_t)letter);
    fn();
    local[0] = local[1];
}
