/* Calls made in coroutines and generators nested in each other: blocking calls must work wherever a task executes. */
#ifndef CO_TEST_DEPTH_H
#define CO_TEST_DEPTH_H

#include "support.h"

#include <co/gen.h>

struct depth {
    int levels;
    void (*fn)(void *arg);
    void *arg;
};

static void depth_enter(struct depth depth);

static CO_GENERATOR(depth_generator, int, (struct depth, depth)) {
    CO_EMIT(1);
    depth_enter(depth);
    CO_EMIT(2);
}

static void *depth_coroutine(void *arg) {
    depth_enter(*(const struct depth *)arg);
    return arg;
}

static void depth_enter(struct depth depth) {
    if (depth.levels-- == 0) {
        depth.fn(depth.arg);
    } else if (depth.levels % 2 == 1) {
        int sum = 0;
        CO_FOR(int, item, depth_generator(depth)) {
            sum += item;
        }
        assert_int_equal(sum, 3);
    } else {
        void *result = NULL;
        co_t *co = co_create(depth_coroutine, &depth);
        assert_non_null(co);
        assert_int_equal(co_resume(co, NULL, &result), CO_RETURNED);
        assert_ptr_equal(result, &depth);
        assert_int_equal(co_destroy(co), 0);
    }
}

/* Calls fn(arg) `levels` deep; 0: right here. */
static inline void at_depth(int levels, void (*fn)(void *arg), void *arg) {
    const struct depth depth = {levels, fn, arg};
    depth_enter(depth);
}

#endif
