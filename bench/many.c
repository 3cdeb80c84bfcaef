/* The workloads for creating coroutines, and for many live ones, each implementation with its own stacks.
 *
 * Workloads of one number of coroutines are measured on the same coroutines: created, resumed in the order of creation,
 * resumed in an order with no pattern. One implementation's are destroyed before the next one's are created. */
#define _GNU_SOURCE
#include "many.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum part { WARM, CREATE, ORDER, SHUFFLED, PARTS };

typedef struct workload {
    const char *name;
    enum part part;
    size_t count; /* coroutines alive at a time */
} workload_t;

enum { COLD_COUNT = 20000 };

static const workload_t workloads[] = {
    {"create_warm", WARM, 1},
    {"create_cold", CREATE, COLD_COUNT},
    {"many_1000_create", CREATE, 1000},
    {"many_1000_order", ORDER, 1000},
    {"many_1000_shuffled", SHUFFLED, 1000},
    {"many_10000_create", CREATE, 10000},
    {"many_10000_order", ORDER, 10000},
    {"many_10000_shuffled", SHUFFLED, 10000},
    {"many_100000_create", CREATE, 100000},
    {"many_100000_order", ORDER, 100000},
    {"many_100000_shuffled", SHUFFLED, 100000},
    {"many_1000000_create", CREATE, 1000000},
    {"many_1000000_order", ORDER, 1000000},
    {"many_1000000_shuffled", SHUFFLED, 1000000},
};

/* The floor comes first: the summary divides by it. */
static const bench_maker_t *const makers[] = {
    &bench_floor_maker,
    &bench_libco_maker,
    &bench_libco_small_maker,
    &bench_libco_arena_maker,
    &bench_libco_uncoloured_maker,
#ifdef BENCH_HAVE_BOOST_FIBER
    &bench_boost_protected_maker,
    &bench_boost_pooled_maker,
#endif
#ifdef BENCH_HAVE_SWAPCONTEXT
    &bench_swapcontext_maker,
#endif
};

enum { WORKLOADS = sizeof workloads / sizeof *workloads, MAKERS = sizeof makers / sizeof *makers };
_Static_assert((int)WORKLOADS == (int)BENCH_MANY_WORKLOADS, "many.h tells their number");

/* A creation is worth this many hot switches, a cold switch that many. */
enum { WARM_SLOWNESS = 25, SWITCH_SLOWNESS = 10 };

enum { WARM_UP = 3000, REPS_MAX = 1024, CREATIONS_MAX = 7, TIMED_PER_CREATION = 3 };

/* From this number on their memory is more than what the kernel has just used. */
enum { RECLAIM_COUNT = 100000 };

/* A page each, page tables, and something to spare. */
static size_t bytes_needed(size_t count) { return count * ((size_t)sysconf(_SC_PAGESIZE) + 1024); }

const char *bench_many_workload(size_t w) { return w < WORKLOADS ? workloads[w].name : NULL; }

const char *bench_many_maker(size_t m) { return m < MAKERS ? makers[m]->name : NULL; }

static int wanted(const bench_maker_t *maker, const char *only) { return !only || strcmp(only, maker->name) == 0; }

static void run_warm(const workload_t *w, long n_total, long reps, const char *only) {
    static double ns[MAKERS][REPS_MAX];
    long n[MAKERS] = {0};
    for (size_t m = 0; m < MAKERS; m++)
        if (wanted(makers[m], only) && makers[m]->warm) {
            n[m] = n_total / WARM_SLOWNESS / reps / makers[m]->warm_slowness;
            n[m] += n[m] == 0;
        }
    for (long r = 0; r < reps; r++)
        for (size_t m = 0; m < MAKERS; m++)
            if (n[m] > 0) {
                makers[m]->warm(WARM_UP);
                double began = bench_now_ns();
                makers[m]->warm(n[m]);
                ns[m][r] = (bench_now_ns() - began) / (double)n[m];
            }
    for (size_t m = 0; m < MAKERS; m++)
        if (n[m] > 0)
            bench_report(&(bench_result_t){
                .workload = w->name, .implementation = makers[m]->name, .n = n[m] * reps, .ns = ns[m], .reps = reps});
}

/* The measurements of one implementation with one number of coroutines. */
typedef struct figures {
    double ns[PARTS][CREATIONS_MAX * TIMED_PER_CREATION];
    long taken[PARTS]; /* how many of ns */
    long n[PARTS];     /* creations or round trips in all of these */
    double bytes;      /* per coroutine */
} figures_t;

