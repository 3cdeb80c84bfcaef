/* Peer: a bare switch that is a function: the measure for libco's out-of-line door. Nothing is checked or kept. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

typedef struct block {
    void *coroutine, *resumer; /* stack pointers */
} block_t;

/* bare_out_of_line.S. Saves the callee-saved registers on this stack and its pointer in *save, and goes on where the
 * stack `enter` was left; there, `value` is what comes back. On a fresh stack, bare_start takes the lowest word for the
 * function to call and the next one for its argument. BARE_FRAME_BYTES is what a switch keeps on the stack. */
extern void *bare_switch(void **save, void *enter, void *value);
extern void *bare_fresh(void *top, void (*entry)(block_t *), block_t *argument);

static void body_switch(block_t *self) {
    for (;;)
        bare_switch(&self->coroutine, self->resumer, NULL);
}

static void body_generator(block_t *self) {
    for (uintptr_t i = 0;; i++)
        bare_switch(&self->coroutine, self->resumer, (void *)i);
}

static block_t **blocks;
static size_t blocks_count;

static void setup(bench_work_t work, size_t count, const uint32_t *order) {
    bench_stacks_map(count);
    blocks = bench_alloc(count, sizeof *blocks);
    blocks_count = count;
    for (size_t i = 0; i < count; i++) {
        block_t *block = bench_stack_top_block(order[i], sizeof *block);
        block->coroutine = bare_fresh(block, work == BENCH_GENERATOR ? body_generator : body_switch, block);
        if (work == BENCH_SWITCH)
            bare_switch(&block->resumer, block->coroutine, NULL);
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
        bare_switch(&block->resumer, block->coroutine, NULL);
}

static void cold(long n) {
    for (size_t i = 0; n > 0; n--) {
        bare_switch(&blocks[i]->resumer, blocks[i]->coroutine, NULL);
        if (++i == blocks_count)
            i = 0;
    }
}

static uintptr_t generator(long n) {
    block_t *block = blocks[0];
    uintptr_t sum = 0;
    for (long i = 0; i < n; i++)
        sum += (uintptr_t)bare_switch(&block->resumer, block->coroutine, NULL);
    return sum;
}

const bench_peer_t bench_bare_out_of_line = {
    .name = "bare_out_of_line",
    .slowness = 1,
    .setup = setup,
    .teardown = teardown,
    .hot = hot,
    .cold = cold,
    .generator = generator,
};
