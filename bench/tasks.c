/* The workloads for tasks, each implementation with its own scheduler, stacks and clock. */
#define _GNU_SOURCE
#include "tasks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct workload {
    const char *name;
    enum { YIELD, SPAWN_JOIN, PING_PONG, CHANNEL, TIMERS, TIMER_CANCEL } kind;
    size_t tasks;
} workload_t;

static const workload_t workloads[] = {
    {"yield_2", YIELD, 2},
    {"yield_1000", YIELD, 1000},
    {"yield_1000000", YIELD, 1000000},
    {"spawn_join", SPAWN_JOIN, 1},
    {"channel_unbuffered", PING_PONG, 1},
    {"channel_buffered_1_1", CHANNEL, 1},
    {"channel_buffered_8_8", CHANNEL, 8},
    {"timers_1000", TIMERS, 1000},
    {"timers_1000000", TIMERS, 1000000},
    {"timer_cancel_1000", TIMER_CANCEL, 1000},
    {"timer_cancel_1000000", TIMER_CANCEL, 1000000},
};

/* What programs call them. */
static const char *const works[] = {"yield", "spawn_join", "ping_pong", "channel", "timers", "timer_cancel"};

/* A step of what happens in a work is worth that many switches. */
static const long work_slowness[] = {1, 5, 2, 2, 1, 10};

static const bench_task_peer_t go = {
    .name = "go",
    .slowness = 10,
#ifdef BENCH_GO_PROGRAM
    .program = &(bench_program_t){"go", BENCH_GO_PROGRAM, NULL},
#endif
};
static const bench_task_peer_t asyncio = {
    .name = "asyncio", .slowness = 100, .program = &(bench_program_t){"asyncio", "python3", "tasks.py"}};

static const bench_task_peer_t *const peers[] = {
    &bench_libco_tasks,
    &bench_libco_inline_tasks,
#ifdef BENCH_HAVE_BOOST_FIBER_SCHEDULER
    &bench_boost_tasks,
#endif
#ifdef BENCH_HAVE_ST
    &bench_st_tasks,
#endif
#ifdef BENCH_HAVE_PTH
    &bench_pth_tasks,
#endif
    &go,
    &asyncio,
};

enum { WORKLOADS = sizeof workloads / sizeof *workloads, PEERS = sizeof peers / sizeof *peers };

_Static_assert((int)WORKLOADS == (int)BENCH_TASK_WORKLOADS, "tasks.h tells their number");

/* Making a million takes seconds; so do other programs' repetitions; and thousand sleepers sleep for milliseconds. */
enum {
    MILLION = 1000000,
    REPS_MAX = 1024,
    MILLION_REPS_MAX = 3,
    PROGRAM_REPS_MAX = 7,
    TIMERS_REPS_MAX = 100,
    SLOW = 100
};

/* Going to sleep takes a library less than the first of these, for each task, and an interpreter less than the second.
 */
enum { LEAD_NS = 2000, PROGRAM_LEAD_NS = 10000 };

/* Two pages each, page tables, and something to spare. They are touched before the timed part begins, so that the
 * kernel's work for them is none of it. */
static size_t bytes_needed(size_t tasks) { return tasks * (2 * (size_t)sysconf(_SC_PAGESIZE) + 2048); }

const char *bench_task_workload_name(size_t w) { return w < WORKLOADS ? workloads[w].name : NULL; }

const char *bench_task_peer_name(size_t p) { return p < PEERS ? peers[p]->name : NULL; }

static void (*function_for(const bench_task_peer_t *peer, const workload_t *w))(bench_round_t *) {
    switch (w->kind) {
    case YIELD:
        return peer->yield;
    case SPAWN_JOIN:
        return peer->spawn_join;
    case PING_PONG:
        return peer->ping_pong;
    case CHANNEL:
        return peer->channel;
    case TIMERS:
        return peer->timers;
    default:
        return peer->timer_cancel;
    }
}

static int is_measured(const bench_task_peer_t *peer, const workload_t *w) {
    return (peer->program || function_for(peer, w)) && (!peer->tasks_most || w->tasks <= peer->tasks_most);
}

/* How much of it one repetition does: whole rounds over the tasks, and at least two. */
static long amount(const workload_t *w, const bench_task_peer_t *peer, long n) {
    const long tasks = (long)w->tasks;
    if (w->kind == TIMERS)
        return tasks;
    n /= peer->slowness * work_slowness[w->kind];
    if (w->kind == TIMER_CANCEL)
        return n > 2 ? n : 2;
    return (n > 2 * tasks ? n / (2 * tasks) : 1) * 2 * tasks;
}

