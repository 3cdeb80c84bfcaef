/* co_bench: libco beside its peers, the same work in one run.
 *
 *   co_bench [--n N] [--reps N] [--only IMPLEMENTATION] [workload...]
 *
 * One line of five tab-separated columns per measurement on stdout, a summary on stderr; README.md explains both. */
#include "generators.h"
#include "many.h"
#include "tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct workload {
    const char *name;
    enum { HOT, COLD, GENERATOR } kind;
    size_t coroutines;
    int shuffled;
} workload_t;

static const workload_t workloads[] = {
    {"switch_hot", HOT, 1, 0},
    {"switch_cold_order_1000", COLD, 1000, 0},
    {"switch_cold_shuffled_1000", COLD, 1000, 1},
    {"switch_cold_order_100000", COLD, 100000, 0},
    {"switch_cold_shuffled_100000", COLD, 100000, 1},
    {"generator", GENERATOR, 1, 0},
};

/* The floor comes first: the summary divides by it. */
static const bench_peer_t *const peers[] = {
    &bench_floor,
    &bench_libco,
    &bench_libco_from,
    &bench_libco_out_of_line,
    &bench_libco_out_of_line_from,
    &bench_bare_out_of_line,
    &bench_function_pointer,
#ifdef BENCH_HAVE_CXX20
    &bench_cxx20,
#endif
#ifdef BENCH_HAVE_BOOST
    &bench_boost,
#endif
#ifdef BENCH_HAVE_SWAPCONTEXT
    &bench_swapcontext,
#endif
};

enum { WORKLOADS = sizeof workloads / sizeof *workloads, PEERS = sizeof peers / sizeof *peers };

/* Those of the other files included, in their order. */
enum {
    GENERATOR_WORKLOADS = WORKLOADS,
    MANY_WORKLOADS = GENERATOR_WORKLOADS + BENCH_GENERATOR_WORKLOADS,
    TASK_WORKLOADS = MANY_WORKLOADS + BENCH_MANY_WORKLOADS,
    WORKLOADS_MAX = TASK_WORKLOADS + BENCH_TASK_WORKLOADS
};

/* A cold switch takes tens of nanoseconds, and setting up 100,000 coroutines takes longer than measuring them. */
enum { COLD_SLOWNESS = 10, COLD_REPS_MAX = 7 };

