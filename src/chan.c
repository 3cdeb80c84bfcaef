/* Channels: sending, receiving, closing. chan.h has the picture.
 *
 * A call is made twice of the same text: for items of a few words, without a call to memcpy or to anything else, so
 * that the compiler saves no register on the way; and for all others, with all that is seldom the case. */
#include "chan.h"

#include <stdlib.h>
#include <string.h>

/* ---- Items ------------------------------------------------------------------------------------------------------- */

#define SMALL_BYTES ((size_t)24)

/* At most 24 bytes, in pieces that overlap. */
static CO__INLINE void copy_small(void *to, const void *from, size_t bytes) {
    unsigned char *out = to;
    const unsigned char *in = from;
    if (CO__LIKELY(bytes == sizeof(uint64_t))) {
        memcpy(out, in, sizeof(uint64_t));
    } else if (bytes > sizeof(uint64_t)) {
        const size_t last = bytes - sizeof(uint64_t), middle = last < sizeof(uint64_t) ? last : sizeof(uint64_t);
        uint64_t a, b, c;
        memcpy(&a, in, sizeof a);
        memcpy(&b, in + middle, sizeof b);
        memcpy(&c, in + last, sizeof c);
        memcpy(out, &a, sizeof a);
        memcpy(out + middle, &b, sizeof b);
        memcpy(out + last, &c, sizeof c);
    } else if (bytes >= sizeof(uint32_t)) {
        uint32_t a, b;
        memcpy(&a, in, sizeof a);
        memcpy(&b, in + bytes - sizeof b, sizeof b);
        memcpy(out, &a, sizeof a);
        memcpy(out + bytes - sizeof b, &b, sizeof b);
    } else if (bytes != 0) {
        const unsigned char a = in[0], b = in[bytes / 2], c = in[bytes - 1];
        out[0] = a;
        out[bytes / 2] = b;
        out[bytes - 1] = c;
    }
}

static CO__INLINE void copy(const co_chan_t *chan, void *to, const void *from, bool small) {
    if (small)
        copy_small(to, from, chan->item_bytes);
    else if (chan->item_bytes != 0)
        memcpy(to, from, chan->item_bytes);
}

static CO__INLINE unsigned char *after(co_chan_t *chan, unsigned char *place) {
    place += chan->item_bytes;
    return place != chan->end ? place : chan->items;
}

static CO__INLINE void put(co_chan_t *chan, const void *item, bool small) {
    copy(chan, chan->write, item, small);
    chan->write = after(chan, chan->write);
    chan->count++;
}

static CO__INLINE void take(co_chan_t *chan, void *item, bool small) {
    copy(chan, item, chan->read, small);
    chan->read = after(chan, chan->read);
    chan->count--;
}

/* ---- Waking ------------------------------------------------------------------------------------------------------ */

/* The call that `waiter` is in answers `status`, and this is what the other side answers: 1 to who receives, 0 to who
 * sends. */
static __attribute__((noinline)) int wake_any(struct co__waiter *waiter, int status) {
    struct co__task *task = waiter->task;
    const int answer = status == 0;
    if (co__is_case(waiter)) {
        co__case_is_done(co__case_of(waiter), task->sched, status);
        status = waiter->fired;
    }
    co__wake(task, status);
    return answer;
}

static CO__INLINE int wake_first(struct co__sched *sched, struct co__waiters *queue, struct co__waiter *waiter,
                                 int status) {
    if (CO__LIKELY(co__wake_first_at_once(sched, queue, waiter, status)))
        return status == 0;
    return wake_any(waiter, status);
}

/* ---- Sending and receiving --------------------------------------------------------------------------------------- */

int co__chan_check(co_chan_t *chan, const struct co__task *task, const void *item) {
    if (chan == NULL || (item == NULL && chan->item_bytes != 0))
        return -EINVAL;
    if (chan->sched == task->sched)
        return 0;
    if (co__chan_others_wait(chan, task->sched))
        return -EPERM;
    if (!chan->closed) {
        chan->sched = task->sched;
        chan->quick = chan->item_bytes != 0 && chan->item_bytes <= SMALL_BYTES ? task->sched : NULL;
    }
    return 0;
}

/* The running task, if the short way may be taken: it executes itself, no cancel, no wrong argument, small items, and a
 * channel that this scheduler's tasks use, which a closed one is not (co_chan_close). Else NULL. */
static CO__INLINE struct co__task *usual(const co_chan_t *chan, const void *item) {
    struct co__task *task;
    if (CO__LIKELY(item != NULL) && CO__LIKELY((task = co__task_running_itself()) != NULL) &&
        CO__LIKELY(chan != NULL) && CO__LIKELY(!task->cancelled) && CO__LIKELY(chan->quick == task->sched))
        return task;
    return NULL;
}