static long expected(const workload_t *w, long n) {
    const long each = w->kind == PING_PONG ? n / 2 : n / (long)w->tasks;
    if (w->kind == PING_PONG || w->kind == CHANNEL)
        return each * (each - 1) / 2 * (w->kind == CHANNEL ? (long)w->tasks : 1);
    return 0;
}

/* What the repetitions of one implementation have come to. */
typedef struct row {
    long n; /* of one repetition; 0: there is no row */
    long reps;
    double ns[REPS_MAX], bytes;
} row_t;

static void repetition(const workload_t *w, const bench_task_peer_t *peer, row_t *row) {
    bench_round_t round = {.tasks = w->tasks, .n = row->n, .lead_ns = peer->program ? PROGRAM_LEAD_NS : LEAD_NS};
    double ns, bytes = 0;
    if (peer->program) {
        const bench_program_answer_t answer =
            bench_program_run(peer->program, works[w->kind], round.n, (long)round.tasks);
        if (answer.ns < 0) {
            row->n = 0;
            return;
        }
        ns = answer.ns;
        round.sum = (long)answer.sum;
        bytes = answer.bytes;
    } else {
        const size_t before = bench_memory_used();
        function_for(peer, w)(&round);
        if (round.made < round.tasks) {
            fprintf(stderr, "# %-28s %-26s no row: ended at %zu of %zu: %s\n", w->name, peer->name, round.made,
                    round.tasks, strerror(round.error));
            row->n = 0;
            return;
        }
        ns = round.ended - round.began;
        if (round.bytes > before)
            bytes = (double)(round.bytes - before);
    }
    if (round.sum != expected(w, row->n)) {
        fprintf(stderr, "co_bench: %s: wrong sum\n", peer->name);
        exit(1);
    }
    row->ns[row->reps++] = ns / (double)row->n;
    /* Of few tasks it would be the memory of everything else. */
    if (w->tasks >= 1000 && bytes / (double)w->tasks > row->bytes)
        row->bytes = bytes / (double)w->tasks;
}

static long reps_most(const workload_t *w, const bench_task_peer_t *peer) {
    if (w->tasks >= MILLION)
        return peer->slowness < SLOW ? MILLION_REPS_MAX : 1;
    if (peer->program)
        return PROGRAM_REPS_MAX;
    return w->kind == TIMERS ? TIMERS_REPS_MAX : REPS_MAX;
}

static void run(const workload_t *w, long n_total, long reps, const char *only) {
    static row_t rows[PEERS];
    memset(rows, 0, sizeof rows);
    if (w->tasks >= MILLION && reps > MILLION_REPS_MAX)
        reps = MILLION_REPS_MAX;
    for (size_t p = 0; p < PEERS; p++)
        if (is_measured(peers[p], w) && (!only || strcmp(only, peers[p]->name) == 0))
            rows[p].n = amount(w, peers[p], n_total / reps);
    /* In turns, so that a slow moment of the machine strikes all of them. */
    for (long r = 0; r < reps; r++)
        for (size_t p = 0; p < PEERS; p++)
            if (rows[p].n > 0 && r < reps_most(w, peers[p]))
                repetition(w, peers[p], &rows[p]);
    for (size_t p = 0; p < PEERS; p++)
        if (rows[p].n > 0)
            bench_report(&(bench_result_t){.workload = w->name,
                                           .implementation = peers[p]->name,
                                           .n = rows[p].n * rows[p].reps,
                                           .ns = rows[p].ns,
                                           .reps = rows[p].reps,
                                           .bytes = rows[p].bytes});
}

void bench_tasks_run(const int *chosen, long n, long reps, const char *only) {
    for (size_t w = 0; w < WORKLOADS; w++) {
        const size_t tasks = workloads[w].tasks, available = bench_memory_available();
        if (!chosen[w])
            continue;
        if ((long)tasks > n)
            fprintf(stderr, "# %-28s left out: --n is less\n", workloads[w].name);
        else if (available && available < bytes_needed(tasks))
            fprintf(stderr, "# %-28s left out: %zu MiB of memory are free, which is too little\n", workloads[w].name,
                    available >> 20);
        else
            run(&workloads[w], n, reps, only);
    }
    bench_programs_end();
}
