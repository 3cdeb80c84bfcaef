/* Peer: the C library's swapcontext. Each switch is a system call, for the signal mask. */
#include "bench.h"

#include <ucontext.h>

static ucontext_t resumer, coroutine;
static uintptr_t handed;

static void body_switch(void) {
    for (;;)
        swapcontext(&coroutine, &resumer);
}

static void body_generator(void) {
    for (uintptr_t i = 0;; i++) {
        handed = i;
        swapcontext(&coroutine, &resumer);
    }
}

static void setup(bench_work_t work, size_t count, const uint32_t *order) {
    (void)count;
    bench_stacks_map(1);
    if (getcontext(&coroutine) != 0)
        bench_fail("getcontext");
    coroutine.uc_stack.ss_sp = bench_stack_base(order[0]);
    coroutine.uc_stack.ss_size = bench_stack_bytes(order[0]);
    coroutine.uc_link = NULL;
    makecontext(&coroutine, work == BENCH_GENERATOR ? body_generator : body_switch, 0);
}

static void teardown(void) { bench_stacks_unmap(); }

static void hot(long n) {
    for (long i = 0; i < n; i++)
        swapcontext(&resumer, &coroutine);
}

static uintptr_t generator(long n) {
    uintptr_t sum = 0;
    for (long i = 0; i < n; i++) {
        swapcontext(&resumer, &coroutine);
        sum += handed;
    }
    return sum;
}

const bench_peer_t bench_swapcontext = {
    .name = "swapcontext",
    .slowness = 50,
    .setup = setup,
    .teardown = teardown,
    .hot = hot,
    .generator = generator,
};
