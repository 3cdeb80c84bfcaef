/* libco's tasks. */
#include "tasks.h"

#include <co/chan.h>
#include <co/sched.h>

typedef co_t *task_t;
static const task_t task_none = NULL;

static inline task_t task_spawn(co_fn body, void *arg) { return co_spawn(body, arg); }
static inline void task_join(task_t task) {
    if (co_join(task, NULL, CO_NEVER) != 0)
        bench_fail("co_join");
}
static inline void task_yield(void) { (void)co_sched_yield(); }
static inline void task_sleep(int64_t ns) { (void)co_sleep(ns); }

typedef struct nap {
    char unused;
} nap_t;
static inline void nap_open(nap_t *nap) { (void)nap; }
static inline void nap_close(nap_t *nap) { (void)nap; }
static inline void nap_wait(nap_t *nap, int64_t ns) {
    (void)nap;
    (void)co_sleep(ns);
    (void)co_uncancel();
}
static inline void nap_end(nap_t *nap, task_t task) {
    (void)nap;
    (void)co_cancel(task);
}

#include "tasks_template.h"

typedef co_chan_t *channel_t;
static inline void channel_open(channel_t *channel, size_t room) {
    *channel = co_chan_create(sizeof(long), room);
    if (!*channel)
        bench_fail("co_chan_create");
}
static inline void channel_close(const channel_t *channel) { (void)co_chan_destroy(*channel); }
static inline void channel_send(const channel_t *channel, long value) {
    (void)co_chan_send(*channel, &value, CO_NEVER);
}
static inline long channel_receive(const channel_t *channel) {
    long value = 0;
    (void)co_chan_receive(*channel, &value, CO_NEVER);
    return value;
}

#include "tasks_channels_template.h"

/* As body_yield, in the task's own body. */
static void *body_yield_inline(void *arg) {
    wait_for_all();
    while (left > 0) {
        if (--left == 0)
            note_end();
        co_yield(NULL);
    }
    return arg;
}

static void measure_yield_inline(bench_round_t *round) {
    the_round = round;
    left = round->n;
    if (spawn_all(body_yield_inline)) {
        let_all_begin();
        bench_round_alive(round);
    }
    join_all();
}

/* What the pool keeps is given back, so that the next implementation, and the next measurement of memory, begin with
 * none of it. */
#define WORK(work)                                                                                                     \
    static void *first_##work(void *round) {                                                                           \
        measure_##work((bench_round_t *)round);                                                                        \
        return NULL;                                                                                                   \
    }                                                                                                                  \
    static void work(bench_round_t *round) {                                                                           \
        if (co_run(first_##work, round, NULL) != 0)                                                                    \
            bench_fail("co_run");                                                                                      \
        co_pool_trim();                                                                                                \
    }
WORK(yield)
WORK(yield_inline)
WORK(spawn_join)
WORK(ping_pong)
WORK(channel)
WORK(timers)
WORK(timer_cancel)

const bench_task_peer_t bench_libco_tasks = {
    .name = "libco",
    .slowness = 1,
    .yield = yield,
    .spawn_join = spawn_join,
    .ping_pong = ping_pong,
    .channel = channel,
    .timers = timers,
    .timer_cancel = timer_cancel,
};

const bench_task_peer_t bench_libco_inline_tasks = {.name = "libco_inline", .slowness = 1, .yield = yield_inline};