static uint32_t *make_order(size_t count, int shuffled) {
    uint32_t *order = bench_alloc(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    uint64_t random = 88172645463325252u;
    for (size_t i = count - 1; shuffled && i > 0; i--) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        size_t j = random % (i + 1);
        uint32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    return order;
}

/* One repetition: nanoseconds for n round trips or items, n a whole number of rounds over the coroutines. */
static double repetition(const workload_t *w, const bench_peer_t *peer, long n, const uint32_t *order) {
    double began, ended;
    peer->setup(w->kind == GENERATOR ? BENCH_GENERATOR : BENCH_SWITCH, w->coroutines, order);
    switch (w->kind) {
    case HOT:
        peer->hot(1000); /* the branch predictors learn the two jumps */
        began = bench_now_ns();
        peer->hot(n);
        ended = bench_now_ns();
        break;
    case COLD:
        peer->cold((long)w->coroutines);
        began = bench_now_ns();
        peer->cold(n);
        ended = bench_now_ns();
        break;
    default:
        peer->generator(1000);
        began = bench_now_ns();
        uintptr_t sum = peer->generator(n);
        ended = bench_now_ns();
        /* The values 1000 ... 1000 + n - 1. A wrong sum means that the work was not done. */
        if (sum != (uintptr_t)n * 1000 + (uintptr_t)n * (uintptr_t)(n - 1) / 2) {
            fprintf(stderr, "co_bench: %s: wrong sum\n", peer->name);
            exit(1);
        }
        break;
    }
    peer->teardown();
    return ended - began;
}

static void run(const workload_t *w, long n_total, long reps, const char *only) {
    static double ns[PEERS][1024];
    long n[PEERS] = {0};
    if (w->kind == COLD) {
        n_total /= COLD_SLOWNESS;
        if (reps > COLD_REPS_MAX)
            reps = COLD_REPS_MAX;
    }
    uint32_t *order = make_order(w->coroutines, w->shuffled);
    for (size_t p = 0; p < PEERS; p++) {
        if ((only && strcmp(only, peers[p]->name) != 0) || (w->kind == COLD && !peers[p]->cold))
            continue;
        long rounds = n_total / reps / peers[p]->slowness / (long)w->coroutines;
        n[p] = (rounds > 0 ? rounds : 1) * (long)w->coroutines;
    }
    /* In turns, so that a slow moment of the machine strikes all of them. */
    for (long r = 0; r < reps; r++)
        for (size_t p = 0; p < PEERS; p++)
            if (n[p] > 0)
                ns[p][r] = repetition(w, peers[p], n[p], order) / (double)n[p] / (w->kind == GENERATOR ? 1 : 2);
    free(order);

    for (size_t p = 0; p < PEERS; p++)
        if (n[p] > 0)
            bench_report(&(bench_result_t){
                .workload = w->name, .implementation = peers[p]->name, .n = n[p] * reps, .ns = ns[p], .reps = reps});
}

/* The names of all workloads, those of generators.c, many.c and tasks.c after those above; NULL after the last. */
static const char *workload_name(size_t w) {
    if (w < GENERATOR_WORKLOADS)
        return workloads[w].name;
    if (w < MANY_WORKLOADS)
        return bench_generator_workload_name(w - GENERATOR_WORKLOADS);
    if (w < TASK_WORKLOADS)
        return bench_many_workload(w - MANY_WORKLOADS);
    return bench_task_workload_name(w - TASK_WORKLOADS);
}

static int is_implementation(const char *name) {
    for (size_t p = 0; p < PEERS; p++)
        if (strcmp(name, peers[p]->name) == 0)
            return 1;
    for (size_t g = 0; bench_generator_peer_name(g); g++)
        if (strcmp(name, bench_generator_peer_name(g)) == 0)
            return 1;
    for (size_t m = 0; bench_many_maker(m); m++)
        if (strcmp(name, bench_many_maker(m)) == 0)
            return 1;
    for (size_t t = 0; bench_task_peer_name(t); t++)
        if (strcmp(name, bench_task_peer_name(t)) == 0)
            return 1;
    return 0;
}

static __attribute__((noreturn)) void usage(void) {
    fputs("usage: co_bench [--n N] [--reps N] [--only IMPLEMENTATION] [workload...]\n"
          "  a workload is named in full or by the beginning of its name; all by default:\n ",
          stderr);
    for (size_t w = 0; workload_name(w); w++)
        fprintf(stderr, " %s", workload_name(w));
    fputs(
        "\n  implementations, then those of typed generators, then those with stacks of their own, then\n  schedulers:",
        stderr);
    for (size_t p = 0; p < PEERS; p++)
        fprintf(stderr, " %s", peers[p]->name);
    for (size_t g = 0; bench_generator_peer_name(g); g++)
        fprintf(stderr, " %s", bench_generator_peer_name(g));
    for (size_t m = 0; bench_many_maker(m); m++)
        fprintf(stderr, " %s", bench_many_maker(m));
    for (size_t t = 0; bench_task_peer_name(t); t++)
        fprintf(stderr, " %s", bench_task_peer_name(t));
    fputc('\n', stderr);
    exit(2);
}

static long number(const char *text, long max) {
    char *end;
    errno = 0;
    long value = text ? strtol(text, &end, 10) : 0;
    if (!text || errno || *end || value < 1 || value > max)
        usage();
    return value;
}

/* Marks the workload of that name, or else all whose names begin so. Returns 0 if there are none. */
static int choose(const char *text, int *chosen) {
    int known = 0;
    for (size_t w = 0; workload_name(w); w++)
        if (strcmp(text, workload_name(w)) == 0)
            return chosen[w] = 1;
    for (size_t w = 0; workload_name(w); w++)
        if (text[0] && strncmp(text, workload_name(w), strlen(text)) == 0)
            chosen[w] = known = 1;
    return known;
}

int main(int argc, char **argv) {
    long n = 50 * 1000 * 1000, reps = 25;
    const char *only = NULL;
    int chosen[WORKLOADS_MAX] = {0}, named = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--n") == 0) {
            n = number(argv[++i], 1000L * 1000 * 1000);
        } else if (strcmp(argv[i], "--reps") == 0) {
            reps = number(argv[++i], 1024);
        } else if (strcmp(argv[i], "--only") == 0) {
            only = argv[++i];
            if (!only || !is_implementation(only))
                usage();
        } else {
            if (!choose(argv[i], chosen))
                usage();
            named = 1;
        }
    }
    for (size_t w = 0; !named && w < WORKLOADS_MAX; w++)
        chosen[w] = 1;
    for (size_t w = 0; w < WORKLOADS; w++)
        if (chosen[w])
            run(&workloads[w], n, reps, only);
    bench_generators_run(chosen + GENERATOR_WORKLOADS, n, reps, only);
    bench_many_run(chosen + MANY_WORKLOADS, n, reps, only);
    bench_tasks_run(chosen + TASK_WORKLOADS, n, reps, only);
    return 0;
}