/* There is room for what the first sender waits with, which comes after all that the channel holds. */
static __attribute__((noinline)) int refill(co_chan_t *chan, struct co__waiter *sender) {
    put(chan, sender->item, false);
    return wake_first(chan->sched, &chan->senders, sender, 0);
}

static CO__INLINE int send(co_chan_t *chan, struct co__task *task, const void *item, int64_t deadline, bool small) {
    struct co__waiter *receiver = co__waiters_first(&chan->receivers);
    if (receiver != NULL) {
        copy(chan, receiver->item, item, small);
        return wake_first(task->sched, &chan->receivers, receiver, 1);
    }
    if (chan->count < chan->capacity) {
        put(chan, item, small);
        return 0;
    }
    if (small && CO__LIKELY(deadline == CO_NEVER))
        return co__wait_in_itself(task, &chan->senders, (void *)(uintptr_t)item, "send", chan);
    if (deadline <= 0)
        return -ETIMEDOUT;
    return co__wait_in(task, &chan->senders, (void *)(uintptr_t)item, deadline, "send", chan);
}

static CO__INLINE int receive(co_chan_t *chan, struct co__task *task, void *item, int64_t deadline, bool small) {
    struct co__waiter *sender = co__waiters_first(&chan->senders);
    if (chan->count != 0) {
        take(chan, item, small);
        return CO__LIKELY(sender == NULL) ? 1 : refill(chan, sender);
    }
    if (sender != NULL) {
        copy(chan, item, sender->item, small);
        return wake_first(task->sched, &chan->senders, sender, 0);
    }
    if (!small && chan->closed) /* the short way never sees a closed one */
        return 0;
    if (small && CO__LIKELY(deadline == CO_NEVER))
        return co__wait_in_itself(task, &chan->receivers, item, "receive", chan);
    if (deadline <= 0)
        return -ETIMEDOUT;
    return co__wait_in(task, &chan->receivers, item, deadline, "receive", chan);
}

static __attribute__((noinline)) int send_any(co_chan_t *chan, const void *item, int64_t deadline) {
    struct co__task *task = co__task_running();
    int status = co__wait_check(task);
    if (status == 0)
        status = co__chan_check(chan, task, item);
    if (status == 0 && chan->closed)
        status = -EPIPE;
    return status != 0 ? status : send(chan, task, item, deadline, false);
}

static __attribute__((noinline)) int receive_any(co_chan_t *chan, void *item, int64_t deadline) {
    struct co__task *task = co__task_running();
    int status = co__wait_check(task);
    if (status == 0)
        status = co__chan_check(chan, task, item);
    return status != 0 ? status : receive(chan, task, item, deadline, false);
}

int co_chan_send(co_chan_t *chan, const void *item, int64_t deadline_ns) {
    struct co__task *task = usual(chan, item);
    if (!CO__LIKELY(task != NULL))
        return send_any(chan, item, deadline_ns);
    return send(chan, task, item, deadline_ns, true);
}

int co_chan_receive(co_chan_t *chan, void *item, int64_t deadline_ns) {
    struct co__task *task = usual(chan, item);
    if (!CO__LIKELY(task != NULL))
        return receive_any(chan, item, deadline_ns);
    return receive(chan, task, item, deadline_ns, true);
}

/* ---- Its life ---------------------------------------------------------------------------------------------------- */

co_chan_t *co_chan_create(size_t item_bytes, size_t capacity) {
    const size_t most = (size_t)PTRDIFF_MAX - sizeof(co_chan_t);
    co_chan_t *chan = NULL;
    if (item_bytes == 0 || capacity <= most / item_bytes)
        chan = malloc(sizeof *chan + item_bytes * capacity);
    if (chan == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    memset(chan, 0, sizeof *chan);
    chan->item_bytes = item_bytes;
    chan->capacity = capacity;
    chan->read = chan->write = chan->items;
    chan->end = chan->items + item_bytes * capacity;
    return chan;
}

int co_chan_close(co_chan_t *chan) {
    if (chan == NULL)
        return -EINVAL;
    if (co__chan_others_wait(chan, co__sched_of_thread()))
        return -EPERM;
    chan->closed = true;
    chan->sched = chan->quick = NULL;
    while (chan->receivers.first != NULL)
        wake_any(chan->receivers.first, 0);
    while (chan->senders.first != NULL)
        wake_any(chan->senders.first, -EPIPE);
    return 0;
}

int co_chan_destroy(co_chan_t *chan) {
    if (chan != NULL && (chan->receivers.first != NULL || chan->senders.first != NULL))
        return -EBUSY;
    free(chan);
    return 0;
}

size_t co_chan_count(const co_chan_t *chan) { return chan != NULL ? chan->count : 0; }
size_t co_chan_capacity(const co_chan_t *chan) { return chan != NULL ? chan->capacity : 0; }
