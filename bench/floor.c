/* The floor: the bare inline switch of floor_switch.h, and nothing else. */
#include "floor_switch.h"

#include <stdlib.h>

static void body_switch(block_t *self, void *value) {
    (void)value;
    for (;;)
        floor_yield(self, NULL);
}

static void body_generator(block_t *self, void *value) {
    (void)value;
    for (uintptr_t i = 0;; i++)
        floor_yield(self, (void *)i);
}

static block_t **blocks;
static size_t blocks_count;

static void setup(bench_work_t work, size_t count, const uint32_t *order) {
    bench_stacks_map(count);
    blocks = bench_alloc(count, sizeof *blocks);
    blocks_count = count;
    for (size_t i = 0; i < count; i++) {
        block_t *block = bench_stack_top_block(order[i], sizeof *block);
        void (*body)(block_t *, void *) = work == BENCH_GENERATOR ? body_generator : body_switch;
        floor_fresh(block, body);
        if (work == BENCH_SWITCH)
            floor_resume(block, NULL);
        blocks[i] = block;
    }
}

static void teardown(void) {
    free(blocks);
    bench_stacks_unmap();
}

static void hot(long n) {
    block_t *block = blocks[0];
    for (long i = 0; i < n; i++)
        floor_resume(block, NULL);
}

static void cold(long n) {
    for (size_t i = 0; n > 0; n--) {
        floor_resume(blocks[i], NULL);
        if (++i == blocks_count)
            i = 0;
    }
}

static uintptr_t generator(long n) {
    block_t *block = blocks[0];
    uintptr_t sum = 0;
    for (long i = 0; i < n; i++)
        sum += (uintptr_t)floor_resume(block, NULL);
    return sum;
}

const bench_peer_t bench_floor = {
    .name = "floor",
    .slowness = 1,
    .setup = setup,
    .teardown = teardown,
    .hot = hot,
    .cold = cold,
    .generator = generator,
};
