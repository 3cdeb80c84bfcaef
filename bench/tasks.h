/* What the workloads for tasks want of each implementation of a scheduler; tasks.c runs them.
 *
 * As in bench.h the loops are inside, one call per repetition. What C and C++ libraries do is one source,
 * tasks_template.h, in the words of each: so it is the same work. */
#ifndef BENCH_TASKS_H
#define BENCH_TASKS_H

#include "bench.h"
#include "many.h"
#include "programs.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One repetition. The timed part lies inside the work, for the peer makes its tasks before it and frees them after. */
typedef struct bench_round {
    size_t tasks; /* how many there are to be; of channels: how many senders, and as many receivers */
    long n;       /* yields of all tasks together, spawns, messages, waits */
    long lead_ns; /* of `timers`: how much the least delay is, for each task */

    /* From the peer. */
    double began, ended; /* bench_now_ns() */
    size_t bytes;        /* bench_memory_used() with all tasks alive; 0: not asked */
    long sum;            /* of messages */
    size_t made;         /* how many tasks there were; if fewer than `tasks`, */
    int error;           /* an errno value that says why */
} bench_round_t;

typedef struct bench_task_peer {
    const char *name;
    long slowness;                  /* it does n / slowness */
    size_t tasks_most;              /* with more it does not end while one waits; 0: any number */
    const bench_program_t *program; /* another program: it does the work, and the functions below are NULL */

    /* NULL: not measured. */
    void (*yield)(bench_round_t *round);        /* n turns given away, by `tasks` in turn */
    void (*spawn_join)(bench_round_t *round);   /* n times, one alive at a time */
    void (*ping_pong)(bench_round_t *round);    /* n messages to and fro, over two channels without a buffer */
    void (*channel)(bench_round_t *round);      /* n messages over one with room for BENCH_CHANNEL_ROOM */
    void (*timers)(bench_round_t *round);       /* each of the tasks sleeps once, bench_delay_ns(its number) */
    void (*timer_cancel)(bench_round_t *round); /* n waits with a deadline that somebody else ends, while all of `tasks`
                                                   sleep */
} bench_task_peer_t;

enum { BENCH_CHANNEL_ROOM = 64 };

extern const bench_task_peer_t bench_libco_tasks, bench_libco_inline_tasks, bench_boost_tasks, bench_st_tasks,
    bench_pth_tasks;

/* A number with no pattern, the same for the same i (the finaliser of SplitMix64). */
static inline uint64_t bench_random(uint64_t i) {
    i = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    i = (i ^ i >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    i = (i ^ i >> 27) * UINT64_C(0x94d049bb133111eb);
    return i ^ i >> 31;
}

/* All tasks are asleep before the first one wakes, if going to sleep takes no longer than lead_ns; then they wake at a
 * mean distance of a microsecond. */
static inline int64_t bench_delay_ns(const bench_round_t *round, size_t i) {
    const uint64_t tasks = round->tasks;
    return (int64_t)(tasks * (uint64_t)round->lead_ns + bench_random(i) % (tasks * 1000));
}

/* One to two hours: a deadline that is not reached, at any place among the others. */
static inline int64_t bench_far_ns(uint64_t i) {
    const uint64_t hour = UINT64_C(3600) * 1000 * 1000 * 1000;
    return (int64_t)(hour + bench_random(i) % hour);
}

/* All tasks are alive: asks for the memory, which is no part of what is timed. */
static inline void bench_round_alive(bench_round_t *round) {
    double began = bench_now_ns();
    round->bytes = bench_memory_used();
    round->began += bench_now_ns() - began;
}

/* Names, for the command line; NULL after the last. */
enum { BENCH_TASK_WORKLOADS = 11 };
const char *bench_task_workload_name(size_t w);
const char *bench_task_peer_name(size_t p);

/* Runs the workloads that are marked; `only` NULL: every peer. */
void bench_tasks_run(const int *chosen, long n, long reps, const char *only);

#ifdef __cplusplus
}
#endif

#endif
