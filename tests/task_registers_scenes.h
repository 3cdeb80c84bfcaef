/* The scenes of test_task_registers. Like those of test_registers, they need no C library and no cmocka. */
#ifndef CO_TEST_TASK_REGISTERS_SCENES_H
#define CO_TEST_TASK_REGISTERS_SCENES_H

#include "registers_scenes.h"

/* Tasks that nest coroutines in each other and wait at every depth; `options.flags` are those of the tasks, and a seed
 * that is not 0 also shuffles their turns. Each call is made with all registers filled, and they are compared after it.
 * The second does it in a coroutine that runs the scheduler, and the third compares what co_run itself leaves. */
void scene_tasks(struct scene *scene);
void scene_tasks_in_a_coroutine(struct scene *scene);
void scene_around_co_run(struct scene *scene);

#endif