/* The same order at every call, and for every implementation. */
static void shuffle(const bench_maker_t *maker, size_t count) {
    uint64_t random = 88172645463325252u;
    for (size_t i = count - 1; i > 0; i--) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        maker->exchange(i, random % (i + 1));
    }
}

static void note(figures_t *f, enum part part, double ns, long n) {
    f->ns[part][f->taken[part]++] = ns / (double)n / (part == CREATE ? 1 : 2);
    f->n[part] += n;
}

static void time_rounds(const bench_maker_t *maker, size_t count, long rounds, figures_t *f, enum part part) {
    maker->resume(1);
    for (int i = 0; i < TIMED_PER_CREATION; i++) {
        double began = bench_now_ns();
        maker->resume(rounds);
        note(f, part, bench_now_ns() - began, rounds * (long)count);
    }
}

/* One creation and what is done with it. Returns how many there were: fewer than `count` end the row. */
static size_t run_once(const bench_maker_t *maker, size_t count, long rounds, const int *parts, figures_t *f) {
    if (count >= RECLAIM_COUNT)
        bench_memory_reclaim(bytes_needed(count));
    maker->prepare(count);
    size_t before = bench_memory_used();
    double began = bench_now_ns();
    size_t made = maker->create(count);
    double ended = bench_now_ns();
    int error = errno;
    if (made == count) {
        double bytes = ((double)bench_memory_used() - (double)before) / (double)count;
        if (bytes > f->bytes)
            f->bytes = bytes;
        note(f, CREATE, ended - began, (long)count);
        if (parts[ORDER])
            time_rounds(maker, count, rounds, f, ORDER);
        if (parts[SHUFFLED]) {
            shuffle(maker, count);
            time_rounds(maker, count, rounds, f, SHUFFLED);
        }
    }
    maker->destroy();
    errno = error;
    return made;
}

/* The workloads at `first` and after it that have the same count; `parts` marks those to report. */
static void run_count(const workload_t *first, const int *parts, size_t count, long n_total, long reps,
                      const char *only) {
    static figures_t figures[MAKERS];
    int row[MAKERS];
    long creations = count <= COLD_COUNT ? CREATIONS_MAX : count <= 100000 ? 3 : 1;
    if (creations > reps)
        creations = reps;
    memset(figures, 0, sizeof figures);
    for (size_t m = 0; m < MAKERS; m++)
        row[m] =
            wanted(makers[m], only) && makers[m]->create && !(makers[m]->lends_memory && first->count == COLD_COUNT);

    /* In turns, so that a slow moment of the machine strikes all of them. */
    for (long c = 0; c < creations; c++)
        for (size_t m = 0; m < MAKERS; m++) {
            if (!row[m])
                continue;
            long per_part = n_total / SWITCH_SLOWNESS / makers[m]->slowness / (creations * TIMED_PER_CREATION);
            long rounds = per_part / (long)count;
            size_t made = run_once(makers[m], count, rounds < 2 ? 2 : rounds, parts, &figures[m]);
            if (made < count) {
                fprintf(stderr, "# %-28s %-26s no row: ended at %zu of %zu: %s\n", first->name, makers[m]->name, made,
                        count, strerror(errno));
                row[m] = 0;
            }
        }

    for (const workload_t *w = first; w < workloads + WORKLOADS && w->count == first->count; w++)
        for (size_t m = 0; parts[w->part] && m < MAKERS; m++)
            if (row[m])
                bench_report(&(bench_result_t){.workload = w->name,
                                               .implementation = makers[m]->name,
                                               .n = figures[m].n[w->part],
                                               .ns = figures[m].ns[w->part],
                                               .reps = figures[m].taken[w->part],
                                               .bytes = w->part == CREATE ? figures[m].bytes : 0});
}

void bench_many_run(const int *chosen, long n, long reps, const char *only) {
    for (size_t w = 0; w < WORKLOADS;) {
        const workload_t *first = &workloads[w];
        int parts[PARTS] = {0}, any = 0;
        for (; w < WORKLOADS && workloads[w].count == first->count; w++)
            any |= parts[workloads[w].part] = chosen[w];
        size_t count = first->count, available = bench_memory_available();
        if (count == COLD_COUNT && (long)count > n)
            count = (size_t)n;
        if (!any)
            continue;
        if (parts[WARM])
            run_warm(first, n, reps, only);
        else if ((long)count > n)
            fprintf(stderr, "# %-28s left out: --n is less\n", first->name);
        else if (available && available < bytes_needed(count))
            fprintf(stderr, "# %-28s left out: %zu MiB of memory are free, which is too little\n", first->name,
                    available >> 20);
        else
            run_count(first, parts, count, n, reps, only);
    }
}
