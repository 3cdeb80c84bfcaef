/* What test_single_step steps through from task to task: tasks that give their turns away and wait, in their bodies and
 * in a coroutine, by every way into and out of the scheduler's frame, down to a deadlock, in which they are closed. */
#include <co.h>
#include <co/sched.h>
#include <stdlib.h>

enum { STACK_BYTES = 32768, MARKS = 24 };

/* The names are single_step_tasks.py's: two tasks, and a coroutine in the second one. */
_Alignas(64) char stacks[3][STACK_BYTES];
long run_marks[MARKS], first_marks[MARKS], second_marks[MARKS], nested_marks[MARKS];

long call_marked(const long marks[], void *function, void *a, void *b, void *c);

/* Every call of the library that is stepped through goes through call_marked. */
#define CALL(marks, function, a, b, c) ((int)call_marked(marks, (void *)(uintptr_t)(function), a, b, c))

static co_t *nested_co;

static void expect(int found, int expected) {
    if (found != expected)
        abort();
}

/* A frame that is found by its frame pointer, and in which an inline yield, where there are any, gives the turn away.
 */
__attribute__((noinline)) void *yield_beside_an_array(size_t bytes) {
    volatile char *space = __builtin_alloca(bytes);
    space[0] = 1;
    co_yield(NULL);
    return (void *)(uintptr_t)(space[0] == 1);
}

__attribute__((noinline)) void *nested(void *arg) {
    expect(CALL(nested_marks, co_sched_yield, NULL, NULL, NULL), 0);
    CALL(nested_marks, co_yield, NULL, NULL, NULL);
    expect(CALL(nested_marks, co_sched_yield, NULL, NULL, NULL), 0);
    CALL(nested_marks, co_sleep_until, (void *)CO_NEVER, NULL, NULL);
    abort();
    return arg;
}

__attribute__((noinline)) void *second(void *arg) {
    expect(CALL(second_marks, co_resume, nested_co, NULL, NULL), CO_YIELDED);
    CALL(second_marks, co_yield, NULL, NULL, NULL);
    CALL(second_marks, co_yield_from, co_self(), NULL, NULL);
    CALL(second_marks, co_resume, nested_co, NULL, NULL);
    abort();
    return arg;
}

__attribute__((noinline)) void *ends(void *arg) { return arg; }

static co_t *spawn(co_fn fn, int stack) {
    co_options_t options = {.stack = stack < 3 ? stacks[stack] : NULL, .stack_bytes = stack < 3 ? STACK_BYTES : 0};
    co_t *task = co_spawn_with(&options, fn, NULL);
    if (task == NULL)
        abort();
    return task;
}

__attribute__((noinline)) void *first(void *arg) {
    for (int i = 0; i < 3; i++) {
        expect(CALL(first_marks, co_sched_yield, NULL, NULL, NULL), 0);
        CALL(first_marks, co_yield, NULL, NULL, NULL);
        expect(CALL(first_marks, yield_beside_an_array, (void *)100, NULL, NULL), 1);
    }
    expect(CALL(first_marks, co_join, spawn(ends, 3), NULL, (void *)CO_NEVER), 0);
    CALL(first_marks, co_sleep_until, (void *)CO_NEVER, NULL, NULL);
    abort();
    return arg;
}

static void *begin(void *arg) {
    spawn(first, 0);
    spawn(second, 1);
    return arg;
}

__attribute__((noinline)) void run(void) {
    if (CALL(run_marks, co_run, (void *)(uintptr_t)begin, NULL, NULL) == 0)
        abort();
}

int main(void) {
    for (int i = 0; i < MARKS; i++) {
        run_marks[i] = 0x10001 + i;
        first_marks[i] = 0x20001 + i;
        second_marks[i] = 0x30001 + i;
        nested_marks[i] = 0x40001 + i;
    }
    co_options_t options = {.stack = stacks[2], .stack_bytes = STACK_BYTES};
    nested_co = co_create_with(&options, nested, NULL);
    run();
    co_destroy(nested_co);
    return 0;
}
