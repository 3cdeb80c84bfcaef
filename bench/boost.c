/* Peer: Boost.Context's jump_fcontext, called from C. The declarations are those of
 * boost/context/detail/fcontext.hpp; only the compiled library is needed. */
#include "bench.h"

#include <stdlib.h>

typedef void *fcontext_t;
typedef struct transfer {
    fcontext_t from;
    void *data;
} transfer_t;

extern transfer_t jump_fcontext(fcontext_t to, void *data);
extern fcontext_t make_fcontext(void *stack_top, size_t bytes, void (*entry)(transfer_t));

static fcontext_t *contexts;
static size_t contexts_count;

static void body_switch(transfer_t t) {
    for (;;)
        t = jump_fcontext(t.from, NULL);
}

static void body_generator(transfer_t t) {
    for (uintptr_t i = 0;; i++)
        t = jump_fcontext(t.from, (void *)i);
}

/* A context changes its handle with every jump, and starts with the first one. Starting the generator here would
 * use up its first value, so only the switching body is started. */
static void setup(bench_work_t work, size_t count, const uint32_t *order) {
    bench_stacks_map(count);
    contexts = bench_alloc(count, sizeof *contexts);
    contexts_count = count;
    for (size_t i = 0; i < count; i++) {
        size_t bytes = bench_stack_bytes(order[i]);
        char *top = (char *)bench_stack_base(order[i]) + bytes;
        contexts[i] = make_fcontext(top, bytes, work == BENCH_GENERATOR ? body_generator : body_switch);
        if (work == BENCH_SWITCH)
            contexts[i] = jump_fcontext(contexts[i], NULL).from;
    }
}

static void teardown(void) {
    free(contexts);
    bench_stacks_unmap();
}

static void hot(long n) {
    fcontext_t context = contexts[0];
    for (long i = 0; i < n; i++)
        context = jump_fcontext(context, NULL).from;
    contexts[0] = context;
}

static void cold(long n) {
    for (size_t i = 0; n > 0; n--) {
        contexts[i] = jump_fcontext(contexts[i], NULL).from;
        if (++i == contexts_count)
            i = 0;
    }
}

static uintptr_t generator(long n) {
    fcontext_t context = contexts[0];
    uintptr_t sum = 0;
    for (long i = 0; i < n; i++) {
        transfer_t t = jump_fcontext(context, NULL);
        context = t.from;
        sum += (uintptr_t)t.data;
    }
    contexts[0] = context;
    return sum;
}

const bench_peer_t bench_boost = {
    .name = "boost_jump_fcontext",
    .slowness = 2,
    .setup = setup,
    .teardown = teardown,
    .hot = hot,
    .cold = cold,
    .generator = generator,
};
