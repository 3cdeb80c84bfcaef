/* Catches a register that is lost when a task gives its turn away or waits: in its own body, by a yield through either
 * door, and in coroutines that it has resumed. Every register that a function must keep is filled with patterns that
 * differ between tasks, levels and calls, and compared after each call. */
#include "test.h"

#include "task_registers_scenes.h"

/* Runs the scene with every combination of doors, both ways to yield, and tasks whose turns begin in C code. */
static void run(scene_function function, uint64_t seed) {
    static const struct door *const doors[] = {&door_inline, &door_out_of_line};
    for (unsigned i = 0; i < 16; i++) {
        struct scene scene = {
            .resumer = doors[i & 1],
            .yielder = doors[i >> 1 & 1],
            .by_handle = (int)(i >> 2 & 1),
            .options = {.flags = (i >> 3) != 0 ? CO_FPENV : 0},
            .seed = seed != 0 ? seed + i : 0,
        };
        function(&scene);
        if (scene.fault != NULL) {
            print_error("%s: %s is 0x%llx and should be 0x%llx (resumed by %s, yielded by %s%s%s)\n", scene.fault,
                        scene.register_name, (unsigned long long)scene.found, (unsigned long long)scene.expected,
                        scene.resumer->name, scene.yielder->name, scene.by_handle ? ", by handle" : "",
                        scene.options.flags != 0 ? ", CO_FPENV" : "");
            fail();
        }
    }
}

/* The short way from task to task, with C code in between every now and then. */
static void test_kept_from_task_to_task(void **state) {
    (void)state;
    run(scene_tasks, 0);
}

/* Every turn begins and ends in C code, and tasks meet in other orders. */
static void test_kept_in_any_order(void **state) {
    (void)state;
    run(scene_tasks, 1000);
}

/* A scheduler that runs inside a coroutine, whose tasks must leave that coroutine's registers alone. */
static void test_kept_in_a_coroutine_that_runs_tasks(void **state) {
    (void)state;
    run(scene_tasks_in_a_coroutine, 0);
}

static void test_kept_by_co_run(void **state) {
    (void)state;
    run(scene_around_co_run, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_from_task_to_task),
        cmocka_unit_test(test_kept_in_any_order),
        cmocka_unit_test(test_kept_in_a_coroutine_that_runs_tasks),
        cmocka_unit_test(test_kept_by_co_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
