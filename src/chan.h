/* Channels, as chan.c and select.c see them. */
#ifndef CO_CHAN_INTERNAL_H
#define CO_CHAN_INTERNAL_H

#include "co/chan.h"
#include "wait.h"

#include <stdalign.h>

/* Who waits in both queues is a task in a co_select that would send as well as receive; else one of them is empty.
 * Receivers wait only while the channel holds nothing, senders only while it is full. Nobody waits on a closed one. */
struct co_chan {
    struct co__sched *quick; /* whose tasks may take the short way: `sched`, if items are small; else NULL */
    struct co__sched *sched; /* whose tasks use it; NULL: nobody's yet, or it is closed */
    struct co__waiters receivers, senders;
    size_t item_bytes;
    size_t count;
    unsigned char *read, *write; /* where in `items` the first one is, and where there is room, if there is any */
    size_t capacity;
    unsigned char *end; /* of `items` */
    bool closed;
    uint64_t done_sends, done_receives; /* by co_select: the number of the last one */
    alignas(max_align_t) unsigned char items[];
};

/* Whether `task` may make a call on the channel with that item: 0, -EINVAL, -EPERM. If so, it is its scheduler's. */
int co__chan_check(co_chan_t *chan, const struct co__task *task, const void *item);

/* Whether tasks of another scheduler wait on it. All that wait are of one. */
static inline bool co__chan_others_wait(const co_chan_t *chan, const struct co__sched *sched) {
    const struct co__waiter *waiter = chan->receivers.first != NULL ? chan->receivers.first : chan->senders.first;
    return waiter != NULL && waiter->task->sched != sched;
}

/* Who waits in a co_select hears there of what has happened. */
static inline bool co__is_case(const struct co__waiter *waiter) { return waiter != &waiter->task->waiter; }
static inline co_select_case_t *co__case_of(struct co__waiter *waiter) {
    return (co_select_case_t *)(void *)((char *)waiter - offsetof(co_select_case_t, waiter));
}

/* When a case of its kind was last done. */
static inline uint64_t *co__case_done(const co_select_case_t *one) {
    return one->direction == CO_SELECT_SEND ? &one->chan->done_sends : &one->chan->done_receives;
}

static inline void co__case_is_done(co_select_case_t *one, struct co__sched *sched, int status) {
    one->status = status;
    *co__case_done(one) = ++sched->selects;
}

#endif
