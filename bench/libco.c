/* libco itself, as co_yield and as co_yield_from. Compiled a second time by libco_out_of_line.c, without inlining. */
#include "bench.h"

#include <co.h>

#include <stdlib.h>

#ifdef BENCH_OUT_OF_LINE
#define PEER bench_libco_out_of_line
#define PEER_FROM bench_libco_out_of_line_from
#define NAME "libco_out_of_line"
#else
#define PEER bench_libco
#define PEER_FROM bench_libco_from
#define NAME "libco"
#endif

static void *body_switch(void *arg) {
    (void)arg;
    for (;;)
        co_yield(NULL);
    return NULL;
}

static void *body_switch_from(void *arg) {
    (void)arg;
    co_t *self = co_self();
    for (;;)
        co_yield_from(self, NULL);
    return NULL;
}

static void *body_generator(void *arg) {
    (void)arg;
    for (uintptr_t i = 0;; i++)
        co_yield((void *)i);
    return NULL;
}

static void *body_generator_from(void *arg) {
    (void)arg;
    co_t *self = co_self();
    for (uintptr_t i = 0;; i++)
        co_yield_from(self, (void *)i);
    return NULL;
}

static co_t **coroutines;
static size_t coroutines_count;

static void make(co_fn body, int start, size_t count, const uint32_t *order) {
    bench_stacks_map(count);
    coroutines = bench_alloc(count, sizeof(co_t *));
    coroutines_count = count;
    for (size_t i = 0; i < count; i++) {
        co_options_t options = {.stack = bench_stack_base(order[i]), .stack_bytes = bench_stack_bytes(order[i])};
        coroutines[i] = co_create_with(&options, body, NULL);
        if (!coroutines[i])
            bench_fail("co_create_with");
        if (start)
            co_resume(coroutines[i], NULL, NULL);
    }
}

static void setup(bench_work_t work, size_t count, const uint32_t *order) {
    make(work == BENCH_GENERATOR ? body_generator : body_switch, work == BENCH_SWITCH, count, order);
}

static void setup_from(bench_work_t work, size_t count, const uint32_t *order) {
    make(work == BENCH_GENERATOR ? body_generator_from : body_switch_from, work == BENCH_SWITCH, count, order);
}

static void teardown(void) {
    for (size_t i = 0; i < coroutines_count; i++)
        co_destroy(coroutines[i]);
    free(coroutines);
    bench_stacks_unmap();
}

static void hot(long n) {
    co_t *coroutine = coroutines[0];
    for (long i = 0; i < n; i++)
        co_resume(coroutine, NULL, NULL);
}

static void cold(long n) {
    for (size_t i = 0; n > 0; n--) {
        co_resume(coroutines[i], NULL, NULL);
        if (++i == coroutines_count)
            i = 0;
    }
}

static uintptr_t generator(long n) {
    co_t *coroutine = coroutines[0];
    uintptr_t sum = 0;
    void *value;
    for (long i = 0; i < n && co_resume(coroutine, NULL, &value) > 0; i++)
        sum += (uintptr_t)value;
    return sum;
}

const bench_peer_t PEER = {
    .name = NAME,
    .slowness = 1,
    .setup = setup,
    .teardown = teardown,
    .hot = hot,
    .cold = cold,
    .generator = generator,
};

const bench_peer_t PEER_FROM = {
    .name = NAME "_from",
    .slowness = 1,
    .setup = setup_from,
    .teardown = teardown,
    .hot = hot,
    .cold = cold,
    .generator = generator,
};
