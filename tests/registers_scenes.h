/* The scenes of test_registers. They need no C library and no cmocka, so that they also run where there is neither. */
#ifndef CO_TEST_REGISTERS_SCENES_H
#define CO_TEST_REGISTERS_SCENES_H

#include "doors.h"

/* What a scene runs with, and the first thing that went wrong in it. */
struct scene {
    const struct door *resumer, *yielder;
    int by_handle;        /* co_yield_from in place of co_yield */
    co_options_t options; /* `flags` may have CO_FPENV; `stack` is needed where nothing can be allocated */
    uint64_t seed;

    const char *fault; /* NULL: nothing went wrong */
    const char *register_name;
    uint64_t expected, found;
};

typedef void (*scene_function)(struct scene *scene);

/* Each fills all registers on both sides of a switch, differently, and compares both after it. */
void scene_resume_and_yield(struct scene *scene);
void scene_throw(struct scene *scene);
void scene_close(struct scene *scene);
void scene_destroy(struct scene *scene);
void scene_no_yield(struct scene *scene);
void scene_refused(struct scene *scene);

#endif
