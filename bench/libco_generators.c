/* libco's typed generators, consumed by CO_FOR and by CO_NEXT. */
#include "generators.h"

#include <co/itertools.h>

static CO_GENERATOR(numbers, long, (long, n)) {
    for (long i = 0; i < n; i++)
        CO_EMIT(i);
}

static void emit_tree(CO_GEN(long) self, const bench_node_t *node) {
    if (node->left)
        emit_tree(self, node->left);
    CO_EMIT_TO(self, node->value);
    if (node->right)
        emit_tree(self, node->right);
}

static CO_GENERATOR(walk, long, (const bench_node_t *, root)) { emit_tree(CO_SELF, root); }

static CO_GENERATOR(delegating, long, (long, n), (long, depth)) {
    CO_FROM(depth > 1 ? delegating(n, depth - 1) : numbers(n), NULL);
}

/* The pipeline: a generator's items through three helpers, which have no stack. */
static CO_GENERATOR(count, long) {
    for (long i = 0;; i++)
        CO_EMIT(i);
}

static CO_MAP(tripled, long, long, x) { return 3 * x + 1; }

static CO_FILTER(even, long, x) { return x % 2 == 0; }

static CO_GEN(long) piped(long n) { return CO_TAKE(even(tripled(count())), (size_t)n); }

/* ---- By CO_FOR ----------------------------------------------------------------------------------------------- */

static long sum_for(CO_GEN(long) generator) {
    long sum = 0;
    CO_FOR(long, x, generator) sum += x;
    return sum;
}

static long numbers_for(long n) { return sum_for(numbers(n)); }

static long create_for(long n) {
    long sum = 0;
    for (long i = 0; i < n; i++)
        CO_FOR(long, x, numbers(1)) sum += x;
    return sum;
}

static long tree_for(const bench_node_t *root) { return sum_for(walk(root)); }

static long delegate_for(long n, long depth) { return sum_for(delegating(n, depth)); }

static long pipeline_for(long n) { return sum_for(piped(n)); }

const bench_generator_peer_t bench_libco_for_generators = {
    .name = "libco",
    .slowness = 1,
    .numbers = numbers_for,
    .create = create_for,
    .tree = tree_for,
    .delegate = delegate_for,
    .pipeline = pipeline_for,
};

/* ---- By CO_NEXT ---------------------------------------------------------------------------------------------- */

static long sum_next(CO_GEN(long) generator) {
    long sum = 0, x;
    while (CO_NEXT(generator, &x) > 0)
        sum += x;
    CO_GEN_DESTROY(generator);
    return sum;
}

static long numbers_next(long n) { return sum_next(numbers(n)); }

static long create_next(long n) {
    long sum = 0, x;
    for (long i = 0; i < n; i++) {
        CO_GEN(long) generator = numbers(1);
        while (CO_NEXT(generator, &x) > 0)
            sum += x;
        CO_GEN_DESTROY(generator);
    }
    return sum;
}

static long tree_next(const bench_node_t *root) { return sum_next(walk(root)); }

static long delegate_next(long n, long depth) { return sum_next(delegating(n, depth)); }

static long pipeline_next(long n) { return sum_next(piped(n)); }

const bench_generator_peer_t bench_libco_next_generators = {
    .name = "libco_next",
    .slowness = 1,
    .numbers = numbers_next,
    .create = create_next,
    .tree = tree_next,
    .delegate = delegate_next,
    .pipeline = pipeline_next,
};
