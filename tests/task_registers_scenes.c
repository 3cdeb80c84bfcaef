/* task_registers_scenes.h says what this is. */
#include "task_registers_scenes.h"

#include <co/sched.h>

#include "registers.h"

enum { TASKS = 6, LEVELS = 3, ROUNDS = 20, STACK_BYTES = 65536 };

/* A coroutine of a task; the first is the task itself. */
struct level {
    struct scene *scene;
    struct level *above; /* NULL: the innermost */
    co_t *co;
    uint64_t seed;
    struct registers before, after;
    unsigned compared;
};

static struct level levels[TASKS][LEVELS];
static _Alignas(16) unsigned char stacks[TASKS][LEVELS][STACK_BYTES], first_stack[STACK_BYTES],
    runner_stack[STACK_BYTES];

static void expect(struct scene *scene, const char *what, const char *name, uint64_t expected, uint64_t found) {
    if (expected == found || scene->fault != NULL)
        return;
    scene->fault = what;
    scene->register_name = name;
    scene->expected = expected;
    scene->found = found;
}

/* Calls the function with all registers filled. Control state, which tasks share, stays as it is. */
static int call(struct level *level, const char *what, registers_function function, uintptr_t a) {
    for (uint64_t i = 0; i < registers_count; i++) {
        level->seed = level->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's MMIX */
        level->before.word[i] = (level->seed & registers_rows[i].mask) | registers_rows[i].set;
    }
    registers_store_control(&level->before);
    const int result = (int)registers_around(&level->before, &level->after, function, a, 0, 0);
    for (uint64_t i = 0; i < registers_count; i++) {
        const struct registers_row *row = &registers_rows[i];
        expect(level->scene, what, row->name, level->before.word[i] & row->mask, level->after.word[i] & row->mask);
    }
    level->compared++;
    return result;
}

static void block(struct level *level) {
    struct scene *scene = level->scene;
    const uintptr_t ns = 1 + level->seed % 3;
    int status = call(level, "over co_sched_yield", (registers_function)co_sched_yield, 0);
    expect(scene, "co_sched_yield", "its result", 0, (uint64_t)status);
    status = call(level, "over co_sleep", (registers_function)co_sleep, ns);
    expect(scene, "co_sleep", "its result", 0, (uint64_t)status);
}

static void yield(struct level *level) {
    const struct door *door = level->scene->yielder;
    if (level->scene->by_handle)
        call(level, "over a yield by handle", (registers_function)door->yield_from, (uintptr_t)level->co);
    else
        call(level, "over a yield", (registers_function)door->yield, 0);
}

/* Whoever has something above itself resumes it until it returns, and blocks itself after each of its yields. */
static void *act(void *argument) {
    struct level *level = argument;
    for (unsigned round = 0; level->above != NULL || round < ROUNDS; round++) {
        block(level);
        if (level->above != NULL && call(level, "over a resume", (registers_function)level->scene->resumer->resume,
                                         (uintptr_t)level->above->co) == CO_RETURNED)
            break;
        yield(level);
    }
    return NULL;
}

/* Task i nests i % LEVELS deep. */
static void *spawn_all(void *argument) {
    struct scene *scene = argument;
    struct level joiner = {.scene = scene, .seed = scene->seed};
    unsigned compared = 0;
    for (unsigned i = 0; i < TASKS; i++) {
        for (unsigned j = 0; j <= i % LEVELS; j++) {
            struct level *level = &levels[i][j];
            co_options_t options = {.stack = stacks[i][j], .stack_bytes = STACK_BYTES};
            options.flags = j == 0 ? scene->options.flags : 0;
            *level = (struct level){.scene = scene, .seed = scene->seed + 100 * i + j};
            level->above = j < i % LEVELS ? level + 1 : NULL;
            level->co = j == 0 ? co_spawn_with(&options, act, level) : co_create_with(&options, act, level);
            if (level->co == NULL) {
                expect(scene, "co_spawn_with", "its result", 1, 0);
                return NULL;
            }
        }
    }
    for (unsigned i = 0; i < TASKS; i++) {
        call(&joiner, "over co_sched_yield", (registers_function)co_sched_yield, 0);
        expect(scene, "co_join", "its result", 0, (uint64_t)co_join(levels[i][0].co, NULL, CO_NEVER));
        for (unsigned j = 0; j <= i % LEVELS; j++) {
            compared += levels[i][j].compared;
            if (j != 0)
                expect(scene, "co_destroy", "its result", 0, (uint64_t)co_destroy(levels[i][j].co));
        }
    }
    expect(scene, "calls", "enough", 1, compared > TASKS * ROUNDS * 3);
    return argument;
}

static int run(struct scene *scene) {
    const co_options_t first = {.stack = first_stack, .stack_bytes = STACK_BYTES};
    co_run_options_t options = {.flags = CO_RUN_VIRTUAL_CLOCK, .seed = scene->seed, .first = &first};
    options.flags |= scene->seed != 0 ? CO_RUN_SEEDED : 0;
    return co_run_with(&options, spawn_all, scene, NULL);
}

void scene_tasks(struct scene *scene) { expect(scene, "co_run_with", "its result", 0, (uint64_t)run(scene)); }

static void *run_here(void *scene) {
    scene_tasks(scene);
    return scene;
}

void scene_tasks_in_a_coroutine(struct scene *scene) {
    const co_options_t options = {.stack = runner_stack, .stack_bytes = STACK_BYTES};
    struct level caller = {.scene = scene, .seed = scene->seed, .co = co_create_with(&options, run_here, scene)};
    if (caller.co == NULL) {
        expect(scene, "co_create_with", "its result", 1, 0);
        return;
    }
    const int status = call(&caller, "over a resume", (registers_function)scene->resumer->resume, (uintptr_t)caller.co);
    expect(scene, "a resume", "its result", CO_RETURNED, (uint64_t)status);
    expect(scene, "co_destroy", "its result", 0, (uint64_t)co_destroy(caller.co));
}

void scene_around_co_run(struct scene *scene) {
    struct level caller = {.scene = scene, .seed = scene->seed};
    const int status = call(&caller, "over co_run", (registers_function)run, (uintptr_t)scene);
    expect(scene, "co_run_with", "its result", 0, (uint64_t)status);
}
