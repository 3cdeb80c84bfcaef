/* The workloads for typed generators: the second half of the driver's table, with peers of their own. */
#include "generators.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct workload {
    const char *name;
    enum { NUMBERS, CREATE, TREE, DELEGATE, PIPELINE } kind;
    long depth;
} workload_t;

static const workload_t workloads[] = {
    {"generator_typed", NUMBERS, 0}, {"generator_create", CREATE, 0}, {"tree_walk", TREE, 0},
    {"delegate_1", DELEGATE, 1},     {"delegate_10", DELEGATE, 10},   {"delegate_100", DELEGATE, 100},
    {"pipeline", PIPELINE, 0},
};

/* What the scripts call them. */
static const char *const works[] = {"numbers", "create", "tree", "delegate", "pipeline"};

/* An interpreter's item takes that many times longer. */
static const bench_generator_peer_t cpython = {.name = "cpython",
                                               .slowness = 20,
                                               .passes_on = 1,
                                               .program = &(bench_program_t){"cpython", "python3", "generators.py"}};
static const bench_generator_peer_t lua = {
    .name = "lua", .slowness = 40, .passes_on = 1, .program = &(bench_program_t){"lua", "lua5.4", "generators.lua"}};
static const bench_generator_peer_t luajit = {.name = "luajit",
                                              .slowness = 20,
                                              .passes_on = 1,
                                              .program = &(bench_program_t){"luajit", "luajit", "generators.lua"}};

/* The floor comes first: the summary divides by it. */
static const bench_generator_peer_t *const peers[] = {
    &bench_floor_generators,
    &bench_libco_for_generators,
    &bench_libco_next_generators,
    &bench_callback_generators,
#ifdef BENCH_HAVE_CXX20
    &bench_cxx20_generators,
#endif
#ifdef BENCH_HAVE_BOOST_COROUTINE2
    &bench_boost_generators,
#endif
    &cpython,
    &lua,
    &luajit,
};

enum { WORKLOADS = sizeof workloads / sizeof *workloads, PEERS = sizeof peers / sizeof *peers };

_Static_assert((int)WORKLOADS == (int)BENCH_GENERATOR_WORKLOADS, "generators.h");

/* Creations take tens of nanoseconds at best; interpreters build the tree and wait for their JIT before they begin. */
enum { CREATE_SLOWNESS = 25, INTERPRETER_REPS_MAX = 7 };

const char *bench_generator_workload_name(size_t w) { return w < WORKLOADS ? workloads[w].name : NULL; }

const char *bench_generator_peer_name(size_t p) { return p < PEERS ? peers[p]->name : NULL; }

/* ---- The tree ------------------------------------------------------------------------------------------------ */

static bench_node_t *tree_nodes;
static size_t tree_nodes_built;

static bench_node_t *tree_build(long from, long to) {
    if (from == to)
        return NULL;
    long middle = from + (to - from) / 2;
    bench_node_t *node = &tree_nodes[tree_nodes_built++];
    node->value = middle;
    node->left = tree_build(from, middle);
    node->right = tree_build(middle + 1, to);
    return node;
}

static const bench_node_t *tree(void) {
    static const bench_node_t *root;
    if (!root) {
        tree_nodes = bench_alloc(BENCH_TREE_NODES, sizeof *tree_nodes);
        root = tree_build(0, BENCH_TREE_NODES);
    }
    return root;
}

/* ---- Running ------------------------------------------------------------------------------------------------- */

static int is_measured(const bench_generator_peer_t *peer, const workload_t *w) {
    if (peer->program)
        return 1;
    switch (w->kind) {
    case NUMBERS:
        return peer->numbers != NULL;
    case CREATE:
        return peer->create != NULL;
    case TREE:
        return peer->tree != NULL;
    case DELEGATE:
        return peer->delegate != NULL;
    default:
        return peer->pipeline != NULL;
    }
}

static long work(const bench_generator_peer_t *peer, const workload_t *w, long n) {
    switch (w->kind) {
    case NUMBERS:
        return peer->numbers(n);
    case CREATE:
        return peer->create(n);
    case TREE:
        return peer->tree(tree());
    case DELEGATE:
        return peer->delegate(n, w->depth);
    default:
        return peer->pipeline(n);
    }
}

static long expected(const workload_t *w, long n) {
    switch (w->kind) {
    case CREATE:
        return 0;
    case PIPELINE:
        return 3 * n * (n - 1) + 4 * n; /* 4, 10, 16, ... */
    default:
        return n * (n - 1) / 2;
    }
}

/* One repetition: nanoseconds for n items, below zero if the peer is not there. */
static double repetition(const workload_t *w, const bench_generator_peer_t *peer, long n) {
    double ns;
    long sum;
    if (peer->program) {
        const bench_program_answer_t answer = bench_program_run(peer->program, works[w->kind], n, w->depth);
        if (answer.ns < 0)
            return answer.ns;
        ns = answer.ns;
        sum = (long)answer.sum;
    } else {
        if (w->kind == TREE)
            tree(); /* built outside of what is timed */
        else
            work(peer, w, 1000);
        double began = bench_now_ns();
        sum = work(peer, w, n);
        ns = bench_now_ns() - began;
    }
    if (sum != expected(w, n)) {
        fprintf(stderr, "co_bench: %s: wrong sum\n", peer->name);
        exit(1);
    }
    return ns;
}

static long items(const workload_t *w, const bench_generator_peer_t *peer, long n) {
    if (w->kind == TREE)
        return BENCH_TREE_NODES;
    n /= peer->slowness;
    if (w->kind == CREATE)
        n /= CREATE_SLOWNESS;
    if (peer->passes_on)
        n /= 1 + w->depth / 10;
    return n > 0 ? n : 1;
}

static void run(const workload_t *w, long n_total, long reps, const char *only) {
    static double ns[PEERS][1024];
    long n[PEERS] = {0}, done[PEERS] = {0};
    for (size_t p = 0; p < PEERS; p++)
        if (is_measured(peers[p], w) && (!only || strcmp(only, peers[p]->name) == 0))
            n[p] = items(w, peers[p], n_total / reps);
    for (long r = 0; r < reps; r++)
        for (size_t p = 0; p < PEERS; p++)
            if (n[p] > 0 && (!peers[p]->program || r < INTERPRETER_REPS_MAX)) {
                double took = repetition(w, peers[p], n[p]);
                if (took < 0)
                    n[p] = 0;
                else
                    ns[p][done[p]++] = took / (double)n[p];
            }
    for (size_t p = 0; p < PEERS; p++)
        if (n[p] > 0)
            bench_report(&(bench_result_t){.workload = w->name,
                                           .implementation = peers[p]->name,
                                           .n = n[p] * done[p],
                                           .ns = ns[p],
                                           .reps = done[p]});
}

void bench_generators_run(const int *chosen, long n, long reps, const char *only) {
    for (size_t w = 0; w < WORKLOADS; w++)
        if (chosen[w])
            run(&workloads[w], n, reps, only);
    bench_programs_end();
    free(tree_nodes);
}
