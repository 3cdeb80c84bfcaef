/* What test_single_step steps through: two coroutines, one resuming the other, by every way through the out-of-line
 * door: first resumes, later ones, co_yield, co_yield_from, a refused yield, the return of a body, and closing. */
#include <co.h>
#include <stdlib.h>

enum { STACK_BYTES = 32768, MARKS = 24 };

/* The names are single_step.py's. */
_Alignas(64) char stacks[2][STACK_BYTES];
int outer_stack;
long run_marks[MARKS], outer_marks[MARKS], inner_marks[MARKS], deferred_marks[MARKS];

long call_marked(const long marks[], void *function, void *a, void *b, void *c);

static co_t *outer_co, *inner_co;

/* Every call of the library that is stepped through goes through call_marked. */
#define CALL(marks, function, a, b, c) call_marked(marks, (void *)(uintptr_t)(function), a, b, c)

#define RESUME(marks, co, expected)                                                                                    \
    do {                                                                                                               \
        void *out;                                                                                                     \
        if ((int)CALL(marks, co_resume, co, NULL, &out) != (expected))                                                 \
            abort();                                                                                                   \
    } while (0)

__attribute__((noinline)) void deferred(void *arg) {
    (void)arg;
    CALL(deferred_marks, co_yield, NULL, NULL, NULL);
    if ((int)CALL(deferred_marks, co_error, NULL, NULL, NULL) == 0)
        abort();
}

__attribute__((noinline)) void *inner(void *arg) {
    CALL(inner_marks, co_defer, (void *)(uintptr_t)deferred, arg, NULL);
    CALL(inner_marks, co_yield, NULL, NULL, NULL);
    CALL(inner_marks, co_yield_from, inner_co, NULL, NULL);
    return arg;
}

__attribute__((noinline)) void *outer(void *arg) {
    RESUME(outer_marks, inner_co, CO_YIELDED);
    CALL(outer_marks, co_yield, NULL, NULL, NULL);
    RESUME(outer_marks, inner_co, CO_YIELDED);
    RESUME(outer_marks, inner_co, -1 /* EPERM: the deferred call has tried to yield */);
    CALL(outer_marks, co_defer, (void *)(uintptr_t)deferred, arg, NULL);
    CALL(outer_marks, co_yield, NULL, NULL, NULL);
    return arg;
}

__attribute__((noinline)) void run(void) {
    RESUME(run_marks, outer_co, CO_YIELDED);
    RESUME(run_marks, outer_co, CO_YIELDED);
    if ((int)CALL(run_marks, co_close, outer_co, NULL, NULL) != -1)
        abort();
}

/* Spares the debugger malloc's instructions. */
static void *allocate(size_t bytes, void *context) {
    static _Alignas(16) char pool[1024];
    static size_t used;
    (void)context;
    used += (bytes + 15) / 16 * 16;
    return used <= sizeof pool ? pool + used - (bytes + 15) / 16 * 16 : NULL;
}

static void release(void *memory, size_t bytes, void *context) { (void)memory, (void)bytes, (void)context; }

static co_t *create(co_fn fn, int stack) {
    static const co_allocator_t allocator = {allocate, release, NULL};
    co_options_t options = {.stack = stacks[stack], .stack_bytes = STACK_BYTES, .allocator = &allocator};
    co_t *co = co_create_with(&options, fn, NULL);
    if (co == NULL)
        abort();
    return co;
}

int main(int argc, char **argv) {
    (void)argv;
    for (int i = 0; i < MARKS; i++) {
        run_marks[i] = 0x10001 + i;
        outer_marks[i] = 0x20001 + i;
        inner_marks[i] = 0x30001 + i;
        deferred_marks[i] = 0x40001 + i;
    }
    outer_stack = argc > 1; /* the resumer's stack lies lower, or with an argument higher */
    outer_co = create(outer, outer_stack);
    inner_co = create(inner, !outer_stack);
    run();
    co_destroy(inner_co);
    co_destroy(outer_co);
    return 0;
}
