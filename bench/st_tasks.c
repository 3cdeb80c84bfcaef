/* State Threads. It gives a turn away by a sleep of no length, which is what its authors name for that, and cancels a
 * sleep by an interrupt. */
#define _GNU_SOURCE
#include "tasks.h"

#include <st.h>

typedef st_thread_t task_t;
static const task_t task_none = NULL;

static task_t task_spawn(void *(*body)(void *), void *arg) { return st_thread_create(body, arg, 1, 0); }
static void task_join(task_t task) {
    if (st_thread_join(task, NULL) != 0)
        bench_fail("st_thread_join");
}
static void task_yield(void) { (void)st_usleep(0); }
static void task_sleep(int64_t ns) { (void)st_usleep((st_utime_t)ns / 1000); }

typedef struct nap {
    char unused;
} nap_t;
static void nap_open(nap_t *nap) { (void)nap; }
static void nap_close(nap_t *nap) { (void)nap; }
static void nap_wait(nap_t *nap, int64_t ns) {
    (void)nap;
    task_sleep(ns);
}
static void nap_end(nap_t *nap, task_t task) {
    (void)nap;
    st_thread_interrupt(task);
}

#include "tasks_template.h"

typedef st_cond_t condition_t;
static void condition_open(condition_t *condition) {
    *condition = st_cond_new();
    if (!*condition)
        bench_fail("st_cond_new");
}
static void condition_close(const condition_t *condition) { (void)st_cond_destroy(*condition); }
static void condition_wait(const condition_t *condition) { (void)st_cond_wait(*condition); }
static void condition_signal(const condition_t *condition) { (void)st_cond_signal(*condition); }

#include "tasks_ring.h"

#include "tasks_channels_template.h"

/* Once for good: it makes the thread a scheduler, and has no way back. It wants as many open files as the system allows
 * anybody, which not every surrounding grants; then there are no rows. */
static int start(bench_round_t *round) {
    static int started;
    if (!started && st_set_eventsys(ST_EVENTSYS_ALT) == 0 && st_init() == 0)
        started = 1;
    round->error = errno;
    return started;
}

#define WORK(work)                                                                                                     \
    static void work(bench_round_t *round) {                                                                           \
        if (start(round))                                                                                              \
            measure_##work(round);                                                                                     \
    }
WORK(yield)
WORK(spawn_join)
WORK(ping_pong)
WORK(channel)
WORK(timers)
WORK(timer_cancel)

const bench_task_peer_t bench_st_tasks = {
    .name = "state_threads",
    .slowness = 10,
    .yield = yield,
    .spawn_join = spawn_join,
    .ping_pong = ping_pong,
    .channel = channel,
    .timers = timers,
    .timer_cancel = timer_cancel,
};
