/* Peer: a call through a function pointer, the cheapest thing a program without coroutines does in their place.
 * A call and its return count as the two switches of a round trip. */
#include "bench.h"

static uintptr_t step(uintptr_t *state) { return (*state)++; }

static uintptr_t nothing(uintptr_t *state) {
    (void)state;
    return 0;
}

static uintptr_t state;

/* Volatile: the compiler must not know what is called. It is read once, before the loop. */
static uintptr_t (*volatile function)(uintptr_t *);

static void setup(bench_work_t work, size_t count, const uint32_t *order) {
    (void)count;
    (void)order;
    state = 0;
    function = work == BENCH_GENERATOR ? step : nothing;
}

static void teardown(void) {}

static void hot(long n) {
    uintptr_t (*call)(uintptr_t *) = function;
    for (long i = 0; i < n; i++)
        call(&state);
}

static uintptr_t generator(long n) {
    uintptr_t (*call)(uintptr_t *) = function;
    uintptr_t sum = 0;
    for (long i = 0; i < n; i++)
        sum += call(&state);
    return sum;
}

const bench_peer_t bench_function_pointer = {
    .name = "function_pointer",
    .slowness = 1,
    .setup = setup,
    .teardown = teardown,
    .hot = hot,
    .generator = generator,
};
