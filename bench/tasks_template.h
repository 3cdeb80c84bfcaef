/* The workloads for tasks, in the words of one scheduler. Whoever includes this has defined
 *
 *     task_t                              a handle; task_none is none
 *     task_spawn(body, arg)               void *body(void *arg); task_none and errno if it cannot be
 *     task_join(task)
 *     task_yield()
 *     task_sleep(ns)
 *     nap_t                               what one task at a time waits on
 *     nap_open(nap), nap_close(nap)
 *     nap_wait(nap, ns)                   until that time has passed or somebody ends the nap
 *     nap_end(nap, task)                  of `task`, which waits there; if it does not, its next wait may end at once
 *
 * and, after it, calls what it wants of measure_yield ... measure_timer_cancel inside of its scheduler. Of schedulers
 * with channels, tasks_channels_template.h is for the rest. */
#include "tasks.h"

#include <errno.h>
#include <stdlib.h>

/* Of the repetition that goes on. Not in the tasks' arguments, for what is timed is to be little beside the switches.
 */
static bench_round_t *the_round;
static task_t *the_tasks;
static size_t begun;
static int open;  /* they may begin with what is timed */
static long left; /* turns to be given away, sleepers that have not waked, naps */

static void note_end(void) { the_round->ended = bench_now_ns(); }

/* Spawns those of the round. If that fails, those that there are have nothing to do. */
static int spawn_all(void *(*body)(void *)) {
    begun = 0;
    open = 0;
    the_tasks = (task_t *)bench_alloc_touched(the_round->tasks, sizeof(task_t));
    the_round->made = 0;
    while (the_round->made < the_round->tasks) {
        const task_t task = task_spawn(body, (void *)(uintptr_t)the_round->made);
        if (task == task_none)
            break;
        the_tasks[the_round->made++] = task;
    }
    if (the_round->made == the_round->tasks)
        return 1;
    the_round->error = errno;
    left = 0;
    open = 1;
    return 0;
}

static void join_all(void) {
    for (size_t i = 0; i < the_round->made; i++)
        task_join(the_tasks[i]);
    free(the_tasks);
}

/* How each begins. */
static void wait_for_all(void) {
    begun++;
    do
        task_yield();
    while (!open);
}

/* All have begun, which for the most part touches their memory, and the timed part may begin. */
static void let_all_begin(void) {
    while (begun < the_round->tasks)
        task_yield();
    open = 1;
    the_round->began = bench_now_ns();
}

/* ---- yield ------------------------------------------------------------------------------------------------------- */

static void *body_yield(void *arg) {
    wait_for_all();
    while (left > 0) {
        if (--left == 0)
            note_end();
        task_yield();
    }
    return arg;
}

static void measure_yield(bench_round_t *round) {
    the_round = round;
    left = round->n;
    if (spawn_all(body_yield)) {
        let_all_begin();
        bench_round_alive(round);
    }
    join_all();
}

/* ---- spawn_join -------------------------------------------------------------------------------------------------- */

static void *body_return(void *arg) { return arg; }

static void measure_spawn_join(bench_round_t *round) {
    round->began = bench_now_ns();
    for (long i = 0; i < round->n; i++) {
        const task_t task = task_spawn(body_return, NULL);
        if (task == task_none)
            bench_fail("spawning a task");
        task_join(task);
    }
    round->ended = bench_now_ns();
    round->made = round->tasks;
}

/* ---- timers ------------------------------------------------------------------------------------------------------ */

/* Ending is part of what is timed, joining is not. */
static void *body_sleep(void *arg) {
    wait_for_all();
    if (left > 0)
        task_sleep(bench_delay_ns(the_round, (size_t)(uintptr_t)arg));
    if (--left == 0)
        note_end();
    return arg;
}

static void measure_timers(bench_round_t *round) {
    the_round = round;
    left = (long)round->tasks;
    if (spawn_all(body_sleep)) {
        let_all_begin();
        task_yield(); /* now all of them sleep */
        bench_round_alive(round);
        while (left > 0)
            task_sleep(10 * 1000 * 1000);
    }
    join_all();
}

/* ---- timer_cancel ------------------------------------------------------------------------------------------------ */

static nap_t naps[2], sleepers_nap;
static task_t nappers[2];
static size_t asleep;

static void *body_sleep_long(void *arg) {
    wait_for_all();
    asleep++;
    if (left > 0)
        nap_wait(&sleepers_nap, bench_far_ns((size_t)(uintptr_t)arg));
    return arg;
}

/* Two that end each other's naps in turn. */
static void *body_nap(void *arg) {
    const size_t self = (size_t)(uintptr_t)arg;
    while (left > 0) {
        left--;
        nap_end(&naps[1 - self], nappers[1 - self]);
        nap_wait(&naps[self], bench_far_ns((uint64_t)left));
    }
    nap_end(&naps[1 - self], nappers[1 - self]);
    return arg;
}

static void measure_timer_cancel(bench_round_t *round) {
    the_round = round;
    left = round->n;
    asleep = 0;
    nap_open(&sleepers_nap);
    nap_open(&naps[0]);
    nap_open(&naps[1]);
    if (spawn_all(body_sleep_long)) {
        let_all_begin();
        while (asleep < round->tasks)
            task_yield();
        round->began = bench_now_ns();
        for (size_t i = 0; i < 2; i++)
            nappers[i] = task_spawn(body_nap, (void *)(uintptr_t)i);
        if (nappers[0] == task_none || nappers[1] == task_none)
            bench_fail("spawning a task");
        task_join(nappers[0]);
        task_join(nappers[1]);
        round->ended = bench_now_ns();
        for (size_t i = 0; i < round->tasks; i++)
            nap_end(&sleepers_nap, the_tasks[i]);
    }
    join_all();
    nap_close(&sleepers_nap);
    nap_close(&naps[0]);
    nap_close(&naps[1]);
}
