/* GNU Pth. Its scheduler is a thread of its own, so that every switch is two, and it keeps its threads in lists that it
 * walks. */
#define _GNU_SOURCE
#include "tasks.h"

#include <pth.h>

typedef pth_t task_t;
static const task_t task_none = NULL;

static task_t task_spawn(void *(*body)(void *), void *arg) { return pth_spawn(PTH_ATTR_DEFAULT, body, arg); }
static void task_join(task_t task) {
    if (!pth_join(task, NULL))
        bench_fail("pth_join");
}
static void task_yield(void) { (void)pth_yield(NULL); }
static pth_time_t as_time(int64_t ns) { return pth_time((long)(ns / 1000000000), (long)(ns / 1000 % 1000000)); }
static void task_sleep(int64_t ns) { (void)pth_nap(as_time(ns)); }

/* A message port, since notifying a condition gives the turn away: then the other one would notify before this one
 * waits, which is forgotten. */
typedef struct nap {
    pth_msgport_t port;
    pth_message_t message;
} nap_t;
static void nap_open(nap_t *nap) {
    nap->port = pth_msgport_create(NULL);
    if (!nap->port)
        bench_fail("pth_msgport_create");
}
static void nap_close(nap_t *nap) { pth_msgport_destroy(nap->port); }
static void nap_wait(nap_t *nap, int64_t ns) {
    pth_event_t told = pth_event(PTH_EVENT_MSG, nap->port);
    pth_event_t deadline = pth_event(PTH_EVENT_TIME, pth_timeout((long)(ns / 1000000000), 0));
    (void)pth_wait(pth_event_concat(told, deadline, NULL));
    (void)pth_msgport_get(nap->port);
    (void)pth_event_free(told, PTH_FREE_ALL);
}
static void nap_end(nap_t *nap, task_t task) {
    (void)task;
    if (pth_msgport_pending(nap->port) == 0)
        (void)pth_msgport_put(nap->port, &nap->message);
}

#include "tasks_template.h"

/* A condition variable wants a mutex; that it is held keeps nobody from anything here. */
typedef struct condition {
    pth_cond_t changed;
    pth_mutex_t mutex;
} condition_t;

static void condition_open(condition_t *condition) {
    if (!pth_cond_init(&condition->changed) || !pth_mutex_init(&condition->mutex))
        bench_fail("pth_cond_init");
}
static void condition_close(condition_t *condition) { (void)condition; }
static void condition_signal(condition_t *condition) { (void)pth_cond_notify(&condition->changed, FALSE); }
static void condition_wait(condition_t *condition) {
    (void)pth_mutex_acquire(&condition->mutex, FALSE, NULL);
    (void)pth_cond_await(&condition->changed, &condition->mutex, NULL);
    (void)pth_mutex_release(&condition->mutex);
}

#include "tasks_ring.h"

#include "tasks_channels_template.h"

static void start(void) {
    static int started;
    if (!started && !pth_init())
        bench_fail("pth_init");
    started = 1;
}

#define WORK(work)                                                                                                     \
    static void work(bench_round_t *round) {                                                                           \
        start();                                                                                                       \
        measure_##work(round);                                                                                         \
    }
WORK(yield)
WORK(spawn_join)
WORK(ping_pong)
WORK(channel)
WORK(timers)
WORK(timer_cancel)

const bench_task_peer_t bench_pth_tasks = {
    .name = "pth",
    .slowness = 1000,
    .tasks_most = 1000,
    .yield = yield,
    .spawn_join = spawn_join,
    .ping_pong = ping_pong,
    .channel = channel,
    .timers = timers,
    .timer_cancel = timer_cancel,
};
