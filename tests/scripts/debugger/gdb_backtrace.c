/* What test_gdb_backtrace looks at: `stop` is reached two coroutines deep, on first and on later resumes, and in
 * deferred calls after a return and while being closed. An argument puts the resumer's stack above the coroutine's. */
#include <co.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_BYTES = 32768 };
static char stacks[2][STACK_BYTES];
static int higher;
static co_t *inner_co;

__attribute__((noinline)) void stop(const char *when) { __asm__ volatile("" : : "r"(when) : "memory"); }

__attribute__((noinline)) void deferred(void *arg) {
    stop(arg);
    co_yield (NULL); /* refused */
    stop("after a refused yield");
    __asm__ volatile(""); /* no tail call */
}

__attribute__((noinline)) void leaf(const char *when) {
    stop(when);
    __asm__ volatile(""); /* no tail call */
}

__attribute__((noinline)) void *inner(void *arg) {
    co_defer(deferred, "deferred, after the return");
    leaf("first resume");
    co_yield (arg);
    leaf("later resume");
    return arg;
}

static co_t *create(co_fn fn, int stack) {
    co_options_t options = {.stack = stacks[stack], .stack_bytes = STACK_BYTES};
    memset(stacks[stack], 0xa5, STACK_BYTES);
    co_t *co = co_create_with(&options, fn, NULL);
    if (co == NULL)
        abort();
    return co;
}

__attribute__((noinline)) void *outer(void *arg) {
    co_resume(inner_co, NULL, NULL);
    co_yield (arg);
    co_resume(inner_co, NULL, NULL);
    co_defer(deferred, "deferred, while closing");
    co_yield (arg);
    return arg;
}

__attribute__((noinline)) void run(void) {
    co_t *outer_co = create(outer, higher);
    inner_co = create(inner, !higher);
    co_resume(outer_co, NULL, NULL);
    co_resume(outer_co, NULL, NULL);
    co_close(outer_co);
}

int main(int argc, char **argv) {
    (void)argv;
    higher = argc > 1;
    run();
    __asm__ volatile("");
    return 0;
}
