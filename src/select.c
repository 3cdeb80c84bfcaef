/* co_select: the first of several sends and receives that can be done.
 *
 * If one can be done now, it is done, as co_chan_send and co_chan_receive do it. Otherwise an entry for each goes into
 * the queue of its channel, and whoever serves one of them does the same as for a task in that call alone (chan.c),
 * writes the status of the case, and wakes the task, which takes the other entries out of their queues. */
#include "chan.h"

static bool can_be_done(const co_select_case_t *one) {
    const co_chan_t *chan = one->chan;
    if (one->direction == CO_SELECT_SEND)
        return chan->closed || chan->receivers.first != NULL || chan->count < chan->capacity;
    return chan->closed || chan->senders.first != NULL || chan->count != 0;
}

/* 0, or what is wrong with the cases; *enabled tells whether there is one that could happen. */
static int check(const co_select_case_t *cases, size_t count, const struct co__task *task, bool *enabled) {
    if ((cases == NULL && count != 0) || count > (size_t)CO__WAITS)
        return -EINVAL;
    *enabled = false;
    for (size_t i = 0; i < count; i++) {
        if (cases[i].direction != CO_SELECT_SEND && cases[i].direction != CO_SELECT_RECEIVE)
            return -EINVAL;
        if (cases[i].chan == NULL)
            continue;
        const int status = co__chan_check(cases[i].chan, task, cases[i].item);
        if (status != 0)
            return status;
        *enabled = true;
    }
    return 0;
}

/* Of those that can be done, whose channel was chosen least recently; of equal ones (one channel in several cases) the
 * first from a place that moves on. What a channel remembers of another scheduler's is long ago. */
static co_select_case_t *choose(co_select_case_t *cases, size_t count, uint64_t selects) {
    co_select_case_t *best = NULL;
    uint64_t most = 0;
    size_t place = (size_t)(selects % count);
    for (size_t i = 0; i < count; i++) {
        co_select_case_t *one = &cases[place];
        if (one->chan != NULL && can_be_done(one)) {
            const uint64_t since = selects - *co__case_done(one);
            if (best == NULL || since > most) {
                best = one;
                most = since;
            }
        }
        if (++place == count)
            place = 0;
    }
    return best;
}

static void enqueue(co_select_case_t *cases, size_t count, struct co__task *task) {
    struct co__waiter **link = &task->waiters;
    for (size_t i = 0; i < count; i++) {
        co_chan_t *chan = cases[i].chan;
        struct co__waiter *waiter = &cases[i].waiter;
        if (chan == NULL)
            continue;
        waiter->fired = (int)i;
        *link = waiter;
        link = &waiter->also;
        waiter->task = task;
        waiter->queue = NULL;
        waiter->next = waiter->previous = NULL;
        co__waiters_append(cases[i].direction == CO_SELECT_SEND ? &chan->senders : &chan->receivers, waiter,
                           cases[i].item);
    }
    *link = NULL;
}

int co_select(co_select_case_t *cases, size_t count, int64_t deadline_ns) {
    struct co__task *task = co__task_running();
    bool enabled;
    int status = co__wait_check(task);
    if (status == 0)
        status = check(cases, count, task, &enabled);
    if (status != 0)
        return status;
    if (enabled) {
        co_select_case_t *one = choose(cases, count, task->sched->selects);
        if (one != NULL) {
            const bool sends = one->direction == CO_SELECT_SEND;
            co__case_is_done(one, task->sched,
                             sends ? co_chan_send(one->chan, one->item, CO_SELECT_DEFAULT)
                                   : co_chan_receive(one->chan, one->item, CO_SELECT_DEFAULT));
            return (int)(one - cases);
        }
    } else if (deadline_ns == CO_NEVER) {
        return -EINVAL;
    }
    if (deadline_ns <= 0)
        return -ETIMEDOUT;
    enqueue(cases, count, task);
    return co__wait(task, deadline_ns, "select", cases);
}
