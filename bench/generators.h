/* What the workloads for typed generators want of each implementation; generators.c runs them.
 *
 * As in bench.h the loops are inside, one call per repetition. All begin with making their generators and end with
 * destroying them, and return the sum of the items, which the driver checks. */
#ifndef BENCH_GENERATORS_H
#define BENCH_GENERATORS_H

#include "bench.h"
#include "programs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The tree: 2^20 nodes, balanced. They lie in memory in the order in which recursion builds them, and a walk comes to
 * them, so that it waits for memory as little as can be. */
typedef struct bench_node {
    struct bench_node *left, *right;
    long value;
} bench_node_t;

enum { BENCH_TREE_NODES = 1 << 20 };

typedef struct bench_generator_peer {
    const char *name;
    long slowness;                  /* it runs n / slowness */
    int passes_on;                  /* through a chain of delegations an item goes level by level */
    const bench_program_t *program; /* an interpreter: it does the work, and the functions below are NULL */

    /* NULL: not measured. */
    long (*numbers)(long n);                /* 0, 1, ... n - 1, by one generator */
    long (*create)(long n);                 /* n generators of the one item 0, each iterated to its end */
    long (*tree)(const bench_node_t *root); /* in order, by recursion */
    long (*delegate)(long n, long depth);   /* `numbers` through that many generators that do nothing but delegate */
    long (*pipeline)(long n); /* 0, 1, ... without end, mapped to 3 x + 1, of these the even ones, of these
                                 the first n */
} bench_generator_peer_t;

extern const bench_generator_peer_t bench_floor_generators, bench_libco_for_generators, bench_libco_next_generators,
    bench_callback_generators, bench_cxx20_generators, bench_boost_generators;

/* Names, for the command line; NULL after the last. */
enum { BENCH_GENERATOR_WORKLOADS = 7 };
const char *bench_generator_workload_name(size_t w);
const char *bench_generator_peer_name(size_t p);

/* Runs the workloads that are marked; `only` NULL: every peer. */
void bench_generators_run(const int *chosen, long n, long reps, const char *only);

#ifdef __cplusplus
}
#endif

#endif
